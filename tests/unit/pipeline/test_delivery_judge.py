"""What keeps a file, or a row of it, out; each rule gives its answer."""

import json
from dataclasses import replace

import pytest

from assayhouse.contracts.vendor_file import ColumnSpec, Limits
from assayhouse.errors import DeliveryStateError
from assayhouse.pipeline import delivery

from support.deliveries import (
    AT,
    WHO,
    Bench,
    content,
    layout,
    manifest_of,
    row,
    rows,
    rules,
    study_of,
)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "home", study_of(layout()))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"study": "OTHER-01"}, "F07"),
        ({"environment": "test"}, "MANIFEST-ENVIRONMENT"),
        ({"mode": "incremental"}, "MANIFEST-MODE"),
    ],
)
def test_a_transfer_that_does_not_belong_here_is_rejected_unread(bench, change, rule):
    outcome = bench.deliver(rows(3), **change)
    assert outcome.state == "REJECTED"
    assert rules(outcome) == [(rule, "R", None)]
    assert bench.version() is None
    checks = {item.rule_id: item.passed for item in outcome.checks}
    assert checks[rule] is False
    assert checks["F33"] is None


def test_a_file_other_than_its_manifest_says_is_rejected(bench):
    data = content(rows(3))
    bench.drop("results.csv", data[:-1] + b"X\n")
    bench.drop("m.manifest.json", manifest_of({"results.csv": ("acme.results", data, 3)}))
    bench.scan()
    outcome = bench.ingest(1)
    assert (outcome.state, rules(outcome)) == ("REJECTED", [("F02", "R", None)])


def test_other_rows_than_the_manifest_counts_are_rejected(bench):
    data = content(rows(3))
    bench.drop("results.csv", data)
    bench.drop("m.manifest.json", manifest_of({"results.csv": ("acme.results", data, 4)}))
    bench.scan()
    outcome = bench.ingest(1)
    assert (outcome.state, rules(outcome)) == ("REJECTED", [("F02", "R", None)])
    assert "3 rows" in outcome.findings[0].message


def test_a_file_cut_off_is_rejected_with_its_line_and_the_last_good_one_stays(bench):
    bench.deliver(rows(4))
    before = bench.version()
    whole = content(rows(6))
    bench.send(whole[: whole.rindex(b"pg/mL") - 3], transfer=2)
    bench.scan()
    outcome = bench.ingest(2)
    assert outcome.state == "REJECTED"
    assert ("F01", "R", 7) in rules(outcome)
    assert "line 7" in outcome.why
    assert bench.version() == before
    assert bench.current().height == 4


def test_nothing_of_a_rejected_file_reaches_the_quarantine_or_the_accounts(bench):
    bad = content([row(1, value="x"), row(2)]).rstrip(b"\n")[:-6]
    bench.send(bad)
    bench.scan()
    assert bench.ingest(1).state == "REJECTED"
    assert bench.table("intake.quarantine", side="open").height == 0
    assert bench.table("intake.line_accounts").height == 0
    assert bench.table("intake.findings").height > 0


def test_a_column_that_is_wrong_in_every_row_rejects_the_file(bench):
    outcome = bench.deliver(rows(30, value="1,5"))
    assert outcome.state == "REJECTED"
    assert rules(outcome) == [("F13", "R", None)]


def test_a_rejected_file_may_come_again_under_its_transfer_number(bench):
    bench.deliver(rows(2))
    bench.send(content(rows(3))[:-10], transfer=2)
    bench.scan()
    assert bench.ingest(2).state == "REJECTED"
    outcome = bench.deliver(rows(3), transfer=2)
    assert (outcome.state, outcome.findings) == ("PUBLISHED", ())


