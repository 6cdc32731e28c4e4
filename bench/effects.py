"""Effects: CPU seconds and memory of 30 parameters x 3 visits x 100 imputations, beside RLM."""

import json
import os
import resource
import subprocess
import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from assayhouse.analysis.effects import estimate_effects, preset
from assayhouse.stats.contrasts import contrast_matrix
from assayhouse.stats.robust import m_regression
from bench.trials import Analyte, simulate_trial

CONSOLE = Console()
PARAMETERS = 30
STRATA = ("strat1", "strat2")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
_PEER_FITS = 40


def run() -> None:
    """Measure in a process of its own, on one thread, and print a table."""
    table = Table(title=f"Effects: {PARAMETERS} parameters x 3 visits x m = 100, one thread")
    for name in ("job", "CPU s", "peak MB", "rows ok", "goal"):
        table.add_column(name, justify="left" if name == "job" else "right")
    for job in ("recommended", "mass", "sas-like", "recommended, four responses"):
        found = _child("job", job)
        goal = "<= 10 s, < 500 MB" if "four" not in job else ""
        table.add_row(
            job,
            f"{found['cpu']:.2f}",
            f"{found['peak']:.0f}",
            f"{found['ok']} of {found['rows']}",
            goal,
        )
    CONSOLE.print(table)
    found = _child("peer", "")
    CONSOLE.print(
        f"RLM at tolerance 1e-10: {found['ours']:.3f} ms a fit here, {found['theirs']:.2f} ms in "
        f"statsmodels, ratio {found['theirs'] / found['ours']:.1f} (goal >= 10); largest "
        f"difference of a coefficient {found['gap']:.1e} SE"
    )


def _child(what: str, job: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.effects", what, job]
    done = subprocess.run(  # noqa: S603 - our own module
        command, check=True, capture_output=True, text=True, env=os.environ | _ONE_THREAD
    )
    loaded: dict[str, float] = json.loads(done.stdout)
    return loaded


def measure_job(job: str) -> dict[str, float]:
    """CPU seconds, peak memory and usable rows of one job, imports left out."""
    rng = np.random.default_rng(1)
    analytes = tuple(
        Analyte(name=f"P{number:02}", spread=rng.uniform(0.3, 1), residual=rng.uniform(0.2, 0.9))
        for number in range(PARAMETERS)
    )
    long = simulate_trial(analytes, rng)
    name, _, all_four = job.partition(",")
    responses = ("abs", "chg", "pchg", "log") if all_four else ("log",)
    spec = preset(name, "0", strata=STRATA, responses=responses)
    estimate_effects(long.filter(paramcd="P00"), spec)
    first = time.process_time()
    result = estimate_effects(long, spec)
    spent = time.process_time() - first
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "cpu": spent,
        "peak": peak,
        "rows": len(result),
        "ok": len(result.filter(status="ok")),
    }


def measure_peer() -> dict[str, float]:
    """Milliseconds per robust fit of 288 subjects and 7 columns, here and in statsmodels."""
    import statsmodels.api as sm  # noqa: PLC0415 - a peer, not a dependency

    rng = np.random.default_rng(2)
    long = simulate_trial((Analyte(name="A"),), rng, whole=True).filter(avisitn=24)
    built = contrast_matrix(
        long["arm"].to_list(),
        np.log(long["base"].to_numpy()),
        {name: long[name].to_list() for name in STRATA},
        reference="0",
    )
    line = np.log(long["aval"].to_numpy())
    y = line + 0.3 * rng.standard_normal((300, len(line)))
    m_regression(built.design, y)
    first = time.process_time()
    fit = m_regression(built.design, y)
    ours = (time.process_time() - first) / len(y)
    norm = sm.robust.norms.HuberT(1.345)
    first = time.process_time()
    peers = [
        sm.RLM(response, built.design, M=norm).fit(tol=1e-10, conv="coefs", maxiter=2000)
        for response in y[:_PEER_FITS]
    ]
    theirs = (time.process_time() - first) / _PEER_FITS
    gaps = [
        np.abs((peer.params - mine) / error).max()
        for peer, mine, error in zip(peers, fit.coefficients, fit.std_errors, strict=False)
    ]
    return {"ours": 1e3 * ours, "theirs": 1e3 * theirs, "gap": float(max(gaps))}


if __name__ == "__main__":
    answer = measure_peer() if sys.argv[1] == "peer" else measure_job(sys.argv[2])
    sys.stdout.write(json.dumps(answer))
