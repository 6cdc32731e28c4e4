"""Relation ref.cut_off_rules: what the training sets made, before the trial, and how."""

from dataclasses import asdict

import polars as pl

from assayhouse.analysis.training_rules import make_rule
from assayhouse.contracts.plan import CutOff
from assayhouse.pipeline.context import BuildContext

METHOD = (
    "dip test and Silverman's test of one mode decide; bimodal: antimode at the second critical "
    "bandwidth, unimodal: median; bootstrap percentiles of the whole calculation. Made on people "
    "outside the trial; never estimated again"
)


def _row(context: BuildContext, cut: CutOff, *, seed: int) -> dict[str, object]:
    declared = context.declarations
    training = next(
        item for item in declared.study.plan.training_sets if item.training_set == cut.training
    )
    table = declared.training[training.training_set]
    made = make_rule(cut, training, table, seed=seed)
    found, valley = made.found, made.found.antimode
    return {
        **asdict(training),
        "cut_off": cut.cut_off,
        "PARAMCD": cut.parameter,
        "scale": cut.scale,
        "cut_off_rule": made.rule,
        "cut_off_value": made.value,
        "unrounded": made.unrounded,
        "ci_lo": made.interval[0],
        "ci_hi": made.interval[1],
        "n": found.n,
        "decision": found.decision,
        "dip": found.dip.statistic,
        "dip_p": found.dip.p,
        "silverman_p": found.silverman.p,
        "h_crit_1": found.silverman.bandwidth,
        "h_crit_2": None if valley is None else valley.h_crit_2,
        "values_sha256": found.sha256,
        "file_sha256": table.sha256,
        "seed": seed,
        "reasons": made.remarks,
        "method": METHOD,
    }


def cut_off_rules(context: BuildContext) -> pl.DataFrame:
    """Make every cut-off that names a training set, with its provenance."""
    study = context.declarations.study
    rows = [
        _row(context, cut, seed=study.seed)
        for cut in study.plan.cut_offs
        if cut.training is not None
    ]
    wanted = [{name: row.get(name) for name in context.spec.columns} for row in rows]
    return pl.DataFrame(wanted, schema=context.spec.polars_schema).sort(context.spec.key)