def test_treatment_content_moves_the_file_to_the_sealed_archive(tmp_path):
    study = study_of(layout())
    blinded = replace(study.study, blinding="codes", treatment_words=("placebo",))
    bench = Bench(tmp_path / "home", replace(study, study=blinded))
    data = bench.send([*rows(3), row(4, note="got placebo")])
    bench.scan()
    outcome = bench.ingest(1)
    assert outcome.state == "REJECTED"
    assert "F35" in outcome.why
    assert [path.read_bytes() for path in bench.home.archive("open").glob("*/*/results.csv")] == []
    (kept,) = bench.home.archive("sealed").glob("*/*/results.csv")
    assert kept.read_bytes() == data
    assert "placebo" not in bench.home.audit_file.read_text()
    assert "placebo" not in json.dumps([item.to_dict() for item in outcome.findings])
    assert bench.table("intake.receipts")["side"].to_list() == ["sealed"]
    assert bench.ingest(1) == outcome


def test_a_file_name_that_tells_the_treatment_seals_the_file(tmp_path):
    study = study_of(layout())
    blinded = replace(study.study, blinding="codes", treatment_words=("0.45 mg",))
    bench = Bench(tmp_path / "home", replace(study, study=blinded))
    outcome = bench.deliver(rows(2), name="results_0.45mg.csv")
    assert rules(outcome) == [("F35", "R", None)]


def test_faulty_rows_are_kept_aside_with_line_rule_and_text(bench):
    lines = [*rows(60), row(61, value="1,5"), row(62, unit="ng/mL")]
    outcome = bench.deliver(lines)
    assert (outcome.state, outcome.why) == ("PUBLISHED", "accepted, some rows quarantined")
    assert (outcome.accepted_rows, outcome.quarantined_rows) == (60, 2)
    assert str(outcome.account) == "60 accepted + 2 quarantined + 1 header = 63 lines"
    kept = bench.table("intake.quarantine", side="open").sort("source_line")
    assert kept.select("source_line", "column", "rule", "expected", "raw_text").rows() == [
        (62, "VALUE", "F13", "number, decimal mark .", 'S0061,A,"1,5",pg/mL,'),
        (63, "UNIT", "F32", "pg/mL", "S0062,A,1.5,ng/mL,"),
    ]
    assert bench.current().height == 60


def test_findings_have_stable_ids_and_no_values(bench):
    outcome = bench.deliver([*rows(60), row(61, value="1,5"), row(62, value="3;7")])
    assert [item.finding_id for item in outcome.findings] == [
        "ACM-RES-0001-0001",
        "ACM-RES-0001-0002",
    ]
    for item in outcome.findings:
        assert "1,5" not in item.message
        assert "S0061" not in item.message
    assert bench.table("intake.findings").height == 2


def test_a_row_with_two_faults_is_one_row_and_two_entries(bench):
    outcome = bench.deliver([*rows(30), row(31, value="x", unit="y")])
    assert outcome.quarantined_rows == 1
    assert bench.table("intake.quarantine", side="open").height == 2


def test_too_many_quarantined_rows_hold_a_delivery(bench):
    outcome = bench.deliver([*rows(18), row(19, value="x"), row(20, value="x")])
    assert outcome.state == "HELD"
    assert ("STOP-RULE", "H", None) in rules(outcome)
    assert bench.version() is None


def test_too_many_quarantined_rows_of_one_group_hold_a_delivery(tmp_path):
    grouped = layout(limits=Limits(group_column="CODE"))
    bench = Bench(tmp_path / "home", study_of(grouped))
    small = [row(1, code="B"), row(2, code="B", value="x"), row(3, code="B")]
    outcome = bench.deliver([*rows(60), *small])
    assert outcome.state == "HELD"
    assert ("STOP-RULE-GROUP", "H", None) in rules(outcome)


def test_a_repeated_row_is_kept_once_and_told(bench):
    outcome = bench.deliver([*rows(3), row(2)])
    assert outcome.state == "PUBLISHED"
    assert rules(outcome) == [("F29", "W", 5)]
    assert bench.current()["ID"].to_list() == ["S0001", "S0002", "S0003"]
    assert outcome.account.balanced


def test_rows_that_contradict_each_other_are_both_kept_out(bench):
    outcome = bench.deliver([*rows(60), row(7, value="9")])
    assert outcome.state == "PUBLISHED"
    assert (outcome.accepted_rows, outcome.quarantined_rows) == (59, 2)
    assert rules(outcome) == [("F29", "Q", 8), ("F29", "Q", 62)]
    assert outcome.account.balanced
    kept = bench.table("intake.quarantine", side="open").sort("source_line")
    assert kept["raw_text"].to_list() == ["S0007,A,1.5,pg/mL,", "S0007,A,9,pg/mL,"]
    assert "S0007" not in bench.current()["ID"].to_list()


