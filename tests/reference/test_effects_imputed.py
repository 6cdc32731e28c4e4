"""Pooled effects against R: given completed sets, and end to end within Monte-Carlo error.

R 4.2.2, MASS 7.3-58.2 (rlm, acc 1e-12), mice 3.15.0 (norm on the log scale, pool.scalar).
"""

from collections import defaultdict
from functools import cache

import numpy as np
import polars as pl
import pytest

from assayhouse.analysis.effects import ImputeSpec, estimate_effects, preset
from assayhouse.analysis.median_changes import median_changes

from support.effects_reference import read_rows

STRATA = ("strat1", "strat2")


@cache
def trial():
    """The simulated trial in long form, without its planted values."""
    rows = read_rows("sim/sim_trial_long.csv.gz")
    frame = pl.DataFrame(rows).select(
        "usubjid", "arm", "strat1", "strat2", "paramcd",
        avisitn=pl.col("week").cast(pl.Int64),
        aval=pl.col("aval").replace("", None).cast(pl.Float64),
        blq=pl.col("blq").replace_strict({"true": True, "false": False, "": None}),
        lloq=pl.col("lloq").replace("", None).cast(pl.Float64),
    )  # fmt: skip
    base = frame.filter(avisitn=0).select("usubjid", "paramcd", base="aval")
    later = frame.filter(pl.col("avisitn") > 0)
    return later.join(base, on=["usubjid", "paramcd"], how="left")


@cache
def completed_sets():
    """R's 20 completed sets of three parameters, in long form."""
    wide = pl.DataFrame(read_rows("fixed_mi/completed_m20.csv.gz"))
    return pl.concat(
        [
            wide.select(
                "paramcd", pl.col("imp").cast(pl.Int64), "usubjid",
                avisitn=pl.lit(week), aval=pl.col(f"y{week}").cast(pl.Float64),
            )
            for week in (4, 12, 24)
        ]
    )  # fmt: skip


def by_key(result):
    """Our rows under the reference's keys."""
    found = {}
    for row in result.rows(named=True):
        arm = row["arm"]
        term = f"lsmean_{arm}" if row["term"] == "lsmean" else f"diff_{arm}_vs_PBO"
        found[row["paramcd"], row["avisitn"], row["response"], term] = row
    return found


def key_of(row):
    return row["paramcd"], int(row["week"]), row["response"], row["term"]


@pytest.mark.parametrize("weights", ["om", "equal"])
@pytest.mark.parametrize("psi", ["huber", "bisquare"])
def test_pooled_rows_given_completed_sets_equal_r(psi, weights, capsys):
    parameters = completed_sets()["paramcd"].unique().to_list()
    long = trial().filter(pl.col("paramcd").is_in(parameters))
    spec = preset("mass", "PBO", psi=psi, weights=weights, strata=STRATA, tolerance=1e-12)
    ours = by_key(estimate_effects(long, spec, completed=completed_sets()))
    old = by_key(
        estimate_effects(
            long,
            preset("mass", "PBO", psi=psi, weights=weights, strata=STRATA, tolerance=1e-12,
                   df_method="rubin1987"),
            completed=completed_sets(),
        )
    )  # fmt: skip
    rows = [
        row
        for row in read_rows("fixed_mi/pooled_R.csv.gz")
        if (row["psi"], row["strata_weights"].lower()) == (psi, weights)
    ]
    worst = defaultdict(float)
    for row in rows:
        mine = ours[key_of(row)]
        assert mine["status"] == "ok"
        error = float(row["se"])
        for name, column in (
            ("se", "se"), ("df", "df_br"), ("fmi", "fmi"), ("riv", "riv"), ("lambda", "lambda"),
        ):  # fmt: skip
            worst[name] = max(worst[name], abs(mine[name] / float(row[column]) - 1))
        df = old[key_of(row)]["df"]
        floored = float(row["lambda"]) < 1e-4
        if not floored:
            worst["df 1987"] = max(worst["df 1987"], abs(df / float(row["df_rubin1987"]) - 1))
        for name in ("estimate", "ci_lo", "ci_hi"):
            worst[name] = max(worst[name], abs(mine[name] - float(row[name])) / error)
        if float(row["p_value"]) > 1e-12:
            worst["p"] = max(worst["p"], abs(mine["p"] / float(row["p_value"]) - 1))
    with capsys.disabled():
        print(f"\n{psi} {weights}: {len(rows)} pooled rows, largest {max(worst.values()):.1e}")
    assert len(rows) == 252
    assert worst.pop("p") <= 1e-6
    assert max(worst.values()) <= 1e-8


