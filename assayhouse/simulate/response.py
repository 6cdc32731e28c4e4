"""Clinical response: who responds, with which components, and who leaves. No file.

Response at week 24 depends on the arm and, through it, on the baseline interferon and Aiolos
scores; the components are made to agree with it by the definition of SRI-4 (SLEDAI-2K falls by at
least 4, no new BILAG worsening, the physician's assessment rises by less than 0.3).

References
----------
.. [1] Lipsky PE et al. (2022), Ann Rheum Dis, annrheumdis-2022-222212, table S5, figures 5 to 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr

from assayhouse.simulate.calibration import ARMS, SUBJECTS_PER_ARM, VISITS
from assayhouse.simulate.disease import Disease
from assayhouse.simulate.published import shares_above
from assayhouse.simulate.streams import FloatArray, IntArray
from assayhouse.simulate.subjects import (
    BoolArray,
    DateArray,
    Subjects,
    subject_normals,
    subject_uniforms,
    visit_dates,
)

# Response at week 24 by baseline interferon score, before Aiolos has its say.
_SCORES = (-5.0, -2.8, -1.38, 0.0, 0.615, 1.3, 2.0, 5.0)
_RATES = {
    "PBO": (0.33, 0.34, 0.37, 0.42, 0.34, 0.14, 0.08, 0.05),
    "IB015": (0.46, 0.46, 0.46, 0.46, 0.46, 0.46, 0.46, 0.46),
    "IB030": (0.40, 0.40, 0.41, 0.43, 0.46, 0.52, 0.55, 0.55),
    "IB045": (0.42, 0.43, 0.42, 0.42, 0.46, 0.88, 0.985, 0.995),
}
# Log odds of high against low Aiolos and exhaustion score, and what then brings the arm's rate to
# 29/83, 46 %, 44 % and 44/81.
_OTHERS = {"PBO": (-0.12, 0.05, 0.185), "IB015": (0.0, 0.0, 0.0), "IB030": (0.2, 0.0, -0.015)}
_OTHERS |= {"IB045": (0.8, -0.8, -0.055)}
RESPONSE_PURPOSE = "response"
TIME_COURSE = (0.45, 0.8, 1.0)
"""Response at weeks 4 and 12 as a share of that at week 24."""
PERSISTENCE = 0.6
RESCUE_SHARE = 0.08
DAYS_TO_LEAVE = 11
"""Days from the last visit attended to the end of participation of those who leave."""
REASONS = ("ADVERSE EVENT", "WITHDRAWAL BY SUBJECT", "LACK OF EFFICACY", "LOST TO FOLLOW-UP")
SLEDAI_DROP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficacy:
    """Response and what it is made of.

    Attributes
    ----------
    probability : (n,) array
        Chance of response at week 24, given arm and baseline scores.
    responder : (n, later visits) array
        SRI-4.
    stays : (n,) array
        Whether participation lasts to week 24. Some stay for the response without giving blood.
    ended : (n,) array
        Date of the end of participation.
    sledai, clasi, pga_tenths : (n, visits) array
        Scores; the physician's assessment in tenths.
    bilag_worse, rescue : (n, visits) array
        Flags; False at baseline.
    reason : tuple of str
        Why a subject leaves; empty for those who stay.
    """

    probability: FloatArray
    responder: BoolArray
    stays: BoolArray
    ended: DateArray
    sledai: IntArray
    clasi: IntArray
    pga_tenths: IntArray
    bilag_worse: BoolArray
    rescue: BoolArray
    reason: tuple[str, ...]


def _high_above_share(subjects: Subjects, paramcd: str, score: FloatArray) -> FloatArray:
    """Say who is high, 1 or 0, less the share of the arm that is expected to be."""
    cut, counts = shares_above()[paramcd]
    sizes = np.array([SUBJECTS_PER_ARM[arm] for arm in ARMS])
    return np.asarray((score > cut) - (np.array(counts) / sizes)[subjects.arm], dtype=np.float64)


def response_probability(subjects: Subjects, scores: Mapping[str, FloatArray]) -> FloatArray:
    """Compute the chance of response at week 24 from the baseline log2 scores, (n,)."""
    interferon = scores["IFNMOD"][:, 0]
    aiolos, exhaustion = (
        _high_above_share(subjects, paramcd, scores[paramcd][:, 0])
        for paramcd in ("IKZF3", "TEXMOD")
    )
    chance = np.empty(len(subjects))
    for place, arm in enumerate(ARMS):
        own = subjects.arm == place
        by_aiolos, by_exhaustion, level = _OTHERS[arm]
        odds = logit(np.interp(interferon[own], _SCORES, _RATES[arm])) + level
        odds += by_aiolos * aiolos[own] + by_exhaustion * exhaustion[own]
        chance[own] = expit(odds)
    return chance


def _draw_responders(seed: int, subjects: Subjects, chance: FloatArray) -> BoolArray:
    draws = subject_normals(seed, subjects, RESPONSE_PURPOSE, columns=len(VISITS))
    latent = np.sqrt(PERSISTENCE) * draws[:, :1] + np.sqrt(1.0 - PERSISTENCE) * draws[:, 1:]
    return np.asarray(ndtr(latent) < np.outer(chance, TIME_COURSE), dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Components:
    drop: IntArray
    worse: BoolArray
    rise: IntArray


def _draw_components(seed: int, subjects: Subjects, responder: BoolArray) -> _Components:
    """Draw fall of SLEDAI, BILAG worsening and rise of the physician's assessment, in tenths."""
    later = responder.shape[1]
    draws = subject_uniforms(seed, subjects, "components", columns=4 * later)
    kind, fall, mood, much = np.split(draws, 4, axis=1)
    enough = SLEDAI_DROP + 2 * np.floor(3.0 * fall**2)
    little = 2 * np.floor(3.0 * fall) - 2.0
    # Of those who fail, most fail by SLEDAI, some by BILAG, a few by the physician's assessment.
    by_bilag, by_physician = (kind > 0.75) & (kind <= 0.9), kind > 0.9
    drop = np.where(responder | by_bilag | by_physician, enough, little)
    better = np.where(responder, -np.floor(9.0 * mood), np.floor(8.0 * mood) - 5.0)
    rise = np.where(by_physician & ~responder, 3.0 + np.floor(5.0 * much), better)
    return _Components(
        drop=drop.astype(np.int64),
        worse=np.asarray(by_bilag & ~responder, dtype=np.bool_),
        rise=rise.astype(np.int64),
    )


