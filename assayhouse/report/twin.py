"""The numeric twin of a time course: every drawn value, one row per point. Draws nothing.

Estimates, errors and p values are those of ``ard.effects``; only the ends of a bar
(estimate ± SE) and the sideways shift of a point are worked out here, because they are drawn.
"""

from collections.abc import Sequence

import polars as pl

from assayhouse.report.errors import ReportInputError
from assayhouse.report.frames import column_or_null, require_columns, require_unique
from assayhouse.report.theme import ArmStyle
from assayhouse.report.words import decimals_for, signed, slug, stars

KEYS = ("paramcd", "avisitn", "arm")
EFFECT_COLUMNS = (
    *KEYS,
    "response",
    "subgroup",
    "term",
    "estimate",
    "se",
    "p",
    "n",
    "status",
    "reasons",
)
TWIN_COLUMNS = (
    "figure_id",
    "panel",
    "parameter",
    "unit",
    "scale",
    "arm",
    "arm_label",
    "arm_order",
    "avisitn",
    "visit",
    "point_id",
    "x",
    "response",
    "estimate",
    "se",
    "lower",
    "upper",
    "n",
    "status",
    "reasons",
    "difference_response",
    "difference",
    "p",
    "label",
    "label_drawn",
    "difference_status",
    "difference_reasons",
    "method",
)
DODGE_FRACTION = 0.011
BASELINE, ABSENT = "baseline", "absent"


def effects_of(
    effects: pl.DataFrame, styles: Sequence[ArmStyle], *, response: str, term: str
) -> pl.DataFrame:
    """Return the rows of one response and term over all subjects, one per parameter, visit, arm.

    Parameters
    ----------
    effects : polars.DataFrame
        ``ard.effects``.
    styles : sequence of ArmStyle
        The arms of the study; ``arm`` may hold their codes or their names.
    response : str
        ``chg``, ``pchg``, ...
    term : str
        ``lsmean`` or ``diff``.

    Returns
    -------
    polars.DataFrame
        With ``arm`` as code, ``reasons``, ``method`` and ``p_adj`` always there.

    Raises
    ------
    ReportInputError
        A column is missing, an arm is not declared, or a key repeats.
    """
    require_columns(effects, EFFECT_COLUMNS, name="ard.effects")
    codes = {style.label: style.armcd for style in styles}
    codes |= {style.armcd: style.armcd for style in styles}
    rows = effects.filter(
        (pl.col("response") == response) & (pl.col("term") == term) & (pl.col("subgroup") == "all")
    )
    unknown = sorted(set(rows["arm"].to_list()) - set(codes), key=str)
    if unknown:
        message = (
            f"ard.effects holds the arm(s) {', '.join(map(str, unknown))}, which ref.arms does "
            f"not declare. Nothing was drawn. Declare them, or filter them out."
        )
        raise ReportInputError(message)
    for column, dtype in (("method", pl.String), ("p_adj", pl.Float64), ("reasons", pl.String)):
        rows = column_or_null(rows, column, dtype)
    rows = rows.with_columns(
        pl.col("arm").replace_strict(codes, return_dtype=pl.String),
        pl.col("reasons").fill_null(""),
    )
    require_unique(rows, KEYS, name=f"ard.effects ({response}, {term})")
    return rows


def time_course_twin(
    effects: pl.DataFrame,
    *,
    styles: Sequence[ArmStyle],
    parameters: pl.DataFrame,
    visits: pl.DataFrame,
    paramcds: Sequence[str],
    figure_id: str,
) -> pl.DataFrame:
    """Lay out every point of a time course, with its label.

    A panel is labelled with the per cent difference against the reference arm; where its scale
    has none (a logarithm, a count of categories), with the difference in its own unit.

    Parameters
    ----------
    effects, parameters, visits : polars.DataFrame
        ``ard.effects``, ``ref.parameters``, ``ref.visit_windows``.
    styles : sequence of ArmStyle
        From `assayhouse.report.theme.arm_styles`.
    paramcds : sequence of str
        The panels, in order.
    figure_id : str
        Goes into every row and into the identifiers of the points.

    Returns
    -------
    polars.DataFrame
        `TWIN_COLUMNS`, ordered by panel, arm and visit. ``label_drawn`` is still false.
    """
    means = effects_of(effects, styles, response="chg", term="lsmean")
    grid = _grid(means, styles=styles, parameters=parameters, visits=visits, paramcds=paramcds)
    labels = _labels(effects, styles, paramcds)
    drawn = (
        grid.join(_renamed_means(means), left_on=_GRID_KEYS, right_on=KEYS, how="left")
        .join(labels, left_on=_GRID_KEYS, right_on=KEYS, how="left")
        .with_columns(figure_id=pl.lit(figure_id), response=pl.lit("chg"))
    )
    twin = _finish(drawn, len(styles)).select(TWIN_COLUMNS)
    # Codes that differ only in signs would share an identifier, and so a tooltip.
    require_unique(twin, ("point_id",), name="the time course")
    return twin


_GRID_KEYS = ("panel", "avisitn", "arm")


def _grid(
    means: pl.DataFrame,
    *,
    styles: Sequence[ArmStyle],
    parameters: pl.DataFrame,
    visits: pl.DataFrame,
    paramcds: Sequence[str],
) -> pl.DataFrame:
    panels = _panels(parameters, paramcds)
    names = _visit_names(visits)
    shown = means.filter(pl.col("paramcd").is_in(list(paramcds))).select(
        panel="paramcd", avisitn=pl.col("avisitn").cast(pl.Int64)
    )
    start = panels.select("panel").join(names.filter("is_baseline").select("avisitn"), how="cross")
    weeks = pl.concat([start, shown]).unique().join(names, on="avisitn", how="left")
    arms = pl.DataFrame(
        {
            "arm": [style.armcd for style in styles],
            "arm_label": [style.label for style in styles],
            "arm_order": [style.order for style in styles],
        }
    )
    return (
        panels.join(weeks, on="panel")
        .join(arms, how="cross")
        .with_columns(
            pl.col("visit").fill_null(pl.format("Week {}", "avisitn")),
            pl.col("is_baseline").fill_null(value=False),
        )
        .sort("panel_order", "arm_order", "avisitn")
    )


