"""One delivery from landing to its outcome, on a layout of one vendor and a few rows."""

import json
from dataclasses import replace

import polars as pl
import pytest

from assayhouse.contracts.vendor_file import ColumnSpec, Limits
from assayhouse.errors import DeliveryStateError
from assayhouse.pipeline import delivery
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.lake import Lake

from support.deliveries import AT, WHO, Bench, content, layout, manifest_of, row, rows, study_of

RELATION = "raw.acme_results"


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "home", study_of(layout()))


def table(bench, relation, side=None):
    lake = Lake(bench.home, bench.declarations)
    return lake.scan(relation, side=side).collect()


def current(bench):
    lake = Lake(bench.home, bench.declarations)
    visible = delivery.visible_receipts(bench.home)
    with lake.connect(visible=visible, sealed=True) as connection:
        return connection.sql(f"select * from {RELATION} order by all").pl()


def version(bench, relation=RELATION):
    head = Lake(bench.home, bench.declarations).head(relation)
    return None if head is None else (head.version, head.content_hash)


def states(bench, number):
    frame = table(bench, "intake.states").sort("seq")
    return frame.filter(pl.col("receipt") == number)["state"].to_list()


def rules(outcome):
    return [(item.rule, item.disposition, item.source_line) for item in outcome.findings]


def audit_rows(bench):
    return list(AuditLog(bench.home.audit_file).entries())


# ---- arrival


def test_a_clean_delivery_is_published_with_all_its_rows(bench):
    outcome = bench.deliver(rows(5))
    assert (outcome.state, outcome.why) == ("PUBLISHED", "accepted")
    assert (outcome.accepted_rows, outcome.quarantined_rows) == (5, 0)
    assert str(outcome.account) == "5 accepted + 1 header = 6 lines"
    assert outcome.delta.by_class()["NEW"] == 5
    assert states(bench, 1) == ["RECEIVED", "PUBLISHED"]
    found = current(bench)
    assert found["ID"].to_list() == ["S0001", "S0002", "S0003", "S0004", "S0005"]
    assert found["source_line"].to_list() == [2, 3, 4, 5, 6]
    assert found["VALUE_number"].to_list() == [1.5] * 5


def test_taken_files_leave_landing_and_stay_in_the_archive_with_their_manifest(bench):
    data = bench.send(rows(2))
    (receipt,) = bench.scan()
    assert bench.landing() == []
    kept = {path.name: path for path in bench.home.archive("open").glob("*/*/*")}
    assert sorted(kept) == ["results.csv", "results.csv.manifest.json"]
    assert kept["results.csv"].read_bytes() == data
    assert kept["results.csv"].parent.name == receipt.sha256


def test_a_file_waits_for_its_manifest_and_a_manifest_for_its_file(bench):
    data = content(rows(2))
    path = bench.drop("results.csv", data)
    assert bench.scan() == ()
    (left,) = delivery.left_in_landing(bench.home, bench.declarations, pause=bench.pauses.append)
    assert (left.file_name, left.known) == ("results.csv", True)
    assert "manifest" in left.why
    path.unlink()
    bench.drop("m.manifest.json", manifest_of({"results.csv": ("acme.results", data, 2)}))
    assert bench.scan() == ()
    bench.drop("results.csv", data)
    assert len(bench.scan()) == 1


def test_a_transfer_is_taken_when_all_its_files_are_there(tmp_path):
    other = layout(layout="acme.wells", file_pattern=r"^wells")
    bench = Bench(tmp_path / "home", study_of(layout(), other))
    one, two = content(rows(2)), content(rows(3))
    files = {"wells.csv": ("acme.wells", two, 3), "results.csv": ("acme.results", one, 2)}
    bench.drop("m.manifest.json", manifest_of(files))
    bench.drop("results.csv", one)
    assert bench.scan() == ()
    bench.drop("wells.csv", two)
    assert [item.layout for item in bench.scan()] == ["acme.results", "acme.wells"]


def test_a_file_that_grows_between_two_looks_waits(bench):
    bench.send(rows(2))
    path = bench.home.landing / "acme" / "results.csv"

    def grow(_seconds):
        with path.open("ab") as stream:
            stream.write(b"S0003,A,1.5,pg/mL,\n")

    assert delivery.scan(bench.home, bench.declarations, at=AT, who=WHO, pause=grow) == ()
    assert path.exists()
    assert len(bench.scan()) == 1


