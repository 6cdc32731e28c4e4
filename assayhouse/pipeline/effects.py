"""Relation ard.effects: analysis data in, adjusted means and differences with provenance out."""

import json
from collections.abc import Mapping

import polars as pl

import assayhouse
from assayhouse.analysis.effects import estimate_effects
from assayhouse.analysis.spec import EffectSpec
from assayhouse.contracts.study import Study
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.population import ANALYSED, subset_levels

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

    With ``everybody_with_base`` a subject without any later record has one row with no value, so
    that an imputation has it in its population.
    """
    baseline = next(visit.AVISITN for visit in study.visits if visit.is_baseline)
    subjects = adsl.filter(pl.col("SAFFL") == "Y").select(
        pl.col("USUBJID").alias("usubjid"), pl.col("ARMCD").alias("arm"), *study.strata
    )
    analysed = adbm.filter(pl.col("ANL01FL").eq("Y"), pl.col("BASE").is_not_null())
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


def with_provenance(
    results: pl.DataFrame,
    parameters: pl.DataFrame,
    *,
    spec: EffectSpec,
    seed: int,
    inputs: Mapping[str, str],
) -> pl.DataFrame:
    """Add unit, scale, method, seed, inputs and code version to every row of the results."""
    units = parameters.select(pl.col("PARAMCD").alias("paramcd"), "unit", "scale")
    response_scale = (
        pl.when(pl.col("response").eq("pchg"))
        .then(pl.lit("percent"))
        .when(pl.col("response").eq("log"))
        .then(pl.lit("log"))
        .otherwise(pl.col("scale"))
    )
    return results.join(units, on="paramcd", how="left").with_columns(
        _estimate_unit().alias("estimate_unit"),
        response_scale.alias("scale"),
        pl.lit(describe(spec)).alias("method"),
        pl.lit(seed, dtype=pl.Int64).alias("seed"),
        pl.lit(json.dumps(dict(sorted(inputs.items())))).alias("inputs"),
        pl.lit(assayhouse.__version__).alias("code_version"),
    )


def _with_levels(context: BuildContext, long: pl.DataFrame) -> pl.DataFrame:
    """Keep the parameters the plan asks for, with each subject's level by every subgroup."""
    plan = context.declarations.study.plan
    wanted = plan.effect_parameters
    asked = long.filter(pl.col("paramcd").is_in(wanted)) if wanted else long
    if not plan.subgroups:
        return asked
    levels = subset_levels(context.table("adam.subset_flags"), plan.subgroups)
    return asked.join(levels, on="usubjid", how="left")


def effects(context: BuildContext) -> pl.DataFrame:
    """Estimate the study's declared effects; refused rows are present without a number."""
    study = context.declarations.study
    spec = effect_spec(study)
    long = long_form(
        context.table("adam.adbm", where=ANALYSED),
        context.table("adam.adsl"),
        study,
        everybody_with_base=spec.population == "baseline_observed",
    )
    if long.is_empty():
        return context.spec.empty()
    results = estimate_effects(_with_levels(context, long), spec)
    return with_provenance(
        results,
        context.table("ref.parameters"),
        spec=spec,
        seed=study.seed,
        inputs=context.inputs,
    )
