"""Row rules of a layout, compiled into vectorised expressions: which rows may enter, and as what.

Rules follow from the contract alone. What is plausible is judged elsewhere, after these rules.
"""

import re

import polars as pl

from assayhouse.contracts.vendor_file import ColumnSpec, LayoutSpec
from assayhouse.errors import DeclarationError
from assayhouse.intake import row_values as grammar
from assayhouse.intake.row_faults import (
    RULES,
    CheckedFrame,
    Escalation,
    Rule,
    RuleContext,
    escalate,
    find_faults,
)
from assayhouse.intake.row_symbols import symbol_rules
from assayhouse.intake.row_types import (
    add_types,
    has_blanks,
    is_below_limit,
    is_flagged,
    mapped,
    trimmed,
)

__all__ = [
    "RULES",
    "CheckedFrame",
    "Escalation",
    "RowRules",
    "RuleContext",
    "compile_rules",
    "escalate",
]


class RowRules:
    """Compiled rules of one layout; `check` may be called batch by batch."""

    def __init__(self, layout: LayoutSpec, context: RuleContext) -> None:
        self._layout = layout
        self._context = context
        self.skipped: tuple[str, ...] = tuple(
            f"needs {column.references}"
            for column in layout.columns
            if column.references and column.references not in context.rosters
        )
        self._rosters = {
            name: pl.Series(sorted(values), dtype=pl.String).implode()
            for name, values in context.rosters.items()
        }
        self._rules = [item for column in layout.columns for item in self._rules_of(column)]
        self._numeric = [
            column for column in layout.columns if column.type in {"number", "integer", "result"}
        ]

    def check(self, frame: pl.DataFrame) -> CheckedFrame:
        """Check rows and give the accepted ones their typed columns.

        Parameters
        ----------
        frame : DataFrame
            Declared columns as text, ``source_line``.
        """
        typed = add_types(frame, self._layout, self._context.terms)
        faults, blocked = find_faults(typed, self._rules)
        kept = [*frame.columns, *(name for c in self._layout.columns for name in c.typed_columns)]
        accepted = typed if blocked is None else typed.filter(~blocked)
        return CheckedFrame(
            accepted=accepted.select(kept), faults=faults, chances=self._chances(typed, faults)
        )

    def _chances(self, typed: pl.DataFrame, faults: pl.DataFrame) -> dict[tuple[str, str], int]:
        """Rows whose notation of numbers can be told: those with decimals, and those refused."""
        if not self._numeric:
            return {}
        told = typed.select(
            (number.is_not_null() if column.type == "integer" else number % 1 != 0)
            .sum()
            .alias(column.name)
            for column in self._numeric
            for number in (pl.col(_number_column(column)),)
        ).row(0, named=True)
        refused = faults.filter(pl.col("rule") == "F13")["column"].value_counts()
        counted = dict(refused.iter_rows())
        return {(name, "F13"): count + counted.get(name, 0) for name, count in told.items()}

    def _rules_of(self, column: ColumnSpec) -> list[Rule]:
        text = trimmed(column.name)
        blanks = has_blanks(column.name)
        rules = [Rule(column=column.name, rule="F41", broken=blanks, disposition="W")]
        if column.required:
            missing = "F32" if column.terms == "units" else "REQUIRED"
            rules.append(Rule(column=column.name, rule=missing, broken=text.is_null()))
        rules += self._identity_rules(column, text)
        rules += self._type_rules(column, text)
        rules += _range_rules(column)
        rules += self._date_rules(column, text)
        if column.type == "text" and self._context.treatment_words:
            pattern = _treatment_pattern(self._context.treatment_words)
            found = text.str.contains(pattern)
            rules.append(Rule(column=column.name, rule="F35", broken=found, disposition="R"))
        return rules

    def _identity_rules(self, column: ColumnSpec, text: pl.Expr) -> list[Rule]:
        name, rules = column.name, []
        if column.equals_study:
            study = self._context.study_id
            rules.append(Rule(column=name, rule="F07", broken=text.ne(study), expected=study))
        if column.pattern is not None:
            matched = text.str.contains(_checked_pattern(column, self._layout.where))
            rules.append(Rule(column=name, rule="F14", broken=~matched, expected=column.pattern))
        if column.codes:
            listed, codes = text.is_in(list(column.codes)), ", ".join(column.codes)
            rules.append(Rule(column=name, rule="CODE", broken=~listed, expected=codes))
        roster = self._rosters.get(column.references or "")
        if roster is not None:
            expected = f"a value of {column.references}"
            rules.append(
                Rule(column=name, rule="F21", broken=~text.is_in(roster), expected=expected)
            )
        return rules

    def _type_rules(self, column: ColumnSpec, text: pl.Expr) -> list[Rule]:
        if column.type == "flag":
            broken, expected = ~text.is_in(["Y", "N"]), "Y, N or empty"
            return [Rule(column=column.name, rule="CODE", broken=broken, expected=expected)]
        if column.type in {"number", "integer"}:
            return self._number_rules(column, text)
        if column.type == "code":
            return self._code_rules(column, text)
        if column.type == "result":
            return self._result_rules(column, text)
        return []

    def _number_rules(self, column: ColumnSpec, text: pl.Expr) -> list[Rule]:
        number, name = pl.col(column.typed_columns[0]), column.name
        odd = _where_null(text, number)
        sentinel = (
            number.cast(pl.Float64).is_in(list(grammar.SENTINELS_OF_NUMBERS)).fill_null(value=False)
        )
        absent = grammar.is_sentinel(odd)
        expected = f"{column.type}, decimal mark {self._layout.dialect.decimal}"
        return [
            Rule(column=name, rule="F13", broken=~absent, expected=expected),
            Rule(
                column=name,
                rule="F33",
                broken=sentinel | absent.fill_null(value=False),
                expected="empty for no value",
            ),
        ]

    def _result_rules(self, column: ColumnSpec, text: pl.Expr) -> list[Rule]:
        _, number, reason = (pl.col(name) for name in column.typed_columns)
        odd = _where_null(text, number, reason)
        other = grammar.is_other_notation(odd, self._layout.dialect)
        mark = f"a number with decimal mark {self._layout.dialect.decimal}"
        written = "a number, <number, >number or a reason code"
        rules = [
            Rule(column=column.name, rule="F13", broken=other, expected=mark),
            Rule(column=column.name, rule="F33", broken=~other, expected=written),
        ]
        if column.limit_column is not None:
            unflagged = is_below_limit(column) & ~is_flagged(column)
            rules.append(
                Rule(
                    column=column.name,
                    rule="F33-LIMIT",
                    broken=unflagged,
                    disposition="W",
                    expected=f"{column.flag_column or 'a flag'} = Y",
                )
            )
        return rules

    def _code_rules(self, column: ColumnSpec, text: pl.Expr) -> list[Rule]:
        name, present, term = column.name, text.is_not_null(), pl.col(column.typed_columns[0])
        if column.symbols:
            listed = self._context.terms.get(column.terms or "", {})
            return symbol_rules(column, text, term, listed)
        if column.terms != "units":
            expected = f"a term of the list {column.terms}"
            broken = present & term.is_null()
            return [Rule(column=name, rule="F25", broken=broken, expected=expected)]
        if column.unit_of is not None:
            declared = mapped(trimmed(column.unit_of), self._context.parameter_units)
            broken = present & declared.is_not_null() & term.ne_missing(declared)
            return [Rule(column=name, rule="F32", broken=broken, expected=declared)]
        if column.unit is None:
            broken = present & term.is_null()
            return [Rule(column=name, rule="F32", broken=broken, expected="a unit")]
        broken = present & term.ne_missing(column.unit)
        return [Rule(column=name, rule="F32", broken=broken, expected=column.unit)]

    def _date_rules(self, column: ColumnSpec, text: pl.Expr) -> list[Rule]:
        if column.type not in {"date", "datetime"}:
            return []
        name, value = column.name, pl.col(column.typed_columns[0])
        day = value.cast(pl.Date)
        written = column.date_format or ("YYYY-MM-DD" + "Thh:mm" * (column.type == "datetime"))
        other = grammar.is_other_order(_where_null(text, value), column)
        # A date that may be left out is read as missing, but never one that may be another day.
        kept = "Q" if column.required else "W"
        rules = [
            Rule(column=name, rule="F18", broken=other, expected=written),
            Rule(column=name, rule="F19", broken=~other, disposition=kept, expected=written),
        ]
        if column.not_before is not None:
            earlier = self._layout.column(column.not_before).typed_columns[0]
            broken, expected = (
                day < pl.col(earlier).cast(pl.Date),
                f"not before {column.not_before}",
            )
            rules.append(Rule(column=name, rule="F28", broken=broken, expected=expected))
        if self._context.today is not None:
            broken = day > self._context.today
            rules.append(Rule(column=name, rule="F28", broken=broken, expected="not in the future"))
        return rules


