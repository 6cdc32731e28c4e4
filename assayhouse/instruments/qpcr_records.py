"""What one qPCR run becomes: wells with their states, cycles, and the rules both obey."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from assayhouse.errors import InstrumentFileError

IMPLAUSIBLE_CQ = 3.0
NO_CQ = ("undetermined", "undet.", "no ct", "-")
_WELLS = {
    "run": pl.String,
    "well": pl.String,
    "sample": pl.String,
    "target": pl.String,
    "type": pl.String,
    "cq": pl.Float64,
    "quantity": pl.Float64,
    "state": pl.String,
}
_CYCLES = {
    "run": pl.String,
    "well": pl.String,
    "target": pl.String,
    "cycle": pl.Int64,
    "fluorescence": pl.Float64,
}
_PLACE = re.compile(r"^([A-Za-z]{1,2})0*([1-9][0-9]{0,2})$")
_THOUSANDS = re.compile(r"^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class QpcrRun:
    """Wells and cycles of one file.

    Parameters
    ----------
    format : str
        As `assayhouse.instruments.identify` names it.
    wells : polars frame
        ``run, well, sample, target, type, cq, quantity, state``; one row per well and target.
    cycles : polars frame
        ``run, well, target, cycle, fluorescence``; cycles that the file lacks are no rows.
    metadata : dict
        ``version``, ``instrument``, ``software``, ``run_id``, ``run_datetime``, ``operator`` and
        others, where the file has them.
    flags : tuple of str
        Quirks in order of discovery.
    """

    format: str
    wells: pl.DataFrame
    cycles: pl.DataFrame
    metadata: Mapping[str, object] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Well:
    """One well and target as read, before its state is known."""

    run: str
    well: str
    sample: str | None
    target: str | None
    type: str
    cq: float | None
    quantity: float | None
    excluded: bool = False


@dataclass(slots=True)
class Cycles:
    """Columns of the cycles, filled point by point."""

    run: list[str] = field(default_factory=list)
    well: list[str] = field(default_factory=list)
    target: list[str | None] = field(default_factory=list)
    cycle: list[int] = field(default_factory=list)
    fluorescence: list[float | None] = field(default_factory=list)

    def add(
        self, run: str, well: str, target: str | None, points: Sequence[tuple[int, float | None]]
    ) -> None:
        """Add the points of one well and target."""
        self.run.extend([run] * len(points))
        self.well.extend([well] * len(points))
        self.target.extend([target] * len(points))
        self.cycle.extend(cycle for cycle, _value in points)
        self.fluorescence.extend(value for _cycle, value in points)

    def frame(self) -> pl.DataFrame:
        """All points as a frame."""
        return pl.DataFrame(
            {
                "run": self.run,
                "well": self.well,
                "target": self.target,
                "cycle": self.cycle,
                "fluorescence": self.fluorescence,
            },
            schema=_CYCLES,
        )

    def last(self) -> dict[str, int]:
        """Last cycle of each run."""
        found: dict[str, int] = {}
        for run, cycle in zip(self.run, self.cycle, strict=True):
            found[run] = max(cycle, found.get(run, cycle))
        return found


def build_run(
    kind: str,
    wells: Sequence[Well],
    cycles: Cycles,
    *,
    metadata: Mapping[str, object],
    flags: tuple[str, ...] = (),
    last_cycle: int | None = None,
) -> QpcrRun:
    """Put states to wells and make the frames.

    ``last_cycle`` is given where the file says it beside the points, which may be an excerpt.
    """
    last = {run: max(cycle, last_cycle or cycle) for run, cycle in cycles.last().items()}
    implausible = any(well.cq is not None and well.cq <= IMPLAUSIBLE_CQ for well in wells)
    frame = pl.DataFrame(
        {
            "run": [well.run for well in wells],
            "well": [well.well for well in wells],
            "sample": [well.sample for well in wells],
            "target": [well.target for well in wells],
            "type": [well.type for well in wells],
            "cq": [well.cq for well in wells],
            "quantity": [well.quantity for well in wells],
            "state": [_state(well, last.get(well.run)) for well in wells],
        },
        schema=_WELLS,
    )
    found = (*flags, "implausible_cq") if implausible else flags
    return QpcrRun(
        format=kind,
        wells=frame,
        cycles=cycles.frame(),
        metadata={key: value for key, value in metadata.items() if value not in {None, ""}},
        flags=tuple(dict.fromkeys(found)),
    )


def _state(well: Well, last_cycle: int | None) -> str:
    if well.excluded:
        return "excluded"
    if well.cq is None or well.cq <= 0:
        return "undetermined"
    if last_cycle is not None and well.cq > last_cycle:
        return "undetermined"
    return "ok"


def place_of(text: str) -> str:
    """Write a well as ``A01``; what is no letter and number stays as it is."""
    match = _PLACE.match(text.strip())
    return f"{match[1].upper()}{int(match[2]):02d}" if match else text.strip()


def is_place(text: str) -> bool:
    """Whether a text is a well as a letter and a number."""
    return _PLACE.match(text.strip()) is not None


def place_at(number: int, *, rows: int, columns: int) -> str | None:
    """Write the n-th well of a plate, counted along its rows from 1, as ``A01``."""
    if columns <= 0 or not 1 <= number <= rows * columns:
        return None
    row, column = divmod(number - 1, columns)
    letters = chr(65 + row) if row < 26 else chr(64 + row // 26) + chr(65 + row % 26)
    return f"{letters}{column + 1:02d}"


def number_of(
    text: str | None, *, line: int | None = None, words: tuple[str, ...] = ()
) -> float | None:
    """Parse a number; None where there is none, or one of the ``words`` that say so.

    Raises
    ------
    InstrumentFileError
        ``damaged``: something else stands there.
    """
    cleaned = (text or "").strip()
    try:
        value = float(cleaned)
    except ValueError:
        value = _other_number(cleaned, line=line, words=words)
    return value if math.isfinite(value) and "_" not in cleaned else None


def _other_number(text: str, *, line: int | None, words: tuple[str, ...]) -> float:
    if not text or text.lower() in {"nan", "n/a", "na", *words}:
        return math.nan
    if _THOUSANDS.match(text):
        return float(text.replace(",", ""))
    message = "a cell that should hold a number holds something else; export the table again"
    raise InstrumentFileError(message, code="damaged", offset=line)


def type_of(text: str | None) -> str:
    """Say ``STD``, ``CTRL``, ``UNK`` or ``NTC`` for the words of instruments."""
    word = (text or "").strip().lower()
    if word.startswith(("std", "standard")):
        return "STD"
    if word.startswith(("ntc", "no template")):
        return "NTC"
    if word.startswith(("unk", "sample")) or not word:
        return "UNK"
    return "CTRL"
