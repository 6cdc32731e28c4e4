"""Tables in the form of a trial's publication: numbers as rows, and the same as a page shows them.

Takes results as they are; computes nothing but the rounding of a printed number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from assayhouse.report.forest_rows import counts_text, forest_twin, interval_text
from assayhouse.report.frames import require_columns, require_unique
from assayhouse.report.html import Column, Content, Markup, join, table, tag
from assayhouse.report.theme import arm_styles
from assayhouse.report.twin import effects_of, time_course_twin
from assayhouse.report.words import (
    DASH,
    NO_MULTIPLICITY,
    STAR_WORDS,
    decimals_for,
    methods_told,
    number,
    p_text,
    stars,
)

_Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedTable:
    """One table, as numbers and as markup.

    Parameters
    ----------
    table_id, title : str
        Name and heading.
    rows : polars.DataFrame
        Unrounded numbers, one row per printed cell or line.
    markup : Markup
        The table with its notes, without heading.
    """

    table_id: str
    title: str
    rows: pl.DataFrame
    markup: Markup


def means_table(
    effects: pl.DataFrame,
    baseline: pl.DataFrame,
    *,
    arms: pl.DataFrame,
    parameters: pl.DataFrame,
    visits: pl.DataFrame,
    paramcds: Sequence[str],
    table_id: str,
    title: str,
) -> PrintedTable:
    """Print baseline means and adjusted means by arm and visit, the numbers of a time course.

    Parameters
    ----------
    effects, baseline : polars.DataFrame
        ``ard.effects`` with response ``abs``; ``ard.baseline_means``.
    arms, parameters, visits : polars.DataFrame
        ``ref.arms``, ``ref.parameters``, ``ref.visit_windows``.
    paramcds : sequence of str
        Parameters in order.
    table_id, title : str
        Name and heading.

    Returns
    -------
    PrintedTable
        One line per parameter and arm; stars are those of the figure's labels.

    Raises
    ------
    ReportInputError
        A frame lacks a column, a key repeats, an arm or a parameter is not declared.
    """
    styles = arm_styles(arms)
    require_columns(baseline, ("paramcd", "arm", "estimate", "n"), name="ard.baseline_means")
    require_unique(baseline, ("paramcd", "arm"), name="ard.baseline_means")
    grid = time_course_twin(
        effects, styles=styles, parameters=parameters, visits=visits, paramcds=paramcds,
        figure_id=table_id,
    )  # fmt: skip
    means = effects_of(effects, styles, response="abs", term="lsmean").select(
        panel="paramcd", avisitn=pl.col("avisitn").cast(pl.Int64), arm="arm",
        adjusted="estimate", adjusted_se="se", adjusted_n=pl.col("n").cast(pl.Int64),
        adjusted_status="status", adjusted_reasons="reasons",
    )  # fmt: skip
    start = baseline.select(panel="paramcd", arm="arm", start="estimate", start_n=pl.col("n"))
    at_start = pl.col("status") == "baseline"
    ok = pl.col("adjusted_status") == "ok"
    rows = (
        grid.join(means, on=("panel", "avisitn", "arm"), how="left")
        .join(start, on=("panel", "arm"), how="left")
        .select(
            pl.lit(table_id).alias("table_id"),
            pl.col("panel").alias("paramcd"),
            *("parameter", "unit", "arm", "arm_label", "arm_order", "avisitn", "visit"),
            pl.when(at_start).then("start").when(ok).then("adjusted").alias("mean"),
            pl.when(ok & ~at_start).then("adjusted_se").alias("se"),
            pl.when(at_start).then("start_n").when(ok).then("adjusted_n").alias("n"),
            pl.when(at_start).then(None).otherwise("difference_response").alias("response"),
            *("difference", "p"),
            pl.when(at_start)
            .then(pl.lit("baseline"))
            .otherwise(pl.col("adjusted_status").fill_null("absent"))
            .alias("status"),
            pl.col("adjusted_reasons").fill_null("").alias("reasons"),
        )
    )
    return PrintedTable(table_id=table_id, title=title, rows=rows, markup=_means(rows))


def _means(rows: pl.DataFrame) -> Markup:
    visits = rows.select("avisitn", "visit").unique().sort("avisitn")
    columns = (
        Column(title="Arm"),
        *(Column(title=name, numeric=True) for name in visits["visit"].to_list()),
    )
    lines: list[list[Content]] = []
    marks: list[str] = []
    for _, own in rows.group_by("paramcd", maintain_order=True):
        first = own.row(0, named=True)
        unit = f" ({first['unit']})" if first["unit"] else ""
        lines.append([tag("b", f"{first['parameter']}{unit}"), *[""] * visits.height])
        marks.append("first")
        decimals = min(3, decimals_for(own["se"].to_list()) + 1)
        for _, arm in own.group_by("arm", maintain_order=True):
            cells = {row["avisitn"]: _mean(row, decimals) for row in arm.iter_rows(named=True)}
            lines.append(
                [arm["arm_label"][0], *(cells.get(week, "") for week in visits["avisitn"])]
            )
            marks.append("")
    gaps = rows.filter(~pl.col("status").is_in(["ok", "baseline"]))
    return join(
        (
            table(
                columns, lines, marks=marks, empty="No results.",
                caption="Baseline: mean. Later visits: adjusted mean (standard error).",
            ),
            _note(
                f"{STAR_WORDS}: difference from the reference arm in adjusted mean per cent "
                f"change, or in change where per cent change is not defined. {NO_MULTIPLICITY}"
            ),
            _note(f"{gaps.height} means were not estimated ({DASH}); the CSV names the reasons.")
            if gaps.height
            else "",
        )
    )  # fmt: skip


def _mean(row: _Row, decimals: int) -> str:
    mean, error, p = (_number(row[name]) for name in ("mean", "se", "p"))
    if mean is None:
        return DASH
    if error is None:
        return number(mean, decimals)
    return f"{number(mean, decimals)} ({number(error, decimals)}) {stars(p)}".strip()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _note(text: str) -> Markup:
    return tag("p", text, attributes={"class": "muted"})


def shares_table(
    shares: pl.DataFrame, *, arms: pl.DataFrame, cut_offs: pl.DataFrame, table_id: str, title: str
) -> PrintedTable:
    """Print the subjects at the level of interest by cut-off and arm.

    Parameters
    ----------
    shares : polars.DataFrame
        ``ard.baseline_subsets``.
    arms, cut_offs : polars.DataFrame
        ``ref.arms``; ``ref.cut_offs``, whose order is kept.
    table_id, title : str
        Name and heading.

    Returns
    -------
    PrintedTable
        One line per cut-off.

    Raises
    ------
    ReportInputError
        A frame lacks a column, or a key repeats.
    """
    columns = ("cut_off", "label", "level", "cut_off_value", "scale", "arm", "n_arm", "n",
               "n_missing", "pct", "status", "reasons", "method")  # fmt: skip
    require_columns(shares, columns, name="ard.baseline_subsets")
    require_unique(shares, ("cut_off", "arm"), name="ard.baseline_subsets")
    styles = arm_styles(arms)
    order = list(dict.fromkeys(cut_offs["cut_off"].to_list()))
    looks = pl.DataFrame(
        [(style.armcd, style.label, style.order) for style in styles],
        schema={"arm": pl.String, "arm_label": pl.String, "arm_order": pl.Int64}, orient="row",
    )  # fmt: skip
    rows = (
        shares.select(columns)
        .join(looks, on="arm", how="inner")
        .sort(
            pl.col("cut_off").replace_strict(
                {name: rank for rank, name in enumerate(order)}, default=len(order)
            ),
            "cut_off",
            "arm_order",
        )
        .select(pl.lit(table_id).alias("table_id"), pl.all())
    )
    lines: list[list[Content]] = []
    for _, own in rows.group_by("cut_off", maintain_order=True):
        cells = {row["arm"]: _share(row) for row in own.iter_rows(named=True)}
        first = own.row(0, named=True)
        sign = "≤" if first["level"] == "low" else ">"
        lines.append(
            [
                f"{first['label']} {first['level']}",
                f"{sign} {number(first['cut_off_value'], 2)} ({first['scale']})",
                *(cells.get(style.armcd, DASH) for style in styles),
            ]
        )
    heads = (
        Column(title="Level of interest"),
        Column(title="Cut-off", numeric=True),
        *(Column(title=style.label, numeric=True) for style in styles),
    )
    caption = "Subjects at the level of interest / subjects with a baseline value (%)."
    markup = join((table(heads, lines, caption=caption), *map(_note, _methods(rows))))
    return PrintedTable(table_id=table_id, title=title, rows=rows, markup=markup)


def _share(row: _Row) -> str:
    if row["status"] != "ok":
        return DASH
    return f"{row['n']}/{row['n_arm']} ({number(_number(row['pct']), 0)})"


def _methods(rows: pl.DataFrame) -> list[str]:
    said = methods_told(rows["method"])
    return [f"Method: {said}."] if said else []


def differences_table(
    subsets: pl.DataFrame, *, arms: pl.DataFrame, arm: str, visit: int, table_id: str, title: str
) -> PrintedTable:
    """Print the response differences overall and by subset, the numbers of the forest plot.

    Parameters
    ----------
    subsets, arms : polars.DataFrame
        ``ard.subsets``, ``ref.arms``.
    arm : str
        ARMCD of the active arm.
    visit : int
        AVISITN.
    table_id, title : str
        Name and heading.

    Returns
    -------
    PrintedTable
        One line per subset, with responders and subjects of both arms.

    Raises
    ------
    ReportInputError
        A frame lacks a column, a subset repeats, or the arm is not declared.
    """
    rows = forest_twin(subsets, arms=arms, arm=arm, visit=visit, figure_id=table_id)
    rows = rows.drop("point_id").rename({"figure_id": "table_id"})
    styles = arm_styles(arms)
    active = next(style.label for style in styles if style.armcd == arm)
    reference = next(style.label for style in styles if style.is_reference)
    lines: list[list[Content]] = [
        [
            row["parameter"],
            counts_text(row, "active"),
            counts_text(row, "reference"),
            interval_text(row),
            f"{p_text(row['p'])} {stars(row['p'])}".strip(),
        ]
        for row in rows.iter_rows(named=True)
    ]
    heads = (
        Column(title="Subset"),
        Column(title=f"{active}, responders/n", numeric=True),
        Column(title=f"{reference}, responders/n", numeric=True),
        Column(title="Difference, % (95 % CI)", numeric=True),
        Column(title="p", numeric=True),
    )
    caption = f"Difference in response rate, {active} minus {reference}."
    notes = [*_methods(rows), f"{STAR_WORDS}. {NO_MULTIPLICITY}"]
    markup = join((table(heads, lines, caption=caption), *map(_note, notes)))
    return PrintedTable(table_id=table_id, title=title, rows=rows, markup=markup)
