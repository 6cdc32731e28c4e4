"""Rules on a whole table, from numbers per group that are gathered batch by batch.

Memory grows with the number of groups, never with the number of rows. Medians cannot be gathered
so and are not offered.
"""

from collections.abc import Mapping

import polars as pl

from assayhouse.validate.engine import Verdict, evaluate
from assayhouse.validate.rules import DISTINCT_CAP, Measure, Rule, RuleResult, Suite

_SHOWN = 5
_TELLABLE = frozenset({"count", "null_pct", "pct_equal", "distinct"})  # never one subject's value
_DIGITS = 12


def when_holds(when: Mapping[str, tuple[object, ...]]) -> pl.Expr:
    """Rows that a rule looks at."""
    parts = [pl.col(name).is_in(list(values), nulls_equal=True) for name, values in when.items()]
    return pl.all_horizontal(parts) if parts else pl.lit(value=True)


class Aggregates:
    """Gathers what the aggregate rules of a suite need, batch by batch.

    Parameters
    ----------
    suite : Suite
        Its aggregate rules are answered by :meth:`results`.
    """

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._gathered = {rule.rule_id: _Gathered(rule) for rule in suite.aggregate_rules}

    def update(self, frame: pl.DataFrame) -> None:
        """Take in one batch of rows."""
        for lookup in self._suite.lookups:
            frame = lookup.join(frame)
        for gathered in self._gathered.values():
            gathered.update(frame)

    def results(self) -> tuple[RuleResult, ...]:
        """Answer every aggregate rule from the batches so far."""
        return tuple(gathered.result() for gathered in self._gathered.values())


class _Gathered:
    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._partial: pl.DataFrame | None = None
        self._distinct: dict[str, pl.DataFrame] = {}
        self._problem: str | None = None

    def update(self, frame: pl.DataFrame) -> None:
        absent = [name for name in self._rule.source_columns if name not in frame.columns]
        if absent:
            self._problem = f"column {', '.join(absent)} is not there"
            return
        rows = frame.filter(when_holds(self._rule.when)) if self._rule.when else frame
        try:
            self._add(rows)
        except pl.exceptions.PolarsError:
            self._problem = "a measure does not fit the type of its column"

    def _add(self, rows: pl.DataFrame) -> None:
        parts = {name: part for item in self._rule.measures for name, part in _parts(item).items()}
        by = list(self._rule.by)
        first = [expression.alias(name) for name, (expression, _) in parts.items()]
        fresh = _grouped(rows, by, first)
        if self._partial is not None:
            again = [_merged(name, how) for name, (_, how) in parts.items()]
            fresh = _grouped(pl.concat([self._partial, fresh]), by, again)
        self._partial = fresh
        for item in self._rule.measures:
            if item.measure == "distinct" and item.column is not None:
                self._add_distinct(rows, item.name, item.column)

    def _add_distinct(self, rows: pl.DataFrame, name: str, column: str) -> None:
        seen = rows.select(*self._rule.by, column).drop_nulls(column).unique()
        if name in self._distinct:
            seen = pl.concat([self._distinct[name], seen]).unique()
        by = list(self._rule.by)
        self._distinct[name] = seen.group_by(by).head(DISTINCT_CAP) if by else seen[:DISTINCT_CAP]

    def result(self) -> RuleResult:
        if self._problem is not None:
            return rule_result(self._rule, Verdict(problem=self._problem))
        table = self._table()
        verdict = evaluate(table, [self._rule])[self._rule.rule_id]
        return rule_result(self._rule, verdict, detail=_detail(table, self._rule, verdict))

    def _table(self) -> pl.DataFrame:
        by = list(self._rule.by)
        if self._partial is None:
            return pl.DataFrame(schema=[*by, *(item.name for item in self._rule.measures)])
        table = self._partial
        for name, seen in self._distinct.items():
            counts = _grouped(seen, by, [pl.len().cast(pl.Int64).alias(name)])
            if by:
                table = table.join(counts, on=by, how="left", nulls_equal=True)
            else:
                table = table.join(counts, how="cross")
            table = table.with_columns(pl.col(name).fill_null(0))
        finished = [_finished(item) for item in self._rule.measures if item.measure != "distinct"]
        names = [item.name for item in self._rule.measures]
        table = table.with_columns(finished).select(*by, *names)
        return table.sort(by) if by else table