def _where_null(text: pl.Expr, *values: pl.Expr) -> pl.Expr:
    """Text that got none of its values; null in all other rows, where nothing is to be asked."""
    return pl.when(*(value.is_null() for value in values)).then(text)


def _number_column(column: ColumnSpec) -> str:
    return column.typed_columns[1 if column.type == "result" else 0]


def _range_rules(column: ColumnSpec) -> list[Rule]:
    if column.type not in {"number", "integer"}:
        return []
    value, name, rules = pl.col(column.typed_columns[0]), column.name, []
    if column.minimum is not None:
        broken, expected = value < column.minimum, f"at least {column.minimum:g}"
        rules.append(Rule(column=name, rule="RANGE", broken=broken, expected=expected))
    if column.maximum is not None:
        broken, expected = value > column.maximum, f"at most {column.maximum:g}"
        rules.append(Rule(column=name, rule="RANGE", broken=broken, expected=expected))
    return rules


def _treatment_pattern(words: tuple[str, ...]) -> str:
    # A dose is not found inside another number: 45 mg is not part of 0.45 mg.
    listed = "|".join(
        rf"(?:^|[^A-Za-z0-9{'.' if word[:1].isdigit() else ''}]){re.escape(word)}" for word in words
    )
    return rf"(?i)(?:{listed})(?:$|[^A-Za-z0-9])"


def _checked_pattern(column: ColumnSpec, where: str) -> str:
    """Whole-text pattern of a column; digits are those of ASCII."""
    pattern = f"^(?:{(column.pattern or '').replace(chr(92) + 'd', '[0-9]')})$"
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError as error:
        message = (
            f"{where}: the pattern of column {column.name} cannot be used: look-around and "
            "back-references are not known here. Write it without them."
        )
        raise DeclarationError(message) from error
    return pattern


def compile_rules(layout: LayoutSpec, context: RuleContext) -> RowRules:
    """Compile a layout's rules once, for any number of batches."""
    return RowRules(layout, context)
