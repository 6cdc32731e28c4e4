"""The register: receipts and states, legal changes only, and nothing but the log to go by."""

from dataclasses import replace

import pytest

from assayhouse.errors import DeliveryStateError
from assayhouse.intake.manifest import read_manifest
from assayhouse.intake.receipt import (
    APPROVED,
    DUPLICATE,
    HELD,
    LEGAL,
    PUBLISHED,
    RECEIVED,
    REFUSED,
    REJECTED,
    STATES,
    SUPERSEDED,
    Change,
    Receipt,
    Register,
)
from assayhouse.trust.audit import AuditLog

from support.deliveries import manifest_of

AT, WHO = "2026-03-05T02:00:00Z", "night"
WAY = {
    RECEIVED: (),
    REJECTED: (REJECTED,),
    HELD: (HELD,),
    APPROVED: (HELD, APPROVED),
    REFUSED: (HELD, REFUSED),
    DUPLICATE: (DUPLICATE,),
    PUBLISHED: (PUBLISHED,),
    SUPERSEDED: (PUBLISHED, SUPERSEDED),
}


@pytest.fixture
def log(tmp_path):
    return AuditLog(tmp_path / "chain.jsonl")


@pytest.fixture
def register(log):
    return Register(log)


def receipt(sha="a", *, layout="acme.results", transfer=None):
    manifest = None
    if transfer is not None:
        content = manifest_of({"f": (layout, b"x", 0)}, transfer=transfer)
        manifest = read_manifest(content, name="m").entries[0]
    return Receipt(
        number=0,
        vendor=layout.split(".")[0],
        layout=layout,
        file_name="results.csv",
        sha256=sha * 64,
        bytes=12,
        side="open",
        received_at="",
        manifest=manifest,
        marks=("1:2:3:4",),
    )


def arrive(register, *receipts):
    return [item.number for item in register.arrive(receipts, at=AT, who=WHO)]


def go(register, number, *states):
    for state in states:
        register.record(number, state, why=f"to {state}", at=AT, who=WHO)


def test_receipts_are_numbered_in_order_of_arrival(register):
    assert arrive(register, receipt("a"), receipt("b")) == [1, 2]
    assert arrive(register, receipt("c")) == [3]
    assert [item.sha256[0] for item in register.receipts()] == ["a", "b", "c"]
    assert register.receipt(2).received_at == AT


def test_an_empty_arrival_leaves_no_row(register, log):
    assert arrive(register) == []
    assert list(log.entries()) == []


def test_a_register_read_from_the_log_is_the_one_that_wrote_it(register, log):
    arrive(register, receipt("a", transfer=3), receipt("b"))
    go(register, 1, HELD, APPROVED, PUBLISHED)
    register.seal(2, at=AT, who=WHO, why="treatment words")
    again = Register(log)
    assert again.receipts() == register.receipts()
    assert again.states() == register.states()
    assert again.receipt(1).transfer_no == 3
    assert again.receipt(2).side == "sealed"


def test_an_arrival_is_named_by_number_and_hash(register):
    arrive(register, receipt("a"))
    assert register.receipt(1).partition_key == "0001-aaaaaaaaaaaa"


@pytest.mark.parametrize("state", STATES)
def test_only_the_declared_changes_of_state_are_legal(tmp_path, state):
    for target in STATES:
        register = Register(AuditLog(tmp_path / f"{target}.jsonl"))
        arrive(register, receipt())
        go(register, 1, *WAY[state])
        if target in LEGAL.get(state, ()):
            go(register, 1, target)
            assert register.state(1) == target
        else:
            with pytest.raises(DeliveryStateError, match="Nothing was changed"):
                go(register, 1, target)
            assert register.state(1) == state


def test_an_illegal_change_names_what_is_possible(register):
    arrive(register, receipt())
    with pytest.raises(DeliveryStateError, match=r"RECEIVED and cannot become APPROVED.*HELD"):
        go(register, 1, APPROVED)


def test_changes_recorded_together_are_recorded_all_or_none(register, log):
    arrive(register, receipt("a"), receipt("b"))
    go(register, 1, PUBLISHED)
    rows = len(list(log.entries()))
    wrong = [
        Change(receipt=1, state=SUPERSEDED, why=""),
        Change(receipt=2, state=SUPERSEDED, why=""),
    ]
    with pytest.raises(DeliveryStateError):
        register.record_all(wrong, at=AT, who=WHO)
    assert register.state(1) == PUBLISHED
    assert len(list(log.entries())) == rows
    right = [replace(wrong[1], state=PUBLISHED), wrong[0]]
    register.record_all(right, at=AT, who=WHO)
    assert [register.state(1), register.state(2)] == [SUPERSEDED, PUBLISHED]
    assert len(list(log.entries())) == rows + 1


