"""Exposure of the simulated trial against a prototype, and the likelihood against saemix."""

import polars as pl
import pytest

from assayhouse.pk import (
    FitOptions,
    dose_proportionality,
    dosing_from_events,
    exposure,
    exposure_summary,
    fit,
    importance_sampling,
)

from support.pk_cases import load_case
from support.shared import shared


@pytest.mark.parametrize("name", ["sim_sle_base", "sim_sle_lloq012_M3_quantifiable"])
def test_exposure_by_dose_and_its_slope_are_met(name):
    case, spec, events = load_case(name)
    result = fit(spec, events, FitOptions(starts=1))
    truth = pl.read_csv(shared("reference", "pk", "sim_sle_seed1_truth.csv"))
    ill = truth.filter(pl.col("SLE") == 1)["ID"].cast(pl.String).to_list()
    table = exposure(result, dosing_from_events(events)).filter(pl.col("ID").is_in(ill))
    expected = case["aucss"]
    assert table.height == expected["n_sparse"]
    summary = exposure_summary(table)
    assert summary["MEDIAN"].to_list() == pytest.approx(expected["median_aucss"], rel=5e-3)
    assert summary["GEOMEAN"].to_list() == pytest.approx(expected["geomean_aucss"], rel=5e-3)
    slope = dose_proportionality(table)
    assert slope.slope == pytest.approx(expected["slope"]["slope"], abs=1e-3)
    assert slope.slope_se == pytest.approx(expected["slope"]["se"], abs=1e-4)
    assert slope.slope_ci == pytest.approx(expected["slope"]["ci90"], abs=1e-3)


def test_importance_sampling_agrees_with_saemix():
    _, spec, events = load_case("theophylline_additive")
    result = fit(spec, events, FitOptions(starts=1))
    assert importance_sampling(result, events) == pytest.approx(360.7, abs=0.2)
