"""Publishing whole tables: versions only for new content, sides, writers at once, reading."""

import threading
from datetime import date, datetime

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from assayhouse.errors import BlindingError, DeclarationError, HomeError, WarehouseError
from assayhouse.warehouse import delta, records
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

from support.small_study import LB, RAW, arms, findings, small_lake


@pytest.fixture
def lake(tmp_path):
    return small_lake(tmp_path)


def kept(*lines, receipt=1):
    return pl.DataFrame(
        {"receipt": [receipt] * len(lines), "source_line": lines, "text": ["t"] * len(lines)},
        schema={"receipt": pl.Int64, "source_line": pl.Int64, "text": pl.String},
    )


def test_what_was_published_is_read_back_in_key_order(lake):
    commit = lake.publish("ref.arms", arms("B two", "A one"))
    assert (commit.version, commit.rows, commit.changed, commit.side) == (0, 2, True, "open")
    assert lake.scan("ref.arms").collect().equals(arms("A one", "B two"))
    assert lake.head("ref.arms").content_hash == commit.content_hash


def test_every_type_comes_back_as_it_was(lake):
    moment = datetime(2020, 1, 1, 12, 30, 0, 5)  # noqa: DTZ001 - contract times have no zone
    frame = pl.DataFrame(
        {
            "id": ["é", "", None],
            "n": [1, None, -(2**60)],
            "mean": [0.1, float("nan"), None],
            "day": [date(1900, 1, 1), None, date(2999, 1, 1)],
            "seen": [moment, None, None],
            "ok": [True, False, None],
        }
    )
    lake.publish("report.kinds", frame)
    found = lake.scan("report.kinds").collect()
    assert found.sort("id").equals(frame.sort("id"))
    with lake.connect(visible=frozenset(), sealed=True) as connection:
        assert connection.sql("select * from report.kinds").pl().sort("id").equals(frame.sort("id"))


def test_equal_content_makes_no_version(lake):
    first = lake.publish("ref.arms", arms("A one", "B two"))
    again = lake.publish("ref.arms", arms("B two", "A one"))
    assert (again.version, again.changed) == (first.version, False)
    assert DeltaTable(str(lake.root("ref.arms", "open"))).version() == 0


def test_new_content_makes_one_version_and_the_former_stays_readable(lake):
    lake.publish("ref.arms", arms("A one"))
    commit = lake.publish("ref.arms", arms("A 1"))
    assert (commit.version, commit.changed) == (1, True)
    assert lake.scan("ref.arms", version=0).collect().equals(arms("A one"))
    assert len(lake.files("ref.arms", 0)) == len(lake.files("ref.arms", 1)) == 1
    assert lake.files("ref.arms", 0) != lake.files("ref.arms", 1)


def test_a_table_can_become_empty_and_be_filled_again(lake):
    lake.publish("ref.arms", arms())
    lake.publish("ref.arms", arms("A one"))
    empty = lake.publish("ref.arms", arms())
    assert (empty.version, empty.rows) == (2, 0)
    assert lake.scan("ref.arms").collect().equals(lake.spec("ref.arms").empty())


def test_clock_columns_alone_make_no_version(lake):
    frame = pl.DataFrame({"id": ["a"], "text": ["t"], "at": ["2026"]})
    lake.publish("intake.notes", frame)
    assert not lake.publish("intake.notes", frame.with_columns(pl.lit("2027").alias("at"))).changed


def test_newer_inputs_of_equal_content_are_noted_without_a_version(lake):
    rows = findings({("S", 1): 1.0})
    lake.publish(LB, rows, inputs={RAW: "old"}, code_version="1")
    commit = lake.publish(LB, rows, inputs={RAW: "new"}, code_version="2")
    assert (commit.version, commit.changed) == (0, False)
    head = lake.head(LB)
    assert (head.inputs, head.code_version, head.version) == ({RAW: "new"}, "2", 0)


def test_inputs_noted_for_an_earlier_version_do_not_reach_the_next(lake):
    rows = findings({("S", 1): 1.0})
    lake.publish(LB, rows, inputs={RAW: "old"})
    lake.publish(LB, rows, inputs={RAW: "new"})
    lake.publish(LB, findings({("S", 1): 2.0}), inputs={RAW: "newest"})
    assert lake.head(LB).inputs == {RAW: "newest"}


