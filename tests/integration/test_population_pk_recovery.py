"""Intervals of the population model hold what was planted as often as they say.

One study tells little: of nine parameters one lies outside in one study of three. So the
demonstration's study is drawn anew with other seeds, and the misses are counted.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from assayhouse.pk import FitOptions, dose_proportionality, dosing_from_events, exposure, fit
from assayhouse.simulate.pooled import planted_kinetics

from support.pk_studies import planted_model, study_events

pytestmark = pytest.mark.slow
SEEDS = range(1, 25)
ESTIMATED = ("CL", "V1", "Q", "V2", "KA", "TLAG", "CL~WT", "V1~WT", "CL~DOSE")
Z95, T90 = 1.96, 1.66
MOST_OF_24, MOST_OF_216 = 5, 22
"""Misses that a true 95 % interval exceeds once in a thousand times."""
MOST_OF_24_AT_90 = 8


@dataclass(frozen=True, slots=True)
class Study:
    """What one study gave."""

    distances: dict[str, float]
    absorption: float
    slope_held: bool
    doses_held: dict[float, bool]


def recovered(seed):
    events, truth = study_events(seed)
    result = fit(planted_model(), events, FitOptions(starts=1)).require_ok()
    planted = dict(planted_kinetics().iter_rows())
    drawn = float(np.exp(truth["KA_TRUE"].drop_nulls().log().mean()))
    trial = truth.filter(
        pl.col("KA_TRUE").is_null(), pl.col("ID").is_in(result.ebe["ID"].to_list())
    )
    dosing = dosing_from_events(events).filter(pl.col("ID").is_in(trial["ID"].to_list()))
    exposures = exposure(result, dosing).join(trial, on="ID")
    slope = dose_proportionality(exposures.select("DOSE", "AUCSS"))
    held = {}
    for (dose,), own in exposures.group_by("DOSE"):
        found, true = own["AUCSS"].log(), own["AUCSS_TRUE"].log()
        held[dose] = abs(found.mean() - true.mean()) < T90 * found.std() / len(found) ** 0.5
    return Study(
        {n: (result.params[n] - planted[n]) / result.se[n] for n in ESTIMATED},
        (result.params["KA"] - drawn) / result.se["KA"],
        slope.slope_ci[0] < planted["dose slope of AUCss"] < slope.slope_ci[1],
        held,
    )


@pytest.fixture(scope="module")
def studies():
    return [recovered(seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def distances(studies):
    """From what was planted, in standard errors: a row per study."""
    return pl.DataFrame([study.distances for study in studies])


@pytest.mark.parametrize("name", ESTIMATED)
def test_a_parameter_s_interval_misses_what_was_planted_no_more_than_one_in_twenty(distances, name):
    own = distances[name]
    print(
        f"{name}: {(own.abs() <= Z95).sum()} of {len(own)} intervals hold the planted value; "
        f"distance in SE: mean {own.mean():.2f}, SD {own.std():.2f}, largest {own.abs().max():.2f}"
    )
    assert (own.abs() > Z95).sum() <= MOST_OF_24
    assert abs(own.mean()) < 0.9, "the objective's own bias is a fraction of a standard error"
    assert 0.6 < own.std() < 1.5, "the standard error is the error"


def test_all_intervals_together_hold_about_95_in_100(distances):
    misses = sum((distances[name].abs() > Z95).sum() for name in ESTIMATED)
    print(f"{distances.height * len(ESTIMATED) - misses} of {distances.height * len(ESTIMATED)}")
    assert misses <= MOST_OF_216


def test_absorption_is_that_of_the_subjects_drawn(studies):
    """Only the earlier studies' sixty subjects tell it; they are a sample of what was planted."""
    assert max(abs(study.absorption) for study in studies) < Z95


def test_exposure_by_dose_and_its_slope_are_recovered(studies):
    assert sum(not study.slope_held for study in studies) <= MOST_OF_24_AT_90
    for dose in studies[0].doses_held:
        assert all(study.doses_held[dose] for study in studies), dose
