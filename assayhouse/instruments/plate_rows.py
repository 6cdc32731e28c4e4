"""What all plate exports share: one row per well and analyte, states of results, wells, dates."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from assayhouse.errors import InstrumentFileError

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
NOTHING = frozenset({"", "nan", "n/a", "na", "***", "-", "none"})
MASKED = "---"
_WELL = re.compile(r"([A-Za-z]{1,2})\s*0*(\d{1,3})")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


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


def plain_number(text: str) -> float | None:
    """Finite decimal number of a text, or None."""
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) < float("inf") else None


def parse_result(text: str) -> tuple[float | None, str | None]:
    """Parse number and state of a printed result; (None, None) where it is none of the known forms.

    Examples
    --------
    >>> parse_result("*12.3"), parse_result("OOR <"), parse_result("> 18300"), parse_result("***")
    ((12.3, 'extrapolated'), (None, 'below'), (None, 'above'), (None, 'not_available'))
    """
    words = re.sub(r"\s+", "", text).lower()
    if words in NOTHING:
        return None, "not_available"
    if words == MASKED:
        return None, "masked"
    for mark, state in (("<", "below"), (">", "above")):
        if words.removeprefix("*").removeprefix("oor").startswith(mark):
            return None, state
    value = plain_number(words.removeprefix("*"))
    if value is None:
        return None, None
    return value, "extrapolated" if words.startswith("*") else "ok"


def well_name(text: str) -> str | None:
    """Name a well as in A01; several as in "A01,A02"; None where it is no well.

    Examples
    --------
    >>> well_name("a1"), well_name("A11,B11"), well_name("row 1")
    ('A01', 'A11,B11', None)
    """
    names = []
    for part in text.split(","):
        found = _WELL.fullmatch(part.strip())
        if found is None:
            return None
        names.append(f"{found[1].upper()}{int(found[2]):02d}")
    return ",".join(names)


def place_name(row: int, column: int) -> str:
    """Name a well by its row and column, counted from 1."""
    letters = chr(ord("A") + row - 1) if row <= 26 else f"A{chr(ord('A') + row - 27)}"
    return f"{letters}{column:02d}"


def type_by_name(sample: str | None) -> str:
    """Kind of a well by the usual names of standards, controls and blanks."""
    name = (sample or "").strip().lower()
    kinds = {
        "BLANK": r"(blank|background|bkg|bkgd|b\d+$|neg\w* control bl)",
        "STD": r"(standard|std|cal(ibrator)?\s*-?\s*\d|s\d+$)",
        "CTRL": r"((.*[\s_-])?(control|cont|ctrl|qc)[\s_-]*\w{0,3}$|c\d+$)",
    }
    return next((kind for kind, form in kinds.items() if re.match(form, name)), "UNK")


_ORDERS = {"mdy": (0, 1, 2), "dmy": (1, 0, 2), "ymd": (1, 2, 0)}
_NUMERIC_DATE = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_NAMED_DATE = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3})[a-z]*[- ,]+(\d{4})")


def read_moment(text: str, *, others: Iterable[str] = ()) -> tuple[dt.datetime | None, bool]:
    """Date and time of a text in any of the three orders of day, month and year.

    Parameters
    ----------
    text : str
        Date, perhaps with a time.
    others : iterable of str
        Further dates of the same file, which may decide the order.

    Returns
    -------
    datetime or None
        Local time without zone; month first where nothing decides.
    bool
        Whether the order stayed undecided and matters.
    """
    named = _NAMED_DATE.search(text)
    if named and named[2].lower() in _MONTHS:
        month = _MONTHS.index(named[2].lower()) + 1
        return _moment(int(named[3]), month, int(named[1]), text), False
    found = _NUMERIC_DATE.search(text)
    if found is None:
        return None, False
    dates = [match for other in (text, *others) for match in [_NUMERIC_DATE.search(other)] if match]
    orders = [name for name in _ORDERS if all(_fits(date, name) for date in dates)]
    moments = list(dict.fromkeys(_in_order(found, name, text) for name in orders))
    if not moments:
        return None, False
    return moments[0], len(moments) > 1


def _fits(date: re.Match[str], order: str) -> bool:
    return _in_order(date, order, "") is not None


def _in_order(date: re.Match[str], order: str, text: str) -> dt.datetime | None:
    month, day, year = (date[place + 1] for place in _ORDERS[order])
    if len(year) != 4 or len(day) > 2 or len(month) > 2:
        return None
    return _moment(int(year), int(month), int(day), text)


def _moment(year: int, month: int, day: int, text: str) -> dt.datetime | None:
    clock = _CLOCK.search(text)
    hour, minute, second = (int(clock[part] or 0) for part in (1, 2, 3)) if clock else (0, 0, 0)
    if clock and clock[4]:
        hour = hour % 12 + (12 if clock[4].lower() == "pm" else 0)
    try:
        return dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - local
    except ValueError:
        return None
