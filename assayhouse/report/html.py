"""Markup for self-contained pages: whatever is put in is escaped unless it is markup already.

Holds no page and no numbers. Nothing here refers to anything outside the page.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from assayhouse.report.style import SCRIPT, STYLE

_NO_ATTRIBUTES: Mapping[str, str] = {}


class Markup(str):
    """Text that is HTML already; every other string is escaped when it is put into a page."""

    __slots__ = ()


Content: TypeAlias = "str | Markup | int | None"


def safe(content: Content) -> Markup:
    """Return the content as markup, escaped unless it is markup already.

    Parameters
    ----------
    content : str, Markup, int or None
        What goes into the page; None gives nothing.

    Returns
    -------
    Markup
        Ready to be joined to other markup.

    Examples
    --------
    >>> safe("<b>"), safe(Markup("<b>"))
    ('&lt;b&gt;', '<b>')
    """
    if isinstance(content, Markup):
        return content
    return Markup("" if content is None else html.escape(str(content), quote=True))


def tag(name: str, *children: Content, attributes: Mapping[str, str] = _NO_ATTRIBUTES) -> Markup:
    """Return an element around its children.

    Parameters
    ----------
    name : str
        Name of the element.
    *children : str, Markup, int or None
        Content, escaped where it is not markup.
    attributes : mapping of str to str
        Attributes; values are escaped.

    Returns
    -------
    Markup
        The element.

    Examples
    --------
    >>> tag("p", "a < b", attributes={"class": "note"})
    '<p class="note">a &lt; b</p>'
    """
    written = "".join(f' {key}="{safe(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{written}>{''.join(map(safe, children))}</{name}>")


def join(parts: Iterable[Content], separator: str = "\n") -> Markup:
    """Join parts, each escaped where it is not markup.

    Parameters
    ----------
    parts : iterable of str, Markup, int or None
        The parts in order.
    separator : str
        Markup between them.

    Returns
    -------
    Markup
        One piece.
    """
    return Markup(separator.join(map(safe, parts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str
        Heading.
    numeric : bool
        Whether its cells are numbers, set to the right.
    """

    title: str
    numeric: bool = False


def table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Content]],
    *,
    caption: str,
    marks: Sequence[str] = (),
    empty: str = "None.",
) -> Markup:
    """Return a table with caption and scoped headings; the first cell of a row is its heading.

    Parameters
    ----------
    columns : sequence of Column
        Headings.
    rows : iterable of sequence
        Cells in the columns' order.
    caption : str
        What the table shows.
    marks : sequence of str
        A class per row, or nothing.
    empty : str
        Said in place of the rows where there are none.

    Returns
    -------
    Markup
        The table inside a box that scrolls sideways on a small screen.
    """
    head = join(
        (
            tag("th", column.title, attributes={"scope": "col"} | _kind(column))
            for column in columns
        ),
        "",
    )
    body = []
    for index, cells in enumerate(rows):
        mark = {"class": marks[index]} if index < len(marks) and marks[index] else {}
        first = tag("th", cells[0], attributes={"scope": "row"} | _kind(columns[0]))
        rest = [
            tag("td", cell, attributes=_kind(column))
            for cell, column in zip(cells[1:], columns[1:], strict=True)
        ]
        body.append(tag("tr", first, *rest, attributes=mark))
    if not body:
        cell = tag("td", empty, attributes={"colspan": str(len(columns)), "class": "empty"})
        body.append(tag("tr", cell))
    inner = tag(
        "table", tag("caption", caption), tag("thead", tag("tr", head)), tag("tbody", join(body))
    )
    return tag("div", inner, attributes={"class": "scroll"})


def _kind(column: Column) -> dict[str, str]:
    return {"class": "number"} if column.numeric else {}


def facts(pairs: Iterable[tuple[str, Content]]) -> Markup:
    """Return terms with their values, as for a page's identity.

    Parameters
    ----------
    pairs : iterable of (str, content)
        Term and value.

    Returns
    -------
    Markup
        A description list.
    """
    entries = (tag("div", tag("dt", term), tag("dd", value)) for term, value in pairs)
    return tag("dl", join(entries), attributes={"class": "facts"})


def document(*, title: str, body: Iterable[Content]) -> bytes:
    """Return a whole page with its style and script inside.

    Parameters
    ----------
    title : str
        Title of the window.
    body : iterable of content
        What the page shows.

    Returns
    -------
    bytes
        UTF-8.
    """
    parts = (
        Markup('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        # The page may run what it brings along and fetch nothing.
        Markup(
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">"
        ),
        tag("title", title),
        Markup(f"<style>{STYLE}</style>\n</head>\n<body>"),
        tag("main", join(body)),
        Markup(f"<script>{SCRIPT}</script>\n</body>\n</html>\n"),
    )
    return join(parts).encode()