def test_a_record_spanning_lines_counts_with_all_of_them(bench):
    outcome = bench.deliver([row(1), row(2, note="two\nlines"), row(3, value="x", note="a\nb")])
    assert outcome.account.physical_lines == 6
    assert outcome.account.quarantined_lines == 2
    assert outcome.account.balanced


def with_roster(bench_folder):
    results = layout()
    columns = (
        replace(results.columns[0], references="site.people.ID"),
        *results.columns[1:],
    )
    people = layout(
        layout="site.people",
        columns=(ColumnSpec(name="ID", label="Identifier", required=True),),
        key=("ID",),
        manifest="none",
        file_pattern="^people",
    )
    return Bench(bench_folder, study_of(replace(results, columns=columns), people))


def test_a_layout_is_ingested_after_those_it_refers_to(tmp_path):
    bench = with_roster(tmp_path / "home")
    bench.send(rows(30))
    bench.drop(
        "people.csv", content([(f"S{n:04d}",) for n in range(1, 30)], ("ID",)), vendor="site"
    )
    assert [item.layout for item in bench.scan()] == ["site.people", "acme.results"]
    outcome = bench.ingest_all()[1]
    assert rules(outcome) == [("F21", "Q", 31)]
    assert outcome.quarantined_rows == 1


def test_without_the_deliveries_it_refers_to_a_person_decides(tmp_path):
    bench = with_roster(tmp_path / "home")
    outcome = bench.deliver(rows(30))
    assert (outcome.state, rules(outcome)) == ("HELD", [("F21", "H", None)])
    assert bench.approve(1).state == "PUBLISHED"


def test_rows_of_a_sealed_layout_stay_on_the_sealed_side(tmp_path):
    study = study_of(layout(sealed_under=("codes",)))
    bench = Bench(tmp_path / "home", replace(study, study=replace(study.study, blinding="codes")))
    bench.deliver([*rows(30), row(31, value="x")])
    bench.deliver([*rows(29), row(30, value="9")], transfer=2)
    assert bench.table("intake.quarantine", side="open").height == 0
    assert bench.table("intake.quarantine", side="sealed").height == 1
    assert bench.table("intake.delta_records", side="open").height == 0
    assert bench.table("intake.delta_records", side="sealed").height == 1
    open_side = [path for path in bench.home.root.rglob("*") if "sealed" not in path.parts]
    held = [path for path in open_side if path.is_file() and b"S0031" in path.read_bytes()]
    assert held == []


def test_every_rule_has_an_answer_and_only_failing_ones_are_marked(bench):
    outcome = bench.deliver([*rows(30), row(31, value="x")])
    failed = {item.rule_id: item for item in outcome.checks if item.passed is False}
    assert set(failed) == {"F13"}
    assert (failed["F13"].severity, failed["F13"].n) == ("warning", 1)
    assert failed["F13"].message.startswith("line 32: ")
    assert {"F01", "F02", "F29", "F31", "LINE-ACCOUNT", "STOP-RULE"} <= {
        item.rule_id for item in outcome.checks if item.passed
    }


def test_a_rejected_delivery_has_a_critical_check_and_rows_that_were_not_asked(bench):
    bench.send(content(rows(3))[:-10])
    bench.scan()
    checks = {item.rule_id: item for item in bench.ingest(1).checks}
    assert (checks["F01"].passed, checks["F01"].severity) == (False, "critical")
    assert checks["F21"].passed is None
    assert checks["F21"].message.startswith("not asked")


def test_a_layout_that_left_the_study_is_not_touched(bench):
    bench.send(rows(3))
    bench.scan()
    other = study_of(layout(layout="acme.wells"))
    assert delivery.pending(bench.home, other) == ()
    with pytest.raises(DeliveryStateError, match="does not have"):
        delivery.ingest(bench.home, other, 1, at=AT, who=WHO)
