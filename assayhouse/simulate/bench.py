"""The rows of one file while faults are put into them. Knows no fault of its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from assayhouse.simulate.calibration import VISITS
from assayhouse.simulate.layouts import Layout, Row
from assayhouse.simulate.plants import Mark
from assayhouse.simulate.streams import choose

PLANTED_VISIT = 2
"""Place of the visit whose rows are struck: week 12, new in transfer 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Rows of one file while faults are put into them.

    Attributes
    ----------
    seed : int
        Seed of the study.
    layout : Layout
        Layout of the file.
    rows : list of rows
        The file's rows; struck ones are replaced.
    taken : set of int
        Places struck already.
    marks : list of Mark
        What was planted.
    """

    seed: int
    layout: Layout
    rows: list[Row]
    taken: set[int] = field(default_factory=set)
    marks: list[Mark] = field(default_factory=list)

    def cell(self, row: Row, column: str) -> str:
        """Text of one cell."""
        return row[self.layout.columns.index(column)]

    def is_new(self, row: Row) -> bool:
        """Whether the row belongs to the visit that faults strike."""
        return self.cell(row, "VISIT") == VISITS[PLANTED_VISIT]

    def places(self, wanted: Callable[[Row], bool]) -> list[int]:
        """Places not struck yet whose row is wanted."""
        return [
            place for place, row in enumerate(self.rows) if place not in self.taken and wanted(row)
        ]

    def pick(self, word: str, size: int, wanted: Callable[[Row], bool]) -> list[int]:
        """Choose places to strike."""
        chosen = choose(self.seed, "vendor-plant", word, candidates=self.places(wanted), size=size)
        self.taken.update(chosen)
        return chosen

    def untouched(self, column: str, wanted: Callable[[Row], bool]) -> list[str]:
        """Values of a column of the struck visit's wanted rows, none of whose rows is struck."""
        struck = {self.cell(self.rows[place], column) for place in self.taken}
        held = {self.cell(row, column) for row in self.rows if self.is_new(row) and wanted(row)}
        return sorted(held - struck)

    def choose(self, word: str, candidates: list[str], size: int) -> list[str]:
        """Choose among texts."""
        places = list(range(len(candidates)))
        chosen = choose(self.seed, "vendor-plant", word, candidates=places, size=size)
        return [candidates[place] for place in chosen]

    def take(self, column: str, value: str) -> list[int]:
        """Strike all rows with a value."""
        chosen = self.places(lambda row: self.cell(row, column) == value)
        self.taken.update(chosen)
        return chosen

    def change(self, place: int, **cells: str) -> Row:
        """Replace cells of a row."""
        row = list(self.rows[place])
        for column, text in cells.items():
            row[self.layout.columns.index(column)] = text
        self.rows[place] = row
        return row

    def mark(
        self,
        fault: str,
        disposition: str,
        places: Iterable[int],
        *,
        columns: tuple[str, ...],
        note: str,
    ) -> None:
        """Write down what was planted."""
        rows = [self.rows[place] for place in places]
        self.marks.append(
            Mark(
                fault=fault,
                disposition=disposition,
                columns=columns,
                note=note,
                rows=rows,
                layout=self.layout,
            )
        )
