"""Faults that strike rows. One function per fault, all of one signature."""

from collections.abc import Callable
from dataclasses import replace

from assayhouse.simulate.errors import FaultNotApplicableError
from assayhouse.simulate.expected import FaultyFile, expect, quarantine_or_hold, strike
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.sheet import DECIMAL, NUMBER, Sheet

SENTINELS = ("-999", ".", "n/a")
TREATMENT_TEXT = "placebo"
FUTURE_YEARS = 40
_UNITS = {"pg/mL": ("ng/mL", 1000.0), "cells/uL": ("10^9/L", 1000.0)}


def _with_number(sheet: Sheet, column: int) -> list[int]:
    return [place for place, row in enumerate(sheet.rows) if NUMBER.fullmatch(row[column])]


def _filled(sheet: Sheet, column: int) -> list[int]:
    return [place for place, row in enumerate(sheet.rows) if row[column]]


def _struck_cells(
    fault: str, sheet: Sheet, struck: list[int], column: int, *, texts: list[str], disposition: str
) -> FaultyFile:
    cells = {place: {column: text} for place, text in zip(struck, texts, strict=True)}
    columns = (sheet.header[column],)
    return FaultyFile(
        content=sheet.changed(cells).content(),
        expected=expect(fault, disposition, lines=sheet.lines(struck), columns=columns),
    )


