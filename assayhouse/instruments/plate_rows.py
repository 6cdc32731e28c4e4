"""What all plate exports share: one row per well and analyte, flags, limits, the result."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.plate_values import MASKED, NOTHING, parse_result, plain_number

Row: TypeAlias = dict[str, object]

WELLS = {
    "plate": pl.String,
    "well": pl.String,
    "type": pl.String,
    "sample": pl.String,
    "analyte": pl.String,
    "replicate": pl.Int64,
    "dilution": pl.Float64,
    "signal": pl.Float64,
    "signal_kind": pl.String,
    "background": pl.Float64,
    "expected_conc": pl.Float64,
    "reported_conc": pl.Float64,
    "reported_text": pl.String,
    "state": pl.String,
    "count": pl.Float64,
}
CURVES = {
    "plate": pl.String,
    "analyte": pl.String,
    "model": pl.String,
    "a": pl.Float64,
    "b": pl.Float64,
    "c": pl.Float64,
    "d": pl.Float64,
    "g": pl.Float64,
    "equation_text": pl.String,
}
MOST_ROWS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateRun:
    """One plate export.

    Parameters
    ----------
    format : str
        As `assayhouse.instruments.identify` names it.
    wells : polars.DataFrame
        One row per well, analyte and kind of signal.
    curves : polars.DataFrame
        Standard curves that the file prints; arguments of `from_bioplex`.
    metadata : dict
        Instrument, serial number, software, run, operator.
    flags : tuple of str
        Quirks, in order of discovery.
    """

    format: str
    wells: pl.DataFrame
    curves: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CURVES))
    metadata: Mapping[str, object] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class Draft:
    """Rows, curves and flags of an export while it is read."""

    wells: list[Row] = field(default_factory=list)
    curves: list[Row] = field(default_factory=list)
    flags: dict[str, None] = field(default_factory=dict)
    metadata: Row = field(default_factory=dict)
    seen: Counter[tuple[object, ...]] = field(default_factory=Counter)

    def flag(self, name: str) -> None:
        """Note a quirk once."""
        self.flags.setdefault(name)

    def add(self, row: Row, *, group: Sequence[object]) -> None:
        """Add a row; wells of one group are numbered as replicates in their order.

        Raises
        ------
        InstrumentFileError
            ``too_large``.
        """
        if len(self.wells) >= MOST_ROWS:
            message = f"the export holds more than {MOST_ROWS} results; export fewer plates"
            raise InstrumentFileError(message, code="too_large")
        if row.get("replicate") is None:
            key = (*group, row.get("analyte"), row.get("signal_kind"))
            self.seen[key] += 1
            row["replicate"] = self.seen[key]
        if row.get("state") == "not_available" and row.get("signal") is None:
            self.flag("missing_values")
        self.wells.append(row)

    def number(self, text: str) -> float | None:
        """Parse the number of a cell; None without one, and a flag where something else stands."""
        if text.lower() in NOTHING or text == MASKED:
            return None
        value = plain_number(text)
        if value is None:
            self.flag("unreadable_value")
        return value

    def count(self, text: str) -> int | None:
        """Parse a number of a replicate; None without one, and a flag where it can be none."""
        value = self.number(text)
        if value is None:
            return None
        if not (1 <= value <= MOST_ROWS and value == int(value)):
            self.flag("unreadable_value")
            return None
        return int(value)

    def result(self, text: str) -> tuple[float | None, str]:
        """Concentration and state of a printed result."""
        value, state = parse_result(text)
        if state is None:
            self.flag("unreadable_value")
            return None, "not_available"
        return value, state

    def finish(self, kind: str) -> PlateRun:
        """Make the frames.

        Raises
        ------
        InstrumentFileError
            ``truncated``: there is no well.
        """
        if not self.wells:
            message = "the export holds no well; export the run with its results"
            raise InstrumentFileError(message, code="truncated")
        return PlateRun(
            format=kind,
            wells=pl.DataFrame(self.wells, schema=WELLS),
            curves=pl.DataFrame(self.curves, schema=CURVES),
            metadata=self.metadata,
            flags=tuple(self.flags),
        )
