"""Relations of baseline subsets: shares by arm, response differences, cut-offs and their origin."""

import hashlib

import numpy as np
import polars as pl

from assayhouse.analysis.subsets import baseline_shares, subset_differences
from assayhouse.contracts.plan import CutOff
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.population import (
    analysed_subjects,
    arms_in_order,
    responses_of,
)
from assayhouse.pipeline.provenance import stamped, unstamped
from assayhouse.stats.modes import cutpoint

SHARES = (
    "treated subjects with a baseline value on the cut-off's scale; low is at or below the cut-off"
)
BOOTSTRAPS = 100  # of an interval that is for information only
DIFFERENCES = (
    "stratified difference in response rates, CMH weights, Newcombe interval (Yan-Su); "
    "p of the Cochran-Mantel-Haenszel test; non-responder imputation; no multiplicity adjustment"
)
ORIGIN = (
    "declared before the trial; trial_value: the same question asked of the trial's own baseline "
    "values (dip and Silverman tests, antimode or median), for information only"
)


def baseline_subsets(context: BuildContext) -> pl.DataFrame:
    """Count subjects at the level of interest by arm, the form of table S1."""
    subjects = analysed_subjects(context)
    if subjects.is_empty():
        return context.spec.empty()
    shares = baseline_shares(
        context.table("adam.subset_flags"),
        subjects,
        context.table("ref.cut_offs"),
        arms=arms_in_order(context),
    )
    return stamped(shares, context, method=SHARES)


def subset_differences_of_study(context: BuildContext) -> pl.DataFrame:
    """Compare response rates overall and by level, the form of table S5."""
    study = context.declarations.study
    subjects = analysed_subjects(context)
    endpoint = study.plan.subset_endpoint or ""
    responses = responses_of(context, endpoint).join(subjects, on="usubjid", how="inner")
    if responses.is_empty():
        return context.spec.empty()
    found = subset_differences(
        responses,
        context.table("adam.subset_flags"),
        context.table("ref.cut_offs"),
        reference=study.reference_arm,
        arms=arms_in_order(context),
        strata=study.strata,
    )
    return stamped(found, context, method=DIFFERENCES)


def _origin(context: BuildContext, cut: CutOff, *, seed: int) -> dict[str, object]:
    flags = context.table("adam.subset_flags").filter(pl.col("cut_off") == cut.cut_off)
    used = context.table("ref.cut_offs").row(
        by_predicate=pl.col("cut_off") == cut.cut_off, named=True
    )
    values = flags.filter(pl.col("level").is_not_null())["BASE"]
    row: dict[str, object] = {
        "cut_off": cut.cut_off,
        "label": cut.label,
        "PARAMCD": cut.parameter,
        "scale": cut.scale,
        "cut_off_rule": used["cut_off_rule"],
        "cut_off_value": used["cut_off_value"],
        "level_of_interest": cut.level_of_interest,
        "set_version": cut.set_version,
        "source": cut.source,
        "n": values.len(),
        "seed": seed,
    }
    if values.len() == 0:
        return {**row, "status": "no_values", "reasons": "no baseline value in the trial"}
    dataset = f"{context.declarations.study.study_id}:baseline"
    rule = cutpoint(values.to_numpy(), dataset_id=dataset, n_boot=BOOTSTRAPS, rng=seed)
    chosen = rule.antimode if rule.rule == "antimode" and rule.antimode is not None else None
    low, high = rule.median_ci if chosen is None else chosen.ci
    return {
        **row,
        "decision": rule.decision,
        "trial_value": rule.value,
        "ci_lo": low,
        "ci_hi": high,
        "dip_p": rule.dip.p,
        "silverman_p": rule.silverman.p,
        "values_sha256": rule.sha256,
        "status": "ok",
        "reasons": "; ".join([*rule.warnings, *_reused(context, cut, flags, rule.sha256)]),
    }


def _reused(context: BuildContext, cut: CutOff, flags: pl.DataFrame, sha256: str) -> list[str]:
    """Warn where the training set is not outside the trial: the same people or the same values."""
    if cut.training is None:
        return []
    table = context.declarations.training[cut.training]
    names = flags["USUBJID"].to_list()
    known = {*names, *(name.rpartition("-")[2] for name in names)}
    shared = len(known.intersection(table.people))
    said = []
    if shared:
        said.append(f"{shared} people of the training set {cut.training} are in the trial")
    values = np.sort(np.array(table.values[cut.parameter]))
    if hashlib.sha256(values[~np.isnan(values)].astype("<f8").tobytes()).hexdigest() == sha256:
        said.append(f"the training set {cut.training} holds the trial's own values")
    return said


def module_cutoffs(context: BuildContext) -> pl.DataFrame:
    """Tell where every cut-off comes from, beside the trial's own distribution."""
    study = context.declarations.study
    rows = [_origin(context, cut, seed=study.seed) for cut in study.plan.cut_offs]
    schema = unstamped(context.spec)
    frame = pl.DataFrame(rows, schema=schema).with_columns(
        pl.col("trial_value", "ci_lo", "ci_hi", "dip_p", "silverman_p").fill_nan(None)
    )
    return stamped(frame, context, method=ORIGIN)
