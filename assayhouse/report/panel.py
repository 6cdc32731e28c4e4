"""One panel of a time course: lines, bars, markers, labels, axes. Knows nothing of the page."""

import functools
import itertools
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

import polars as pl

from assayhouse.report.labels import Box, LabelRequest, place_labels, stack_labels
from assayhouse.report.theme import GRID, INK, MUTED, RULE, ArmStyle
from assayhouse.report.twin import BASELINE
from assayhouse.report.words import MANY_VISITS, STAR_LIMITS

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

LABEL_SIZE = 6.6
MARKER_SIZE = 4.4
MARGIN_FOR_LABELS = 50.0
LABEL_SPACING = 1.28


class LineLook(TypedDict):
    """Keyword arguments of a matplotlib line."""

    color: str
    marker: str
    markersize: float
    markeredgecolor: str
    markeredgewidth: float
    linewidth: float


def line_look(style: ArmStyle) -> LineLook:
    """Return how an arm's line and markers are drawn, in panels and legend alike.

    Parameters
    ----------
    style : ArmStyle
        The arm.

    Returns
    -------
    LineLook
        Keyword arguments for a line.
    """
    return LineLook(
        color=style.colour,
        marker=style.marker,
        markersize=MARKER_SIZE + (0.6 if style.marker in "PXvp^" else 0.0),
        markeredgecolor="white",
        markeredgewidth=0.5,
        linewidth=1.3,
    )


def arm_handles(styles: Sequence[ArmStyle]) -> "list[Artist]":
    """Return the legend's entries of the arms, in dose order.

    Parameters
    ----------
    styles : sequence of ArmStyle
        The arms.

    Returns
    -------
    list of matplotlib artists
        One line with marker per arm.
    """
    from matplotlib.lines import Line2D  # noqa: PLC0415 - late: only a drawing needs matplotlib

    return [Line2D([], [], label=style.label, **line_look(style)) for style in styles]


def draw(axes: "Axes", points: pl.DataFrame, *, styles: Sequence[ArmStyle]) -> set[str]:
    """Draw one panel and return which points got their label.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        An empty panel in its final size; the figure is at 72 dots per inch.
    points : polars.DataFrame
        The twin's rows of this panel.
    styles : sequence of ArmStyle
        The arms, in dose order.

    Returns
    -------
    set of str
        ``point_id`` of every labelled point.
    """
    _set_frame(axes, points)
    for style in styles:
        _draw_arm(axes, points.filter(pl.col("arm") == style.armcd), style)
    shown = points.filter(pl.col("estimate").is_not_null() & (pl.col("status") != BASELINE))
    if shown.is_empty():
        axes.text(
            0.5, 0.56, "not estimated, see the notes",
            transform=axes.transAxes, ha="center", va="bottom", size=7.5, color=MUTED,
        )  # fmt: skip
        return set()
    return _label_points(axes, points, styles)


def stamp(axes: "Axes", text: str) -> None:
    """Write a watermark from corner to corner of a panel.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    text : str
        A few capitals.
    """
    box = axes.get_window_extent()
    slope = math.atan2(box.height, box.width)
    diagonal = math.hypot(box.width, box.height)
    size = min(40.0, 0.86 * diagonal / (0.72 * max(8, len(text))))
    axes.text(
        0.5, 0.5, text,
        transform=axes.transAxes, ha="center", va="center", rotation=math.degrees(slope),
        size=size, weight="bold", color=INK, alpha=0.16, zorder=10, clip_on=True,
    )  # fmt: skip


def _set_frame(axes: "Axes", points: pl.DataFrame) -> None:
    first = points.row(0, named=True)
    axes.set_title(
        "\n".join(textwrap.wrap(str(first["parameter"]), _letters(axes, 8.4))[:2]),
        loc="left", size=8.4, weight="bold", pad=5.0, linespacing=1.1,
        y=1.0,  # its place is known: no search for ticks above the panel at every drawing
    )  # fmt: skip
    unit = f" ({first['unit']})" if first["unit"] else ""
    axes.set_ylabel(f"Change from baseline{unit}", size=7.2)
    axes.yaxis.set_label_coords(-0.5 * 72 / axes.get_window_extent().width, 0.5)
    axes.set_xlabel("Week", size=7.2, labelpad=1.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2.5, width=0.8, color=RULE, pad=2.0)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.axhline(0.0, color=RULE, linewidth=0.9, zorder=1.5)
    _set_limits(axes, points)
    _set_ticks(axes, points)


