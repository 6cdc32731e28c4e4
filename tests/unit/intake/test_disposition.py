"""What becomes of a delivery: limits, and the strongest disposition wins."""

from dataclasses import replace

import pytest

from assayhouse.contracts.vendor_file import Limits
from assayhouse.intake.disposition import (
    DeltaCounts,
    Tally,
    check_delta,
    check_stop_rule,
    decide,
)
from assayhouse.intake.findings import FileFault

from support.deliveries import layout

LAYOUT = layout()
GROUPED = layout(limits=Limits(group_column="CODE"))


def fault(disposition, *, rule="F33", line=None, column=None, message="something is wrong"):
    return FileFault(
        rule=rule, disposition=disposition, message=message, source_line=line, column=column
    )


def rules(faults):
    return [(item.rule, item.disposition) for item in faults]


def delta_faults(*, to=LAYOUT, records=100, before=100, **counts):
    return check_delta(to, DeltaCounts(**counts), records=records, records_before=before)


@pytest.mark.parametrize(("quarantined", "held"), [(5, False), (6, True)])
def test_more_than_five_percent_quarantined_holds_a_delivery(quarantined, held):
    assert bool(check_stop_rule(LAYOUT, Tally(rows=100, quarantined=quarantined))) is held


def test_the_stop_rule_says_how_many_rows():
    (found,) = check_stop_rule(LAYOUT, Tally(rows=50, quarantined=3))
    assert found.disposition == "H"
    assert "3 of 50 rows" in found.message


@pytest.mark.parametrize(("quarantined", "held"), [(2, False), (3, True)])
def test_more_than_a_fifth_of_one_group_holds_a_delivery(quarantined, held):
    groups = {"A": (10, quarantined), "B": (190, 0)}
    found = check_stop_rule(GROUPED, Tally(rows=200, quarantined=quarantined, groups=groups))
    assert rules(found) == ([("STOP-RULE-GROUP", "H")] if held else [])


def test_the_name_of_a_group_is_not_told():
    groups = {"secret": (10, 9), "B": (990, 0)}
    (found,) = check_stop_rule(GROUPED, Tally(rows=1000, quarantined=9, groups=groups))
    assert "secret" not in found.message
    assert "1 of 2 groups by CODE" in found.message


def test_an_empty_tally_holds_nothing():
    assert check_stop_rule(GROUPED, Tally(rows=0, quarantined=0)) == []


def test_a_vanished_record_holds_a_delivery():
    assert rules(delta_faults(same=99, vanished=1)) == [("F31", "H")]


def test_vanished_records_within_the_limit_are_only_told():
    allowing = replace(LAYOUT, limits=Limits(vanished=2))
    assert rules(delta_faults(to=allowing, same=98, vanished=2)) == [("F31", "W")]
    assert rules(delta_faults(to=allowing, same=97, vanished=3)) == [("F31", "H")]


def test_an_incremental_delivery_has_no_vanished_records_and_no_fall():
    incremental = replace(LAYOUT, mode="incremental")
    assert delta_faults(to=incremental, same=1, vanished=99, records=1) == []


def test_few_corrections_are_told_and_many_hold_a_delivery():
    assert rules(delta_faults(same=95, changed=5)) == [("F30", "W")]
    assert rules(delta_faults(same=94, changed=6)) == [("F30", "H")]


def test_new_records_do_not_water_down_the_share_of_corrections():
    assert rules(delta_faults(same=9, changed=1, new=900, records=910, before=10)) == [("F30", "H")]


def test_another_spelling_alone_is_told_and_holds_nothing():
    assert rules(delta_faults(same=50, cosmetic=50)) == [("COSMETIC", "W")]


def test_fewer_records_than_before_hold_a_delivery():
    assert rules(delta_faults(same=99, records=99)) == [("F02", "H")]
    tolerant = replace(LAYOUT, limits=Limits(fall_pct=1.0))
    assert delta_faults(to=tolerant, same=99, records=99) == []


def test_a_first_delivery_is_compared_with_nothing():
    assert delta_faults(new=10, records=10, before=None) == []


@pytest.mark.parametrize(
    ("dispositions", "state"),
    [
        ("", "PUBLISHED"),
        ("W", "PUBLISHED"),
        ("WQ", "PUBLISHED"),
        ("WQH", "HELD"),
        ("QHRW", "REJECTED"),
    ],
)
def test_the_strongest_disposition_wins(dispositions, state):
    assert decide(fault(letter) for letter in dispositions).state == state


def test_the_reason_names_rule_line_and_column_of_the_strongest_fault():
    decision = decide(
        [
            fault("R", rule="F02", message="bytes differ"),
            fault("R", rule="F01", line=5213, column="ORRES", message="cut off"),
            fault("W", rule="F09"),
        ]
    )
    assert decision.why == "rule F01, F02: line 5213 column ORRES cut off"


def test_quarantined_rows_are_mentioned_in_the_reason():
    assert decide([]).why == "accepted"
    assert decide([fault("Q")]).why == "accepted, some rows quarantined"


def test_counts_have_the_published_names_of_the_classes():
    counts = DeltaCounts(same=5950, new=18, changed=9, cosmetic=3, vanished=4)
    assert counts.by_class() == {
        "SAME": 5950,
        "NEW": 18,
        "CHANGED": 9,
        "COSMETIC": 3,
        "VANISHED": 4,
    }
    assert not counts.nothing_new
    assert DeltaCounts(same=7).nothing_new
