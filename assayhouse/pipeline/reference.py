"""Relations ref.*: the study's declarations as tables, so that SQL can join them."""

from dataclasses import asdict

import polars as pl

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.pipeline.context import BuildContext


def _frame(rows: list[dict[str, object]], spec: TableSpec) -> pl.DataFrame:
    wanted = [{name: row.get(name) for name in spec.columns} for row in rows]
    return pl.DataFrame(wanted, schema=spec.polars_schema).sort(spec.key)


def study(context: BuildContext) -> pl.DataFrame:
    """Return the study's rules as one row."""
    given = context.declarations.study
    drug = given.plan.pharmacokinetics
    row: dict[str, object] = {
        "STUDYID": given.study_id,
        "title": given.title,
        "is_synthetic": given.synthetic,
        "blinding": given.blinding,
        "visit_rule": given.visit_rule,
        "baseline_rule": given.baseline_rule,
        "overdue_days": given.plan.overdue_days,
        "predose_max_hours": None if drug is None else drug.predose_max_hours,
    }
    return _frame([row], context.spec)


def arms(context: BuildContext) -> pl.DataFrame:
    """Return the planned arms in declared order."""
    rows = [
        {**asdict(arm), "arm_order": order}
        for order, arm in enumerate(context.declarations.study.arms, start=1)
    ]
    return _frame(rows, context.spec)


def visit_windows(context: BuildContext) -> pl.DataFrame:
    """Return the analysis visits with their windows in study days."""
    rows = [asdict(visit) for visit in context.declarations.study.visits]
    return _frame(rows, context.spec)


def parameters(context: BuildContext) -> pl.DataFrame:
    """Return the parameters that the study analyses."""
    rows = [asdict(item) for item in context.declarations.parameters.values()]
    return _frame(rows, context.spec)


def units(context: BuildContext) -> pl.DataFrame:
    """Return the unit conversions with their sources."""
    rows = [asdict(item) for item in context.declarations.unit_factors]
    return _frame(rows, context.spec)


def layouts(context: BuildContext) -> pl.DataFrame:
    """Return the layouts of the study, and which of them name specimens."""
    declared = context.declarations
    named = {layout.layout for layout, _ in declared.mappings("specimen")}
    rows: list[dict[str, object]] = [
        {
            "layout": name,
            "vendor": layout.vendor,
            "label": layout.label,
            "side": declared.layout_side(name),
            "reader": layout.reader,
            "mode": layout.mode,
            "layout_version": layout.version,
            "reconciled": name in named,
        }
        for name, layout in declared.layouts.items()
    ]
    return _frame(rows, context.spec)


def cut_offs(context: BuildContext) -> pl.DataFrame:
    """Return the cut-offs fixed before the trial, each with its scale and source.

    One that names a training set takes rule and value from what that set made.
    """
    made = _made_rules(context)
    rows: list[dict[str, object]] = [
        {
            "cut_off": item.cut_off,
            "label": item.label,
            "PARAMCD": item.parameter,
            "scale": item.scale,
            "cut_off_rule": made.get(item.cut_off, (item.rule, item.value))[0],
            "cut_off_value": made.get(item.cut_off, (item.rule, item.value))[1],
            "level_of_interest": item.level_of_interest,
            "set_version": item.set_version,
            "source": item.source,
        }
        for item in context.declarations.study.plan.cut_offs
    ]
    return _frame(rows, context.spec)


def _made_rules(context: BuildContext) -> dict[str, tuple[str, float]]:
    """Rule and value of every cut-off that a training set made."""
    if "ref.cut_off_rules" not in context.declarations.parents(context.spec.relation):
        return {}
    rules = context.table("ref.cut_off_rules")
    return {
        row["cut_off"]: (row["cut_off_rule"], row["cut_off_value"])
        for row in rules.iter_rows(named=True)
    }


def module_genes(context: BuildContext) -> pl.DataFrame:
    """Return the genes of every module, with the version of the expression rules."""
    plan = context.declarations.study.plan
    version = None if plan.expression is None else plan.expression.version
    rows: list[dict[str, object]] = [
        {"module": item.PARAMCD, "log2_paramcd": item.log2, "GFSYM": gene, "set_version": version}
        for item in plan.modules
        for gene in item.genes
    ]
    return _frame(rows, context.spec)
