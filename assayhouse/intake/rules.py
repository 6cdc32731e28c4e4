"""Row rules of a layout, compiled into vectorised expressions: which rows may enter, and as what.

Rules follow from the contract alone. What is plausible is judged elsewhere, after these rules.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from assayhouse.contracts.vendor_file import ColumnSpec, LayoutSpec
from assayhouse.intake import row_values as grammar

RULES = {
    "REQUIRED": "a required value is missing",
    "F07": "the row belongs to another study",
    "F13": "the value is not a number in the declared notation",
    "F14": "the identifier is not written as declared",
    "F19": "the date is not complete or not possible in the declared format",
    "F21": "the value is not known from the deliveries it refers to",
    "F25": "the term is not on the declared list of spellings",
    "F28": "dates are out of order or in the future",
    "F32": "the unit is not the one declared for this value",
    "F33": "the result is no number, no limit and no known reason code",
    "F33-LIMIT": "a number below its limit of quantification came without the flag; taken as below",
    "F35": "the text holds a word of the treatment vocabulary",
    "F41": "blanks around the value were ignored",
    "CODE": "the value is not on the declared list of codes",
    "RANGE": "the value is outside the declared range",
}
WHOLE_COLUMN_SHARE, WHOLE_COLUMN_ROWS = 0.95, 20
_FAULT_SCHEMA = pl.Schema(
    {
        "source_line": pl.Int64(),
        "column": pl.String(),
        "rule": pl.String(),
        "disposition": pl.String(),
        "reason": pl.String(),
        "expected": pl.String(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleContext:
    """What the rules of a row need beside the row.

    Parameters
    ----------
    study_id : str
        The study the rows must belong to.
    terms : mapping
        Code lists by name: spelling to term. ``units`` and ``visits`` are among them.
    parameter_units : mapping
        Declared unit by parameter code.
    rosters : mapping
        ``layout.COLUMN`` to the accepted values; what is absent is skipped and said so.
    treatment_words : tuple of str
        Words that must not occur in text; empty where treatment is no secret.
    today : date or None
        Dates after it are in the future; None switches the rule off.
    """

    study_id: str
    terms: Mapping[str, Mapping[str, str]]
    parameter_units: Mapping[str, str]
    rosters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    treatment_words: tuple[str, ...] = ()
    today: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFrame:
    """Rows that may enter, and every fault found.

    Parameters
    ----------
    accepted : DataFrame
        Text columns as sent, typed columns beside, ``source_line``, ``line_span``.
    faults : DataFrame
        source_line, column, rule, disposition (Q, W or R), reason, expected.
    """

    accepted: pl.DataFrame
    faults: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """A rule that nearly every row breaks in one column: the column as a whole is wrong."""

    column: str
    rule: str
    n_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    column: str
    rule: str
    disposition: str
    broken: pl.Expr
    expected: pl.Expr


class RowRules:
    """Compiled rules of one layout; `check` may be called batch by batch."""

    def __init__(self, layout: LayoutSpec, context: RuleContext) -> None:
        self._layout = layout
        self._context = context
        self._today = context.today
        self.skipped: tuple[str, ...] = tuple(
            f"needs {column.references}"
            for column in layout.columns
            if column.references and column.references not in context.rosters
        )
        self._typed = [item for column in layout.columns for item in self._typed_columns(column)]
        self._rules = [item for column in layout.columns for item in self._rules_of(column)]

    def check(self, frame: pl.DataFrame) -> CheckedFrame:
        """Check rows and give the accepted ones their typed columns.

        Parameters
        ----------
        frame : DataFrame
            Declared columns as text, ``source_line``.
        """
        trimmed = frame.with_columns(
            pl.col(column.name).str.strip_chars().alias(f"{column.name}\x1et")
            for column in self._layout.columns
        ).with_columns(
            pl.when(_trimmed(column.name) != "")
            .then(_trimmed(column.name))
            .alias(f"{column.name}\x1et")
            for column in self._layout.columns
        )
        typed = trimmed.with_columns(self._typed)
        broken = typed.select(
            rule.broken.fill_null(value=False).alias(str(place))
            for place, rule in enumerate(self._rules)
        )
        faults, blocked = self._faults(typed, broken)
        kept = [*frame.columns, *(name for c in self._layout.columns for name in c.typed_columns)]
        accepted = typed if blocked is None else typed.filter(~blocked)
        return CheckedFrame(accepted=accepted.select(kept), faults=faults)

    def _faults(
        self, typed: pl.DataFrame, broken: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.Series | None]:
        parts, blocked = [], None
        for place, rule in enumerate(self._rules):
            mask = broken[str(place)]
            if not mask.any():
                continue
            if rule.disposition != "W":
                blocked = mask if blocked is None else blocked | mask
            parts.append(
                typed.filter(mask).select(
                    "source_line",
                    pl.lit(rule.column).alias("column"),
                    pl.lit(rule.rule).alias("rule"),
                    pl.lit(rule.disposition).alias("disposition"),
                    pl.lit(RULES[rule.rule]).alias("reason"),
                    rule.expected.cast(pl.String).alias("expected"),
                )
            )
        if not parts:
            return pl.DataFrame(schema=_FAULT_SCHEMA), blocked
        faults = pl.concat(parts, how="vertical_relaxed").match_to_schema(
            _FAULT_SCHEMA, missing_columns="insert"
        )
        return faults.sort("source_line", "column", "rule", maintain_order=True), blocked

    def _typed_columns(self, column: ColumnSpec) -> list[pl.Expr]:
        text, dialect = _trimmed(column.name), self._layout.dialect
        if column.type == "result":
            return self._result_columns(column)
        expressions: dict[str, pl.Expr] = {
            "number": grammar.as_number(text, dialect),
            "integer": grammar.as_integer(text),
            "date": grammar.as_date(text, column),
            "datetime": grammar.as_datetime(text, column),
            "code": text.replace_strict(
                dict(self._context.terms.get(column.terms or "", {})) or {"": ""},
                default=None,
                return_dtype=pl.String,
            ),
        }
        names = column.typed_columns
        return [expressions[column.type].alias(names[0])] if names else []

    def _result_columns(self, column: ColumnSpec) -> list[pl.Expr]:
        text, dialect = _trimmed(column.name), self._layout.dialect
        operator, number, reason = column.typed_columns
        below = self._below_limit(column)
        flagged = self._flagged(column)
        stated = grammar.result_operator(text)
        return [
            pl.when((below | flagged) & stated.ne(">"))
            .then(pl.lit("<"))
            .otherwise(stated)
            .alias(operator),
            grammar.result_number(text, dialect).alias(number),
            grammar.result_reason(text, column).alias(reason),
        ]

    def _below_limit(self, column: ColumnSpec) -> pl.Expr:
        """Whether a plain number lies below the limit in the same row."""
        if column.limit_column is None:
            return pl.lit(value=False)
        text, dialect = _trimmed(column.name), self._layout.dialect
        limit = grammar.as_number(_trimmed(column.limit_column), dialect)
        plain = grammar.result_operator(text).eq("")
        return (plain & (grammar.result_number(text, dialect) < limit)).fill_null(value=False)

    def _flagged(self, column: ColumnSpec) -> pl.Expr:
        if column.flag_column is None:
            return pl.lit(value=False)
        return _trimmed(column.flag_column).eq("Y").fill_null(value=False)

    def _rules_of(self, column: ColumnSpec) -> list[_Rule]:
        text, raw = _trimmed(column.name), pl.col(column.name)
        rules = [self._rule(column, "F41", (raw != raw.str.strip_chars()), disposition="W")]
        if column.required:
            rules.append(self._rule(column, "REQUIRED", text.is_null()))
        rules += self._identity_rules(column, text)
        rules += self._type_rules(column, text)
        rules += self._range_rules(column)
        rules += self._date_rules(column)
        if column.type == "text" and self._context.treatment_words:
            # A dose is not found inside another number: 45 mg is not part of 0.45 mg.
            words = "|".join(
                rf"(?:^|[^A-Za-z0-9{'.' if word[:1].isdigit() else ''}]){re.escape(word)}"
                for word in self._context.treatment_words
            )
            pattern = rf"(?i)(?:{words})(?:$|[^A-Za-z0-9])"
            rules.append(self._rule(column, "F35", text.str.contains(pattern), disposition="R"))
        return rules

    def _rule(
        self,
        column: ColumnSpec,
        rule: str,
        broken: pl.Expr,
        *,
        disposition: str = "Q",
        expected: str | pl.Expr | None = None,
    ) -> _Rule:
        wanted = expected if isinstance(expected, pl.Expr) else pl.lit(expected, dtype=pl.String)
        return _Rule(
            column=column.name,
            rule=rule,
            disposition=disposition,
            broken=broken,
            expected=wanted,
        )

    def _identity_rules(self, column: ColumnSpec, text: pl.Expr) -> list[_Rule]:
        rules = []
        if column.equals_study:
            study = self._context.study_id
            rules.append(self._rule(column, "F07", text.ne(study), expected=study))
        if column.pattern is not None:
            matched = text.str.contains(f"^(?:{column.pattern})$")
            rules.append(self._rule(column, "F14", ~matched, expected=column.pattern))
        if column.codes:
            listed = text.is_in(list(column.codes))
            rules.append(self._rule(column, "CODE", ~listed, expected=", ".join(column.codes)))
        roster = self._context.rosters.get(column.references or "")
        if roster is not None:
            known = text.is_in(pl.Series(sorted(roster), dtype=pl.String).implode())
            expected = f"a value of {column.references}"
            rules.append(self._rule(column, "F21", ~known, expected=expected))
        return rules

    def _type_rules(self, column: ColumnSpec, text: pl.Expr) -> list[_Rule]:
        typed = [pl.col(name) for name in column.typed_columns]
        present = text.is_not_null()
        if column.type == "flag":
            return [self._rule(column, "CODE", ~text.is_in(["Y", "N"]), expected="Y, N or empty")]
        if column.type in {"number", "integer"}:
            expected = f"{column.type}, decimal mark {self._layout.dialect.decimal}"
            return [self._rule(column, "F13", present & typed[0].is_null(), expected=expected)]
        if column.type in {"date", "datetime"}:
            expected = column.date_format or ("YYYY-MM-DD" + "Thh:mm" * (column.type == "datetime"))
            disposition = "Q" if column.required else "W"
            broken = present & typed[0].is_null()
            return [self._rule(column, "F19", broken, disposition=disposition, expected=expected)]
        if column.type == "code":
            return self._code_rules(column, present, typed[0])
        if column.type == "result":
            return self._result_rules(column, present)
        return []

    def _code_rules(self, column: ColumnSpec, present: pl.Expr, term: pl.Expr) -> list[_Rule]:
        if column.terms != "units":
            expected = f"a term of the list {column.terms}"
            return [self._rule(column, "F25", present & term.is_null(), expected=expected)]
        if column.unit_of is None:
            if column.unit is None:
                return [self._rule(column, "F32", present & term.is_null(), expected="a unit")]
            broken = present & term.ne_missing(column.unit)
            return [self._rule(column, "F32", broken, expected=column.unit)]
        declared = _trimmed(column.unit_of).replace_strict(
            dict(self._context.parameter_units) or {"": ""}, default=None, return_dtype=pl.String
        )
        broken = present & declared.is_not_null() & term.ne_missing(declared)
        return [self._rule(column, "F32", broken, expected=declared)]

    def _result_rules(self, column: ColumnSpec, present: pl.Expr) -> list[_Rule]:
        _, number, reason = column.typed_columns
        broken = present & pl.col(number).is_null() & pl.col(reason).is_null()
        rules = [
            self._rule(
                column, "F33", broken, expected="a number, <number, >number or a reason code"
            )
        ]
        if column.limit_column is not None:
            unflagged = self._below_limit(column) & ~self._flagged(column)
            expected = f"{column.flag_column or 'a flag'} = Y"
            rules.append(
                self._rule(column, "F33-LIMIT", unflagged, disposition="W", expected=expected)
            )
        return rules

    def _range_rules(self, column: ColumnSpec) -> list[_Rule]:
        if column.type not in {"number", "integer"}:
            return []
        value, rules = pl.col(column.typed_columns[0]), []
        if column.minimum is not None:
            broken, expected = value < column.minimum, f"at least {column.minimum:g}"
            rules.append(self._rule(column, "RANGE", broken, expected=expected))
        if column.maximum is not None:
            broken, expected = value > column.maximum, f"at most {column.maximum:g}"
            rules.append(self._rule(column, "RANGE", broken, expected=expected))
        return rules

    def _date_rules(self, column: ColumnSpec) -> list[_Rule]:
        if column.type not in {"date", "datetime"}:
            return []
        day, rules = pl.col(column.typed_columns[0]).cast(pl.Date), []
        if column.not_before is not None:
            other = self._layout.column(column.not_before).typed_columns[0]
            broken = day < pl.col(other).cast(pl.Date)
            expected = f"not before {column.not_before}"
            rules.append(self._rule(column, "F28", broken, expected=expected))
        if self._today is not None:
            rules.append(self._rule(column, "F28", day > self._today, expected="not in the future"))
        return rules


def _trimmed(name: str) -> pl.Expr:
    return pl.col(f"{name}\x1et")


def compile_rules(layout: LayoutSpec, context: RuleContext) -> RowRules:
    """Compile a layout's rules once, for any number of batches."""
    return RowRules(layout, context)


def escalate(counts: Mapping[tuple[str, str], int], *, rows: int) -> Escalation | None:
    """Name the column that nearly every row breaks: then the file is wrong, not its rows.

    Parameters
    ----------
    counts : mapping
        (column, rule) to the number of quarantined rows, over all batches.
    rows : int
        Rows of the file.
    """
    if rows < WHOLE_COLUMN_ROWS:
        return None
    for (column, rule), n_rows in sorted(counts.items()):
        if n_rows >= WHOLE_COLUMN_SHARE * rows:
            return Escalation(column=column, rule=rule, n_rows=n_rows)
    return None
