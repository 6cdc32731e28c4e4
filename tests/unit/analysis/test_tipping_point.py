"""The delta at which a finding goes: the same imputations, shifted."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from assayhouse.analysis.effects import EffectSpec, ImputeSpec, estimate_effects
from assayhouse.analysis.tipping_point import TIPPING_SCHEMA, tipping_point
from assayhouse.errors import ModelDataError

from support.effects_long import change, trial

SPEC = EffectSpec("control", responses=("log",), visits=(8,), impute=ImputeSpec(m=8))


def effective(*, share=0.3):
    """One arm lowered by half, a third of its last visit missing."""
    frame = trial(per_arm=40).with_columns(
        aval=pl.when(pl.col("arm") == "double").then(pl.col("aval") / 2).otherwise(pl.col("aval"))
    )
    hidden = pl.Series(np.random.default_rng(5).random(len(frame)) < share)
    return change(frame, hidden & (pl.col("avisitn") == 8), aval=None)


def row_of(result, arm="double"):
    return result.filter(arm=arm).row(0, named=True)


@pytest.mark.parametrize("scale", ["log", "raw"])
def test_p_passes_alpha_between_the_point_and_a_step_before_it(scale):
    frame = effective()
    spec = replace(SPEC, responses=("abs",), impute=ImputeSpec(m=8, scale=scale))
    grid = np.linspace(0, 3, 4) if scale == "log" else np.linspace(0, 30, 7)
    result = tipping_point(frame, spec, grid=grid, tolerance=1e-2)
    assert result.schema == pl.Schema(TIPPING_SCHEMA)
    found = row_of(result)
    assert found["status"] == "ok"
    p = {}
    for delta in (found["delta"], found["delta"] - 1e-2):
        impute = replace(spec.impute, delta=delta)
        rows = estimate_effects(frame, replace(spec, impute=impute))
        p[delta] = rows.filter(term="diff", arm="double")["p"][0]
    assert p[found["delta"]] == pytest.approx(found["p"], rel=1e-9)
    assert p[found["delta"]] > 0.05 >= p[found["delta"] - 1e-2]


def test_a_finding_that_is_none_tips_at_the_first_delta():
    frame = effective()
    p = estimate_effects(frame, SPEC).filter(term="diff", arm="active")["p"][0]
    assert p > 0.05
    found = row_of(tipping_point(frame, SPEC, grid=(0, 1)), arm="active")
    assert (found["status"], found["delta"]) == ("ok", 0.0)
    assert found["p"] == pytest.approx(p, rel=1e-9)
    assert "first delta" in found["reasons"]


def test_a_grid_that_is_too_short_says_so():
    found = row_of(tipping_point(effective(), SPEC, grid=(0, 0.01)))
    assert (found["status"], found["delta"], found["p"]) == ("not_reached", None, None)


def test_a_refused_comparison_keeps_its_status():
    frame = change(effective(), pl.col("arm") == "control", blq=True)
    result = tipping_point(frame, SPEC, grid=(0, 1))
    assert set(result["status"]) == {"blq_majority"}
    assert result["delta"].is_null().all()


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        (SPEC, {"grid": (1,)}, "two or more"),
        (SPEC, {"grid": (0, 2, 1)}, "ascending"),
        (SPEC, {"grid": (0, np.nan)}, "ascending"),
        (SPEC, {"grid": (0, 1), "alpha": 5}, "alpha"),
        (SPEC, {"grid": (0, 1), "tolerance": 0}, "tolerance"),
        (replace(SPEC, impute=ImputeSpec(m=8, delta=1)), {"grid": (0, 1)}, "delta of its own"),
        (
            replace(SPEC, population="observed_at_visit", impute=ImputeSpec(method="none")),
            {"grid": (0, 1)},
            "needs imputation",
        ),
    ],
)
def test_what_has_no_tipping_point_is_an_error(spec, options, message):
    with pytest.raises(ModelDataError, match=message):
        tipping_point(effective(), spec, **options)
