"""Population fits of the paper's design, in CPU seconds, beside those stored of other programs.

205 subjects with up to three predose samples and 60 with rich ones, two compartments, M3. The data
are those of the reference folder beside the checkout where it is there, else simulated anew.
"""

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assayhouse.pk import (
    Category,
    EventTable,
    FitOptions,
    ModelSpec,
    Power,
    covariate_screen,
    fit,
    simulate_trial,
)

REFERENCE = (
    Path(__file__).resolve().parents[2] / "shared" / "reference" / "pk" / "sim_sle_seed1_events.csv"
)
COVARIATES = ("WT", "AGE", "CRCL", "FEMALE", "SLE", "DOSE")
SPEC = ModelSpec(
    "oral2",
    ("CL", "V1", "KA"),
    "combined",
    init={
        "CL": 15.0,
        "V1": 80.0,
        "Q": 8.0,
        "V2": 100.0,
        "KA": 0.8,
        "sigma_add": 0.02,
        "sigma_prop": 0.3,
        "omega2(KA)": 0.2,
    },
    block=(("CL", "V1"),),
)
CANDIDATES = (
    Power("CL", "WT", 70.0),
    Power("CL", "AGE", 45.0),
    Power("CL", "CRCL", 100.0),
    Category("CL", "FEMALE", 1),
    Category("CL", "SLE", 1),
    Power("CL", "DOSE", 0.3),
    Power("V1", "WT", 70.0),
)
STORED = (
    ("saemix 3.4, same subjects without samples below the limit", "24.6"),
    ("PyNLME 0.5.1", "no dose records and no M3; no time is stored"),
)
"""CPU seconds measured elsewhere, on another machine."""


def run() -> None:
    """Measure and print."""
    console = Console()
    events, source = _events()
    table = Table(title=f"Paper design, {events.n_subjects} subjects, {events.n_obs} samples")
    table.add_column("what")
    table.add_column("CPU seconds", justify="right")
    table.add_column("goal", justify="right")
    goals: tuple[tuple[str, str, Callable[[], object]], ...] = (
        ("one start and covariance", "3", lambda: fit(SPEC, events, FitOptions(starts=1))),
        ("five starts and covariance", "10", lambda: fit(SPEC, events)),
        (
            "seven covariates, each from five starts",
            "60",
            lambda: covariate_screen(SPEC, events, CANDIDATES),
        ),
    )
    for name, goal, work in goals:
        table.add_row(name, f"{_cpu(work):.2f}", goal)
    for name, seconds in STORED:
        table.add_row(name, seconds, "")
    console.print(table)
    console.print(f"Data: {source}.")


def _events() -> tuple[EventTable, str]:
    if not REFERENCE.exists():
        return simulate_trial()[0], "simulated anew"
    events = EventTable.read_csv(
        REFERENCE,
        amt_unit="mg",
        dv_unit="ng/mL",
        covariates=COVARIATES,
        subject_rule="observed",
    )
    return events, "reference folder"


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
