"""The one picture of an instrument file: curves, points, a cloud of events, or bars."""

from typing import TYPE_CHECKING

from assayhouse.instruments.registry import Picture
from assayhouse.report.figure import Exports, export
from assayhouse.report.theme import ACTIVE_COLOURS, GRID, INK, MUTED, drawing_settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE_INCHES = (6.4, 4.2)
_MOST_LABELLED = 8
_HEXAGONS = 90
_LONGEST_NAME = 40


def draw_picture(picture: Picture) -> Exports:
    """Draw what an inspection says its picture would show.

    Parameters
    ----------
    picture : Picture
        Series, labels and scales.

    Returns
    -------
    Exports
        The bytes of SVG, PNG and PDF; equal pictures give equal bytes.
    """
    with drawing_settings(salt=picture.title):
        from matplotlib.figure import Figure  # noqa: PLC0415 - late: only a drawing needs it

        figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
        axes = figure.add_subplot()
        draw = {"lines": _lines, "points": _points, "density": _density, "bars": _bars}
        draw[picture.kind](axes, picture)
        _label(axes, picture)
        figure.suptitle(_plain(picture.title), x=0.01, ha="left", fontsize=9, color=INK)
        return export(figure, title=picture.title)


def _plain(text: str) -> str:
    """Text in which a dollar sign begins no formula."""
    return text.replace("$", r"\$")


def _shortened(name: str) -> str:
    """Keep the end of a long name: of a path to a population the last steps tell most."""
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"


def _label(axes: "Axes", picture: Picture) -> None:
    axes.set_title(_plain(picture.note), loc="right", fontsize=6.5, color=MUTED)
    axes.set_xlabel(_plain(picture.x_label))
    axes.set_ylabel(_plain(picture.y_label))
    if picture.kind != "bars":
        axes.set_xscale(picture.x_scale)
        axes.set_yscale(picture.y_scale)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if 1 < len(picture.series) <= _MOST_LABELLED and picture.kind in {"lines", "points"}:
        axes.legend(frameon=False, fontsize=6.5)


def _colour(picture: Picture, place: int) -> str:
    if len(picture.series) > _MOST_LABELLED:
        return ACTIVE_COLOURS[0]
    return ACTIVE_COLOURS[place % len(ACTIVE_COLOURS)]


def _lines(axes: "Axes", picture: Picture) -> None:
    many = len(picture.series) > _MOST_LABELLED
    for place, series in enumerate(picture.series):
        axes.plot(
            series.x,
            series.y,
            color=_colour(picture, place),
            linewidth=0.7 if many else 1.0,
            alpha=0.55 if many else 1.0,
            label=_plain(series.label),
        )


def _points(axes: "Axes", picture: Picture) -> None:
    for place, series in enumerate(picture.series):
        axes.plot(
            series.x,
            series.y,
            linestyle="none",
            marker="o",
            markersize=3,
            color=_colour(picture, place),
            label=_plain(series.label),
        )


def _density(axes: "Axes", picture: Picture) -> None:
    (series,) = picture.series
    axes.hexbin(
        series.x, series.y, gridsize=_HEXAGONS, mincnt=1, bins="log", cmap="cividis", linewidths=0
    )


def _bars(axes: "Axes", picture: Picture) -> None:
    """Bars from the left, the first at the top."""
    names = [_plain(_shortened(series.label)) for series in picture.series]
    lengths = [float(series.y[0]) for series in picture.series]
    axes.barh(range(len(names)), lengths, color=ACTIVE_COLOURS[0], height=0.7)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(left=0.0)
    axes.invert_yaxis()
