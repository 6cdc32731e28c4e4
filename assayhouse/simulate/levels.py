"""Levels of analytes and how they are printed: latent normals, limits, rounding, what is lost.

Knows no file and no vendor.
"""

import math
from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import (
    BETWEEN_ANALYTE_SHARE,
    RESULT_LOST,
    SPECIMEN_LOST,
    STRATA_SHARES,
    VISITS,
    Calibration,
    bend,
    mean_of_exponential,
)
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import (
    BoolArray,
    Subjects,
    subject_normals,
    subject_uniforms,
)

REPORTED_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """One analyte in every subject at every visit.

    Attributes
    ----------
    true : (n, visits) array
        Concentration before rounding, pg/mL.
    reported : (n, visits) array
        Rounded to what the laboratory prints, pg/mL.
    blq : (n, visits) array
        True where the reported number is below the limit in force.
    lost : (n, visits) array
        True where the specimen arrived but gave no result.
    """

    true: FloatArray
    reported: FloatArray
    blq: BoolArray
    lost: BoolArray


def decimals(values: FloatArray) -> FloatArray:
    """Compute the decimals (negative: trailing zeros) that leave four significant digits."""
    return np.asarray(REPORTED_DIGITS - 1 - np.floor(np.log10(values)), dtype=np.float64)


def round_reported(values: FloatArray) -> FloatArray:
    """Round positive numbers to four significant digits.

    Examples
    --------
    >>> round_reported(np.array([0.123449, 12344.9])).tolist()
    [0.1234, 12340.0]
    """
    digits = decimals(values)
    up, down = 10.0 ** np.maximum(digits, 0), 10.0 ** np.maximum(-digits, 0)
    return np.asarray(np.rint(values * up / down) * down / up, dtype=np.float64)


def _strata_shift(calibration: Calibration, subjects: Subjects) -> FloatArray:
    effects = np.array(calibration.assay.strata_effects)
    mean = 1.0
    for share, effect in zip(STRATA_SHARES, calibration.assay.strata_effects, strict=True):
        mean *= 1.0 - share + share * math.exp(effect)
    return np.asarray(subjects.strata @ effects - math.log(mean), dtype=np.float64)


def draw_latent(
    seed: int,
    subjects: Subjects,
    paramcd: str,
    *,
    correlation: float,
    block: str = "",
    common_share: float = BETWEEN_ANALYTE_SHARE,
) -> FloatArray:
    """Draw standard normals, (n, visits), before their tails are bent.

    Parameters
    ----------
    paramcd : str
        Addresses the stream.
    correlation : float
        Of any two visits of one subject.
    block : str
        Analytes of one block share half of what is their own; empty for none.
    common_share : float
        Share of the subject's own variance that is common to all analytes.
    """
    common = subject_normals(seed, subjects, "subject", columns=1)
    draws = subject_normals(seed, subjects, "level", paramcd, columns=1 + len(VISITS))
    if block:
        theirs = subject_normals(seed, subjects, "block", block, columns=1 + len(VISITS))
        draws = math.sqrt(0.5) * (draws + theirs)
    shared, own = math.sqrt(common_share), math.sqrt(1.0 - common_share)
    subject = shared * common + own * draws[:, :1]
    return math.sqrt(correlation) * subject + math.sqrt(1.0 - correlation) * draws[:, 1:]


def draw_levels(seed: int, subjects: Subjects, calibration: Calibration) -> Levels:
    """Draw one analyte for all subjects and visits; no other analyte has a say in it."""
    paramcd = calibration.assay.paramcd
    log_sd = calibration.log_sd[subjects.arm]
    scale = np.vectorize(mean_of_exponential)(calibration.log_sd)[subjects.arm]
    latent = draw_latent(
        seed,
        subjects,
        paramcd,
        correlation=calibration.correlation,
        block=calibration.block,
    )
    log_level = (
        np.log(calibration.means[subjects.arm])
        - np.log(scale)
        + log_sd * bend(latent)
        + _strata_shift(calibration, subjects)[:, None]
    )
    true = np.exp(log_level)
    reported = round_reported(true)
    return Levels(
        true=true,
        reported=reported,
        blq=reported < calibration.lloq,
        lost=results_lost(seed, subjects, paramcd),
    )


def results_lost(seed: int, subjects: Subjects, paramcd: str) -> BoolArray:
    """Say which results come to nothing although the specimen arrived, (n, visits)."""
    draws = subject_uniforms(seed, subjects, "result-lost", paramcd, columns=len(VISITS))
    return np.asarray(draws < RESULT_LOST, dtype=np.bool_)


def specimens_attended(subjects: Subjects) -> BoolArray:
    """Say which visits took place, (n, visits)."""
    return np.asarray(np.arange(len(VISITS)) < subjects.visits_attended[:, None], dtype=np.bool_)


def specimens_present(seed: int, subjects: Subjects, vendor: str = "") -> BoolArray:
    """Say which specimens reached the laboratory, (n, visits): attended and not lost.

    Each laboratory has its own specimens; without a name, those of the immunoassays.
    """
    words = ("specimen-lost", vendor) if vendor else ("specimen-lost",)
    lost = subject_uniforms(seed, subjects, *words, columns=len(VISITS)) < SPECIMEN_LOST
    return np.asarray(specimens_attended(subjects) & ~lost, dtype=np.bool_)
