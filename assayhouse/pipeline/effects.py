"""Relation ard.effects: fits of all data sets in, adjusted means and differences out.

Also what the stages before it, in `effect_stages`, share with it: the method as declared, and the
data in long form. The plan's options of effects are read here and nowhere else.
"""

import polars as pl

from assayhouse.analysis.spec import EffectSpec
from assayhouse.analysis.stages import FIT_SCHEMA, options_of_stage, pool_fits
from assayhouse.contracts.study import Study
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.population import (
    ANALYSED,
    method_by_parameter,
    subset_levels,
    with_enough_baseline,
)
from assayhouse.pipeline.provenance import stamped

_IMPUTE_NONE: dict[str, object] = {"method": "none"}


def effect_spec(study: Study) -> EffectSpec:
    """Read the method of the study's effects as declared, every option filled in."""
    options: dict[str, object] = {
        "population": "observed_at_visit",
        "impute": _IMPUTE_NONE,
        **study.plan.effects,
        "reference": study.reference_arm,
        "strata": list(study.strata),
        "subgroups": list(study.plan.subgroups),
    }
    return EffectSpec.from_dict(options)


def long_form(
    adbm: pl.DataFrame, adsl: pl.DataFrame, study: Study, *, everybody_with_base: bool = False
) -> pl.DataFrame:
    """Analysed post-baseline records of treated subjects, one row per parameter and visit.

    Of a parameter with a declared lowest baseline, only those who have it.
    With ``everybody_with_base`` a subject without any later record has one row with no value, so
    that an imputation has it in its population.
    """
    baseline = next(visit.AVISITN for visit in study.visits if visit.is_baseline)
    subjects = adsl.filter(pl.col("SAFFL") == "Y").select(
        pl.col("USUBJID").alias("usubjid"), pl.col("ARMCD").alias("arm"), *study.strata
    )
    analysed = with_enough_baseline(adbm, study).filter(
        pl.col("ANL01FL").eq("Y"), pl.col("BASE").is_not_null()
    )
    later = analysed.filter(pl.col("AVISITN").ne(baseline))
    if everybody_with_base:
        later = pl.concat([later, _unobserved(analysed, later, study)])
    records = later.select(
        pl.col("USUBJID").alias("usubjid"),
        pl.col("PARAMCD").alias("paramcd"),
        pl.col("AVISITN").alias("avisitn"),
        pl.col("AVAL").alias("aval"),
        pl.col("BASE").alias("base"),
        pl.col("blq_fl").eq("Y").alias("blq"),
        pl.col("lloq"),
    )
    return records.join(subjects, on="usubjid", how="inner").sort("usubjid", "paramcd", "avisitn")


