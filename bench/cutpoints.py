"""Cut points: time of the search beside SubgrpID's stored CPU time, and its growth.

SubgrpID (R) was measured once on simulated trials of the same sizes; its seconds are stored with
the reference numbers beside the checkout. Ours are CPU seconds of this process, one thread, warm:
the best of several runs. The first use of compiled code is measured apart.
"""

import csv
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.batting import adjusted_p, batting, batting_many

CONSOLE = Console()
TIMING = Path(__file__).resolve().parents[2] / "shared/reference/cutpoints/timing/subgrpid_cpu.csv"
Trial = tuple[FloatArray, IntArray, IntArray]


def make_trial(n: int, *, seed: int = 1, effect: float = 1.5, prognosis: float = 0.0) -> Trial:
    """Simulate marker, arm and response; the effect holds above the marker's median."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    arm = rng.permutation(np.arange(n) % 2)
    eta = -0.6 + effect * arm * (x > 0) + prognosis * x
    return x, arm, (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(np.int64)


def best_of(call: Callable[[], object], *, runs: int = 5) -> float:
    """Return the smallest CPU time of several runs, s."""
    call()
    spent = []
    for _ in range(runs):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return min(spent)


def stored_seconds() -> dict[int, float]:
    """Return SubgrpID's CPU seconds per 1000 replicates by number of subjects."""
    if not TIMING.exists():
        return {}
    with TIMING.open() as stream:
        return {int(row["n"]): float(row["cpu_s_per_1000"]) for row in csv.DictReader(stream)}


def run() -> None:
    """Print every table."""
    start = time.process_time()
    batting(*make_trial(40), n_boot=2, rng=1)
    CONSOLE.print(f"First use of compiled code: {time.process_time() - start:.1f} s of CPU")
    _beside_subgrpid()
    _by_test()
    _whole_procedures()
    _growth()


def _beside_subgrpid() -> None:
    """Print our time on SubgrpID's own rules beside its stored time."""
    table = Table(title="1000 replicates by SubgrpID's rules, CPU")
    for name in ("n", "SubgrpID s", "compiled s", "times", "NumPy s"):
        table.add_column(name, justify="right")
    for n, theirs in stored_seconds().items():
        trial = make_trial(n)
        asked = {"preset": "subgrpid", "rng": 1, "direction": "higher"}
        ours = best_of(lambda t=trial, o=asked: batting(*t, **o))
        plain = best_of(lambda t=trial, o=asked: batting(*t, engine="numpy", **o), runs=2)
        table.add_row(
            f"{n}", f"{theirs:.1f}", f"{ours:.4f}", f"{theirs / ours:,.0f}", f"{plain:.4f}"
        )
    CONSOLE.print(table)


def _by_test() -> None:
    """Print the time of every test over all cuts."""
    table = Table(title="1000 replicates, n = 164, every cut, ms of CPU")
    for name in ("test", "compiled", "NumPy"):
        table.add_column(name, justify="right")
    trial = make_trial(164)
    for test in ("wald", "lrt", "firth", "firth_wald", "rd", "wald_glm"):
        asked = {"test": test, "rng": 1, "direction": "higher"}
        spent = [
            1000 * best_of(lambda e=engine, o=asked: batting(*trial, engine=e, **o))
            for engine in ("numba", "numpy")
        ]
        table.add_row(test, *(f"{value:.1f}" for value in spent))
    CONSOLE.print(table)


def _whole_procedures() -> None:
    """Print the time of many markers, an adjusted p and an adjusted model."""
    x, arm, response = make_trial(164)
    markers = np.random.default_rng(2).normal(size=(164, 1000))
    covariates = np.random.default_rng(3).integers(0, 2, size=(164, 2))
    calls: dict[str, Callable[[], object]] = {
        "1000 markers, Wald, 1000 replicates": lambda: batting_many(
            markers, arm, response, test="wald", rng=1
        ),
        "1000 markers, likelihood ratio": lambda: batting_many(markers, arm, response, rng=1),
        "adjusted p, 9999 permutations": lambda: adjusted_p(x, arm, response, rng=1),
        "adjusted p, 9999 parametric": lambda: adjusted_p(
            x, arm, response, null="parametric", rng=1
        ),
        "two covariates, grid, 1000 replicates": lambda: batting(
            x, arm, response, adjust=covariates, candidates="grid19", rng=1
        ),
    }
    table = Table(title="Whole procedures, n = 164, s of CPU")
    table.add_column("what")
    table.add_column("s", justify="right")
    for name, call in calls.items():
        table.add_row(name, f"{best_of(call, runs=1):.2f}")
    CONSOLE.print(table)


def _growth() -> None:
    """Print the time per row drawn as subjects and replicates grow."""
    table = Table(title="Growth, every cut, ns of CPU per row drawn")
    for name in ("n", "replicates", "Wald", "likelihood ratio"):
        table.add_column(name, justify="right")
    for n, n_boot in ((164, 1000), (164, 10_000), (1000, 1000), (10_000, 200), (100_000, 50)):
        trial = make_trial(n)
        spent = []
        for test in ("wald", "lrt"):
            asked = {"test": test, "n_boot": n_boot, "rng": 1, "direction": "higher"}
            took = best_of(lambda t=trial, o=asked: batting(*t, **o), runs=2)
            spent.append(f"{1e9 * took / (n * n_boot):.1f}")
        table.add_row(f"{n:,}", f"{n_boot:,}", *spent)
    CONSOLE.print(table)
