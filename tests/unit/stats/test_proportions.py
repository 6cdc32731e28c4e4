"""Rates and their differences on counts small enough to check by hand."""

import json

import numpy as np
import pytest

from assayhouse.stats.errors import InputError
from assayhouse.stats.proportions import (
    risk_difference,
    risk_difference_counts,
    subset_table,
    wilson,
)

METHODS = ["newcombe", "mn", "sato", "wald"]


def test_wilson_solves_the_score_equation():
    lower, upper = wilson([3, 7], 10, z=1.5)
    for limit, y in ((lower[0], 3), (upper[0], 3), (lower[1], 7)):
        assert abs(y / 10 - limit) == pytest.approx(1.5 * np.sqrt(limit * (1 - limit) / 10))


def test_wilson_ends_exactly_at_nobody_and_everybody_and_has_no_limits_of_nothing():
    lower, upper = wilson([0, 11, 0], [11, 11, 0])
    assert (lower[0], upper[1]) == (0.0, 1.0)
    assert lower[1] == pytest.approx(11 / (11 + 1.959963984540054**2))
    assert np.isnan(lower[2])
    assert np.isnan(upper[2])


def test_rows_and_counts_give_one_result():
    response = [1, 1, 0, 0, 1, 0, 0, 1]
    arm = [1, 1, 1, 0, 0, 0, 1, 0]
    strata = ["b", "a", "a", "b", "a", "a", "b", "b"]
    rows = risk_difference(response, arm, strata)
    counts = risk_difference_counts([1, 1], [2, 2], [1, 1], [2, 2])
    assert rows.to_dict() == counts.to_dict()


def test_strata_of_several_columns_are_their_distinct_rows():
    columns = [["a", 1], ["a", 2], ["a", 1], ["a", 2]]
    found = risk_difference([1, 0, 1, 1], [1, 1, 0, 0], columns)
    assert found.n1.tolist() == [1, 1]
    assert found.n_strata_used == 2


@pytest.mark.parametrize("method", METHODS)
def test_a_stratum_without_an_arm_has_no_weight_and_is_counted(method):
    with_empty = risk_difference_counts([5, 6], [10, 12], [0, 4], [0, 11], method=method)
    without = risk_difference_counts(6, 12, 4, 11, method=method)
    assert with_empty.weights.tolist() == [0.0, 1.0]
    assert with_empty.n_strata_used == 1
    assert with_empty.warnings == ("1 of 2 strata have nobody in one arm and were left out.",)
    for name in ("estimate", "lower", "upper", "p_cmh"):
        assert getattr(with_empty, name) == getattr(without, name)


@pytest.mark.parametrize("method", METHODS)
def test_arms_where_nobody_or_everybody_responds_have_limits(method):
    for counts in ((5, 5, 0, 4), (0, 5, 4, 4), (0, 5, 0, 4), (5, 5, 4, 4)):
        found = risk_difference_counts(*counts, method=method)
        assert -1 <= found.lower <= found.estimate <= found.upper <= 1


def test_nothing_usable_is_nan_not_an_exception():
    found = risk_difference_counts([3], [5], [0], [0])
    assert np.isnan([found.estimate, found.lower, found.upper, found.p_cmh]).all()
    assert json.loads(json.dumps(found.to_dict()))["estimate"] is None


def test_missing_values_leave_their_rows_out_or_are_refused():
    arguments = ([1, None, 0, 1], [1, 1, 0, float("nan")])
    assert risk_difference(*arguments).n1.tolist() == [1]
    with pytest.raises(InputError, match="2 rows"):
        risk_difference(*arguments, missing="error")


def test_a_result_cannot_be_changed():
    found = risk_difference_counts(1, 2, 1, 2)
    with pytest.raises(ValueError, match="read-only"):
        found.weights[0] = 2.0


def test_the_subset_table_begins_with_everybody_and_keeps_the_order():
    table = subset_table(
        [1, 0, 1, 0, 1],
        [1, 1, 0, 0, 1],
        {"z": [True, False, True, True, None], "a": [0, 1, 0, 1, 1]},
    )
    assert [row.label for row in table.rows] == ["Overall", "z", "a"]
    assert [(row.n1, row.n0) for row in table.rows] == [(3, 2), (1, 2), (2, 1)]
    record = table.to_records()[0]
    assert list(record) == [
        "label", "n1", "y1", "n0", "y0", "estimate_pct", "lower_pct", "upper_pct", "method",
    ]  # fmt: skip
    assert record["estimate_pct"] == pytest.approx(100 / 6)


@pytest.mark.parametrize(
    "call",
    [
        lambda: risk_difference([1, 2], [0, 1]),
        lambda: risk_difference([1, 0], [0, 1, 1]),
        lambda: risk_difference([1, 0], [0, 1], method="exact"),
        lambda: risk_difference([1, 0], [0, 1], weights="equal"),
        lambda: risk_difference([1, 0], [0, 1], conf_level=1.0),
        lambda: risk_difference(["1", "0"], [0, 1]),
        lambda: risk_difference([1, float("inf")], [0, 1]),
        lambda: risk_difference_counts(3, 2, 1, 2),
        lambda: risk_difference_counts([1, 1], [2, 2], 1, 2),
        lambda: risk_difference_counts(1.5, 2, 1, 2),
        lambda: wilson(-1, 2),
        lambda: wilson(3, 2),
    ],
)
def test_what_is_no_count_is_refused(call):
    with pytest.raises(InputError):
        call()
