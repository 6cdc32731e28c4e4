"""Response rates below and above a cut that a search found, one bar per arm.

Takes ``ard.cut_points`` and ``ard.cut_point_validation`` as they are; works out rates from counts
and nothing else.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report.canvas import canvas
from assayhouse.report.cut_point import found_of, side_of
from assayhouse.report.errors import ReportInputError
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.frames import require_columns, require_unique
from assayhouse.report.heading import Heading
from assayhouse.report.histogram import dress
from assayhouse.report.sheet import Sheet
from assayhouse.report.sketch import SketchPanel, Stroke, sketch
from assayhouse.report.theme import INK, MUTED, ArmStyle, arm_styles
from assayhouse.report.words import number, p_text, signed, slug, spoken_list

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

OUT, IN = "low", "high"
MADE, CHECKED, CONTROL = "made the cut", "no part in the cut", "control, made the cut"
COUNTS = tuple(
    f"{kind}_{level}_{arm}" for kind in "ny" for level in (IN, OUT) for arm in ("active", "control")
)
DIFFERENCES = tuple(f"diff_{level}_{what}" for level in (IN, OUT) for what in ("pct", "lo", "hi"))
_LABELS, _LINE = 13.0, 7.5
"""Room above 100 % for the labels of the bars, and for each line of text over a group."""


def response_bars_twin(
    cut_points: pl.DataFrame,
    validation: pl.DataFrame,
    *,
    arms: pl.DataFrame,
    marker: str,
    figure_id: str,
) -> pl.DataFrame:
    """Lay out a bar per group and arm, with its difference from the control.

    Parameters
    ----------
    cut_points, validation, arms : polars.DataFrame
        ``ard.cut_points``, ``ard.cut_point_validation``, ``ref.arms``.
    marker : str
        Parameter code.
    figure_id : str
        Name of the figure.

    Returns
    -------
    polars.DataFrame
        Groups in the order below, above; arms in dose order. ``estimate`` is the rate,
        ``difference`` that of the same group minus control, ``p`` the interaction of arm and
        group. No row where no cut was found.

    Raises
    ------
    ReportInputError
        A column is missing, or the marker was not searched.
    """
    found = found_of(cut_points, marker)
    needed = ("endpoint", "active_arm", "control_arm", "p_naive", *COUNTS, *DIFFERENCES)
    require_columns(cut_points, needed, name="ard.cut_points")
    wanted = ("marker", "arm", "row_order", "p", *COUNTS, *DIFFERENCES)
    require_columns(validation, wanted, name="ard.cut_point_validation")
    require_unique(validation, ("marker", "arm"), name="ard.cut_point_validation")
    looked = validation.filter(pl.col("marker") == marker).sort("row_order").rows(named=True)
    rows: list[dict[str, object]] = []
    if found["threshold"] is not None:
        styles = {style.armcd: style for style in arm_styles(arms)}
        for level in (OUT, IN):
            bars = [_bar(found, level, found["active_arm"], role=MADE, p=found["p_naive"])]
            bars += [_bar(row, level, row["arm"], role=CHECKED, p=row["p"]) for row in looked]
            bars.append(_bar(found, level, found["control_arm"], role=CONTROL, p=None))
            told = _label(found, level)
            rows += [{"series": told, "level": level, **_look(bar, styles), **bar} for bar in bars]
    frame = (
        pl.DataFrame(rows, schema=_SCHEMA, orient="row") if rows else pl.DataFrame(schema=_SCHEMA)
    )
    return (
        frame.sort(pl.col("level") == IN, "arm_order")
        .with_columns(
            pl.lit(figure_id).alias("figure_id"),
            pl.lit(marker).alias("panel"),
            pl.lit(marker).alias("parameter"),
            pl.lit("%").alias("unit"),
            pl.lit(found["endpoint"], dtype=pl.String).alias("endpoint"),
            pl.lit(found["avisitn"], dtype=pl.Int64).alias("avisitn"),
            pl.lit(found["threshold"], dtype=pl.Float64).alias("x"),
            pl.lit(found["method"], dtype=pl.String).alias("method"),
            pl.int_range(1, pl.len() + 1)
            .map_elements(lambda rank: f"pt-{slug(figure_id)}-{rank}", return_dtype=pl.String)
            .alias("point_id"),
        )
    )  # fmt: skip


_SCHEMA = {
    "series": pl.String, "level": pl.String, "arm": pl.String, "arm_label": pl.String,
    "arm_order": pl.Int64, "role": pl.String, "n": pl.Int64, "y": pl.Int64,
    "estimate": pl.Float64, "difference": pl.Float64, "difference_lower": pl.Float64,
    "difference_upper": pl.Float64, "p": pl.Float64, "label": pl.String, "status": pl.String,
}  # fmt: skip


def _label(found: Mapping[str, object], level: str) -> str:
    above = side_of(found) == "above"
    words = ("Above" if above else "Below") if level == IN else ("Up to" if above else "From")
    return f"{words} {number(float(str(found['threshold'])), 3)}"


def _bar(
    row: Mapping[str, object], level: str, arm: object, *, role: str, p: object
) -> dict[str, object]:
    side = "control" if role == CONTROL else "active"
    n, y = (int(str(row[f"{kind}_{level}_{side}"])) for kind in "ny")
    told = {"arm": arm, "role": role, "n": n, "y": y, "p": p, "label": f"{y}/{n}"}
    told |= {"estimate": 100.0 * y / n if n else None, "status": "ok" if n else "no_subject"}
    if side == "control":
        return told
    names = ("difference", "difference_lower", "difference_upper")
    ends = ("pct", "lo", "hi")
    return told | {name: row[f"diff_{level}_{end}"] for name, end in zip(names, ends, strict=True)}


def _look(bar: Mapping[str, object], styles: Mapping[str, ArmStyle]) -> dict[str, object]:
    style = styles.get(str(bar["arm"]))
    if style is None:
        message = f"ref.arms declares no arm {bar['arm']} of the search. Nothing was drawn."
        raise ReportInputError(message)
    return {"arm_label": style.label, "arm_order": style.order}


def plot_response_bars(
    cut_points: pl.DataFrame,
    validation: pl.DataFrame,
    *,
    arms: pl.DataFrame,
    marker: str,
    heading: Heading,
) -> DrawnFigure:
    """Draw the response rate below and above the cut of a marker, by arm.

    Parameters
    ----------
    cut_points, validation, arms : polars.DataFrame
        ``ard.cut_points``, ``ard.cut_point_validation``, ``ref.arms``.
    marker : str
        Parameter code.
    heading : Heading
        Name and marks.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.

    Raises
    ------
    ReportInputError
        A frame lacks a column, or the marker was not searched.
    """
    twin = response_bars_twin(
        cut_points, validation, arms=arms, marker=marker, figure_id=heading.figure_id
    )
    found = found_of(cut_points, marker)
    shown = set(twin["arm"].to_list())
    styles = [style for style in arm_styles(arms) if style.armcd in shown]
    sheet = Sheet(columns=1, rows=1, panel_width=7.6, panel_height=3.3)
    with canvas(heading, sheet) as page:
        axes = page.panel(0)
        if twin.is_empty():
            axes.set_axis_off()
            axes.text(0.5, 0.5, "no cut was found", transform=axes.transAxes, ha="center")
        else:
            _draw(axes, twin, styles, marker)
        return page.finish(
            twin,
            handles=_handles(styles),
            notes=_notes(twin, found),
            tooltips=response_bars_tooltips(twin),
            thumbnail_svg=sketch(
                (SketchPanel(name=marker, strokes=_strokes(twin, styles)),),
                heading,
            ),
        )


def _handles(styles: list[ArmStyle]) -> "list[Artist]":
    from matplotlib.patches import Patch  # noqa: PLC0415 - late: only a drawing needs matplotlib

    return [Patch(facecolor=style.colour, label=style.label) for style in styles]


def _draw(axes: "Axes", twin: pl.DataFrame, styles: list[ArmStyle], marker: str) -> None:
    active = [style for style in styles if not style.is_reference]
    width = 0.8 / len(styles)
    for place, (_, group) in enumerate(twin.group_by("level", maintain_order=True)):
        for rank, style in enumerate(styles):
            row = group.row(by_predicate=pl.col("arm") == style.armcd, named=True)
            middle = place + (rank - (len(styles) - 1) / 2) * width
            _draw_bar(axes, row, style, middle, 0.88 * width)
        for rank, style in enumerate(active):
            row = group.row(by_predicate=pl.col("arm") == style.armcd, named=True)
            axes.text(
                place, 100 + _LABELS + _LINE * (len(active) - rank - 0.5), _difference(row),
                ha="center", va="center", size=7.0, color=style.colour,
            )  # fmt: skip
    axes.set_xlim(-0.5, 1.5)
    axes.set_ylim(0, 100 + _LABELS + _LINE * len(active))
    dress(axes)
    axes.set_yticks(range(0, 101, 20))
    names = twin.group_by("level", maintain_order=True).agg(pl.col("series").first())
    axes.set_xticks([0, 1], [f"{name}" for name in names["series"]], size=8.0)
    axes.set_xlabel(f"{marker} at baseline", size=7.2, labelpad=2.5)
    axes.set_ylabel("Responders (%)", size=7.2)


def _draw_bar(
    axes: "Axes", row: Mapping[str, object], style: ArmStyle, middle: float, width: float
) -> None:
    rate = row["estimate"]
    if not isinstance(rate, float):
        axes.text(middle, 1.0, "no subject", ha="center", va="bottom", size=6.4, color=MUTED)
        return
    (bar,) = axes.bar(
        middle, rate, width=width, linewidth=0, zorder=2,
        color=_pale(style.colour) if row["role"] == CHECKED else style.colour,
    )  # fmt: skip
    bar.set_gid(str(row["point_id"]))
    axes.text(
        middle, rate + 1.0, f"{number(rate, 0)} %\n{row['label']}",
        ha="center", va="bottom", size=6.8, color=INK, linespacing=1.1,
    )  # fmt: skip


def _pale(colour: str) -> str:
    """Mix a colour with white, so that nothing behind it shows."""
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - 0.62 * (255 - part)):02x}" for part in parts)


def _difference(row: Mapping[str, object]) -> str:
    value, low, high = (row[f"difference{end}"] for end in ("", "_lower", "_upper"))
    if not (isinstance(value, float) and isinstance(low, float) and isinstance(high, float)):
        return f"{row['arm_label']}: no difference can be estimated"
    return (
        f"{row['arm_label']} minus control {signed(value, 1)} "
        f"({number(low, 1)} to {number(high, 1)})"
    )


def response_bars_tooltips(twin: pl.DataFrame) -> dict[str, str]:
    """Write the tooltip of every bar.

    Parameters
    ----------
    twin : polars.DataFrame
        From `response_bars_twin`.

    Returns
    -------
    dict of str to str
        Text by ``point_id``.
    """
    told = {}
    for row in twin.filter(pl.col("estimate").is_not_null()).iter_rows(named=True):
        where = f"marker = '{row['panel']}'"
        table = "ard.cut_points"
        if row["role"] == CHECKED:
            table, where = "ard.cut_point_validation", f"{where} and arm = '{row['arm']}'"
        rate = f"{row['label']} responded, {number(row['estimate'], 1)} %"
        lines = [f"{row['arm_label']}, {row['series']}: {rate}"]
        if row["difference"] is not None:
            lines.append(f"{_difference(row)}; interaction p {p_text(row['p'])}, {row['role']}")
        lines.append(f"select * from {table} where {where}")  # noqa: S608 - shown, not run
        told[str(row["point_id"])] = "\n".join(lines)
    return told


def _notes(twin: pl.DataFrame, found: Mapping[str, object]) -> tuple[str, ...]:
    notes = [str(found["verdict"])]
    made = twin.filter(pl.col("role") == MADE)["arm_label"].unique().to_list()
    looked = twin.filter(pl.col("role") == CHECKED)["arm_label"].unique(maintain_order=True)
    if made:
        notes.append(
            f"{made[0]} and the control made the cut, so their difference above it is optimistic "
            "and its interval no valid inference."
        )
    if looked.len():
        notes.append(
            f"Paler: {spoken_list(looked.to_list())}, which had no part in finding the cut; the "
            "control subjects they are compared with had."
        )
    return (*notes, f"Differences in percentage points (95 % CI). Method: {found['method']}.")


def _strokes(twin: pl.DataFrame, styles: list[ArmStyle]) -> list[Stroke]:
    strokes = []
    for place, (_, group) in enumerate(twin.group_by("level", maintain_order=True)):
        for rank, style in enumerate(styles):
            rate = group.row(by_predicate=pl.col("arm") == style.armcd, named=True)["estimate"]
            x = place * (len(styles) + 1) + rank
            if rate is not None:
                points = ((float(x), 0.0), (float(x), rate))
                strokes.append(Stroke(colour=style.colour, points=points, width=5.0))
    return strokes
