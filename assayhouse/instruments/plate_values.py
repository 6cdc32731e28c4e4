"""Printed values of plate exports: numbers, states of results, wells, kinds of wells."""

import re

NOTHING = frozenset({"", "nan", "n/a", "na", "***", "-", "none"})


MASKED = "---"


_WELL = re.compile(r"([A-Za-z]{1,2})\s*0*(\d{1,3})")


_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


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
