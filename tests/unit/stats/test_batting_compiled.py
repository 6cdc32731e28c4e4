"""Compiled search: bounds lie above, choices are those of NumPy, streams are those of Philox."""

import numpy as np
import pytest

from assayhouse.stats.batting import batting, batting_many
from assayhouse.stats.batting_direction import find_direction, find_directions
from assayhouse.stats.batting_forms import STATISTICS
from assayhouse.stats.batting_result import quantile_pair
from assayhouse.stats.batting_rules import TESTS
from assayhouse.stats.batting_search import median_cut
from assayhouse.stats.batting_study import read_columns
from assayhouse.stats.philox import philox4x32, round_keys, stream_key

pytest.importorskip("numba")
from assayhouse.stats import batting_numba, batting_numba_forms


def splits(seed, *, size):
    """Counts below a split and of the whole, for two arms of up to ``size`` subjects."""
    rng = np.random.Generator(np.random.Philox(seed))
    whole = np.zeros(4)
    whole[[0, 2]] = rng.integers(2, size, 2)
    whole[1], whole[3] = (rng.integers(0, whole[at] + 1) for at in (0, 2))
    counts = np.zeros((4, 400))
    for arm in (0, 2):
        hits = rng.integers(0, whole[arm + 1] + 1, 400)
        others = rng.integers(0, whole[arm] - whole[arm + 1] + 1, 400)
        counts[arm], counts[arm + 1] = hits + others, hits
    return counts, whole


def cells(counts, whole):
    """Subjects and responders, (4, splits); group 1 is above."""
    n = np.array([counts[0], whole[0] - counts[0], counts[2], whole[2] - counts[2]])
    y = np.array([counts[1], whole[1] - counts[1], counts[3], whole[3] - counts[3]])
    return n, y


@pytest.mark.parametrize("size", [6, 20, 90, 700])
@pytest.mark.parametrize(("test", "half"), [("lrt", 0.0), ("firth", 0.5)])
def test_the_bound_of_a_likelihood_ratio_is_never_below_it(test, half, size):
    tight = []
    for seed in range(20):
        counts, whole = splits(seed, size=size)
        bounds = np.zeros(counts.shape[1])
        batting_numba_forms.bound_ratios(counts, whole, 1.0, half, bounds)
        n, y = cells(counts, whole)
        filled = (n > 0).all(axis=0)
        assert np.isnan(bounds[~filled]).all()
        exact = STATISTICS[test](n[:, filled], y[:, filled])
        assert (bounds[filled] >= exact * (1 - 1e-9) - 1e-9).all()
        tight += (bounds[filled] <= exact * 1.1 + 1e-6).tolist()
    print(f"{test}, at most {size} per arm: {np.mean(tight):.3f} of the bounds within 10 %")
    assert np.mean(tight) > 0.5, "a bound that says nothing would make the search slow"


