"""A small picture of lines in panels, written as plain SVG; for figures other than time courses.

No labels, no axes, no matplotlib.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from assayhouse.report.heading import Heading
from assayhouse.report.theme import GRID
from assayhouse.report.thumbnail import (
    CELL_HEIGHT,
    CELL_WIDTH,
    EDGE,
    FOOT,
    HEAD,
    closed,
    opening,
    text_at,
)

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """One line.

    Parameters
    ----------
    colour : str
        Hexadecimal.
    points : sequence of (float, float)
        In data units, y upwards.
    width : float
        Of the pen.
    """

    colour: str
    points: Sequence[Point]
    width: float = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class SketchPanel:
    """Lines in one frame, over the range they span.

    Parameters
    ----------
    name : str
        Heading.
    strokes : sequence of Stroke
        Drawn in order.
    """

    name: str
    strokes: Sequence[Stroke]


def sketch(panels: Sequence[SketchPanel], heading: Heading) -> bytes:
    """Draw panels small.

    Parameters
    ----------
    panels : sequence of SketchPanel
        In reading order; a single one is drawn large.
    heading : Heading
        Name and marks.

    Returns
    -------
    bytes
        An SVG document of a few kilobytes.
    """
    scale = 2.4 if len(panels) == 1 else 1.0
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    wide, high = CELL_WIDTH * scale, CELL_HEIGHT * scale
    width, height = columns * wide + 2 * EDGE, rows * high + HEAD + FOOT
    cells = [
        _cell(
            panel,
            left=EDGE + (index % columns) * wide,
            top=HEAD + (index // columns) * high,
            size=(wide, high),
        )
        for index, panel in enumerate(panels)
    ]
    parts = [
        *opening(heading.title, width=width, height=height, synthetic=heading.synthetic),
        *cells,
        *closed(heading.watermark, width, height),
    ]
    return ("\n".join(parts) + "\n").encode()


def _cell(panel: SketchPanel, *, left: float, top: float, size: tuple[float, float]) -> str:
    points = [point for stroke in panel.strokes for point in stroke.points]
    if not points:
        return text_at(f"{panel.name}: no values", left + 2, top + 9, size=7.2)
    across, up = [x for x, _ in points], [y for _, y in points]
    x_low, x_span = min(across), (max(across) - min(across)) or 1.0
    y_high, y_span = max(up), (max(up) - min(up)) or 1.0
    inner_width, inner_height = size[0] - 16, size[1] - 30

    def spot(point: Point) -> str:
        right = left + 6 + inner_width * (point[0] - x_low) / x_span
        down = top + 18 + inner_height * (y_high - point[1]) / y_span
        return f"{right:.1f} {down:.1f}"

    edge = f"M{left + 1:.0f} {top + 13:.0f}h{size[0] - 6:.0f}v{size[1] - 19:.0f}"
    name = panel.name if len(panel.name) <= 32 else panel.name[:31].rstrip() + "…"
    lines = [
        f'<path d="{edge}H{left + 1:.0f}z" fill="none" stroke="{GRID}"/>',
        text_at(name, left + 2, top + 9, size=7.2, weight="bold"),
    ]
    for stroke in panel.strokes:
        path = "L".join(map(spot, stroke.points))
        lines.append(
            f'<path d="M{path}h0" fill="none" stroke="{stroke.colour}" '
            f'stroke-width="{stroke.width:g}" stroke-linecap="round" stroke-linejoin="round"/>'
        )
    return "".join(lines)
