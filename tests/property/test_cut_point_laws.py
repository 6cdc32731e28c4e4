"""Laws of cut points: nothing depends on chunks, workers, engines or order; p stays in [0, 1]."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assayhouse.stats.batting import adjusted_p, batting, batting_many, scan
from assayhouse.stats.modes import critical_bandwidth, dip_test, kde_modes
from assayhouse.stats.proportions import risk_difference_counts, wilson
from assayhouse.stats.resampling import bootstrap_indices

from support.cut_points import small_trial

SEEDS = st.integers(0, 10_000)
TESTS = ["lrt", "wald", "firth", "firth_wald", "rd", "wald_glm"]
OPTIONS = st.fixed_dictionaries(
    {
        "test": st.sampled_from(TESTS),
        "candidates": st.sampled_from(["all", "grid19", (-0.5, 0.0, 0.3)]),
        "direction": st.sampled_from(["higher", "lower"]),
        "min_cell": st.sampled_from([0, 1, 5]),
        "min_share": st.sampled_from([0.0, 0.2]),
    }
)
TRIALS = st.builds(
    small_trial,
    SEEDS,
    n=st.sampled_from([12, 40, 61]),
    ties=st.booleans(),
    missing=st.sampled_from([0.0, 0.15]),
)
few = settings(max_examples=25, deadline=None)


def same(one, other, *, statistics=None):
    """Equal cuts, counts and flags; statistics to the bit or within a share."""
    for name in ("cuts", "n_used", "zero_cell"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name
    if statistics is None:
        assert np.array_equal(one.statistics, other.statistics, equal_nan=True)
    else:
        close = {"rtol": statistics, "atol": statistics, "equal_nan": True}
        assert np.allclose(one.statistics, other.statistics, **close)


@settings(max_examples=60, deadline=None)
@given(TRIALS, OPTIONS, SEEDS)
def test_both_engines_choose_the_same_cuts(trial, options, seed):
    x, arm, response, _ = trial
    numpy, numba = (
        batting(x, arm, response, n_boot=20, rng=seed, engine=engine, **options)
        for engine in ("numpy", "numba")
    )
    same(numpy, numba, statistics=1e-12)


@few
@given(TRIALS, OPTIONS, st.sampled_from(["numpy", "numba"]), st.integers(1, 9))
def test_chunks_and_workers_change_no_bit(trial, options, engine, chunk):
    x, arm, response, _ = trial
    asked = {"n_boot": 17, "rng": 3, "engine": engine, **options}
    whole = batting(x, arm, response, **asked)
    same(whole, batting(x, arm, response, chunk_size=chunk, n_jobs=2, **asked))


@few
@given(TRIALS, st.sampled_from(["continuous", "survival", "adjusted"]), st.integers(1, 4))
def test_chunks_change_no_bit_of_fitted_models(trial, kind, chunk):
    x, arm, response, strata = trial
    time = np.random.default_rng(len(x)).exponential(size=len(x))
    options = {
        "continuous": {"endpoint": "continuous"},
        "survival": {"endpoint": "survival", "event": response},
        "adjusted": {"adjust": strata},
    }[kind]
    y = response if kind == "adjusted" else time
    asked = {"n_boot": 5, "rng": 3, "min_cell": 3, "direction": "higher", **options}
    same(batting(x, arm, y, **asked), batting(x, arm, y, chunk_size=chunk, **asked))


@few
@given(TRIALS, OPTIONS, st.sampled_from(["binary", "continuous", "survival"]), SEEDS)
def test_the_order_of_the_rows_changes_no_bit(trial, options, endpoint, seed):
    x, arm, response, _ = trial
    n = len(x)
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, n, size=(8, n))
    order = rng.permutation(n)
    place = np.argsort(order)
    y = response if endpoint == "binary" else np.round(rng.exponential(size=n), 2)
    asked = {**options, "endpoint": endpoint, "direction": "auto"}
    if endpoint != "binary":
        asked["test"] = "lrt"
    event = {"event": response} if endpoint == "survival" else {}
    moved = {name: values[order] for name, values in event.items()}
    plain = batting(x, arm, y, resamples=rows, **asked, **event)
    mixed = batting(x[order], arm[order], y[order], resamples=place[rows], **asked, **moved)
    same(plain, mixed)
    assert plain.direction == mixed.direction
    assert plain.threshold == mixed.threshold or np.isnan(plain.threshold)


@few
@given(TRIALS, st.sampled_from(["simple", "arm", "arm_stratum"]), SEEDS)
def test_a_short_run_is_the_beginning_of_a_long_one(trial, resample, seed):
    x, arm, response, strata = trial
    asked = {"rng": seed, "resample": resample, "strata": strata, "direction": "higher"}
    short = batting(x, arm, response, n_boot=6, **asked)
    long = batting(x, arm, response, n_boot=15, **asked)
    assert np.array_equal(short.cuts, long.cuts[:6], equal_nan=True)
    assert np.array_equal(short.statistics, long.statistics[:6], equal_nan=True)


@few
@given(TRIALS, SEEDS)
def test_given_rows_are_drawn_rows(trial, seed):
    x, arm, response, _ = trial
    rows = bootstrap_indices(len(x), 9, seed=seed, label="ifn")
    drawn = batting(x, arm, response, n_boot=9, rng=seed, marker="ifn")
    same(drawn, batting(x, arm, response, resamples=rows, marker="ifn"))


@few
@given(TRIALS, st.sampled_from(TESTS[:5]))
def test_a_group_and_its_complement_have_one_statistic(trial, test):
    x, arm, response, _ = trial
    high = scan(x, arm, response, tests=(test,))
    low = scan(x, arm, response, tests=(test,), direction="lower")
    close = {"rtol": 1e-12, "atol": 1e-13, "equal_nan": True}
    # Below the next value lie those who are not above this one.
    assert np.array_equal(high.n[:, :, 0], low.n[:, :, 1])
    assert np.allclose(high.statistic[test], low.statistic[test], **close)
    assert np.allclose(high.beta[test], -low.beta[test], **close)


@few
@given(TRIALS)
def test_every_p_is_a_probability_and_undefined_exactly_where_it_must_be(trial):
    x, arm, response, _ = trial
    found = scan(x, arm, response, tests=TESTS)
    empty = (found.n == 0).any(axis=(1, 2))
    for test in TESTS:
        p = found.p[test]
        assert ((p >= 0) & (p <= 1) | np.isnan(p)).all()
        nowhere = empty | (found.zero_cell if test == "wald" else False)
        assert np.array_equal(np.isnan(p), nowhere)


@few
@given(TRIALS, st.sampled_from([2.0**-3, 2.0**5]), st.sampled_from([0.0, 8.0]))
def test_a_marker_in_another_unit_has_the_same_cut_in_that_unit(trial, unit, offset):
    x, arm, response, _ = trial
    plain = batting(x, arm, response, n_boot=8, rng=1)
    moved = batting(unit * (x + offset), arm, response, n_boot=8, rng=1)
    assert moved.cuts == pytest.approx(unit * (plain.cuts + offset), nan_ok=True)
    assert moved.direction == plain.direction


@settings(max_examples=12, deadline=None)
@given(SEEDS)
def test_the_order_of_the_markers_changes_no_number(seed):
    x, arm, response, _ = small_trial(seed, n=40)
    other = np.random.default_rng(seed).normal(size=40)
    asked = {"n_boot": 6, "n_null": 19, "rng": seed}
    one = batting_many({"a": x, "b": other}, arm, response, **asked)
    two = batting_many({"b": other, "a": x}, arm, response, **asked)
    for name in ("a", "b"):
        assert one.results[name].to_dict() == two.results[name].to_dict()
    assert one.p_max_t.tolist() == two.p_max_t[::-1].tolist()


@settings(max_examples=12, deadline=None)
@given(TRIALS, st.sampled_from(["numpy", "numba"]))
def test_an_adjusted_p_counts_null_statistics_and_itself(trial, engine):
    x, arm, response, _ = trial
    found = adjusted_p(x, arm, response, n_null=30, rng=1, engine=engine, min_cell=2)
    if np.isnan(found.statistic):
        assert np.isnan(found.p)
        return
    larger = (found.null_statistics >= found.statistic * (1 - 1e-10)).sum()
    assert found.p == (1 + larger) / 31


@few
@given(st.lists(st.integers(-30, 30), min_size=3, max_size=25), st.integers(1, 2))
def test_just_above_a_critical_bandwidth_there_are_at_most_k_modes_and_below_more(values, k):
    h = critical_bandwidth(values, k)
    if len(set(values)) <= k:
        assert np.isnan(h)
        return
    assert kde_modes(values, h * (1 + 1e-6)).kinds.count("mode") <= k
    assert kde_modes(values, h * (1 - 1e-4)).kinds.count("mode") > k


@few
@given(st.lists(st.integers(-30, 30), min_size=2, max_size=40))
def test_a_dip_lies_between_its_bounds_and_ignores_unit_and_sign(values):
    found = dip_test(values, n_sim=0).statistic
    assert 1 / (2 * len(values)) <= found + 1e-15
    assert found <= 0.25 + 1e-15
    flipped = [-4 * value + 1 for value in values]
    assert dip_test(flipped, n_sim=0).statistic == pytest.approx(found, abs=1e-12)


@few
@given(
    st.lists(
        st.tuples(*(st.integers(0, 12) for _ in range(4))).map(
            lambda c: (min(c[0], c[1]), max(c[0], c[1]), min(c[2], c[3]), max(c[2], c[3]))
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["newcombe", "mn", "sato", "wald"]),
)
def test_exchanging_the_arms_turns_a_difference_round(strata, method):
    y1, n1, y0, n0 = (list(column) for column in zip(*strata, strict=True))
    found = risk_difference_counts(y1, n1, y0, n0, method=method)
    turned = risk_difference_counts(y0, n0, y1, n1, method=method)
    close = {"abs": 1e-9, "nan_ok": True}
    assert turned.estimate == pytest.approx(-found.estimate, **close)
    assert turned.lower == pytest.approx(-found.upper, **close)
    if found.n_strata_used:
        assert -1 <= found.lower <= found.estimate <= found.upper <= 1


@few
@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.5, 0.999))
def test_wilsons_limits_enclose_the_rate_and_turn_with_the_outcome(a, b, level):
    lower, upper = map(float, wilson(a, a + b, conf_level=level))
    low, high = map(float, wilson(b, a + b, conf_level=level))
    if a + b:
        assert 0 <= lower <= a / (a + b) <= upper <= 1
        assert (1 - high, 1 - low) == pytest.approx((lower, upper), abs=1e-12)
