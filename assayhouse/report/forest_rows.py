"""Rows of a forest plot: which subsets, in which order, and how they are written. Draws nothing.

Numbers are those of ``ard.subsets``.
"""

import polars as pl

from assayhouse.report.errors import ReportInputError
from assayhouse.report.frames import require_columns, require_unique
from assayhouse.report.theme import ArmStyle, arm_styles
from assayhouse.report.words import DASH, NO_MULTIPLICITY, methods_told, number, p_text, slug

COLUMNS = (
    *("endpoint", "avisitn", "active_arm", "cut_off", "level", "label", "row_order", "n_active"),
    *("y_active", "n_reference", "y_reference", "diff_pct", "ci_low_pct", "ci_high_pct", "p"),
    *("status", "reasons", "method"),
)
OVERALL = "all"


def pair_styles(arms: pl.DataFrame, arm: str) -> tuple[ArmStyle, ArmStyle]:
    """Return the looks of an active arm and of the reference arm.

    Parameters
    ----------
    arms : polars.DataFrame
        ``ref.arms``.
    arm : str
        ARMCD of the active arm.

    Returns
    -------
    tuple of ArmStyle
        Active, reference.

    Raises
    ------
    ReportInputError
        The arm is not an active arm of the study.
    """
    styles = arm_styles(arms)
    active = [style for style in styles if style.armcd == arm and not style.is_reference]
    if not active:
        message = f"{arm} is not an active arm of ref.arms. Nothing was drawn."
        raise ReportInputError(message)
    return active[0], next(style for style in styles if style.is_reference)


def forest_twin(
    subsets: pl.DataFrame, *, arms: pl.DataFrame, arm: str, visit: int, figure_id: str
) -> pl.DataFrame:
    """Lay out the rows of a forest plot: overall first, then by falling difference.

    Parameters
    ----------
    subsets : polars.DataFrame
        ``ard.subsets``.
    arms : polars.DataFrame
        ``ref.arms``.
    arm : str
        ARMCD of the active arm.
    visit : int
        AVISITN.
    figure_id : str
        Name of the figure.

    Returns
    -------
    polars.DataFrame
        One row per subset, with numbers only where the status is ok.
    """
    require_columns(subsets, COLUMNS, name="ard.subsets")
    active, _ = pair_styles(arms, arm)
    rows = subsets.filter(pl.col("active_arm") == arm, pl.col("avisitn") == visit)
    require_unique(rows, ("cut_off", "level"), name="ard.subsets (one endpoint, visit and arm)")
    ok = pl.col("status") == "ok"
    shown = rows.with_columns(
        estimate=pl.when(ok).then("diff_pct"),
        lower=pl.when(ok).then("ci_low_pct"),
        upper=pl.when(ok).then("ci_high_pct"),
        p=pl.when(ok).then(pl.col("p").fill_nan(None)),
    ).sort(
        pl.col("cut_off") != OVERALL, pl.col("estimate"), "row_order",
        descending=[False, True, False], nulls_last=True,
    )  # fmt: skip
    return shown.select(
        pl.lit(figure_id).alias("figure_id"),
        pl.int_range(1, pl.len() + 1).alias("row_order"),
        pl.col("cut_off").alias("panel"),
        pl.col("level").alias("series"),
        pl.col("label").alias("parameter"),
        pl.lit("percentage points").alias("unit"),
        pl.col("active_arm").alias("arm"),
        pl.lit(active.label).alias("arm_label"),
        pl.lit(active.order).alias("arm_order"),
        "avisitn", "endpoint", "n_active", "y_active", "n_reference", "y_reference",
        (pl.col("n_active") + pl.col("n_reference")).alias("n"),
        "estimate", "lower", "upper", "p", "status", "reasons", "method",
        pl.int_range(1, pl.len() + 1)
        .map_elements(lambda rank: f"pt-{slug(figure_id)}-{rank}", return_dtype=pl.String)
        .alias("point_id"),
    )  # fmt: skip


def interval_text(row: dict[str, object]) -> str:
    """Write a difference with its interval, as in the table.

    Parameters
    ----------
    row : dict
        A row of the twin.

    Returns
    -------
    str
        For example ``19.4 (4.1 to 33.4)``; a dash where nothing was estimated.
    """
    estimate, low, high = (as_number(row[name]) for name in ("estimate", "lower", "upper"))
    if estimate is None:
        return DASH
    return f"{number(estimate, 1)} ({number(low, 1)} to {number(high, 1)})"


def as_number(value: object) -> float | None:
    """Return a value of a row as a number, None where it is none.

    Parameters
    ----------
    value : object
        Of a row.

    Returns
    -------
    float or None
        The number.
    """
    return value if isinstance(value, float) else None


def counts_text(row: dict[str, object], arm: str) -> str:
    """Write responders and subjects of an arm.

    Parameters
    ----------
    row : dict
        A row of the twin.
    arm : str
        ``active`` or ``reference``.

    Returns
    -------
    str
        For example ``44/81``.
    """
    responders = row[f"y_{arm}"]
    return f"{DASH if responders is None else responders}/{row[f'n_{arm}']}"


def forest_notes(twin: pl.DataFrame, active: ArmStyle, reference: ArmStyle) -> tuple[str, ...]:
    """Write the notes of a forest plot.

    Parameters
    ----------
    twin : polars.DataFrame
        From `forest_twin`.
    active, reference : ArmStyle
        The arms compared.

    Returns
    -------
    tuple of str
        Unwrapped.
    """
    methods = methods_told(twin["method"])
    refused = twin.filter(pl.col("status") != "ok")
    gaps = "; ".join(
        f"{row['parameter']} ({row['reasons'] or row['status']})"
        for row in refused.iter_rows(named=True)
    )
    notes = [
        f"Points: difference in response rate, {active.label} minus {reference.label}; "
        "bars: 95 % confidence interval (CI). Overall first, then by falling difference. "
        + NO_MULTIPLICITY
    ]
    notes += [f"Method: {methods}."] if methods else []
    notes += [f"Gap, not estimated: {gaps}."] if gaps else []
    return tuple(notes)


def forest_tooltips(twin: pl.DataFrame) -> dict[str, str]:
    """Write the tooltip of every drawn difference.

    Parameters
    ----------
    twin : polars.DataFrame
        From `forest_twin`.

    Returns
    -------
    dict of str to str
        Text by ``point_id``.
    """
    found = {}
    for row in twin.filter(pl.col("estimate").is_not_null()).iter_rows(named=True):
        where = f"active_arm = '{row['arm']}' and avisitn = {row['avisitn']} and "
        where += f"cut_off = '{row['panel']}' and level = '{row['series']}'"
        active, reference = counts_text(row, "active"), counts_text(row, "reference")
        lines = (
            f"{row['parameter']}, responders/n: {row['arm_label']} {active}, reference {reference}",
            f"Difference {interval_text(row)} percentage points, p {p_text(as_number(row['p']))}",
            f"select * from ard.subsets where {where}",  # noqa: S608 - shown, not run
        )
        found[str(row["point_id"])] = "\n".join(lines)
    return found
