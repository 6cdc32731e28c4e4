"""What one sample adds to the likelihood, with derivatives in its prediction and in the SDs.

Quantified samples are normal about f with variance R(f); samples below the limit enter by their
probability of being there (M3). No sum over samples is here.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from assayhouse.pk.arrays import FloatArray, IntArray
from assayhouse.pk.problem import Problem

_LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True, slots=True)
class Variance:
    """Residual variance of each sample.

    Parameters
    ----------
    r, r1, r2 : (m,) array
        R and its first two derivatives in f.
    by_sigma : (s, m) array
        dR / dlog sigma.
    r1_by_sigma : (s, m) array
        d2R / df dlog sigma.
    """

    r: FloatArray
    r1: FloatArray
    r2: FloatArray
    by_sigma: FloatArray
    r1_by_sigma: FloatArray

    def take(self, at: IntArray) -> "Variance":
        """Keep the samples at these places."""
        return Variance(
            self.r[at], self.r1[at], self.r2[at], self.by_sigma[:, at], self.r1_by_sigma[:, at]
        )


@dataclass(frozen=True, slots=True)
class Contributions:
    """Minus log likelihood u of each sample, and its weight w in the Hessian approximation.

    Parameters
    ----------
    u, u1, u2 : (m,) array
        u and its derivatives in f.
    w, w1 : (m,) array
        w and its derivative in f.
    u_s, u1_s, w_s : (s, m) array
        Derivatives of u, u1 and w in log sigma.
    """

    u: FloatArray
    u1: FloatArray
    u2: FloatArray
    w: FloatArray
    w1: FloatArray
    u_s: FloatArray
    u1_s: FloatArray
    w_s: FloatArray


def compute_variance(f: FloatArray, error: str, sigma: FloatArray, floor: float) -> Variance:
    """Residual variance a^2, b^2 f^2 or a^2 + b^2 f^2.

    Parameters
    ----------
    f : (m,) array
        Predictions.
    error : {"additive", "proportional", "combined"}
        Error model.
    sigma : (s,) array
        Standard deviations, additive first.
    floor : float
        Least f^2 of a proportional variance alone.
    """
    zero = np.zeros_like(f)
    if error == "additive":
        r = np.full_like(f, sigma[0] ** 2)
        return Variance(r, zero, zero, 2 * r[None], zero[None])
    b2 = sigma[-1] ** 2
    r, r1, r2 = b2 * f**2, 2 * b2 * f, np.full_like(f, 2 * b2)
    if error == "proportional":
        low = f**2 < floor
        r, r1, r2 = np.where(low, b2 * floor, r), np.where(low, 0, r1), np.where(low, 0, r2)
        return Variance(r, r1, r2, 2 * r[None], 2 * r1[None])
    a2 = np.full_like(f, sigma[0] ** 2)
    return Variance(r + a2, r1, r2, np.stack([2 * a2, 2 * r]), np.stack([zero, 2 * r1]))


def compute_contributions(problem: Problem, f: FloatArray, sigma: FloatArray) -> Contributions:
    """Evaluate every sample.

    Parameters
    ----------
    problem : Problem
        Concentrations and which are below the limit.
    f : (m,) array
        Individual predictions.
    sigma : (s,) array
        Standard deviations.

    References
    ----------
    .. [1] Wang Y (2007), J Pharmacokinet Pharmacodyn 34, 575-593 (objective of FOCE-I).
    .. [2] Beal SL (2001), J Pharmacokinet Pharmacodyn 28, 481-504 (M3).
    """
    variance = compute_variance(f, problem.spec.error, sigma, problem.floor)
    whole = _quantified(problem.y - f, variance)
    below = np.flatnonzero(problem.is_blq)
    if len(below):
        part = _below_limit((problem.y - f)[below], variance.take(below))
        for name in Contributions.__slots__:
            getattr(whole, name)[..., below] = getattr(part, name)
    return whole


def _quantified(e: FloatArray, v: Variance) -> Contributions:
    i = 1 / v.r
    x = e**2 * i
    half = 0.5 * i * (1 - x)
    slope = v.r1 * i
    u1 = -e * i + v.r1 * half
    u2 = i + 2 * e * i * slope + v.r2 * half + slope**2 * (x - 0.5)
    u1_r = e * i**2 + 0.5 * v.r1 * i**2 * (2 * x - 1)
    w1 = -slope * i + slope * v.r2 * i - slope**3
    w_r = -(i**2) - slope**2 * i
    return Contributions(
        u=0.5 * (x + np.log(v.r)),
        u1=u1,
        u2=u2,
        w=i + 0.5 * slope**2,
        w1=w1,
        u_s=half * v.by_sigma,
        u1_s=u1_r * v.by_sigma + half * v.r1_by_sigma,
        w_s=w_r * v.by_sigma + slope * i * v.r1_by_sigma,
    )


def _below_limit(d: FloatArray, v: Variance) -> Contributions:
    """Evaluate samples below the limit: z = (LLOQ - f) / sqrt(R), u = -log Phi(z) [2]_."""
    i = 1 / v.r
    root = np.sqrt(i)
    z = d * root
    logp = log_ndtr(z)
    h = np.exp(-0.5 * z**2 - _LOG_ROOT_2PI - logp)
    m = h * (z + h)
    m1 = -m * (z + h) + h * (1 - m)
    slope = v.r1 * i
    z1 = -root - 0.5 * z * slope
    z2 = slope * root - 0.5 * z * v.r2 * i + 0.75 * z * slope**2
    z_s = -0.5 * z * i * v.by_sigma
    z1_s = (0.5 * root * i + 0.75 * z * slope * i) * v.by_sigma - 0.5 * z * i * v.r1_by_sigma
    return Contributions(
        u=-logp,
        u1=-h * z1,
        u2=m * z1**2 - h * z2,
        w=m * z1**2,
        w1=m1 * z1**3 + 2 * m * z1 * z2,
        u_s=-h * z_s,
        u1_s=m * z1 * z_s - h * z1_s,
        w_s=m1 * z_s * z1**2 + 2 * m * z1 * z1_s,
    )
