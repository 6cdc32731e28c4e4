"""Findings: stable ids in file order, bounded memory, no values."""

import pytest

from assayhouse.intake.findings import (
    MAX_PER_RULE,
    FaultLog,
    FileFault,
    Finding,
    layout_short,
    number_findings,
)


def fault(line=None, *, rule="F33", disposition="Q", column="ORRES", n_rows=1):
    return FileFault(
        rule=rule,
        disposition=disposition,
        message="no number",
        column=column,
        source_line=line,
        n_rows=n_rows,
    )


def numbered(log):
    return number_findings(log.faults(), receipt=7, vendor="acme", layout="acme.results")


def test_ids_hold_layout_receipt_and_running_number_in_file_order():
    log = FaultLog()
    log.add([fault(30), fault(12), fault(None, rule="F09", disposition="W", column=None)])
    found = numbered(log)
    assert [item.finding_id for item in found] == [
        "ACM-RES-0007-0001",
        "ACM-RES-0007-0002",
        "ACM-RES-0007-0003",
    ]
    assert [item.source_line for item in found] == [None, 12, 30]


def test_the_order_in_which_faults_come_in_does_not_matter():
    faults = [fault(line, column=column) for line in (5, 3, 9) for column in ("B", "A")]
    one, other = FaultLog(), FaultLog()
    one.add(faults)
    other.add(reversed(faults))
    assert numbered(one) == numbered(other)


def test_of_two_faults_of_one_line_the_stronger_comes_first():
    log = FaultLog()
    log.add([fault(5, disposition="W", column="A"), fault(5, disposition="R", column="B")])
    assert [item.disposition for item in log.faults()] == ["R", "W"]


def test_a_rule_broken_by_very_many_rows_is_listed_so_far_and_then_counted():
    log = FaultLog()
    log.add(fault(line) for line in range(1, MAX_PER_RULE + 41))
    log.add([fault(3, rule="F19")])
    found = log.faults()
    assert len(found) == MAX_PER_RULE + 2
    (rest,) = [item for item in found if item.source_line is None]
    assert rest.n_rows == 40
    assert sum(item.n_rows for item in found) == MAX_PER_RULE + 41


def test_rows_counted_elsewhere_are_added_to_the_rest():
    log = FaultLog()
    assert log.room("F33", "Q", "ORRES") == MAX_PER_RULE
    log.add([fault(1)])
    assert log.room("F33", "Q", "ORRES") == MAX_PER_RULE - 1
    log.add_more("F33", "Q", "ORRES", n_rows=12)
    assert [item.n_rows for item in log.faults()] == [12, 1]


def test_a_log_knows_which_dispositions_it_met():
    log = FaultLog()
    assert log.dispositions() == frozenset()
    log.add([fault(1), fault(2, disposition="W")])
    assert log.dispositions() == {"Q", "W"}


@pytest.mark.parametrize("line", [None, 12])
def test_a_finding_read_back_is_the_one_written(line):
    (found,) = number_findings([fault(line)], receipt=7, vendor="acme", layout="acme.results")
    assert Finding.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(
    ("layout", "short"), [("acme.results", "ACM-RES"), ("a.b", "A-B"), ("alone", "ALO")]
)
def test_short_names_of_layouts(layout, short):
    assert layout_short(layout) == short
