"""Effects of single completed data sets against R (MASS::rlm 7.3-58, acc 1e-12).

Each imputed set of the reference is a complete data set: it enters as a parameter of its own.
"""

from functools import cache

import numpy as np
import polars as pl
import pytest

from assayhouse.analysis.effects import ImputeSpec, estimate_effects, preset

from support.effects_reference import read_rows


def spec(**changes):
    """R's constants and covariance, on complete data."""
    return preset(
        "mass",
        "PBO",
        population="observed_at_visit",
        impute=ImputeSpec(method="none"),
        strata=("strat1", "strat2"),
        tolerance=1e-12,
        **changes,
    )


@cache
def completed_sets():
    """Every completed set as a parameter of its own, in long form."""
    frame = pl.DataFrame(read_rows("fixed_mi/completed_m20.csv.gz"))
    frame = frame.with_columns(
        paramcd=pl.format("{} imputation {}", "paramcd", pl.col("imp").str.zfill(2)),
        base=pl.col("y0").cast(pl.Float64),
        blq=pl.lit(value=False),
        lloq=pl.lit(None, dtype=pl.Float64),
    )
    parts = [
        frame.with_columns(avisitn=pl.lit(week), aval=pl.col(f"y{week}").cast(pl.Float64)).drop(
            "y0", "y4", "y12", "y24"
        )
        for week in (4, 12, 24)
    ]
    return pl.concat(parts)


def by_key(result):
    """Our rows under the reference's keys."""
    ours = {}
    for row in result.iter_rows(named=True):
        assert row["status"] == "ok", row
        paramcd, _, imputation = row["paramcd"].partition(" imputation ")
        arm = row["arm"]
        term = f"lsmean_{arm}" if row["term"] == "lsmean" else f"diff_{arm}_vs_PBO"
        ours[paramcd, row["avisitn"], row["response"], int(imputation), term] = row
    return ours


@pytest.mark.parametrize("psi", ["huber", "bisquare"])
def test_contrasts_of_every_completed_set_equal_r(psi, capsys):
    ours = by_key(estimate_effects(completed_sets(), spec(psi=psi)))
    estimate = variance = 0.0
    reference = [r for r in read_rows("fixed_mi/per_imputation_R.csv.gz") if r["psi"] == psi]
    for row in reference:
        key = (
            row["paramcd"], int(row["week"]), row["response"], int(row["imp"]), row["term"],
        )  # fmt: skip
        mine = ours[key]
        expected = float(row["variance"])
        gap = abs(mine["estimate"] - float(row["estimate"])) / np.sqrt(expected)
        estimate = max(estimate, gap)
        variance = max(variance, abs(mine["se"] ** 2 / expected - 1))
    with capsys.disabled():
        print(
            f"\n{psi}: {len(reference)} contrasts, largest deviation: "
            f"estimate {estimate:.1e} SE, variance {variance:.1e} relative"
        )
    assert len(reference) == len(ours) > 4000
    assert estimate <= 1e-8
    assert variance <= 1e-8


@pytest.mark.parametrize("weights", ["om", "equal"])
def test_means_over_the_completed_sets_equal_r_under_both_weights(weights, capsys):
    result = estimate_effects(completed_sets(), spec(weights=weights, visits=(24,)))
    ours = {}
    for (paramcd, _, response, _, term), row in by_key(result).items():
        ours.setdefault((paramcd, response, term), []).append((row["estimate"], row["se"] ** 2))
    name = "OM" if weights == "om" else "equal"
    reference = [
        row
        for row in read_rows("fixed_mi/pooled_R.csv.gz")
        if (row["psi"], row["week"], row["strata_weights"]) == ("huber", "24", name)
    ]
    worst = 0.0
    for row in reference:
        estimate, within = np.mean(ours[row["paramcd"], row["response"], row["term"]], axis=0)
        worst = max(
            worst,
            abs(estimate - float(row["estimate"])) / float(row["se"]),
            abs(within / float(row["ubar"]) - 1),
        )
    with capsys.disabled():
        print(f"\nweights {weights}: {len(reference)} means, largest deviation {worst:.1e}")
    assert len(reference) == 84
    assert worst <= 1e-8


def test_df_are_those_of_the_complete_data():
    rows = estimate_effects(completed_sets(), spec(visits=(24,), responses=("abs",)))
    expected = {float(row["dfcom"]) for row in read_rows("fixed_mi/pooled_R.csv.gz")}
    assert set(rows["df"].to_list()) == expected
