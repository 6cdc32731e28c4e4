"""Weights, slopes, scales and spreads of small residual vectors, checked by eye."""

import numpy as np
import pytest
from scipy.stats import norm

from assayhouse.stats.psi import (
    PHI75,
    compute_slopes,
    compute_spread,
    compute_weights,
    median_absolute,
    proposal2_step,
)


def test_the_exact_mad_constant_is_the_normal_quartile():
    assert norm.cdf(PHI75) == pytest.approx(0.75, abs=1e-15)


def test_huber_weights_are_one_inside_and_k_over_u_outside():
    weights = compute_weights(np.array([[0.0, -1.0, 2.69, -13.45]]), psi="huber", tuning=1.345)
    assert weights.tolist() == [[1.0, 1.0, 0.5, 0.1]]


def test_bisquare_weights_fall_to_zero_at_c_and_stay_there():
    weights = compute_weights(np.array([[0.0, 2.0, 4.0, -9.0]]), psi="bisquare", tuning=4.0)
    assert weights.tolist() == [[1.0, 0.5625, 0.0, 0.0]]


@pytest.mark.parametrize(("psi", "tuning"), [("huber", 1.345), ("bisquare", 4.685)])
def test_slopes_are_the_derivative_of_u_times_weight(psi, tuning):
    u = np.linspace(-6, 6, 97)[None] + 0.0123
    step = 1e-6
    above, below = u + step, u - step
    rise = above * compute_weights(above, psi=psi, tuning=tuning)
    rise -= below * compute_weights(below, psi=psi, tuning=tuning)
    slopes = compute_slopes(u, psi=psi, tuning=tuning)
    assert np.allclose(slopes, rise / (2 * step), atol=1e-8)


@pytest.mark.parametrize("size", [1, 2, 3, 8, 9, 100, 101])
def test_median_of_absolute_values_is_numpys(size):
    values = np.random.default_rng(size).normal(size=(3, size))
    assert median_absolute(values).tolist() == np.median(np.abs(values), axis=1).tolist()


def test_proposal_2_stands_still_at_the_normal_distributions_own_scale():
    normal = norm.ppf((np.arange(200_000) + 0.5) / 200_000)[None]
    scale = proposal2_step(3.0 * normal, np.array([3.0]), df=200_000)
    assert scale[0] == pytest.approx(3.0, rel=1e-6)


def test_proposal_2_counts_an_outlier_as_k2_scales():
    near = proposal2_step(np.array([[1.0, -1.0, 50.0]]), np.array([1.0]), df=2)
    far = proposal2_step(np.array([[1.0, -1.0, 5e9]]), np.array([1.0]), df=2)
    assert near == far


def test_spread_is_quartiles_then_range_then_largest_value():
    values = [[0.0, 1, 2, 3, 4], [5.0, 5, 5, 5, 8], [-7.0] * 5, [0.0] * 5]
    assert compute_spread(np.array(values)).tolist() == [2.0, 3.0, 7.0, 0.0]
