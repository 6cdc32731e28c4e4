"""Row rules answered batch by batch; the engine is asked only about rows whose answer is not known.

What passes a rule of limits is an interval, and of two compared columns every difference not below
one that passed. So the engine sees the rows beyond what it passed before: the outermost of them
first, and all of them where one of these breaks the rule. Whether a row passes is the engine's to
say, and never decided here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import cast

import polars as pl

from assayhouse.validate.aggregates import rule_result, when_holds
from assayhouse.validate.engine import Verdict, evaluate
from assayhouse.validate.rules import Rule, RuleResult, Suite

_INDEX = "__row"
_FEW = 4_096  # rows that are shown at once; of more, the outermost are shown first
_BETWEEN = "expect_column_values_to_be_between"
_GREATER = "expect_column_pair_values_a_to_be_greater_than_b"
_ARGUMENTS: Mapping[str, frozenset[str]] = {
    _BETWEEN: frozenset({"column", "min_value", "max_value", "strict_min", "strict_max"}),
    _GREATER: frozenset({"column_A", "column_B", "or_equal"}),
}


class RowJudge:
    """Answers the row rules of a suite on the batches of one table.

    Memory grows with the number of rules, never with the number of rows.

    Parameters
    ----------
    suite : Suite
        Its rules on aggregates are left to `Aggregates`.
    """

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        joined = [name for lookup in suite.lookups for name in lookup.on]
        named = [name for rule in suite.row_rules for name in rule.source_columns]
        self._columns = frozenset([*joined, *named])
        self._passed: dict[str, tuple[float, float]] = {}
        self._answered: set[str] = set()

    def check(self, frame: pl.DataFrame) -> tuple[RuleResult, ...]:
        """Evaluate the row rules on one batch; see `check_batch`."""
        frame = frame.select([name for name in frame.columns if name in self._columns])
        for lookup in self._suite.lookups:
            frame = lookup.join(frame)
        rules = self._suite.row_rules
        ordered = {
            rule.rule_id: position
            for rule in rules
            if frame.height and (position := _position(rule, frame.schema)) is not None
        }
        verdicts: dict[str, Verdict] = {}
        for group in _by_condition(rule for rule in rules if rule.rule_id not in ordered):
            verdicts |= _verdicts(frame, group)
        if ordered:
            asked = [rule for rule in rules if rule.rule_id in ordered]
            places = frame.select(item.alias(name) for name, item in ordered.items())
            verdicts |= self._ordered(frame, asked, places)
        return tuple(rule_result(rule, verdicts[rule.rule_id]) for rule in rules)

    def _ordered(
        self, frame: pl.DataFrame, rules: Sequence[Rule], places: pl.DataFrame
    ) -> dict[str, Verdict]:
        """Answer rules whose passing rows lie next to each other."""
        questions = [self._question(rule, places[rule.rule_id]) for rule in rules]
        self._ask(frame, questions)
        again = [item for item in questions if item.broken and item.shown < len(item.unknown)]
        for item in again:
            item.show_all()
        self._ask(frame, again)
        for item in questions:
            if item.problem is None:
                self._learn(item)
        return {item.rule.rule_id: item.verdict() for item in questions}

    def _question(self, rule: Rule, places: pl.Series) -> "_Question":
        passed = self._passed.get(rule.rule_id)
        unknown = places.is_not_null()
        if passed is not None:
            unknown &= ~places.is_between(*passed)
        question = _Question(rule=rule, places=places, unknown=unknown.arg_true())
        question.show_outermost()
        if not question.shown and rule.rule_id not in self._answered:
            # A rule that cannot be evaluated is to be told, though no row depends on it.
            question.rows = pl.Series([0], dtype=pl.UInt32)
        return question

    def _ask(self, frame: pl.DataFrame, questions: Sequence["_Question"]) -> None:
        """Show the engine the rows of all questions at once; a row more changes no answer."""
        asked = [item for item in questions if len(item.rows)]
        if not asked:
            return
        rows = pl.concat([item.rows for item in asked]).unique().sort()
        named = dict.fromkeys(name for item in asked for name in item.rule.columns)
        shown = frame.select([*named])[rows].with_columns(rows.alias(_INDEX))
        verdicts = evaluate(shown, [item.rule for item in asked])
        for item in asked:
            item.hear(verdicts[item.rule.rule_id])

    def _learn(self, question: "_Question") -> None:
        """Widen what is known to pass by the rows that passed."""
        name = question.rule.rule_id
        self._answered.add(name)
        held = question.held()
        if not len(held):
            return
        low, high = cast("float", held.min()), cast("float", held.max())
        if question.rule.type == _GREATER:
            high = inf
        known = self._passed.get(name, (low, high))
        self._passed[name] = (min(known[0], low), max(known[1], high))


@dataclass(slots=True, kw_only=True)
class _Question:
    """One rule, the rows of a batch whose answer is not known, and those that are shown."""

    rule: Rule
    places: pl.Series
    unknown: pl.Series
    rows: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.UInt32))
    broken: tuple[int, ...] = ()
    problem: str | None = None

    @property
    def shown(self) -> int:
        """Rows shown."""
        return len(self.rows)

    def show_all(self) -> None:
        """Show every row whose answer is not known."""
        self.rows = self.unknown

    def show_outermost(self) -> None:
        """Show the first and last in order, where they are many and have an order."""
        places = self.places.gather(self.unknown)
        first, last = places.arg_min(), places.arg_max()
        ordered = not (places.dtype.is_float() and places.is_nan().any())
        if len(places) > _FEW and ordered and first is not None and last is not None:
            self.rows = self.unknown[[first, last]].unique().sort()
        else:
            self.show_all()

    def hear(self, verdict: Verdict) -> None:
        """Take in the answer, as far as the rows are its own."""
        self.problem = verdict.problem
        if verdict.rows and self.problem is None:
            own = set(self.rows.to_list()) & set(self.unknown.to_list())
            self.broken = tuple(row for row in verdict.rows if row in own)

    def held(self) -> pl.Series:
        """Return the places of rows that were shown and passed."""
        shown = self.rows.filter(~self.rows.is_in(list(self.broken))) if self.broken else self.rows
        found = self.places.gather(shown).drop_nulls()
        return found.drop_nans() if found.dtype.is_float() else found

    def verdict(self) -> Verdict:
        """Return the answer for the batch."""
        if self.problem is not None:
            return Verdict(problem=self.problem)
        return Verdict(
            rows=self.broken,
            n=len(self.places) - self.places.null_count(),
            n_unexpected=len(self.broken),
            passed=not self.broken,
        )


def _position(rule: Rule, schema: pl.Schema) -> pl.Expr | None:
    """Give the number by which a rule of limits orders rows; null for rows it does not look at.

    None where the rule is of another kind, or its columns are no numbers.
    """
    if rule.type not in _ARGUMENTS or not rule.kwargs.keys() <= _ARGUMENTS[rule.type]:
        return None
    if any(name not in schema for name in rule.source_columns):
        return None
    types = [schema[name] for name in rule.columns]
    if all(kind.is_float() for kind in types):
        numbers = [pl.col(name).fill_nan(None) for name in rule.columns]
    elif all(kind.is_integer() for kind in types):
        # Wide enough for any difference.
        numbers = [pl.col(name).cast(pl.Int128) for name in rule.columns]
    else:
        return None
    position = numbers[0] if rule.type == _BETWEEN else numbers[0] - numbers[1]
    return pl.when(when_holds(rule.when)).then(position) if rule.when else position


def _by_condition(rules: Iterable[Rule]) -> list[list[Rule]]:
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
    """Show the engine every row that meets the rules' condition."""
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
