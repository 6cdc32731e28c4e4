"""Earlier studies with rich samples, pooled with the trial's sparse ones: one layout, its truth.

The subjects follow the very model of `exposure`, their concentrations after repeated doses are the
sum over those doses. Shares no code with the package that fits such models.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from assayhouse.simulate.calibration import STUDY
from assayhouse.simulate.exposure import (
    ABSORPTION,
    ABSORPTION_CV,
    ADDITIVE_ERROR,
    BETWEEN,
    CENTRAL,
    CENTRAL_CV,
    CENTRAL_SIZE,
    CLEARANCE,
    CLEARANCE_CV,
    CLEARANCE_SIZE,
    DOSE_EXPONENT,
    INTERVAL_H,
    LAG_H,
    LLOQ,
    PERIPHERAL,
    PROPORTIONAL_ERROR,
    RANDOM_CORRELATION,
    log_sd,
    macro_constants,
)
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.levels import round_reported
from assayhouse.simulate.streams import FloatArray, normals, uniforms
from assayhouse.simulate.texts import significant_texts

SOURCES = (("DEMO-PK-01", "HEALTHY", 42), ("DEMO-PK-02", "SLE", 18))
"""Earlier study, its subjects' state of health, and their number."""
DOSES_MG = (0.3, 0.6, 1.0)
DAYS = 14
TIMES_H = (
    *(0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 23.9),
    *(312.5, 313.0, 314.0, 315.0, 316.0, 318.0, 320.0, 324.0, 336.0, 348.0, 360.0, 384.0),
)
"""Samples after the first and after the last dose, h from the first."""
_RACES = (("WHITE", 0.6), ("BLACK OR AFRICAN AMERICAN", 0.25), ("ASIAN", 0.15))
_FEMALE_SHARE = {"HEALTHY": 0.3, "SLE": 0.9}
_HISPANIC_SHARE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Subjects of the earlier studies.

    Attributes
    ----------
    usubjid, source, disease, sex, race, ethnic : tuple of str
        Who they are.
    age, weight, creatinine : (n,) array
        Years, kg, mg/dL; as printed.
    dose_mg, clearance, central, absorption : (n,) array
        Daily dose, and the parameters of each: L/h, L, 1/h.
    concentration : (n, samples) array
        ng/mL as measured, rounded.
    """

    usubjid: tuple[str, ...]
    source: tuple[str, ...]
    disease: tuple[str, ...]
    sex: tuple[str, ...]
    race: tuple[str, ...]
    ethnic: tuple[str, ...]
    age: FloatArray
    weight: FloatArray
    creatinine: FloatArray
    dose_mg: FloatArray
    clearance: FloatArray
    central: FloatArray
    absorption: FloatArray
    concentration: FloatArray


def repeated_dose_concentration(
    *,
    dose_mg: FloatArray,
    clearance: FloatArray,
    central: FloatArray,
    absorption: FloatArray,
) -> FloatArray:
    """Compute the concentration at every sample, ng/mL, dose by dose, (n, samples).

    References
    ----------
    .. [1] Gibaldi M, Perrier D (1982), Pharmacokinetics, 2nd ed., ch. 2 and 3.
    """
    rates, factors = macro_constants(clearance, central, absorption)
    scale = 1000.0 * dose_mg * absorption / central
    total = np.zeros((len(dose_mg), len(TIMES_H)))
    for day in range(DAYS):
        since = np.array(TIMES_H) - INTERVAL_H * day - LAG_H
        given = since > 0.0
        decay = np.exp(-rates[:, :, None] * since[given])
        total[:, given] += (scale[:, None] * factors[:, :, None] * decay).sum(axis=0)
    return total


def draw_pooled(seed: int) -> Pooled:
    """Draw the subjects of the earlier studies and what their samples gave."""
    source = [(study, state) for study, state, size in SOURCES for _ in range(size)]
    size = len(source)
    person = uniforms(seed, "pooled-person", rows=size, columns=5)
    body = np.clip(normals(seed, "pooled-body", rows=size, columns=2), -2.5, 2.5)
    female = person[:, 0] < [_FEMALE_SHARE[state] for _, state in source]
    bounds = np.cumsum([share for _, share in _RACES])
    races = np.minimum(np.searchsorted(bounds, person[:, 1]), len(_RACES) - 1)
    weight = np.round(np.where(female, 66.0, 80.0) * np.exp(0.18 * body[:, 0]), 1)
    creatinine = np.round(np.where(female, 0.75, 0.95) * np.exp(0.18 * body[:, 1]), 2)
    dose = np.array([DOSES_MG[place % len(DOSES_MG)] for place in range(size)])
    eta = np.clip(normals(seed, "pooled-pk", rows=size, columns=3), -3.0, 3.0)
    bulk = weight / 70.0
    clearance = CLEARANCE * (dose / 0.3) ** DOSE_EXPONENT * bulk**CLEARANCE_SIZE
    clearance = clearance * np.exp(log_sd(CLEARANCE_CV) * eta[:, 0])
    rest = np.sqrt(1.0 - RANDOM_CORRELATION**2)
    shared = RANDOM_CORRELATION * eta[:, 0] + rest * eta[:, 1]
    central = CENTRAL * bulk**CENTRAL_SIZE * np.exp(log_sd(CENTRAL_CV) * shared)
    absorption = ABSORPTION * np.exp(log_sd(ABSORPTION_CV) * eta[:, 2])
    true = repeated_dose_concentration(
        dose_mg=dose, clearance=clearance, central=central, absorption=absorption
    )
    noise = np.clip(normals(seed, "pooled-error", rows=size, columns=2 * len(TIMES_H)), -2.5, 2.5)
    relative, absolute = noise[:, : len(TIMES_H)], noise[:, len(TIMES_H) :]
    seen = true * (1.0 + PROPORTIONAL_ERROR * relative) + ADDITIVE_ERROR * absolute
    return Pooled(
        usubjid=tuple(f"{study}-{place + 1:04d}" for place, (study, _) in enumerate(source)),
        source=tuple(study for study, _ in source),
        disease=tuple(state for _, state in source),
        sex=tuple(np.where(female, "F", "M").tolist()),
        race=tuple(_RACES[place][0] for place in races.tolist()),
        ethnic=tuple(
            "HISPANIC OR LATINO" if draw < _HISPANIC_SHARE else "NOT HISPANIC OR LATINO"
            for draw in person[:, 2].tolist()
        ),
        age=np.floor(18.0 + 42.0 * (person[:, 3] + person[:, 4]) / 2.0),
        weight=weight,
        creatinine=creatinine,
        dose_mg=dose,
        clearance=clearance,
        central=central,
        absorption=absorption,
        concentration=round_reported(np.maximum(seen, 1e-4)),
    )


def pooled_rows(seed: int) -> list[Row]:
    """Lines of ``pk_pool.events``: per subject its doses as one record, then its samples."""
    pooled, rows = draw_pooled(seed), list[Row]()
    for place, usubjid in enumerate(pooled.usubjid):
        identity = [STUDY, pooled.source[place], usubjid]
        who = [
            *(f"{pooled.age[place]:.0f}", pooled.sex[place], pooled.race[place]),
            *(pooled.ethnic[place], f"{pooled.weight[place]:.1f}"),
            *(f"{pooled.creatinine[place]:.2f}", "mg/dL", pooled.disease[place]),
        ]
        dose = ["1", f"{pooled.dose_mg[place]:g}", "mg", str(DAYS - 1), f"{INTERVAL_H:g}"]
        rows.append([*identity, "1", "0", *dose, "", "", "", "", *who])
        values = pooled.concentration[place]
        texts = significant_texts(values)
        for number, (time, value, text) in enumerate(
            zip(TIMES_H, values.tolist(), texts, strict=True), start=2
        ):
            low = value < LLOQ
            result = ["" if low else text, "ng/mL", "1" if low else "0", f"{LLOQ:g}"]
            sample = [*identity, str(number), f"{time:g}", "0", "", "", "", ""]
            rows.append([*sample, *result, *who])
    return rows


def pooled_subject_table(seed: int) -> pl.DataFrame:
    """Tabulate dose, clearance and exposure of every subject of the earlier studies."""
    pooled = draw_pooled(seed)
    return pl.DataFrame(
        {
            "usubjid": pooled.usubjid,
            "source": pooled.source,
            "disease": pooled.disease,
            "weight_kg": pooled.weight,
            "dose_mg": pooled.dose_mg,
            "clearance_l_per_h": pooled.clearance,
            "central_l": pooled.central,
            "absorption_per_h": pooled.absorption,
            "auc_ss": 1000.0 * pooled.dose_mg / pooled.clearance,
        }
    )


def planted_kinetics() -> pl.DataFrame:
    """Tabulate the population parameters that trial and earlier studies share."""
    spread = {"CL": log_sd(CLEARANCE_CV), "V1": log_sd(CENTRAL_CV), "KA": log_sd(ABSORPTION_CV)}
    values = {
        "CL": CLEARANCE,
        "V1": CENTRAL,
        "Q": BETWEEN,
        "V2": PERIPHERAL,
        "KA": ABSORPTION,
        "TLAG": LAG_H,
        "CL~WT": CLEARANCE_SIZE,
        "V1~WT": CENTRAL_SIZE,
        "CL~DOSE": DOSE_EXPONENT,
        "omega2(CL)": spread["CL"] ** 2,
        "omega(CL,V1)": RANDOM_CORRELATION * spread["CL"] * spread["V1"],
        "omega2(V1)": spread["V1"] ** 2,
        "omega2(KA)": spread["KA"] ** 2,
        "sigma_add": ADDITIVE_ERROR,
        "sigma_prop": PROPORTIONAL_ERROR,
        "dose slope of AUCss": 1.0 - DOSE_EXPONENT,
    }
    return pl.DataFrame({"parameter": list(values), "value": list(values.values())})
