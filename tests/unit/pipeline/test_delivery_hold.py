"""What a second delivery changes; holds, decisions, duplicates and order."""

import polars as pl
import pytest

from assayhouse.errors import DeliveryStateError
from assayhouse.pipeline import delivery

from support.deliveries import (
    Bench,
    content,
    layout,
    row,
    rows,
    rules,
    study_of,
)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "home", study_of(layout()))


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
    added = bench.table("raw.acme_results").filter(pl.col("receipt") == 2).sort("source_line")
    assert added.select("ID", "record_action").rows() == [("S0040", "CHANGED"), ("S0041", "NEW")]
    assert bench.states(1) == ["RECEIVED", "PUBLISHED", "SUPERSEDED"]
    assert bench.current().height == 41


def test_a_delivery_with_nothing_new_is_published_and_makes_no_version(bench):
    bench.deliver(rows(3), transfer=6)
    before = bench.version()
    outcome = bench.deliver(content(rows(3)[::-1]), transfer=7)
    assert (outcome.state, outcome.why) == ("PUBLISHED", "accepted; nothing new")
    assert bench.version() == before


def test_a_vanished_record_holds_the_delivery_and_stays_served(bench):
    outcome = second(bench, rows(39))
    assert outcome.state == "HELD"
    assert "F31" in outcome.why
    assert bench.current().height == 40
    (record,) = bench.table("intake.delta_records", side="open").rows(named=True)
    assert record["record_key"] == "S0040 | A"
    assert (record["delta_class"], record["status"]) == ("VANISHED", "vanished_pending")


def test_an_approved_delivery_is_served_and_the_former_one_still_readable(bench):
    second(bench, [*rows(38), row(39, value="9")])
    outcome = bench.approve(2)
    assert (outcome.state, outcome.why) == ("PUBLISHED", "approved")
    assert bench.states(2) == ["RECEIVED", "HELD", "APPROVED", "PUBLISHED"]
    assert bench.current().height == 39
    with bench.lake().connect(visible=frozenset({1})) as before:
        assert before.sql("select count(*) from raw.acme_results").fetchall() == [(40,)]
    status = bench.table("intake.delta_records", side="open")["status"].to_list()
    assert set(status) == {"accepted"}
    reasons = bench.table("intake.states")["why"].to_list()
    assert "checked with the vendor" in reasons


def test_a_refused_delivery_leaves_everything_as_it_was(bench):
    second(bench, rows(39))
    before = bench.version()
    outcome = bench.refuse(2)
    assert (outcome.state, outcome.why) == ("REFUSED", "wrong file")
    assert bench.version() == before
    assert bench.current().height == 40
    assert bench.table("intake.delta_records", side="open")["status"].to_list() == ["refused"]


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
    assert bench.states(2) == ["RECEIVED", "HELD"]


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
    assert bench.current().filter(pl.col("ID") == "S0039")["VALUE"].to_list() == ["1.5"]


def test_a_row_that_is_now_faulty_has_not_vanished(bench):
    outcome = second(bench, [*rows(39), row(40, value="x")])
    assert outcome.state == "PUBLISHED"
    assert outcome.delta.vanished == 0
    assert bench.current().filter(pl.col("ID") == "S0040")["VALUE"].to_list() == ["1.5"]


def test_a_vanished_record_that_comes_back_is_new(bench):
    second(bench, rows(39))
    bench.approve(2)
    outcome = bench.deliver(rows(40), transfer=8)
    assert outcome.delta.by_class()["NEW"] == 1
    assert bench.current().height == 40


def test_the_same_bytes_again_are_a_duplicate_and_make_no_version(bench):
    bench.deliver(rows(3))
    before = bench.version()
    bench.send(rows(3), transfer=2, name="other_name_results.csv")
    (receipt,) = bench.scan()
    outcome = bench.ingest(receipt.number)
    assert (outcome.state, outcome.why) == ("DUPLICATE", "duplicate of delivery 1, ignored")
    assert bench.version() == before
    assert delivery.pending(bench.home, bench.declarations) == ()


def test_older_bytes_that_come_back_are_three_deliveries(bench):
    one, two = rows(40), [*rows(39), row(40, value="9")]
    for transfer, lines in enumerate((one, two, one), start=1):
        assert bench.deliver(lines, transfer=transfer).state == "PUBLISHED"
    assert bench.current().filter(pl.col("ID") == "S0040")["VALUE"].to_list() == ["1.5"]
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
    before = {name: bench.version(name) for name in ("intake.states", "raw.acme_results")}
    count = len(bench.audit_rows())
    assert bench.ingest(1) == outcome
    assert delivery.outcome(bench.home, bench.declarations, 1) == outcome
    assert len(bench.audit_rows()) == count
    assert {name: bench.version(name) for name in before} == before
