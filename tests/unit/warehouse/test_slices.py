"""Sources shown part by part: whole subjects, in key order, each row in one part."""

from dataclasses import replace

import duckdb
import polars as pl
import pytest

from assayhouse.errors import QueryError
from assayhouse.warehouse import sql
from assayhouse.warehouse.lake import Lake
from assayhouse.warehouse.slices import sliced

from support.small_study import LB, RAW, arms, findings, results, small_lake

COUNTS = "adam.counts"
ROWS = {("a", 1): 1.0, ("a", 2): 2.0, ("b", 1): 3.0, ("it's", 1): 4.0, ("it's", 2): 6.0}


@pytest.fixture
def lake(tmp_path):
    """The small study, two of whose relations may be built in parts."""
    plain = small_lake(tmp_path)
    declared = dict(plain.declarations.declared_tables)
    for name in (COUNTS, LB):
        declared[name] = replace(declared[name], slices="USUBJID")
    return Lake(plain.home, replace(plain.declarations, declared_tables=declared))


def parts(lake, relation, ask, *, rows, visible=(), scratch=None):
    """What a question finds in every part."""
    spec = lake.spec(relation)
    scratch = scratch or lake.home.scratch_name("open")
    found = []
    with lake.connect(visible=frozenset(visible), sealed=True, made=relation) as connection:
        options = {"scratch": scratch, "rows": rows}
        with sliced(connection, lake.declarations, spec, **options) as shown:
            for number in shown:
                assert number == len(found) + 1
                found.append(ask(connection))
    assert not scratch.exists()
    return found


def subjects(connection):
    query = f"select USUBJID, count(*) from {LB} group by 1 order by 1 nulls first"
    return dict(connection.sql(query).fetchall())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (100, [{"a": 2, "b": 1, "it's": 2}]),
        (3, [{"a": 2, "b": 1}, {"it's": 2}]),
        (2, [{"a": 2}, {"b": 1}, {"it's": 2}]),
        (1, [{"a": 2}, {"b": 1}, {"it's": 2}]),
    ],
)
def test_a_part_is_whole_subjects_in_order_up_to_the_rows_asked_for(lake, rows, expected):
    lake.publish(LB, findings(ROWS))
    assert parts(lake, COUNTS, subjects, rows=rows) == expected


def test_rows_without_a_subject_are_the_first_part(lake):
    lake.publish(LB, findings({**ROWS, (None, 7): 1.0}))
    assert parts(lake, COUNTS, subjects, rows=100) == [{None: 1}, {"a": 2, "b": 1, "it's": 2}]


def test_sources_without_a_row_have_no_part(lake):
    lake.publish(LB, findings({}))
    assert parts(lake, COUNTS, subjects, rows=1) == []


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_the_parts_of_a_query_behind_each_other_are_its_whole(lake, rows):
    lake.publish(LB, findings(ROWS))
    lake.publish("ref.arms", arms("A one"))

    def build(connection):
        return sql.build(connection, lake.declarations, COUNTS)

    with lake.connect(visible=frozenset(), sealed=True, made=COUNTS) as connection:
        whole = build(connection)
    found = pl.concat(parts(lake, COUNTS, build, rows=rows))
    assert found.rows() == whole.sort("USUBJID").rows()


def test_a_shape_of_deliveries_keeps_the_order_of_its_rows_within_a_subject(lake):
    values = {("b", "T3"): 1.0, ("a", "T2"): 2.0, ("b", "T1"): 3.0, ("a", "T1"): 4.0}
    lake.append_receipt(RAW, [results(1, values)], receipt=1)

    def rows(connection):
        return connection.sql("select USUBJID, TESTCD from mapped.lb").fetchall()

    assert parts(lake, LB, rows, rows=1, visible={1}) == [
        [("S-a", "T2"), ("S-a", "T1")],
        [("S-b", "T3"), ("S-b", "T1")],
    ]


def test_what_was_put_on_disk_goes_also_when_a_part_fails(lake, tmp_path):
    lake.append_receipt(RAW, [results(1, {("a", "T"): 1.0})], receipt=1)
    scratch = tmp_path / "scratch"

    def fail(_connection):
        assert list(scratch.iterdir())
        raise duckdb.OutOfMemoryException

    with pytest.raises(duckdb.OutOfMemoryException):
        parts(lake, LB, fail, rows=1, visible={1}, scratch=scratch)
    assert not scratch.exists()


def test_a_source_that_cannot_be_shown_is_told_with_the_relation(lake):
    lake.publish(LB, findings(ROWS))
    (path,) = lake.files(LB, 0)
    with lake.connect(visible=frozenset(), sealed=True, made=COUNTS) as connection:
        path.unlink()
        options = {"scratch": lake.home.scratch_name("open"), "rows": 1}
        with (
            pytest.raises(QueryError, match=COUNTS),
            sliced(connection, lake.declarations, lake.spec(COUNTS), **options),
        ):
            pass
