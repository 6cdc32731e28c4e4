"""Appending receipts: once each, all or none, the same hash whatever way the rows come."""

import os
import threading
from dataclasses import replace

import polars as pl
import pytest
from deltalake import DeltaTable

from assayhouse.contracts.table_spec import Field
from assayhouse.errors import DeclarationError, WarehouseError
from assayhouse.warehouse import delta, receipts
from assayhouse.warehouse.content import content_hash

from support.small_study import RAW, codes, results, small_lake

VALUES = {(f"{n:03d}", "T"): float(n) for n in range(50)}


@pytest.fixture
def lake(tmp_path):
    return small_lake(tmp_path)


def rows(lake, receipt=1, values=None):
    return lake.spec(RAW).conform(results(receipt, values or VALUES))


def drafts(folder, frame, *, parts=3):
    folder.mkdir()
    size = -(-frame.height // parts)
    for number, part in enumerate(frame.iter_slices(size)):
        part.write_parquet(folder / f"part-{number:03d}.parquet")
    return folder


def stored_files(lake):
    return sorted(path.name for path in lake.root(RAW, "open").glob("*.parquet"))


def test_the_rows_of_receipts_add_up(lake):
    first = lake.append_receipt(RAW, [rows(lake)], receipt=1)
    second = lake.append_receipt(RAW, [rows(lake, 4)], receipt=4)
    assert (first.version, first.rows, second.version, second.rows) == (0, 50, 1, 100)
    assert lake.receipts_in(RAW) == {1, 4}
    both = pl.concat([rows(lake), rows(lake, 4)])
    assert lake.scan(RAW).collect().sort("receipt", "source_line").equals(both)
    assert second.content_hash == content_hash(both, lake.spec(RAW))


def test_a_receipt_is_written_once(lake):
    lake.append_receipt(RAW, [rows(lake)], receipt=1)
    files = stored_files(lake)
    again = lake.append_receipt(RAW, [rows(lake)], receipt=1)
    assert (again.changed, again.version, again.rows) == (False, 0, 50)
    assert stored_files(lake) == files


def test_drafts_give_the_same_content_as_batches(lake, tmp_path):
    other = small_lake(tmp_path / "other")
    folder = drafts(tmp_path / "drafts", rows(lake))
    from_drafts = lake.append_receipt(RAW, folder, receipt=1)
    from_batches = other.append_receipt(RAW, rows(lake).iter_slices(7), receipt=1)
    assert from_drafts.content_hash == from_batches.content_hash
    assert lake.scan(RAW).collect().equals(other.scan(RAW).collect())


def test_drafts_stay_where_they_are_and_may_be_removed_after(lake, tmp_path):
    folder = drafts(tmp_path / "drafts", rows(lake))
    lake.append_receipt(RAW, folder, receipt=1)
    assert len(list(folder.iterdir())) == 3
    for path in folder.iterdir():
        path.unlink()
    assert lake.scan(RAW).collect().equals(rows(lake))


def test_a_volume_without_links_gets_copies(lake, tmp_path, monkeypatch):
    def refused(*_paths):
        raise OSError

    monkeypatch.setattr(os, "link", refused)
    lake.append_receipt(RAW, drafts(tmp_path / "drafts", rows(lake)), receipt=1)
    assert lake.scan(RAW).collect().equals(rows(lake))


@pytest.mark.parametrize("order", ["reversed", "shuffled", "late file first"])
def test_rows_in_another_order_have_the_same_hash(lake, order):
    frame = rows(lake)
    mixed = {
        "reversed": frame.reverse(),
        "shuffled": frame.sample(fraction=1.0, shuffle=True, seed=1),
        "late file first": pl.concat([frame[30:], frame[:30]]),
    }[order]
    commit = lake.append_receipt(RAW, mixed.iter_slices(11), receipt=1)
    assert commit.content_hash == content_hash(frame, lake.spec(RAW))


def test_rows_without_a_line_are_hashed_in_key_order(lake):
    frame = rows(lake).with_columns(pl.lit(None, dtype=pl.Int64).alias("source_line"))
    commit = lake.append_receipt(RAW, [frame.reverse()], receipt=1)
    assert commit.content_hash == content_hash(frame, lake.spec(RAW))


def test_repeated_lines_are_hashed_in_key_order(lake):
    frame = rows(lake).with_columns(pl.lit(5, dtype=pl.Int64).alias("source_line"))
    commit = lake.append_receipt(RAW, [frame.reverse()], receipt=1)
    assert commit.content_hash == content_hash(frame, lake.spec(RAW))


def test_many_small_batches_become_few_files(lake):
    lake.append_receipt(RAW, rows(lake).iter_slices(1), receipt=1)
    assert len(stored_files(lake)) == 1


def test_many_rows_become_files_of_bounded_size(lake, monkeypatch):
    monkeypatch.setattr(receipts, "_FILE_ROWS", 20)
    lake.append_receipt(RAW, rows(lake).iter_slices(10), receipt=1)
    heights = [pl.scan_parquet(p).select(pl.len()).collect().item() for p in lake.files(RAW, 0)]
    assert heights == [20, 20, 10]


@pytest.mark.parametrize("kind", ["no batch", "empty batch", "empty folder", "empty draft"])
def test_a_receipt_without_rows_is_on_record(lake, tmp_path, kind):
    empty = lake.spec(RAW).empty()
    given = {
        "no batch": [],
        "empty batch": [empty],
        "empty folder": tmp_path / "none",
        "empty draft": tmp_path / "some",
    }[kind]
    (tmp_path / "none").mkdir()
    (tmp_path / "some").mkdir()
    empty.write_parquet(tmp_path / "some" / "a.parquet")
    for receipt in (1, 2):
        commit = lake.append_receipt(RAW, given, receipt=receipt)
        assert (commit.rows, commit.changed) == (0, True)
    assert lake.receipts_in(RAW) == {1, 2}
    assert lake.scan(RAW).collect().height == 0
    with lake.connect(visible=frozenset({1, 2})) as connection:
        assert connection.sql(f"select * from {RAW}").pl().height == 0


def test_rows_of_another_receipt_are_refused_and_nothing_stays(lake):
    mixed = [rows(lake, 1), rows(lake, 2)]
    with pytest.raises(WarehouseError, match="another receipt"):
        lake.append_receipt(RAW, mixed, receipt=1)
    nothing = rows(lake).with_columns(pl.lit(None, dtype=pl.Int64).alias("receipt"))
    with pytest.raises(WarehouseError, match="another receipt"):
        lake.append_receipt(RAW, [nothing], receipt=1)
    assert stored_files(lake) == []
    assert lake.head(RAW) is None


def test_batches_that_break_off_leave_nothing(lake):
    def broken():
        yield from rows(lake).iter_slices(10)
        raise DeclarationError("x")  # noqa: EM101 - a stand-in

    with pytest.raises(DeclarationError):
        lake.append_receipt(RAW, broken(), receipt=1)
    assert stored_files(lake) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.drop("TEST"),
        lambda frame: frame.with_columns(pl.lit("x").alias("more")),
        lambda frame: frame.with_columns(pl.col("VALUE_number").cast(pl.Float32)),
    ],
)
def test_drafts_outside_the_contract_are_refused_by_name(lake, tmp_path, change):
    folder = drafts(tmp_path / "drafts", change(rows(lake)))
    with pytest.raises(WarehouseError, match=r"part-000\.parquet.*not those of raw\.lab_res"):
        lake.append_receipt(RAW, folder, receipt=1)
    assert stored_files(lake) == []


