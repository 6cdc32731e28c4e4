"""Chunks of a cut-point search: killed and resumed, or shared by processes, the same bits.

And what the search finds: a planted cut is covered, data without an effect give no finding.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assayhouse.pipeline.cut_point_chunks import RELATION
from assayhouse.pipeline.cut_points import run_chunks
from assayhouse.pipeline.relations import build_relation
from assayhouse.warehouse.lake import Lake

from support import cut_point_process as process

pytestmark = pytest.mark.slow
TESTS = Path(__file__).resolve().parents[1]
RESULTS = (RELATION, "ard.cut_points", "ard.cut_point_validation")
KILLED_AFTER = 7


def start(home, *, order="forward", stop=-1):
    """Start a process that makes chunks."""
    environment = {**os.environ, "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}
    arguments = [sys.executable, "-m", "support.cut_point_process", str(home.root), order]
    return subprocess.Popen(
        [*arguments, str(stop)], stdout=subprocess.PIPE, env=environment, text=True
    )


def results(home, loaded):
    """Content hashes of the relations that the chunks end in."""
    for relation in RESULTS:
        build_relation(home, loaded, relation)
    return {relation: Lake(home, loaded).head(relation).content_hash for relation in RESULTS}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """All chunks in one process and one go: their bytes and what they end in."""
    home, loaded = process.trial_home(tmp_path_factory.mktemp("whole") / "home")
    assert len(run_chunks(home, loaded, process.keys(loaded))) == process.CHUNKS
    return process.files(home, loaded), results(home, loaded)


def test_a_run_killed_after_seven_of_twenty_resumes_to_the_same_bits(uninterrupted, tmp_path):
    home, loaded = process.trial_home(tmp_path / "home")
    killed = start(home, stop=KILLED_AFTER)
    told, _ = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert len(told.splitlines()) == KILLED_AFTER
    left = process.files(home, loaded)
    assert sorted(left) == list(range(KILLED_AFTER))
    made = run_chunks(home, loaded, process.keys(loaded))
    print(f"{len(left)} of {process.CHUNKS} before the kill, {len(made)} made on resuming")
    assert list(made) == process.keys(loaded)[KILLED_AFTER:]
    assert process.files(home, loaded) == uninterrupted[0]
    assert results(home, loaded) == uninterrupted[1]


def test_two_processes_over_the_same_chunks_equal_one(uninterrupted, tmp_path):
    home, loaded = process.trial_home(tmp_path / "home")
    workers = [start(home, order=order) for order in ("forward", "backward")]
    told = [worker.communicate(timeout=120)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    shares = [int(text.splitlines()[-1].removeprefix("made ")) for text in told]
    print(f"two processes made {shares[0]} and {shares[1]} chunks")
    assert sum(shares) >= process.CHUNKS
    assert process.files(home, loaded) == uninterrupted[0]
    assert results(home, loaded) == uninterrupted[1]


def test_changed_data_take_no_chunk_of_the_former_data(tmp_path):
    home, loaded = process.trial_home(tmp_path / "home")
    run_chunks(home, loaded, process.keys(loaded)[:2])
    process.trial_home(home.root, subjects=120)
    assert list(run_chunks(home, loaded, process.keys(loaded)[:2])) == process.keys(loaded)[:2]