@pytest.mark.parametrize(("test", "half"), [("wald", 0.0), ("firth_wald", 0.5)])
def test_the_bound_of_wald_is_wald(test, half):
    for seed in range(20):
        counts, whole = splits(seed, size=60)
        words = [
            counts[arm].astype(np.uint64) + (counts[arm + 1].astype(np.uint64) << np.uint64(32))
            for arm in (0, 2)
        ]
        with np.errstate(divide="ignore"):
            logs = np.log(np.arange(121) + half)
        bounds = np.zeros(counts.shape[1])
        batting_numba_forms.bound_walds(*words, counts, whole, 1.0, half, logs, bounds)
        n, y = cells(counts, whole)
        filled = (n > 0).all(axis=0)
        exact = STATISTICS[test](n[:, filled], y[:, filled])
        np.testing.assert_allclose(bounds[filled], exact, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(("n", "levels"), [(18, 5), (40, 40), (300, 60)])
def test_small_and_tied_trials_have_the_cuts_of_numpy(test, n, levels):
    """Few subjects make zero cells, ties and replicates without any cut."""
    rng = np.random.Generator(np.random.Philox(n))
    x, arm, y = rng.integers(0, levels, n), rng.integers(0, 2, n), rng.integers(0, 2, n)
    for options in ({"min_cell": 1}, {"candidates": "grid19"}, {"candidates": [1.0, 2.5, 3.0]},
                    {"direction": "lower", "min_share": 0.3, "min_cell": 2}):  # fmt: skip
        asked = {"direction": "higher", "test": test, "n_boot": 60, "rng": 3} | options
        ours, theirs = (batting(x, arm, y, engine=name, **asked) for name in ("numba", "numpy"))
        np.testing.assert_array_equal(ours.cuts, theirs.cuts)
        np.testing.assert_array_equal(ours.zero_cell, theirs.zero_cell)
        np.testing.assert_array_equal(ours.n_used, theirs.n_used)
        np.testing.assert_allclose(ours.statistics, theirs.statistics, rtol=1e-12, atol=1e-12)
        assert (ours.p_naive == theirs.p_naive) or np.isnan(ours.p_naive)


def test_the_words_of_a_replicate_are_those_of_philox():
    keys = round_keys(stream_key(7, "marker"))
    words = np.zeros((4, 9), dtype=np.uint64)
    batting_numba._fill_words(11, 3, 1, keys, words)
    counters = np.array([[block, 11, 3, 1] for block in range(9)], dtype=np.uint32)
    expected = philox4x32(counters, stream_key(7, "marker"))
    np.testing.assert_array_equal(words.T.astype(np.uint32), expected)


@pytest.mark.parametrize("jobs", [2, 3])
def test_workers_change_no_bit_of_a_streamed_search(jobs):
    rng = np.random.Generator(np.random.Philox(2))
    x, arm, y = rng.normal(size=90), np.arange(90) % 2, rng.integers(0, 2, 90)
    one = batting(x, arm, y, n_boot=41, rng=1)
    several = batting(x, arm, y, n_boot=41, rng=1, n_jobs=jobs)
    np.testing.assert_array_equal(one.cuts, several.cuts)
    np.testing.assert_array_equal(one.statistics, several.statistics)


def test_many_markers_are_as_each_alone_and_in_any_order():
    rng = np.random.Generator(np.random.Philox(4))
    arm, y = np.arange(80) % 2, rng.integers(0, 2, 80)
    markers = {name: rng.normal(size=80) for name in "abc"}
    markers["b"][:7] = np.nan
    together = batting_many(markers, arm, y, shared=False, n_boot=30, rng=9)
    turned = batting_many(dict(reversed(markers.items())), arm, y, shared=False, n_boot=30, rng=9)
    for name, values in markers.items():
        alone = batting(values, arm, y, marker=name, n_boot=30, rng=9)
        for found in (together.results[name], turned.results[name]):
            assert found.to_dict() == alone.to_dict()


def test_quartiles_and_median_are_numpys_to_the_bit():
    rng = np.random.Generator(np.random.Philox(6))
    for size in (*range(1, 12), 999, 1000):
        values = rng.normal(size=size)
        for tail in (0.025, 0.25, 0.005):
            expected = tuple(np.quantile(values, [tail, 1 - tail]))
            assert quantile_pair(np.sort(values), tail) == expected
        assert median_cut(np.append(values, np.nan)) == np.median(values)


def test_the_direction_of_one_trial_is_that_among_many():
    rng = np.random.Generator(np.random.Philox(8))
    arm = np.arange(60) % 2
    x, y = rng.normal(size=(50, 60)), (rng.random((50, 60)) < 0.4).astype(float)
    many = find_directions(x, arm.astype(float), y, larger_is_better=True)
    one = [
        find_direction(x[row], read_columns(arm, y[row]), larger_is_better=True) == "higher"
        for row in range(50)
    ]
    assert many.tolist() == one
    assert 5 < sum(one) < 45
