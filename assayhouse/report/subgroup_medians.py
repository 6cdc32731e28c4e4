"""Time course by arm of median per cent changes within subgroups, a panel per parameter and level.

The form of a trial's subgroup figures: medians with quartiles, labelled with the shift against the
reference arm. Takes results as they are; estimates nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report.figure import DrawnFigure
from assayhouse.report.footnotes import gap_notes
from assayhouse.report.frames import column_or_null, require_columns
from assayhouse.report.heading import Heading
from assayhouse.report.inline import rows_query
from assayhouse.report.sheet import Sheet
from assayhouse.report.theme import ArmStyle, arm_styles
from assayhouse.report.time_course import draw_course
from assayhouse.report.twin import BASELINE, time_course_twin
from assayhouse.report.words import (
    NO_MULTIPLICITY,
    STAR_WORDS,
    methods_told,
    number,
    p_text,
    span,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KEYS = ("panel", "avisitn", "arm")
_LEVELS = ("low", "high")
_COLUMNS = ("paramcd", "avisitn", "subgroup", "arm", "n", "median", "q1", "q3", "hl_shift", "p")
_BASE_SIZE = 6.0
POINTS_NOTE = (
    "Points: median per cent change from baseline of the subjects observed at the visit; bars: "
    "quartiles. The change at baseline is 0 by definition; the median value at baseline of the "
    "subjects at the first visit stands at the top of each panel, arm by arm."
)


def subgroup_twin(
    medians: pl.DataFrame,
    effects: pl.DataFrame,
    *,
    cut_offs: pl.DataFrame,
    styles: Sequence[ArmStyle],
    parameters: pl.DataFrame,
    visits: pl.DataFrame,
    paramcds: Sequence[str],
    subgroup: str,
    figure_id: str,
) -> pl.DataFrame:
    """Lay out every point, with its label.

    Parameters
    ----------
    medians, effects, cut_offs, parameters, visits : polars.DataFrame
        ``ard.median_changes``, ``ard.effects``, ``ref.cut_offs``, ``ref.parameters``,
        ``ref.visit_windows``.
    styles : sequence of ArmStyle
        From `assayhouse.report.theme.arm_styles`.
    paramcds : sequence of str
        Parameters, in order; each has a panel per level.
    subgroup : str
        Cut-off whose levels are shown.
    figure_id : str
        Goes into every row and into the identifiers of the points.

    Returns
    -------
    polars.DataFrame
        As `assayhouse.report.twin.time_course_twin`, ``lower`` and ``upper`` being quartiles; with
        ``paramcd``, ``subgroup``, ``base_median``, ``p_signed``, and ``adjusted_difference`` and
        ``adjusted_p`` of the same cell in ``ard.effects``. Only the last visit has labels.

    Raises
    ------
    ReportInputError
        A frame lacks a column, a key repeats, an arm or a parameter is not declared.
    """
    require_columns(medians, _COLUMNS, name="ard.median_changes")
    panels = _panels(parameters, cut_offs, paramcds, subgroup)
    rows = medians.join(panels, on=["paramcd", "subgroup"], how="inner")
    twin = time_course_twin(
        _as_effects(rows),
        styles=styles,
        parameters=panels.select(
            PARAMCD="panel", PARAM="title", unit=pl.lit("%"), scale=pl.lit("percent")
        ),
        visits=visits,
        paramcds=panels["panel"].to_list(),
        figure_id=figure_id,
    )
    return _completed(twin, _described(rows, styles), _adjusted(effects, panels, styles))


def _panels(
    parameters: pl.DataFrame, cut_offs: pl.DataFrame, paramcds: Sequence[str], subgroup: str
) -> pl.DataFrame:
    label = cut_offs.filter(pl.col("cut_off") == subgroup)["label"].to_list()
    names = dict(parameters.select("PARAMCD", "PARAM").iter_rows())
    units = dict(parameters.select("PARAMCD", "unit").iter_rows())
    return pl.DataFrame(
        [
            {
                "panel": f"{paramcd}:{level}",
                "paramcd": paramcd,
                "subgroup": f"{subgroup}={level}",
                "title": f"{names.get(paramcd, paramcd)}, {(label or [subgroup])[0]} {level}",
                "base_unit": units.get(paramcd, ""),
            }
            for paramcd in paramcds
            for level in _LEVELS
        ],
        orient="row",
    )


def _as_effects(rows: pl.DataFrame) -> pl.DataFrame:
    """Medians and shifts in the form of adjusted means and differences."""
    for name, kind in (("reasons", pl.String), ("status", pl.String), ("method", pl.String)):
        rows = column_or_null(rows, name, kind)
    # The reason begins with the status, which the note says anyway.
    plain = pl.col("reasons").fill_null("").str.replace(r"^\w+: ", "")
    shared = rows.with_columns(reasons=plain).select(
        "avisitn", "arm", "n", "p", "median", "hl_shift", "method", "reasons", "status",
        paramcd="panel", subgroup=pl.lit("all"), se=pl.lit(None, dtype=pl.Float64),
    )  # fmt: skip
    # A median stays where the tests were refused.
    described = pl.when(pl.col("median").is_not_null()).then(pl.lit("ok")).otherwise("status")
    points = shared.with_columns(
        estimate="median", status=described, response=pl.lit("chg"), term=pl.lit("lsmean")
    )
    shifts = shared.filter(pl.col("hl_shift").is_not_null() | (pl.col("status") != "ok"))
    labels = shifts.with_columns(estimate="hl_shift", response=pl.lit("pchg"), term=pl.lit("diff"))
    return pl.concat([points, labels]).drop("median", "hl_shift")


def _described(rows: pl.DataFrame, styles: Sequence[ArmStyle]) -> pl.DataFrame:
    for name in ("base_median", "p_signed"):
        rows = column_or_null(rows, name, pl.Float64)
    return rows.select(
        "panel", "paramcd", "subgroup", "base_unit", pl.col("avisitn").cast(pl.Int64),
        _coded(styles), "q1", "q3", "base_median", "p_signed",
    )  # fmt: skip


def _adjusted(
    effects: pl.DataFrame, panels: pl.DataFrame, styles: Sequence[ArmStyle]
) -> pl.DataFrame:
    wanted = effects.filter(pl.col("response") == "pchg", pl.col("term") == "diff")
    return wanted.join(panels, on=["paramcd", "subgroup"], how="inner").select(
        "panel", pl.col("avisitn").cast(pl.Int64), _coded(styles),
        adjusted_difference="estimate", adjusted_p="p",
    )  # fmt: skip


def _coded(styles: Sequence[ArmStyle]) -> pl.Expr:
    codes = {style.label: style.armcd for style in styles}
    return pl.col("arm").replace(codes)


def _completed(twin: pl.DataFrame, described: pl.DataFrame, adjusted: pl.DataFrame) -> pl.DataFrame:
    per_panel = described.group_by("panel", maintain_order=True).first()
    last = pl.col("avisitn") == pl.col("avisitn").max().over("panel")
    return (
        twin.join(described.drop("paramcd", "subgroup", "base_unit"), on=_KEYS, how="left")
        .join(per_panel.select("panel", "paramcd", "subgroup", "base_unit"), on="panel", how="left")
        .join(adjusted, on=_KEYS, how="left")
        .with_columns(
            response=pl.lit("pchg"),
            lower=pl.when(pl.col("estimate").is_not_null()).then("q1"),
            upper=pl.when(pl.col("estimate").is_not_null()).then("q3"),
            difference_response=pl.when(pl.col("difference_response").is_not_null()).then(
                pl.lit("hl_shift")
            ),
            label=pl.when(last).then("label"),
        )
        .drop("q1", "q3")
        .sort("arm_order", "avisitn")
        .sort(pl.col("panel").replace_strict(_ranks(twin)), maintain_order=True)
    )


def _ranks(twin: pl.DataFrame) -> dict[str, int]:
    names = twin["panel"].unique(maintain_order=True).to_list()
    return {name: place for place, name in enumerate(names)}


def plot_subgroup_medians(
    medians: pl.DataFrame,
    effects: pl.DataFrame,
    *,
    cut_offs: pl.DataFrame,
    arms: pl.DataFrame,
    parameters: pl.DataFrame,
    visits: pl.DataFrame,
    paramcds: Sequence[str],
    subgroup: str,
    heading: Heading,
) -> DrawnFigure:
    """Draw the time course of each parameter by arm, low beside high.

    Parameters
    ----------
    medians, effects, cut_offs, parameters, visits, paramcds, subgroup
        As in `subgroup_twin`.
    arms : polars.DataFrame
        ``ref.arms``.
    heading : Heading
        Name and marks.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.

    Raises
    ------
    ReportInputError
        As in `subgroup_twin`.
    """
    styles = arm_styles(arms)
    twin = subgroup_twin(
        medians,
        effects,
        cut_offs=cut_offs,
        styles=styles,
        parameters=parameters,
        visits=visits,
        paramcds=paramcds,
        subgroup=subgroup,
        figure_id=heading.figure_id,
    )
    columns = min(4, 2 * len(paramcds))
    colours = {style.armcd: style.colour for style in styles}
    return draw_course(
        twin,
        styles=styles,
        sheet=Sheet(
            columns=columns,
            rows=-(-2 * len(paramcds) // columns),
            panel_width=2.5,
            panel_height=1.75,
        ),
        heading=heading,
        notes=lambda drawn: _notes(drawn, cut_offs, styles, subgroup),
        tips=subgroup_tooltips,
        add=lambda axes, points: _write_baselines(axes, points, colours),
    )


def _write_baselines(axes: "Axes", points: pl.DataFrame, colours: dict[str, str]) -> None:
    """Write the median at baseline of each arm along the top of a panel."""
    later = points.filter(pl.col("status") != BASELINE)
    first = later.filter(pl.col("avisitn") == later["avisitn"].min())
    width = 0.98 / max(1, first.height)
    for place, row in enumerate(first.iter_rows(named=True)):
        axes.text(
            0.01 + width * place, 0.99, _short(row["base_median"]),
            transform=axes.transAxes, ha="left", va="top", size=_BASE_SIZE,
            color=colours[str(row["arm"])],
        )  # fmt: skip


def _short(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return number(None, 0)
    digits = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return number(value, max(0, 3 - digits))


def _notes(
    twin: pl.DataFrame, cut_offs: pl.DataFrame, styles: Sequence[ArmStyle], subgroup: str
) -> tuple[str, ...]:
    reference = next(style.label for style in styles if style.is_reference)
    counts = twin["n"].drop_nulls().to_list()
    labels = (
        f"Labels at the last visit: Hodges-Lehmann shift from {reference} in percentage points; "
        "the table holds every visit, the test within the arm and the adjusted difference."
    )
    notes = [
        POINTS_NOTE,
        labels,
        f"{STAR_WORDS} against {reference}. {NO_MULTIPLICITY}",
        _definition(cut_offs, subgroup),
        f"Method: {methods_told(twin['method']) or 'not stated'}.",
    ]
    if counts:
        notes[-1] += f" An arm has n = {span(min(counts), max(counts))} changes at a visit."
    return (*(note for note in notes if note), *gap_notes(twin))


def _definition(cut_offs: pl.DataFrame, subgroup: str) -> str:
    for row in cut_offs.filter(pl.col("cut_off") == subgroup).iter_rows(named=True):
        return (
            f"{row['label']}: low is {row['PARAMCD']} at or below {row['cut_off_value']:g} "
            f"({row['scale']}) at baseline, high above it."
        )
    return ""


def subgroup_tooltips(twin: pl.DataFrame) -> dict[str, str]:
    """Write the tooltip of every drawn point.

    Parameters
    ----------
    twin : polars.DataFrame
        From `subgroup_twin`.

    Returns
    -------
    dict of str to str
        Text by ``point_id``.
    """
    drawn = twin.filter(pl.col("estimate").is_not_null())
    return {str(row["point_id"]): _tooltip(row) for row in drawn.iter_rows(named=True)}


def _tooltip(row: dict[str, float | int | str | None]) -> str:
    lines = [f"{row['parameter']}, {row['visit']}, {row['arm_label']}"]
    if row["status"] == BASELINE:
        lines.append("Change at baseline: 0 by definition")
    else:
        median, low, high = (_float(row[name]) for name in ("estimate", "lower", "upper"))
        lines.append(
            f"Median change {number(median, 1)} % (quartiles {number(low, 1)} to "
            f"{number(high, 1)} %), n = {row['n']}; at baseline "
            f"{_short(_float(row['base_median']))} {row['base_unit']}".rstrip()
        )
        lines.append(f"Within the arm: p {p_text(_float(row['p_signed']))} (signed rank)")
    if row["difference"] is not None:
        shift = number(_float(row["difference"]), 1)
        lines.append(
            f"Against the reference arm: shift {shift} points, p {p_text(_float(row['p']))}"
        )
    lines.append(rows_query(str(row["paramcd"]), int(str(row["avisitn"]))))
    return "\n".join(lines)


def _float(value: object) -> float | None:
    return value if isinstance(value, float) else None
