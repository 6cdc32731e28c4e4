"""Quality of plates: recovery and spread of standards and controls, limit, blanks, control charts.

Judges plates by declared limits; changes no value and keeps none out.
"""

import polars as pl

from assayhouse.contracts.instrument_file import PlatePlan

PLATE = ("source", "PLATE", "TESTCD")
RECOVERY, SPREAD, LIMIT, BLANKS = "recovery", "cv", "lloq", "blank"
CHART, CHART_TWICE = "control_chart_3sd", "control_chart_2sd_twice"
LOT = "control_lot_change"
SCHEMA = {
    "source": pl.String,
    "PLATE": pl.String,
    "TESTCD": pl.String,
    "check": pl.String,
    "qc_level": pl.String,
    "observed": pl.Float64,
    "lower_limit": pl.Float64,
    "upper_limit": pl.Float64,
    "passed_fl": pl.String,
}


def derive_plate_quality(
    wells: pl.DataFrame, plates: pl.DataFrame, plan: PlatePlan
) -> pl.DataFrame:
    """Judge standards, controls and blanks of every plate, and controls from plate to plate.

    Parameters
    ----------
    wells : DataFrame
        source (what the concentrations come from), PLATE, TESTCD, well_type (STD, CTRL, BLANK),
        level, expected_conc, concentration; masked wells left out.
    plates : DataFrame
        PLATE, TESTCD, run_dtm (order of the control charts), LLOQ (as reported), dilution, LOT
        (calibrator lot); what is not known is null.
    plan : PlatePlan
        Limits.

    Returns
    -------
    DataFrame
        source, PLATE, TESTCD, check, qc_level, observed, lower_limit, upper_limit, passed_fl (Y, N;
        null where
        there was nothing to compare with). Checks: recovery (%) and cv (%) of each level of
        standards and controls; lloq: the lowest standard that meets both, against the reported
        limit; blank: its concentration against the lowest standard; control_chart_3sd and
        control_chart_2sd_twice: a control against the plates before it (Levey-Jennings);
        control_lot_change: controls under a calibrator lot over those under the lot before.
    """
    levels = _levels(wells.filter(pl.col("well_type") != "BLANK"), plan)
    parts = [
        _judged(levels, RECOVERY, "recovery"),
        _judged(levels, SPREAD, "cv"),
        _limits(levels, plates),
        _blanks(wells, levels),
        *_charts(levels, plates, plan),
        _lots(levels, plates, plan),
    ]
    names = {"level": "qc_level", "lower": "lower_limit", "upper": "upper_limit"}
    shaped = [
        part.rename(names).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
        for part in parts
    ]
    return pl.concat(shaped).sort(*PLATE, "check", "qc_level")


def _levels(wells: pl.DataFrame, plan: PlatePlan) -> pl.DataFrame:
    """Mean recovery and CV of each level, with the limits that hold for it."""
    mean = pl.col("concentration").mean()
    levels = wells.group_by(*PLATE, "well_type", "level", "expected_conc").agg(
        mean.alias("mean"),
        (100.0 * pl.col("concentration").std() / mean).alias("cv"),
        pl.col("concentration").null_count().alias("absent"),
    )
    standard = pl.col("well_type") == "STD"
    lowest = standard & (
        pl.col("expected_conc") == pl.col("expected_conc").filter(standard).min().over(PLATE)
    )
    low, high = (
        pl.when(lowest).then(pl.lit(wide)).otherwise(pl.lit(usual))
        for wide, usual in zip(plan.recovery_at_lloq_pct, plan.recovery_pct, strict=True)
    )
    widest = pl.when(lowest).then(pl.lit(plan.cv_at_lloq_pct)).otherwise(pl.lit(plan.cv_pct))
    expected = pl.when(pl.col("expected_conc") > 0).then(pl.col("expected_conc"))
    return levels.with_columns(
        (100.0 * pl.col("mean") / expected).alias("recovery"),
        low.alias("recovery_lower"),
        high.alias("recovery_upper"),
        pl.lit(None, dtype=pl.Float64).alias("cv_lower"),
        widest.alias("cv_upper"),
    )


def _flag(passed: pl.Expr) -> pl.Expr:
    return pl.when(passed).then(pl.lit("Y")).when(~passed).then(pl.lit("N")).alias("passed_fl")


def _within(value: str, lower: str, upper: str) -> pl.Expr:
    above = pl.col(lower).is_null() | (pl.col(value) >= pl.col(lower))
    return above & (pl.col(value) <= pl.col(upper))


def _judged(levels: pl.DataFrame, check: str, column: str) -> pl.DataFrame:
    return levels.filter(pl.col("expected_conc") > 0).select(
        *PLATE,
        pl.lit(check).alias("check"),
        pl.concat_str(pl.col("well_type"), pl.lit(" "), pl.col("level")).alias("level"),
        pl.col(column).alias("observed"),
        pl.col(f"{column}_lower").alias("lower"),
        pl.col(f"{column}_upper").alias("upper"),
        _flag(_within(column, f"{column}_lower", f"{column}_upper")),
    )


