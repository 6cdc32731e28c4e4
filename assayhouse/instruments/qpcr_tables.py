"""Tables of qPCR software with one header: CFX csv and LightCycler 480 text."""

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.named_tables import Row, Table, make_table, plain
from assayhouse.instruments.qpcr_records import (
    NO_CQ,
    Cycles,
    QpcrRun,
    Well,
    build_run,
    number_of,
    place_of,
    type_of,
)
from assayhouse.instruments.text_rows import split_rows


def _not_qpcr() -> InstrumentFileError:
    message = "the file is no export of a qPCR instrument that is known; nothing was read"
    return InstrumentFileError(message, code="not_qpcr")


def is_cfx(text: str) -> bool:
    """Whether a text is a CFX table: one line names well, fluorophore and Cq."""
    return _cfx_header(text) is not None


def _cfx_header(text: str) -> tuple[int, str] | None:
    """Line (from 0) and delimiter of the header; lines of keys and values may stand before it."""
    for place, line in enumerate(text[: 1 << 16].splitlines()[:60]):
        for delimiter in ",;\t":
            cells = {plain(cell.strip('"')) for cell in line.split(delimiter)}
            if {"well", "fluor", "content"} <= cells and cells & {"cq", "c(t)", "ct"}:
                return place, delimiter
    return None


def read_cfx(text: str) -> QpcrRun:
    """Read a CFX table of quantification results.

    Parameters
    ----------
    text : str
        The file.

    Raises
    ------
    InstrumentFileError
        ``not_qpcr``, ``damaged`` or ``truncated``.
    """
    found = _cfx_header(text)
    if found is None:
        raise _not_qpcr()
    place, delimiter = found
    rows = list(enumerate(split_rows(text, delimiter=delimiter), start=1))
    keys = {row[0]: row[1] for _line, row in rows[:place] if len(row) > 1 and row[0]}
    at = next((n for n, (_line, row) in enumerate(rows) if "well" in map(plain, row)), None)
    if at is None:  # a control character ends a line for one who looks, and none for the table
        message = "the line of column names is broken by a control character; export the table anew"
        raise InstrumentFileError(message, code="damaged", offset=place + 1)
    table = make_table(rows[at][1], rows[at + 1 :])
    run = keys.get("Run ID") or keys.get("File Name") or "1"
    wells = [_cfx_well(table, row, line, run, delimiter) for line, row in table.rows]
    metadata = {
        "software": "CFX",
        "run_id": keys.get("File Name"),
        "operator": keys.get("Created By User"),
        "run_datetime": keys.get("Run Started"),
    }
    return build_run("cfx_csv", wells, Cycles(), metadata=metadata)


def _cfx_well(table: Table, row: Row, line: int, run: str, delimiter: str) -> Well:
    def number(*names: str) -> float | None:
        text = table.get(row, *names)
        if text and delimiter == ";":  # written where the comma is the decimal mark
            text = text.replace(",", ".")
        return number_of(text, line=line, words=NO_CQ)

    return Well(
        run=run,
        well=place_of(table.get(row, "well") or ""),
        sample=table.get(row, "sample"),
        # Without a target name the fluorophore is what tells two rows of a well apart.
        target=table.get(row, "target") or table.get(row, "fluor"),
        type=type_of(table.get(row, "content")),
        cq=number("cq", "c(t)", "ct"),
        quantity=number("starting quantity (sq)", "sq"),
    )


def is_lc480(text: str) -> bool:
    """Whether a text is a LightCycler 480 table of Cp values."""
    lines = text[: 1 << 14].splitlines()
    return len(lines) > 1 and lines[0].startswith("Experiment:") and _lc480_columns(lines[1])


def _lc480_columns(line: str) -> bool:
    return {"include", "pos", "name", "cp"} <= {plain(cell) for cell in line.split("\t")}


def read_lc480(text: str) -> QpcrRun:
    """Read a LightCycler 480 table of Cp values.

    Parameters
    ----------
    text : str
        The file.

    Raises
    ------
    InstrumentFileError
        ``not_qpcr`` or ``damaged``.
    """
    lines = text.splitlines()
    if not is_lc480(text):
        raise _not_qpcr()
    head, _words, tail = lines[0].removeprefix("Experiment:").partition("Selected Filter:")
    name, selected = head.strip(), tail.strip() or None
    rows = [(line, words.split("\t")) for line, words in enumerate(lines, start=1)]
    table = make_table(rows[1][1], rows[2:])
    wells = [_lc480_well(table, row, line, name or "1", selected) for line, row in table.rows]
    metadata = {"instrument": "LightCycler 480", "run_id": name, "filter": selected}
    return build_run("lc480_txt", wells, Cycles(), metadata=metadata)


def _lc480_well(table: Table, row: Row, line: int, run: str, selected: str | None) -> Well:
    standard = number_of(table.get(row, "standard"), line=line)
    is_standard = standard is not None and standard > 0
    concentration = number_of(table.get(row, "concentration"), line=line)
    return Well(
        run=run,
        well=place_of(table.get(row, "pos") or ""),
        sample=table.get(row, "name"),
        target=selected,
        type="STD" if is_standard else "UNK",
        cq=number_of(table.get(row, "cp"), line=line, words=NO_CQ),
        quantity=standard if is_standard else concentration,
        excluded=(table.get(row, "include") or "true").lower() == "false",
    )
