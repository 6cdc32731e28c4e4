"""What is true of a synthetic instrument file: the values it gives and those that were reported."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assayhouse.simulate.layouts import Layout, Row

SWAPPED, DILUTION, SEX_FACTOR = "swapped wells", "wrong dilution", "wrong sex factor"
EDITED = "edited result"
FCS = Layout(vendor="covance_flow", name="fcs", columns=(), key=("FILE",), dialect=None)
RUNS = Layout(vendor="epiontis", name="runs", columns=(), key=("FILE",), dialect=None)
READER = Layout(vendor="singulex", name="reader", columns=(), key=("FILE",), dialect=None)
FSA = Layout(vendor="dxterity", name="fsa", columns=(), key=("FILE",), dialect=None)
INSTRUMENT_LAYOUTS = (FCS, RUNS, READER, FSA)
"""Layouts of instrument files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentValue:
    """One value that an instrument file gives, beside the reported one.

    Attributes
    ----------
    layout, file : str
        Instrument layout and file.
    refid, testcd : str
        Specimen and test, as the report names them.
    reported, true : float
        As reported, and as the file gives it; on the scale of the report.
    scale : str
        ``linear`` or ``log2``.
    error : str
        Planted error; empty where the two are the same.
    """

    layout: str
    file: str
    refid: str
    testcd: str
    reported: float
    true: float
    scale: str = "linear"
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentFile:
    """One file as delivered, and its truth."""

    layout: Layout
    name: str
    content: bytes
    values: tuple[InstrumentValue, ...]


def records(layout: Layout, rows: Sequence[Row]) -> Iterator[dict[str, str]]:
    """Rows of a report by the names of their columns."""
    for row in rows:
        yield dict(zip(layout.columns, row, strict=True))


def by_specimen(rows: Sequence[Mapping[str, str]]) -> dict[str, list[Mapping[str, str]]]:
    """Rows of each specimen, in their order."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        found.setdefault(row["ACCNO"], []).append(row)
    return found
