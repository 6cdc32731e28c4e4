"""report.table_values: every printed number, and the columns that a view of each kind shows."""

from types import SimpleNamespace

import polars as pl
import pytest

from assayhouse.contracts import declarations
from assayhouse.contracts.study import Figure
from assayhouse.pipeline import figures, printed

from support import pk_report as population
from support import report_inputs as inputs
from support import report_subsets as subsets

LOADED = declarations.load()
TABLES = LOADED.declared_tables["report.table_values"]
FRAMES = {
    "ard.baseline_subsets": subsets.baseline_subsets(),
    "ard.subsets": subsets.subsets(),
    "ard.effects": inputs.demo_effects(),
    "ard.baseline_means": pl.DataFrame(
        [("IL2", arm, 9.0, 80) for arm in ("PBO", "D015", "D030", "D045")],
        schema=("paramcd", "arm", "estimate", "n"),
        orient="row",
    ),
    "ard.population_pk": population.parameters(),
    "ard.dose_proportionality": population.proportionality(),
    "ard.exposure_summary": population.summary(),
    "ref.parameters": inputs.demo_parameters(),
    "ref.visit_windows": inputs.demo_visits(),
    "ref.arms": inputs.demo_arms(),
    "ref.cut_offs": subsets.cut_offs(),
}
ITEMS = (
    Figure(figure_id="one", kind="baseline_subsets", title="Shares", parameters=()),
    Figure(
        figure_id="two",
        kind="subset_differences",
        title="Differences",
        parameters=(),
        options={"arm": "D045", "visit": 24},
    ),
    Figure(figure_id="three", kind="means", title="Means", parameters=("IL2",)),
    Figure(figure_id="four", kind="population_parameters", title="Model", parameters=()),
    Figure(figure_id="five", kind="population_rule", title="Rule", parameters=()),
)


def made(items=ITEMS, frames=FRAMES):
    study = SimpleNamespace(printed_tables=items)
    return printed.table_values(
        SimpleNamespace(
            declarations=SimpleNamespace(study=study), spec=TABLES, table=frames.__getitem__
        )
    )


def test_every_line_of_every_table_is_a_row_in_printed_order():
    rows = made()
    tables = printed.printed(ITEMS, FRAMES.__getitem__)
    assert {item.kind for item in ITEMS} == set(printed.KINDS)
    shown = rows["table_id"].unique(maintain_order=True).to_list()
    assert shown == [item.figure_id for item in ITEMS]
    for table in tables:
        own = rows.filter(table_id=table.table_id)
        assert own["row_order"].to_list() == list(range(1, table.rows.height + 1))
        for name in set(table.rows.columns) - {"row_order"}:
            assert own[name].to_list() == table.rows[name].to_list(), name


def test_a_study_without_tables_has_no_row():
    assert made(items=()).equals(TABLES.empty())


@pytest.mark.parametrize(
    ("relation", "kinds"),
    [("report.table_values", printed.KINDS), ("report.figure_values", figures.KINDS)],
)
def test_every_kind_has_its_columns_declared(relation, kinds):
    assert set(LOADED.declared_tables[relation].views.columns) == set(kinds)


def test_a_view_leaves_out_no_column_that_its_kind_prints():
    rows = made()
    for item in ITEMS:
        own = rows.filter(table_id=item.figure_id).drop("table_id")
        filled = {name for name in own.columns if own[name].null_count() < own.height}
        assert filled <= set(TABLES.views.columns[item.kind])
