"""Compartment models as sums of exponentials: coefficients and rates as jets of log parameters.

Which doses an exponential is summed over is in `schedule`, the sum itself in `curves`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from assayhouse.pk.arrays import FloatArray, IntArray
from assayhouse.pk.jets import Jet, monomial

STRUCTURES: Final[dict[str, tuple[str, ...]]] = {
    "oral1": ("CL", "V", "KA"),
    "oral1lag": ("CL", "V", "KA", "TLAG"),
    "oral2": ("CL", "V1", "Q", "V2", "KA"),
    "oral2lag": ("CL", "V1", "Q", "V2", "KA", "TLAG"),
    "bolus1": ("CL", "V"),
    "bolus2": ("CL", "V1", "Q", "V2"),
}
"""Structural parameters of each model: litres, litres per time, per time, time."""

_NEAR: Final = 0.03
"""Relative distance of two rates below which their difference is not divided by."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)


@dataclass(frozen=True, slots=True)
class Term:
    """One addend C * d^order/dlam^order S(lam) of the concentration.

    Parameters
    ----------
    coefficient : Jet
        C, per litre.
    rate : Jet
        lam, per time.
    order : int
        0, or 1 where two rates are so near that the difference quotient has been integrated.
    """

    coefficient: Jet
    rate: Jet
    order: int = 0


def has_lag(structure: str) -> bool:
    """Whether doses are released only after TLAG."""
    return "TLAG" in STRUCTURES[structure]


def structure_terms(structure: str, phi: FloatArray, active: IntArray) -> list[Term]:
    """Exponentials of a model for every subject.

    Parameters
    ----------
    structure : str
        Key of `STRUCTURES`.
    phi : (k, n) array
        Logarithms of the individual parameters.
    active : (a,) array of int
        Parameters that derivatives are taken in.

    Returns
    -------
    list of Term
        Whose sum over the doses is the amount per litre.

    References
    ----------
    .. [1] Gibaldi M, Perrier D (1982), Pharmacokinetics, 2nd edition, appendix B.
    .. [2] Hermite-Genocchi: S[a, b] = integral of S'(a + u (b - a)) over u from 0 to 1.
    """
    names = STRUCTURES[structure]

    def product(**powers: float) -> Jet:
        vector = np.array([powers.get(name, 0.0) for name in names])
        return monomial(phi, vector, active)

    if "V" in names:
        volume = "V"
        disposition: list[tuple[Jet | None, Jet]] = [(None, product(CL=1, V=-1))]
    else:
        volume = "V1"
        disposition = _two_exponentials(
            product(CL=1, V1=-1),
            product(Q=1, V1=-1),
            product(Q=1, V2=-1),
            product(CL=1, V1=-1, Q=1, V2=-1),
        )
    if "KA" in names:
        return _absorbed(disposition, product(KA=1), product(**{"KA": 1, volume: -1}))
    per_litre = product(**{volume: -1})
    return [Term(_share(per_litre, share), rate) for share, rate in disposition]


def _two_exponentials(k10: Jet, k12: Jet, k21: Jet, k10k21: Jet) -> list[tuple[Jet | None, Jet]]:
    """Shares and rates of a two-compartment model; the shares add up to 1."""
    half = k10 + k12 - k21
    # Written as a sum of squares, so that near rates cost no digits.
    root = (half * half + (k12 * k21).times(4.0)).sqrt()
    alpha = (k10 + k12 + k21 + root).times(0.5)
    beta = k10k21 / alpha
    per_root = root.reciprocal()
    return [((alpha - k21) * per_root, alpha), ((k21 - beta) * per_root, beta)]


def _share(amount: Jet, share: Jet | None) -> Jet:
    return amount if share is None else amount * share


def _absorbed(disposition: list[tuple[Jet | None, Jet]], ka: Jet, ka_per_litre: Jet) -> list[Term]:
    """Put first-order absorption before each exponential: (S(lam) - S(KA)) / (KA - lam)."""
    terms: list[Term] = []
    at_ka: Jet | None = None
    for share, rate in disposition:
        amount = _share(ka_per_litre, share)
        gap = ka - rate
        near = np.abs(gap.v) < _NEAR * (ka.v + rate.v) / 2
        if near.any():
            terms += _integrated(amount.times(np.where(near, 1.0, 0.0)), rate, gap)
            one = np.where(near, 1.0, gap.v)
            gap = Jet(one, np.where(near, 0.0, gap.g), np.where(near, 0.0, gap.h))
            amount = amount.times(np.where(near, 0.0, 1.0))
        coefficient = amount / gap
        terms.append(Term(coefficient, rate))
        at_ka = coefficient if at_ka is None else at_ka + coefficient
    if at_ka is not None:
        terms.append(Term(at_ka.times(-1.0), ka))
    return terms


def _integrated(amount: Jet, rate: Jet, gap: Jet) -> list[Term]:
    """Replace the difference quotient by minus the integral of S' between the two rates [2]_."""
    return [
        Term(amount.times(-weight / 2), rate + gap.times((node + 1) / 2), order=1)
        for node, weight in zip(_NODES, _WEIGHTS, strict=True)
    ]