def _set_limits(axes: "Axes", points: pl.DataFrame) -> None:
    ends = [0.0, *points["lower"].drop_nulls().to_list(), *points["upper"].drop_nulls().to_list()]
    ends += points["estimate"].drop_nulls().to_list()
    low, high = min(ends), max(ends)
    room = 0.17 * ((high - low) or 1.0)
    axes.set_ylim(low - room, high + room)
    start, end = float(points["avisitn"].min()), float(points["avisitn"].max())  # type: ignore[arg-type]
    span = (end - start) or 1.0
    inner = 1 - MARGIN_FOR_LABELS / axes.get_window_extent().width
    axes.set_xlim(start - 0.035 * span, start - 0.035 * span + 1.07 * span / inner)


def _set_ticks(axes: "Axes", points: pl.DataFrame) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - late, as the theme

    weeks = sorted(set(points["avisitn"].to_list()))
    axes.set_xticks(weeks)
    left, right = axes.get_xlim()
    per_week = axes.get_window_extent().width / (right - left)
    written, labels = -math.inf, []
    for week in weeks:
        fits = (week - written) * per_week >= 11.0
        labels.append(str(week) if fits else "")
        written = week if fits else written
    axes.set_xticklabels(labels)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))


def _draw_arm(axes: "Axes", points: pl.DataFrame, style: ArmStyle) -> None:
    look = line_look(style)
    rank = 3.0 + 0.1 * style.order
    heights = [math.nan if value is None else value for value in points["estimate"].to_list()]
    axes.plot(points["x"].to_list(), heights, color=style.colour, linewidth=1.3, zorder=rank)
    drawn = [row for row in points.iter_rows(named=True) if row["estimate"] is not None]
    bars = [row for row in drawn if row["lower"] is not None]
    axes.plot(
        [x for row in bars for x in (row["x"], row["x"], math.nan)],
        [y for row in bars for y in (row["lower"], row["upper"], math.nan)],
        color=style.colour, linewidth=0.9, zorder=rank,
        marker="_", markersize=3.6, markeredgewidth=0.9,
    )  # fmt: skip
    for row in drawn:
        (marker,) = axes.plot([row["x"]], [row["estimate"]], zorder=rank + 0.05, **look)
        marker.set_gid(row["point_id"])


def _label_points(axes: "Axes", points: pl.DataFrame, styles: Sequence[ArmStyle]) -> set[str]:
    colours = {style.armcd: style.colour for style in styles}
    wanted = points.filter(pl.col("label").is_not_null())
    last = points.filter(pl.col("estimate").is_not_null())["avisitn"].max()
    at_end = wanted.filter(pl.col("avisitn") == last)
    earlier = wanted.filter(pl.col("avisitn") != last).sort(
        pl.col("p").fill_null(1.0), "avisitn", "arm_order"
    )
    if wanted["avisitn"].n_unique() > MANY_VISITS:
        earlier = earlier.filter(pl.col("p") <= STAR_LIMITS[-1][0])
    taken = _label_column(axes, points, at_end, colours)
    placed = _label_near(axes, points, earlier, colours=colours, taken=taken)
    return placed | set(at_end["point_id"].to_list())


def _label_column(
    axes: "Axes", points: pl.DataFrame, rows: pl.DataFrame, colours: dict[str, str]
) -> list[Box]:
    """Write the last visit's labels in a column beside it, with a leader where one moved."""
    if rows.is_empty():
        return []
    frame = axes.get_window_extent()
    last_x = points.filter(pl.col("avisitn") == rows["avisitn"][0])["x"].max()
    left = _pixel(axes, float(last_x), 0.0)[0] + 8.5  # type: ignore[arg-type]
    heights = [_pixel(axes, row["x"], row["estimate"])[1] for row in rows.iter_rows(named=True)]
    step = LABEL_SIZE * LABEL_SPACING
    centres = stack_labels(heights, height=step, low=frame.y0 + step / 2, high=frame.y1 - step / 2)
    boxes = []
    for row, wish, centre in zip(rows.iter_rows(named=True), heights, centres, strict=True):
        width, _ = _text_size(str(row["label"]))
        boxes.append(
            Box(left=left, right=left + width, bottom=centre - step / 2, top=centre + step / 2)
        )
        _write(axes, row, colours, x=left, y=centre, ha="left")
        if abs(centre - wish) > 2.5:
            _leader(axes, row, colours, to=(left - 0.8, centre))
    return boxes


