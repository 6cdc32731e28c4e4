"""The declared tables in printed form, from the relations of one publication."""

import functools
from collections.abc import Callable

import polars as pl

from assayhouse.contracts.study import Figure
from assayhouse.pipeline.context import BuildContext
from assayhouse.report.frames import column_or_null
from assayhouse.report.pk_printed import parameters_table, population_rule_table
from assayhouse.report.printed import (
    PrintedTable,
    differences_table,
    means_table,
    shares_table,
)

Tables = Callable[[str], pl.DataFrame]


def _means(item: Figure, table: Tables) -> PrintedTable:
    return means_table(
        table("ard.effects"),
        table("ard.baseline_means"),
        arms=table("ref.arms"),
        parameters=table("ref.parameters"),
        visits=table("ref.visit_windows"),
        paramcds=item.parameters,
        table_id=item.figure_id,
        title=item.title,
    )


def _shares(item: Figure, table: Tables) -> PrintedTable:
    return shares_table(
        table("ard.baseline_subsets"),
        arms=table("ref.arms"),
        cut_offs=table("ref.cut_offs"),
        table_id=item.figure_id,
        title=item.title,
    )


def _differences(item: Figure, table: Tables) -> PrintedTable:
    return differences_table(
        table("ard.subsets"),
        arms=table("ref.arms"),
        arm=str(item.options["arm"]),
        visit=int(str(item.options["visit"])),
        table_id=item.figure_id,
        title=item.title,
    )


def _parameters(item: Figure, table: Tables) -> PrintedTable:
    return parameters_table(table("ard.population_pk"), table_id=item.figure_id, title=item.title)


def _population_rule(item: Figure, table: Tables) -> PrintedTable:
    return population_rule_table(
        table("ard.dose_proportionality"),
        table("ard.exposure_summary"),
        table_id=item.figure_id,
        title=item.title,
    )


KINDS: dict[str, tuple[str, Callable[[Figure, Tables], PrintedTable]]] = {
    "means": ("ard.effects", _means),
    "baseline_subsets": ("ard.baseline_subsets", _shares),
    "subset_differences": ("ard.subsets", _differences),
    "population_parameters": ("ard.population_pk", _parameters),
    "population_rule": ("ard.dose_proportionality", _population_rule),
}


def printed(items: tuple[Figure, ...], table: Tables) -> tuple[PrintedTable, ...]:
    """Print every declared table that has results, in declared order."""
    return tuple(
        KINDS[item.kind][1](item, table)
        for item in items
        if not table(KINDS[item.kind][0]).is_empty()
    )


def table_values(context: BuildContext) -> pl.DataFrame:
    """Return every number of every printed table."""
    study, schema = context.declarations.study, context.spec.polars_schema
    parts = []
    for item in printed(study.printed_tables, functools.cache(context.table)):
        rows = item.rows.with_columns(row_order=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        for name, dtype in schema.items():
            rows = column_or_null(rows, name, dtype)
        parts.append(context.spec.conform(rows))
    return pl.concat(parts) if parts else context.spec.empty()
