"""A night killed at any moment is completed by the next one, with the same content."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from assayhouse.intake.receipt import Register
from assayhouse.pipeline import delivery, delivery_record, delivery_scan, delivery_settle
from assayhouse.trust import archive
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.lake import Lake

from support.intake_process import bench, contents, night, send_all

TESTS = Path(__file__).parents[1]
STATES = {1: "PUBLISHED", 2: "HELD", 3: "SUPERSEDED", 4: "PUBLISHED", 5: "DUPLICATE"}


class Killed(BaseException):
    """Stands for a kill: nothing of the program runs on to tidy up."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Content after a night without a kill, and the seconds that it took."""
    worker = bench(tmp_path_factory.mktemp("whole") / "home")
    send_all(worker)
    begin = time.monotonic()
    night(worker)
    return contents(worker), time.monotonic() - begin, states_of(worker)


def states_of(worker):
    register = Register(AuditLog(worker.home.audit_file))
    return {item.number: register.state(item.number) for item in register.receipts()}


def require_completed(folder, undisturbed):
    worker = bench(folder)
    night(worker)
    assert states_of(worker) == undisturbed[2]
    assert contents(worker) == undisturbed[0]
    assert worker.landing() == []
    assert AuditLog(worker.home.audit_file).verify().intact
    assert delivery.pending(worker.home, worker.declarations) == ()
    drafts = {path.parent.name[:4] for path in worker.home.root.rglob("deliveries/*/rows")}
    assert drafts == {f"{number:04d}" for number, state in STATES.items() if state == "HELD"}
    assert not list(worker.home.root.rglob("deliveries/*/accepted"))


def test_the_night_is_the_one_meant(undisturbed):
    assert undisturbed[2] == STATES


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path, undisturbed):
    draws = np.random.default_rng(20190304).random(5)
    homes = [tmp_path / str(number) / "home" for number in range(5)]
    # The last of them well before the end: a quiet moment makes the machine faster than measured.
    moments = [0.7 * undisturbed[1] * (place + draw) / 5 for place, draw in enumerate(draws)]
    workers = []
    for home in homes:
        send_all(bench(home))
        command = [sys.executable, "-m", "support.intake_process", str(home)]
        workers.append(
            subprocess.Popen(
                command, cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    killed = 0
    for worker, moment in zip(workers, moments, strict=True):
        worker.stdin.write("go\n")
        worker.stdin.flush()
        time.sleep(moment)
        killed += worker.poll() is None
        worker.kill()
        worker.communicate()
    assert killed >= 1, "every process had ended before its moment"
    for home in homes:
        require_completed(home, undisturbed)


STEPS = {
    "the audit log": (AuditLog, "append"),
    "a table": (Lake, "publish"),
    "the rows": (Lake, "append_receipt"),
    "the archive": (delivery_scan, "archive_file"),
    "landing": (delivery_scan, "remove_taken"),
    "a record": (delivery_settle, "write_judgement"),
    "draft rows": (delivery_settle, "drop_rows"),
}
CASES = [
    ("the audit log", "1", "after"),
    ("the audit log", "4", "before"),
    ("a table", "1", "before"),
    ("a table", "12", "after"),
    ("a table", "25", "before"),
    ("the rows", "1", "before"),
    ("the rows", "1", "after"),
    ("the rows", "2", "after"),
    ("the archive", "2", "after"),
    ("the archive", "5", "before"),
    ("landing", "1", "before"),
    ("landing", "4", "after"),
    ("a record", "1", "after"),
    ("a record", "3", "before"),
    ("draft rows", "1", "before"),
]


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    """A home in which everything has landed and nothing was done, to copy."""
    folder = tmp_path_factory.mktemp("landed") / "home"
    send_all(bench(folder))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_killed_at_a_step(tmp_path, monkeypatch, undisturbed, landed, case):
    step, number, moment = case
    home = tmp_path / "home"
    shutil.copytree(landed, home)
    owner, name = STEPS[step]
    call, seen, count = getattr(owner, name), [], int(number)

    def call_or_die(*arguments, **named):
        seen.append(name)
        if len(seen) == count and moment == "before":
            raise Killed
        result = call(*arguments, **named)
        if len(seen) == count:
            raise Killed
        return result

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, call_or_die)
        with pytest.raises(Killed):
            night(bench(home))
    require_completed(home, undisturbed)


def test_the_steps_are_where_the_test_believes_them():
    assert delivery_scan.archive_file is archive.archive_file
    assert delivery_settle.write_judgement is delivery_record.write_judgement
