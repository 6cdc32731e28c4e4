"""Plates in another unit are told from plates that differ as plates do: the shipped check.

The check is asked of simulated feeds without planted faults, and of one plate multiplied.
"""

from pathlib import Path

import duckdb
import polars as pl
import pytest

from assayhouse.contracts.assay_checks import read_assay_checks
from assayhouse.intake.assay_checks import ask
from assayhouse.simulate.study import simulate_study

SUITE = Path(__file__).resolve().parents[2] / "expectations/raw/singulex_results.json"
SEEDS = (20190304, 4)  # plates of the second lie the furthest apart of seeds 1 to 10
WIDEST = 0.5  # halfway to a power of ten


def rows_of(data):
    """Rows of a file as the draft shows them: text, terms and numbers."""
    text = data.partition(b'\r\n"STUDYID"')[2]
    frame = pl.read_csv(b'"STUDYID"' + text, infer_schema=False)
    return frame.with_columns(
        pl.col("PARAMCD").alias("PARAMCD_term"),
        pl.col("ORRES").cast(pl.Float64, strict=False).alias("ORRES_number"),
        pl.int_range(4, pl.len() + 4).alias("source_line"),
    )


@pytest.fixture(scope="module", params=SEEDS)
def feeds(request):
    """Cumulative files of one simulated study, by transfer."""
    made = simulate_study(seed=request.param, faults=False, layouts=("singulex.results",))
    return [
        rows_of(data)
        for transfer in made.transfers
        for path, data in transfer.files.items()
        if "_singulex-results_" in path and path.endswith(".csv")
    ]


def found(rows):
    """Lines that the check of plates' units finds."""
    declared = read_assay_checks(SUITE)
    checks = [check for check in declared.checks if check.check_id == "SGX-A10"]
    with duckdb.connect() as connection:
        connection.register("draft", rows.to_arrow())
        sources = {item.name: "draft" for item in declared.companions}
        (answer,) = ask(connection, declared, checks, sources=sources, draft="draft")
    assert answer.hindrance is None
    return set(answer.rows["source_line"])


def test_no_plate_of_a_clean_feed_is_accused_in_any_transfer(feeds):
    assert len(feeds) == 4
    assert [found(rows) for rows in feeds] == [set()] * 4


def test_plates_of_a_clean_feed_lie_nearer_to_each_other_than_to_a_power_of_ten(feeds):
    shown = feeds[-1].filter(pl.col("ORRES_number") > 0)
    level = pl.col("ORRES_number").log10()
    plates = shown.group_by("PARAMCD", "CALLOT", "PLATEID").agg(
        level.median().alias("own"), n=pl.len()
    )
    lots = shown.group_by("PARAMCD", "CALLOT").agg(level.median().alias("lot"))
    apart = plates.filter(pl.col("n") >= 8).join(lots, on=["PARAMCD", "CALLOT"])
    assert apart.height > 200
    assert apart.select((pl.col("own") - pl.col("lot")).abs().max()).item() < WIDEST


@pytest.mark.parametrize("factor", [0.001, 0.1, 10, 1000])
@pytest.mark.parametrize("plate", ["IL2-101", "IL17A-203", "IL21-301"])
def test_a_plate_in_another_unit_is_found_with_its_rows_and_no_other(feeds, plate, factor):
    on_plate = pl.col("PLATEID") == plate
    numbers = pl.when(on_plate).then(factor).otherwise(1.0) * pl.col("ORRES_number")
    rows = feeds[-1].with_columns(numbers.alias("ORRES_number"))
    struck = rows.filter(on_plate & (pl.col("ORRES_number") > 0))
    assert struck.height >= 8
    assert found(rows) == set(struck["source_line"])