def test_a_torn_draft_is_refused(lake, tmp_path):
    folder = drafts(tmp_path / "drafts", rows(lake))
    last = folder / "part-002.parquet"
    last.write_bytes(last.read_bytes()[:-20])
    with pytest.raises(WarehouseError, match=r"part-002\.parquet"):
        lake.append_receipt(RAW, folder, receipt=1)
    assert lake.head(RAW) is None
    assert stored_files(lake) == []


def test_files_left_by_a_kill_before_the_commit_are_nothing(lake):
    spec = lake.spec(RAW)
    scratch = lake.home.scratch_name("open")
    root = lake.root(RAW, "open")
    receipts.stage(root, [rows(lake)], spec=spec, receipt=1, scratch=scratch)
    assert lake.head(RAW) is None
    assert lake.append_receipt(RAW, [rows(lake)], receipt=1).rows == 50
    assert lake.scan(RAW).collect().height == 50


def test_the_same_receipt_from_two_writers_enters_once(lake):
    spec, root = lake.spec(RAW), lake.root(RAW, "open")
    staged = [
        receipts.stage(
            root, [rows(lake)], spec=spec, receipt=1, scratch=lake.home.scratch_name("open")
        )
        for _ in range(2)
    ]
    found = [receipts.append(root, item, spec=spec, receipt=1) for item in staged]
    assert [changed for _, changed in found] == [True, False]
    assert len(stored_files(lake)) == 1


