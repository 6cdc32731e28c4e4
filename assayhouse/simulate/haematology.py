"""Whole-blood counts and the central laboratory's other tests, as measured. No file.

References
----------
.. [1] Lipsky PE et al. (2022), Ann Rheum Dis, annrheumdis-2022-222212: anti-dsDNA falls by 61.2 %
   (0.45 mg) and 56.1 % (0.3 mg) in subjects with at least 8 IU/mL at baseline.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import VISITS, bend
from assayhouse.simulate.cells import draw_cells
from assayhouse.simulate.levels import Levels, draw_latent, results_lost, round_reported
from assayhouse.simulate.scores import LARGEST_LATENT
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import Subjects, subject_normals

CBC_VENDOR = "central_lab"
LYMPHOCYTE_CV = 0.03
LYMPHOCYTE_SHARE, LYMPHOCYTE_SHARE_SD = 0.27, 0.22
"""Median share of lymphocytes among leucocytes, and the SD of its log."""
DSDNA_POSITIVE = 8.0
DSDNA_MEDIAN, DSDNA_LOG_SD = 12.0, 1.6
"""Puts 60 % of subjects at 8 IU/mL or more."""
DSDNA_CORRELATION = 0.9
DSDNA_FALL = {1: 0.15, 2: 0.561, 3: 0.612}
"""Fall of the positive by week 24, by place of the arm."""
DSDNA_COURSE = (0.0, 0.4, 0.75, 1.0)
"""Share of the log fall that is reached at each visit."""
LLOQ = {"ADSDNA": 1.0, "LYM": 10.0, "WBC": 50.0, "CREAT": 5.0, "ALB": 1.0, "C3": 0.05, "C4": 0.01}
# Median, SD of the log, correlation of visits, decimals printed.
_CHEMISTRY = {
    "CREAT": (68.0, 0.2, 0.8, 0),
    "ALB": (41.0, 0.08, 0.6, 0),
    "C3": (0.95, 0.22, 0.8, 2),
    "C4": (0.16, 0.35, 0.8, 3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blood:
    """True cells and the counts of the haematology analyser, (n, visits) each."""

    cells: Mapping[str, FloatArray]
    lymphocytes: Levels
    leucocytes: Levels


def draw_blood(seed: int, subjects: Subjects) -> Blood:
    """Draw cells and blood counts: lymphocytes are T, B and NK cells together."""
    cells = draw_cells(seed, subjects)
    true = cells["CD3T"] + cells["CD19B"] + cells["NK"]
    noise = subject_normals(seed, subjects, "cbc", columns=len(VISITS))
    counted = np.rint(true * np.exp(LYMPHOCYTE_CV * np.clip(noise, -2.5, 2.5)))
    latent = bend(draw_latent(seed, subjects, "WBC", correlation=0.5))
    share = LYMPHOCYTE_SHARE * np.exp(LYMPHOCYTE_SHARE_SD * latent)
    whole = true / share
    lost = results_lost(seed, subjects, "LYM")
    return Blood(
        cells=cells,
        lymphocytes=Levels(true=true, reported=counted, blq=counted < LLOQ["LYM"], lost=lost),
        leucocytes=Levels(
            true=whole,
            reported=np.rint(whole / 10.0) * 10.0,
            blq=whole < LLOQ["WBC"],
            lost=lost,
        ),
    )


def draw_antibodies(seed: int, subjects: Subjects) -> Levels:
    """Draw anti-dsDNA: treatment acts on those who are positive at baseline."""
    latent = draw_latent(seed, subjects, "ADSDNA", correlation=DSDNA_CORRELATION, common_share=0.0)
    log_level = math.log(DSDNA_MEDIAN) + DSDNA_LOG_SD * np.clip(
        latent, -LARGEST_LATENT, LARGEST_LATENT
    )
    full = np.array([math.log1p(-DSDNA_FALL.get(place, 0.0)) for place in range(4)])
    positive = log_level[:, :1] >= math.log(DSDNA_POSITIVE)
    log_level = log_level + np.outer(full[subjects.arm], DSDNA_COURSE) * positive
    true = np.exp(log_level)
    reported = round_reported(true)
    lost = results_lost(seed, subjects, "ADSDNA")
    return Levels(true=true, reported=reported, blq=reported < LLOQ["ADSDNA"], lost=lost)


def draw_chemistry(seed: int, subjects: Subjects) -> dict[str, Levels]:
    """Draw creatinine, albumin and complement; treatment leaves them alone."""
    drawn = {}
    for paramcd, (median, log_sd, correlation, places) in _CHEMISTRY.items():
        latent = bend(draw_latent(seed, subjects, paramcd, correlation=correlation))
        true = median * np.exp(log_sd * latent)
        reported = np.round(true, places)
        lost = results_lost(seed, subjects, paramcd)
        drawn[paramcd] = Levels(
            true=true, reported=reported, blq=reported < LLOQ[paramcd], lost=lost
        )
    return drawn


def decimals_of(paramcd: str) -> int:
    """Decimals with which a chemistry result is printed."""
    return _CHEMISTRY[paramcd][3]
