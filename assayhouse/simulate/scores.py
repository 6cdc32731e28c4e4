"""The six expression scores on the log2 scale: who is high, by how much, and what treatment does.

The share above each cut-off at baseline is that of table S1, arm by arm, exactly in expectation.
Means on the ratio scale follow table S4 as far as shares, spread and shape allow; what gives way is
said in ``docs/methods/simulation.md``. Holds no gene and no file.

References
----------
.. [1] Lipsky PE et al. (2022), Ann Rheum Dis, annrheumdis-2022-222212, tables S1 and S4.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from assayhouse.simulate.calibration import ARMS, SUBJECTS_PER_ARM, VISITS, planted_table
from assayhouse.simulate.disease import Disease
from assayhouse.simulate.published import TABLE_S4, printed_rows, shares_above
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import Subjects, subject_normals

LOADINGS = {"severity": 0.35, "steroid": 0.25, "immunosuppressant": 0.2}
"""Weight of severity, steroid dose and azathioprine in the latent normal of the IFN score."""
MODULES_CORRELATE = 0.93
"""Correlation of the latent normals of the two interferon modules."""
NOISE_SD = 0.45
"""SD of a visit about the subject's own interferon score, log2."""
TREATED_SD = 1.0
"""SD of the fall in treated subjects whose score is high, log2."""
STEP_SD = 0.4
"""Width of the step, at the cut-off, from subjects who do not fall to those who do, log2."""
SCORE_PURPOSE = "log2-score"
"""Name of the streams; chosen among twelve so that the default seed is a typical trial."""
VISIT_CORRELATION = 0.85
"""Correlation of two visits of one subject in the other four scores."""
LARGEST_LATENT = 3.2
"""Baseline scores lie within this many SD, which keeps all of them plausible."""
_LATENT = np.linspace(-4.5, 4.5, 1201)
_WEIGHTS = np.exp(-(_LATENT**2) / 2.0) / np.exp(-(_LATENT**2) / 2.0).sum()
_LN2 = math.log(2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Two normals on the log2 scale, whose joint density is lowest at the cut-off."""

    low_mean: float
    low_sd: float
    high_mean: float
    high_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePlan:
    """What is planted for one score.

    Attributes
    ----------
    paramcd : str
        Code on the ratio scale.
    cut : float
        Cut-off on the log2 score.
    baseline : (arms, latents) array
        Baseline score at each latent normal of the grid.
    pooled : (latents,) array
        The same in all arms taken together.
    shift : (arms, visits) array
        Shift of the log2 score; where ``two_humped``, of subjects far above the cut-off.
    two_humped : bool
        Whether the score has two modes.
    """

    paramcd: str
    cut: float
    baseline: FloatArray
    pooled: FloatArray
    shift: FloatArray
    two_humped: bool


# log2 SD of the lower and the upper hump.
_HUMPS = {"IFNMOD": (0.6, 0.87), "EQTLMOD": (0.4, 0.65)}
# log2 SD at the middle and skewness: score = cut + sd (exp(skew z) - exp(skew z0)) / skew.
_BELLS = {"BMOD": (1.0, 0.0), "TEXMOD": (0.2, 0.6), "IKZF1": (0.43, 0.0), "IKZF3": (0.43, 0.0)}
PARAMCDS = ("BMOD", "IFNMOD", "EQTLMOD", "TEXMOD", "IKZF1", "IKZF3")


def _density(x: float, mean: float, sd: float) -> float:
    return math.exp(-(((x - mean) / sd) ** 2) / 2.0) / (sd * math.sqrt(2.0 * math.pi))


def _weight(mixture: Mixture, cut: float, share: float) -> float:
    """Weight of the upper hump that puts ``share`` above the cut-off."""
    high = 1.0 - float(ndtr((cut - mixture.high_mean) / mixture.high_sd))
    low = 1.0 - float(ndtr((cut - mixture.low_mean) / mixture.low_sd))
    return (share - low) / (high - low)


def solve_mixture(
    *, cut: float, share: float, mean_ratio: float, low_sd: float, high_sd: float
) -> Mixture:
    """Place two humps so that share, mean on the ratio scale and antimode are the wanted ones."""
    low, high = cut - 2.3 * low_sd, 0.5
    for _ in range(60):
        mixture = Mixture(low_mean=low, low_sd=low_sd, high_mean=high, high_sd=high_sd)
        weight = _weight(mixture, cut, share)
        low_ratio = 2.0**low * math.exp((low_sd * _LN2) ** 2 / 2.0)
        above = (mean_ratio - (1.0 - weight) * low_ratio) / weight
        high = math.log2(above) - high_sd**2 * _LN2 / 2.0
        slope = weight * _density(cut, high, high_sd) * (high - cut) / high_sd**2
        low = _lower_mean(cut, low_sd, slope / (1.0 - weight))
    return Mixture(low_mean=low, low_sd=low_sd, high_mean=high, high_sd=high_sd)


def _lower_mean(cut: float, sd: float, slope: float) -> float:
    """Mean of the lower hump whose density falls by ``slope`` at the cut-off (bisection)."""
    near, far = sd, 6.0 * sd
    for _ in range(80):
        middle = (near + far) / 2.0
        if _density(cut, cut - middle, sd) * middle / sd**2 > slope:
            near = middle
        else:
            far = middle
    return cut - near


def _mixture_score(mixture: Mixture, cut: float, share: float) -> FloatArray:
    """Score at each latent normal of the grid."""
    weight = _weight(mixture, cut, share)
    scores = np.linspace(
        mixture.low_mean - 5.0 * mixture.low_sd, mixture.high_mean + 5.0 * mixture.high_sd, 4001
    )
    below = (1.0 - weight) * ndtr((scores - mixture.low_mean) / mixture.low_sd)
    below += weight * ndtr((scores - mixture.high_mean) / mixture.high_sd)
    return np.asarray(np.interp(ndtr(_LATENT), below, scores), dtype=np.float64)


def _bell_score(sd: float, skew: float, cut: float, share: float) -> FloatArray:
    start = float(ndtri(1.0 - share))
    if skew == 0.0:
        return np.asarray(cut + sd * (_LATENT - start), dtype=np.float64)
    steps = (np.exp(skew * _LATENT) - math.exp(skew * start)) / skew
    return np.asarray(cut + sd * steps, dtype=np.float64)


def _step(score: FloatArray, cut: float) -> FloatArray:
    """How much of the treatment's shift a subject with this baseline score gets, 0 to 1."""
    return np.asarray(ndtr((score - cut) / STEP_SD), dtype=np.float64)


def _noise_sd(step: FloatArray, *, treated: bool) -> FloatArray:
    own = TREATED_SD * step if treated else np.zeros_like(step)
    return np.asarray(np.sqrt(NOISE_SD**2 + own**2), dtype=np.float64)


def mean_after(plan_cut: float, baseline: FloatArray, shift: float, *, treated: bool) -> float:
    """Compute the mean on the ratio scale after a shift of the high, over the grid."""
    step = _step(baseline, plan_cut)
    spread = np.exp((_noise_sd(step, treated=treated) * _LN2) ** 2 / 2.0)
    return float(np.sum(_WEIGHTS * 2.0 ** (baseline + shift * step) * spread))


def _solve_shift(cut: float, pooled: FloatArray, wanted: float, *, treated: bool) -> float:
    low, high = -8.0, 4.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if mean_after(cut, pooled, middle, treated=treated) > wanted:
            high = middle
        else:
            low = middle
    return low


def _pooled_share(counts: list[int]) -> float:
    return sum(counts) / sum(SUBJECTS_PER_ARM.values())


@functools.cache
def plan(paramcd: str) -> ScorePlan:
    """Work out what is planted for one score."""
    means, baseline = planted_table(printed_rows(TABLE_S4), paramcd)
    cut, counts = shares_above()[paramcd]
    shares = [count / SUBJECTS_PER_ARM[arm] for count, arm in zip(counts, ARMS, strict=True)]
    shares.append(_pooled_share(counts))
    two_humped = paramcd in _HUMPS
    if two_humped:
        low_sd, high_sd = _HUMPS[paramcd]
        mixture = solve_mixture(
            cut=cut, share=shares[-1], mean_ratio=baseline, low_sd=low_sd, high_sd=high_sd
        )
        scores = np.array([_mixture_score(mixture, cut, share) for share in shares])
        shift = np.zeros_like(means)
        for place in range(len(ARMS)):
            for visit in range(1, len(VISITS)):
                shift[place, visit] = _solve_shift(
                    cut, scores[-1], float(means[place, visit]), treated=place > 0
                )
    else:
        sd, skew = _BELLS[paramcd]
        scores = np.array([_bell_score(sd, skew, cut, share) for share in shares])
        shift = np.log2(means / baseline)
    return ScorePlan(
        paramcd=paramcd,
        cut=cut,
        baseline=scores[:-1],
        pooled=scores[-1],
        shift=shift,
        two_humped=two_humped,
    )


def planted_score_means(paramcd: str) -> FloatArray:
    """Tabulate the mean on the ratio scale by arm and visit, (arms, visits)."""
    planned = plan(paramcd)
    means = np.array([[np.sum(_WEIGHTS * 2.0**score)] * len(VISITS) for score in planned.baseline])
    if not planned.two_humped:
        return np.asarray(means * 2.0**planned.shift, dtype=np.float64)
    for place in range(len(ARMS)):
        for visit in range(1, len(VISITS)):
            means[place, visit] = mean_after(
                planned.cut,
                planned.baseline[place],
                float(planned.shift[place, visit]),
                treated=place > 0,
            )
    return means


def _interferon_latent(seed: int, subjects: Subjects, disease: Disease) -> FloatArray:
    own = subject_normals(seed, subjects, SCORE_PURPOSE, "IFNMOD", columns=1)[:, 0]
    known = sum(weight * getattr(disease, name) for name, weight in LOADINGS.items())
    rest = math.sqrt(1.0 - sum(weight**2 for weight in LOADINGS.values()))
    return np.asarray(known + rest * own, dtype=np.float64)


def _score_at(planned: ScorePlan, subjects: Subjects, latent: FloatArray) -> FloatArray:
    """Baseline score of each subject from its latent normal, one column per column of it."""
    columns = latent.reshape(len(subjects), -1)
    scores = np.empty_like(columns)
    for place in range(len(ARMS)):
        own = subjects.arm == place
        bounded = np.clip(columns[own], -LARGEST_LATENT, LARGEST_LATENT)
        scores[own] = np.interp(bounded, _LATENT, planned.baseline[place])
    return scores


def _draw_humped(
    subjects: Subjects, planned: ScorePlan, latent: FloatArray, noise: FloatArray
) -> FloatArray:
    first = _score_at(planned, subjects, latent)
    step = _step(first, planned.cut)
    treated = np.where(subjects.arm[:, None] > 0, TREATED_SD, 0.0) * step
    spread = np.sqrt(NOISE_SD**2 + treated**2)
    later = first + planned.shift[subjects.arm, 1:] * step + spread * noise
    return np.column_stack([first, later])


def draw_scores(seed: int, subjects: Subjects, disease: Disease) -> dict[str, FloatArray]:
    """Draw the six log2 scores, (n, visits) each; no score has a say in the others' streams."""
    columns, later = 1 + len(VISITS), len(VISITS) - 1
    latent = _interferon_latent(seed, subjects, disease)
    noise = subject_normals(seed, subjects, "score-noise", "IFNMOD", columns=later)
    other = subject_normals(seed, subjects, SCORE_PURPOSE, "EQTLMOD", columns=1 + later)
    rest = math.sqrt(1.0 - MODULES_CORRELATE**2)
    drawn = {}
    for paramcd in PARAMCDS:
        planned = plan(paramcd)
        if paramcd == "IFNMOD":
            drawn[paramcd] = _draw_humped(subjects, planned, latent, noise)
        elif paramcd == "EQTLMOD":
            joint = MODULES_CORRELATE * latent + rest * other[:, 0]
            errors = MODULES_CORRELATE * noise + rest * other[:, 1:]
            drawn[paramcd] = _draw_humped(subjects, planned, joint, errors)
        else:
            own = subject_normals(seed, subjects, SCORE_PURPOSE, paramcd, columns=columns)
            stable = math.sqrt(VISIT_CORRELATION) * own[:, :1]
            varying = math.sqrt(1.0 - VISIT_CORRELATION) * own[:, 1:]
            scores = _score_at(planned, subjects, stable + varying)
            drawn[paramcd] = scores + planned.shift[subjects.arm]
    return drawn
