"""A frame against the plausibility rules of its relation: what callers outside this package use.

Row rules are answered batch by batch (:func:`check_batch`), rules on the whole table from numbers
gathered over the batches (:class:`Aggregates`).
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.terminology import Parameter
from assayhouse.validate.aggregates import Aggregates, rule_result, when_holds
from assayhouse.validate.engine import Verdict, evaluate
from assayhouse.validate.rules import Lookup, Measure, Rule, RuleResult, Suite, read_suite

__all__ = [
    "Aggregates",
    "Lookup",
    "Measure",
    "Rule",
    "RuleResult",
    "Suite",
    "check_batch",
    "check_table",
    "load_suite",
    "suite_for",
]

_INDEX = "__row"


def load_suite(path: Path, *, parameters: Mapping[str, Parameter] | None = None) -> Suite:
    """Read one suite; see :func:`assayhouse.validate.rules.read_suite`."""
    return read_suite(path, parameters=parameters)


def suite_for(declarations: Declarations, relation: str) -> Suite | None:
    """Suite of a relation with the study's limits joined in, or None where it has no rules."""
    path = declarations.suite_path(relation)
    return None if path is None else read_suite(path, parameters=declarations.parameters)


def check_batch(frame: pl.DataFrame, suite: Suite) -> tuple[RuleResult, ...]:
    """Evaluate the row rules of a suite on one batch of rows.

    Parameters
    ----------
    frame : DataFrame, shape (rows, columns)
        Rows that obey the contract of their relation.
    suite : Suite
        Rules; those on aggregates are left to :class:`Aggregates`.

    Returns
    -------
    tuple of RuleResult
        One per row rule, in the order of the suite; ``rows`` are positions in ``frame``.
    """
    for lookup in suite.lookups:
        frame = lookup.join(frame)
    verdicts: dict[str, Verdict] = {}
    for group in _by_condition(suite.row_rules):
        verdicts |= _verdicts(frame, group)
    return tuple(rule_result(rule, verdicts[rule.rule_id]) for rule in suite.row_rules)


def check_table(frame: pl.DataFrame, suite: Suite) -> tuple[RuleResult, ...]:
    """Evaluate every rule of a suite on a table that is in memory as a whole."""
    aggregates = Aggregates(suite)
    aggregates.update(frame)
    return (*check_batch(frame, suite), *aggregates.results())


def _by_condition(rules: tuple[Rule, ...]) -> list[list[Rule]]:
    groups: list[list[Rule]] = []
    for rule in rules:
        for group in groups:
            if group[0].when == rule.when:
                group.append(rule)
                break
        else:
            groups.append([rule])
    return groups


def _verdicts(frame: pl.DataFrame, rules: list[Rule]) -> dict[str, Verdict]:
    when = rules[0].when
    absent = [name for name in when if name not in frame.columns]
    if absent:
        problem = f"column {', '.join(absent)} is not there"
        return {rule.rule_id: Verdict(problem=problem) for rule in rules}
    if not when:
        return evaluate(frame, rules)
    needed = dict.fromkeys([*(name for rule in rules for name in rule.columns), *when])
    known = [name for name in needed if name in frame.columns]
    rows = frame.select(known).with_row_index(_INDEX).filter(when_holds(when))
    return evaluate(rows, rules)