def test_an_empty_landing_is_not_waited_for(bench):
    assert bench.scan() == ()
    assert bench.pauses == []


def test_an_unknown_file_stays_and_is_reported(bench):
    bench.drop("notes.txt", b"hello")
    bench.drop(".hidden", b"")
    assert bench.scan() == ()
    found = delivery.left_in_landing(bench.home, bench.declarations, pause=bench.pauses.append)
    assert [(item.file_name, item.known) for item in found] == [("notes.txt", False)]
    assert bench.landing() == [".hidden", "notes.txt"]


def test_a_manifest_that_names_an_unknown_layout_or_a_folder_waits(bench):
    data = content(rows(1))
    bench.drop("results.csv", data)
    bench.drop("a.manifest.json", manifest_of({"results.csv": ("acme.other", data, 1)}))
    bench.drop("b.manifest.json", manifest_of({"../results.csv": ("acme.results", data, 1)}))
    assert bench.scan() == ()
    found = delivery.left_in_landing(bench.home, bench.declarations, pause=bench.pauses.append)
    whys = {item.file_name: item.why for item in found}
    assert "acme.other is not one" in whys["a.manifest.json"]
    assert "folder" in whys["b.manifest.json"]


def test_an_unreadable_manifest_waits_with_its_file(bench):
    bench.drop("results.csv", content(rows(1)))
    bench.drop("results.csv.manifest.json", b"{")
    assert bench.scan() == ()
    assert len(bench.landing()) == 2


def test_a_file_listed_by_two_manifests_is_taken_once(bench):
    data = bench.send(rows(1))
    bench.drop("z.manifest.json", manifest_of({"results.csv": ("acme.results", data, 1)}))
    assert len(bench.scan()) == 1
    assert bench.landing() == ["z.manifest.json"]


def test_without_manifest_the_layout_follows_from_the_name(tmp_path):
    bench = Bench(tmp_path / "home", study_of(layout(manifest="none")))
    bench.drop("results.csv", content(rows(2)))
    (receipt,) = bench.scan()
    outcome = bench.ingest(receipt.number)
    assert (outcome.state, outcome.findings) == ("PUBLISHED", ())
    assert receipt.transfer_no is None


def test_a_manifest_that_is_only_wished_for_is_missed_in_a_finding(tmp_path):
    bench = Bench(tmp_path / "home", study_of(layout(manifest="optional")))
    bench.drop("results.csv", content(rows(2)))
    bench.scan()
    assert rules(bench.ingest(1)) == [("MANIFEST-MISSING", "W", None)]


def test_a_scan_that_finds_nothing_says_so_when_asked(bench):
    bench.scan()
    assert audit_rows(bench) == []
    bench.scan(note_idle=True)
    assert [entry.why for entry in audit_rows(bench)] == ["no new content"]
    delivery.note_no_news(bench.home, at=AT, who=WHO)
    assert len(audit_rows(bench)) == 2


# ---- rejected


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
    assert version(bench) is None
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
    before = version(bench)
    whole = content(rows(6))
    bench.send(whole[: whole.rindex(b"pg/mL") - 3], transfer=2)
    bench.scan()
    outcome = bench.ingest(2)
    assert outcome.state == "REJECTED"
    assert ("F01", "R", 7) in rules(outcome)
    assert "line 7" in outcome.why
    assert version(bench) == before
    assert current(bench).height == 4


def test_nothing_of_a_rejected_file_reaches_the_quarantine_or_the_accounts(bench):
    bad = content([row(1, value="x"), row(2)]).rstrip(b"\n")[:-6]
    bench.send(bad)
    bench.scan()
    assert bench.ingest(1).state == "REJECTED"
    assert table(bench, "intake.quarantine", side="open").height == 0
    assert table(bench, "intake.line_accounts").height == 0
    assert table(bench, "intake.findings").height > 0


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
    assert table(bench, "intake.receipts")["side"].to_list() == ["sealed"]
    assert bench.ingest(1) == outcome


