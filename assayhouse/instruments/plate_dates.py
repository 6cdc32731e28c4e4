"""Dates of plate exports, whose day and month stand in the order of the site's locale."""

import datetime as dt
import re
from collections.abc import Iterable

_ORDERS = {"mdy": (0, 1, 2), "dmy": (1, 0, 2), "ymd": (1, 2, 0)}


_NUMERIC_DATE = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})")


_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?")


_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


_NAMED_DATE = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3})[a-z]*[- ,]+(\d{4})")


def read_moment(text: str, *, others: Iterable[str] = ()) -> tuple[dt.datetime | None, bool]:
    """Date and time of a text in any of the three orders of day, month and year.

    Parameters
    ----------
    text : str
        Date, perhaps with a time.
    others : iterable of str
        Further dates of the same file, which may decide the order.

    Returns
    -------
    datetime or None
        Local time without zone; month first where nothing decides.
    bool
        Whether the order stayed undecided and matters.
    """
    named = _NAMED_DATE.search(text)
    if named and named[2].lower() in _MONTHS:
        month = _MONTHS.index(named[2].lower()) + 1
        return _moment(int(named[3]), month, int(named[1]), text), False
    found = _NUMERIC_DATE.search(text)
    if found is None:
        return None, False
    dates = [match for other in (text, *others) for match in [_NUMERIC_DATE.search(other)] if match]
    orders = [name for name in _ORDERS if all(_fits(date, name) for date in dates)]
    moments = list(dict.fromkeys(_in_order(found, name, text) for name in orders))
    if not moments:
        return None, False
    return moments[0], len(moments) > 1


def _fits(date: re.Match[str], order: str) -> bool:
    return _in_order(date, order, "") is not None


def _in_order(date: re.Match[str], order: str, text: str) -> dt.datetime | None:
    month, day, year = (date[place + 1] for place in _ORDERS[order])
    if len(year) != 4 or len(day) > 2 or len(month) > 2:
        return None
    return _moment(int(year), int(month), int(day), text)


def _moment(year: int, month: int, day: int, text: str) -> dt.datetime | None:
    clock = _CLOCK.search(text)
    hour, minute, second = (int(clock[part] or 0) for part in (1, 2, 3)) if clock else (0, 0, 0)
    if clock and clock[4]:
        hour = hour % 12 + (12 if clock[4].lower() == "pm" else 0)
    try:
        return dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - local
    except ValueError:
        return None
