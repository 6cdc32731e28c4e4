"""Assay checks in intake: rows kept out, deliveries held, checks that could not be asked."""

import json
from dataclasses import replace

import pytest

from assayhouse.contracts.vendor_file import ColumnSpec, Limits

from support.deliveries import Bench, content, layout, row, rules, study_of

LOOSE = Limits(quarantined_pct=100, quarantined_pct_per_group=100, changed_pct=100, vanished=99)
QC_COLUMNS = (ColumnSpec(name="CODE", label="", required=True), ColumnSpec(name="PASS", label=""))
CONTROL = {
    "id": "ACM-A01",
    "rule": "F34",
    "disposition": "Q",
    "columns": ["CODE"],
    "why": "the run has no control",
    "uses": ["qc"],
    "broken": "coalesce(controls, 0) = 0",
}
SUM = {
    "id": "ACM-A02",
    "rule": "F36",
    "disposition": "W",
    "columns": ["VALUE"],
    "why": "the sum cannot be",
    "broken": "sum(VALUE_number) over (partition by CODE) > 100",
    "per": ["CODE"],
}
SWAP = SUM | {
    "id": "ACM-A03",
    "rule": "F24",
    "disposition": "H",
    "why": "two are exchanged",
    "broken": "VALUE_number = 77",
    "per": [],
}
QC = {
    "name": "qc",
    "from": "acme.qc",
    "on": {"CODE": "CODE"},
    "columns": {"controls": "count(*)"},
}


def bench_of(folder, *checks, with_qc=True, companions=(QC,), manifest="required"):
    """A study of results and controls whose results have these assay checks."""
    suites = folder / "study" / "expectations" / "raw"
    suites.mkdir(parents=True)
    (suites / "acme_results.json").write_text(
        json.dumps(
            {
                "name": "raw.acme_results",
                "expectations": [],
                "companions": list(companions),
                "assay_checks": list(checks),
            }
        )
    )
    controls = layout(layout="acme.qc", columns=QC_COLUMNS, key=("CODE",), file_pattern=None)
    results = layout(limits=LOOSE, manifest=manifest)
    study = study_of(*([results, controls] if with_qc else [results]))
    own = replace(study.study, folder=folder / "study")
    return Bench(folder / "home", replace(study, study=own))


def deliver_qc(bench, *codes, transfer=1):
    lines = "CODE,PASS\n" + "".join(f"{code},Y\n" for code in codes)
    return bench.deliver(lines.encode(), name="qc.csv", layout="acme.qc", transfer=transfer)


def answer(outcome, check_id):
    return next(item for item in outcome.checks if item.rule_id == check_id)


def test_rows_of_a_run_without_a_control_are_quarantined_with_line_column_rule_and_text(tmp_path):
    bench = bench_of(tmp_path, CONTROL)
    deliver_qc(bench, "A")
    outcome = bench.deliver([row(1), row(2, code="B"), row(3), row(4, code="B")], transfer=2)
    assert outcome.state == "PUBLISHED"
    assert rules(outcome) == [("F34", "Q", 3), ("F34", "Q", 5)]
    kept = bench.table("intake.quarantine", side="open").sort("source_line")
    assert kept["source_line"].to_list() == [3, 5]
    assert set(kept["column"]) == {"CODE"}
    assert kept["raw_text"][0] == "S0002,B,1.5,pg/mL,"
    assert bench.current()["ID"].to_list() == ["S0001", "S0003"]
    assert str(outcome.account).startswith("2 accepted + 2 quarantined")
    told = answer(outcome, "ACM-A01")
    assert (told.passed, told.n) == (False, 2)


def test_a_run_with_its_controls_passes_and_nothing_is_found(tmp_path):
    bench = bench_of(tmp_path, CONTROL, SUM, SWAP)
    deliver_qc(bench, "A")
    outcome = bench.deliver([row(1), row(2)], transfer=2)
    assert (outcome.state, outcome.findings) == ("PUBLISHED", ())
    assert [answer(outcome, f"ACM-A0{n}").passed for n in (1, 2, 3)] == [True] * 3


