"""Rules on a whole table: numbers per group, gathered over batches without keeping the rows."""

import json

import polars as pl
import pytest

from assayhouse.errors import DeclarationError
from assayhouse.validate import suites
from assayhouse.validate.rules import DISTINCT_CAP

BETWEEN = "expect_column_values_to_be_between"


def load(folder, columns, *, by=(), when=None, **bounds):
    meta = {"id": "T1", "why": "because", "on": "aggregate"}
    meta["aggregate"] = {"by": list(by), "columns": columns}
    if when is not None:
        meta["when"] = when
    kwargs = {"column": next(iter(columns)), **bounds}
    expectation = {"type": BETWEEN, "kwargs": kwargs, "severity": "warning", "meta": meta}
    path = folder / "suite.json"
    path.write_text(json.dumps({"name": "test", "expectations": [expectation]}))
    return suites.load_suite(path)


def gathered(suite, *frames):
    aggregates = suites.Aggregates(suite)
    for frame in frames:
        aggregates.update(frame)
    (result,) = aggregates.results()
    return result


def holds_between(folder, frames, columns, low, high, **more):
    return gathered(load(folder, columns, min_value=low, max_value=high, **more), *frames).passed


TABLE = pl.DataFrame(
    {"G": ["a", "a", "b", "b"], "X": [1.0, None, 3.0, 8.0], "F": ["Y", "N", "Y", None]}
)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ({"measure": "count"}, 4),
        ({"measure": "null_pct", "column": "X"}, 25),
        ({"measure": "pct_equal", "column": "F", "value": "Y"}, 50),
        ({"measure": "distinct", "column": "F"}, 2),
        ({"measure": "min", "column": "X"}, 1),
        ({"measure": "max", "column": "X"}, 8),
        ({"measure": "sum", "column": "X"}, 12),
        ({"measure": "mean", "column": "X"}, 4),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_each_measure_is_that_of_the_whole_whatever_the_batches(tmp_path, measure, expected, size):
    frames = [TABLE[start : start + size] for start in range(0, 4, size)]
    assert holds_between(tmp_path, frames, {"m": measure}, expected, expected) is True
    assert holds_between(tmp_path, frames, {"m": measure}, expected + 1, None) is False


def test_groups_that_break_the_rule_are_named_with_their_share(tmp_path):
    share = {"blq_pct": {"measure": "pct_equal", "column": "F", "value": "Y"}}
    frame = pl.DataFrame({"P": ["IL2", "IL2", "IL21", "IL21"], "F": ["N", "Y", "Y", "Y"]})
    result = gathered(load(tmp_path, share, by=["P"], max_value=50), frame)
    assert (result.passed, result.n_unexpected, result.n, result.rows) == (False, 1, 2, ())
    assert "blq_pct is 100 for P=IL21" in result.message
    assert "P=IL2)" not in result.message


def test_a_smallest_or_largest_value_is_somebodys_and_is_not_told(tmp_path):
    suite = load(tmp_path, {"top": {"measure": "max", "column": "X"}}, by=["G"], max_value=5)
    result = gathered(suite, pl.DataFrame({"G": ["a"], "X": [98765.0]}))
    assert result.passed is False
    assert "G=a" in result.message
    assert "98765" not in result.message
    assert "9.88" not in result.message


def test_many_groups_are_counted_and_some_named(tmp_path):
    frame = pl.DataFrame({"G": [f"g{number:02d}" for number in range(12)]})
    result = gathered(load(tmp_path, {"n": {"measure": "count"}}, by=["G"], min_value=2), frame)
    assert result.n_unexpected == 12
    assert "and 7 more" in result.message


def test_a_group_may_be_the_absent_one(tmp_path):
    frame = pl.DataFrame({"G": ["a", None, None], "X": [1.0, 2.0, 2.0]})
    suite = load(tmp_path, {"v": {"measure": "distinct", "column": "X"}}, by=["G"], max_value=1)
    result = gathered(suite, frame[:2], frame[2:])
    assert (result.passed, result.n) == (True, 2)