def test_states_are_numbered_by_change_whatever_else_is_logged(register, log):
    arrive(register, receipt())
    log.append({"kind": "no new content"}, at=AT, who=WHO)
    go(Register(log), 1, HELD)
    assert [(row.seq, row.state) for row in Register(log).states()] == [(1, RECEIVED), (2, HELD)]


def test_an_unknown_receipt_is_an_error_that_says_how_many_there_are(register):
    arrive(register, receipt())
    with pytest.raises(DeliveryStateError, match="no delivery 2; the last one is 1"):
        register.state(2)


def test_the_base_is_the_last_published_delivery_of_the_layout(register):
    arrive(register, receipt("a"), receipt("b"), receipt("c", layout="acme.wells"))
    assert register.base("acme.results") is None
    go(register, 1, PUBLISHED)
    go(register, 2, HELD)
    go(register, 3, PUBLISHED)
    assert register.base("acme.results").number == 1
    assert register.visible() == {1, 3}


def test_superseded_rows_stay_visible(register):
    arrive(register, receipt("a"))
    go(register, 1, PUBLISHED, SUPERSEDED)
    assert register.visible() == {1}


@pytest.mark.parametrize(
    ("state", "twin"),
    [
        (RECEIVED, 1),
        (HELD, 1),
        (PUBLISHED, 1),
        (SUPERSEDED, 1),
        (REJECTED, None),
        (REFUSED, None),
    ],
)
def test_equal_bytes_are_a_duplicate_unless_they_were_turned_down(register, state, twin):
    arrive(register, receipt("a"), receipt("a"))
    go(register, 1, *WAY[state])
    found = register.twin(register.receipt(2))
    assert (None if found is None else found.number) == twin


def test_older_bytes_that_come_back_are_no_duplicate(register):
    arrive(register, receipt("a"), receipt("b"), receipt("a"))
    assert register.twin(register.receipt(3)) is None


def test_a_rejected_delivery_between_equal_bytes_does_not_count(register):
    arrive(register, receipt("a"), receipt("b"), receipt("a"))
    go(register, 2, REJECTED)
    assert register.twin(register.receipt(3)).number == 1


def test_bytes_come_again_only_within_a_layout(register):
    arrive(register, receipt("a"), receipt("a", layout="acme.wells"))
    assert register.twin(register.receipt(2)) is None


def test_a_delivery_waits_for_the_earlier_ones_of_its_layout(register):
    arrive(register, receipt("a"), receipt("b", layout="acme.wells"), receipt("c"))
    assert register.waiting_before(register.receipt(3)).number == 1
    assert register.waiting_before(register.receipt(2)) is None
    go(register, 1, HELD)
    assert register.waiting_before(register.receipt(3)) is None


def test_transfer_numbers_of_rejected_deliveries_are_free_for_the_layout(register):
    arrive(register, receipt("a", transfer=1), receipt("b", transfer=2), receipt("c", transfer=2))
    go(register, 1, PUBLISHED)
    go(register, 2, REJECTED)
    assert register.transfers_before(register.receipt(3)) == ({1, 2}, {1})


def test_transfer_numbers_of_other_vendors_do_not_count(register):
    arrive(register, receipt("a", layout="other.file", transfer=9), receipt("b", transfer=1))
    assert register.transfers_before(register.receipt(2)) == (frozenset(), frozenset())


def test_transfers_served_are_those_accepted_and_the_same_bytes_again(register):
    arrive(
        register,
        *[receipt(sha, transfer=n) for n, sha in ((1, "a"), (2, "b"), (3, "a"), (4, "c"))],
        *[receipt("c", transfer=5), receipt("d", layout="acme.qc", transfer=6), receipt("e")],
    )
    go(register, 1, PUBLISHED, SUPERSEDED)
    go(register, 2, REJECTED)
    go(register, 3, DUPLICATE)
    go(register, 4, HELD)
    go(register, 5, DUPLICATE)
    go(register, 6, PUBLISHED)
    assert register.transfers_served("acme.results") == (1, 3)
    go(register, 7, PUBLISHED)
    assert register.transfers_served("acme.results") == (1, 3, None)
    assert register.transfers_served("acme.none") == ()


def test_the_reason_of_the_last_change_is_kept(register):
    arrive(register, receipt())
    go(register, 1, HELD, REFUSED)
    assert register.why(1) == "to REFUSED"
