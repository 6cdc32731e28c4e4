"""kill -9 of the whole demo at random moments; a rerun must end in the same content hashes."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assayhouse.contracts import declarations
from assayhouse.pipeline.relations import fingerprint
from assayhouse.warehouse.catalogue import query
from assayhouse.warehouse.home import Home

CONSOLE = Console()


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


def run(kills: int) -> None:
    """Print one line per kill: moment, whether readers saw whole publications, whether equal."""
    moments = random.Random(1)  # noqa: S311 - moments of kills, no secret
    table = Table(title="Demo killed with SIGKILL at random moments, then run again")
    for name in ("kill", "after s", "readers saw whole publications", "content hashes equal"):
        table.add_column(name, justify="right")
    with tempfile.TemporaryDirectory(prefix="assayhouse-kills-") as folder:
        wanted, seconds = _undisturbed(Path(folder) / "undisturbed")
        for number in range(1, kills + 1):
            root = Path(folder) / f"kill-{number}"
            after = moments.uniform(0.5, seconds)
            process = _start(root)
            time.sleep(after)
            whole = _whole(root)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            whole = whole and _whole(root)
            finished = _start(root).wait() == 0
            found = fingerprint(Home(root / "home"), declarations.load())
            equal = finished and found == wanted
            table.add_row(str(number), f"{after:.1f}", str(whole), str(equal))
            CONSOLE.log(f"kill {number} of {kills} after {after:.1f} s: equal {equal}")
            shutil.rmtree(root)
    CONSOLE.print(table)
