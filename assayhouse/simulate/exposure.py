"""Dosing, body size and drug concentrations: two compartments, first-order absorption, lag.

The structure is documented for the drug, the values are assumptions: see
``docs/methods/simulation.md``.
Shares no code with the package that fits such models.
"""

from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import ARMS, VISITS
from assayhouse.simulate.clinic import Persons
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.levels import round_reported
from assayhouse.simulate.specimens import Specimens, collection_times
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import Subjects, subject_normals, subject_uniforms, visit_dates
from assayhouse.simulate.texts import (
    TimeArray,
    significant_texts,
    table_rows,
    time_texts,
    where_texts,
)
from assayhouse.simulate.vendor_layouts import PC

DOSES_MG = {"PBO": 0.0, "IB015": 0.15, "IB030": 0.3, "IB045": 0.45}
CLEARANCE, CENTRAL, BETWEEN, PERIPHERAL = 20.0, 110.0, 12.0, 150.0
"""L/h, L, L/h, L at 70 kg and 0.3 mg."""
ABSORPTION, LAG_H, INTERVAL_H = 1.1, 0.3, 24.0
DOSE_EXPONENT = 0.166
"""Clearance rises with dose to this power: three times the dose gives 2.5 times the exposure."""
CLEARANCE_SIZE, CENTRAL_SIZE = 0.25, 0.8
"""Powers of body weight over 70 kg."""
CLEARANCE_CV, CENTRAL_CV, ABSORPTION_CV, RANDOM_CORRELATION = 0.30, 0.25, 0.50, 0.5
PROPORTIONAL_ERROR, ADDITIVE_ERROR = 0.25, 0.01
LLOQ = 0.05
FIRST_PK_VISIT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Weight, kg, (n, visits), and height, cm, (n,)."""

    weight: FloatArray
    height: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What the body makes of the drug.

    Attributes
    ----------
    dose_mg, clearance, auc_ss : (n,) array
        Daily dose, apparent clearance in L/h, area under the curve at steady state in h*ng/mL.
    before, after : (n, visits) array
        Time of the dose on the day before a visit, and on the day of the visit.
    concentration : (n, visits) array
        Predose concentration as measured, ng/mL, rounded; 0 where no drug is given.
    """

    dose_mg: FloatArray
    clearance: FloatArray
    auc_ss: FloatArray
    before: TimeArray
    after: TimeArray
    concentration: FloatArray


def draw_body(seed: int, subjects: Subjects, persons: Persons) -> Body:
    """Draw weight and height."""
    draws = subject_normals(seed, subjects, "body", columns=2 + len(VISITS))
    draws = np.clip(draws, -2.5, 2.5)
    male = np.array([sex == "M" for sex in persons.sex])
    height = np.where(male, 176.0, 163.0) + 6.5 * draws[:, 0]
    first = np.where(male, 82.0, 69.0) * np.exp(0.2 * draws[:, 1])
    weight = first[:, None] * (1.0 + 0.015 * draws[:, 2:])
    return Body(weight=np.round(weight, 1), height=np.round(height, 0))


