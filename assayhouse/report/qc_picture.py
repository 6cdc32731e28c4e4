"""Small pictures of instrument files as plain SVG: dots, lines, marks and gates in panels.

Knows axes and layers, no format of an instrument; what is drawn is chosen elsewhere.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from assayhouse.report.theme import ACTIVE_COLOURS, GRID, INK, MUTED, RULE
from assayhouse.report.thumbnail import closed, opening, text_at
from assayhouse.stats.arrays import FloatArray

WIDTH, HEIGHT = 236.0, 196.0
LEFT, RIGHT, TOP, BOTTOM = 42.0, 8.0, 20.0, 30.0
HEAD, FOOT, COLUMNS = 24.0, 6.0, 3
LINEAR, LOG = "linear", "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Points of one kind.

    Attributes
    ----------
    kind : str
        ``dots`` (small, many), ``points``, ``line``, or ``marks`` (a label above each point).
    x, y : (n,) array
        In the units of the axes.
    colour : int
        Place among the colours.
    labels : tuple of str
        One per point of ``marks``; of other kinds the first is the legend's.
    """

    kind: str
    x: FloatArray
    y: FloatArray
    colour: int = 0
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A gate: corners (k, 2) in the units of the axes; infinite ones end at the frame."""

    label: str
    corners: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes with its layers and regions."""

    title: str
    x_label: str
    y_label: str
    layers: tuple[Layer, ...]
    regions: tuple[Region, ...] = ()
    x_scale: str = LINEAR
    y_scale: str = LINEAR


