"""Trials with known truth: new concentrations for a table, and a whole trial of sparse samples.

The trial's design is that of a lupus study with predose samples beside rich data of healthy
subjects; its parameters are partly documented and partly assumed, as docs/methods says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from assayhouse.pk.draws import drawn_effects, values_given
from assayhouse.pk.errors import SpecError
from assayhouse.pk.event_columns import EVENT_COLUMNS
from assayhouse.pk.events import EventTable
from assayhouse.pk.modes import population_phi
from assayhouse.pk.parameters import Scale
from assayhouse.pk.problem import build_problem
from assayhouse.pk.spec import ModelSpec, Power
from assayhouse.pk.spec_rules import check_init
from assayhouse.pk.starts import complete_start

TRUTH: Final[dict[str, float]] = {
    "CL": 20.0,
    "V1": 110.0,
    "Q": 12.0,
    "V2": 150.0,
    "KA": 1.1,
    "CL~WT": 0.25,
    "V1~WT": 0.8,
    "omega2(CL)": 0.09,
    "omega(CL,V1)": 0.0375,
    "omega2(V1)": 0.0625,
    "omega2(KA)": 0.25,
    "sigma_add": 0.01,
    "sigma_prop": 0.25,
}
"""Parameters of the simulated trial: L/h, L, per h; ng/mL."""

_STRUCTURAL: Final = ("CL", "V1", "Q", "V2", "KA")
_RICH_DOSES: Final = (0.3, 0.6, 1.0)
_RICH_TIMES: Final = (
    *(0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 23.9),
    *(312.5, 313.0, 314.0, 315.0, 316.0, 318.0, 320.0, 324.0, 336.0, 348.0, 360.0, 384.0),
)
_RICH_TRAIN: Final = 14
_DAY: Final = 24.0
_WEEK: Final = 168.0
_MIDDLE_DOSE: Final = 0.3
_COVARIATES: Final = ("WT", "AGE", "CRCL", "FEMALE", "SLE", "DOSE")


@dataclass(frozen=True)
class TrialDesign:
    """A trial with predose samples, pooled with rich data of healthy subjects.

    Parameters
    ----------
    doses : tuple of float
        mg once daily.
    n : tuple of int
        Subjects per dose.
    weeks : tuple of int
        When a predose sample is due.
    rich : int
        Healthy subjects with rich samples, on 0.3, 0.6 or 1 mg for 14 days.
    jitter_h : float
        Hours that a predose sample may come before the dose.
    miss : float
        Share of predose samples that are missing; each subject has one at least.
    missed_dose : float
        Share of predose samples whose dose of the day before was not taken, unrecorded.
    lloq : float
        Limit of quantification, ng/mL.
    dose_exponent_cl : float
        CL is multiplied by (dose / 0.3 mg) to this power.
    params : mapping of str to float, optional
        Values that differ from `TRUTH`.

    Raises
    ------
    SpecError
        A number is out of range, or a name unknown.
    """

    doses: tuple[float, ...] = (0.15, 0.3, 0.45)
    n: tuple[int, ...] = (42, 82, 81)
    weeks: tuple[int, ...] = (4, 12, 24)
    rich: int = 60
    jitter_h: float = 1.0
    miss: float = 0.12
    missed_dose: float = 0.0
    lloq: float = 0.05
    dose_exponent_cl: float = 0.0
    params: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        wrong = {
            "doses and n must be as many, doses above 0": len(self.doses) != len(self.n)
            or any(dose <= 0 for dose in self.doses)
            or any(count < 0 for count in self.n),
            "weeks must be whole numbers from 1": any(week < 1 for week in self.weeks)
            or not self.weeks,
            "rich must not be negative": self.rich < 0,
            "jitter_h must be from 0 to 12": not 0 <= self.jitter_h <= 12,
            "miss and missed_dose must be from 0 to below 1": not (
                0 <= self.miss < 1 and 0 <= self.missed_dose < 1
            ),
            "lloq must be above 0": not self.lloq > 0,
            f"params knows {', '.join(TRUTH)}": not set(self.params or {}) <= set(TRUTH),
        }
        found = [text for text, holds in wrong.items() if holds]
        if found:
            raise SpecError("; ".join(found) + ".")


def simulate(
    spec: ModelSpec, params: Mapping[str, float], events: EventTable, *, seed: int
) -> tuple[EventTable, pl.DataFrame]:
    """Draw new concentrations for the samples of a table.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    params : mapping of str to float
        Its parameters; what is missing is taken from ``spec.init``.
    events : EventTable
        Doses, sample times, limits and covariates.
    seed : int
        Same seed, same table.

    Returns
    -------
    tuple
        The table with new DV, and BLQ = 1 with DV = LLOQ where a value falls below the limit of
        its sample; and ID with <P>_TRUE of every structural parameter.

    Raises
    ------
    SpecError
        Parameters and model do not go together.

    References
    ----------
    .. [1] Gibaldi M, Perrier D (1982), Pharmacokinetics, 2nd edition, appendices B and C.
    """
    check_init(spec.parameter_names, params, ())
    # Every sample gets a value, whatever the fit would make of those below the limit.
    every = ModelSpec.from_dict({**spec.to_dict(), "blq": "M3"})
    problem, scale = build_problem(every, events), Scale(spec)
    vector = scale.from_natural(complete_start(problem, {**spec.init, **params}))
    point, rng = scale.at(vector), np.random.default_rng(seed)
    eta = drawn_effects(problem, point, rng)
    y = values_given(problem, point, eta, rng)
    phi = population_phi(problem, point)
    phi[problem.iiv] += eta
    truth = {f"{name}_TRUE": np.exp(row) for name, row in zip(spec.structural, phi, strict=True)}
    ids = pl.Series("ID", problem.ids, dtype=pl.String)
    return _with_values(events, y), pl.DataFrame({"ID": ids, **truth})


def _with_values(events: EventTable, y: "np.ndarray") -> EventTable:
    frame = events.frame
    at = ((frame["EVID"] == 0) & (frame["MDV"] == 0)).to_numpy()
    limit = frame["LLOQ"].fill_null(-np.inf).to_numpy()[at]
    below = y < limit
    dv, blq = frame["DV"].fill_null(np.nan).to_numpy().copy(), frame["BLQ"].to_numpy().copy()
    dv[at], blq[at] = np.where(below, limit, y), below
    changed = frame.with_columns(
        pl.Series("DV", dv).fill_nan(None), pl.Series("BLQ", blq, dtype=pl.Int64)
    )
    return EventTable.from_frame(
        changed,
        amt_unit=events.amt_unit,
        dv_unit=events.dv_unit,
        time_unit=events.time_unit,
        covariates=events.covariates,
        subject_rule="observed",
    )


DEFAULT_DESIGN: Final = TrialDesign()


def simulate_trial(
    design: TrialDesign = DEFAULT_DESIGN, *, seed: int = 1
) -> tuple[EventTable, pl.DataFrame]:
    """Simulate a trial of predose samples pooled with rich data.

    Parameters
    ----------
    design : TrialDesign
        By default 205 subjects on three doses and 60 with rich data.
    seed : int
        Same seed, same trial.

    Returns
    -------
    tuple
        The table (mg, ng/mL, h; covariates WT, AGE, CRCL, FEMALE, SLE, DOSE), and the truth: ID,
        DOSE_MG, SLE, <P>_TRUE, AUCSS_TRUE in ng.h/mL.

    References
    ----------
    .. [1] Lipsky PE et al. (2022), Ann Rheum Dis 81, 1136-1142 (the design).
    """
    rng = np.random.default_rng(seed)
    subjects = _subjects(design, rng)
    plans = [_samples(design, subject, rng) for subject in subjects]
    taken = [_doses_taken(plan, design, rng) for plan in plans]
    recorded = _table(subjects, plans, [[(0, plan.n_doses)] for plan in plans], design)
    actual = _table(subjects, plans, taken, design)
    simulated, individual = simulate(_truth_spec(design), {}, actual, seed=seed)
    is_sample = pl.col("EVID") == 0
    values = simulated.frame.filter(is_sample).select("DV", "BLQ")
    samples = recorded.frame.filter(is_sample).with_columns(values["DV"], values["BLQ"])
    doses = recorded.frame.filter(~is_sample)
    order = pl.col("ID").cast(pl.Int64)
    frame = pl.concat([doses, samples]).sort(order, "TIME", maintain_order=True)
    first = doses.select("ID", pl.col("DOSE").alias("DOSE_MG"), pl.col("SLE").cast(pl.Int64))
    truth = first.join(individual, on="ID", maintain_order="left")
    auc = 1000.0 * pl.col("DOSE_MG") / pl.col("CL_TRUE")
    return _checked(frame), truth.with_columns(auc.alias("AUCSS_TRUE"))


@dataclass(frozen=True, slots=True)
class _Plan:
    """When a subject is sampled, and how many daily doses its record stands for."""

    times: tuple[float, ...]
    n_doses: int


def _truth_spec(design: TrialDesign) -> ModelSpec:
    """Model the data come from, with the design's effect of the dose on clearance."""
    truth = {**TRUTH, **(design.params or {})}
    effects = (
        Power("CL", "WT", 70.0, truth.pop("CL~WT")),
        Power("V1", "WT", 70.0, truth.pop("V1~WT")),
        Power("CL", "DOSE", _MIDDLE_DOSE, design.dose_exponent_cl),
    )
    return ModelSpec(
        "oral2",
        ("CL", "V1", "KA"),
        "combined",
        init=truth,
        block=(("CL", "V1"),),
        covariates=effects,
    )