@pytest.mark.parametrize(
    ("psi", "responses"), [("huber", ("abs", "pchg", "log")), ("bisquare", ("log",))]
)
def test_end_to_end_results_differ_from_r_by_monte_carlo_error_only(psi, responses, capsys):
    rows = [
        row
        for row in read_rows("sim/R_end_to_end_m25.csv.gz")
        if row["psi"] == psi and row["response"] in responses and row["paramcd"] != "IL_21"
    ]
    long = trial().filter(pl.col("paramcd").is_in(list({row["paramcd"] for row in rows})))
    spec = preset("mass", "PBO", psi=psi, strata=STRATA, responses=responses)
    ours = by_key(estimate_effects(long, spec))
    z = []
    for row in rows:
        mine = ours[key_of(row)]
        if psi == "huber":
            assert mine["status"] == "ok"
        if mine["status"] == "ok":
            between = mine["mc_error"] ** 2 * mine["m"]
            spread = np.sqrt(between / int(row["m"]) + between / mine["m"])
            z.append((mine["estimate"] - float(row["estimate"])) / spread)
    z = np.array(z)
    rms = float(np.sqrt(np.mean(z**2)))
    with capsys.disabled():
        print(f"\n{psi}: {len(z)} rows, largest z {np.abs(z).max():.2f}, rms {rms:.2f}")
    assert len(z) >= 0.95 * len(rows) > 200
    assert np.abs(z).max() <= 5.5
    assert rms <= 1.15


def test_the_blq_majority_parameter_is_refused_and_all_others_are_ok():
    spec = preset("recommended", "PBO", strata=STRATA, impute=ImputeSpec(m=5))
    result = estimate_effects(trial(), spec)
    refused = result.filter(pl.col("status") != "ok")
    assert set(refused["paramcd"]) == {"IL_21"}
    assert set(refused["status"]) == {"blq_majority"}
    assert len(refused) == 3 * 7
    assert refused["p"].is_null().all()


def test_median_changes_equal_r(capsys):
    whole = trial()
    module = read_rows("sim/sim_trial_long.csv.gz")
    base = {
        row["usubjid"]: float(row["aval"])
        for row in module
        if row["paramcd"] == "TYPE_1_IFN_MODULE" and row["week"] == "0"
    }
    middle = np.median(list(base.values()))
    side = {name: "high" if value > middle else "low" for name, value in base.items()}
    long = whole.with_columns(module=pl.col("usubjid").replace_strict(side))
    rows = read_rows("nonparametric/median_pchg_wilcoxon_HL.csv")
    result = median_changes(long, reference="PBO", subgroups=("module",))
    ours = {
        (row["paramcd"], row["avisitn"], row["subgroup"].rpartition("=")[2], row["arm"]): row
        for row in result.rows(named=True)
    }
    exact = shift = 0.0
    for row in rows:
        mine = ours[row["paramcd"], int(row["week"]), row["subset"], row["arm"]]
        assert (mine["n"], mine["n_reference"]) == (int(row["n_arm"]), int(row["n_pbo"]))
        for name, column in (
            ("median", "median_arm"), ("q1", "q1_arm"), ("q3", "q3_arm"),
            ("p", "p_wilcoxon_cc"), ("p_signed", "p_signed_rank_within_arm"),
        ):  # fmt: skip
            gap = abs(mine[name] - float(row[column]))
            exact = max(exact, gap / max(abs(float(row[column])), 1e-300))
        width = float(row["hl_hi"]) - float(row["hl_lo"])
        for name, column in (("hl_shift", "hl_shift"), ("ci_lo", "hl_lo"), ("ci_hi", "hl_hi")):
            shift = max(shift, abs(mine[name] - float(row[column])) / width)
    with capsys.disabled():
        print(f"\n{len(rows)} medians: {exact:.1e}; shifts {shift:.1e} of the interval")
    assert exact <= 1e-8
    assert shift <= 0.02
