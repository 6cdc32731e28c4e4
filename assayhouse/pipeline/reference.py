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
    row: dict[str, object] = {
        "STUDYID": given.study_id,
        "title": given.title,
        "is_synthetic": given.synthetic,
        "blinding": given.blinding,
        "visit_rule": given.visit_rule,
        "baseline_rule": given.baseline_rule,
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
