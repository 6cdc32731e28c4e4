"""Laws of effects with imputation: units, order, relabelled arms, company, precision."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assayhouse.analysis.effects import EffectSpec, ImputeSpec, estimate_effects
from assayhouse.analysis.stages import completed_sets, fit_completed, impute_long

from support.effects_long import trial

NUMBERS = ["estimate", "se", "df", "statistic", "ci_lo", "ci_hi", "p"]
KEYS = ["paramcd", "avisitn", "response", "subgroup", "term", "arm"]
SEEDS = st.integers(0, 10_000)
IMPUTE = {
    "chained": {},
    "main effects": {"by_arm": False},
    "monotone": {"method": "monotone"},
    "mixed model": {"method": "mvn", "by_arm": False},
    "jump": {"strategy": "J2R", "by_arm": False},
}
few = settings(max_examples=5, deadline=None)


def gappy(seed, *, parameters=("A",), per_arm=24):
    """A trial with a fifth of its values missing."""
    frame = trial(per_arm=per_arm, seed=seed, parameters=parameters)
    order = frame.sort("paramcd", "usubjid", "avisitn")
    hidden = np.random.default_rng(seed).random(len(order)) < 0.2
    return order.with_columns(aval=pl.when(pl.Series(hidden)).then(None).otherwise(pl.col("aval")))


def mi(reference="control", *, m=3, impute=None, **changes):
    options = ImputeSpec(**({"m": m} | (impute or {})))
    return EffectSpec(reference, strata=("site",), impute=options, **changes)


def distance(one, other, *, factor=1.0, **where):
    """Largest gap of the estimates, in standard errors."""
    before, after = one.filter(**where), other.filter(**where)
    gap = np.abs(after["estimate"].to_numpy() / factor - before["estimate"].to_numpy())
    return float((gap / before["se"].to_numpy()).max())


@pytest.mark.parametrize("name", list(IMPUTE))
@few
@given(SEEDS)
def test_the_order_of_the_rows_and_other_parameters_change_no_digit(name, seed):
    frame = gappy(seed, parameters=("A", "B"))
    spec = mi(impute=IMPUTE[name], responses=("log",))
    whole = estimate_effects(frame, spec)
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=seed)
    assert estimate_effects(mixed, spec).equals(whole)
    alone = estimate_effects(frame.filter(paramcd="B"), spec)
    assert alone.equals(whole.filter(paramcd="B"))


@pytest.mark.parametrize("scale", ["log", "raw"])
@few
@given(SEEDS, st.sampled_from([1e-9, 1e9, 0.3]))
def test_another_unit_scales_abs_and_chg_and_leaves_pchg_and_differences_of_logs(scale, seed, unit):
    frame = gappy(seed)
    spec = mi(impute={"scale": scale}, responses=("abs", "chg", "pchg"))
    before = estimate_effects(frame, spec)
    after = estimate_effects(frame.with_columns(pl.col("aval", "base", "lloq") * unit), spec)
    assert after["status"].to_list() == before["status"].to_list()
    ok = {"status": "ok"}
    for response, factor in (("abs", unit), ("chg", unit), ("pchg", 1.0)):
        assert distance(before, after, factor=factor, response=response, **ok) <= 1e-6
    if scale == "log":
        logs = mi(impute={"scale": scale}, responses=("log",))
        one = estimate_effects(frame, logs)
        other = estimate_effects(frame.with_columns(pl.col("aval", "base", "lloq") * unit), logs)
        assert distance(one, other, term="diff") <= 1e-6


@few
@given(SEEDS, st.permutations(["x1", "x2", "x3"]))
def test_arms_under_other_names_keep_their_results_on_given_sets(seed, names):
    frame = gappy(seed)
    new = dict(zip(["active", "control", "double"], names, strict=True))
    completed = completed_sets(frame, impute_long(frame, mi()), mi())
    before = estimate_effects(frame, mi(responses=("log",)), completed=completed)
    renamed = frame.with_columns(pl.col("arm").replace_strict(new))
    after = estimate_effects(
        renamed, mi(new["control"], responses=("log",)), completed=completed
    ).sort(KEYS)
    before = before.with_columns(pl.col("arm").replace_strict(new)).sort(KEYS)
    assert after.select(KEYS).equals(before.select(KEYS))
    assert distance(before, after) <= 1e-8
    assert after["se"].to_list() == pytest.approx(before["se"].to_list(), rel=1e-8)


@few
@given(SEEDS)
def test_names_in_the_same_order_keep_everything(seed):
    frame = gappy(seed)
    new = {"active": "a", "control": "b", "double": "c"}
    renamed = frame.with_columns(pl.col("arm").replace_strict(new))
    before = estimate_effects(frame, mi(responses=("abs",)))
    after = estimate_effects(renamed, mi("b", responses=("abs",)))
    assert after.select(NUMBERS).equals(before.select(NUMBERS))


@few
@given(SEEDS, st.sampled_from(["huber", "bisquare"]))
def test_abs_and_chg_give_the_same_differences(seed, psi):
    result = estimate_effects(gappy(seed), mi(psi=psi, responses=("abs", "chg")))
    ok = result.filter(term="diff", status="ok")
    one, other = ok.filter(response="abs"), ok.filter(response="chg")
    for name in ("estimate", "se", "df"):
        assert one[name].to_list() == pytest.approx(other[name].to_list(), rel=1e-6, abs=1e-9)


@few
@given(SEEDS, st.integers(2, 4))
def test_pooling_never_adds_precision(seed, m):
    frame = gappy(seed)
    spec = mi(m=m, responses=("log",))
    fits = fit_completed(frame, impute_long(frame, spec), spec)
    within = fits.select(*KEYS, within=pl.col("variances").list.mean(), complete="df_complete")
    joined = estimate_effects(frame, spec).join(within, on=KEYS)
    assert len(joined) == 10
    assert (joined["se"] ** 2 >= joined["within"] * (1 - 1e-12)).all()
    assert (joined["df"] <= joined["complete"]).all()
    assert joined["m"].unique().to_list() == [m]


@few
@given(SEEDS)
def test_huge_k_is_least_squares(seed):
    frame = gappy(seed)
    one = estimate_effects(frame, mi(tuning=1e9, responses=("abs",)))
    other = estimate_effects(frame, mi(psi="ols", responses=("abs",)))
    assert distance(other, one) <= 1e-8
    # H1 with psi' = 1 everywhere is the least-squares covariance.
    assert one["se"].to_list() == pytest.approx(other["se"].to_list(), rel=1e-8)


@few
@given(SEEDS)
def test_analysing_fewer_visits_changes_no_digit(seed):
    frame = gappy(seed)
    both = estimate_effects(frame, mi(responses=("log",)))
    one = estimate_effects(frame, mi(responses=("log",), visits=(8,)))
    assert one.select(NUMBERS).equals(both.filter(avisitn=8).select(NUMBERS))