def _subjects(design: TrialDesign, rng: np.random.Generator) -> list[dict[str, Any]]:
    sparse = [
        dose for dose, count in zip(design.doses, design.n, strict=True) for _ in range(count)
    ]
    rich = [_RICH_DOSES[number * len(_RICH_DOSES) // design.rich] for number in range(design.rich)]
    found = []
    for number, dose in enumerate([*sparse, *rich], start=1):
        ill = number <= len(sparse)
        found.append(
            {
                "ID": str(number),
                "WT": round(float(np.exp(rng.normal(np.log(73.5), 0.22))), 4),
                "AGE": round(float(rng.uniform(18, 70 if ill else 60)), 4),
                "CRCL": round(float(np.clip(rng.normal(105, 26), 45, 180)), 4),
                "FEMALE": int(rng.random() < (0.92 if ill else 0.2)),
                "SLE": int(ill),
                "DOSE": dose,
            }
        )
    return found


def _samples(design: TrialDesign, subject: Mapping[str, Any], rng: np.random.Generator) -> _Plan:
    if not subject["SLE"]:
        return _Plan(_RICH_TIMES, _RICH_TRAIN)
    early = design.jitter_h * rng.random(len(design.weeks))
    times = _WEEK * np.array(sorted(design.weeks)) - early
    kept = rng.random(len(times)) >= design.miss
    kept[rng.integers(len(times))] |= not kept.any()
    rounded = tuple(round(float(time), 4) for time in times[kept])
    return _Plan(rounded, 7 * max(design.weeks))


def _doses_taken(
    plan: _Plan, design: TrialDesign, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """First day and number of days of each run of doses that were taken."""
    taken = np.ones(plan.n_doses, dtype=np.bool_)
    if plan.times != _RICH_TIMES:
        for time in plan.times:
            # The sample is due before the dose of its day; the one before it may have been missed.
            taken[int(np.ceil(time / _DAY)) - 1] = rng.random() >= design.missed_dose
    edges = np.flatnonzero(np.diff(taken.astype(int), prepend=0, append=0))
    return [(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _table(
    subjects: list[dict[str, Any]],
    plans: list[_Plan],
    runs: list[list[tuple[int, int]]],
    design: TrialDesign,
) -> EventTable:
    """Rows of every subject: runs of daily doses, and samples that have no value yet."""
    rows = []
    for subject, plan, own in zip(subjects, plans, runs, strict=True):
        dose = {"EVID": 1, "AMT": subject["DOSE"], "II": _DAY, "CMT": 1}
        mine = [{**subject, **dose, "TIME": _DAY * day, "ADDL": n - 1} for day, n in own]
        sample = {"EVID": 0, "AMT": 0.0, "DV": 1.0, "LLOQ": design.lloq, "CMT": 2}
        mine += [{**subject, **sample, "TIME": time} for time in plan.times]
        rows += sorted(mine, key=lambda row: row["TIME"])
    return _checked(pl.DataFrame(rows, infer_schema_length=None))


def _checked(frame: pl.DataFrame) -> EventTable:
    held = [name for name in (*EVENT_COLUMNS, *_COVARIATES) if name in frame.columns]
    return EventTable.from_frame(
        frame.select(held),
        amt_unit="mg",
        dv_unit="ng/mL",
        covariates=_COVARIATES,
        subject_rule="observed",
    )
