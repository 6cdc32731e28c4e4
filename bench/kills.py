"""kill -9 of the whole demo at random moments; a rerun must end in the same content hashes.

Readers look in all the while, and must see whole publications only.
"""

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assayhouse.contracts import declarations
from assayhouse.pipeline.relations import fingerprint
from assayhouse.warehouse.catalogue import query
from assayhouse.warehouse.home import Home

CONSOLE = Console()
LOOK_IN_SECONDS = 2.0


def _environment(root: Path) -> dict[str, str]:
    home = root / "home"
    return os.environ | {"ASSAYHOUSE_HOME": str(home), "DAGSTER_HOME": str(home / "dagster")}


def _start(root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dagster_project.demo"],
        env=_environment(root),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _whole(root: Path) -> bool:
    """Whether what a reader sees now is one whole publication (or nothing yet)."""
    home = Home(root / "home")
    if not home.warehouse_file("open").is_file():
        return True
    rows = query(home, "select count(distinct number) as n from meta.publication")
    return bool(rows.item() == 1)


def _undisturbed(root: Path) -> tuple[dict[str, str], float]:
    started = time.perf_counter()
    if _start(root).wait() != 0:
        message = "the undisturbed demo failed: run `make demo` and look"
        raise SystemExit(message)
    return fingerprint(Home(root / "home"), declarations.load()), time.perf_counter() - started


def _wait(root: Path, process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Let it run for a while, as a reader who looks in again and again; whether all was whole."""
    until, whole = time.perf_counter() + seconds, True
    while process.poll() is None and (left := until - time.perf_counter()) > 0:
        time.sleep(min(LOOK_IN_SECONDS, left))
        whole = whole and _whole(root)
    return whole


def _killed_often(root: Path, waits: Iterable[float]) -> Iterator[tuple[float, bool]]:
    """Start the demo again after each kill; gives each wait and what readers saw.

    Fewer kills than waits where the demo came to its end before.
    """
    for wait in waits:
        process = _start(root)
        whole = _wait(root, process, wait)
        if process.poll() is not None:
            return
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        yield wait, whole and _whole(root)


def run(kills: int, *, per_home: int = 5) -> None:
    """Print one line per kill: when, whether readers saw whole publications, whether equal.

    Each home is killed ``per_home`` times on its way, each time at a random moment of what is
    left to do, and then run to its end.
    """
    moments = random.Random(1)  # noqa: S311 - moments of kills, no secret
    table = Table(title="Demo killed with SIGKILL at random moments, then run to its end")
    for name in ("kill", "after s", "readers saw whole publications", "content hashes equal"):
        table.add_column(name, justify="right")
    with tempfile.TemporaryDirectory(prefix="assayhouse-kills-") as folder:
        wanted, seconds = _undisturbed(Path(folder) / "undisturbed")
        done = 0
        while done < kills:
            count = min(per_home, kills - done)
            root = Path(folder) / f"home-{done}"
            when = sorted(moments.uniform(0.5, seconds) for _ in range(count))
            waits = [after - before for before, after in itertools.pairwise([0.0, *when])]
            seen = list(_killed_often(root, waits))
            finished = _start(root).wait() == 0
            equal = finished and fingerprint(Home(root / "home"), declarations.load()) == wanted
            for number, (wait, whole) in enumerate(seen, start=done + 1):
                table.add_row(str(number), f"{wait:.1f}", str(whole), str(equal))
            CONSOLE.log(f"kills {done + 1} to {done + len(seen)} of {kills}: equal {equal}")
            done += len(seen)
            shutil.rmtree(root)
    CONSOLE.print(table)
