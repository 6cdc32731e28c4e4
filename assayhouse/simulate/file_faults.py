"""Faults that concern a file as a whole. One function per fault, all of one signature."""

from dataclasses import replace

from assayhouse.simulate.errors import FaultNotApplicableError
from assayhouse.simulate.expected import FaultyFile, expect, strike
from assayhouse.simulate.sheet import Sheet

OTHER_STUDY = "OTHER-RA-02"
EXTRA_COLUMN = "LABNOTE"
TREATMENT_COLUMN = "TRT01P"
RENAMED_COLUMN = "Result_Value"
KEPT_SHARE = 0.6


def _bytes_before(sheet: Sheet, line: int) -> bytes:
    end = sheet.shape.line_end
    return "".join(text + end for text in sheet.all_lines()[: line - 1]).encode()


def cut_inside_a_row(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Cut a file in the middle of a row: nothing after it, no trailer."""
    del strength
    place = strike(fault, sheet, 0.0, seed, candidates=list(range(1, len(sheet.rows))))[0]
    text = sheet.row_text(sheet.rows[place])
    kept = text[: len(text) // 2].encode()
    line = sheet.line(place)
    expected = expect(fault, "R", lines=(line,))
    return FaultyFile(content=_bytes_before(sheet, line) + kept, expected=expected)


def cut_at_a_row_end(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Cut a file at the end of a row.

    Without a trailer only the manifest or the earlier delivery gives it away; the expectation is
    then that of a fall against the earlier delivery.
    """
    del strength, seed
    kept = max(1, int(KEPT_SHARE * len(sheet.rows)))
    content = _bytes_before(sheet, sheet.line(kept))
    disposition = "H" if sheet.shape.trailer is None else "R"
    expected = expect(fault, disposition, n_rows=len(sheet.rows) - kept)
    return FaultyFile(content=content, expected=expected)


def empty_file(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Leave nothing of a file."""
    del strength, seed
    expected = expect(fault, "R", n_rows=len(sheet.rows))
    return FaultyFile(content=b"", expected=expected)


def header_only(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Leave a well-formed file without rows."""
    del strength, seed
    expected = expect(fault, "R", n_rows=len(sheet.rows))
    return FaultyFile(content=replace(sheet, rows=()).content(), expected=expected)


def wrong_study(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Put another study's identifier wherever this study's stands, preamble included."""
    del strength, seed
    if "study" not in sheet.shape.roles and not sheet.preamble:
        raise FaultNotApplicableError(fault=fault, reason="it does not name its study")
    lines: tuple[int, ...] = (1,)
    columns: tuple[str, ...] = ()
    if "study" in sheet.shape.roles:
        column = sheet.column("study", fault=fault)
        own, columns = sheet.rows[0][column], (sheet.header[column],)
        lines = sheet.lines(list(range(len(sheet.rows))))
    else:
        own = sheet.preamble[0].split('"')[3]
    content = sheet.content().replace(own.encode(), OTHER_STUDY.encode())
    return FaultyFile(content=content, expected=expect(fault, "R", lines=lines, columns=columns))


def undeclared_line(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Put a line of prose between two rows."""
    del strength
    place = strike(fault, sheet, 0.0, seed, candidates=list(range(1, len(sheet.rows))))[0]
    lines, line = sheet.all_lines(), sheet.line(place)
    lines.insert(line - 1, f"Total records: {place}")
    content = "".join(text + sheet.shape.line_end for text in lines).encode()
    return FaultyFile(content=content, expected=expect(fault, "R", lines=(line,), n_rows=0))


def column_order_changed(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Move the last column to the front."""
    del strength, seed
    moved = replace(
        sheet,
        header=(sheet.header[-1], *sheet.header[:-1]),
        rows=tuple([row[-1], *row[:-1]] for row in sheet.rows),
    )
    line, columns = sheet.header_line, (sheet.header[-1],)
    expected = expect(fault, "W", lines=(line,), columns=columns, n_rows=0)
    return FaultyFile(content=moved.content(), expected=expected)


def column_renamed(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Give the last key column a name the contract does not know."""
    del strength, seed
    name = sheet.shape.key[-1]
    header = tuple(RENAMED_COLUMN if column == name else column for column in sheet.header)
    expected = expect(fault, "R", lines=(sheet.header_line,), columns=(name,), n_rows=0)
    return FaultyFile(content=replace(sheet, header=header).content(), expected=expected)


def _with_column(sheet: Sheet, name: str, text: str) -> Sheet:
    rows = tuple([*row, text] for row in sheet.rows)
    return replace(sheet, header=(*sheet.header, name), rows=rows)


def extra_column(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Add a harmless column nobody declared."""
    del strength, seed
    expected = expect(fault, "W", lines=(sheet.header_line,), columns=(EXTRA_COLUMN,), n_rows=0)
    return FaultyFile(content=_with_column(sheet, EXTRA_COLUMN, "ok").content(), expected=expected)


def treatment_column(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Add a column whose name gives treatment away."""
    del strength, seed
    line, columns = sheet.header_line, (TREATMENT_COLUMN,)
    expected = expect(fault, "R", lines=(line,), columns=columns, n_rows=0)
    content = _with_column(sheet, TREATMENT_COLUMN, "X").content()
    return FaultyFile(content=content, expected=expected)


def latin_1(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Write accents in a text column, and the file in Latin-1."""
    column = sheet.column("text", fault=fault)
    struck = strike(fault, sheet, strength, seed)
    accents = {place: {column: sheet.rows[place][column] + "é"} for place in struck}
    content = sheet.changed(accents).content().decode().encode("latin-1")
    columns = (sheet.header[column],)
    return FaultyFile(
        content=content,
        expected=expect(fault, "R", lines=sheet.lines(struck), columns=columns),
    )


def utf_16(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Write the file in little-endian UTF-16 with its byte-order mark."""
    del strength, seed
    content = b"\xff\xfe" + sheet.content().decode().encode("utf-16-le")
    expected = expect(fault, "R", lines=(1,), n_rows=len(sheet.rows))
    return FaultyFile(content=content, expected=expected)


def mixed_line_ends(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """End some rows the other way: LF among CRLF, or CRLF among LF."""
    struck = strike(fault, sheet, strength, seed)
    own, marked = sheet.shape.line_end, {sheet.line(place) for place in struck}
    other = "\n" if own == "\r\n" else "\r\n"
    content = "".join(
        text + (other if number in marked else own)
        for number, text in enumerate(sheet.all_lines(), start=1)
    )
    expected = expect(fault, "W", lines=sheet.lines(struck))
    return FaultyFile(content=content.encode(), expected=expected)