def test_a_column_of_one_value_is_seen_across_batches(tmp_path):
    suite = load(tmp_path, {"v": {"measure": "distinct", "column": "X"}}, min_value=2)
    five = pl.DataFrame({"X": [5.0, 5.0]})
    assert gathered(suite, five, five).passed is False
    assert gathered(suite, five, pl.DataFrame({"X": [6.0]})).passed is True


def test_distinct_values_of_a_group_are_kept_up_to_a_cap(tmp_path):
    suite = load(tmp_path, {"v": {"measure": "distinct", "column": "X"}}, by=["G"], min_value=900)
    frame = pl.DataFrame({"G": ["a"] * 5000, "X": range(5000)})
    aggregates = suites.Aggregates(suite)
    aggregates.update(frame)
    kept = aggregates._gathered["T1"]._distinct["v"]
    assert kept.height == DISTINCT_CAP
    assert aggregates.results()[0].passed is True


def test_memory_grows_with_groups_and_not_with_rows(tmp_path):
    suite = load(tmp_path, {"m": {"measure": "mean", "column": "X"}}, by=["G"], max_value=1e9)
    aggregates = suites.Aggregates(suite)
    for start in range(5):
        aggregates.update(pl.DataFrame({"G": ["a", "b"] * 500, "X": range(start, start + 1000)}))
    assert aggregates._gathered["T1"]._partial.height == 2


def test_only_rows_that_meet_the_condition_count(tmp_path):
    columns = {"n": {"measure": "count"}}
    assert holds_between(tmp_path, [TABLE], columns, 2, 2, when={"F": ["Y"]}) is True
    assert holds_between(tmp_path, [TABLE], columns, 1, 1, when={"F": [None]}) is True


def test_no_batch_at_all_breaks_nothing_per_group(tmp_path):
    result = gathered(load(tmp_path, {"n": {"measure": "count"}}, by=["G"], min_value=1))
    assert (result.passed, result.n) == (True, 0)


@pytest.mark.parametrize(
    ("columns", "by"),
    [
        ({"m": {"measure": "mean", "column": "G"}}, []),
        ({"m": {"measure": "mean", "column": "absent"}}, []),
        ({"m": {"measure": "count"}}, ["absent"]),
    ],
)
def test_a_measure_that_does_not_fit_could_not_be_evaluated(tmp_path, columns, by):
    result = gathered(load(tmp_path, columns, by=by, min_value=0), TABLE)
    assert result.passed is None
    assert "could not be evaluated" in result.message


@pytest.mark.parametrize(
    ("columns", "bounds", "words"),
    [
        ({"m": {"measure": "median", "column": "X"}}, {}, "measure must be one of"),
        ({"m": {"measure": "mean"}}, {}, "column is required"),
        ({"m": {"measure": "pct_equal", "column": "X"}}, {}, "value is required"),
        ({"m": {"measure": "distinct", "column": "X"}}, {"min_value": 5000}, "counted up to"),
        ({"m": {"measure": "count"}}, {"column": "other"}, "other is not among"),
    ],
)
def test_a_measure_that_cannot_be_gathered_is_refused(tmp_path, columns, bounds, words):
    with pytest.raises(DeclarationError, match=words):
        load(tmp_path, columns, **bounds)


def test_a_table_in_memory_gets_rows_and_aggregates_at_once(tmp_path):
    suite = load(tmp_path, {"n": {"measure": "count"}}, min_value=4)
    row = {
        "type": BETWEEN,
        "kwargs": {"column": "X", "max_value": 5},
        "severity": "critical",
        "meta": {"id": "R1", "why": "because"},
    }
    path = tmp_path / "suite.json"
    document = json.loads(path.read_text())
    document["expectations"].append(row)
    path.write_text(json.dumps(document))
    suite = suites.load_suite(path)
    by_row, whole = suites.check_table(TABLE, suite)
    assert (by_row.rule_id, by_row.rows) == ("R1", (3,))
    assert (whole.rule_id, whole.passed) == ("T1", True)
    assert [item.rule_id for item in suite.aggregate_rules] == ["T1"]