def macro_constants(
    clearance: FloatArray, central: FloatArray, absorption: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Rates of the three exponentials after an oral dose, 1/h, and their factors, (3, n) each."""
    out, there, back = clearance / central, BETWEEN / central, BETWEEN / PERIPHERAL
    total, product = out + there + back, out * back
    root = np.sqrt(total**2 - 4.0 * product)
    fast, slow = (total + root) / 2.0, (total - root) / 2.0
    rates = np.stack([fast, slow, absorption * np.ones_like(fast)])
    factors = np.stack(
        [
            (back - fast) / ((absorption - fast) * (slow - fast)),
            (back - slow) / ((absorption - slow) * (fast - slow)),
            (back - absorption) / ((fast - absorption) * (slow - absorption)),
        ]
    )
    return rates, factors


def steady_state_concentration(
    *,
    dose_mg: FloatArray,
    clearance: FloatArray,
    central: FloatArray,
    absorption: FloatArray,
    hours: FloatArray,
) -> FloatArray:
    """Compute the concentration at steady state, ng/mL, ``hours`` after the last dose.

    References
    ----------
    .. [1] Gibaldi M, Perrier D (1982), Pharmacokinetics, 2nd ed., ch. 2 and 3.
    """
    rates, factors = macro_constants(clearance, central, absorption)
    decay = np.exp(-rates * (hours - LAG_H)) / (1.0 - np.exp(-rates * INTERVAL_H))
    scale = 1000.0 * dose_mg * absorption / central
    return np.asarray(scale * (factors * decay).sum(axis=0), dtype=np.float64)


def log_sd(cv: float) -> float:
    """Log SD of a lognormal with this coefficient of variation."""
    return float(np.sqrt(np.log1p(cv**2)))


def _dose_times(seed: int, subjects: Subjects) -> tuple[TimeArray, TimeArray]:
    """Draw the times of the dose on the day before each visit and, after the blood, on the day."""
    draws = subject_uniforms(seed, subjects, "dose-time", columns=2 * len(VISITS))
    days = visit_dates(seed, subjects).astype("datetime64[m]")
    habit = 7 * 60 + 30 + (180.0 * draws[:, : len(VISITS)]).astype(np.int64)
    before = days - 1440 + habit
    blood = np.column_stack(
        [collection_times(seed, subjects, visit) for visit in range(len(VISITS))]
    )
    after = blood + 10 + (50.0 * draws[:, len(VISITS) :]).astype(np.int64)
    return np.asarray(before, dtype="datetime64[m]"), np.asarray(after, dtype="datetime64[m]")


def draw_exposure(seed: int, subjects: Subjects, body: Body) -> Exposure:
    """Draw individual parameters, times of doses and predose concentrations."""
    draws = np.clip(subject_normals(seed, subjects, "pk", columns=3), -3.0, 3.0)
    dose = np.array([DOSES_MG[arm] for arm in ARMS])[subjects.arm]
    size, given = body.weight[:, 0] / 70.0, np.where(dose > 0.0, dose, 0.3)
    typical = CLEARANCE * (given / 0.3) ** DOSE_EXPONENT * size**CLEARANCE_SIZE
    clearance = typical * np.exp(log_sd(CLEARANCE_CV) * draws[:, 0])
    rest = np.sqrt(1.0 - RANDOM_CORRELATION**2)
    shared = RANDOM_CORRELATION * draws[:, 0] + rest * draws[:, 1]
    central = CENTRAL * size**CENTRAL_SIZE * np.exp(log_sd(CENTRAL_CV) * shared)
    absorption = ABSORPTION * np.exp(log_sd(ABSORPTION_CV) * draws[:, 2])
    before, after = _dose_times(seed, subjects)
    blood = np.column_stack(
        [collection_times(seed, subjects, visit) for visit in range(len(VISITS))]
    )
    hours = (blood - before).astype(np.int64) / 60.0
    noise = subject_normals(seed, subjects, "pk-error", columns=2 * len(VISITS))
    noise = np.clip(noise, -2.5, 2.5)
    seen = np.empty_like(hours)
    for visit in range(len(VISITS)):
        true = steady_state_concentration(
            dose_mg=dose,
            clearance=clearance,
            central=central,
            absorption=absorption,
            hours=hours[:, visit],
        )
        error = PROPORTIONAL_ERROR * noise[:, visit]
        seen[:, visit] = true * (1.0 + error) + ADDITIVE_ERROR * noise[:, len(VISITS) + visit]
    measured = np.where(dose[:, None] > 0.0, np.maximum(seen, 1e-4), 0.0)
    return Exposure(
        dose_mg=dose,
        clearance=clearance,
        auc_ss=1000.0 * dose / clearance,
        before=before,
        after=after,
        concentration=np.where(measured > 0.0, round_reported(np.maximum(measured, 1e-6)), 0.0),
    )


def concentration_rows(exposure: Exposure, specimens: Specimens) -> list[Row]:
    """Lines of ``pk_lab.pc`` that one visit adds."""
    rows, visit = specimens.subject, specimens.visit
    values = exposure.concentration[rows, visit]
    low = values < LLOQ
    numbers = significant_texts(np.maximum(values, 1e-6))
    identity = specimens.identity
    cells = identity | {
        "PCSEQ": str(visit),
        "PCREFID": identity["ACCNO"],
        "PCTESTCD": "IBERD",
        "PCORRES": where_texts(low, f"<{LLOQ:g}", numbers),
        "PCORRESU": "ng/mL",
        "PCSTRESN": where_texts(low, "", numbers),
        "PCSTRESU": "ng/mL",
        "PCLLOQ": f"{LLOQ:g}",
        "PCSPEC": "PLASMA",
        "PCDTC": identity["COLDTM"],
        "PCTPT": "PREDOSE",
        "PCTPTNUM": "0",
        "PCRFTDTC": time_texts(exposure.after[rows, visit]),
    }
    return table_rows(PC.columns, cells, size=len(specimens))