def _unobserved(analysed: pl.DataFrame, later: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Baseline records of who has no later one, moved to the first later visit without a value."""
    first = min(visit.AVISITN for visit in study.visits if not visit.is_baseline)
    known = later.select("USUBJID", "PARAMCD").unique()
    return (
        analysed.join(known, on=["USUBJID", "PARAMCD"], how="anti")
        .unique(["USUBJID", "PARAMCD"], keep="first", maintain_order=True)
        .with_columns(
            pl.lit(first, dtype=analysed.schema["AVISITN"]).alias("AVISITN"),
            pl.lit(None, dtype=analysed.schema["AVAL"]).alias("AVAL"),
            pl.lit("N", dtype=analysed.schema["blq_fl"]).alias("blq_fl"),
        )
    )


def describe(spec: EffectSpec) -> str:
    """Say the method in one sentence, for footnotes and result rows."""
    tuning = "default tuning" if spec.tuning is None else f"tuning {spec.tuning:g}"
    adjusted = ", ".join(("arm", "baseline", *spec.strata))
    return (
        f"M-estimation ({spec.psi}, {tuning}; scale {spec.scale}; covariance {spec.covariance}) "
        f"on {_data_sets(spec)}, adjusted for {adjusted}; "
        f"margins {spec.weights}; BLQ as {spec.blq_rule}"
    )


def _data_sets(spec: EffectSpec) -> str:
    if spec.population == "observed_at_visit":
        return "observed cases"
    impute = spec.impute
    arms = "arm-wise" if impute.by_arm else "arms as main effects"
    delta = "" if impute.delta is None else f", delta {impute.delta:g}"
    return (
        f"{impute.m} imputations ({impute.method} on the {impute.scale} scale, {arms}, "
        f"{impute.strategy}{delta}) of subjects with a baseline, pooled by Rubin's rules "
        f"({spec.df_method})"
    )


def _estimate_unit() -> pl.Expr:
    response, unit = pl.col("response"), pl.col("unit")
    return (
        pl.when(response.eq("pchg"))
        .then(pl.lit("%"))
        .when(response.eq("log"))
        .then(pl.lit("log of ") + unit)
        .otherwise(unit)
    )


def with_units(results: pl.DataFrame, parameters: pl.DataFrame) -> pl.DataFrame:
    """Say the unit of every estimate, and the scale it stands on."""
    units = parameters.select(pl.col("PARAMCD").alias("paramcd"), "unit", "scale")
    response_scale = (
        pl.when(pl.col("response").eq("pchg"))
        .then(pl.lit("percent"))
        .when(pl.col("response").eq("log"))
        .then(pl.lit("log"))
        .otherwise(pl.col("scale"))
    )
    return results.join(units, on="paramcd", how="left").with_columns(
        _estimate_unit().alias("estimate_unit"), response_scale.alias("scale")
    )


def data_of_imputation(context: BuildContext) -> pl.DataFrame:
    """Long form of the parameters that the plan asks for."""
    study = context.declarations.study
    long = long_form(
        context.table("adam.adbm", where=ANALYSED),
        context.table("adam.adsl"),
        study,
        everybody_with_base=effect_spec(study).population == "baseline_observed",
    )
    wanted = study.plan.effect_parameters
    return long.filter(pl.col("paramcd").is_in(wanted)) if wanted else long


def data_of_fits(context: BuildContext) -> pl.DataFrame:
    """Add each subject's level by every subgroup to the data of the imputation."""
    long, subgroups = data_of_imputation(context), context.declarations.study.plan.subgroups
    if not subgroups:
        return long
    levels = subset_levels(context.table("adam.subset_flags"), subgroups)
    return long.join(levels, on="usubjid", how="left")


def _options(study: Study, stage: str) -> dict[str, object]:
    """Take what of a study decides a stage, beside the content of its parents."""
    return {
        "options": options_of_stage(effect_spec(study), stage),
        "parameters": study.plan.effect_parameters,
        "base_at_least": study.plan.base_at_least,
        "visits": [(visit.AVISITN, visit.is_baseline) for visit in study.visits],
    }


def imputation_options(study: Study) -> dict[str, object]:
    """Take what of a study decides ``ard.effects_imputed``."""
    return _options(study, "imputation")


def fit_options(study: Study) -> dict[str, object]:
    """Take what of a study decides ``ard.effects_fits``."""
    return _options(study, "fit")


def pooling_options(study: Study) -> dict[str, object]:
    """Take what of a study decides ``ard.effects``."""
    return {**_options(study, "pooling"), "seed": study.seed}


def effects(context: BuildContext) -> pl.DataFrame:
    """Pool the fits of all data sets; refused rows are present without a number."""
    study = context.declarations.study
    spec = effect_spec(study)
    fits = context.table("ard.effects_fits").select(*FIT_SCHEMA)
    if fits.is_empty():
        return context.spec.empty()
    parameters = context.table("ref.parameters")
    told = with_units(pool_fits(fits, spec), parameters)
    seeded = told.with_columns(pl.lit(study.seed, dtype=pl.Int64).alias("seed"))
    return stamped(seeded, context, method=method_by_parameter(describe(spec), parameters, study))
