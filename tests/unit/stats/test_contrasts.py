"""Contrast rows of designs small enough to write down."""

from types import SimpleNamespace

import numpy as np
import pytest

from assayhouse.errors import ModelDataError
from assayhouse.stats.contrasts import contrast_matrix, least_squares_means
from assayhouse.stats.errors import InputError
from assayhouse.stats.robust import m_regression

ARMS = ["low", "none", "high", "none", "low", "none"]
BASE = [1.0, 2.0, 3.0, 4.0, 5.0, 9.0]
SITES = {"site": ["b", "a", "c", "b", "b", "a"]}


def test_columns_are_intercept_other_arms_base_and_levels_but_the_first():
    built = contrast_matrix(ARMS, BASE, SITES, reference="none")
    assert built.columns == ("intercept", "arm:high", "arm:low", "base", "site:b", "site:c")
    assert built.design[:, 0].tolist() == [1.0] * 6
    assert built.design[:, 1].tolist() == [0, 0, 1, 0, 0, 0]
    assert built.design[:, 2].tolist() == [1, 0, 0, 0, 1, 0]
    assert built.design[:, 3].tolist() == BASE
    assert built.design[:, 5].tolist() == [0, 0, 1, 0, 0, 0]


def test_labels_are_means_of_reference_and_others_then_differences():
    built = contrast_matrix(ARMS, BASE, SITES, reference="none")
    means = ("lsmean:none", "lsmean:high", "lsmean:low")
    assert built.labels == (*means, "diff:high", "diff:low")


def test_observed_weights_are_the_shares_of_the_levels():
    built = contrast_matrix(ARMS, BASE, SITES, reference="none", weights="om")
    assert built.matrix[0].tolist() == pytest.approx([1, 0, 0, 4, 3 / 6, 1 / 6])
    assert built.matrix[1].tolist() == pytest.approx([1, 1, 0, 4, 3 / 6, 1 / 6])


def test_equal_weights_are_one_over_the_number_of_levels():
    built = contrast_matrix(ARMS, BASE, SITES, reference="none", weights="equal")
    assert built.matrix[2].tolist() == pytest.approx([1, 0, 1, 4, 1 / 3, 1 / 3])


def test_differences_are_the_arm_columns_under_both_weights():
    for weights in ("om", "equal"):
        built = contrast_matrix(ARMS, BASE, SITES, reference="none", weights=weights)
        assert built.matrix[3:].tolist() == [[0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]]


def test_a_factor_with_one_level_adds_no_column():
    built = contrast_matrix(ARMS, BASE, {"sex": ["F"] * 6}, reference="none")
    assert built.columns == ("intercept", "arm:high", "arm:low", "base")


def test_the_reference_need_not_be_the_first_name():
    built = contrast_matrix(["a", "z"], [0.0, 0.0], {}, reference="z")
    assert built.columns[1] == "arm:a"
    assert built.design[:, 1].tolist() == [1.0, 0.0]


def test_one_arm_alone_has_a_mean_and_no_difference():
    built = contrast_matrix(["a", "a"], [1.0, 3.0], {}, reference="a")
    assert built.labels == ("lsmean:a",)
    assert built.matrix.tolist() == [[1.0, 2.0]]


def test_two_factors_stand_in_the_order_given():
    factors = {"y": ["1", "2"] * 3, "x": ["3", "4"] * 3}
    built = contrast_matrix(ARMS, BASE, factors, reference="none")
    assert built.columns[4:] == ("y:2", "x:4")


def test_means_and_variances_are_those_of_the_linear_combination():
    rng = np.random.default_rng(5)
    arms = np.repeat(["a", "b", "c"], 12)
    built = contrast_matrix(arms, rng.normal(size=36), {"s": ["u", "v"] * 18}, reference="a")
    fit = m_regression(built.design, rng.normal(size=(4, 36)))
    means = least_squares_means(fit, built)
    assert means.labels == built.labels
    for b in range(4):
        expected = built.matrix @ fit.coefficients[b]
        variance = np.diag(built.matrix @ fit.covariance[b] @ built.matrix.T)
        assert means.estimates[b] == pytest.approx(expected, rel=1e-13)
        assert means.variances[b] == pytest.approx(variance, rel=1e-12)


def test_a_mean_less_the_references_mean_is_the_difference():
    rng = np.random.default_rng(6)
    built = contrast_matrix(np.repeat(["a", "b"], 10), rng.normal(size=20), {}, reference="a")
    means = least_squares_means(m_regression(built.design, rng.normal(size=20)), built)
    reference, other, difference = means.estimates[0]
    assert other - reference == pytest.approx(difference, abs=1e-12)


def test_a_fit_of_another_design_is_an_error():
    built = contrast_matrix(ARMS, BASE, SITES, reference="none")
    fit = SimpleNamespace(coefficients=np.ones((1, 2)), covariance=np.ones((1, 2, 2)))
    with pytest.raises(ModelDataError, match="columns"):
        least_squares_means(fit, built)


def test_a_reference_that_nobody_is_in_is_an_error():
    with pytest.raises(ModelDataError, match="reference arm 'middle'"):
        contrast_matrix(ARMS, BASE, SITES, reference="middle")


@pytest.mark.parametrize("wrong", [[None, *ARMS[1:]], [1, 2, 3, 4, 5, 6]])
def test_arms_that_are_not_text_are_an_error_with_their_rows(wrong):
    with pytest.raises(ModelDataError, match="arms must be text") as caught:
        contrast_matrix(np.array(wrong, dtype=object), BASE, {}, reference="none")
    assert caught.value.rows[0] == 0


@pytest.mark.parametrize(
    ("base", "factors"),
    [(BASE[:5], {}), ([np.nan, *BASE[1:]], {}), (BASE, {"site": ["a", "b"]})],
)
def test_lengths_and_missing_values_are_errors(base, factors):
    with pytest.raises(ModelDataError):
        contrast_matrix(ARMS, base, factors, reference="none")


def test_unknown_weights_are_an_error():
    with pytest.raises(InputError, match="weights"):
        contrast_matrix(ARMS, BASE, {}, reference="none", weights="cells")
