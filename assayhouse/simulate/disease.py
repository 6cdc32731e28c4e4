"""How ill the subjects are and what they take before treatment: severity, steroids, azathioprine.

Severity and steroid dose are the latent normals behind the strata, so that stratum and value agree
by construction. No measurement of a laboratory.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from assayhouse.simulate.calibration import STRATA_SHARES
from assayhouse.simulate.streams import FloatArray, IntArray
from assayhouse.simulate.subjects import BoolArray, Subjects, subject_uniforms

# Upper end of the severity scale and the SLEDAI-2K it stands for: below and from 10 on.
_MILD = ((0.45, 6), (0.6, 7), (0.92, 8), (1.0, 9))
_SEVERE = ((0.4, 10), (0.7, 12), (0.85, 14), (0.93, 16), (0.98, 18), (1.0, 20))
_LOW_DOSES = ((0.36, 0.0), (0.7, 5.0), (1.0, 7.5))
_HIGH_DOSES = ((0.6, 10.0), (0.85, 15.0), (1.0, 20.0))
AZATHIOPRINE_SHARE = 0.2
STRATA_PURPOSE = "strata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disease:
    """Baseline state of every subject.

    Attributes
    ----------
    severity, steroid : (n,) array
        Standard normals; above a fixed value the stratum is ``Y``.
    sledai : (n,) array
        SLEDAI-2K at baseline, 6 or more, at least 10 exactly with ``Y`` in STRATA2.
    steroid_mg : (n,) array
        Prednisone equivalent, mg/day, at least 10 exactly with ``Y`` in STRATA1.
    immunosuppressant : (n,) array
        Standard normal: above a fixed value the subject takes azathioprine.
    azathioprine : (n,) array
        Whether azathioprine is taken.
    """

    severity: FloatArray
    steroid: FloatArray
    sledai: IntArray
    steroid_mg: FloatArray
    immunosuppressant: FloatArray
    azathioprine: BoolArray


def _steps(place: FloatArray, steps: tuple[tuple[float, float], ...]) -> FloatArray:
    ends = np.array([end for end, _ in steps])
    values = np.array([value for _, value in steps], dtype=np.float64)
    return values[np.minimum(np.searchsorted(ends, place), len(values) - 1)]


def _by_stratum(
    draws: FloatArray,
    share: float,
    *,
    low: tuple[tuple[float, float], ...],
    high: tuple[tuple[float, float], ...],
) -> FloatArray:
    """Turn the uniforms behind a stratum into values: below ``share`` the stratum is ``Y``."""
    above = 1.0 - draws / share
    below = 1.0 - (draws - share) / (1.0 - share)
    return np.where(draws < share, _steps(above, high), _steps(below, low))


def draw_disease(seed: int, subjects: Subjects) -> Disease:
    """Draw the baseline state of all subjects."""
    draws = subject_uniforms(seed, subjects, STRATA_PURPOSE, columns=2)
    shares = STRATA_SHARES
    own = -ndtri(subject_uniforms(seed, subjects, "azathioprine", columns=1)[:, 0])
    return Disease(
        severity=-ndtri(draws[:, 1]),
        steroid=-ndtri(draws[:, 0]),
        sledai=_by_stratum(draws[:, 1], shares[1], low=_MILD, high=_SEVERE).astype(np.int64),
        steroid_mg=_by_stratum(draws[:, 0], shares[0], low=_LOW_DOSES, high=_HIGH_DOSES),
        immunosuppressant=own,
        azathioprine=np.asarray(own > -ndtri(AZATHIOPRINE_SHARE), dtype=np.bool_),
    )
