"""Exposure, its summary, dose proportionality, and the response."""

import math

import numpy as np
import polars as pl
import pytest

from assayhouse.pk import (
    EventTable,
    ModelSpec,
    PKError,
    dose_proportionality,
    dosing_from_events,
    exposure,
    exposure_response,
    exposure_summary,
    join_response,
    predict,
)
from assayhouse.pk.steady import steady_state
from assayhouse.pk.structures import STRUCTURES


def test_exposure_is_dose_over_clearance(trial, fitted):
    dosing = dosing_from_events(trial[0])
    table = exposure(fitted, dosing, placebo=["p1", "p2"])
    row, ebe = table.row(0, named=True), fitted.ebe.row(0, named=True)
    assert row["AUCSS"] == pytest.approx(1000 * row["DOSE"] / ebe["CL"])
    assert row["CAVG"] == pytest.approx(row["AUCSS"] / 24)
    assert row["CTROUGH"] < row["CAVG"] < row["CMAXSS"]
    assert table["ID"].to_list() == [*dosing["ID"].to_list(), "p1", "p2"]
    last = table.row(-1, named=True)
    assert (last["DOSE"], last["AUCSS"], last["CL_F"], last["TMAXSS"]) == (0.0, 0.0, None, None)
    assert last["BLQ_ONLY"] is False


def test_who_has_no_quantifiable_sample_is_marked(trial, fitted):
    table = exposure(fitted, dosing_from_events(trial[0]))
    samples = fitted.predictions.group_by("ID").agg((pl.col("BLQ") == 1).all().alias("all"))
    expected = table.join(samples, on="ID", maintain_order="left")["all"]
    assert table["BLQ_ONLY"].to_list() == expected.to_list()


@pytest.mark.parametrize(
    "dosing",
    [
        {"ID": ["nobody"], "DOSE": [1.0], "TAU": [24.0]},
        {"ID": ["1"], "DOSE": [-1.0], "TAU": [24.0]},
        {"ID": ["1"], "DOSE": [1.0], "TAU": [0.0]},
        {"ID": ["1"], "DOSE": [None], "TAU": [24.0]},
        {"ID": ["1"], "DOSE": [1.0]},
    ],
)
def test_a_dose_that_cannot_be_is_refused(fitted, dosing):
    with pytest.raises(PKError):
        exposure(fitted, pl.DataFrame(dosing, strict=False))


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_peak_and_trough_are_those_of_the_predicted_profile(structure):
    values = {"CL": 4.0, "V": 50.0, "V1": 50.0, "Q": 6.0, "V2": 80.0, "KA": 0.9, "TLAG": 1.7}
    names = STRUCTURES[structure]
    column = np.array([[values[name]] for name in names])
    found = steady_state(structure, column, np.array([10.0]), np.array([12.0]), 1000.0)
    times = [*np.linspace(0.0, 12.0, 4001)[:-1], 12.0 - 1e-6]
    rows = [{"TIME": 0.0, "EVID": 1, "AMT": 10.0, "SS": 1, "II": 12.0, "ADDL": 3}]
    rows += [{"TIME": t, "EVID": 0, "AMT": 0.0, "DV": 1.0} for t in times]
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(ID=pl.lit("a"))
    events = EventTable.from_frame(frame, amt_unit="mg", dv_unit="ng/mL")
    profile = predict(
        ModelSpec(structure, (), "additive"), {name: values[name] for name in names}, events
    )["PRED"].to_numpy()
    assert found.cmax[0] == pytest.approx(profile.max(), rel=1e-5)
    assert found.tmax[0] == pytest.approx(times[int(profile.argmax())], abs=5e-3)
    assert found.ctrough[0] == pytest.approx(profile[-1], rel=1e-6)