def test_receipts_from_writers_at_the_same_time_all_enter(lake):
    errors = []

    def write(receipt):
        try:
            lake.append_receipt(RAW, [rows(lake, receipt)], receipt=receipt)
        except Exception as error:  # noqa: BLE001 - shown below
            errors.append(error)

    threads = [threading.Thread(target=write, args=[n % 5 + 1]) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    head = lake.head(RAW)
    assert (head.rows, head.version) == (250, 4)
    assert lake.receipts_in(RAW) == {1, 2, 3, 4, 5}
    assert head.content_hash == content_hash(lake.scan(RAW).collect(), lake.spec(RAW))


def test_the_sealed_layouts_rows_lie_on_the_sealed_side(lake):
    commit = lake.append_receipt("raw.irt_rand", [codes(1, {"1": "A"})], receipt=1)
    assert commit.side == "sealed"
    assert not lake.home.lake("raw.irt_rand", "open").exists()


def test_the_visible_hash_is_that_of_visible_receipts_only(lake):
    lake.append_receipt(RAW, [rows(lake)], receipt=1)
    alone = lake.head(RAW).content_hash
    none = lake.visible_hash(RAW, frozenset())
    lake.append_receipt(RAW, [rows(lake, 2)], receipt=2)
    assert lake.visible_hash(RAW, frozenset({1, 9})) == alone
    assert lake.visible_hash(RAW, frozenset({1, 2})) == lake.head(RAW).content_hash != alone
    assert lake.visible_hash(RAW, frozenset()) == none


def test_a_relation_that_is_no_layouts_takes_no_receipt(lake):
    with pytest.raises(WarehouseError, match="use publish"):
        lake.append_receipt("ref.arms", [], receipt=1)


def widened(lake, **types):
    """The same lake after its layout's contract gained, or changed, columns."""
    spec = lake.spec(RAW)
    known = [item for item in spec.fields if item.name not in types]
    added = [Field(name=name, label=name, type=kind) for name, kind in types.items()]
    lake.declarations.tables[RAW] = replace(spec, fields=(*known, *added))
    return lake


def test_a_column_the_contract_gained_is_empty_in_earlier_rows(lake):
    lake.append_receipt(RAW, [rows(lake)], receipt=1)
    widened(lake, COMMENT="text")
    newer = results(2, {("900", "T"): 1.0}).with_columns(pl.lit("late").alias("COMMENT"))
    lake.append_receipt(RAW, [newer], receipt=2)
    found = lake.scan(RAW).collect()
    assert found["COMMENT"].value_counts().sort("COMMENT").rows() == [(None, 50), ("late", 1)]
    with lake.connect(visible=frozenset({1, 2})) as connection:
        assert connection.sql(f"select count(COMMENT), count(*) from {RAW}").fetchall() == [(1, 51)]
    assert lake.head(RAW).rows == 51
    assert lake.receipts_in(RAW) == {1, 2}


def test_a_column_that_changed_its_type_is_refused(lake):
    lake.append_receipt(RAW, [rows(lake)], receipt=1)
    widened(lake, VALUE_number="integer")
    frame = results(2, {("900", "T"): 1.0})
    with pytest.raises(WarehouseError, match="type of VALUE_number differs"):
        lake.append_receipt(RAW, [frame], receipt=2)
    assert lake.receipts_in(RAW) == {1}


def test_the_log_is_kept_for_ever(lake):
    lake.append_receipt(RAW, [rows(lake)], receipt=1)
    settings = DeltaTable(str(lake.root(RAW, "open"))).metadata().configuration
    assert settings["delta.enableExpiredLogCleanup"] == "false"
    assert "36500" in settings["delta.logRetentionDuration"]


def test_records_survive_checkpoints_of_the_log(lake):
    for receipt in range(1, 8):
        lake.append_receipt(RAW, [rows(lake, receipt)], receipt=receipt)
    DeltaTable(str(lake.root(RAW, "open"))).create_checkpoint()
    lake.append_receipt(RAW, [rows(lake, 8)], receipt=8)
    assert lake.receipts_in(RAW) == set(range(1, 9))
    assert len(delta.files_of(lake.root(RAW, "open"), 3)) == 4
