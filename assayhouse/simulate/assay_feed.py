"""Files of a vendor's feed taken apart for the assay faults and put together again. No faults."""

import csv
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.layouts import Layout, Row, render
from assayhouse.simulate.sheet import STOP_SHARE, STOP_SHARE_OF_GROUP
from assayhouse.simulate.vendor_layouts import ALL_LAYOUTS

LAYOUTS = {layout.full_name: layout for layout in ALL_LAYOUTS}
_REPORTS = range(1, 100)
_GROUPS = ("TESTCD", "PARAMCD", "GENE", "LBTESTCD", "PCTESTCD")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFile:
    """One file taken apart.

    Attributes
    ----------
    layout : Layout
        Columns and dialect.
    report : int
        Number that its writer puts into the preamble or the metadata.
    rows : tuple of rows
        Data rows as text, in file order.
    """

    layout: Layout
    report: int
    rows: tuple[Row, ...]

    def at(self, column: str) -> int:
        """Place of a column."""
        return self.layout.columns.index(column)

    def cell(self, place: int, column: str) -> str:
        """Text of one cell."""
        return self.rows[place][self.at(column)]

    def lines(self, places: list[int]) -> tuple[int, ...]:
        """Physical lines of rows, counted from 1."""
        return tuple(self.layout.first_data_line + place for place in places)

    def where(self, **cells: str) -> list[int]:
        """Places of the rows that hold these texts."""
        at = [(self.at(column), text) for column, text in cells.items()]
        return [p for p, row in enumerate(self.rows) if all(row[c] == text for c, text in at)]

    def values(self, *columns: str) -> list[tuple[str, ...]]:
        """Different values of some columns, in the order in which they first occur."""
        at = [self.at(column) for column in columns]
        return list(dict.fromkeys(tuple(row[place] for place in at) for row in self.rows))

    def changed(self, cells: Mapping[int, Mapping[str, str]]) -> "FeedFile":
        """Copy with other texts in some cells, by row and column."""
        rows = list(self.rows)
        for place, texts in cells.items():
            row = list(rows[place])
            for column, text in texts.items():
                row[self.at(column)] = text
            rows[place] = row
        return replace(self, rows=tuple(rows))

    def without(self, places: list[int]) -> "FeedFile":
        """Copy without some rows."""
        gone = set(places)
        return replace(self, rows=tuple(r for p, r in enumerate(self.rows) if p not in gone))

    def content(self) -> bytes:
        """Write the file."""
        return render(self.layout, list(self.rows), report=self.report)

    def disposition(self, places: list[int]) -> str:
        """Q, or H where the stop rule makes it one: too many rows, in all or of one group."""
        if len(places) > STOP_SHARE * len(self.rows):
            return "H"
        column = next((name for name in _GROUPS if name in self.layout.columns), None)
        if column is None:
            return "Q"
        at = self.at(column)
        total = Counter(row[at] for row in self.rows)
        lost = Counter(self.rows[place][at] for place in places)
        over = any(count > STOP_SHARE_OF_GROUP * total[name] for name, count in lost.items())
        return "H" if over else "Q"


def _json_text(value: object) -> str:
    return "" if value is None else str(value)


def _rows(content: bytes, layout: Layout) -> list[Row]:
    dialect = layout.dialect
    if dialect is None:
        lines = content.decode().splitlines()[1:]
        return [[_json_text(value) for value in json.loads(line)] for line in lines]
    lines = content.decode().split(dialect.line_end)[:-1]
    first = layout.first_data_line - 1
    data = lines[first : len(lines) - bool(dialect.trailer)]
    return list(csv.reader(data, delimiter=dialect.delimiter))


def take_feed_apart(content: bytes, layout: str) -> FeedFile:
    """Take a clean file of one of the study's layouts apart.

    Raises
    ------
    SimulationError
        Written again it is not the same, so that a fault in it would not be known exactly.
    """
    spec = LAYOUTS[layout]
    rows = tuple(_rows(content, spec))
    for report in _REPORTS:
        file = FeedFile(layout=spec, report=report, rows=rows)
        if file.content()[:400] == content[:400]:
            if file.content() == content:
                return file
            break
    message = f"The clean file is not as {layout} is written. No fault was planted."
    raise SimulationError(message)
