"""Tables of population runs: parameters, exposures, box plots, dose proportionality.

What stands on a run that failed has no value and says so. Covariates and diagnostics
are in `pk_diagnostics`. Nothing is fitted to concentrations.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from assayhouse.analysis.pk_events import event_table
from assayhouse.analysis.pk_runs import ADDED, DOSE, MAIN, Run
from assayhouse.pk import (
    FitResult,
    dose_proportionality,
    dosing_from_events,
    exposure,
    exposure_summary,
)
from assayhouse.pk.errors import PKError

OK, NOT_AVAILABLE = "ok", "not_available"
AUC, AUC_ALL = "AUCss", "AUCss, every sampled subject"
NORMALISED = "AUCss per mg"
_MEASURES = (
    (AUC, "AUCSS", "h*{dv}"),
    ("CL/F", "CL_F", "L/h"),
    ("Cmax,ss", "CMAXSS", "{dv}"),
    ("Ctrough", "CTROUGH", "{dv}"),
)
_BLQ_ONLY = "every sample below the limit: the value rests on the limit and the population"
_ROUNDED = 12


def unavailable(run: Run) -> str:
    """Say why nothing stands on a run."""
    return f"not available: the {run.name} run is FAILED. {run.reasons}".strip()


def by_name(runs: Sequence[Run]) -> dict[str, Run]:
    """Find runs by their names."""
    return {run.name: run for run in runs}


def populations(runs: Sequence[Run]) -> Iterator[tuple[str, Run]]:
    """Give the runs whose individual estimates are used, each with the name of its AUCss."""
    rule = by_name(runs)[MAIN].subject_rule
    for run in runs:
        if run.name not in ADDED:
            yield f"{AUC if run.subject_rule == rule else AUC_ALL}{run.at_limit}", run


def parameter_table(runs: Sequence[Run]) -> pl.DataFrame:
    """One row per run and parameter; a run that failed has no estimate.

    Returns
    -------
    DataFrame
        run, subject_rule, pk_parameter, estimate, estimate_unit, se, rse_pct, ci_lo, ci_hi,
        shrinkage_pct, ofv, d_ofv, n_subjects, n_obs, n_blq, n_excluded, condition_number, status,
        codes, reasons.
    """
    main = by_name(runs)[MAIN]
    rows = [row for run in runs for row in _parameters(run, main)]
    return pl.DataFrame(rows, infer_schema_length=None)


def _parameters(run: Run, main: Run) -> Iterator[dict[str, object]]:
    told: dict[str, object] = {
        "run": run.name,
        "subject_rule": run.subject_rule,
        "status": run.status,
        "codes": run.codes,
        "reasons": " ".join(part for part in (run.reasons, run.notes) if part),
    }
    result = run.result
    if result is None:
        yield {**told, "pk_parameter": "none"}
        return
    told |= {
        "n_subjects": result.n_subjects,
        "n_obs": result.n_obs,
        "n_blq": result.n_blq,
        "n_excluded": result.excluded.height,
    }
    if run.usable is None:
        yield from ({**told, "pk_parameter": name} for name in result.params)
        return
    told |= {"ofv": result.ofv, "condition_number": result.condition_number}
    if main.usable is not None and main.subject_rule == run.subject_rule:
        told["d_ofv"] = result.ofv - main.usable.ofv
    for name, estimate in result.params.items():
        interval = result.ci[name] or (None, None)
        varies = name.removeprefix("omega2(").removesuffix(")") if "omega2(" in name else ""
        shrunk = result.shrinkage.get(varies)
        yield {
            **told,
            "pk_parameter": name,
            "estimate": estimate,
            "estimate_unit": _unit(name, result),
            "se": result.se[name],
            "rse_pct": result.rse_pct[name],
            "ci_lo": interval[0],
            "ci_hi": interval[1],
            "shrinkage_pct": None if shrunk is None else 100.0 * shrunk,
        }


def _unit(name: str, result: FitResult) -> str:
    if "~" in name or name.startswith("omega") or name == "sigma_prop":
        return "1"
    if name == "sigma_add":
        return result.dv_unit
    volume, rate = ("L", f"1/{result.time_unit}") if result.dv_unit != "1" else ("1", "1")
    units = {"KA": rate, "TLAG": result.time_unit, "CL": f"L/{result.time_unit}"}
    return {**units, "Q": units["CL"]}.get(name, volume)


def exposure_rows(rows: pl.DataFrame, runs: Sequence[Run], subjects: pl.DataFrame) -> pl.DataFrame:
    """Exposure of the trial's active subjects from each population.

    Parameters
    ----------
    rows : DataFrame
        `adam.adppk`.
    runs : sequence of Run
        All runs.
    subjects : DataFrame
        usubjid, arm, dose_mg of the treated.

    Returns
    -------
    DataFrame
        usubjid, arm, dose_mg, exposure_measure, exposure_value, unit, n_samples, n_blq, status,
        reasons: AUCss, CL/F, highest and trough concentration of the main run, AUCss of the
        other populations.
    """
    active = subjects.filter(pl.col("dose_mg") > 0.0)
    return pl.concat(
        _measures(
            rows, run, active, _MEASURES if run.name == MAIN else ((name, "AUCSS", "h*{dv}"),)
        )
        for name, run in populations(runs)
    )


def _measures(
    rows: pl.DataFrame,
    run: Run,
    active: pl.DataFrame,
    measures: Sequence[tuple[str, str, str]],
) -> pl.DataFrame:
    found = _individual(rows, run)
    joined = active.join(found, on="usubjid", how="left", maintain_order="left")
    why = pl.lit(unavailable(run)) if run.usable is None else _why_not(run)
    known = pl.col("AUCSS").is_not_null()
    said = pl.when(~known).then(why).when(pl.col("BLQ_ONLY")).then(pl.lit(_BLQ_ONLY))
    dv_unit = "" if run.result is None else run.result.dv_unit
    shown = joined.with_columns(
        pl.when(known).then(pl.lit(OK)).otherwise(pl.lit(NOT_AVAILABLE)).alias("status"),
        said.otherwise(pl.lit("")).alias("reasons"),
        pl.col("N_OBS").fill_null(0).alias("n_samples"),
        pl.col("N_BLQ").fill_null(0).alias("n_blq"),
    )
    return pl.concat(
        [
            shown.select(
                *("usubjid", "arm", "dose_mg"),
                pl.lit(name).alias("exposure_measure"),
                pl.col(column).alias("exposure_value"),
                pl.lit(unit.format(dv=dv_unit)).alias("unit"),
                *("n_samples", "n_blq", "status", "reasons"),
            )
            for name, column, unit in measures
        ]
    )


def _why_not(run: Run) -> pl.Expr:
    """Why a subject is not in a run, in words."""
    words = {
        "no_quantifiable": "no sample above the limit of quantification",
        "no_observation": "no analysed sample",
        "no_dose": "no dose",
    }
    return (
        pl.col("REASON")
        .replace_strict(words, default=f"not in the {run.name} run", return_dtype=pl.String)
        .fill_null("not in the population analysis")
    )


_INDIVIDUAL = {
    "usubjid": pl.String,
    **dict.fromkeys(("AUCSS", "CL_F", "CMAXSS", "CTROUGH"), pl.Float64),
    "BLQ_ONLY": pl.Boolean,
    "N_OBS": pl.Int64,
    "N_BLQ": pl.Int64,
    "REASON": pl.String,
}


def _individual(rows: pl.DataFrame, run: Run) -> pl.DataFrame:
    """Exposure of every subject of a run, and why the others have none."""
    result = run.usable
    if result is None or result.ebe is None:
        return pl.DataFrame(schema=_INDIVIDUAL)
    events = event_table(rows, subject_rule=run.subject_rule, limit=run.limit)
    dosing = dosing_from_events(events)
    found = exposure(result, dosing.filter(pl.col("ID").is_in(result.ebe["ID"].to_list())))
    found = found.join(
        result.ebe.select("ID", "N_OBS", "N_BLQ"), on="ID", how="left", maintain_order="left"
    )
    known = pl.concat([found, events.excluded], how="diagonal")
    return known.select(
        pl.col("ID").alias("usubjid"),
        *(pl.col(name).cast(kind) for name, kind in _INDIVIDUAL.items() if name != "usubjid"),
    )


_BOX = {
    "N": "n_subjects",
    "MEDIAN": "box_median",
    "Q1": "box_q1",
    "Q3": "box_q3",
    "WHISKER_LOW": "whisker_low",
    "WHISKER_HIGH": "whisker_high",
    "N_OUTLIERS": "n_outliers",
    "GEOMEAN": "geomean",
    "GEOCV_PCT": "geocv_pct",
    "MIN": "lowest",
    "MAX": "highest",
}


def exposure_boxes(exposures: pl.DataFrame, levels: pl.DataFrame) -> pl.DataFrame:
    """Numbers of box plots by dose, for all and by baseline level, with who is missing.

    Parameters
    ----------
    exposures : DataFrame
        As `exposure_rows` makes them.
    levels : DataFrame
        usubjid, cut_off, level.

    Returns
    -------
    DataFrame
        exposure_measure (AUCss of every population, AUCss per mg), cut_off and level (empty for
        all), dose_mg, n_subjects, the box's numbers, n_missing, n_blq_only, unit.
    """
    auc = exposures.filter(pl.col("exposure_measure").str.starts_with(AUC))
    per_mg = auc.filter(pl.col("exposure_measure") == AUC).with_columns(
        pl.lit(NORMALISED).alias("exposure_measure"),
        (pl.col("exposure_value") / pl.col("dose_mg")).alias("exposure_value"),
        (pl.col("unit") + pl.lit("/mg")).alias("unit"),
    )
    every = pl.concat([auc, per_mg]).with_columns(
        pl.lit("").alias("cut_off"), pl.lit("").alias("level")
    )
    split = auc.filter(pl.col("exposure_measure") == AUC).join(
        levels.filter(pl.col("level").is_not_null()), on="usubjid", how="inner"
    )
    whole = pl.concat([every, split.select(every.columns)])
    keys = ["exposure_measure", "cut_off", "level", "dose_mg"]
    boxes = exposure_summary(whole, by=keys, column="exposure_value")
    blq_only = (pl.col("reasons") == _BLQ_ONLY).sum().alias("n_blq_only")
    counts = whole.group_by(keys).agg(
        pl.col("exposure_value").null_count().alias("n_missing").cast(pl.Int64),
        blq_only.cast(pl.Int64),
        pl.col("unit").first(),
    )
    joined = counts.join(boxes.rename(_BOX), on=keys, how="left")
    joined = joined.with_columns(pl.col("n_subjects").fill_null(0))
    return joined.sort(keys)


def dose_rows(exposures: pl.DataFrame, runs: Sequence[Run], *, level: float) -> pl.DataFrame:
    """Whether exposure follows the dose, in every population.

    Parameters
    ----------
    exposures : DataFrame
        As `exposure_rows` makes them.
    runs : sequence of Run
        All runs; that of the dose effect gives the exponent of the dose on clearance.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per population: run, subject_rule, n_subjects, n_missing, slope with interval, ratio
        of exposure over the range of doses, region of proportionality, conclusion, exponent of the
        dose on clearance with interval and change in OFV (main run), status, reasons.
    """
    named = by_name(runs)
    rows = []
    for measure, run in populations(runs):
        own = exposures.filter(pl.col("exposure_measure") == measure)
        row: dict[str, object] = {
            "run": run.name,
            "subject_rule": run.subject_rule,
            "exposure_measure": measure,
            "n_missing": own["exposure_value"].null_count(),
        }
        rows.append(row | _proportionality(own, run, level))
    effect = named.get(DOSE)
    main = named[MAIN].usable
    if effect is not None and effect.usable is not None and main is not None:
        rows[0] |= _dose_exponent(effect.usable, main)
    return pl.DataFrame(rows, infer_schema_length=None)


def _proportionality(own: pl.DataFrame, run: Run, level: float) -> dict[str, object]:
    if run.usable is None:
        return {"n_subjects": 0, "status": NOT_AVAILABLE, "reasons": unavailable(run)}
    try:
        found = dose_proportionality(own, column="exposure_value", dose="dose_mg", level=level)
    except PKError as error:
        return {"n_subjects": 0, "status": NOT_AVAILABLE, "reasons": str(error)}
    return {
        "n_subjects": found.n,
        "dose_slope": found.slope,
        "se": found.slope_se,
        "ci_lo": found.slope_ci[0],
        "ci_hi": found.slope_ci[1],
        "ci_level": found.level,
        "dose_ratio": round(found.dose_ratio, _ROUNDED),
        "ratio": found.ratio,
        "ratio_lo": found.ratio_ci[0],
        "ratio_hi": found.ratio_ci[1],
        "median_ratio": found.median_ratio,
        "geomean_ratio": found.geomean_ratio,
        "region_lo": found.region[0],
        "region_hi": found.region[1],
        "conclusion": found.conclusion,
        "status": OK,
        "reasons": "",
    }


def _dose_exponent(effect: FitResult, main: FitResult) -> dict[str, object]:
    added = [name for name in effect.params if name not in main.params]
    name = added[0]
    interval = effect.ci[name] or (None, None)
    return {
        "dose_exponent": effect.params[name],
        "dose_exponent_se": effect.se[name],
        "dose_exponent_lo": interval[0],
        "dose_exponent_hi": interval[1],
        "d_ofv": effect.ofv - main.ofv,
    }
