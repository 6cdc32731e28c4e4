"""What row rules say: the rules in words, faults of rows, and when a whole column is at fault."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

RULES = {
    "REQUIRED": "a required value is missing",
    "F07": "the row belongs to another study",
    "F13": "the value is not a number in the declared notation",
    "F14": "the identifier is not written as declared",
    "F16": "the symbol was turned into a date by a spreadsheet",
    "F17": "the symbol is not one of the declared list; the nearest is shown, never applied",
    "F18": "the date is in another order than declared, so day and month cannot be told apart",
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
# Rules that, broken by a whole column, say that the file is another than agreed; the others say
# something about its rows, however many they are.
WHOLE_COLUMN_RULES = ("F07", "F13", "F14")
FAULT_SCHEMA = pl.Schema(
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
    rosters: Mapping[str, frozenset[str] | pl.Series] = field(default_factory=dict)
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
    chances : mapping
        (column, rule) to the rows that could have broken the rule, where these are fewer than all
        rows: a notation of numbers shows in numbers only. To be summed over batches.
    """

    accepted: pl.DataFrame
    faults: pl.DataFrame
    chances: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """A rule that nearly every row breaks in one column: the column as a whole is wrong."""

    column: str
    rule: str
    n_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of one column; ``broken`` is true, false or null (not broken) per row."""

    column: str
    rule: str
    broken: pl.Expr
    disposition: str = "Q"
    expected: pl.Expr | str | None = None

    def faults(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Faults of rows that break the rule; no value of them is told."""
        expected = self.expected
        if not isinstance(expected, pl.Expr):
            expected = pl.lit(expected, dtype=pl.String)
        return rows.select(
            "source_line",
            pl.lit(self.column).alias("column"),
            pl.lit(self.rule).alias("rule"),
            pl.lit(self.disposition).alias("disposition"),
            pl.lit(RULES[self.rule]).alias("reason"),
            expected.cast(pl.String).alias("expected"),
        )


def find_faults(rows: pl.DataFrame, rules: Sequence[Rule]) -> tuple[pl.DataFrame, pl.Series | None]:
    """Ask every rule about every row.

    Returns
    -------
    tuple of (DataFrame, Series or None)
        Faults by line, and which rows may not enter; None where all may.
    """
    broken = rows.select(
        rule.broken.fill_null(value=False).alias(str(place)) for place, rule in enumerate(rules)
    )
    parts: list[pl.DataFrame] = []
    blocked: pl.Series | None = None
    for mask, rule in zip(broken.iter_columns(), rules, strict=True):
        if not mask.any():
            continue
        if rule.disposition != "W":
            blocked = mask if blocked is None else blocked | mask
        parts.append(rule.faults(rows.filter(mask)))
    if not parts:
        return pl.DataFrame(schema=FAULT_SCHEMA), blocked
    faults = pl.concat(parts).cast(FAULT_SCHEMA)
    return faults.sort("source_line", "column", "rule", maintain_order=True), blocked


def escalate(
    counts: Mapping[tuple[str, str], int],
    *,
    rows: int,
    chances: Mapping[tuple[str, str], int] | None = None,
) -> Escalation | None:
    """Name the column that nearly every row breaks: then the file is wrong, not its rows.

    Parameters
    ----------
    counts : mapping
        (column, rule) to the number of quarantined rows, over all batches.
    rows : int
        Rows of the file.
    chances : mapping or None
        Sum of the ``chances`` of all batches; all rows where a pair is not in it.
    """
    for (column, rule), n_rows in sorted(counts.items()):
        if rule not in WHOLE_COLUMN_RULES:
            continue
        possible = (chances or {}).get((column, rule), rows)
        # One row of another study says as much about a file as twenty.
        least = 1 if rule == "F07" else WHOLE_COLUMN_ROWS
        if possible >= least and n_rows >= WHOLE_COLUMN_SHARE * possible:
            return Escalation(column=column, rule=rule, n_rows=n_rows)
    return None
