"""Answers of assay checks as findings: rows one by one, or groups of rows with their lines."""

from collections.abc import Iterable, Sequence

import polars as pl

from assayhouse.intake.assay_checks import LINE, Answer
from assayhouse.intake.findings import FileFault

MAX_RANGES = 12  # line ranges told in one message; the count is always told


def line_ranges(lines: Sequence[int]) -> str:
    """Write lines as ranges, the first of them.

    Examples
    --------
    >>> line_ranges([4, 5, 6, 9])
    'lines 4-6, 9'
    >>> line_ranges([7])
    'line 7'
    """
    ranges: list[list[int]] = []
    for line in sorted(lines):
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    told = ", ".join(
        f"{first}-{last}" if last > first else str(first) for first, last in ranges[:MAX_RANGES]
    )
    more = f" and {len(ranges) - MAX_RANGES} more ranges" if len(ranges) > MAX_RANGES else ""
    return f"line{'s' if len(lines) > 1 else ''} {told}{more}"


def grouped_faults(answer: Answer) -> list[FileFault]:
    """Make the findings of a check on groups of rows: one per group, with its lines and count."""
    rows, check = answer.rows, answer.check
    if rows is None or rows.is_empty() or check.per is None:
        return []
    parts = rows.partition_by(list(check.per), maintain_order=True) if check.per else [rows]
    return [
        FileFault(
            rule=check.rule,
            disposition=check.disposition,
            column=check.columns[0],
            source_line=int(part[LINE][0]),
            n_rows=part.height,
            message=f"{answer.reason}; {part.height} rows, {line_ranges(part[LINE].to_list())}",
        )
        for part in parts
    ]


def row_faults(answers: Iterable[Answer]) -> pl.DataFrame:
    """Faults of checks that tell rows one by one, in the shape of those of the row rules."""
    parts = [
        answer.rows.select(
            LINE,
            pl.lit(answer.check.columns[0]).alias("column"),
            pl.lit(answer.check.rule).alias("rule"),
            pl.lit(answer.check.disposition).alias("disposition"),
            pl.lit(answer.reason).alias("reason"),
            pl.lit(None, dtype=pl.String).alias("expected"),
        )
        for answer in answers
        if answer.rows is not None and answer.rows.height and answer.check.per is None
    ]
    if not parts:
        return pl.DataFrame()
    return pl.concat(parts).sort(LINE, "column", "rule", maintain_order=True)