def test_a_check_without_an_accepted_companion_is_skipped_and_said_so_never_passed(tmp_path):
    bench = bench_of(tmp_path, CONTROL, SUM)
    outcome = bench.deliver([row(1), row(2, code="B")])
    assert outcome.state == "PUBLISHED"
    assert rules(outcome) == [("SKIPPED", "W", None)]
    assert "acme.qc" in outcome.findings[0].message
    assert answer(outcome, "ACM-A01").passed is None
    assert "skipped" in answer(outcome, "ACM-A01").message
    assert answer(outcome, "ACM-A02").passed is True


ABSENCE = CONTROL | {"absence_in": ["qc"]}
CUT_OFF = b"CODE,PASS\nA,Y\nB"


def test_controls_cut_off_accuse_no_row_and_the_next_transfer_is_checked_with_all(tmp_path):
    bench = bench_of(tmp_path, ABSENCE, SUM)
    deliver_qc(bench, "A")
    assert bench.deliver([row(1)]).findings == ()
    cut = bench.deliver(CUT_OFF, name="qc.csv", layout="acme.qc", transfer=2)
    assert cut.state == "REJECTED"
    outcome = bench.deliver([row(1), row(2, code="B")], transfer=2)
    assert outcome.state == "PUBLISHED"
    assert rules(outcome) == [("SKIPPED", "W", None)]
    assert "ACM-A01 not asked: it needs acme.qc of transfer 2" in outcome.findings[0].message
    assert answer(outcome, "ACM-A01").passed is None
    assert "of which no delivery is accepted" in answer(outcome, "ACM-A01").message
    assert answer(outcome, "ACM-A02").passed is True, "what needs no control is asked"
    assert bench.current().height == 2
    assert deliver_qc(bench, "A", "B", transfer=2).state == "PUBLISHED"
    deliver_qc(bench, "A", "B", "C", transfer=3)
    lines = [row(1), row(2, code="B"), row(3, code="C"), row(4, code="D")]
    outcome = bench.deliver(lines, transfer=3)
    assert rules(outcome) == [("F34", "Q", 5)]
    assert answer(outcome, "ACM-A01").passed is False


@pytest.mark.parametrize("state", ["held", "refused"])
def test_controls_that_are_not_accepted_accuse_no_row(tmp_path, state):
    bench = bench_of(tmp_path, ABSENCE)
    deliver_qc(bench, "A", "B")
    held = deliver_qc(bench, "A", transfer=2)
    assert held.state == "HELD"
    if state == "refused":
        bench.refuse(held.receipt)
    bench.deliver([row(1)])
    outcome = bench.deliver([row(1), row(2, code="C")], transfer=2)
    assert rules(outcome) == [("SKIPPED", "W", None)]


@pytest.mark.parametrize("transfer", [2, 3])
def test_controls_of_the_same_or_a_later_transfer_accuse_rows(tmp_path, transfer):
    bench = bench_of(tmp_path, ABSENCE)
    deliver_qc(bench, "A", transfer=1)
    bench.deliver([row(1)])
    deliver_qc(bench, "A", "C", transfer=2)
    if transfer == 3:
        deliver_qc(bench, "A", "C", "D", transfer=3)
    outcome = bench.deliver([row(1), row(2, code="B")], transfer=2)
    assert rules(outcome) == [("F34", "Q", 3)]


def test_the_same_controls_sent_again_are_those_of_both_transfers(tmp_path):
    bench = bench_of(tmp_path, ABSENCE)
    deliver_qc(bench, "A")
    bench.deliver([row(1)])
    assert deliver_qc(bench, "A", transfer=2).state == "DUPLICATE"
    outcome = bench.deliver([row(1), row(2, code="B")], transfer=2)
    assert rules(outcome) == [("F34", "Q", 3)]


def test_without_a_transfer_number_absence_is_judged_by_what_is_there(tmp_path):
    bench = bench_of(tmp_path, ABSENCE, manifest="none")
    deliver_qc(bench, "A", transfer=1)
    bench.drop("results.csv", content([row(1), row(2, code="B")]))
    (receipt,) = bench.scan()
    outcome = bench.ingest(receipt.number)
    assert ("F34", "Q", 3) in rules(outcome)