def _label_near(
    axes: "Axes",
    points: pl.DataFrame,
    rows: pl.DataFrame,
    *,
    colours: dict[str, str],
    taken: Sequence[Box],
) -> set[str]:
    frame = axes.get_window_extent()
    requests = []
    for row in rows.iter_rows(named=True):
        x, y = _pixel(axes, row["x"], row["estimate"])
        width, height = _text_size(str(row["label"]))
        requests.append(LabelRequest(x=x, y=y, width=width, height=height))
    places = place_labels(
        requests,
        bounds=Box(left=frame.x0 + 1, bottom=frame.y0 + 1, right=frame.x1, top=frame.y1 + 3),
        solid=[*_solid(axes, points), *taken],
        lines=_along_lines(axes, points),
    )
    done = set()
    for row, request, place in zip(rows.iter_rows(named=True), requests, places, strict=True):
        if place is None:
            continue
        x, y = (place.left + place.right) / 2, (place.bottom + place.top) / 2
        _write(axes, row, colours, x=x, y=y, ha="center")
        edge = place.bottom if y > request.y else place.top
        if abs(edge - request.y) > 9.0:
            nearest = min(max(request.x, place.left + 2), place.right - 2)
            _leader(axes, row, colours, to=(nearest, edge))
        done.add(str(row["point_id"]))
    return done


def _write(
    axes: "Axes", row: dict[str, object], colours: dict[str, str], *, x: float, y: float, ha: str
) -> None:
    frame = axes.get_window_extent()
    label = str(row["label"])
    axes.text(
        (x - frame.x0) / frame.width, (y - frame.y0) / frame.height, label,
        transform=axes.transAxes, ha=ha, va="center_baseline", size=LABEL_SIZE, zorder=6,
        color=colours[str(row["arm"])], weight=_weight(label),
        # Hides the grid behind the letters, so that a rule does not strike them through.
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.85},
    )  # fmt: skip


def _leader(
    axes: "Axes", row: dict[str, object], colours: dict[str, str], *, to: tuple[float, float]
) -> None:
    frame = axes.get_window_extent()
    start = _pixel(axes, float(str(row["x"])), float(str(row["estimate"])))
    ends = [((x - frame.x0) / frame.width, (y - frame.y0) / frame.height) for x, y in (start, to)]
    axes.plot(
        [end[0] for end in ends], [end[1] for end in ends],
        transform=axes.transAxes, color=colours[str(row["arm"])], linewidth=0.5, alpha=0.7,
        zorder=2.5,
    )  # fmt: skip


def _solid(axes: "Axes", points: pl.DataFrame) -> list[Box]:
    boxes = []
    half = MARKER_SIZE / 2 + 0.6
    for row in points.filter(pl.col("estimate").is_not_null()).iter_rows(named=True):
        x, y = _pixel(axes, row["x"], row["estimate"])
        boxes.append(Box(left=x - half, right=x + half, bottom=y - half, top=y + half))
        if row["lower"] is not None:
            low, high = (_pixel(axes, row["x"], row[end])[1] for end in ("lower", "upper"))
            boxes.append(Box(left=x - 1.8, right=x + 1.8, bottom=low - 0.5, top=high + 0.5))
    return boxes


def _along_lines(axes: "Axes", points: pl.DataFrame) -> list[Box]:
    boxes = []
    for _, arm in points.group_by("arm", maintain_order=True):
        rows = list(arm.iter_rows(named=True))
        for before, after in itertools.pairwise(rows):
            if before["estimate"] is None or after["estimate"] is None:
                continue
            start = _pixel(axes, before["x"], before["estimate"])
            end = _pixel(axes, after["x"], after["estimate"])
            steps = max(1, int(math.dist(start, end) / 2.0))
            for step in range(steps + 1):
                x = start[0] + (end[0] - start[0]) * step / steps
                y = start[1] + (end[1] - start[1]) * step / steps
                boxes.append(Box(left=x - 0.8, right=x + 0.8, bottom=y - 0.8, top=y + 0.8))
    return boxes


def _pixel(axes: "Axes", x: float, y: float) -> tuple[float, float]:
    across, upwards = axes.transData.transform((x, y))
    return float(across), float(upwards)


def _weight(label: str) -> str:
    return "bold" if "*" in label else "normal"


@functools.cache
def _text_size(text: str) -> tuple[float, float]:
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 - late, as the theme
    from matplotlib.textpath import TextPath  # noqa: PLC0415 - late, as the theme

    font = FontProperties(family="DejaVu Sans", weight=_weight(text))
    extent = TextPath((0, 0), text, size=LABEL_SIZE, prop=font).get_extents()
    return float(extent.x1), LABEL_SIZE * 0.78


def _letters(axes: "Axes", size: float) -> int:
    return max(12, int(axes.get_window_extent().width / (size * 0.66)))