@pytest.mark.parametrize("note", ["{", "[]", '{"version": 0}', '{"version": 0, "inputs": 3}'])
def test_a_note_that_cannot_be_read_counts_as_none(lake, note):
    rows = findings({("S", 1): 1.0})
    lake.publish(LB, rows, inputs={RAW: "old"})
    lake.publish(LB, rows, inputs={RAW: "new"})
    (lake.root(LB, "open") / "_provenance.json").write_text(note)
    assert lake.head(LB).inputs == {RAW: "old"}
    lake.publish(LB, rows, inputs={RAW: "new"})
    assert lake.head(LB).inputs == {RAW: "new"}


def test_a_table_that_is_not_there_has_no_head_and_no_rows(lake):
    assert lake.head("ref.arms") is None
    assert lake.heads("intake.kept") == ()
    assert lake.scan("ref.arms").collect().equals(lake.spec("ref.arms").empty())


def test_a_split_relation_has_a_table_on_each_side(lake):
    with pytest.raises(WarehouseError, match="side='open' or side='sealed'"):
        lake.publish("intake.kept", kept(1))
    lake.publish("intake.kept", kept(1), side="open")
    lake.publish("intake.kept", kept(2, 3), side="sealed")
    assert [(c.side, c.rows) for c in lake.heads("intake.kept")] == [("open", 1), ("sealed", 2)]
    assert lake.scan("intake.kept", side="sealed").collect()["source_line"].to_list() == [2, 3]
    assert lake.root("intake.kept", "sealed").is_relative_to(lake.home.root / "sealed")


def test_a_sealed_relation_is_never_written_on_the_open_side(lake):
    frame = pl.DataFrame({"USUBJID": ["1"], "ARMCD": ["A"]})
    with pytest.raises(BlindingError, match="stands on the sealed side"):
        lake.publish("adam.arms", frame, side="open")
    assert lake.publish("adam.arms", frame).side == "sealed"
    assert not lake.home.lake("adam.arms", "open").exists()


def test_a_frame_outside_its_contract_changes_nothing(lake):
    lake.publish("ref.arms", arms("A one"))
    with pytest.raises(DeclarationError, match="lacks the declared column ARM"):
        lake.publish("ref.arms", pl.DataFrame({"ARMCD": ["B"]}))
    assert lake.head("ref.arms").version == 0


def test_a_relation_the_study_does_not_have_is_refused(lake):
    with pytest.raises(WarehouseError, match=r"sdtm\.vs is not a relation of this study"):
        lake.publish("sdtm.vs", arms())
    with pytest.raises(WarehouseError, match="not a relation"):
        lake.head("adam.nothing")


def test_a_layouts_table_is_not_overwritten(lake):
    with pytest.raises(WarehouseError, match="use append_receipt"):
        lake.publish(RAW, lake.spec(RAW).empty())


