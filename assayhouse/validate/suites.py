"""A frame against the plausibility rules of its relation: what callers outside this package use.

Row rules are answered batch by batch (:class:`RowJudge`; :func:`check_batch` for a single batch),
rules on the whole table from numbers gathered over the batches (:class:`Aggregates`).
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.terminology import Parameter
from assayhouse.validate.aggregates import Aggregates
from assayhouse.validate.row_judge import RowJudge
from assayhouse.validate.rules import Lookup, Measure, Rule, RuleResult, Suite, read_suite

__all__ = [
    "Aggregates",
    "Lookup",
    "Measure",
    "RowJudge",
    "Rule",
    "RuleResult",
    "Suite",
    "check_batch",
    "check_table",
    "load_suite",
    "suite_for",
]


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
    return RowJudge(suite).check(frame)


def check_table(frame: pl.DataFrame, suite: Suite) -> tuple[RuleResult, ...]:
    """Evaluate every rule of a suite on a table that is in memory as a whole."""
    aggregates = Aggregates(suite)
    aggregates.update(frame)
    return (*check_batch(frame, suite), *aggregates.results())
