"""What is planted: level, spread and limits per analyte, arm and visit. Draws nothing.

The means and standard errors are the published ones of supplementary table S3 of Lipsky et al.;
the rest (correlations, strata effects, limits, drop-out) are assumptions, named as such in
``docs/methods/simulation.md``.

References
----------
.. [1] Lipsky PE et al. (2022), Ann Rheum Dis, annrheumdis-2022-222212, table S3.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from assayhouse.simulate.published import printed_rows
from assayhouse.simulate.streams import FloatArray

STUDY = "DEMO-SLE-01"
ARMS = ("PBO", "IB015", "IB030", "IB045")
ARM_NAMES = {
    "PBO": "Placebo",
    "IB015": "Iberdomide 0.15 mg",
    "IB030": "Iberdomide 0.3 mg",
    "IB045": "Iberdomide 0.45 mg",
}
SUBJECTS_PER_ARM = {"PBO": 83, "IB015": 42, "IB030": 82, "IB045": 81}
VISITS = ("BASELINE", "WEEK 4", "WEEK 12", "WEEK 24")
VISIT_NUMBERS = (0, 4, 12, 24)
TARGET_DAYS = (1, 29, 85, 169)
WINDOW_DAYS = (0, 3, 7, 7)
TRANSFER_DATES = ("2018-09-10", "2018-10-08", "2018-12-03", "2019-03-04")

WITHIN_SUBJECT_CORRELATION = 0.35
"""Correlation of any two visits of one subject and analyte, on the latent normal scale."""
BETWEEN_ANALYTE_SHARE = 0.2
"""Share of the subject's own variance that all analytes have in common."""
LARGEST_LOG_SD = 1.0
"""Cap on the log SD: the printed standard errors of IL-21 would ask for 1.5."""
TAIL_LIMIT = 2.5
"""Latent normals are bent smoothly so that none lies beyond this many SD."""
STRATA_SHARES = (0.45, 0.55)
"""Share of subjects with ``Y`` in STRATA1 (steroid >= 10 mg/day) and STRATA2 (SLEDAI >= 10)."""
DROPOUT_BY_VISIT = (0.04, 0.06, 0.08)
"""Chance of leaving before weeks 4, 12 and 24, given still in the study."""
DROPOUT_FACTOR = {"Y": 1.2, "N": 0.8}
"""Multiplies the chance of leaving by the level of STRATA2: the only thing leaving depends on."""
SPECIMEN_LOST = 0.015
RESULT_LOST = 0.004

