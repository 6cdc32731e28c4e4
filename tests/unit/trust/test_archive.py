"""The archive: bytes under their SHA-256, read-only, and landing cleared only afterwards."""

import hashlib
import os

import pytest

from assayhouse.errors import HomeError
from assayhouse.trust import archive

CONTENT = b"a,b\n1,2\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def landed(tmp_path):
    path = tmp_path / "landing" / "file.csv"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def root(tmp_path):
    return tmp_path / "archive"


def test_bytes_are_kept_under_their_hash_and_read_only(landed, root):
    copy = archive.archive_file(landed, root)
    assert copy.path == root / SHA256[:2] / SHA256 / "file.csv"
    assert copy.path.read_bytes() == CONTENT
    assert copy.path.stat().st_mode & 0o777 == 0o444
    assert (copy.sha256, copy.size) == (SHA256, len(CONTENT))
    assert landed.exists()


def test_archiving_twice_is_harmless_and_leaves_no_scratch(landed, root):
    first = archive.archive_file(landed, root)
    written = first.path.stat().st_mtime_ns
    assert archive.archive_file(landed, root) == first
    assert first.path.stat().st_mtime_ns == written
    assert [path for path in root.iterdir() if path.is_file()] == []


def test_what_a_killed_copy_left_behind_does_not_matter(landed, root):
    root.mkdir()
    mark = archive.Look.at(landed).mark.replace(":", "-")
    (root / f".incoming-{mark}").write_bytes(b"half of")
    assert archive.archive_file(landed, root).path.read_bytes() == CONTENT


def test_a_file_that_is_gone_or_no_file_is_not_archived(tmp_path, root):
    assert archive.archive_file(tmp_path / "nothing", root) is None
    (tmp_path / "folder").mkdir()
    assert archive.archive_file(tmp_path / "folder", root) is None
    (tmp_path / "link").symlink_to("/etc/hostname")
    assert archive.archive_file(tmp_path / "link", root) is None


def test_a_file_that_changes_while_it_is_copied_is_not_taken(landed, root, monkeypatch):
    copy = archive._copy

    def copy_and_grow(source, target):
        digest = copy(source, target)
        with source.open("ab") as stream:
            stream.write(b"3,4\n")
        return digest

    monkeypatch.setattr(archive, "_copy", copy_and_grow)
    assert archive.archive_file(landed, root) is None
    assert list(root.glob("*/*/*")) == []


def test_landing_is_cleared_of_the_file_that_was_archived(landed, root):
    copy = archive.archive_file(landed, root)
    assert archive.remove_taken(landed, copy.mark)
    assert not landed.exists()
    assert not archive.remove_taken(landed, copy.mark)


def test_a_file_dropped_later_under_the_same_name_is_not_removed(landed, root):
    copy = archive.archive_file(landed, root)
    again = landed.with_name("again")
    again.write_bytes(CONTENT)
    os.utime(again, ns=(landed.stat().st_atime_ns, landed.stat().st_mtime_ns))
    again.replace(landed)
    assert not archive.remove_taken(landed, copy.mark)
    assert landed.exists()


def test_moving_to_the_other_archive_is_harmless_twice(landed, root, tmp_path):
    archive.archive_file(landed, root)
    sealed = tmp_path / "sealed"
    for _ in range(2):
        path = archive.move_file(SHA256, "file.csv", source=root, target=sealed)
        assert path.read_bytes() == CONTENT
        assert path.stat().st_mode & 0o777 == 0o444
        assert not archive.archived_path(root, SHA256, "file.csv").exists()


def test_a_move_that_was_killed_after_the_copy_is_completed(landed, root, tmp_path):
    copy = archive.archive_file(landed, root)
    sealed = tmp_path / "sealed"
    archive.archive_file(landed, sealed)
    archive.move_file(SHA256, "file.csv", source=root, target=sealed)
    assert not copy.path.exists()
    assert archive.require_archived(sealed, SHA256, "file.csv").read_bytes() == CONTENT


def test_a_file_missing_from_the_archive_is_an_error_that_says_so(root):
    with pytest.raises(HomeError, match="missing from the archive"):
        archive.require_archived(root, SHA256, "file.csv")
