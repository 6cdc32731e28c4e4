"""Observed cases of the simulated trial: refusals, and the estimator's own large-sample limit."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from assayhouse.analysis.effects import estimate_effects

from support.effects_long import spec
from support.effects_reference import read_rows


@cache
def observed_trial():
    """The trial in long form, without its planted values."""
    rows = read_rows("sim/sim_trial_long.csv.gz")
    frame = pl.DataFrame(rows).select(
        "usubjid", "arm", "strat1", "strat2", "paramcd",
        avisitn=pl.col("week").cast(pl.Int64),
        aval=pl.col("aval").replace("", None).cast(pl.Float64),
        blq=pl.col("blq").replace_strict({"true": True, "false": False, "": None}),
        lloq=pl.col("lloq").replace("", None).cast(pl.Float64),
    )  # fmt: skip
    base = frame.filter(avisitn=0).select("usubjid", "paramcd", base="aval")
    return frame.filter(pl.col("avisitn") > 0).join(base, on=["usubjid", "paramcd"], how="left")


@cache
def effects(psi):
    """All effects with default options."""
    return estimate_effects(observed_trial(), spec("PBO", strata=("strat1", "strat2"), psi=psi))


@pytest.mark.parametrize("psi", ["huber", "bisquare"])
def test_the_blq_majority_parameter_is_refused_and_every_other_row_is_ok(psi):
    result = effects(psi)
    refused = result.filter(pl.col("status") != "ok")
    assert set(refused["paramcd"]) == {"IL_21"}
    assert set(refused["status"]) == {"blq_majority"}
    assert len(refused) == len(result.filter(paramcd="IL_21")) == 3 * 4 * 7
    assert refused["p"].is_null().all()


def test_without_the_blq_guard_tied_fits_of_the_bisquare_are_refused_by_their_scale():
    only = observed_trial().filter(paramcd="IL_21")
    chosen = spec("PBO", responses=("abs",), psi="bisquare", blq_limit=1)
    assert set(estimate_effects(only, chosen)["status"]) == {"scale_collapsed"}


@pytest.mark.parametrize("psi", ["huber", "bisquare"])
def test_log_differences_lie_around_the_estimators_limit(psi, capsys):
    column = "huber_diff" if psi == "huber" else "bisq_diff"
    truth = {
        (row["paramcd"], int(row["week"]), row["arm"]): float(row[column])
        for row in read_rows("sim/sim_truth.csv")
        if row["response"] == "log"
    }
    z = [
        (row["estimate"] - truth[key]) / row["se"]
        for row in effects(psi).filter(response="log", term="diff", status="ok").rows(named=True)
        if (key := (row["paramcd"], row["avisitn"], row["arm"])) in truth
    ]
    z = np.array(z)
    with capsys.disabled():
        print(
            f"\n{psi}: {len(z)} log differences, within 2 SE {np.mean(np.abs(z) <= 2):.3f}, "
            f"largest {np.abs(z).max():.2f} SE"
        )
    assert np.mean(np.abs(z) <= 2) >= 0.9
    assert np.abs(z).max() <= 4.5
