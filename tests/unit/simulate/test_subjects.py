"""Subjects: sizes, identity, strata, leaving and visit dates."""

import re

import numpy as np
import pytest

from assayhouse.simulate.calibration import ARMS, SUBJECTS_PER_ARM, TARGET_DAYS, WINDOW_DAYS
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.subjects import (
    FIRST_SITE,
    SCREEN_FAILURES,
    SITE_COUNT,
    draw_subjects,
    first_doses,
    require_arms,
    visit_dates,
)


@pytest.fixture(scope="module")
def subjects():
    return draw_subjects(20190304, SUBJECTS_PER_ARM)


def test_every_arm_has_its_size(subjects):
    counts = {arm: int((subjects.arm == place).sum()) for place, arm in enumerate(ARMS)}
    assert counts == SUBJECTS_PER_ARM


def test_identifiers_are_unique_and_well_formed(subjects):
    everybody = [*subjects.subjid, *subjects.screen_failures]
    assert len(everybody) == len(set(everybody)) == 288 + SCREEN_FAILURES
    assert all(re.fullmatch(r"\d{3}-\d{4}", subjid) for subjid in everybody)
    sites = {int(subjid[:3]) for subjid in everybody}
    assert sites <= set(range(FIRST_SITE, FIRST_SITE + SITE_COUNT))
    assert len(sites) >= 38


def test_usubjid_is_study_and_subject(subjects):
    assert subjects.usubjid[0] == f"DEMO-SLE-01-{subjects.subjid[0]}"


def test_numbers_within_a_site_have_no_gap(subjects):
    everybody = [*subjects.subjid, *subjects.screen_failures]
    for site in {subjid[:3] for subjid in everybody}:
        numbers = sorted(int(subjid[4:]) for subjid in everybody if subjid[:3] == site)
        assert numbers == list(range(1, len(numbers) + 1))


def test_what_a_subject_is_like_does_not_depend_on_other_subjects():
    small = draw_subjects(3, {"PBO": 10, "IB045": 5})
    large = draw_subjects(3, {"PBO": 25, "IB015": 9, "IB045": 7})
    for place in (0, 3):
        mine, theirs = small.arm == place, large.arm == place
        size = int(mine.sum())
        assert np.array_equal(small.strata[mine], large.strata[theirs][:size])
        kept = large.visits_attended[theirs][:size]
        assert np.array_equal(small.visits_attended[mine], kept)


def test_leaving_is_between_15_and_20_percent_and_blind_to_the_arm():
    many = draw_subjects(1, dict.fromkeys(ARMS, 10_000))
    left = many.visits_attended < 4
    assert 0.15 < left.mean() < 0.20
    shares = [left[many.arm == place].mean() for place in range(len(ARMS))]
    assert max(shares) - min(shares) < 0.02
    severe = many.strata[:, 1]
    assert left[severe].mean() > left[~severe].mean() + 0.03


def test_strata_have_their_shares_in_every_arm():
    many = draw_subjects(2, dict.fromkeys(ARMS, 10_000))
    for place in range(len(ARMS)):
        shares = many.strata[many.arm == place].mean(axis=0)
        assert shares == pytest.approx([0.45, 0.55], abs=0.02)


def test_strata_text_is_y_or_n(subjects):
    text = subjects.strata_text(0)
    assert set(text) == {"Y", "N"}
    assert [level == "Y" for level in text] == subjects.strata[:, 0].tolist()


def test_every_visit_lies_inside_its_window_on_a_working_day(subjects):
    days = visit_dates(20190304, subjects)
    first = first_doses(subjects)[:, None]
    off_target = (days - first).astype(int) + 1 - np.array(TARGET_DAYS)
    assert (np.abs(off_target) <= np.array(WINDOW_DAYS)).all()
    assert np.is_busday(days).all()
    assert np.abs(off_target[:, 1:]).max() > 1


def test_baseline_is_the_day_of_the_first_dose(subjects):
    assert np.array_equal(visit_dates(1, subjects)[:, 0], first_doses(subjects))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"PBO": 10, "IB090": 3}, "IB090"),
        ({"PBO": 0}, "between 1"),
        ({}, "between 1"),
        ({"PBO": 10, "IB015": -1}, "negative"),
        ({"PBO": 1_000_000}, "between 1"),
    ],
)
def test_impossible_arms_are_refused_with_a_reason(wanted, words):
    with pytest.raises(SimulationError, match=words):
        require_arms(wanted)


def test_an_arm_without_subjects_is_left_out():
    assert require_arms({"IB045": 3, "PBO": 2, "IB015": 0}) == (("PBO", 2), ("IB045", 3))
