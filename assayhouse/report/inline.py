"""A figure's SVG inside a page: identifiers made its own, points given their tooltips.

Works on the SVG that `assayhouse.report.figure` writes; it is no general SVG reader.
"""

import re
from collections.abc import Mapping

import polars as pl

from assayhouse.report.figure import DrawnFigure
from assayhouse.report.html import Markup, safe
from assayhouse.report.words import decimals_for, number, p_text, slug

HIT_RADIUS = 6.5
_POINT = re.compile(
    r'<g id="(?P<id>pt-[A-Za-z0-9-]+)">(?P<body>.*?<use [^>]*?x="(?P<x>[-0-9.]+)" '
    r'y="(?P<y>[-0-9.]+)"[^>]*/>)',
    re.DOTALL,
)


def rows_query(paramcd: str, avisitn: int) -> str:
    """Return the query that leads from a point to the subjects' rows behind it.

    The rows of all arms: one model per parameter and visit gives every arm's point.

    Parameters
    ----------
    paramcd : str
        Parameter code.
    avisitn : int
        Analysis visit.

    Returns
    -------
    str
        One SELECT.

    Examples
    --------
    >>> rows_query("IL2", 4)
    "select * from adam.adbm where PARAMCD = 'IL2' and AVISITN = 4"
    """
    quoted = paramcd.replace("'", "''")
    # A text for the reader to run; nothing here runs it, and the code is quoted all the same.
    where = f"PARAMCD = '{quoted}' and AVISITN = {avisitn}"
    return f"select * from adam.adbm where {where}"  # noqa: S608 - shown, not run


def tooltips(twin: pl.DataFrame) -> dict[str, str]:
    """Write the tooltip of every drawn point.

    Parameters
    ----------
    twin : polars.DataFrame
        The figure's twin.

    Returns
    -------
    dict of str to str
        Text by ``point_id``.
    """
    decimals = {
        str(panel): decimals_for(rows["se"].to_list())
        for (panel,), rows in twin.group_by("panel", maintain_order=True)
    }
    drawn = twin.filter(pl.col("estimate").is_not_null())
    return {
        str(row["point_id"]): _tooltip(row, decimals[str(row["panel"])])
        for row in drawn.iter_rows(named=True)
    }


def _tooltip(row: dict[str, object], decimals: int) -> str:
    lines = [f"{row['parameter']}, {row['visit']}, {row['arm_label']}"]
    if row["status"] == "baseline":
        lines.append("Change at baseline: 0 by definition")
    else:
        unit = f" {row['unit']}" if row["unit"] else ""
        lines.append(
            f"Adjusted mean change: {number(_float(row['estimate']), decimals)}{unit}, "
            f"SE {number(_float(row['se']), decimals)}, n = {row['n']} (model, all arms)"
        )
    if row["label"] is not None:
        lines.append(f"Against the reference arm: {row['label']}, p {_p(_float(row['p']))}")
    lines.append(rows_query(str(row["panel"]), int(str(row["avisitn"]))))
    return "\n".join(lines)


def _p(p: float | None) -> str:
    text = p_text(p)
    return text if text[0] in "<>" else f"= {text}"


def _float(value: object) -> float | None:
    return value if isinstance(value, float) else None


def inline_svg(figure: DrawnFigure) -> Markup:
    """Return the figure as an element of a page, a tooltip on every point.

    Parameters
    ----------
    figure : DrawnFigure
        The figure.

    Returns
    -------
    Markup
        An ``<svg>`` element without references to anything outside it.
    """
    text = figure.svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(?::\w+)?="[^"]*"', "", text).replace("xlink:href=", "href=")
    text = text.replace("<svg ", f'<svg role="img" aria-label="{safe(figure.title)}" ', 1)
    text = re.sub(r"<title>.*?</title>", "", text, count=1, flags=re.DOTALL)
    # A style element inside an inline SVG would reach the whole page.
    text = text.replace("*{stroke-linejoin", ".plate svg *{stroke-linejoin")
    text = _POINT.sub(lambda match: _with_tooltip(match, figure.tooltips), text)
    return Markup(_own_identifiers(text, f"{slug(figure.figure_id)}-"))


def _with_tooltip(match: re.Match[str], notes: Mapping[str, str]) -> str:
    note = safe(notes.get(match["id"], ""))
    return (
        f'<g id="{match["id"]}" class="point" tabindex="0"><title>{note}</title>{match["body"]}'
        f'<circle cx="{match["x"]}" cy="{match["y"]}" r="{HIT_RADIUS}"/>'
    )


def _own_identifiers(text: str, prefix: str) -> str:
    text = re.sub(r'\bid="', f'id="{prefix}', text)
    text = re.sub(r"url\(#", f"url(#{prefix}", text)
    return re.sub(r'href="#', f'href="#{prefix}', text)
