"""Adjusted p values worked by hand, and against scipy and statsmodels."""

import numpy as np
import pytest
from scipy import stats

from assayhouse.errors import ModelDataError
from assayhouse.stats.errors import InputError
from assayhouse.stats.multiplicity import METHODS, adjust_p

P = [0.04, 0.01, 0.03, 0.5]
ONE = ["f"] * 4


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("none", P),
        ("bonferroni", [0.16, 0.04, 0.12, 1.0]),
        ("holm", [0.09, 0.04, 0.09, 0.5]),
        ("hochberg", [0.08, 0.04, 0.08, 0.5]),
        ("bh", [4 / 3 * 0.04, 0.04, 4 / 3 * 0.04, 0.5]),
    ],
)
def test_each_method_by_hand(method, expected):
    assert adjust_p(P, method=method, family=ONE).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("method", ["bh", "by"])
def test_false_discovery_rates_equal_scipy(method):
    p = np.random.default_rng(3).random(40) ** 2
    ours = adjust_p(p, method=method, family=["x"] * 40)
    assert ours == pytest.approx(stats.false_discovery_control(p, method=method), rel=1e-12)


def test_families_are_adjusted_apart_in_any_order():
    ours = adjust_p([0.01, 0.2, 0.02], method="bonferroni", family=["b", "a", "b"])
    assert ours.tolist() == pytest.approx([0.02, 0.2, 0.04])


@pytest.mark.parametrize("method", [m for m in METHODS if m != "none"])
def test_a_missing_p_counts_and_stays_missing(method):
    ours = adjust_p([0.01, np.nan, 0.02], method=method, family=["f"] * 3)
    worst = adjust_p([0.01, 1.0, 0.02], method=method, family=["f"] * 3)
    assert np.isnan(ours[1])
    assert ours[[0, 2]].tolist() == worst[[0, 2]].tolist()


@pytest.mark.parametrize("method", METHODS)
def test_no_p_gets_smaller_and_order_is_kept(method):
    p = np.random.default_rng(5).random(60) ** 3
    ours = adjust_p(p, method=method, family=["x"] * 60)
    assert (ours >= p).all()
    assert (ours <= 1).all()
    assert (np.diff(ours[np.argsort(p)]) >= 0).all()


@pytest.mark.parametrize(
    ("p", "family"),
    [([0.1, 0.2], ["f"]), ([1.2], ["f"]), ([-0.1], ["f"]), ([0.1], [None]), (["a"], ["f"])],
)
def test_what_cannot_be_adjusted_is_an_error(p, family):
    with pytest.raises(ModelDataError):
        adjust_p(p, method="holm", family=family)


def test_an_unknown_method_is_an_error():
    with pytest.raises(InputError, match="holm"):
        adjust_p(P, method="sidak", family=ONE)