def test_a_file_name_that_tells_the_treatment_seals_the_file(tmp_path):
    study = study_of(layout())
    blinded = replace(study.study, blinding="codes", treatment_words=("0.45 mg",))
    bench = Bench(tmp_path / "home", replace(study, study=blinded))
    outcome = bench.deliver(rows(2), name="results_0.45mg.csv")
    assert rules(outcome) == [("F35", "R", None)]


# ---- quarantine


def test_faulty_rows_are_kept_aside_with_line_rule_and_text(bench):
    lines = [*rows(60), row(61, value="1,5"), row(62, unit="ng/mL")]
    outcome = bench.deliver(lines)
    assert (outcome.state, outcome.why) == ("PUBLISHED", "accepted, some rows quarantined")
    assert (outcome.accepted_rows, outcome.quarantined_rows) == (60, 2)
    assert str(outcome.account) == "60 accepted + 2 quarantined + 1 header = 63 lines"
    kept = table(bench, "intake.quarantine", side="open").sort("source_line")
    assert kept.select("source_line", "column", "rule", "expected", "raw_text").rows() == [
        (62, "VALUE", "F13", "number, decimal mark .", 'S0061,A,"1,5",pg/mL,'),
        (63, "UNIT", "F32", "pg/mL", "S0062,A,1.5,ng/mL,"),
    ]
    assert current(bench).height == 60


def test_findings_have_stable_ids_and_no_values(bench):
    outcome = bench.deliver([*rows(60), row(61, value="1,5"), row(62, value="3;7")])
    assert [item.finding_id for item in outcome.findings] == [
        "ACM-RES-0001-0001",
        "ACM-RES-0001-0002",
    ]
    for item in outcome.findings:
        assert "1,5" not in item.message
        assert "S0061" not in item.message
    assert table(bench, "intake.findings").height == 2


def test_a_row_with_two_faults_is_one_row_and_two_entries(bench):
    outcome = bench.deliver([*rows(30), row(31, value="x", unit="y")])
    assert outcome.quarantined_rows == 1
    assert table(bench, "intake.quarantine", side="open").height == 2


def test_too_many_quarantined_rows_hold_a_delivery(bench):
    outcome = bench.deliver([*rows(18), row(19, value="x"), row(20, value="x")])
    assert outcome.state == "HELD"
    assert ("STOP-RULE", "H", None) in rules(outcome)
    assert version(bench) is None


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
    assert current(bench)["ID"].to_list() == ["S0001", "S0002", "S0003"]
    assert outcome.account.balanced


def test_rows_that_contradict_each_other_are_both_kept_out(bench):
    outcome = bench.deliver([*rows(60), row(7, value="9")])
    assert outcome.state == "PUBLISHED"
    assert (outcome.accepted_rows, outcome.quarantined_rows) == (59, 2)
    assert rules(outcome) == [("F29", "Q", 8), ("F29", "Q", 62)]
    assert outcome.account.balanced
    kept = table(bench, "intake.quarantine", side="open").sort("source_line")
    assert kept["raw_text"].to_list() == ["S0007,A,1.5,pg/mL,", "S0007,A,9,pg/mL,"]
    assert "S0007" not in current(bench)["ID"].to_list()


def test_a_record_spanning_lines_counts_with_all_of_them(bench):
    outcome = bench.deliver([row(1), row(2, note="two\nlines"), row(3, value="x", note="a\nb")])
    assert outcome.account.physical_lines == 6
    assert outcome.account.quarantined_lines == 2
    assert outcome.account.balanced


# ---- delta, hold, approve, refuse


def second(bench, lines, **options):
    bench.deliver(rows(40), transfer=6)
    return bench.deliver(lines, transfer=7, **options)


def test_a_second_delivery_adds_only_what_it_changes(bench):
    lines = [*rows(39), row(40, value="7"), row(41)]
    outcome = second(bench, lines)
    assert outcome.state == "PUBLISHED"
    assert outcome.delta.by_class() == {
        "SAME": 39,
        "NEW": 1,
        "CHANGED": 1,
        "COSMETIC": 0,
        "VANISHED": 0,
    }
    added = table(bench, RELATION).filter(pl.col("receipt") == 2).sort("source_line")
    assert added.select("ID", "record_action").rows() == [("S0040", "CHANGED"), ("S0041", "NEW")]
    assert states(bench, 1) == ["RECEIVED", "PUBLISHED", "SUPERSEDED"]
    assert current(bench).height == 41


