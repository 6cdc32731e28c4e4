"""Code lists of the declarations: parameters, units and their spellings, each with its source."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from assayhouse.errors import DeclarationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of terms/parameters.csv."""

    PARAMCD: str
    PARAM: str
    unit: str
    scale: str
    assay: str
    lloq: float | None
    uloq: float | None
    low_plausible: float | None
    high_plausible: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFactor:
    """One row of terms/units.csv: ``value in from_unit * factor = value in to_unit``."""

    from_unit: str
    to_unit: str
    factor: float
    source: str


SCALES = ("linear", "percent", "ratio", "log2", "ordinal", "binary")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None


def read_parameters(path: Path) -> dict[str, Parameter]:
    """Read terms/parameters.csv by PARAMCD."""
    found = {}
    for row in _rows(path):
        if row["scale"] not in SCALES:
            message = f"{path}: {row['PARAMCD']} has scale {row['scale']}; known: {SCALES}."
            raise DeclarationError(message)
        found[row["PARAMCD"]] = Parameter(
            PARAMCD=row["PARAMCD"],
            PARAM=row["PARAM"],
            unit=row["unit"],
            scale=row["scale"],
            assay=row["assay"],
            lloq=_number(row["lloq"]),
            uloq=_number(row["uloq"]),
            low_plausible=_number(row["low_plausible"]),
            high_plausible=_number(row["high_plausible"]),
        )
    return found


def read_term_table(path: Path) -> tuple[dict[str, str], ...]:
    """Read any other terms/<list>.csv: one row per term, the first column being the term.

    Raises
    ------
    DeclarationError
        The file has no row.
    """
    rows = tuple(_rows(path))
    if not rows:
        message = f"{path}: the list has no row. Add one, or remove the file."
        raise DeclarationError(message)
    return rows


def read_unit_factors(path: Path) -> tuple[UnitFactor, ...]:
    """Read terms/units.csv: conversions, each with its source."""
    return tuple(
        UnitFactor(
            from_unit=row["from_unit"],
            to_unit=row["to_unit"],
            factor=float(row["factor"]),
            source=row["source"],
        )
        for row in _rows(path)
    )


def read_spellings(path: Path) -> dict[str, str]:
    """Read terms/unit_spellings.csv: spelling to the term we use."""
    return {row["spelling"]: row["unit"] for row in _rows(path)}


def unit_terms(spellings: dict[str, str], units: Iterable[str]) -> dict[str, str]:
    """Spelling to unit, every unit being a spelling of itself."""
    return {unit: unit for unit in units} | spellings