# Adjusted mean and its SE at weeks 4, 12, 24; the first line holds the plain baseline means.
# Arms in the order of ARMS.
_TABLE_S3 = """
IL2   0  0.277 0.229 0.311 0.282
IL2   4  0.322 0.033 0.535 0.045 0.591 0.036 0.694 0.033
IL2   12 0.289 0.031 0.434 0.043 0.468 0.036 0.676 0.033
IL2   24 0.333 0.036 0.446 0.048 0.489 0.041 0.622 0.035
IL10  0  2.276 2.586 2.593 2.092
IL10  4  2.151 0.139 2.483 0.188 2.726 0.146 2.889 0.137
IL10  12 1.871 0.15 1.828 0.212 2.487 0.165 2.597 0.146
IL10  24 1.851 0.14 1.63 0.183 2.031 0.147 2.2 0.143
IL17A 0  0.49 0.683 0.511 0.346
IL17A 4  0.463 0.034 0.479 0.044 0.492 0.035 0.466 0.032
IL17A 12 0.392 0.046 0.434 0.062 0.606 0.054 0.475 0.046
IL17A 24 0.445 0.061 0.408 0.085 0.638 0.063 0.49 0.057
IL17F 0  1.921 1.8 1.68 2.65
IL17F 4  2.214 0.11 2.347 0.16 2.162 0.112 2.065 0.112
IL17F 12 1.684 0.146 1.6 0.193 1.915 0.166 1.917 0.141
IL17F 24 1.715 0.15 1.513 0.178 1.773 0.158 1.736 0.154
IL21  0  8.93 3.649 11.487 4.793
IL21  4  1.653 0.519 1.545 0.586 1.496 0.538 1.417 0.553
IL21  12 2.418 0.418 2.207 0.574 1.954 0.465 2.206 0.42
IL21  24 3.018 0.808 2.691 1.077 3.994 1.099 2.456 0.779
BLYS  0  391.91 366.604 330.969 423.164
BLYS  4  349.972 27.884 233.758 36.399 262.041 27.318 282.603 26.91
BLYS  12 257.891 28.241 258.327 36.882 258.493 30.421 271.577 27.586
BLYS  24 240.733 28.804 194.094 31.097 192.539 24.621 220.855 24.755
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assay:
    """What the laboratory's assay for one analyte is like.

    Attributes
    ----------
    paramcd, label : str
        Code and the laboratory's own name of the analyte.
    lloq : (2,) tuple of float
        Lower limit of quantification under the first and the second calibrator lot, pg/mL.
    uloq : float
        Upper limit, pg/mL.
    dilution : int
        Dilution factor before the plate.
    strata_effects : (2,) tuple of float
        Shift of the log level with ``Y`` in STRATA1 and STRATA2.
    """

    paramcd: str
    label: str
    lloq: tuple[float, float]
    uloq: float
    dilution: int
    strata_effects: tuple[float, float]


ASSAYS = (
    Assay(
        paramcd="IL2",
        label="Interleukin-2",
        lloq=(0.05, 0.05),
        uloq=50.0,
        dilution=1,
        strata_effects=(-0.08, 0.05),
    ),
    Assay(
        paramcd="IL10",
        label="Interleukin-10",
        lloq=(0.1, 0.1),
        uloq=250.0,
        dilution=1,
        strata_effects=(0.05, 0.12),
    ),
    Assay(
        paramcd="IL17A",
        label="Interleukin-17A",
        lloq=(0.15, 0.12),
        uloq=100.0,
        dilution=1,
        strata_effects=(-0.05, 0.06),
    ),
    Assay(
        paramcd="IL17F",
        label="Interleukin-17F",
        lloq=(0.3, 0.3),
        uloq=1000.0,
        dilution=1,
        strata_effects=(-0.05, 0.05),
    ),
    Assay(
        paramcd="IL21",
        label="Interleukin-21",
        lloq=(0.5, 0.5),
        uloq=2000.0,
        dilution=1,
        strata_effects=(0.0, 0.08),
    ),
    Assay(
        paramcd="BLYS",
        label="B lymphocyte stimulator",
        lloq=(10.0, 10.0),
        uloq=20000.0,
        dilution=10,
        strata_effects=(-0.1, 0.1),
    ),
)
"""The six analytes, in the order of table S3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Planted distribution of one analyte.

    Attributes
    ----------
    assay : Assay
        Limits and labels.
    means : (arms, visits) array
        Planted arithmetic mean as the laboratory would report it, pg/mL.
    log_sd : (arms, visits) array
        SD of the log level between subjects, before its tails are bent.
    lloq : (visits,) array
        Lower limit in force when the visit's specimens were run, pg/mL.
    lot_factor : float
        Readings under the first calibrator lot over readings under the second.
    correlation : float
        Correlation of any two visits of one subject, on the latent normal scale.
    block : str
        Analytes of one block share half of what varies; empty for none.
    """

    assay: Assay
    means: FloatArray
    log_sd: FloatArray
    lloq: FloatArray
    lot_factor: float
    correlation: float = WITHIN_SUBJECT_CORRELATION
    block: str = ""


def _published() -> dict[tuple[str, int], list[float]]:
    return printed_rows(_TABLE_S3)


def bend(latent: FloatArray) -> FloatArray:
    """Bend standard normals smoothly into the interval of +- TAIL_LIMIT."""
    return np.asarray(TAIL_LIMIT * np.tanh(latent / TAIL_LIMIT), dtype=np.float64)


@functools.cache
def _quadrature() -> tuple[FloatArray, FloatArray]:
    nodes, weights = hermegauss(100)
    return nodes, weights / math.sqrt(2.0 * math.pi)


def bent_sd() -> float:
    """SD of a bent standard normal: the log SD in the data is this share of ``log_sd``."""
    nodes, weights = _quadrature()
    return math.sqrt(float(np.sum(weights * bend(nodes) ** 2)))


def mean_of_exponential(log_sd: float) -> float:
    """Compute E exp(s bend(Z)) for a standard normal Z, by Gauss-Hermite quadrature.

    Examples
    --------
    >>> round(mean_of_exponential(0.0), 12)
    1.0
    """
    nodes, weights = _quadrature()
    return float(np.sum(weights * np.exp(log_sd * bend(nodes))))


def spread_from_errors(
    published: Mapping[tuple[str, int], list[float]], paramcd: str, *, correlation: float
) -> FloatArray:
    """Log SD by arm and visit: the printed errors are those of one spread common to all arms."""
    sizes = np.sqrt([SUBJECTS_PER_ARM[arm] for arm in ARMS])
    later = []
    for visit in VISIT_NUMBERS[1:]:
        cells = np.array(published[paramcd, visit]).reshape(len(ARMS), 2)
        # The printed SE is of a mean adjusted for baseline: undo what baseline explains.
        spread = np.mean(cells[:, 1] * sizes) / math.sqrt(1.0 - correlation**2)
        squared_cv = (spread / cells[:, 0]) ** 2
        later.append(np.minimum(np.sqrt(np.log1p(squared_cv)), LARGEST_LOG_SD))
    baseline = np.full(len(ARMS), float(np.mean(later)))
    return np.column_stack([baseline, *later])


def planted_table(
    published: Mapping[tuple[str, int], list[float]], paramcd: str
) -> tuple[FloatArray, float]:
    """Means by arm and visit, and the baseline mean all arms share.

    All arms share one baseline distribution, as randomisation would have it: its mean is the
    mean of the four printed ones, weighted by the arms' sizes.
    """
    sizes = np.array([SUBJECTS_PER_ARM[arm] for arm in ARMS], dtype=np.float64)
    baseline = float(np.average(published[paramcd, 0], weights=sizes))
    columns = [np.full(len(ARMS), baseline)]
    columns += [np.array(published[paramcd, visit])[::2] for visit in VISIT_NUMBERS[1:]]
    return np.column_stack(columns), baseline


def calibrate(assay: Assay) -> Calibration:
    """Turn the published table of the cytokines into the planted distribution of one analyte."""
    published = _published()
    means, baseline = planted_table(published, assay.paramcd)
    # Only IL-21 falls in every arm, placebo included: planted as a shift of the first lot.
    shifted = assay.paramcd == "IL21"
    return Calibration(
        assay=assay,
        means=means,
        log_sd=spread_from_errors(published, assay.paramcd, correlation=WITHIN_SUBJECT_CORRELATION),
        lloq=np.array([assay.lloq[0], *[assay.lloq[1]] * (len(VISITS) - 1)]),
        lot_factor=round(baseline / float(means[0, 1:].mean()), 2) if shifted else 1.0,
    )


CALIBRATIONS = tuple(calibrate(assay) for assay in ASSAYS)
"""One per analyte, in the order of ``ASSAYS``."""
