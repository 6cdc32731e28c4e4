"""Earlier studies with rich samples: the model of the trial, dose by dose, and its truth beside."""

import numpy as np
import polars as pl
import pytest

from assayhouse.simulate import simulate_study
from assayhouse.simulate.exposure import CLEARANCE, DOSE_EXPONENT, steady_state_concentration
from assayhouse.simulate.pooled import (
    DAYS,
    TIMES_H,
    draw_pooled,
    planted_kinetics,
    pooled_rows,
    pooled_subject_table,
    repeated_dose_concentration,
)
from assayhouse.simulate.vendor_layouts import POOL

from support.simulated import records

SEED = 20190304


@pytest.fixture(scope="module")
def rows():
    return pl.DataFrame(pooled_rows(SEED), schema=POOL.columns, orient="row")


def test_every_subject_has_one_dose_record_and_its_samples_in_the_order_of_time(rows):
    for (subject,), own in rows.group_by("USUBJID"):
        assert own["EVID"].to_list() == ["1", *["0"] * len(TIMES_H)], subject
        assert own["ADDL"][0] == str(DAYS - 1)
        assert own["TIME"].cast(pl.Float64).is_sorted()
        assert own["SEQ"].cast(pl.Int64).to_list() == list(range(1, len(TIMES_H) + 2))


def test_a_sample_below_the_limit_has_no_value_and_a_dose_has_none(rows):
    samples = rows.filter(pl.col("EVID") == "0")
    low = samples["BLQ"] == "1"
    assert (samples.filter(low)["DV"] == "").all()
    assert (samples.filter(~low)["DV"].cast(pl.Float64) >= 0.05).all()
    assert 0 < low.sum() < 0.05 * samples.height
    assert (rows.filter(pl.col("EVID") == "1")["DV"] == "").all()


def test_after_many_doses_the_trough_is_that_of_the_steady_state():
    one = np.array([0.3]), np.array([20.0]), np.array([110.0]), np.array([1.1])
    names = ("dose_mg", "clearance", "central", "absorption")
    given = dict(zip(names, one, strict=True))
    last = repeated_dose_concentration(**given)[0, TIMES_H.index(336.0)]
    assert last == pytest.approx(
        steady_state_concentration(**given, hours=np.array([24.0]))[0], 1e-4
    )


def test_the_first_dose_alone_gives_the_first_day():
    given = {
        "dose_mg": np.array([1.0]),
        "clearance": np.array([20.0]),
        "central": np.array([110.0]),
        "absorption": np.array([1.1]),
    }
    day = repeated_dose_concentration(**given)[0, : TIMES_H.index(23.9) + 1]
    assert day.argmax() in (3, 4, 5), "about two to three hours after the dose"
    assert (day > 0).all()


def test_clearance_has_the_planted_level_and_dose_effect():
    table = pooled_subject_table(SEED)
    size = (table["weight_kg"] / 70.0).to_numpy() ** 0.25
    relative = table["clearance_l_per_h"].to_numpy() / size
    relative /= (table["dose_mg"].to_numpy() / 0.3) ** DOSE_EXPONENT
    mean = np.exp(np.log(relative).mean())
    # 60 subjects with a CV of 30 %: three standard errors of the mean are 12 %.
    assert mean == pytest.approx(CLEARANCE, rel=0.12)
    auc = 1000.0 * table["dose_mg"] / table["clearance_l_per_h"]
    assert np.allclose(auc, table["auc_ss"])


def test_the_truth_names_every_parameter_and_the_slope_that_follows():
    truth = dict(planted_kinetics().iter_rows())
    assert truth["dose slope of AUCss"] == pytest.approx(1.0 - truth["CL~DOSE"])
    assert truth["omega2(CL)"] == pytest.approx(np.log(1.09))


def test_it_is_sent_once_with_the_first_transfer_and_says_nothing_of_the_trial_s_subjects():
    study = simulate_study(seed=SEED, faults=False, layouts=["pk_pool.events", "edc.dm"])
    held = [any("pk_pool/" in path for path in each.files) for each in study.transfers]
    assert held == [True, False, False, False]
    pooled = {row["USUBJID"] for row in records(study.transfers[0], "pk_pool.events")}
    trial = {row["USUBJID"] for row in records(study.transfers[0], "edc.dm")}
    assert len(pooled) == len(draw_pooled(SEED).usubjid)
    assert not pooled & trial