def test_a_delivery_with_nothing_new_is_published_and_makes_no_version(bench):
    bench.deliver(rows(3), transfer=6)
    before = version(bench)
    outcome = bench.deliver(content(rows(3)[::-1]), transfer=7)
    assert (outcome.state, outcome.why) == ("PUBLISHED", "accepted; nothing new")
    assert version(bench) == before


def test_a_vanished_record_holds_the_delivery_and_stays_served(bench):
    outcome = second(bench, rows(39))
    assert outcome.state == "HELD"
    assert "F31" in outcome.why
    assert current(bench).height == 40
    (record,) = table(bench, "intake.delta_records", side="open").rows(named=True)
    assert record["record_key"] == "S0040 | A"
    assert (record["delta_class"], record["status"]) == ("VANISHED", "vanished_pending")


def test_an_approved_delivery_is_served_and_the_former_one_still_readable(bench):
    second(bench, [*rows(38), row(39, value="9")])
    outcome = bench.approve(2)
    assert (outcome.state, outcome.why) == ("PUBLISHED", "approved")
    assert states(bench, 2) == ["RECEIVED", "HELD", "APPROVED", "PUBLISHED"]
    assert current(bench).height == 39
    lake = Lake(bench.home, bench.declarations)
    with lake.connect(visible=frozenset({1})) as before:
        assert before.sql(f"select count(*) from {RELATION}").fetchall() == [(40,)]
    status = table(bench, "intake.delta_records", side="open")["status"].to_list()
    assert set(status) == {"accepted"}
    reasons = table(bench, "intake.states")["why"].to_list()
    assert "checked with the vendor" in reasons


def test_a_refused_delivery_leaves_everything_as_it_was(bench):
    second(bench, rows(39))
    before = version(bench)
    outcome = bench.refuse(2)
    assert (outcome.state, outcome.why) == ("REFUSED", "wrong file")
    assert version(bench) == before
    assert current(bench).height == 40
    assert table(bench, "intake.delta_records", side="open")["status"].to_list() == ["refused"]


def test_after_a_refusal_the_next_delivery_is_compared_with_the_published_one(bench):
    second(bench, rows(39))
    bench.refuse(2)
    outcome = bench.deliver(rows(41), transfer=7)
    assert outcome.state == "PUBLISHED"
    assert outcome.delta.by_class()["SAME"] == 40


@pytest.mark.parametrize("decide", ["approve", "refuse"])
def test_a_decision_needs_a_hold_and_a_reason(bench, decide):
    second(bench, rows(39))
    with pytest.raises(DeliveryStateError, match="reason"):
        getattr(bench, decide)(2, " ")
    with pytest.raises(DeliveryStateError, match="only one on hold"):
        getattr(bench, decide)(1)
    with pytest.raises(DeliveryStateError, match="no delivery 3"):
        getattr(bench, decide)(3)
    assert states(bench, 2) == ["RECEIVED", "HELD"]


def test_an_older_held_delivery_cannot_be_approved_after_a_newer_was_published(bench):
    second(bench, rows(39))
    assert bench.deliver(rows(42), transfer=8).state == "PUBLISHED"
    with pytest.raises(DeliveryStateError, match=r"Delivery 3 .*published after.*Refuse it"):
        bench.approve(2)
    assert bench.refuse(2).state == "REFUSED"


def test_a_held_delivery_is_compared_anew_when_another_was_approved(bench):
    """The second held one says what the first one changed back: nothing of that may be lost."""
    second(bench, [*rows(38), row(39, value="9")])
    held = bench.deliver(rows(39), transfer=8)
    assert (held.state, held.delta.changed) == ("HELD", 0)
    bench.approve(2)
    with pytest.raises(DeliveryStateError, match="compared anew"):
        bench.approve(3)
    again = delivery.outcome(bench.home, bench.declarations, 3)
    assert (again.state, again.delta.changed, again.delta.vanished) == ("HELD", 1, 0)
    assert bench.approve(3).state == "PUBLISHED"
    assert current(bench).filter(pl.col("ID") == "S0039")["VALUE"].to_list() == ["1.5"]


