"""Rank tests on samples small enough to count by hand."""

import numpy as np
import pytest
from scipy import stats

from assayhouse.errors import ModelDataError
from assayhouse.stats.errors import InputError
from assayhouse.stats.ranks import rank_comparison, signed_rank


def test_w_counts_pairs_and_ties_as_a_half():
    assert rank_comparison([1.0, 3.0], [1.0, 2.0]).w == 0.5 + 2


def test_p_equals_scipy_with_ties_and_continuity():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 9, 30) * 1.0, rng.integers(1, 11, 25) * 1.0
    for continuity in (True, False):
        expected = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=continuity)
        ours = rank_comparison(x, y, continuity=continuity)
        assert ours.w == expected.statistic
        assert ours.p_value == pytest.approx(expected.pvalue, rel=1e-12)


def test_signed_rank_equals_scipy_and_drops_zeros():
    values = np.array([0.0, 0.0, 1.0, 1.0, -2.0, 3.0, -4.5, 6.0, 7.0, 8.0])
    for continuity in (True, False):
        expected = stats.wilcoxon(
            values, zero_method="wilcox", correction=continuity, method="asymptotic"
        )
        ours = signed_rank(values, continuity=continuity)
        assert ours.p_value == pytest.approx(expected.pvalue, rel=1e-12)
        assert ours.n_zero == 2
    assert signed_rank(values).v == 1.5 + 1.5 + 4 + 6 + 7 + 8


def test_the_shift_is_the_median_of_all_pairwise_differences():
    assert rank_comparison([1.0, 5.0, 9.0], [0.0, 2.0]).hl_shift == 4.0


def steps(x, y, d, *, continuity):
    """The statistic of (x - d, y), ties of the shifted sample and continuity included."""
    shifted = np.concatenate([np.round(x - d, 9), np.round(y, 9)])
    ranks = stats.rankdata(shifted)
    n, k = len(x), len(y)
    distance = ranks[:n].sum() - n * (n + 1) / 2 - n * k / 2
    ties = np.unique(shifted, return_counts=True)[1]
    variance = n * k / 12 * (n + k + 1 - (ties**3 - ties).sum() / ((n + k) * (n + k - 1)))
    return (distance - (0.5 * np.sign(distance) if continuity else 0)) / np.sqrt(variance)


@pytest.mark.parametrize("continuity", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_ends_of_the_interval_are_where_the_shifted_test_steps_across_its_limits(seed, continuity):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 40, 17) * 1.0, rng.integers(5, 30, 13) * 1.0
    ours = rank_comparison(x, y, continuity=continuity, conf_level=0.9)
    z = stats.norm.ppf(0.95)
    assert steps(x, y, ours.ci_low - 0.25, continuity=continuity) > z
    assert steps(x, y, ours.ci_low + 0.25, continuity=continuity) <= z
    assert steps(x, y, ours.ci_high - 0.25, continuity=continuity) >= -z
    assert steps(x, y, ours.ci_high + 0.25, continuity=continuity) < -z


def test_samples_too_small_for_an_end_have_an_unbounded_interval():
    ours = rank_comparison([1.0, 2.0], [3.0, 4.0])
    assert (ours.ci_low, ours.ci_high) == (-np.inf, np.inf)


def test_samples_without_any_difference_have_p_1():
    assert rank_comparison([2.0, 2.0], [2.0, 2.0, 2.0]).p_value == 1.0
    assert signed_rank([0.0, 0.0]) == signed_rank([0.0, 0.0])
    assert (signed_rank([0.0, 0.0]).v, signed_rank([0.0, 0.0]).p_value) == (0.0, 1.0)


def test_quartiles_are_type_7_and_sizes_are_counted():
    ours = rank_comparison([1.0, 2.0, 3.0, 10.0], [5.0])
    assert ours.quartiles_active == (1.75, 4.75)
    assert ours.quartiles_control == (5.0, 5.0)
    assert (ours.median_active, ours.median_control) == (2.5, 5.0)
    assert (ours.n_active, ours.n_control) == (4, 1)


def test_a_sample_of_one_on_each_side_has_a_result():
    assert rank_comparison([3.0], [1.0]).hl_shift == 2.0


@pytest.mark.parametrize("bad", [[np.nan, 1.0], [np.inf], []])
def test_missing_infinite_or_no_values_are_an_error(bad):
    with pytest.raises(ModelDataError):
        rank_comparison(bad, [1.0, 2.0])
    with pytest.raises(ModelDataError):
        rank_comparison([1.0, 2.0], bad)
    with pytest.raises(ModelDataError):
        signed_rank(bad)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_that_is_no_share_is_an_error(level):
    with pytest.raises(InputError, match="conf_level"):
        rank_comparison([1.0], [2.0], conf_level=level)
