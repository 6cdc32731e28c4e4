"""The home: places by side, the lock, and files that are written whole or not at all."""

import os
import stat
import subprocess
import sys
import threading

import pytest

from assayhouse.errors import HomeError
from assayhouse.warehouse.home import Home, atomic_write, exclusive


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").create()


def test_everything_of_the_sealed_side_lies_below_one_folder(home):
    sealed = home.root / "sealed"
    places = [
        home.archive("sealed"),
        home.lake("adam.adsl", "sealed"),
        home.reports("sealed"),
        home.figures("sealed"),
        home.warehouse_file("sealed"),
        home.draft("sealed"),
        home.scratch_name("sealed"),
    ]
    assert all(place.is_relative_to(sealed) for place in places)


def test_nothing_of_the_open_side_lies_below_the_sealed_folder(home):
    places = [
        home.landing,
        home.audit_file,
        home.dagster,
        home.publication_file,
        home.publications,
        home.archive("open"),
        home.lake("adam.adsl", "open"),
        home.figures("open"),
        home.warehouse_file("open"),
        home.draft("open"),
    ]
    assert not any("sealed" in place.relative_to(home.root).parts for place in places)


def test_only_the_owner_may_enter_the_sealed_folder(home):
    assert stat.S_IMODE((home.root / "sealed").stat().st_mode) == 0o700


def test_making_a_home_again_closes_an_opened_sealed_folder_and_keeps_what_is_there(home):
    kept = home.landing / "file"
    kept.write_text("x")
    (home.root / "sealed").chmod(0o755)
    home.create()
    assert stat.S_IMODE((home.root / "sealed").stat().st_mode) == 0o700
    assert kept.read_text() == "x"


def test_a_layer_and_a_name_make_the_folder_of_a_table(home):
    assert home.lake("adam.adbm", "open") == home.root / "lake" / "adam" / "adbm"


def test_drafts_are_unique_and_there(home):
    first, second = home.draft("open"), home.draft("open")
    assert first != second
    assert first.is_dir()
    assert not home.scratch_name("open").exists()


def test_a_side_that_does_not_exist_is_refused(home):
    with pytest.raises(HomeError, match="open and sealed"):
        home.archive("both")


@pytest.mark.parametrize("name", ["a%20b", "a*b", "a[1]"])
def test_a_path_that_table_formats_would_read_as_a_pattern_is_refused(tmp_path, name):
    with pytest.raises(HomeError, match="must not hold"):
        Home(tmp_path / name).create()
    assert not (tmp_path / name).exists()


def test_a_folder_without_a_home_is_said_to_be_none(tmp_path):
    with pytest.raises(HomeError, match="no home here"):
        Home(tmp_path).require()
    with pytest.raises(HomeError, match="no home here"), Home(tmp_path / "x").lock():
        pass


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "file"
    atomic_write(path, b"old")
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_former_file_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "file"
    atomic_write(path, b"old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_beside_a_writer_never_meets_a_part(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([65 + n]) * 200_000 for n in range(4)]
    atomic_write(path, contents[0])

    def write():
        for n in range(60):
            atomic_write(path, contents[n % 4])

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        assert path.read_bytes() in contents
    writer.join()


def test_the_lock_is_held_by_one_at_a_time(home):
    with (
        home.lock(),
        pytest.raises(HomeError, match="another process is changing it"),
        home.lock(),
    ):
        pass


def test_the_lock_is_free_after_use_and_after_an_error(home):
    with pytest.raises(ZeroDivisionError), home.lock():
        _ = 1 / 0
    with home.lock():
        pass


def test_waiting_for_the_lock_gets_it_when_it_becomes_free(home):
    held = threading.Event()
    free = threading.Event()

    def hold():
        with home.lock():
            held.set()
            free.wait(5)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(5)
    threading.Timer(0.2, free.set).start()
    with home.lock(wait_seconds=5):
        pass
    other.join()


def test_a_killed_process_holds_no_lock(home):
    code = (
        "import sys, time; from pathlib import Path; "
        "from assayhouse.warehouse.home import Home\n"
        "with Home(Path(sys.argv[1])).lock():\n    print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(home.root)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(HomeError), home.lock():
        pass
    process.kill()
    process.communicate()
    with home.lock(wait_seconds=5):
        pass


def test_different_locks_do_not_hinder_each_other(home):
    with home.lock(), exclusive(home.publications / ".lock"):
        pass