def test_genes_of_the_modules_are_a_list_that_checks_can_look_at(tmp_path):
    genes = {
        "name": "genes",
        "from": "terms.module_genes",
        "on": {"CODE": "GENE"},
        "columns": {"parts": "string_agg(GENEROLE)"},
    }
    check = CONTROL | {"uses": ["genes"], "broken": "parts is null"}
    bench = bench_of(tmp_path, check, companions=[genes])
    plan = bench.declarations.study.plan
    target, reference = plan.modules[0].genes[0], plan.expression.references[0]
    outcome = bench.deliver([row(1, code=target), row(2, code=reference), row(3, code="NONE")])
    assert rules(outcome) == [("F34", "Q", 4)]
    own = replace(bench.declarations.study, plan=replace(plan, modules=()))
    bench.declarations = replace(bench.declarations, study=own)
    outcome = bench.deliver([row(1, code=target)], transfer=2)
    assert "declares no modules" in answer(outcome, "ACM-A01").message
    assert answer(outcome, "ACM-A01").passed is None


def test_a_check_whose_companion_is_not_in_the_study_is_skipped_without_a_finding(tmp_path):
    bench = bench_of(tmp_path, CONTROL, with_qc=False)
    outcome = bench.deliver([row(1)])
    assert (outcome.state, outcome.findings) == ("PUBLISHED", ())
    assert answer(outcome, "ACM-A01").passed is None
    assert "not a layout of this study" in answer(outcome, "ACM-A01").message


def test_a_warning_on_a_group_is_one_finding_with_lines_and_count(tmp_path):
    bench = bench_of(tmp_path, SUM)
    outcome = bench.deliver(
        [row(1, value="60"), row(2, code="B"), row(3, value="60"), row(4, value="1")]
    )
    assert outcome.state == "PUBLISHED"
    (finding,) = outcome.findings
    assert (finding.rule, finding.disposition, finding.source_line) == ("F36", "W", 2)
    assert finding.n_rows == 3
    assert "lines 2, 4-5" in finding.message
    assert "60" not in finding.message
    assert bench.current().height == 4


def test_two_exchanged_are_one_finding_that_names_both_and_holds_the_delivery(tmp_path):
    bench = bench_of(tmp_path, SWAP)
    outcome = bench.deliver([row(1, value="77"), row(2), row(3, value="77")])
    assert outcome.state == "HELD"
    (finding,) = outcome.findings
    assert (finding.rule, finding.disposition, finding.n_rows) == ("F24", "H", 2)
    assert "lines 2, 4" in finding.message
    assert bench.approve(outcome.receipt).state == "PUBLISHED"
    assert bench.current().height == 3


def test_a_row_that_breaks_two_checks_is_one_row_in_the_account_and_two_entries(tmp_path):
    bench = bench_of(tmp_path, CONTROL, SUM | {"disposition": "Q", "per": None})
    deliver_qc(bench, "A")
    outcome = bench.deliver([row(1), row(2, code="B", value="101")], transfer=2)
    assert sorted(rules(outcome)) == [("F34", "Q", 3), ("F36", "Q", 3)]
    assert outcome.account.quarantined_rows == 1
    assert bench.table("intake.quarantine", side="open").height == 2


def test_rows_kept_out_before_are_not_gone_when_the_file_comes_again(tmp_path):
    bench = bench_of(tmp_path, CONTROL)
    deliver_qc(bench, "A", "B")
    bench.deliver([row(1), row(2, code="B")], transfer=2)
    bench.approve(deliver_qc(bench, "A", transfer=3).receipt)
    outcome = bench.deliver([row(1), row(2, code="B"), row(3)], transfer=4)
    assert outcome.delta.vanished == 0, "the record is in the file, though it may not enter"
    assert (outcome.delta.same, outcome.delta.new) == (1, 1)


def test_duplicates_are_settled_among_the_rows_that_are_left(tmp_path):
    bench = bench_of(tmp_path, CONTROL)
    deliver_qc(bench, "A")
    lines = [row(1), row(1), row(2, code="B"), row(2, code="B", value="9")]
    outcome = bench.deliver(lines, transfer=2)
    assert sorted(rules(outcome)) == [("F29", "W", 3), ("F34", "Q", 4), ("F34", "Q", 5)]
    assert bench.current().height == 1


@pytest.mark.parametrize("disposition", ["W", "H"])
def test_an_expression_that_cannot_be_evaluated_is_reported_not_passed(tmp_path, disposition):
    bench = bench_of(tmp_path, SUM | {"broken": "NOSUCH > 1", "disposition": disposition})
    outcome = bench.deliver([row(1)])
    assert rules(outcome) == [("SKIPPED", "W", None)]
    assert answer(outcome, "ACM-A02").passed is None
