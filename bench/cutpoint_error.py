"""Type I error of the adjusted p beside that of the naive p, on simulated trials without a cut.

Minutes to hours: measured on request only.
"""

from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table

from assayhouse.stats.batting import adjusted_p, batting
from bench.cutpoints import make_trial

CONSOLE = Console()
N_SUBJECTS = 164
N_NULL = 999
LEVEL = 0.05
SCENES = {"no effect": (0.0, "permutation"), "prognostic marker": (0.8, "parametric")}


def reject(seed: int, *, prognosis: float, null: str) -> tuple[bool, bool]:
    """Return whether the adjusted and the naive p of one trial are at most the level."""
    trial = make_trial(N_SUBJECTS, seed=seed, effect=0.0, prognosis=prognosis)
    adjusted = adjusted_p(*trial, null=null, n_null=N_NULL, rng=seed).p
    naive = batting(*trial, n_boot=200, rng=seed).p_naive
    return bool(adjusted <= LEVEL), bool(naive <= LEVEL)


def run(trials: int, *, workers: int = 2) -> None:
    """Print the share of trials that each p rejects, with its Monte Carlo error."""
    table = Table(title=f"Rejections at {LEVEL}, {trials:,} trials, R = {N_NULL}")
    for name in ("scene", "null", "adjusted p", "naive p", "Monte Carlo error"):
        table.add_column(name, justify="right")
    for scene, (prognosis, null) in SCENES.items():
        with ProcessPoolExecutor(max_workers=workers) as pool:
            one = partial(reject, prognosis=prognosis, null=null)
            found = np.array(list(pool.map(one, range(trials), chunksize=50)))
        adjusted, naive = found.mean(axis=0)
        error = np.sqrt(LEVEL * (1 - LEVEL) / trials)
        table.add_row(scene, null, f"{adjusted:.4f}", f"{naive:.3f}", f"{error:.4f}")
    CONSOLE.print(table)
