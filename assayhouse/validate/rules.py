"""One suite of plausibility rules as declared in ``expectations/<layer>/<relation>.json``.

Holds and checks declarations. Evaluates nothing and imports no rule engine, so that definitions
load fast.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import polars as pl

from assayhouse.contracts.documents import Document
from assayhouse.contracts.terminology import Parameter
from assayhouse.errors import DeclarationError

ASSAY = ("companions", "assay_checks")  # read by assayhouse.contracts.assay_checks
SEVERITIES = ("critical", "warning")
SCOPES = ("rows", "aggregate")
MEASURES = ("count", "null_pct", "pct_equal", "distinct", "min", "max", "mean", "sum")
DISTINCT_CAP = 1000
ROW_TYPES = (
    "expect_column_values_",
    "expect_column_value_lengths_",
    "expect_column_pair_values_",
    "expect_multicolumn_sum_",
    "expect_select_column_values_",
)
_UNFIT_FOR_ROWS = ("unique", "increasing", "decreasing")
_COLUMN_KEYS = ("column", "column_A", "column_B")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number per group: what is measured of which column, and its name in the rule."""

    name: str
    measure: str
    column: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One plausibility rule.

    Parameters
    ----------
    rule_id, why : str
        Identifier within the project, and the reason in words a laboratory understands.
    severity : str
        ``critical`` or ``warning``.
    type : str
        Name of the expectation.
    kwargs : mapping
        Its arguments.
    when : mapping of str to tuple
        Only rows whose column holds one of the values are looked at; empty for every row.
    by : tuple of str
        Grouping columns of an aggregate rule.
    measures : tuple of Measure
        Numbers an aggregate rule looks at; empty for a rule on rows.
    """

    rule_id: str
    why: str
    severity: str
    type: str
    kwargs: Mapping[str, object]
    when: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()

    @property
    def is_aggregate(self) -> bool:
        """Whether the rule looks at numbers per group and not at rows."""
        return bool(self.measures)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the expectation itself names."""
        named = [str(self.kwargs[key]) for key in _COLUMN_KEYS if key in self.kwargs]
        listed = self.kwargs.get("column_list", ())
        return tuple(dict.fromkeys([*named, *map(str, cast("list[object]", listed))]))

    @property
    def source_columns(self) -> tuple[str, ...]:
        """Columns of the checked frame that the rule needs."""
        if not self.is_aggregate:
            return tuple(dict.fromkeys([*self.columns, *self.when]))
        measured = [item.column for item in self.measures if item.column is not None]
        return tuple(dict.fromkeys([*self.by, *self.when, *measured]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Columns of ``terms/parameters.csv`` joined to the rows before their rules are evaluated.

    Parameters
    ----------
    on : mapping of str to str
        Column of the frame to column of the parameters. Joining on the unit as well leaves the
        limits empty, and their rules silent, for a result in another unit.
    columns : tuple of str
        Columns taken over.
    rows : DataFrame or None
        The parameters; None when the suite was loaded without them.
    """

    on: Mapping[str, str]
    columns: tuple[str, ...]
    rows: pl.DataFrame | None = field(default=None, compare=False, repr=False)

    def join(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add the columns, row for row; a frame without the joining columns stays as it is."""
        if self.rows is None or any(name not in frame.columns for name in self.on):
            return frame
        return frame.join(
            self.rows.select(*self.on.values(), *self.columns),
            left_on=list(self.on),
            right_on=list(self.on.values()),
            how="left",
            maintain_order="left",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Every plausibility rule of one relation."""

    name: str
    rules: tuple[Rule, ...]
    lookups: tuple[Lookup, ...] = ()
    where: str = ""

    @property
    def row_rules(self) -> tuple[Rule, ...]:
        """Rules on single rows."""
        return tuple(rule for rule in self.rules if not rule.is_aggregate)

    def problems(self, columns: tuple[str, ...]) -> list[str]:
        """Rules that name a column which neither the relation nor a lookup has, in words."""
        known = {*columns, *(name for lookup in self.lookups for name in lookup.columns)}
        found = []
        for rule in self.rules:
            absent = [name for name in rule.source_columns if name not in known]
            if absent:
                found.append(f"{self.where} ({rule.rule_id}): no column {', '.join(absent)}.")
        return found

    @property
    def aggregate_rules(self) -> tuple[Rule, ...]:
        """Rules on numbers per group of the whole table."""
        return tuple(rule for rule in self.rules if rule.is_aggregate)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """What one rule said.

    Parameters
    ----------
    rule_id, why, severity : str
        As declared.
    passed : bool or None
        None: the rule could not be evaluated, which says nothing about the data.
    n_unexpected, n : int
        Rows (or groups, for an aggregate rule) that break the rule, and that were looked at.
    rows : tuple of int
        Positions of the rows that break it, counted from 0 in the frame; empty for an aggregate.
    message : str
        The finding in words, without any value of a subject.
    """

    rule_id: str
    why: str
    severity: str
    passed: bool | None
    n_unexpected: int
    n: int
    rows: tuple[int, ...]
    message: str


def read_suite(path: Path, *, parameters: Mapping[str, Parameter] | None = None) -> Suite:
    """Read and check one suite.

    Parameters
    ----------
    path : Path
        JSON file.
    parameters : mapping of str to Parameter, optional
        Parameters of the study; without them, rules on joined limits cannot be evaluated.

    Raises
    ------
    DeclarationError
        The file is not JSON, a key is unknown or missing, an id occurs twice, or a rule on rows
        is one that batches cannot answer.
    """
    document = _document(path).only("name", "expectations", "lookups", *ASSAY)
    rules = tuple(_rule(part) for part in document.parts("expectations"))
    identifiers = [rule.rule_id for rule in rules]
    twice = sorted({name for name in identifiers if identifiers.count(name) > 1})
    if twice:
        message = f"{path}: the id {', '.join(twice)} occurs twice. Give each rule its own."
        raise DeclarationError(message)
    table = None if parameters is None else parameter_table(parameters)
    return Suite(
        name=document.text("name"),
        rules=rules,
        lookups=tuple(_lookup(part, table) for part in document.parts("lookups")),
        where=str(path),
    )


def parameter_table(parameters: Mapping[str, Parameter]) -> pl.DataFrame:
    """Parameters of a study as a frame to join, one row per PARAMCD and unit."""
    schema = {
        "PARAMCD": pl.String,
        "unit": pl.String,
        "scale": pl.String,
        "lloq": pl.Float64,
        "uloq": pl.Float64,
        "low_plausible": pl.Float64,
        "high_plausible": pl.Float64,
    }
    rows = [{name: getattr(item, name) for name in schema} for item in parameters.values()]
    return pl.DataFrame(rows, schema=schema)


def _document(path: Path) -> Document:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path}: not readable as JSON. Correct the file."
        raise DeclarationError(message) from error
    if not isinstance(loaded, dict):
        message = f"{path}: an object is expected at the top of the file."
        raise DeclarationError(message)
    return Document(cast("dict[str, object]", loaded), str(path))


def _rule(document: Document) -> Rule:
    document.only("type", "kwargs", "severity", "meta")
    meta = document.part("meta").only("id", "why", "on", "when", "aggregate")
    scope = meta.choice("on", SCOPES, "rows")
    aggregate = meta.part("aggregate").only("by", "columns")
    kwargs = document.part("kwargs")
    when = meta.part("when")
    rule = Rule(
        rule_id=meta.text("id"),
        why=meta.text("why"),
        severity=document.choice("severity", SEVERITIES),
        type=document.text("type"),
        kwargs={name: kwargs.raw(name) for name in kwargs},
        when={name: _values(when, name) for name in when},
        by=aggregate.texts("by"),
        measures=_measures(aggregate.part("columns")),
    )
    _check(rule, scope, document.where)
    return rule


def _values(document: Document, name: str) -> tuple[object, ...]:
    value = document.raw(name)
    return tuple(value) if isinstance(value, list) else (value,)


def _measures(document: Document) -> tuple[Measure, ...]:
    found = []
    for name in document:
        part = document.part(name).only("measure", "column", "value")
        measure = part.choice("measure", MEASURES)
        found.append(
            Measure(
                name=name,
                measure=measure,
                column=None if measure == "count" else part.text("column"),
                value=part.text("value") if measure == "pct_equal" else None,
            )
        )
    return tuple(found)


def _check(rule: Rule, scope: str, where: str) -> None:
    for holds, problem in (*_scope_problems(rule, scope), *_argument_problems(rule)):
        if not holds:
            message = f"{where} ({rule.rule_id}): {problem}"
            raise DeclarationError(message)


def _scope_problems(rule: Rule, scope: str) -> tuple[tuple[bool, str], ...]:
    by_row = not rule.is_aggregate
    type_fits = rule.type.startswith(ROW_TYPES) and not any(
        word in rule.type for word in _UNFIT_FOR_ROWS
    )
    return (
        (
            by_row == (scope == "rows"),
            "on: aggregate goes with meta.aggregate.columns, rows without.",
        ),
        (
            not by_row or type_fits,
            f"{rule.type} cannot be answered batch by batch; use an aggregate.",
        ),
        (
            not by_row or "mostly" not in rule.kwargs,
            "mostly means another thing per batch; use an aggregate.",
        ),
    )


def _argument_problems(rule: Rule) -> tuple[tuple[bool, str], ...]:
    known = {*rule.by, *(item.name for item in rule.measures)}
    loose = [name for name in rule.columns if name not in known] if rule.is_aggregate else []
    bounds = [rule.kwargs.get(name) for name in ("min_value", "max_value")]
    over = any(isinstance(bound, int | float) and bound >= DISTINCT_CAP for bound in bounds)
    counted = any(item.measure == "distinct" for item in rule.measures)
    return (
        (bool(rule.columns), "kwargs must name a column, column_A and column_B, or column_list."),
        (not loose, f"{', '.join(loose)} is not among the columns of meta.aggregate."),
        ("row_condition" not in rule.kwargs, "use meta.when in place of row_condition."),
        (
            not (counted and over),
            f"distinct values are counted up to {DISTINCT_CAP}; use a lower bound.",
        ),
    )


def _lookup(document: Document, table: pl.DataFrame | None) -> Lookup:
    document.only("on", "columns")
    lookup = Lookup(on=document.mapping("on"), columns=document.texts("columns"), rows=table)
    known = parameter_table({}).columns
    unknown = [name for name in (*lookup.on.values(), *lookup.columns) if name not in known]
    if unknown or not lookup.on:
        message = f"{document.where}: on and columns name columns of the parameters: {known}."
        raise DeclarationError(message)
    return lookup
