"""Sites: what changes between transfers stays far from a mass correction."""

import pytest

from assayhouse.simulate.clinic import site_rows


@pytest.mark.parametrize("transfer", [2, 3, 4])
def test_few_sites_change_between_transfers(transfer):
    before, after = site_rows(transfer - 1), site_rows(transfer)
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    assert 1 <= changed <= 0.05 * len(after)


def test_sites_open_before_they_close():
    assert all(row[4] < row[5] for row in site_rows(4) if row[5])


def test_a_closed_site_stays_closed():
    closed = [{row[1] for row in site_rows(number) if row[5]} for number in (1, 2, 3, 4)]
    assert closed[0] < closed[1] < closed[2] < closed[3]