def _panels(parameters: pl.DataFrame, paramcds: Sequence[str]) -> pl.DataFrame:
    require_columns(parameters, ("PARAMCD", "PARAM", "unit", "scale"), name="ref.parameters")
    require_unique(parameters, ("PARAMCD",), name="ref.parameters")
    known = set(parameters["PARAMCD"].to_list())
    missing = [code for code in paramcds if code not in known]
    if missing or not paramcds or len(set(paramcds)) < len(paramcds):
        message = (
            f"The panels asked for are {', '.join(paramcds) or 'none'}; ref.parameters does not "
            f"declare {', '.join(missing) or 'any of none'}. Nothing was drawn. "
            f"Ask for each declared parameter once."
        )
        raise ReportInputError(message)
    order = pl.DataFrame({"PARAMCD": list(paramcds), "panel_order": range(len(paramcds))})
    return order.join(parameters, on="PARAMCD", how="left").select(
        panel="PARAMCD",
        panel_order="panel_order",
        parameter=pl.col("PARAM").fill_null(pl.col("PARAMCD")),
        unit=pl.col("unit").cast(pl.String).fill_null(""),
        scale=pl.col("scale").cast(pl.String),
    )


def _visit_names(visits: pl.DataFrame) -> pl.DataFrame:
    require_columns(visits, ("AVISITN", "AVISIT", "is_baseline"), name="ref.visit_windows")
    names = visits.select(
        avisitn=pl.col("AVISITN").cast(pl.Int64), visit="AVISIT", is_baseline="is_baseline"
    ).unique()
    require_unique(names, ("avisitn",), name="ref.visit_windows")
    return names


def _renamed_means(means: pl.DataFrame) -> pl.DataFrame:
    return means.select(
        "paramcd", pl.col("avisitn").cast(pl.Int64), "arm",
        "estimate", "se", pl.col("n").cast(pl.Int64), "status", "reasons", "method",
    )  # fmt: skip


def _labels(
    effects: pl.DataFrame, styles: Sequence[ArmStyle], paramcds: Sequence[str]
) -> pl.DataFrame:
    percent = effects_of(effects, styles, response="pchg", term="diff")
    plain = effects_of(effects, styles, response="chg", term="diff")
    in_percent = set(percent["paramcd"].to_list()) & set(paramcds)
    chosen = pl.concat(
        [
            percent.filter(pl.col("paramcd").is_in(in_percent)),
            plain.filter(~pl.col("paramcd").is_in(in_percent)),
        ],
        how="diagonal_relaxed",
    )
    return chosen.select(
        "paramcd",
        pl.col("avisitn").cast(pl.Int64),
        "arm",
        difference_response="response",
        difference=pl.col("estimate").cast(pl.Float64),
        p=pl.col("p").cast(pl.Float64),
        difference_status="status",
        difference_reasons="reasons",
    )


def _finish(drawn: pl.DataFrame, n_arms: int) -> pl.DataFrame:
    at_start = pl.col("is_baseline")
    usable = pl.col("status") == "ok"
    width = pl.col("avisitn").max().over("panel") - pl.col("avisitn").min().over("panel")
    shift = (pl.col("arm_order") - (n_arms - 1) / 2) * DODGE_FRACTION * width
    ok_label = pl.col("difference_status") == "ok"
    points = drawn.with_columns(
        status=pl.when(at_start)
        .then(pl.lit(BASELINE))
        .otherwise(pl.col("status").fill_null(ABSENT)),
        reasons=pl.when(at_start).then(pl.lit("")).otherwise(pl.col("reasons").fill_null("")),
    ).with_columns(
        estimate=pl.when(at_start).then(0.0).when(usable).then("estimate"),
        se=pl.when(usable & ~at_start).then("se"),
        n=pl.when(usable & ~at_start).then("n"),
        difference=pl.when(ok_label).then("difference"),
        p=pl.when(ok_label).then("p"),
        x=pl.col("avisitn") + pl.when(at_start).then(0.0).otherwise(shift),
    )
    rows = points.to_dicts()
    return points.with_columns(
        pl.Series("point_id", [_point_id(row) for row in rows], dtype=pl.String),
        pl.Series("label", [_label(row) for row in rows], dtype=pl.String),
        lower=pl.col("estimate") - pl.col("se"),
        upper=pl.col("estimate") + pl.col("se"),
        label_drawn=pl.lit(value=False),
    )


def _point_id(row: dict[str, object]) -> str:
    parts = (row["figure_id"], row["panel"], row["avisitn"], row["arm_order"])
    return "pt-" + "-".join(slug(str(part)) for part in parts)


def _label(row: dict[str, float | str | None]) -> str | None:
    difference, p = row["difference"], row["p"]
    if not isinstance(difference, float) or row["estimate"] is None:
        return None
    mark = stars(p if isinstance(p, float) else None)
    if row["difference_response"] == "pchg":
        return f"{signed(difference, 0 if abs(difference) >= 1000 else 1)}%{mark}"
    se = row["se"]
    decimals = decimals_for([se] if isinstance(se, float) else [])
    return f"{signed(difference, decimals)}{mark}"
