"""What is true of each subject, as tables for the folder of the truth. Writes nothing."""

import numpy as np
import polars as pl

from assayhouse.simulate.calibration import ARM_NAMES, ARMS, VISIT_NUMBERS, VISITS
from assayhouse.simulate.published import shares_above
from assayhouse.simulate.scores import PARAMCDS
from assayhouse.simulate.truth import analytes, parameters
from assayhouse.simulate.world import World

SUPER_HIGH = 0.615
"""Cut that the paper's search found on the log2 interferon score."""
LATER_WEEKS = VISIT_NUMBERS[1:]


def subject_table(world: World) -> pl.DataFrame:
    """Tabulate arm, strata, disease, response and exposure of every subject."""
    subjects, efficacy, exposure = world.subjects, world.efficacy, world.exposure
    codes = [ARMS[place] for place in subjects.arm.tolist()]
    treated = exposure.dose_mg > 0.0
    columns: dict[str, object] = {
        "usubjid": subjects.usubjid,
        "arm": codes,
        "arm_name": [ARM_NAMES[code] for code in codes],
        "strata1": subjects.strata_text(0),
        "strata2": subjects.strata_text(1),
        "visits_attended": subjects.visits_attended,
        "stays_to_week_24": efficacy.stays,
        "sledai": world.disease.sledai,
        "steroid_mg": world.disease.steroid_mg,
        "azathioprine": world.disease.azathioprine,
        "response_probability": efficacy.probability,
        "weight_kg": world.body.weight[:, 0],
        "dose_mg": exposure.dose_mg,
        "clearance_l_per_h": pl.Series(exposure.clearance).set(pl.Series(~treated), None),
        "auc_ss": exposure.auc_ss,
    }
    for place, week in enumerate(LATER_WEEKS):
        columns[f"responder_week_{week}"] = efficacy.responder[:, place]
    columns["responder_nri"] = efficacy.responder[:, -1] & efficacy.stays
    return pl.DataFrame(columns).sort("usubjid")


def score_table(world: World) -> pl.DataFrame:
    """Tabulate the log2 scores as drawn and as the printed peaks give them, with the subset.

    ``high`` is judged on the score as printed, at baseline, for every visit of the subject.
    """
    present, frames = world.present("dxterity"), []
    for paramcd in PARAMCDS:
        cut = shares_above()[paramcd][0]
        printed = world.expressed.scores[paramcd]
        for visit, week in enumerate(VISIT_NUMBERS):
            frames.append(
                pl.DataFrame(
                    {
                        "usubjid": world.subjects.usubjid,
                        "paramcd": [f"{paramcd}L"] * len(world.subjects),
                        "avisitn": [week] * len(world.subjects),
                        "score_true": world.scores[paramcd][:, visit],
                        "score_printed": printed[:, visit],
                        "high_at_baseline": printed[:, 0] > cut,
                        "specimen_arrived": present[:, visit],
                    }
                )
            )
    return pl.concat(frames).sort("usubjid", "paramcd", "avisitn")


def level_table(world: World) -> pl.DataFrame:
    """Tabulate what was true and what the laboratory reported, for every analyte and visit."""
    frames = [
        pl.DataFrame(
            {
                "usubjid": world.subjects.usubjid,
                "paramcd": [analyte.paramcd] * len(world.subjects),
                "avisitn": [VISIT_NUMBERS[visit]] * len(world.subjects),
                "true": analyte.levels.true[:, visit],
                "reported": analyte.levels.reported[:, visit],
                "blq": analyte.levels.blq[:, visit],
                "delivered": analyte.present[:, visit] & ~analyte.levels.lost[:, visit],
            }
        )
        for analyte in analytes(world, parameters())
        for visit in range(len(VISITS))
    ]
    return pl.concat(frames).sort("usubjid", "paramcd", "avisitn")


def response_table(world: World) -> pl.DataFrame:
    """Tabulate the planted response rate at week 24 by arm and baseline interferon level."""
    interferon, aiolos = world.scores["IFNMOD"][:, 0], world.scores["IKZF3"][:, 0]
    chance = world.efficacy.probability
    cuts = shares_above()
    subsets = {
        "all": np.ones(len(chance), dtype=np.bool_),
        "interferon high": interferon > cuts["IFNMOD"][0],
        "interferon low": interferon <= cuts["IFNMOD"][0],
        "interferon super-high": interferon > SUPER_HIGH,
        "aiolos high": aiolos > cuts["IKZF3"][0],
        "aiolos low": aiolos <= cuts["IKZF3"][0],
    }
    rows = []
    for name, members in subsets.items():
        for place, arm in enumerate(ARMS):
            own = members & (world.subjects.arm == place)
            rows.append(
                {
                    "subset": name,
                    "arm": arm,
                    "n": int(own.sum()),
                    "expected_rate": float(chance[own].mean()) if own.any() else None,
                    "responders": int(world.efficacy.responder[own, -1].sum()),
                }
            )
    return pl.DataFrame(rows)