def _draw_skin(
    seed: int, subjects: Subjects, interferon: FloatArray, responder: BoolArray
) -> IntArray:
    """Draw CLASI activity: proportional to the interferon score, better in responders."""
    own = subject_normals(seed, subjects, "skin", columns=1 + responder.shape[1])
    standard = (interferon - interferon.mean()) / interferon.std()
    level = 6.0 * np.exp(0.7 * (0.35 * standard + 0.94 * np.clip(own[:, 0], -2.5, 2.5)))
    course = np.where(responder, 0.6, 0.9) * np.exp(0.15 * np.clip(own[:, 1:], -2.5, 2.5))
    scores = np.column_stack([level, level[:, None] * course])
    return np.asarray(np.clip(np.rint(scores - 1.0), 0, 70), dtype=np.int64)


def draw_efficacy(
    seed: int, subjects: Subjects, disease: Disease, scores: Mapping[str, FloatArray]
) -> Efficacy:
    """Draw response and components of everybody, at every visit."""
    interferon = scores["IFNMOD"][:, 0]
    chance = response_probability(subjects, scores)
    responder = _draw_responders(seed, subjects, chance)
    parts = _draw_components(seed, subjects, responder)
    sledai = disease.sledai[:, None] - np.column_stack([np.zeros_like(disease.sledai), parts.drop])
    draws = subject_uniforms(seed, subjects, "leaving", columns=2 + responder.shape[1])
    physician = 10 + np.floor(13.0 * draws[:, :1]).astype(np.int64)
    rises = np.column_stack([np.zeros_like(disease.sledai), parts.rise])
    never = np.zeros((len(subjects), 1), dtype=np.bool_)
    # Rescue makes a non-responder of every later visit too: who responds later had none.
    yet_to_respond = np.maximum.accumulate(responder[:, ::-1], axis=1)[:, ::-1]
    later = np.arange(responder.shape[1]) > 0
    rescue = (draws[:, 2:] < RESCUE_SHARE) & ~yet_to_respond & later
    complete = subjects.visits_attended == len(VISITS)
    stays = complete | responder[:, -1]
    days = visit_dates(seed, subjects)
    last = np.where(stays, len(VISITS), subjects.visits_attended) - 1
    ended = days[np.arange(len(subjects)), last] + np.where(stays, 0, DAYS_TO_LEAVE)
    which = (draws[:, 1] * len(REASONS)).astype(int).tolist()
    return Efficacy(
        probability=chance,
        responder=responder,
        stays=np.asarray(stays, dtype=np.bool_),
        ended=np.asarray(ended, dtype="datetime64[D]"),
        sledai=np.maximum(sledai, 0),
        clasi=_draw_skin(seed, subjects, interferon, responder),
        pga_tenths=np.clip(physician + rises, 0, 30),
        bilag_worse=np.hstack([never, parts.worse]),
        rescue=np.asarray(np.hstack([never, rescue]), dtype=np.bool_),
        reason=tuple(
            "" if stay else REASONS[place] for stay, place in zip(stays, which, strict=True)
        ),
    )
