"""A table written part by part is the table written at once, or nothing at all."""

from dataclasses import replace

import polars as pl
import pytest

from assayhouse.errors import DeclarationError, WarehouseError
from assayhouse.warehouse import delta
from assayhouse.warehouse.lake import Lake

from support.small_study import LB, arms, findings, small_lake, table

PARTS = (
    {("a", 2): 1.0, ("a", 1): None},
    {("b", 1): 3.0},
    {("c", 1): 5.0, ("d", 1): float("nan")},
)
WHOLE = {key: value for part in PARTS for key, value in part.items()}


@pytest.fixture
def lake(tmp_path):
    return small_lake(tmp_path)


def frames(*parts):
    return (findings(part) for part in parts)


def files(lake, relation=LB):
    return sorted(path.name for path in lake.root(relation, "open").glob("*.parquet"))


def test_parts_have_the_content_of_the_whole(lake, tmp_path):
    at_once = small_lake(tmp_path / "other").publish(LB, findings(WHOLE))
    commit = lake.publish_parts(LB, frames(*PARTS), inputs={"raw.lab_res": "h"}, code_version="2")
    assert (commit.content_hash, commit.rows) == (at_once.content_hash, 5)
    assert (commit.version, commit.changed) == (0, True)
    assert lake.head(LB).inputs == {"raw.lab_res": "h"}
    assert lake.head(LB).code_version == "2"
    assert lake.scan(LB).collect()["USUBJID"].to_list() == ["a", "a", "b", "c", "d"]
    with lake.connect(visible=frozenset(), sealed=True) as connection:
        assert connection.sql(f"select count(*) from {LB}").fetchall() == [(5,)]


def test_equal_content_makes_no_version_and_leaves_no_file(lake):
    lake.publish(LB, findings(WHOLE))
    before = files(lake)
    again = lake.publish_parts(LB, frames(*PARTS), code_version="3")
    assert (again.version, again.changed, again.code_version) == (0, False, "3")
    assert files(lake) == before


def test_new_parts_take_the_place_of_all_rows_there_were(lake):
    lake.publish(LB, findings(WHOLE))
    commit = lake.publish_parts(LB, frames({("b", 1): 4.0}, {("e", 1): 6.0}))
    assert (commit.version, commit.changed, commit.rows) == (1, True, 2)
    assert lake.scan(LB).collect()["LBSTRESN"].to_list() == [4.0, 6.0]
    assert lake.scan(LB, version=0).collect().height == 5
    back = lake.publish(LB, findings(WHOLE))
    assert (back.version, lake.scan(LB).collect().height) == (2, 5)


def test_parts_without_a_row_are_an_empty_table(lake):
    commit = lake.publish_parts(LB, frames({}, {}))
    assert (commit.rows, commit.version, files(lake)) == (0, 0, [])
    assert lake.scan(LB).collect().equals(lake.spec(LB).empty())
    lake.publish_parts(LB, frames(*PARTS))
    assert lake.publish_parts(LB, frames()).changed
    assert lake.scan(LB).collect().height == 0


def test_columns_of_a_contract_that_has_changed_are_those_of_the_new_version(lake):
    first = lake.publish("ref.arms", arms("A one"))
    declared = lake.declarations.declared_tables
    other = table("ref.arms", "ARMCD n", "ARMCD", side="open", writer="x:y")
    changed = Lake(
        lake.home, replace(lake.declarations, declared_tables={**declared, "ref.arms": other})
    )
    commit = changed.publish_parts("ref.arms", [pl.DataFrame({"ARMCD": ["A"], "n": [3]})])
    root = lake.root("ref.arms", "open")
    assert delta.columns_of(root, commit.version) == {"ARMCD": "text", "n": "integer"}
    assert delta.columns_of(root, first.version) == {"ARMCD": "text", "ARM": "text"}
    assert changed.scan("ref.arms").collect().rows() == [("A", 3)]


@pytest.mark.parametrize("late", [{("a", 9): 1.0}, {("b", 1): 1.0}])
def test_a_part_that_does_not_follow_is_refused_and_nothing_stays(lake, late):
    with pytest.raises(WarehouseError, match="does not follow the one before"):
        lake.publish_parts(LB, frames({("b", 1): 1.0}, late))
    assert files(lake) == []
    assert lake.head(LB) is None


def test_a_part_that_fails_leaves_the_former_version_and_no_file(lake):
    lake.publish(LB, findings(WHOLE))
    before = files(lake)
    with pytest.raises(DeclarationError, match="lacks the declared column"):
        lake.publish_parts(LB, [findings({("x", 1): 1.0}), pl.DataFrame({"USUBJID": ["z"]})])
    assert files(lake) == before
    assert lake.scan(LB).collect().height == len(WHOLE)


def test_a_volume_that_takes_no_more_is_told_without_a_path_of_python(lake, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(WarehouseError, match="could not be written"):
        lake.publish_parts(LB, frames(*PARTS))
    assert files(lake) == []


def test_a_layouts_table_is_not_written_in_parts(lake):
    with pytest.raises(WarehouseError, match="append_receipt"):
        lake.publish_parts("raw.lab_res", [])
