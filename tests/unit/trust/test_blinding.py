"""Dummy arms: planned ratio, balance within strata, nothing but the seed decides."""

import polars as pl
import pytest

from assayhouse.contracts.study import Arm
from assayhouse.trust.blinding import dummy_assignment

ARMS = [
    Arm(ARMCD="P", ARM="Placebo", dose_mg=0, is_reference=True, ratio=2),
    Arm(ARMCD="A", ARM="Low", dose_mg=1, is_reference=False, ratio=1),
    Arm(ARMCD="B", ARM="High", dose_mg=2, is_reference=False, ratio=2),
]


def subjects(n=100):
    return pl.DataFrame(
        {
            "USUBJID": [f"S-{number:03d}" for number in range(n)],
            "STRATA1": ["Y" if number % 4 == 0 else "N" for number in range(n)],
        }
    )


def test_the_planned_ratio_holds():
    counts = dummy_assignment(subjects(), ARMS, seed=7)["ARMCD"].value_counts().sort("ARMCD")
    assert counts.rows() == [("A", 20), ("B", 40), ("P", 40)]


def test_arms_are_dealt_within_strata():
    found = dummy_assignment(subjects(), ARMS, seed=7).join(subjects(), on="USUBJID")
    shares = found.group_by("STRATA1").agg((pl.col("ARMCD") == "P").mean().alias("share"))
    assert shares["share"].to_list() == pytest.approx([0.4, 0.4], abs=0.02)


def test_order_of_rows_changes_nothing_and_the_seed_everything():
    one = dummy_assignment(subjects(), ARMS, seed=7)
    assert dummy_assignment(subjects().reverse(), ARMS, seed=7).equals(one)
    assert not dummy_assignment(subjects(), ARMS, seed=8).equals(one)


def test_nobody_treated_gives_nobody_an_arm():
    assert dummy_assignment(subjects(0), ARMS, seed=7).is_empty()
