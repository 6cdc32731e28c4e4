"""What a population fit is told: the model in a file of YAML, and anybody's event table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import polars as pl

from assayhouse.commands.own_file import OwnTable, read_own
from assayhouse.commands.own_options import read_options, told_by_file
from assayhouse.commands.own_table import MISSING, require_columns
from assayhouse.commands.poppk_words import fault_lines
from assayhouse.errors import DeclarationError, OwnTableError
from assayhouse.pk.errors import EventTableError, UnitError
from assayhouse.pk.event_columns import EVENT_COLUMNS, REQUIRED
from assayhouse.pk.units import require_units

if TYPE_CHECKING:
    from assayhouse.pk import EventTable, FitOptions, ModelSpec

_KEYS = ("units", "model", "covariates", "subject_rule", "missing_covariates", "options")
_TOLD = (
    "One row per dose or sample; columns ID, TIME, EVID (1 dose, 0 sample), AMT, DV, and as "
    "needed MDV, BLQ, LLOQ, ADDL, II, SS, CMT and covariates."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A model's file, checked.

    Parameters
    ----------
    path : Path
        The file.
    units : mapping of str to str
        amt, dv, time.
    spec : ModelSpec
        The model.
    options : FitOptions
        Of the search.
    covariates : tuple of str
        Columns that are carried along, those of the model among them.
    subject_rule, missing_covariates : str
        As of `EventTable.from_frame`.
    """

    path: Path
    units: Mapping[str, Any]
    spec: "ModelSpec"
    options: "FitOptions"
    covariates: tuple[str, ...]
    subject_rule: Any
    missing_covariates: Any


def read_model(path: Path, *, starts: int | None) -> Declared:
    """Read the file that declares units, model and options.

    Parameters
    ----------
    path : Path
        File of YAML.
    starts : int or None
        In place of ``options.starts``.

    Raises
    ------
    DeclarationError
        With the file's name, what is wrong in it, and what is known.
    """
    from assayhouse.pk import FitOptions, ModelSpec  # noqa: PLC0415 - slow

    told: dict[str, Any] = dict(read_options(path))
    if not {"units", "model"} <= set(told) <= set(_KEYS):
        known = ", ".join(_KEYS[2:])
        _refuse(path, f"units and model are needed; known beside them are {known}")
    units = _units(path, told["units"])
    options = told.get("options") or {}
    names = [item.name for item in fields(FitOptions)]
    if not isinstance(options, dict) or not set(options) <= set(names):
        _refuse(path, f"options is a mapping; known in it are {', '.join(names)}")
    if starts is not None:
        options = {**options, "starts": starts}
    with told_by_file(path):
        spec, fit_options = ModelSpec.from_dict(told["model"]), FitOptions(**options)
    return Declared(
        path=path,
        units=units,
        spec=spec,
        options=fit_options,
        covariates=_covariates(path, told.get("covariates"), spec),
        subject_rule=told.get("subject_rule", "quantifiable"),
        missing_covariates=told.get("missing_covariates", "error"),
    )


def _refuse(path: Path, what: str) -> NoReturn:
    message = f"{path}: {what}. Nothing was written."
    raise DeclarationError(message)


def _units(path: Path, units: object) -> dict[str, Any]:
    if not isinstance(units, dict) or not {"amt", "dv"} <= set(units) <= {"amt", "dv", "time"}:
        _refuse(path, "units names amt, dv and, where it is not h, time")
    found = {"time": "h", **units}
    try:
        require_units(found["amt"], found["dv"], found["time"])
    except UnitError as error:
        _refuse(path, "units: " + " ".join(issue.message for issue in error.issues).rstrip("."))
    return found


def _covariates(path: Path, named: object, spec: "ModelSpec") -> tuple[str, ...]:
    listed = [] if named is None else named
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        _refuse(path, "covariates is a list of columns, as [WT, AGE]")
    return tuple(dict.fromkeys([*listed, *(effect.column for effect in spec.covariates)]))


def read_events(path: Path, declared: Declared) -> tuple[OwnTable, "EventTable"]:
    """Read an event table and check it.

    Parameters
    ----------
    path : Path
        CSV or parquet file.
    declared : Declared
        Names units and covariates.

    Returns
    -------
    (OwnTable, EventTable)
        The file's rows as they stand, and what is analysed of them.

    Raises
    ------
    OwnTableError
        Every fault, each with code, lines and remedy.
    DeclarationError
        A word of the model's file that is not known.
    """
    from assayhouse.pk import EventTable  # noqa: PLC0415 - slow

    needed = (*REQUIRED, *declared.covariates)
    table = read_own(path, wanted=(*EVENT_COLUMNS, *needed), told=_TOLD)
    require_columns(table, needed, told=_TOLD)
    if table.unit == "line":
        table = table.holding(_read_types(table.frame, declared.covariates))
    try:
        with told_by_file(declared.path):
            events = EventTable.from_frame(
                table.frame,
                amt_unit=declared.units["amt"],
                dv_unit=declared.units["dv"],
                time_unit=declared.units["time"],
                covariates=declared.covariates,
                subject_rule=declared.subject_rule,
                missing_covariates=declared.missing_covariates,
            )
    except DeclarationError as error:
        if not isinstance(error.__cause__, EventTableError):
            raise
        raise _faulty(table, error.__cause__) from None
    return table, events


def _faulty(table: OwnTable, error: EventTableError) -> OwnTableError:
    count = len(error.issues)
    rows = tuple(sorted({row for issue in error.issues for row in issue.rows}))
    message = (
        f"{table.path}: not an event table that can be used, for {count} "
        f"reason{'s' if count > 1 else ''}. Nothing was written."
    )
    return OwnTableError(message, rows=rows, details=tuple(fault_lines(table, error.issues)))


def _read_types(frame: pl.DataFrame, covariates: Sequence[str]) -> pl.DataFrame:
    """Nulls for what stands for a gap, and covariates as whole numbers, numbers or text."""
    known = frame.with_columns(pl.when(~pl.all().is_in(MISSING)).then(pl.all()))
    return known.with_columns(_narrowest(known[name]) for name in covariates)


def _narrowest(values: pl.Series) -> pl.Series:
    for kind in (pl.Int64, pl.Float64):
        read = values.cast(kind, strict=False)
        if read.null_count() == values.null_count():
            return read
    return values