@dataclass(frozen=True, slots=True)
class _Axis:
    """From values to pixels along one direction."""

    scale: str
    low: float
    high: float
    start: float
    end: float

    def at(self, values: FloatArray) -> FloatArray:
        """Pixels of values, kept within the frame."""
        shown = _scaled(values, self.scale)
        share = (np.clip(shown, self.low, self.high) - self.low) / (self.high - self.low)
        return np.asarray(self.start + share * (self.end - self.start), dtype=np.float64)

    def ticks(self) -> list[tuple[float, str]]:
        """Pixels and words of a few round values."""
        step = 1.0 if self.scale == LOG else _round_step(self.high - self.low)
        first = math.ceil(self.low / step - 1e-9)
        values = [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]
        every = max(1, -(-len(values) // 5))
        span = (self.end - self.start) / (self.high - self.low)
        return [
            (self.start + (value - self.low) * span, _word(value, self.scale))
            for value in values[::every]
        ]


def _scaled(values: FloatArray, scale: str) -> FloatArray:
    if scale == LOG:
        return np.log10(np.maximum(values, 1e-12))
    return np.asarray(values, dtype=np.float64)


def _round_step(span: float) -> float:
    power = 10.0 ** math.floor(math.log10(span / 4.0))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= span / 4.0)


def _word(value: float, scale: str) -> str:
    number = 10.0**value if scale == LOG else value
    if number and not 1e-3 <= abs(number) < 1e5:
        return f"{number:.0e}".replace("e+0", "e").replace("e-0", "e-")
    return f"{number:g}"


def draw_qc_picture(title: str, panels: Sequence[Panel], *, synthetic: bool) -> bytes:
    """Draw panels side by side, three in a row.

    Parameters
    ----------
    title : str
        Heading.
    panels : sequence of Panel
        At least one.
    synthetic : bool
        Whether to mark the picture as synthetic.

    Returns
    -------
    bytes
        An SVG document; equal panels give equal bytes.
    """
    columns = min(len(panels), COLUMNS)
    rows = -(-len(panels) // columns)
    width, height = columns * WIDTH + 8.0, HEAD + rows * HEIGHT + FOOT
    parts = list(opening(title, width=width, height=height, synthetic=synthetic))
    for place, panel in enumerate(panels):
        left, top = (place % columns) * WIDTH, HEAD + (place // columns) * HEIGHT
        parts += _panel(panel, left=left, top=top)
    return ("\n".join([*parts, *closed(None, width, height)]) + "\n").encode()


def _axes(panel: Panel, *, left: float, top: float) -> tuple[_Axis, _Axis]:
    drawn = [layer for layer in panel.layers if len(layer.x)]
    x = _range([layer.x for layer in drawn], panel.x_scale)
    marked = any(layer.kind == "marks" for layer in drawn)
    y = _range([layer.y for layer in drawn], panel.y_scale, marked=marked)
    return (
        _Axis(panel.x_scale, *x, left + LEFT, left + WIDTH - RIGHT),
        _Axis(panel.y_scale, *y, top + HEIGHT - BOTTOM, top + TOP),
    )


def _range(
    values: Sequence[FloatArray], scale: str, *, marked: bool = False
) -> tuple[float, float]:
    """Lowest and highest value on the scale with a margin; a wide one above for marks."""
    known = _scaled(np.concatenate([*values, np.empty(0)]), scale)
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    pad = 0.04 * (high - low) or 0.5
    return low - pad, high + pad * (9.0 if marked else 1.0)


def _panel(panel: Panel, *, left: float, top: float) -> Iterator[str]:
    x_axis, y_axis = _axes(panel, left=left, top=top)
    yield text_at(panel.title, left + LEFT, top + 13, size=8)
    for at, word in x_axis.ticks():
        yield f'<path d="M{at:.1f} {y_axis.end:.1f}V{y_axis.start:.1f}" stroke="{GRID}"/>'
        yield text_at(word, at, y_axis.start + 10, size=6.5, fill=MUTED, anchor="middle")
    for at, word in y_axis.ticks():
        yield f'<path d="M{x_axis.start:.1f} {at:.1f}H{x_axis.end:.1f}" stroke="{GRID}"/>'
        yield text_at(word, x_axis.start - 3, at + 2.5, size=6.5, fill=MUTED, anchor="end")
    for layer in panel.layers:
        yield from _layer(layer, x_axis, y_axis)
    for region in panel.regions:
        yield from _region(region, x_axis, y_axis)
    yield (
        f'<path d="M{x_axis.start:.1f} {y_axis.end:.1f}V{y_axis.start:.1f}H{x_axis.end:.1f}" '
        f'fill="none" stroke="{RULE}"/>'
    )
    middle = (x_axis.start + x_axis.end) / 2
    yield text_at(panel.x_label, middle, y_axis.start + 21, size=7, anchor="middle")
    across, down = left + 8, (y_axis.start + y_axis.end) / 2
    yield (
        f'<text x="{across:.0f}" y="{down:.0f}" font-size="7" fill="{INK}" text-anchor="middle" '
        f'transform="rotate(-90 {across:.0f} {down:.0f})">{escape(panel.y_label)}</text>'
    )
    yield from _legend(panel, x_axis, y_axis)


def _colour(place: int) -> str:
    return ACTIVE_COLOURS[place % len(ACTIVE_COLOURS)]


def _layer(layer: Layer, x_axis: _Axis, y_axis: _Axis) -> Iterator[str]:
    fine = np.isfinite(layer.x) & np.isfinite(layer.y)
    x, y = x_axis.at(layer.x[fine]), y_axis.at(layer.y[fine])
    if not len(x):
        return
    colour = _colour(layer.colour)
    digits = 0 if layer.kind == "dots" else 1
    pairs = [f"{a:.{digits}f} {b:.{digits}f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    if layer.kind == "line":
        yield f'<path d="M{"L".join(pairs)}" fill="none" stroke="{colour}" stroke-width="0.9"/>'
        return
    if layer.kind == "marks":
        for a, b, label in zip(x.tolist(), y.tolist(), layer.labels, strict=False):
            turned = f'transform="rotate(-75 {a:.1f} {b - 3:.1f})"'
            yield (
                f'<text x="{a:.1f}" y="{b - 3:.1f}" {turned} font-size="5.5" fill="{INK}">'
                f"{escape(label)}</text>"
            )
        return
    size = 0.9 if layer.kind == "dots" else 3.6
    dots = "".join(f"M{pair}h0" for pair in pairs)
    yield (
        f'<path d="{dots}" stroke="{colour}" stroke-width="{size}" stroke-linecap="round" '
        f'stroke-opacity="{0.5 if layer.kind == "dots" else 0.9}"/>'
    )


def _region(region: Region, x_axis: _Axis, y_axis: _Axis) -> Iterator[str]:
    limits = np.array([[10.0**v if a.scale == LOG else v for v in (a.low, a.high)]
                       for a in (x_axis, y_axis)])  # fmt: skip
    corners = np.clip(region.corners, limits[:, 0], limits[:, 1])
    x, y = x_axis.at(corners[:, 0]), y_axis.at(corners[:, 1])
    path = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    yield f'<path d="M{path}Z" fill="none" stroke="{INK}" stroke-width="1.1"/>'
    yield text_at(region.label, float(x.min()) + 2, float(y.min()) + 8, size=6.5, weight="bold")


def _legend(panel: Panel, x_axis: _Axis, y_axis: _Axis) -> Iterator[str]:
    named = [layer for layer in panel.layers if layer.kind != "marks" and layer.labels]
    for place, layer in enumerate(named[:6]):
        y = y_axis.start - 6 - 9 * place
        yield text_at(
            layer.labels[0], x_axis.end - 2, y, size=6.5, fill=_colour(layer.colour), anchor="end"
        )