def test_nothing_is_written_where_there_is_no_home(lake, tmp_path):
    stray = Lake(Home(tmp_path / "elsewhere"), lake.declarations)
    with pytest.raises(HomeError, match="no home here"):
        stray.publish("ref.arms", arms("A one"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_home_with_spaces_and_accents_works(tmp_path):
    lake = small_lake(tmp_path / "my study's ü")
    lake.publish("ref.arms", arms("A one"))
    lake.publish("ref.arms", arms("A two"))
    assert lake.scan("ref.arms").collect().equals(arms("A two"))
    with lake.connect(visible=frozenset()) as connection:
        assert connection.sql("select ARM from ref.arms").fetchall() == [("A two",)]


def together(*calls):
    """Run calls at the same time; returns what went wrong."""
    errors = []
    ready = threading.Barrier(len(calls))

    def run(call):
        ready.wait()
        try:
            call()
        except Exception as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_writers_of_the_same_content_at_the_same_time_make_one_version(lake):
    calls = [lambda: lake.publish("ref.arms", arms("A one"))] * 6
    assert together(*calls) == []
    assert lake.head("ref.arms").version == 0


def test_writers_of_different_content_at_the_same_time_all_get_through(lake):
    lake.publish("ref.arms", arms("A start"))
    calls = [lambda n=n: lake.publish("ref.arms", arms(f"A {n}")) for n in range(5)]
    assert together(*calls) == []
    head = lake.head("ref.arms")
    assert head.version == 5
    stored = lake.scan("ref.arms").collect()
    assert stored.height == 1
    record = records.read_head(lake.root("ref.arms", "open")).record
    assert record.content_hash == head.content_hash
    assert not lake.publish("ref.arms", stored).changed


def test_of_two_first_commits_one_is_told_that_the_other_was_first(lake):
    spec, root = lake.spec("ref.arms"), lake.root("ref.arms", "open")
    record = records.Record(content_hash="x", rows=1)
    rows = spec.conform(arms("A one")).to_arrow()
    first = [delta.overwrite(root, rows, record, None) for _ in range(2)]
    assert [item is None for item in first] == [False, True]
    assert records.read_head(root).version == 0


def test_a_commit_from_an_older_version_is_told_that_another_was_first(lake):
    lake.publish("ref.arms", arms("A one"))
    root = lake.root("ref.arms", "open")
    head = records.read_head(root)
    lake.publish("ref.arms", arms("A two"))
    rows = lake.spec("ref.arms").conform(arms("A old")).to_arrow()
    assert delta.overwrite(root, rows, head.record, head) is None
    assert (
        delta.commit_files(root, {}, head.record, head, lake.spec("ref.arms"), whole=False) is None
    )
    assert lake.scan("ref.arms").collect().equals(arms("A two"))


def test_a_writer_who_is_never_first_gives_up_and_says_so(lake, monkeypatch):
    monkeypatch.setattr(delta, "overwrite", lambda *_: None)
    monkeypatch.setattr(delta.time, "sleep", lambda _seconds: None)
    with pytest.raises(WarehouseError, match="other writers were first"):
        lake.publish("ref.arms", arms("A one"))


def test_waits_between_attempts_grow_and_stay_below_a_second(lake, monkeypatch):
    waits = []
    monkeypatch.setattr(delta.time, "sleep", waits.append)
    monkeypatch.setattr(delta.random.SystemRandom, "random", lambda _self: 1.0)
    with pytest.raises(WarehouseError):
        delta.retried(lake.home.root, lambda: None)
    assert waits[:6] == pytest.approx([0.02, 0.04, 0.08, 0.16, 0.32, 0.64])
    assert max(waits) <= 1.0


def test_rows_written_by_something_else_are_not_taken_for_ours(lake):
    lake.publish("ref.arms", arms("A one"))
    write_deltalake(str(lake.root("ref.arms", "open")), arms("B x").to_arrow(), mode="append")
    with pytest.raises(WarehouseError, match="was not written by assayhouse"):
        lake.head("ref.arms")


def test_vacuum_does_not_hide_the_content(lake):
    lake.publish("ref.arms", arms("A one"))
    before = lake.publish("ref.arms", arms("A two"))
    DeltaTable(str(lake.root("ref.arms", "open"))).vacuum(dry_run=False)
    after = lake.head("ref.arms")
    assert after.content_hash == before.content_hash
    assert lake.scan("ref.arms", version=0).collect().equals(arms("A one"))
    assert lake.publish("ref.arms", arms("A three")).changed


def test_a_table_whose_files_do_not_show_its_rows_is_refused(lake):
    root = lake.root("ref.arms", "open")
    root.mkdir(parents=True)
    DeltaTable.create(
        str(root), arms().to_arrow().schema, configuration={"delta.enableDeletionVectors": "true"}
    )
    with pytest.raises(WarehouseError, match="deletionVectors"):
        delta.files_of(root, 0)


def test_a_version_that_is_not_there_is_told(lake):
    lake.publish("ref.arms", arms("A one"))
    with pytest.raises(WarehouseError, match="version 9"):
        lake.files("ref.arms", 9)


def test_a_contract_that_gained_a_column_makes_a_new_version(lake):
    lake.publish("report.kinds", lake.spec("report.kinds").empty())
    root = lake.root("report.kinds", "open")
    write_deltalake(
        str(root),
        pl.DataFrame({"id": ["a"]}).to_arrow(),
        mode="overwrite",
        schema_mode="overwrite",
        commit_properties=delta._properties(records.Record(content_hash="x", rows=1), 1),
    )
    assert lake.scan("report.kinds").collect().width == 6
    commit = lake.publish(
        "report.kinds", pl.DataFrame([{"id": "a"}], schema=lake.spec("report.kinds").polars_schema)
    )
    assert (commit.version, commit.changed) == (2, True)
    assert set(delta.columns_of(root, 2)) == set(lake.spec("report.kinds").columns)
