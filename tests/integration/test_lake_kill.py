"""Processes that publish are killed at random moments; whoever reads sees a whole publication."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assayhouse.warehouse import publications
from assayhouse.warehouse.catalogue import published_in, query

from support.lake_worker import ROWS, publish_generation
from support.small_study import RAW, small_lake

TESTS = Path(__file__).resolve().parents[1]
KILLS = 6
PATIENCE_SECONDS = 60
SEEN = f"""
select
    (select min(ARM) from ref.arms) as low,
    (select max(ARM) from ref.arms) as high,
    (select count(*) from ref.arms) as arms,
    (select max(receipt)::varchar from raw.lab_res) as receipt,
    (select (count(*) / {ROWS})::integer::varchar from raw.lab_res) as receipts,
    (select min(LBSTRESN)::integer::varchar from sdtm.lb) as results,
    (select receipts::varchar from meta.publication) as visible
"""


def start(root, last):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(TESTS), str(TESTS.parent)]))
    return subprocess.Popen(
        [sys.executable, "-m", "support.lake_worker", str(root), str(last)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=root,
    )


def generation_seen(home, **options):
    """Generation a reader sees; raises when its tables are of different ones."""
    row = query(home, SEEN, **options).row(0, named=True)
    assert row.pop("arms") == 3000
    assert len(set(row.values())) == 1, row
    return int(row["low"])


def watch(home, seconds, *, beyond):
    """Read again and again for a time, and until a generation beyond the given one is served.

    What is seen is whole and never goes back.
    """
    seen = []
    start_of_watch = time.monotonic()
    latest = 0
    while time.monotonic() < start_of_watch + seconds or latest <= beyond:
        assert time.monotonic() < start_of_watch + PATIENCE_SECONDS, "nothing new is published"
        if home.warehouse_file("open").exists():
            latest = generation_seen(home)
            seen.append(latest)
        else:
            time.sleep(0.02)
    assert seen == sorted(seen)
    return seen


@pytest.mark.slow
def test_killed_publishers_leave_the_former_or_the_new_publication(tmp_path):
    lake = small_lake(tmp_path)
    home = lake.home
    moments = random.Random(4)  # noqa: S311 - when to kill
    last_seen = 0
    waiting = start(tmp_path, 10_000)
    for kill in range(KILLS):
        worker, waiting = waiting, start(tmp_path, 10_000)
        assert worker.stdout.readline() == b"ready\n", worker.stderr.read().decode()
        # Every other publisher may finish something first; the others are cut off at any moment.
        beyond = last_seen if kill % 2 else -1
        seen = watch(home, moments.uniform(0.1, 1.2), beyond=beyond)
        os.kill(worker.pid, signal.SIGKILL)
        worker.communicate()
        latest = generation_seen(home) if home.warehouse_file("open").exists() else 0
        assert last_seen <= (seen[0] if seen else last_seen) <= latest
        last_seen = latest
    os.kill(waiting.pid, signal.SIGKILL)
    waiting.communicate()
    require_sound(lake)
    require_same_as_undisturbed(lake, tmp_path / "other")


def require_sound(lake):
    """What the kills left behind is complete, and the next publication goes through."""
    every = lake.publications()
    assert [item.number for item in every] == list(range(1, len(every) + 1))
    generation = publish_generation(lake)
    latest = lake.publication()
    assert latest == publications.as_of(lake.home, latest.number)
    assert published_in(lake.home, "open") == (latest.number, False)
    assert generation_seen(lake.home) == generation == len(latest.visible)
    middle = every[len(every) // 2]
    assert generation_seen(lake.home, as_of=middle.number) == len(middle.visible)
    assert lake.head(RAW).rows == ROWS * len(lake.receipts_in(RAW))


def require_same_as_undisturbed(lake, folder):
    """Kills change nothing in the content: the same generations without them give the same hash."""
    other = small_lake(folder)
    visible = lake.publication().visible
    while other.publication() is None or len(other.publication().visible) < len(visible):
        publish_generation(other)
    assert other.publication().content_hash == lake.publication().content_hash


def test_two_publishers_at_once_take_turns(tmp_path):
    lake = small_lake(tmp_path)
    workers = [start(tmp_path, 6) for _ in range(2)]
    for worker in workers:
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors.decode()
    assert generation_seen(lake.home) == 6
    assert lake.receipts_in(RAW) == frozenset(range(1, 7))
    assert [len(item.visible) for item in lake.publications()] == [1, 2, 3, 4, 5, 6]
