"""A small picture of a time course, written as plain SVG. No labels, no axes, no matplotlib."""

from collections.abc import Iterable, Sequence
from html import escape

import polars as pl

from assayhouse.report.heading import Heading
from assayhouse.report.theme import GRID, INK, MUTED, RULE, WARNING, ArmStyle

CELL_WIDTH, CELL_HEIGHT = 176.0, 104.0
HEAD, FOOT, EDGE = 40.0, 10.0, 10.0
FONT = "DejaVu Sans, Verdana, Arial, sans-serif"


def thumbnail(
    twin: pl.DataFrame,
    *,
    heading: Heading,
    styles: Sequence[ArmStyle],
) -> bytes:
    """Draw every panel small, one line per arm.

    Parameters
    ----------
    twin : polars.DataFrame
        From `assayhouse.report.twin.time_course_twin`.
    styles : sequence of ArmStyle
        The arms, in dose order.
    heading : Heading
        Name and marks.

    Returns
    -------
    bytes
        An SVG document of a few kilobytes.
    """
    panels = twin["panel"].unique(maintain_order=True).to_list()
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    width, height = columns * CELL_WIDTH + 2 * EDGE, rows * CELL_HEIGHT + HEAD + FOOT
    cells = [
        _cell(
            twin.filter(pl.col("panel") == panel),
            styles,
            left=EDGE + (index % columns) * CELL_WIDTH,
            top=HEAD + (index // columns) * CELL_HEIGHT,
        )
        for index, panel in enumerate(panels)
    ]
    parts = [
        *opening(heading.title, width=width, height=height, synthetic=heading.synthetic),
        *_legend(styles),
        *cells,
        *closed(heading.watermark, width, height),
    ]
    return ("\n".join(parts) + "\n").encode()


def opening(title: str, *, width: float, height: float, synthetic: bool) -> Iterable[str]:
    """Begin a small picture: root element, white ground, heading and mark.

    Parameters
    ----------
    title : str
        Heading; shortened to fit.
    width, height : float
        Size in pixels.
    synthetic : bool
        Whether to mark the picture as synthetic.

    Yields
    ------
    str
        Pieces of SVG.
    """
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    name = "http://www.w3.org/2000/svg"
    yield f'<svg xmlns="{name}" {size} font-family="{FONT}" role="img">'
    yield f"<title>{escape(title)}</title>"
    yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>'
    room = int((width - (112 if synthetic else 20)) / 6.0)
    short = title if len(title) <= room else title[: room - 1].rstrip() + "…"
    yield text_at(short, EDGE, 15, size=9.5, weight="bold")
    if synthetic:
        yield text_at("SYNTHETIC DATA", width - EDGE, 15, size=8, fill=WARNING, anchor="end",
                      weight="bold")  # fmt: skip


def closed(watermark: str | None, width: float, height: float) -> Iterable[str]:
    """End a small picture, with text across it where there is one.

    Parameters
    ----------
    watermark : str or None
        A few capitals.
    width, height : float
        Size in pixels.

    Yields
    ------
    str
        Pieces of SVG.
    """
    if watermark:
        yield _mark(watermark, width, height)
    yield "</svg>"


def _legend(styles: Sequence[ArmStyle]) -> Iterable[str]:
    x = EDGE
    for style in styles:
        yield (
            f'<path d="M{x:.0f} 27h12" stroke="{style.colour}" stroke-width="2.2"/>'
            + text_at(style.label, x + 15, 30, size=7.5)
        )
        x += 27 + 4.7 * len(style.label)


def _cell(points: pl.DataFrame, styles: Sequence[ArmStyle], *, left: float, top: float) -> str:
    heights = [0.0, *points["estimate"].drop_nulls().to_list()]
    low, high = min(heights), max(heights)
    weeks = points["avisitn"].to_list()
    start, end = min(weeks), max(weeks)
    inner_width, inner_height = CELL_WIDTH - 16, CELL_HEIGHT - 30

    def spot(week: float, value: float) -> str:
        across = left + 6 + inner_width * (week - start) / ((end - start) or 1)
        down = top + 18 + inner_height * (high - value) / ((high - low) or 1.0)
        return f"{across:.1f} {down:.1f}"

    name = str(points["parameter"][0])
    label = name if len(name) <= 32 else name[:31].rstrip() + "…"
    edge = f"M{left + 1:.0f} {top + 13:.0f}h{CELL_WIDTH - 6:.0f}v{CELL_HEIGHT - 19:.0f}"
    lines = [
        f'<path d="{edge}H{left + 1:.0f}z" fill="none" stroke="{GRID}"/>',
        f'<path d="M{spot(start, 0.0)}L{spot(end, 0.0)}" stroke="{RULE}" stroke-width=".7"/>',
        text_at(label, left + 2, top + 9, size=7.2, weight="bold"),
    ]
    for style in styles:
        arm = points.filter(pl.col("arm") == style.armcd)
        lines.append(_line(style, spots=[
            None if value is None else spot(week, value)
            for week, value in zip(arm["avisitn"], arm["estimate"], strict=True)
        ]))  # fmt: skip
    if points["estimate"].drop_nulls().len() <= len(styles):
        lines.append(text_at("not estimated", left + CELL_WIDTH / 2, top + 46, size=7.5, fill=MUTED,
                           anchor="middle"))  # fmt: skip
    return "".join(lines)


def _line(style: ArmStyle, *, spots: Sequence[str | None]) -> str:
    path, pen_down = "", False
    for place in spots:
        if place is not None:
            # A run of one point is drawn as a dot: zero length with a round cap.
            path += f"{'L' if pen_down else 'M'}{place}" + ("" if pen_down else "h0")
        pen_down = place is not None
    return (
        f'<path d="{path}" fill="none" stroke="{style.colour}" stroke-width="1.6" '
        f'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _mark(text: str, width: float, height: float) -> str:
    size = min(60.0, 1.1 * width / max(8, len(text)))
    return (
        f'<text x="{width / 2:.0f}" y="{height / 2:.0f}" font-size="{size:.0f}" '
        f'font-weight="bold" fill="{INK}" fill-opacity=".18" text-anchor="middle" '
        f'transform="rotate(-28 {width / 2:.0f} {height / 2:.0f})">{escape(text)}</text>'
    )


def text_at(
    text: str,
    x: float,
    y: float,
    *,
    size: float,
    fill: str = INK,
    anchor: str = "start",
    weight: str = "normal",
) -> str:
    """Write text at a place of a small picture.

    Parameters
    ----------
    text : str
        Escaped here.
    x, y : float
        Pixels from the left and the top.
    size : float
        Of the letters, in pixels.
    fill, anchor, weight : str
        Attributes of the element.

    Returns
    -------
    str
        One element.
    """
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size:g}" font-weight="{weight}" '
        f'fill="{fill}" text-anchor="{anchor}">{escape(text)}</text>'
    )
