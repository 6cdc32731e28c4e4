"""True levels, what the laboratory reports of them, and the trial as an analyst would see it.

The study files and ``draw_trial`` are made from the same draws, so that the estimator's own limit
belongs to the very distribution the files come from.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from assayhouse.simulate.calibration import (
    ARMS,
    BETWEEN_ANALYTE_SHARE,
    CALIBRATIONS,
    RESULT_LOST,
    SPECIMEN_LOST,
    STRATA_SHARES,
    VISIT_NUMBERS,
    VISITS,
    WITHIN_SUBJECT_CORRELATION,
    Calibration,
    bend,
    bent_sd,
    mean_of_exponential,
)
from assayhouse.simulate.streams import FloatArray, normals, uniforms
from assayhouse.simulate.subjects import BoolArray, Subjects, draw_subjects

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


def _latent(seed: int, subjects: Subjects, paramcd: str) -> FloatArray:
    shared, own = math.sqrt(BETWEEN_ANALYTE_SHARE), math.sqrt(1.0 - BETWEEN_ANALYTE_SHARE)
    constant = math.sqrt(WITHIN_SUBJECT_CORRELATION)
    varying = math.sqrt(1.0 - WITHIN_SUBJECT_CORRELATION)
    parts = []
    for arm, size in zip(subjects.arms, subjects.sizes, strict=True):
        common = normals(seed, "subject", arm, rows=size, columns=1)
        draws = normals(seed, "level", paramcd, arm, rows=size, columns=1 + len(VISITS))
        subject = shared * common + own * draws[:, :1]
        parts.append(constant * subject + varying * draws[:, 1:])
    return bend(np.vstack(parts))


def draw_levels(seed: int, subjects: Subjects, calibration: Calibration) -> Levels:
    """Draw one analyte for all subjects and visits; no other analyte has a say in it."""
    paramcd = calibration.assay.paramcd
    log_sd = calibration.log_sd[subjects.arm]
    scale = np.vectorize(mean_of_exponential)(calibration.log_sd)[subjects.arm]
    log_level = (
        np.log(calibration.means[subjects.arm])
        - np.log(scale)
        + log_sd * _latent(seed, subjects, paramcd)
        + _strata_shift(calibration, subjects)[:, None]
    )
    true = np.exp(log_level)
    reported = round_reported(true)
    lost = [
        uniforms(seed, "result-lost", paramcd, arm, rows=size, columns=len(VISITS)) < RESULT_LOST
        for arm, size in zip(subjects.arms, subjects.sizes, strict=True)
    ]
    return Levels(
        true=true, reported=reported, blq=reported < calibration.lloq, lost=np.vstack(lost)
    )


def specimens_present(seed: int, subjects: Subjects) -> BoolArray:
    """Say which specimens reached the laboratory, (n, visits): attended and not lost."""
    lost = np.vstack(
        [
            uniforms(seed, "specimen-lost", arm, rows=size, columns=len(VISITS)) < SPECIMEN_LOST
            for arm, size in zip(subjects.arms, subjects.sizes, strict=True)
        ]
    )
    attended = np.arange(len(VISITS)) < subjects.visits_attended[:, None]
    return np.asarray(attended & ~lost, dtype=np.bool_)


def _long(
    subjects: Subjects, levels: Levels, calibration: Calibration, present: BoolArray
) -> pl.DataFrame:
    known = present & ~levels.lost
    analysed = np.where(levels.blq, calibration.lloq / 2.0, levels.reported)
    arms = np.array(ARMS)[subjects.arm]
    frames = []
    for visit in range(1, len(VISITS)):
        values = pl.Series("aval", analysed[:, visit]).set(pl.Series(~known[:, visit]), None)
        columns: dict[str, object] = {
            "usubjid": subjects.usubjid,
            "arm": arms,
            "paramcd": [calibration.assay.paramcd] * len(subjects),
            "avisitn": [VISIT_NUMBERS[visit]] * len(subjects),
            "aval": values,
            "base": analysed[:, 0],
            "blq": levels.blq[:, visit] & known[:, visit],
            "lloq": [float(calibration.lloq[visit])] * len(subjects),
            "strata1": subjects.strata_text(0),
            "strata2": subjects.strata_text(1),
        }
        frames.append(pl.DataFrame(columns).filter(pl.Series(known[:, 0])))
    return pl.concat(frames)


def draw_trial(*, seed: int, subjects_per_arm: Mapping[str, int], missing: bool) -> pl.DataFrame:
    """Draw a whole trial in the long form of the effect analysis, without any file.

    Parameters
    ----------
    seed : int
        The seed of ``simulate_study`` with its numbers of subjects gives its very values.
    subjects_per_arm : mapping of str to int
        Any of the study's arms.
    missing : bool
        False gives every subject every visit: the population an estimator would have with
        complete data.

    Returns
    -------
    polars.DataFrame
        One row per subject, parameter and later visit, sorted by them: usubjid, arm, paramcd,
        avisitn, aval, base, blq, lloq, strata1, strata2. Below the limit, aval and base are half
        of it. Subjects without a baseline result are absent for that parameter; a missing later
        result has a null aval.

    Raises
    ------
    SimulationError
        Unknown arm or impossible number of subjects.
    """
    subjects = draw_subjects(seed, subjects_per_arm)
    present = specimens_present(seed, subjects)
    frames = []
    for calibration in CALIBRATIONS:
        levels = draw_levels(seed, subjects, calibration)
        if not missing:
            present = np.ones_like(present)
            levels = Levels(
                true=levels.true,
                reported=levels.reported,
                blq=levels.blq,
                lost=np.zeros_like(levels.lost),
            )
        frames.append(_long(subjects, levels, calibration, present))
    return pl.concat(frames).sort("usubjid", "paramcd", "avisitn")


def planted_means() -> pl.DataFrame:
    """Tabulate what is planted: mean, log SD and limit per analyte, arm and visit.

    ``mean`` is the arithmetic mean of all subjects before the limit of quantification acts, pg/mL.
    It is not what a robust estimator converges to: for that, see ``draw_trial``.
    """
    rows = [
        {
            "paramcd": calibration.assay.paramcd,
            "arm": arm,
            "avisitn": visit_number,
            "mean": float(calibration.means[place, visit]),
            "log_sd": float(calibration.log_sd[place, visit]) * bent_sd(),
            "lloq": float(calibration.lloq[visit]),
        }
        for calibration in CALIBRATIONS
        for place, arm in enumerate(ARMS)
        for visit, visit_number in enumerate(VISIT_NUMBERS)
    ]
    return pl.DataFrame(rows).sort("paramcd", "arm", "avisitn")
