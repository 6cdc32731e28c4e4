"""Laws of an effect analysis: order, relabelled arms, company, units, abs against chg."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assayhouse.analysis.effects import estimate_effects

from support.effects_long import spec, trial

NUMBERS = ["estimate", "se", "df", "statistic", "ci_lo", "ci_hi", "p"]
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=15, deadline=None)


def analyse(frame, reference="control", **options):
    """Effects with two strata."""
    return estimate_effects(frame, spec(reference, strata=("site", "sex"), **options))


def column(result, name, **where):
    """Values of a column in the result's order."""
    return result.filter(**where)[name].to_numpy()


@few
@given(SEEDS)
def test_the_order_of_the_rows_changes_no_digit(seed):
    frame = trial(seed=seed)
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=seed)
    assert analyse(mixed).equals(analyse(frame))


@few
@given(SEEDS)
def test_other_parameters_in_the_call_change_no_digit(seed):
    frame = trial(seed=seed, parameters=("A", "B"), visits=(4,))
    both = analyse(frame)
    for parameter in ("A", "B"):
        alone = analyse(frame.filter(paramcd=parameter))
        assert alone.equals(both.filter(paramcd=parameter))


@few
@given(SEEDS, st.permutations(["x1", "x2", "x3"]))
def test_arms_under_other_names_keep_their_results(seed, names):
    frame = trial(seed=seed, visits=(4,))
    new = dict(zip(["active", "control", "double"], names, strict=True))
    renamed = frame.with_columns(pl.col("arm").replace_strict(new))
    keys = ["response", "term", "arm"]
    before = analyse(frame).with_columns(pl.col("arm").replace_strict(new)).sort(keys)
    after = analyse(renamed, new["control"]).sort(keys)
    assert after.select(keys).equals(before.select(keys))
    gap = (after["estimate"] - before["estimate"]).abs() / before["se"]
    assert gap.max() <= 1e-8
    assert after["se"].to_list() == pytest.approx(before["se"].to_list(), rel=1e-8)


@few
@given(SEEDS, st.sampled_from(["huber", "bisquare"]), st.sampled_from(["mad", "proposal2"]))
def test_abs_and_chg_give_the_same_differences(seed, psi, scale):
    result = analyse(trial(seed=seed, visits=(4,)), psi=psi, scale=scale)
    for name in ("estimate", "se"):
        one = column(result, name, response="abs", term="diff")
        other = column(result, name, response="chg", term="diff")
        assert np.all(
            np.abs(one - other) <= 1e-8 * np.abs(column(result, "se", response="abs", term="diff"))
        )


@few
@given(SEEDS, st.sampled_from([1e-9, 1e9, 0.3]))
def test_another_unit_scales_abs_and_chg_and_leaves_pchg_and_differences_of_logs(seed, unit):
    frame = trial(seed=seed, visits=(4,))
    moved = frame.with_columns(pl.col("aval", "base", "lloq") * unit)
    before, after = analyse(frame), analyse(moved)
    assert after["status"].to_list() == before["status"].to_list()
    for response, factor in (("abs", unit), ("chg", unit), ("pchg", 1.0)):
        ours = column(after, "estimate", response=response) / factor
        gap = np.abs(ours - column(before, "estimate", response=response))
        assert np.all(gap <= 1e-7 * column(before, "se", response=response))
    logs = column(after, "estimate", response="log", term="diff")
    gap = np.abs(logs - column(before, "estimate", response="log", term="diff"))
    assert np.all(gap <= 1e-7 * column(before, "se", response="log", term="diff"))


@few
@given(SEEDS)
def test_the_interval_holds_the_estimate_and_agrees_with_the_test(seed):
    result = analyse(trial(seed=seed, visits=(4,)))
    assert (result["ci_lo"] < result["estimate"]).all()
    assert (result["estimate"] < result["ci_hi"]).all()
    outside = (result["ci_lo"] > 0) | (result["ci_hi"] < 0)
    assert (outside == (result["p"] < 0.05)).all()


@few
@given(SEEDS)
def test_a_difference_is_the_difference_of_the_two_means(seed):
    result = analyse(trial(seed=seed, visits=(4,)))
    for response in ("abs", "chg", "pchg", "log"):
        means = dict(
            result.filter(response=response, term="lsmean").select("arm", "estimate").rows()
        )
        for row in result.filter(response=response, term="diff").rows(named=True):
            expected = means[row["arm"]] - means["control"]
            assert abs(row["estimate"] - expected) <= 1e-9 * row["se"] + 1e-12


@few
@given(SEEDS, st.floats(0, 0.6))
def test_a_row_has_numbers_exactly_when_it_is_ok(seed, share):
    frame = trial(seed=seed)
    rng = np.random.default_rng(seed)
    hidden = rng.random(len(frame)) < share
    below = rng.random(len(frame)) < share
    frame = frame.with_columns(
        aval=pl.when(pl.Series(hidden)).then(None).otherwise(pl.col("aval")), blq=pl.Series(below)
    )
    result = analyse(frame)
    ok = result["status"] == "ok"
    for name in NUMBERS:
        assert (result[name].is_not_null() == ok).all()
    assert ((result["reasons"] == "") == ok).all()
