"""Delta: what a delivery does to each record, on tables small enough to check by eye."""

import duckdb
import polars as pl
import pytest

from assayhouse.contracts.table_spec import raw_table
from assayhouse.intake import delta

from support.deliveries import COLUMNS, layout, row

LAYOUT = layout()
SPEC = raw_table(LAYOUT)
UNITS = {"pg/mL": "pg/mL", "pg/ml": "pg/mL", "ng/mL": "ng/mL"}


def number(text):
    return float(text) if text and text.replace(".", "").isdigit() else None


def table(rows, *, receipt):
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    return SPEC.conform(
        frame.with_columns(
            pl.Series("VALUE_number", [number(item) for item in frame["VALUE"]], pl.Float64),
            pl.Series("UNIT_term", [UNITS.get(item) for item in frame["UNIT"]], pl.String),
            pl.lit("results.csv").alias("source_file"),
            pl.Series("source_line", range(2, frame.height + 2), pl.Int64),
            pl.lit("0" * 64).alias("sha256"),
            pl.lit(receipt).alias("receipt"),
            pl.lit("NEW").alias("record_action"),
        )
    )


@pytest.fixture
def database():
    with duckdb.connect() as connection:
        yield connection


def compare(database, before, after, *, to=LAYOUT, kept_out=()):
    keys = pl.DataFrame(list(kept_out), schema=dict.fromkeys(to.key, pl.String), orient="row")
    source = pl.DataFrame({"source_file": ["new.csv"], "sha256": ["1" * 64], "receipt": [7]})
    for name, frame in {
        "before": table(before, receipt=6),
        "after": table(after, receipt=7),
        "keys": keys,
        "source": source,
    }.items():
        database.register(name, frame.to_arrow())
    return delta.compare(database, to, draft="after", current="before", quarantined_keys="keys")


def counted(database, before, after, **options):
    counts = compare(database, before, after, **options).by_class()
    return {name: count for name, count in counts.items() if count}


def records(database):
    return database.execute(delta.records_sql(LAYOUT, draft="after")).fetchall()


def test_equal_rows_are_the_same(database):
    assert counted(database, [row(1), row(2)], [row(2), row(1)]) == {"SAME": 2}
    assert records(database) == []


def test_a_key_not_known_is_new(database):
    assert counted(database, [row(1)], [row(1), row(2)]) == {"SAME": 1, "NEW": 1}


def test_another_value_is_a_change_that_names_the_column(database):
    assert counted(database, [row(1)], [row(1, value="1.6")]) == {"CHANGED": 1}
    assert records(database) == [("CHANGED", "S0001 | A", "VALUE")]


@pytest.mark.parametrize(
    "after",
    [
        row(1, unit="pg/ml"),
        row(1, value="1.50"),
        row(1, value=" 1.5"),
        row(1, unit="pg/ml", value="1.500"),
        row(1, note="a remark"),
    ],
)
def test_the_same_value_written_otherwise_is_cosmetic(database, after):
    assert counted(database, [row(1)], [after]) == {"COSMETIC": 1}


def test_a_cosmetic_difference_beside_a_real_one_is_a_change(database):
    after = row(1, unit="pg/ml", value="9")
    assert counted(database, [row(1)], [after]) == {"CHANGED": 1}
    assert records(database) == [("CHANGED", "S0001 | A", "VALUE,UNIT")]


def test_another_unit_is_a_change(database):
    assert counted(database, [row(1)], [row(1, unit="ng/mL")]) == {"CHANGED": 1}


def test_texts_that_cannot_be_typed_are_compared_as_texts(database):
    before, after = row(1, value="low"), row(1, value="high")
    assert counted(database, [before], [after]) == {"CHANGED": 1}
    assert counted(database, [before], [row(1, value="low ")]) == {"COSMETIC": 1}


def test_a_value_that_appears_or_goes_is_a_change(database):
    empty = row(1, value=None)
    assert counted(database, [empty], [row(1)]) == {"CHANGED": 1}
    assert counted(database, [row(1)], [empty]) == {"CHANGED": 1}
    assert counted(database, [empty], [empty]) == {"SAME": 1}


def test_a_record_that_is_not_there_any_more_has_vanished(database):
    assert counted(database, [row(1), row(2)], [row(2)]) == {"SAME": 1, "VANISHED": 1}
    assert records(database) == [("VANISHED", "S0001 | A", None)]


def test_a_record_in_quarantine_has_not_vanished(database):
    kept_out = [("S0001", "A")]
    assert counted(database, [row(1), row(2)], [row(2)], kept_out=kept_out) == {"SAME": 1}


def test_in_an_incremental_layout_nothing_vanishes(database):
    to = layout(mode="incremental")
    assert counted(database, [row(1), row(2)], [row(2)], to=to) == {"SAME": 1}


def test_the_key_is_all_its_columns(database):
    before, after = [row(1, code="A")], [row(1, code="B")]
    assert counted(database, before, after) == {"NEW": 1, "VANISHED": 1}


def test_rows_to_add_are_tombstones_first_and_then_changes_in_the_order_of_lines(database):
    before = [row(1), row(2), row(3), row(5)]
    after = [row(4), row(3, value="9"), row(2, unit="pg/ml"), row(6)]
    compare(database, before, [*after, row(7)])
    query = delta.rows_sql(LAYOUT, draft="after", columns=SPEC.columns)
    added = database.sql(query).pl()
    assert added.select("source_line", "ID", "record_action").rows() == [
        (-2, "S0001", "VANISHED"),
        (-1, "S0005", "VANISHED"),
        (2, "S0004", "NEW"),
        (3, "S0003", "CHANGED"),
        (4, "S0002", "COSMETIC"),
        (5, "S0006", "NEW"),
        (6, "S0007", "NEW"),
    ]
    assert set(added["receipt"]) == {7}
    assert added.columns == list(SPEC.columns)


def test_a_tombstone_holds_the_key_and_the_delivery_and_no_value(database):
    compare(database, [row(1), row(2)], [row(2)])
    query = delta.rows_sql(LAYOUT, draft="after", columns=SPEC.columns)
    (tombstone,) = database.sql(query).pl().rows(named=True)
    filled = {name for name, value in tombstone.items() if value is not None}
    source = {"source_file", "source_line", "sha256", "receipt", "record_action"}
    assert filled == {"ID", "CODE"} | source
    assert tombstone["source_file"] == "new.csv"


def duplicates(database, rows):
    database.register("after", table(rows, receipt=7).to_arrow())
    return delta.find_duplicates(database, LAYOUT, draft="after")


def test_different_keys_are_no_duplicates(database):
    assert duplicates(database, [row(1), row(2), row(1, code="B")]) == delta.Duplicates()


def test_the_same_record_twice_is_kept_once(database):
    found = duplicates(database, [row(1), row(2), row(1), row(1)])
    assert (found.copies, found.conflicts) == ((4, 5), ())


def test_of_records_that_differ_under_one_key_none_is_kept(database):
    found = duplicates(database, [row(1), row(2), row(1, value="9"), row(1)])
    assert (found.copies, found.conflicts) == ((), (2, 4, 5))


def test_which_row_comes_first_does_not_decide(database):
    one = [row(1), row(1, value="9"), row(2)]
    assert duplicates(database, one).conflicts == (2, 3)
    assert duplicates(database, one[::-1]).conflicts == (3, 4)


def test_an_empty_value_and_no_value_are_not_the_same_record(database):
    found = duplicates(database, [row(1, note=None), row(1, note="")])
    assert found.conflicts == (2, 3)
