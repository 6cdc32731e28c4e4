"""Levels and the long form: calibrated, rounded, flagged, and independent where promised."""

import numpy as np
import polars as pl
import pytest

from assayhouse.simulate.calibration import (
    ARMS,
    CALIBRATIONS,
    SUBJECTS_PER_ARM,
    VISIT_NUMBERS,
    mean_of_exponential,
)
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.levels import draw_levels, round_reported, specimens_present
from assayhouse.simulate.subjects import draw_subjects
from assayhouse.simulate.truth import draw_trial, parameters, planted_means

COLUMNS = [
    "usubjid",
    "arm",
    "paramcd",
    "avisitn",
    "aval",
    "base",
    "blq",
    "lloq",
    "strata1",
    "strata2",
]
CYTOKINES = [calibration.assay.paramcd for calibration in CALIBRATIONS]
LARGE = dict.fromkeys(ARMS, 6_000)


@pytest.fixture(scope="module")
def many():
    return draw_subjects(11, LARGE)


@pytest.fixture(scope="module")
def trial():
    return draw_trial(
        seed=20190304, subjects_per_arm=SUBJECTS_PER_ARM, missing=True, wanted=CYTOKINES
    )


@pytest.fixture(scope="module")
def complete():
    return draw_trial(seed=11, subjects_per_arm=LARGE, missing=False, wanted=CYTOKINES)


@pytest.mark.parametrize("calibration", CALIBRATIONS, ids=lambda each: each.assay.paramcd)
def test_large_sample_means_are_the_planted_ones(many, calibration):
    levels = draw_levels(11, many, calibration)
    for place in range(len(ARMS)):
        values = levels.true[many.arm == place]
        error = values.std(axis=0) / np.sqrt(len(values))
        z = (values.mean(axis=0) - calibration.means[place]) / error
        assert np.abs(z).max() < 4.5


@pytest.mark.parametrize("calibration", CALIBRATIONS, ids=lambda each: each.assay.paramcd)
def test_large_sample_medians_and_spread_are_the_planted_ones(many, calibration):
    levels = draw_levels(11, many, calibration)
    spread = np.log(levels.true[many.arm == 0]).std(axis=0)
    stated = planted_means().filter(paramcd=calibration.assay.paramcd, arm="PBO")
    # The table's spread leaves out what the strata add: a little.
    assert spread == pytest.approx(stated["log_sd"].to_numpy(), rel=0.05)
    medians = np.median(levels.true[many.arm == 0], axis=0)
    scale = [mean_of_exponential(float(each)) for each in calibration.log_sd[0]]
    assert medians == pytest.approx(calibration.means[0] / scale, rel=0.06)


def test_visits_of_a_subject_and_analytes_of_a_subject_are_correlated(many):
    il2, il10 = (draw_levels(11, many, CALIBRATIONS[place]) for place in (0, 1))
    placebo = many.arm == 0
    first = np.log(il2.true[placebo])
    within = np.corrcoef(first.T)[np.triu_indices(4, 1)]
    assert within == pytest.approx(np.full(6, 0.35), abs=0.05)
    between = np.corrcoef(first[:, 1], np.log(il10.true[placebo])[:, 1])[0, 1]
    assert 0.03 < between < 0.15


def test_arms_do_not_differ_at_baseline(many):
    for calibration in CALIBRATIONS:
        base = np.log(draw_levels(11, many, calibration).true[:, 0])
        means = [base[many.arm == place].mean() for place in range(len(ARMS))]
        assert max(means) - min(means) < 5 * base.std() / np.sqrt(6_000)


def test_strata_shift_levels_a_little(many):
    blys = draw_levels(11, many, CALIBRATIONS[-1])
    level, steroid = np.log(blys.true[:, 0]), many.strata[:, 0]
    assert level[steroid].mean() - level[~steroid].mean() == pytest.approx(-0.1, abs=0.05)