def test_a_summary_is_a_box_plot_in_numbers():
    values = [1.0, 2.0, 3.0, 4.0, 20.0]
    frame = pl.DataFrame({"DOSE": [1.0] * 5 + [0.0], "AUCSS": [*values, 0.0]})
    zero, row = exposure_summary(frame).rows(named=True)
    assert (row["N"], row["MEDIAN"], row["Q1"], row["Q3"]) == (5, 3.0, 2.0, 4.0)
    assert (row["WHISKER_LOW"], row["WHISKER_HIGH"], row["N_OUTLIERS"]) == (1.0, 4.0, 1)
    assert row["GEOMEAN"] == pytest.approx(480 ** (1 / 5))
    spread = np.std(np.log(values), ddof=1)
    assert row["GEOCV_PCT"] == pytest.approx(100 * math.sqrt(math.exp(spread**2) - 1))
    assert (zero["N"], zero["GEOMEAN"], zero["GEOCV_PCT"]) == (1, None, None)


def power_table(slope, noise=0.02):
    rng = np.random.default_rng(1)
    dose = np.repeat([1.0, 2.0, 3.0], 20)
    auc = 5 * dose**slope * np.exp(noise * rng.standard_normal(60))
    return pl.DataFrame({"DOSE": [*dose, 0.0], "AUCSS": [*auc, 0.0]})


@pytest.mark.parametrize(
    ("slope", "noise", "conclusion"),
    [
        (1.0, 0.02, "proportional"),
        (0.5, 0.02, "not_proportional"),
        (0.8, 0.02, "inconclusive"),
        (1.0, 2.0, "inconclusive"),
    ],
)
def test_proportionality_is_judged_by_the_interval(slope, noise, conclusion):
    found = dose_proportionality(power_table(slope, noise))
    assert found.conclusion == conclusion
    assert found.n == 60
    assert found.region == pytest.approx((0.79689, 1.20311), abs=1e-5)
    assert found.ratio == pytest.approx(3**found.slope)


def test_one_dose_has_no_slope():
    with pytest.raises(PKError, match="two doses"):
        dose_proportionality(power_table(1.0).filter(pl.col("DOSE") == 1.0))


def joined(n=40):
    rng = np.random.default_rng(2)
    auc = np.concatenate([np.zeros(10), rng.uniform(2, 40, n - 10)])
    y = -60 * auc / (8 + auc) + 0.5 * rng.standard_normal(n)
    base = pl.DataFrame({"ID": [str(i) for i in range(n)], "AUCSS": auc})
    response = pl.DataFrame({"ID": list(range(n)), "PARAMCD": "X", "AVISITN": 24, "PCHG": y})
    return base, response


def test_responses_join_by_subject():
    base, response = joined()
    assert join_response(base, response).height == 40
    assert join_response(base, response.head(3), how="left").height == 40
    with pytest.raises(PKError, match="repeat"):
        join_response(pl.concat([base, base]), response)


def test_models_of_the_response():
    table = join_response(*joined())
    emax = exposure_response(table, model="emax").row(0, named=True)
    assert emax["STATUS"] == "ok"
    assert emax["ESTIMATE"] == pytest.approx(-60, abs=1.5)
    assert emax["EC50"] == pytest.approx(8, abs=1)
    rank = exposure_response(table).row(0, named=True)
    assert rank["ESTIMATE"] < -0.9
    assert rank["LOW"] < rank["ESTIMATE"] < rank["HIGH"] < 0
    assert exposure_response(table, model="linear").row(0, named=True)["N"] == 40
    assert exposure_response(table, model="loglinear").row(0, named=True)["N"] == 30
    few = exposure_response(table.head(3)).row(0, named=True)
    assert (few["STATUS"], few["ESTIMATE"]) == ("too_few", None)
    with pytest.raises(PKError, match="model"):
        exposure_response(table, model="cubic")


def test_a_slope_is_that_of_least_squares():
    from scipy.stats import linregress

    table = join_response(*joined())
    theirs = linregress(table["AUCSS"].to_numpy(), table["PCHG"].to_numpy())
    ours = exposure_response(table, model="linear").row(0, named=True)
    assert (ours["ESTIMATE"], ours["SE"], ours["P_VALUE"]) == pytest.approx(
        (theirs.slope, theirs.stderr, theirs.pvalue)
    )
