"""A delimited file taken apart for the fault functions, and put together again. No faults.

The files it takes apart are those this package writes: no line end inside a field. It is no
reader: readers must not share code with what makes their test files.
"""

import csv
import io
import re
from dataclasses import dataclass, field, replace

from assayhouse.simulate.errors import FaultNotApplicableError, SimulationError
from assayhouse.simulate.layouts import DM, PLATES, RAND, SITE, WELLS, Layout, Row
from assayhouse.simulate.vendor_layouts import (
    ALL_LAYOUTS,
    CM,
    EC,
    EX,
    EXPRESSION,
    FLOW,
    FLOW_QC,
    PC,
    REQUISITION,
    RESPONSE,
    SAMPLE_QC,
    SCORES,
    VS,
)

STOP_SHARE = 0.05
STOP_SHARE_OF_GROUP = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class FileShape:
    """Dialect of a delimited file, and which columns play which part.

    Attributes
    ----------
    delimiter, line_end : str
        Separator of fields, end of lines.
    quote_all : bool
        True: every field quoted. False: where needed.
    preamble_lines : int
        Lines above the header.
    trailer : str or None
        Last line with ``{rows}`` in place of the row count; None without trailer.
    key : tuple of str
        Key columns.
    roles : mapping of str to str
        Column of each part: study, subject, visit, date, value, unit, text, group. An absent
        part makes the faults that need it not applicable.
    is_roster : bool
        True for the file that says which subjects exist.
    """

    delimiter: str = ","
    line_end: str = "\n"
    quote_all: bool = False
    preamble_lines: int = 0
    trailer: str | None = None
    key: tuple[str, ...]
    roles: dict[str, str] = field(default_factory=dict)
    is_roster: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file taken apart.

    Attributes
    ----------
    shape : FileShape
        How it is written.
    preamble : tuple of str
        Lines above the header.
    header : tuple of str
        Column names.
    rows : tuple of rows
        Data rows.
    """

    shape: FileShape
    preamble: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def header_line(self) -> int:
        """Physical line of the header, counted from 1."""
        return len(self.preamble) + 1

    def line(self, place: int) -> int:
        """Physical line of the row at ``place``, counted from 0."""
        return self.header_line + 1 + place

    def lines(self, places: list[int]) -> tuple[int, ...]:
        """Physical lines of several rows."""
        return tuple(self.line(place) for place in places)

    def column(self, role: str, *, fault: str) -> int:
        """Find the place of the column that plays a part.

        Raises
        ------
        FaultNotApplicableError
            No column of this file plays the part.
        """
        name = self.shape.roles.get(role)
        if name is None or name not in self.header:
            raise FaultNotApplicableError(fault=fault, reason=f"it has no {role} column")
        return self.header.index(name)

    def changed(self, cells: dict[int, dict[int, str]]) -> "Sheet":
        """Copy with other texts in some cells, given by row and column place."""
        rows = list(self.rows)
        for place, texts in cells.items():
            row = list(rows[place])
            for column, text in texts.items():
                row[column] = text
            rows[place] = row
        return replace(self, rows=tuple(rows))

    def row_text(self, row: Row | tuple[str, ...]) -> str:
        """Write one line, without its end."""
        delimiter = self.shape.delimiter
        if self.shape.quote_all:
            return delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row)
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="").writerow(row)
        return text.getvalue()

    def all_lines(self) -> list[str]:
        """Write every line, without ends."""
        lines = [*self.preamble, self.row_text(self.header), *map(self.row_text, self.rows)]
        if self.shape.trailer is not None:
            lines.append(self.shape.trailer.format(rows=len(self.rows)))
        return lines

    def content(self) -> bytes:
        """Write the file."""
        end = self.shape.line_end
        return "".join(line + end for line in self.all_lines()).encode()


def take_apart(content: bytes, shape: FileShape) -> Sheet:
    """Take a clean file apart.

    Raises
    ------
    SimulationError
        The file is not what ``shape`` says, so that a fault in it would not be known exactly.
    """
    lines = content.decode().split(shape.line_end)[:-1]
    preamble = lines[: shape.preamble_lines]
    data = lines[shape.preamble_lines : len(lines) - (shape.trailer is not None)]
    rows = list(csv.reader(data, delimiter=shape.delimiter))
    sheet = Sheet(
        shape=shape,
        preamble=tuple(preamble),
        header=tuple(rows[0]) if rows else (),
        rows=tuple(rows[1:]),
    )
    if sheet.content() != content:
        message = (
            "The clean file does not have the shape that was declared for it: written again it "
            "is not the same. No fault was planted. Correct the shape."
        )
        raise SimulationError(message)
    return sheet


NUMBER = re.compile(r"-?\d+\.\d+")
DECIMAL = re.compile(r"[<>]?-?\d+\.\d+")

_ROLES = {
    "study": "STUDYID",
    "subject": "SUBJID",
    "visit": "VISIT",
    "date": "COLDTM",
    "value": "ORRES",
    "unit": "ORRESU",
    "text": "COMMENT",
    "group": "PARAMCD",
}
_ROLES_BY_LAYOUT: dict[str, dict[str, str]] = {
    WELLS.full_name: {"value": "CONC", "text": "REASND"},
    PLATES.full_name: {"value": "LLOQ", "date": "RUNDTM"},
    DM.full_name: {"date": "RFICDTC", "text": "RACE"},
    SITE.full_name: {"date": "OPENDTC", "text": "COUNTRY"},
    RAND.full_name: {"date": "RANDDTC"},
    FLOW.full_name: {"group": "TESTCD"},
    FLOW_QC.full_name: {"value": "OBSERVED", "date": "RUNDTM"},
    EXPRESSION.full_name: {"value": "AREA", "text": "QCREASON", "group": "GENE"},
    SAMPLE_QC.full_name: {"value": "TOTALSIG", "text": "POSCTRL"},
    SCORES.full_name: {"value": "SCORE", "text": "ALGVER"},
    # No unit: SDTM leaves it empty where nothing was measured, so its absence is no fault.
    PC.full_name: {"date": "PCDTC", "value": "PCORRES", "group": "PCTESTCD"},
    REQUISITION.full_name: {"text": "TESTS"},
    VS.full_name: {"date": "VSDTC", "value": "WEIGHT"},
    EX.full_name: {"date": "EXSTDTC", "value": "EXDOSE"},
    EC.full_name: {"date": "ECDTC"},
    RESPONSE.full_name: {"date": "RSDTC", "value": "PGA", "text": "REASON"},
    CM.full_name: {"date": "CMSTDTC", "text": "CMTRT"},
}


def shape_of(layout: Layout) -> FileShape:
    """Give the shape of the files of one of the study's own layouts."""
    roles = {**_ROLES, **_ROLES_BY_LAYOUT.get(layout.full_name, {})}
    own = {role: column for role, column in roles.items() if column in layout.columns}
    dialect = layout.dialect
    if dialect is None:
        message = f"{layout.full_name} is not delimited text: it has no lines of cells."
        raise SimulationError(message)
    return FileShape(
        delimiter=dialect.delimiter,
        line_end=dialect.line_end,
        quote_all=dialect.quoting == csv.QUOTE_ALL,
        preamble_lines=2 if dialect.preamble else 0,
        trailer=dialect.trailer or None,
        key=layout.key,
        roles=own,
        is_roster=layout is DM,
    )


SHAPES = {layout.full_name: shape_of(layout) for layout in ALL_LAYOUTS if layout.dialect}
"""Shape of every delimited file of the synthetic study, by its layout's full name."""
