"""Anybody's table as a cut-point search takes it: two arms, one row per subject, numbers.

What is left out is counted by reason, for the screen and for the record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from assayhouse.commands.own_file import OwnTable, read_own
from assayhouse.commands.own_table import MISSING, flags, numbers, require_columns, typed

if TYPE_CHECKING:
    from assayhouse.analysis.cut_point_spec import CutPointSpec

# Where no column of subjects is named, one of these is taken for it.
SUBJECTS = ("usubjid", "subjid", "subject", "subject_id", "patient", "patient_id", "id")
_TOLD = "One row per subject, with a header line that names marker, arm and response."
_LABELS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPointInput:
    """The rows that are searched, and what became of the others.

    Parameters
    ----------
    table : OwnTable
        Columns of the search, typed; 0 and 1 in the arm column.
    n_rows : int
        Rows of the file.
    other_arms : mapping of str to int
        Rows of arms that are not searched, by label.
    without_arm : int
        Rows whose arm is empty.
    gaps : mapping of str to mapping of str to int
        Per marker: rows of the two arms that it leaves out, by the column that is empty.
    used : mapping of str to int
        Per marker: rows with everything.
    subject : str
        Column by which it was checked that a subject has one row; empty where there was none.
    """

    table: OwnTable
    n_rows: int
    other_arms: Mapping[str, int]
    without_arm: int
    gaps: Mapping[str, Mapping[str, int]]
    used: Mapping[str, int]
    subject: str

    def counts(self) -> dict[str, Any]:
        """Return the counts for the record."""
        return {
            "rows": self.n_rows,
            "rows_of_other_arms": sum(self.other_arms.values()),
            "rows_without_arm": self.without_arm,
            "rows_used": dict(self.used),
            "rows_with_gaps": {name: dict(gaps) for name, gaps in self.gaps.items()},
            "subject_column": self.subject,
        }

    def words(self) -> list[str]:
        """Say what was left out, and why."""
        out = []
        if self.other_arms:
            labels = [f"{label} {count}" for label, count in self.other_arms.items()]
            more = ", ..." if len(labels) > _LABELS else ""
            shown = f"{', '.join(labels[:_LABELS])}{more}"
            out.append(f"{sum(self.other_arms.values())} of other arms ({shown})")
        if self.without_arm:
            out.append(f"{self.without_arm} without an arm")
        left = f"left out: {', '.join(out)}" if out else "none left out for its arm"
        told = [f"{self.n_rows} rows; {left}."]
        for marker, gaps in self.gaps.items():
            empty = ", ".join(f"{name} empty in {count}" for name, count in gaps.items() if count)
            why = f"; left out: {empty}" if empty else ""
            told.append(f"{marker}: {self.used[marker]} rows used{why}.")
        checked = f"Each subject has one row (column {self.subject})."
        unchecked = "Whether each subject has one row was not checked: no --subject was named."
        return [*told, checked if self.subject else unchecked]


def read_input(path: Path, spec: "CutPointSpec") -> CutPointInput:
    """Read the columns of a search.

    Parameters
    ----------
    path : Path
        CSV or parquet file.
    spec : CutPointSpec
        Names columns and arms.

    Raises
    ------
    OwnTableError
        A column that is missing or of another kind, an arm without rows, a subject given twice.
    """
    named = (*spec.columns, *([spec.subject] if spec.subject else []))
    read = read_own(path, wanted=named, told=_TOLD)
    require_columns(read, named)
    subject = spec.subject or _likely_subject(read)
    columns = dict.fromkeys((*spec.columns, *([subject] if subject else [])))
    given = read.holding(read.frame.select(pl.col(name).cast(pl.String) for name in columns))
    arms = given.frame[spec.arm].str.strip_chars()
    without_arm = arms.is_null() | arms.is_in(MISSING)
    table, other_arms = given, dict[str, int]()
    if spec.control:
        table, other_arms = _of_two_arms(given, arms, without_arm, spec)
    if subject:
        _require_one_row(table, subject)
    table = _typed(table.holding(table.frame.select(spec.columns)), spec)
    _require_both(table, spec)
    _require_times(table, spec)
    gaps = {marker: _gaps(table.frame, marker, spec) for marker in spec.marker}
    return CutPointInput(
        table=table,
        n_rows=read.frame.height,
        other_arms=other_arms,
        without_arm=int(without_arm.sum()),
        gaps=gaps,
        used={name: _complete(table.frame, name, spec) for name in spec.marker},
        subject=subject,
    )


def _likely_subject(table: OwnTable) -> str:
    """Name of a column that by its name holds subjects, and is not empty; or nothing."""
    there = [name for name in table.frame.columns if table.frame[name].count()]
    folded = {name.lower(): name for name in reversed(there)}
    return next((folded[name] for name in SUBJECTS if name in folded), "")


def _of_two_arms(
    table: OwnTable, arms: pl.Series, without_arm: pl.Series, spec: "CutPointSpec"
) -> tuple[OwnTable, dict[str, int]]:
    """Keep the rows of the two arms, as 0 and 1, and count those of others."""
    labels = {spec.control: "0", spec.active: "1"}
    counted = arms.filter(~without_arm).value_counts(sort=False).sort(spec.arm)
    found = {str(label): int(count) for label, count in counted.rows()}
    for label in labels:
        if label not in found:
            known = f"It holds {', '.join(found)}." if len(found) <= _LABELS else ""
            reason = f"no row of column {spec.arm} is {label}"
            raise table.refusal(reason, remedy=known)
    kept = table.only(arms.is_in(list(labels)).fill_null(value=False))
    coded = pl.col(spec.arm).str.strip_chars().replace_strict(labels)
    others = {label: count for label, count in found.items() if label not in labels}
    return kept.holding(kept.frame.with_columns(coded)), others


def _require_one_row(table: OwnTable, subject: str) -> None:
    names = table.frame[subject].str.strip_chars()
    other = "if another column holds the subjects, name it with --subject."
    unnamed = names.is_null() | names.is_in(MISSING)
    if unnamed.any():
        reason, remedy = f"column {subject} names no subject", f"Fill it; {other}"
        raise table.refusal(reason, rows=unnamed.arg_true().to_list(), remedy=remedy)
    twice = names.is_duplicated()
    if twice.any():
        reason = f"column {subject} names a subject more than once"
        remedy = f"Keep one row per subject, for example that of one visit; {other}"
        raise table.refusal(reason, rows=twice.arg_true().to_list(), remedy=remedy)


def _typed(table: OwnTable, spec: "CutPointSpec") -> OwnTable:
    binary = {spec.arm, spec.event} | ({spec.response} if spec.endpoint == "binary" else set())
    remedies = {spec.arm: "Name the labels of the two arms with --control and --active."}
    if spec.endpoint == "binary":
        remedies[spec.response] = "Code the response as 0 and 1, or name another --endpoint."
    for name in (name for name in spec.columns if name not in spec.strata):
        told = flags(name).cast(pl.Float64) if name in binary else numbers(name)
        wanted = "0 or 1" if name in binary else "a finite number"
        table = typed(table, name, told, wanted=wanted, remedy=remedies.get(name, ""))
    return table


def _require_both(table: OwnTable, spec: "CutPointSpec") -> None:
    for value, arm in ((0, "control"), (1, "active")):
        if not (table.frame[spec.arm] == value).any():
            reason = f"no row of the {arm} arm: column {spec.arm} holds no {value}"
            raise table.refusal(reason, remedy="The search compares two arms.")


def _require_times(table: OwnTable, spec: "CutPointSpec") -> None:
    negative = table.frame[spec.response] < 0
    if spec.endpoint == "survival" and negative.any():
        reason, rows = f"column {spec.response} holds a time below zero", negative.arg_true()
        remedy = "Count times from the start of observation."
        raise table.refusal(reason, rows=rows.to_list(), remedy=remedy)


def _needed(marker: str, spec: "CutPointSpec") -> Sequence[str]:
    return [marker, *(name for name in spec.columns if name not in spec.marker)]


def _gaps(frame: pl.DataFrame, marker: str, spec: "CutPointSpec") -> dict[str, int]:
    """Rows with an arm in which a column is empty; a row is counted at the first such column."""
    rest, counts = frame.filter(pl.col(spec.arm).is_not_null()), {}
    for name in (name for name in _needed(marker, spec) if name != spec.arm):
        counts[name] = rest[name].null_count()
        rest = rest.filter(pl.col(name).is_not_null())
    return counts


def _complete(frame: pl.DataFrame, marker: str, spec: "CutPointSpec") -> int:
    return frame.select(_needed(marker, spec)).drop_nulls().height