def test_an_analyte_does_not_depend_on_the_others():
    whole = draw_trial(seed=4, subjects_per_arm={"PBO": 20, "IB045": 20}, missing=True)
    for paramcd in parameters():
        alone = draw_trial(
            seed=4, subjects_per_arm={"PBO": 20, "IB045": 20}, missing=True, wanted=[paramcd]
        )
        assert whole.filter(paramcd=paramcd).equals(alone)


def test_reported_numbers_have_four_significant_digits():
    given = np.array([0.123449, 1.00049, 12.3456, 12345.6, 99999.0, 0.05])
    assert round_reported(given).tolist() == [0.1234, 1.0, 12.35, 12350.0, 100000.0, 0.05]


def test_the_long_form_has_exactly_the_promised_columns_and_grain(trial):
    assert trial.columns == COLUMNS
    assert trial.schema["blq"] == pl.Boolean
    assert set(trial["avisitn"]) == {4, 12, 24}
    assert not trial.select("usubjid", "paramcd", "avisitn").is_duplicated().any()
    assert trial.equals(trial.sort("usubjid", "paramcd", "avisitn"))
    assert trial["base"].null_count() == 0


def test_below_the_limit_half_the_limit_is_analysed(trial):
    low = trial.filter("blq")
    assert (low["aval"] == low["lloq"] / 2).all()
    quantified = trial.filter(~pl.col("blq")).drop_nulls("aval")
    assert (quantified["aval"] >= quantified["lloq"]).all()


def test_il17a_and_il21_have_many_results_below_the_limit_but_not_most(trial):
    share = trial.drop_nulls("aval").group_by("paramcd", "avisitn").agg(pl.col("blq").mean())
    il21 = share.filter(paramcd="IL21")["blq"]
    assert il21.min() > 0.05
    assert 0.2 < il21.max() < 0.5
    assert share.filter(paramcd="IL17A")["blq"].max() > 0.02
    assert share.filter(pl.col("paramcd").is_in(["IL2", "IL10", "BLYS"]))["blq"].max() < 0.03


def test_missing_values_grow_with_time_and_are_absent_without_missing(trial, complete):
    nulls = trial.group_by("avisitn").agg(pl.col("aval").null_count()).sort("avisitn")["aval"]
    assert nulls.to_list() == sorted(nulls)
    assert nulls[2] > 6 * 30
    assert complete["aval"].null_count() == 0
    assert complete.height == 24_000 * 6 * 3


def test_complete_and_incomplete_trials_hold_the_same_values():
    arms = {"PBO": 40, "IB030": 40}
    full = draw_trial(seed=8, subjects_per_arm=arms, missing=False)
    holed = draw_trial(seed=8, subjects_per_arm=arms, missing=True).drop_nulls("aval")
    joined = holed.join(full, on=["usubjid", "paramcd", "avisitn"], suffix="_full")
    assert joined.height == holed.height
    assert (joined["aval"] == joined["aval_full"]).all()


def test_another_seed_is_another_trial():
    first, second = (
        draw_trial(seed=seed, subjects_per_arm={"PBO": 5}, missing=False) for seed in (1, 2)
    )
    assert not first["aval"].equals(second["aval"])


def test_lost_specimens_are_few_and_nobody_has_one_after_leaving(many):
    present = specimens_present(11, many)
    attended = np.arange(4) < many.visits_attended[:, None]
    assert not (present & ~attended).any()
    assert 0.01 < 1 - present[attended].mean() < 0.02


def test_planted_means_name_every_cell_once():
    table = planted_means()
    assert table.height == 27 * len(ARMS) * len(VISIT_NUMBERS)
    assert not table.select("paramcd", "arm", "avisitn").is_duplicated().any()


def test_an_unknown_arm_is_refused():
    with pytest.raises(SimulationError, match="IB999"):
        draw_trial(seed=1, subjects_per_arm={"IB999": 10}, missing=False)