def decimal_comma(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Write numbers with a decimal comma; the whole column so is a file in another locale."""
    column = sheet.column("value", fault=fault)
    numbers = [place for place, row in enumerate(sheet.rows) if DECIMAL.fullmatch(row[column])]
    struck = strike(fault, sheet, strength, seed, candidates=numbers)
    texts = [sheet.rows[place][column].replace(".", ",") for place in struck]
    whole = len(struck) == len(numbers)
    disposition = "R" if whole else quarantine_or_hold(sheet, struck)
    return _struck_cells(fault, sheet, struck, column, texts=texts, disposition=disposition)


def lost_leading_zeros(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Take the leading zeros from every subject number, as a spreadsheet does."""
    del strength, seed
    column = sheet.column("subject", fault=fault)
    short = ["-".join(part.lstrip("0") for part in row[column].split("-")) for row in sheet.rows]
    struck = [place for place, row in enumerate(sheet.rows) if row[column] != short[place]]
    if not struck:
        raise FaultNotApplicableError(fault=fault, reason="no subject number begins with zero")
    texts = [short[place] for place in struck]
    return _struck_cells(fault, sheet, struck, column, texts=texts, disposition="R")


def _change_dates(
    fault: str, sheet: Sheet, strength: float, seed: int, change: Callable[[str], str]
) -> FaultyFile:
    column = sheet.column("date", fault=fault)
    struck = strike(fault, sheet, strength, seed, candidates=_filled(sheet, column))
    texts = [change(sheet.rows[place][column]) for place in struck]
    disposition = quarantine_or_hold(sheet, struck)
    return _struck_cells(fault, sheet, struck, column, texts=texts, disposition=disposition)


def day_and_month_exchanged(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Write ISO dates as day/month/year."""

    def exchanged(text: str) -> str:
        return f"{text[8:10]}/{text[5:7]}/{text[:4]}{text[10:].replace('T', ' ')}"

    return _change_dates(fault, sheet, strength, seed, exchanged)


def future_date(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Move dates forty years on; a day that year does not have cannot come of it."""

    def later(text: str) -> str:
        return f"{int(text[:4]) + FUTURE_YEARS}{text[4:]}"

    return _change_dates(fault, sheet, strength, seed, later)


def unknown_subject(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Name well-formed subjects who are not in the roster."""
    if sheet.shape.is_roster:
        raise FaultNotApplicableError(fault=fault, reason="it is the roster itself")
    column = sheet.column("subject", fault=fault)
    struck = strike(fault, sheet, strength, seed)
    strangers = {}
    for number, place in enumerate(struck):
        own = sheet.rows[place][column]
        other = f"{own.partition('-')[0]}-{9000 + number % 1000:04d}"
        cells = enumerate(sheet.rows[place])
        # The same identifier inside longer ones, such as USUBJID, changes with it.
        strangers[place] = {at: text.replace(own, other) for at, text in cells if own in text}
    columns = (sheet.header[column],)
    expected = expect(
        fault, quarantine_or_hold(sheet, struck), lines=sheet.lines(struck), columns=columns
    )
    return FaultyFile(content=sheet.changed(strangers).content(), expected=expected)


def _duplicate(fault: str, sheet: Sheet, struck: list[int], column: int | None) -> FaultyFile:
    rows: list[Row] = []
    places: list[int] = []
    for place, row in enumerate(sheet.rows):
        rows.append(row)
        if place in struck:
            places += [len(rows) - 1, len(rows)]
            copy = list(row)
            if column is not None:
                copy[column] = f"{float(row[column]) * 2.0 + 0.25:.4f}"
            rows.append(copy)
    grown = replace(sheet, rows=tuple(rows))
    columns = sheet.shape.key if column is None else (sheet.header[column],)
    disposition = "W" if column is None else quarantine_or_hold(grown, places)
    return FaultyFile(
        content=grown.content(),
        expected=expect(fault, disposition, lines=sheet.lines(places), columns=columns),
    )


def exact_duplicate(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Repeat rows as they are, right after themselves; the trailer counts them."""
    struck = strike(fault, sheet, strength, seed)
    return _duplicate(fault, sheet, struck, None)


def conflicting_duplicate(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Repeat rows with another value under the same key: neither may enter."""
    column = sheet.column("value", fault=fault)
    struck = strike(fault, sheet, strength, seed, candidates=_with_number(sheet, column))
    return _duplicate(fault, sheet, struck, column)


def unit_drift(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Report rows in a unit a thousand times larger, label and number alike."""
    column, value = sheet.column("unit", fault=fault), sheet.column("value", fault=fault)
    numbers = [place for place in _with_number(sheet, value) if sheet.rows[place][column] in _UNITS]
    struck = strike(fault, sheet, strength, seed, candidates=numbers)
    cells = {}
    for place in struck:
        unit, divisor = _UNITS[sheet.rows[place][column]]
        number = f"{float(sheet.rows[place][value]) / divisor:.9f}".rstrip("0")
        cells[place] = {column: unit, value: number}
    disposition = quarantine_or_hold(sheet, struck)
    columns = (sheet.header[column],)
    return FaultyFile(
        content=sheet.changed(cells).content(),
        expected=expect(fault, disposition, lines=sheet.lines(struck), columns=columns),
    )


def unit_missing(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Leave the unit out."""
    column = sheet.column("unit", fault=fault)
    struck = strike(fault, sheet, strength, seed, candidates=_filled(sheet, column))
    disposition = quarantine_or_hold(sheet, struck)
    return _struck_cells(
        fault, sheet, struck, column, texts=[""] * len(struck), disposition=disposition
    )


def sentinel(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Put texts that stand for nothing in place of numbers."""
    column = sheet.column("value", fault=fault)
    struck = strike(fault, sheet, strength, seed, candidates=_with_number(sheet, column))
    texts = [SENTINELS[number % len(SENTINELS)] for number in range(len(struck))]
    disposition = quarantine_or_hold(sheet, struck)
    return _struck_cells(fault, sheet, struck, column, texts=texts, disposition=disposition)


def treatment_in_text(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Give treatment away in free text."""
    column = sheet.column("text", fault=fault)
    struck = strike(fault, sheet, strength, seed)
    texts = [f"{sheet.rows[place][column]} on {TREATMENT_TEXT}".strip() for place in struck]
    return _struck_cells(fault, sheet, struck, column, texts=texts, disposition="R")


def blanks_around_ids(fault: str, sheet: Sheet, strength: float, seed: int) -> FaultyFile:
    """Put blanks after subjects and around visits."""
    subject = sheet.column("subject", fault=fault)
    struck = strike(fault, sheet, strength, seed)
    cells = {place: {subject: f"{sheet.rows[place][subject]} "} for place in struck}
    columns = [sheet.header[subject]]
    if "visit" in sheet.shape.roles:
        visit = sheet.column("visit", fault=fault)
        columns.append(sheet.header[visit])
        for place in struck:
            cells[place][visit] = f" {sheet.rows[place][visit]} "
    return FaultyFile(
        content=sheet.changed(cells).content(),
        expected=expect(fault, "W", lines=sheet.lines(struck), columns=tuple(columns)),
    )