def _grouped(frame: pl.DataFrame, by: list[str], parts: list[pl.Expr]) -> pl.DataFrame:
    counted = parts or [pl.len().alias("rows")]
    return frame.group_by(by).agg(counted) if by else frame.select(counted)


def _merged(name: str, how: str) -> pl.Expr:
    column = pl.col(name)
    return {"sum": column.sum(), "min": column.min(), "max": column.max()}[how].alias(name)


def _parts(item: Measure) -> dict[str, tuple[pl.Expr, str]]:
    """Expressions that can be merged over batches, and how: what a measure is made from."""
    rows = {"rows": (pl.len().cast(pl.Int64), "sum")}
    column = pl.col(item.column or "")
    name = item.name
    nulls = column.is_null().cast(pl.Int64).sum()
    equal = (
        (column.cast(pl.String) == pl.lit(item.value or ""))
        .fill_null(value=False)
        .cast(pl.Int64)
        .sum()
    )
    extra: dict[str, dict[str, tuple[pl.Expr, str]]] = {
        "null_pct": {f"{name}/n": (nulls, "sum")},
        "pct_equal": {f"{name}/n": (equal, "sum")},
        "min": {f"{name}/min": (column.min(), "min")},
        "max": {f"{name}/max": (column.max(), "max")},
        "sum": {f"{name}/sum": (column.cast(pl.Float64).sum(), "sum")},
        "mean": {
            f"{name}/sum": (column.cast(pl.Float64).sum(), "sum"),
            f"{name}/n": (column.count().cast(pl.Int64), "sum"),
        },
    }
    return rows | extra.get(item.measure, {})


def _finished(item: Measure) -> pl.Expr:
    name = item.name
    if item.measure == "count":
        value = pl.col("rows")
    elif item.measure in {"null_pct", "pct_equal"}:
        value = 100.0 * pl.col(f"{name}/n") / pl.col("rows")
    elif item.measure == "mean":
        value = (pl.col(f"{name}/sum") / pl.col(f"{name}/n")).round_sig_figs(_DIGITS)
    else:
        value = pl.col(f"{name}/{item.measure}")
    return value.fill_nan(None).alias(name) if item.measure == "mean" else value.alias(name)


def _detail(table: pl.DataFrame, rule: Rule, verdict: Verdict) -> str:
    shown = [_group(table.row(row, named=True), rule) for row in verdict.rows[:_SHOWN]]
    more = len(verdict.rows) - len(shown)
    return "; ".join([*shown, f"and {more} more"] if more > 0 else shown)


def _group(row: dict[str, object], rule: Rule) -> str:
    named = ", ".join(f"{name}={row[name]}" for name in rule.by)
    told = [item for item in rule.measures if item.measure in _TELLABLE]
    numbers = ", ".join(f"{item.name} is {_short(row[item.name])}" for item in told)
    return " ".join(part for part in (numbers, f"for {named}" if named else "") if part)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def rule_result(rule: Rule, verdict: Verdict, *, detail: str = "") -> RuleResult:
    """Put a verdict into words."""
    unit = "groups" if rule.by else "table" if rule.is_aggregate else "rows"
    passed: bool | None = verdict.passed
    if verdict.problem is not None:
        passed, message = None, f"{rule.rule_id} could not be evaluated: {verdict.problem}."
    elif verdict.passed:
        message = f"{rule.rule_id} holds for {verdict.n} {unit}."
    else:
        told = f" ({detail})" if detail else ""
        message = (
            f"{rule.rule_id}: {verdict.n_unexpected} of {verdict.n} {unit}{told} break: {rule.why}"
        )
    return RuleResult(
        rule_id=rule.rule_id,
        why=rule.why,
        severity=rule.severity,
        passed=passed,
        n_unexpected=verdict.n_unexpected,
        n=verdict.n,
        rows=() if rule.is_aggregate else verdict.rows,
        message=message,
    )
