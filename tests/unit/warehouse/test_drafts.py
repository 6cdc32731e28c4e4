"""A draft that was hashed as it was written is taken into a table without being read again."""

import json

import polars as pl
import pytest

from assayhouse.errors import WarehouseError
from assayhouse.warehouse import receipts
from assayhouse.warehouse.drafts import SEAL, Draft, sealed_digest

from support.small_study import RAW, results, small_lake

VALUES = {(f"{n:03d}", "T"): float(n) for n in range(50)}


@pytest.fixture
def lake(tmp_path):
    return small_lake(tmp_path)


def rows(lake, receipt=1):
    return lake.spec(RAW).conform(results(receipt, VALUES))


def draft(lake, folder, frames, *, receipt=1, hashed=True):
    folder.mkdir()
    with Draft(folder, spec=lake.spec(RAW), receipt=receipt, hashed=hashed) as written:
        for frame in frames:
            written.add(frame)
        written.seal()
    return folder


def reread(monkeypatch):
    """Say whether the rows of a draft are read."""
    seen = []
    opened = receipts.pq.ParquetFile
    monkeypatch.setattr(
        receipts.pq, "ParquetFile", lambda *a, **k: seen.append(a) or opened(*a, **k)
    )
    return seen


def test_a_sealed_draft_gives_the_same_content_without_being_read(lake, tmp_path, monkeypatch):
    other = small_lake(tmp_path / "other")
    wanted = other.append_receipt(RAW, [rows(lake)], receipt=1)
    folder = draft(lake, tmp_path / "draft", rows(lake).iter_slices(7))
    seen = reread(monkeypatch)
    found = lake.append_receipt(RAW, folder, receipt=1)
    assert (found.content_hash, found.rows, seen) == (wanted.content_hash, 50, [])
    assert lake.scan(RAW).collect().equals(rows(lake))


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / SEAL).unlink(),
        lambda folder: (folder / SEAL).write_text("{"),
        lambda folder: reseal(folder, receipt=2),
        lambda folder: reseal(folder, columns=["receipt"]),
        lambda folder: reseal(folder, sizes={}),
    ],
    ids=["no seal", "no JSON", "another receipt", "other columns", "other files"],
)
def test_a_seal_that_does_not_fit_counts_for_nothing(lake, tmp_path, monkeypatch, change):
    other = small_lake(tmp_path / "other")
    wanted = other.append_receipt(RAW, [rows(lake)], receipt=1)
    folder = draft(lake, tmp_path / "draft", rows(lake).iter_slices(20))
    change(folder)
    seen = reread(monkeypatch)
    assert lake.append_receipt(RAW, folder, receipt=1).content_hash == wanted.content_hash
    assert len(seen) == 3


def reseal(folder, **values):
    kept = json.loads((folder / SEAL).read_text())
    (folder / SEAL).write_text(json.dumps(kept | values))


def test_a_part_that_was_changed_breaks_the_seal(lake, tmp_path):
    folder = draft(lake, tmp_path / "draft", rows(lake).iter_slices(20))
    assert sealed_digest(folder, lake.spec(RAW), 1) is not None
    rows(lake)[:3].write_parquet(folder / "part-000002.parquet")
    assert sealed_digest(folder, lake.spec(RAW), 1) is None


@pytest.mark.parametrize(
    ("frames", "hashed"),
    [
        (lambda frame: frame.iter_slices(20), False),
        (lambda frame: [frame.reverse()], True),
        (lambda _: [], True),
    ],
    ids=["not hashed", "out of order", "no rows"],
)
def test_a_draft_without_a_digest_is_not_sealed(lake, tmp_path, frames, hashed):
    folder = draft(lake, tmp_path / "draft", frames(rows(lake)), hashed=hashed)
    assert not (folder / SEAL).exists()


def test_rows_of_another_receipt_are_refused(lake, tmp_path):
    with pytest.raises(WarehouseError, match="carry another receipt"):
        draft(lake, tmp_path / "draft", [pl.concat([rows(lake), rows(lake, 2)])])
