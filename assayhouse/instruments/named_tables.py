"""Rows of text cells whose columns are found by their names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Row: TypeAlias = Sequence[str]
# Some QuantStudio versions write the t of Ct as the Cyrillic letter.
_CYRILLIC_T = "\u0442"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows below a header, each with its line in the file."""

    columns: Mapping[str, int]
    rows: tuple[tuple[int, Row], ...]

    def get(self, row: Row, *names: str) -> str | None:
        """Cell of the first of these columns that the table has; None where it is empty."""
        for name in names:
            place = self.columns.get(name)
            if place is not None:
                return (row[place].strip() or None) if place < len(row) else None
        return None


def make_table(header: Row, rows: Sequence[tuple[int, Row]]) -> Table:
    """Make a table of a header and the rows below it; blank rows are none."""
    columns: dict[str, int] = {}
    for place, name in enumerate(header):
        columns.setdefault(plain(name), place)
    return Table(
        columns=columns, rows=tuple((line, row) for line, row in rows if any(map(str.strip, row)))
    )


def plain(name: str) -> str:
    """Name of a column in small letters, with single blanks and a Latin t."""
    return " ".join(name.replace(_CYRILLIC_T, "t").lower().split())
