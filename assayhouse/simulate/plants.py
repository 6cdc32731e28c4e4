"""Faults planted in the reference study's laboratory files, with the truth about each.

Works on rows, before they become bytes. The truth about a fault names physical lines of the file
as delivered.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

from assayhouse.simulate.layouts import RESULTS, RESULTS_COLUMNS, Layout, Row
from assayhouse.simulate.streams import choose

COLUMN = {name: place for place, name in enumerate(RESULTS_COLUMNS)}
UNIT_ROWS = 12
UNIT_PLATE = "IL10-302"
WRONG_VALUES = 9
COSMETIC = 3
VANISHED = 4
UNFLAGGED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedFault:
    """One fault as it must be found.

    Attributes
    ----------
    fault, rule : str
        Catalogue identifier and the rule that should fire.
    disposition : str
        R, H, Q, W, or ``ignore``.
    transfer : str
        Label of the transfer.
    layout, file : str
        Where it is.
    n_rows : int
        Rows concerned.
    lines : tuple of int
        Physical lines of the delivered file, counted from 1; empty where no line is to blame.
    columns : tuple of str
        Columns concerned.
    note : str
        What was done, in words.
    keys : tuple of str
        Record keys concerned, key columns joined by `` | ``.
    """

    fault: str
    rule: str
    disposition: str
    transfer: str
    layout: str
    file: str
    n_rows: int
    lines: tuple[int, ...]
    columns: tuple[str, ...]
    note: str
    keys: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Give the record as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A fault on rows that are known as objects, until their lines are known."""

    fault: str
    disposition: str
    columns: tuple[str, ...]
    note: str
    rows: list[Row]
    layout: Layout = RESULTS
    rule: str = ""

    def locate(self, rows: list[Row], *, transfer: str, file: str) -> PlantedFault:
        """Look up the physical lines of the marked rows in the rows of the file."""
        wanted = {id(row) for row in self.rows}
        places = [place for place, row in enumerate(rows) if id(row) in wanted]
        return PlantedFault(
            fault=self.fault,
            rule=self.rule or self.fault,
            disposition=self.disposition,
            transfer=transfer,
            layout=self.layout.full_name,
            file=file,
            n_rows=len(self.rows),
            lines=tuple(self.layout.first_data_line + place for place in places),
            columns=self.columns,
            note=self.note,
            keys=tuple(record_key(row, self.layout) for row in self.rows),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedResults:
    """Rows of one delivery of the results file, with the faults in them."""

    rows: list[Row]
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the faults go: places in the rows of transfer 3, no row twice."""

    units: list[int]
    date: int
    stranger: int
    unflagged: list[int]
    wrong: list[int]
    cosmetic: list[int]
    vanished: list[int]


def cell(row: Row, column: str) -> str:
    """Text of one cell of a results row."""
    return row[COLUMN[column]]


def record_key(row: Row, layout: Layout) -> str:
    """Key of a row as one text."""
    return " | ".join(row[layout.columns.index(column)] for column in layout.key)


def _with(row: Row, **cells: str) -> Row:
    changed = list(row)
    for column, text in cells.items():
        changed[COLUMN[column]] = text
    return changed


def _is_new(row: Row) -> bool:
    return cell(row, "REPORTNO") == "3"


def _is_number(row: Row) -> bool:
    return cell(row, "MEANCONC") != ""


def _in_nanograms(row: Row) -> Row:
    texts = {}
    for column in ("ORRES", "MEANCONC", "SDCONC", "LLOQ", "ULOQ"):
        texts[column] = f"{float(cell(row, column)) / 1000.0:.12f}".rstrip("0").rstrip(".")
    return _with(row, ORRESU="ng/mL", **texts)


def _exchange_digits(row: Row) -> Row:
    """Exchange the last two digits, as a hand would: another number of the same length."""
    text = list(cell(row, "ORRES"))
    first, second = [place for place, letter in enumerate(text) if letter.isdigit()][-2:]
    text[first], text[second] = text[second], text[first]
    return _with(row, ORRES="".join(text))


def choose_places(seed: int, rows: list[Row]) -> Places:
    """Choose the rows of transfer 3 that faults will strike, each at most once."""
    taken: set[int] = set()

    def pick(word: str, size: int, wanted: Callable[[Row], bool]) -> list[int]:
        open_places = [
            place for place, row in enumerate(rows) if place not in taken and wanted(row)
        ]
        chosen = choose(seed, "plant", word, candidates=open_places, size=size)
        taken.update(chosen)
        return chosen

    return Places(
        units=pick(
            "unit", UNIT_ROWS, lambda row: cell(row, "PLATEID") == UNIT_PLATE and _is_number(row)
        ),
        date=pick("date", 1, _is_new)[0],
        stranger=pick("stranger", 1, _is_new)[0],
        unflagged=pick(
            "unflagged",
            UNFLAGGED,
            lambda row: (
                _is_new(row) and cell(row, "BLQFL") == "Y" and cell(row, "PARAMCD") == "IL21"
            ),
        ),
        wrong=pick(
            "wrong",
            WRONG_VALUES,
            lambda row: _is_new(row) and _is_number(row) and _exchange_digits(row) != row,
        ),
        cosmetic=pick("cosmetic", COSMETIC, lambda row: cell(row, "PARAMCD") == "BLYS"),
        vanished=pick(
            "vanished", VANISHED, lambda row: cell(row, "PARAMCD") == "IL17F" and _is_number(row)
        ),
    )


def _unflag(row: Row, below_limit: Mapping[tuple[str, str], str]) -> Row:
    number = below_limit[cell(row, "ACCNO"), cell(row, "PARAMCD")]
    return _with(row, ORRES=number, MEANCONC=number, BLQFL="N")


def _unflagged_mark(rows: list[Row]) -> Mark:
    return Mark(
        fault="F33",
        disposition="W",
        columns=("ORRES", "BLQFL"),
        note="number below LLOQ without the flag",
        rows=rows,
    )


def plant_third(
    seed: int, rows: list[Row], below_limit: Mapping[tuple[str, str], str]
) -> PlantedResults:
    """Plant the faults of transfer 3 in its clean cumulative rows.

    Parameters
    ----------
    seed : int
        Seed of the study.
    rows : list of rows
        Clean rows; left as they are.
    below_limit : mapping
        Number behind each ``<LLOQ``, by accession and parameter.
    """
    places, planted = choose_places(seed, rows), list(rows)
    for place in places.units:
        planted[place] = _in_nanograms(rows[place])
    for place in places.unflagged:
        planted[place] = _unflag(rows[place], below_limit)
    for place in places.wrong:
        planted[place] = _exchange_digits(rows[place])
    bad_date = _with(rows[places.date], COLDTM="2018-13-45T09:10")
    planted[places.date] = bad_date
    stranger = _with(rows[places.stranger], SITEID="131", SUBJID="131-9001", ACCNO="SGX9000001")
    marks = [
        Mark(
            fault="F32",
            disposition="Q",
            columns=("ORRESU",),
            note="rows in ng/mL instead of pg/mL",
            rows=[planted[place] for place in places.units],
        ),
        Mark(
            fault="F19",
            disposition="Q",
            columns=("COLDTM",),
            note="impossible month and day",
            rows=[bad_date],
        ),
        Mark(
            fault="F21",
            disposition="Q",
            columns=("SUBJID",),
            note="subject not in the roster",
            rows=[stranger],
        ),
        _unflagged_mark([planted[place] for place in places.unflagged]),
    ]
    planted.insert(places.stranger + 1, stranger)
    return PlantedResults(rows=planted, marks=marks)


def plant_fourth(
    seed: int, rows: list[Row], below_limit: Mapping[tuple[str, str], str], *, n_third: int
) -> PlantedResults:
    """Plant the changes of transfer 4 against the planted transfer 3 in its clean rows.

    The rows in ng/mL, the bad date and the nine wrong values of transfer 3 are right again, the
    unknown subject is withdrawn; the two unflagged numbers stay.

    Parameters
    ----------
    seed, rows, below_limit
        As for ``plant_third``; the first ``n_third`` rows are the clean rows of transfer 3.
    n_third : int
        How many they are.
    """
    places, planted = choose_places(seed, rows[:n_third]), list(rows)
    for place in places.unflagged:
        planted[place] = _unflag(rows[place], below_limit)
    for place in places.cosmetic:
        planted[place] = _with(rows[place], ORRESU="pg/ml")
    marks = [
        Mark(
            fault="F30",
            disposition="W",
            columns=("ORRES",),
            note="values corrected by the vendor, within the tolerance for corrections",
            rows=[planted[place] for place in places.wrong],
        ),
        Mark(
            fault="F32",
            disposition="W",
            columns=("ORRESU",),
            note="unit written another way, same meaning: cosmetic",
            rows=[planted[place] for place in places.cosmetic],
        ),
        _unflagged_mark([planted[place] for place in places.unflagged]),
        Mark(
            fault="F31",
            disposition="H",
            columns=(),
            note="records of transfer 3 are gone",
            rows=[planted[place] for place in places.vanished],
        ),
    ]
    gone = set(places.vanished)
    kept = [row for place, row in enumerate(planted) if place not in gone]
    return PlantedResults(rows=kept, marks=marks)