def _limits(levels: pl.DataFrame, plates: pl.DataFrame) -> pl.DataFrame:
    """Lowest standard that is recovered with a small spread, times dilution, against the limit."""
    recovered = _within("recovery", "recovery_lower", "recovery_upper")
    good = (pl.col("well_type") == "STD") & recovered & _within("cv", "cv_lower", "cv_upper")
    whole = good & (pl.col("absent") == 0)
    lowest = levels.group_by(PLATE).agg(
        pl.col("expected_conc").filter(whole).min().alias("standard")
    )
    known = lowest.join(plates, on=["PLATE", "TESTCD"], how="left")
    # Printed limits have few digits.
    found = known.with_columns(
        (pl.col("standard") * pl.col("dilution").fill_null(1.0)).alias("observed"),
        (1.001 * pl.col("LLOQ")).alias("upper"),
    )
    met = pl.col("observed").is_not_null() & (pl.col("observed") <= pl.col("upper"))
    return found.select(
        *PLATE,
        pl.lit(LIMIT).alias("check"),
        pl.lit("").alias("level"),
        "observed",
        pl.lit(None, dtype=pl.Float64).alias("lower"),
        "upper",
        _flag(pl.when(pl.col("upper").is_not_null()).then(met)),
    )


def _blanks(wells: pl.DataFrame, levels: pl.DataFrame) -> pl.DataFrame:
    standard = pl.col("well_type") == "STD"
    lowest = levels.filter(standard).group_by(PLATE).agg(pl.col("expected_conc").min())
    blanks = (
        wells.filter(pl.col("well_type") == "BLANK")
        .group_by(PLATE)
        .agg(pl.col("concentration").mean().alias("observed"))
        .join(lowest, on=list(PLATE), how="inner", nulls_equal=True)
    )
    # No number is what a blank should have: its signal lies below the curve.
    low = pl.col("observed").is_null() | (pl.col("observed") < pl.col("expected_conc"))
    return blanks.select(
        *PLATE,
        pl.lit(BLANKS).alias("check"),
        pl.lit("").alias("level"),
        "observed",
        pl.lit(None, dtype=pl.Float64).alias("lower"),
        pl.col("expected_conc").alias("upper"),
        _flag(low),
    )


def _controls(levels: pl.DataFrame, plates: pl.DataFrame) -> pl.DataFrame:
    """Recovery of controls in the order of the runs."""
    controls = levels.filter((pl.col("well_type") == "CTRL") & pl.col("recovery").is_not_null())
    joined = controls.join(plates, on=["PLATE", "TESTCD"], how="left")
    return joined.sort("source", "TESTCD", "level", "run_dtm", "PLATE", nulls_last=True)


def _charts(levels: pl.DataFrame, plates: pl.DataFrame, plan: PlatePlan) -> list[pl.DataFrame]:
    """Compare each control with the plates before it: beyond k SD, or beyond 2 SD twice."""
    series = ("source", "TESTCD", "level")
    before = pl.col("recovery").shift(1)
    count = before.cum_count().over(series)
    total, square = (part.fill_null(0.0).cum_sum().over(series) for part in (before, before**2))
    mean = total / count
    spread = ((square - count * mean**2).clip(0.0) / (count - 1)).sqrt()
    enough = count >= plan.fewest_plates
    charts = _controls(levels, plates).with_columns(
        pl.when(enough).then(mean).alias("mean_before"),
        pl.when(enough & (spread > 0)).then(spread).alias("sd_before"),
    )
    z = (pl.col("recovery") - pl.col("mean_before")) / pl.col("sd_before")
    charts = charts.with_columns(z.alias("z"))
    last = pl.col("z").shift(1).over(series)
    twice = ((pl.col("z") > 2) & (last > 2)) | ((pl.col("z") < -2) & (last < -2))
    rows = []
    for check, sds, broken in (
        (CHART, plan.control_sd, pl.col("z").abs() > plan.control_sd),
        (CHART_TWICE, 2.0, twice),
    ):
        rows.append(
            charts.select(
                *PLATE,
                pl.lit(check).alias("check"),
                pl.col("level"),
                pl.col("recovery").alias("observed"),
                (pl.col("mean_before") - sds * pl.col("sd_before")).alias("lower"),
                (pl.col("mean_before") + sds * pl.col("sd_before")).alias("upper"),
                _flag(~broken),
            )
        )
    return rows


def _lots(levels: pl.DataFrame, plates: pl.DataFrame, plan: PlatePlan) -> pl.DataFrame:
    """Mean control recovery under a lot over that under the lot before, once per lot."""
    controls = _controls(levels, plates).filter(pl.col("LOT").is_not_null())
    series = ["source", "TESTCD", "level"]
    lots = (
        controls.group_by(*series, "LOT", maintain_order=True)
        .agg(pl.col("recovery").mean().alias("mean"), pl.col("PLATE").first())
        .with_columns(
            (100.0 * pl.col("mean") / pl.col("mean").shift(1).over(series)).alias("observed")
        )
        .filter(pl.col("observed").is_not_null())
    )
    low, high = plan.recovery_pct
    return lots.select(
        *PLATE,
        pl.lit(LOT).alias("check"),
        "level",
        "observed",
        pl.lit(low).alias("lower"),
        pl.lit(high).alias("upper"),
        _flag(pl.col("observed").is_between(low, high)),
    )