def test_a_row_that_is_now_faulty_has_not_vanished(bench):
    outcome = second(bench, [*rows(39), row(40, value="x")])
    assert outcome.state == "PUBLISHED"
    assert outcome.delta.vanished == 0
    assert current(bench).filter(pl.col("ID") == "S0040")["VALUE"].to_list() == ["1.5"]


def test_a_vanished_record_that_comes_back_is_new(bench):
    second(bench, rows(39))
    bench.approve(2)
    outcome = bench.deliver(rows(40), transfer=8)
    assert outcome.delta.by_class()["NEW"] == 1
    assert current(bench).height == 40


# ---- the same bytes, transfer numbers, order


def test_the_same_bytes_again_are_a_duplicate_and_make_no_version(bench):
    bench.deliver(rows(3))
    before = version(bench)
    bench.send(rows(3), transfer=2, name="other_name_results.csv")
    (receipt,) = bench.scan()
    outcome = bench.ingest(receipt.number)
    assert (outcome.state, outcome.why) == ("DUPLICATE", "duplicate of delivery 1, ignored")
    assert version(bench) == before
    assert delivery.pending(bench.home, bench.declarations) == ()


def test_older_bytes_that_come_back_are_three_deliveries(bench):
    one, two = rows(40), [*rows(39), row(40, value="9")]
    for transfer, lines in enumerate((one, two, one), start=1):
        assert bench.deliver(lines, transfer=transfer).state == "PUBLISHED"
    assert current(bench).filter(pl.col("ID") == "S0040")["VALUE"].to_list() == ["1.5"]
    keys = [item.partition_key for item in delivery.receipts(bench.home)]
    assert [key[:4] for key in keys] == ["0001", "0002", "0003"]
    assert keys[0][5:] == keys[2][5:] != keys[1][5:]


def test_the_same_bytes_twice_in_landing_are_settled_in_turn(bench):
    bench.send(rows(3), name="results_a.csv", transfer=1)
    bench.send(rows(3), name="results_b.csv", transfer=2)
    bench.scan()
    assert [item.state for item in bench.ingest_all()] == ["PUBLISHED", "DUPLICATE"]


def test_bytes_that_were_rejected_for_their_manifest_may_come_again(bench):
    bench.deliver(rows(3), environment="test")
    assert bench.deliver(rows(3), transfer=1).state == "PUBLISHED"


def test_a_skipped_or_repeated_transfer_is_held(bench):
    bench.deliver(rows(3), transfer=1)
    skipped = bench.deliver(rows(4), transfer=3)
    assert ("TRANSFER-NUMBER", "H", None) in rules(skipped)
    bench.approve(2)
    repeated = bench.deliver(rows(5), transfer=3)
    assert ("TRANSFER-NUMBER", "H", None) in rules(repeated)


def test_the_same_name_with_other_bytes_is_another_delivery(bench):
    bench.deliver(rows(3), name="results.csv", transfer=1)
    outcome = bench.deliver(rows(4), name="results.csv", transfer=2)
    assert (outcome.receipt, outcome.state) == (2, "PUBLISHED")


def test_a_delivery_is_not_ingested_before_an_earlier_one_of_its_layout(bench):
    bench.send(rows(3), name="results_a.csv", transfer=1)
    bench.send(rows(4), name="results_b.csv", transfer=2)
    bench.scan()
    with pytest.raises(DeliveryStateError, match="Ingest that first"):
        bench.ingest(2)
    assert [item.state for item in bench.ingest_all()] == ["PUBLISHED", "PUBLISHED"]


def test_ingesting_again_changes_nothing(bench):
    outcome = bench.deliver([*rows(30), row(31, value="x")])
    before = {name: version(bench, name) for name in ("intake.states", RELATION)}
    count = len(audit_rows(bench))
    assert bench.ingest(1) == outcome
    assert delivery.outcome(bench.home, bench.declarations, 1) == outcome
    assert len(audit_rows(bench)) == count
    assert {name: version(bench, name) for name in before} == before


# ---- references, sides, checks


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
    assert table(bench, "intake.quarantine", side="open").height == 0
    assert table(bench, "intake.quarantine", side="sealed").height == 1
    assert table(bench, "intake.delta_records", side="open").height == 0
    assert table(bench, "intake.delta_records", side="sealed").height == 1
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
