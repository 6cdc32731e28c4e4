"""Simulated studies of any seed as events for the population model, without files or intake.

Predose samples of the trial's active arms at steady state, and the earlier studies' rich ones.
"""

import numpy as np
import polars as pl

from assayhouse.pk import EventTable, ModelSpec
from assayhouse.simulate.exposure import LLOQ
from assayhouse.simulate.pooled import DAYS, TIMES_H, Pooled, draw_pooled
from assayhouse.simulate.specimens import collection_times
from assayhouse.simulate.study import SUBJECTS_PER_ARM
from assayhouse.simulate.subjects import draw_subjects
from assayhouse.simulate.world import World

_SAMPLED = (1, 2, 3)
"""Visits with a predose sample."""
_DOSE = {"EVID": 1, "MDV": 1, "BLQ": 0, "CMT": 1, "II": 24.0}
_SAMPLE = {"EVID": 0, "MDV": 0, "LLOQ": LLOQ, "CMT": 1, "II": 0.0}


def _sample(value: float) -> dict[str, object]:
    return {**_SAMPLE, "BLQ": int(value < LLOQ), "DV": None if value < LLOQ else value}


def _trial(world: World) -> list[dict[str, object]]:
    subjects, exposure, rows = world.subjects, world.exposure, list[dict[str, object]]()
    blood = np.column_stack([collection_times(world.seed, subjects, visit) for visit in range(4)])
    for place in np.flatnonzero(exposure.dose_mg > 0.0).tolist():
        dose = float(exposure.dose_mg[place])
        who = {"ID": subjects.usubjid[place], "DOSE": dose, "WT": world.body.weight[place, 0]}
        first = exposure.before[place, _SAMPLED[0]]
        for visit in _SAMPLED:
            if visit >= subjects.visits_attended[place]:
                continue
            taken, drawn = (
                float((moment - first).astype(np.int64)) / 60.0
                for moment in (exposure.before[place, visit], blood[place, visit])
            )
            rows.append({**who, **_DOSE, "TIME": taken, "AMT": dose, "SS": 1})
            rows.append({**who, **_sample(float(exposure.concentration[place, visit])),
                         "TIME": drawn})  # fmt: skip
    return rows


def _earlier(pooled: Pooled) -> list[dict[str, object]]:
    rows = list[dict[str, object]]()
    for place, usubjid in enumerate(pooled.usubjid):
        dose = float(pooled.dose_mg[place])
        who = {"ID": usubjid, "DOSE": dose, "WT": float(pooled.weight[place])}
        rows.append({**who, **_DOSE, "TIME": 0.0, "AMT": dose, "ADDL": DAYS - 1})
        for time, value in zip(TIMES_H, pooled.concentration[place].tolist(), strict=True):
            rows.append({**who, **_sample(value), "TIME": time})
    return rows


def study_events(seed: int) -> tuple[EventTable, pl.DataFrame]:
    """Events of a study of this seed, and what was planted: ID, DOSE_MG, AUCSS_TRUE, KA_TRUE.

    KA_TRUE is of the earlier studies' subjects; the trial's is null.
    """
    world, pooled = World(seed, draw_subjects(seed, SUBJECTS_PER_ARM)), draw_pooled(seed)
    rows = [*_trial(world), *_earlier(pooled)]
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("ADDL", "SS").fill_null(0)
    )
    events = EventTable.from_frame(
        frame, amt_unit="mg", dv_unit="ng/mL", covariates=("WT", "DOSE"), subject_rule="observed"
    )
    given = world.exposure.dose_mg > 0.0
    trial = pl.DataFrame(
        {
            "ID": np.array(world.subjects.usubjid)[given],
            "DOSE_MG": world.exposure.dose_mg[given],
            "AUCSS_TRUE": world.exposure.auc_ss[given],
        }
    )
    earlier = pl.DataFrame(
        {
            "ID": pooled.usubjid,
            "DOSE_MG": pooled.dose_mg,
            "AUCSS_TRUE": 1000.0 * pooled.dose_mg / pooled.clearance,
            "KA_TRUE": pooled.absorption,
        }
    )
    return events, pl.concat([trial, earlier], how="diagonal")


def planted_model() -> ModelSpec:
    """The model that the simulation follows, to be started a way off the truth."""
    return ModelSpec.from_dict(
        {
            "structure": "oral2lag",
            "iiv": ["CL", "V1", "KA"],
            "block": [["CL", "V1"]],
            "error": "combined",
            "init": {"CL": 15, "V1": 90, "Q": 10, "V2": 120, "KA": 0.9, "TLAG": 0.25},
            "covariates": [
                {"form": "power", "parameter": "CL", "column": "WT", "reference": 70},
                {"form": "power", "parameter": "V1", "column": "WT", "reference": 70},
                {"form": "power", "parameter": "CL", "column": "DOSE", "reference": 0.3},
            ],
        }
    )
