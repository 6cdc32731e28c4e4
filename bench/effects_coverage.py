"""Coverage of 95 % intervals over simulated trials, by preset and estimand. Takes an hour or two.

The truth of a difference is the planted one for logs, and the estimator's own limit in a trial
of many subjects with nothing missing for the other responses.
"""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from typing import TypeAlias

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from assayhouse.analysis.effects import EffectSpec, ImputeSpec, estimate_effects, preset
from bench.trials import ARMS, FIVE, VISITS, log_effect, simulate_trial

CONSOLE = Console()
STRATA = ("strat1", "strat2")
PRESETS = ("recommended", "paper", "mass", "sas-like")
_PART = 25
_TIMES = 120
"""Trials' worth of subjects in the limit."""

Key: TypeAlias = tuple[str, str, str, int, str]
"""Preset, response, parameter, visit, arm."""


def spec_of(name: str, *, m: int = 20) -> EffectSpec:
    """Return a preset with few imputations and the strata of the trials."""
    chosen = preset(name, ARMS[0], strata=STRATA)
    return replace(chosen, impute=replace(chosen.impute, m=m))


def truths(presets: Sequence[str] = PRESETS) -> dict[Key, float]:
    """Find the true difference of every estimand."""
    rng = np.random.default_rng(99)
    whole = simulate_trial(FIVE, rng, times=_TIMES, whole=True)
    found: dict[Key, float] = {}
    for name in presets:
        chosen = spec_of(name)
        observed = {"population": "observed_at_visit", "impute": ImputeSpec(method="none")}
        complete = EffectSpec.from_dict(
            chosen.to_dict() | observed | {"blq_rule": "lloq/2", "strata": list(STRATA)}
        )
        for row in estimate_effects(whole, complete).filter(term="diff").rows(named=True):
            key = (name, row["response"], row["paramcd"], row["avisitn"], row["arm"])
            found[key] = row["estimate"]
    for name in presets:
        for analyte in FIVE:
            for visit in VISITS:
                for arm in ARMS[1:]:
                    key = (name, "log", analyte.name, visit, arm)
                    if key in found:
                        found[key] = log_effect(analyte, arm, visit)
    return found


def cover(
    numbers: range, *, truth: dict[Key, float], presets: Sequence[str] = PRESETS
) -> dict[Key, tuple[int, int]]:
    """Count intervals that hold the truth, and intervals, over some trials."""
    hits: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for number in numbers:
        long = simulate_trial(FIVE, np.random.default_rng([7, number]))
        for name in presets:
            chosen = spec_of(name)
            rows = estimate_effects(long, chosen).filter(term="diff", status="ok")
            for row in rows.rows(named=True):
                key = (name, row["response"], row["paramcd"], row["avisitn"], row["arm"])
                hits[key][0] += int(row["ci_lo"] <= truth[key] <= row["ci_hi"])
                hits[key][1] += 1
    return {key: (first, second) for key, (first, second) in hits.items()}


def run(trials: int, *, presets: Sequence[str] = PRESETS, workers: int = 2) -> None:
    """Simulate, analyse by every preset and print coverage with its Monte-Carlo error."""
    truth = truths(presets)
    parts = [range(first, min(first + _PART, trials)) for first in range(0, trials, _PART)]
    total: dict[Key, np.ndarray] = defaultdict(lambda: np.zeros(2))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = pool.map(partial(cover, truth=truth, presets=presets), parts)
        for part in track(found, total=len(parts), description="trials", console=CONSOLE):
            for key, counts in part.items():
                total[key] += counts
    _print(total, trials)


def _print(total: dict[Key, np.ndarray], trials: int) -> None:
    table = Table(title=f"Coverage of 95 % intervals, {trials} trials, 5 parameters, m = 20")
    for name in ("preset", "response", "estimands", "mean %", "error", "lowest", "highest", "ok %"):
        table.add_column(name, justify="left" if name in {"preset", "response"} else "right")
    exceptions = []
    for name, response in sorted({(key[0], key[1]) for key in total}):
        keys = [key for key in sorted(total) if key[:2] == (name, response)]
        shares = np.array([100 * total[key][0] / total[key][1] for key in keys])
        counts = np.array([total[key][1] for key in keys])
        error = 100 * np.sqrt(0.05 * 0.95 / counts.mean())
        table.add_row(
            name, response, str(len(keys)), f"{shares.mean():.2f}", f"{error:.2f}",
            f"{shares.min():.1f}", f"{shares.max():.1f}", f"{100 * counts.mean() / trials:.1f}",
        )  # fmt: skip
        exceptions += [
            f"{name} {response} {parameter} visit {visit} arm {arm}: {share:.1f} %"
            for (_, _, parameter, visit, arm), share in zip(keys, shares, strict=True)
            if not 93 <= share <= 97
        ]
    CONSOLE.print(table)
    CONSOLE.print("error: Monte-Carlo standard error of one estimand's coverage, in points")
    CONSOLE.print(f"{len(exceptions)} estimands outside 93 to 97 %:")
    for line in exceptions:
        CONSOLE.print(f"  {line}")
