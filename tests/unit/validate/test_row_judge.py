"""A judge that remembers what passed answers as the engine would that sees every row."""

import json

import numpy as np
import polars as pl
import pytest

from assayhouse.validate import row_judge, suites
from assayhouse.validate.engine import evaluate

BETWEEN = "expect_column_values_to_be_between"
GREATER = "expect_column_pair_values_a_to_be_greater_than_b"
LISTED = "expect_column_values_to_be_in_set"
ROWS = 9_000  # more than are shown at once


def rule(identifier, kind=BETWEEN, *, when=None, **kwargs):
    meta = {"id": identifier, "why": "because"} | ({} if when is None else {"when": when})
    return {"type": kind, "kwargs": kwargs, "severity": "warning", "meta": meta}


def load(folder, *rules):
    path = folder / "suite.json"
    path.write_text(json.dumps({"name": "test", "expectations": list(rules)}))
    return suites.load_suite(path)


RULES = (
    rule("B1", column="A", min_value=-3, max_value=3.5),
    rule("B2", column="N", min_value=0, strict_min=True),
    rule("B3", column="A", max_value=1e9),
    rule("P1", GREATER, column_A="A", column_B="B"),
    rule("P2", GREATER, column_A="N", column_B="M", or_equal=True),
    rule("P3", GREATER, column_A="N", column_B="B"),
    rule("W1", column="A", min_value=-1, when={"S": ["x", None]}),
    rule("S1", LISTED, column="S", value_set=["x", "y"]),
)


def numbers(rng, rows, odd):
    values = np.round(rng.normal(0, 2, rows), 1)
    places = rng.random(rows) < odd
    values[places] = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], places.sum())
    return pl.Series(values).fill_nan(None) if odd < 0.05 else pl.Series(values)


def batch(rng, rows, odd):
    return pl.DataFrame(
        {
            "A": numbers(rng, rows, odd),
            "B": numbers(rng, rows, odd),
            "N": pl.Series(rng.integers(-5, 60, rows)).replace({0: None}),
            "M": pl.Series(rng.integers(-5, 60, rows)).replace({3: None}),
            "S": pl.Series(rng.choice(["x", "y", "z"], rows)).replace({"z": None}),
        }
    )


def asked_in_full(frame, suite):
    """Rows that break each rule when the engine sees all of them."""
    found = {}
    for item in suite.row_rules:
        rows = frame.with_row_index("__row").filter(suites_condition(item))
        verdict = evaluate(rows, [item])[item.rule_id]
        found[item.rule_id] = (verdict.rows, verdict.n, verdict.problem is None)
    return found


def suites_condition(item):
    parts = [pl.col(name).is_in(list(v), nulls_equal=True) for name, v in item.when.items()]
    return pl.all_horizontal(parts) if parts else pl.lit(value=True)


@pytest.mark.parametrize("odd", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("sizes", [(50, 50, 50, 1, 200), (ROWS, ROWS)])
def test_every_batch_is_answered_as_by_the_engine_alone(tmp_path, odd, sizes):
    rng = np.random.default_rng([len(sizes), int(100 * odd)])
    suite = load(tmp_path, *RULES)
    judge = row_judge.RowJudge(suite)
    for rows in sizes:
        frame = batch(rng, rows, odd)
        answers = {item.rule_id: (item.rows, item.n, True) for item in judge.check(frame)}
        assert answers == asked_in_full(frame, suite)


@pytest.fixture
def shown(monkeypatch):
    """Rows that the engine is shown, one entry per question."""
    seen = []

    def watched(frame, rules):
        seen.append(frame.height)
        return evaluate(frame, rules)

    monkeypatch.setattr(row_judge, "evaluate", watched)
    return seen


def test_rows_between_rows_that_passed_are_not_shown_again(tmp_path, shown):
    judge = row_judge.RowJudge(load(tmp_path, rule("R", column="A", max_value=10)))
    values = np.linspace(0, 9, ROWS)
    assert judge.check(pl.DataFrame({"A": values}))[0].passed
    assert judge.check(pl.DataFrame({"A": values[::-1]}))[0].passed
    assert shown == [2]
    (result,) = judge.check(pl.DataFrame({"A": [1.0, 9.5, 11.0, 2.0]}))
    assert result.rows == (2,)
    assert shown == [2, 2]


def test_where_an_outermost_row_fails_every_row_is_shown(tmp_path, shown):
    judge = row_judge.RowJudge(load(tmp_path, rule("R", column="A", max_value=10)))
    values = np.linspace(0, 11, ROWS)
    (result,) = judge.check(pl.DataFrame({"A": values}))
    assert result.rows == tuple(np.flatnonzero(values > 10).tolist())
    assert shown == [2, ROWS]


def test_a_rule_of_another_kind_sees_every_row(tmp_path, shown):
    judge = row_judge.RowJudge(load(tmp_path, rule("R", LISTED, column="A", value_set=["x"])))
    for _ in range(2):
        assert judge.check(pl.DataFrame({"A": ["x"] * ROWS}))[0].passed
    assert shown == [ROWS, ROWS]


def test_a_rule_without_an_answer_says_so_on_every_batch(tmp_path):
    judge = row_judge.RowJudge(load(tmp_path, rule("R", column="A", min_value="much")))
    frame = pl.DataFrame({"A": [None, None]}, schema={"A": pl.Float64})
    assert [judge.check(frame)[0].passed for _ in range(2)] == [None, None]


def test_a_rule_that_looks_at_no_row_is_asked_once(tmp_path, shown):
    judge = row_judge.RowJudge(load(tmp_path, rule("R", column="A", min_value=0)))
    frame = pl.DataFrame({"A": [None] * 5}, schema={"A": pl.Float64})
    assert [judge.check(frame)[0].n for _ in range(3)] == [0, 0, 0]
    assert shown == [1]
