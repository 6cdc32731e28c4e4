"""Concentrations at the samples, with derivatives in the log parameters of their subject.

Second derivatives are never formed per sample: sums over samples of a weight times the Hessian are
all that is needed, and those are taken per subject.
"""

from dataclasses import dataclass

import numpy as np

from assayhouse.pk.arrays import FloatArray, IntArray
from assayhouse.pk.jets import Jet, outer, pairs, square
from assayhouse.pk.schedule import Doses, Schedule, exponential_sums, released
from assayhouse.pk.structures import STRUCTURES, Term, has_lag, structure_terms


@dataclass(frozen=True, slots=True)
class Row:
    """Coefficient of one exponential sum, or of one of its derivatives, in f and its derivatives.

    Parameters
    ----------
    term, order : int
        Which sum, and which derivative of it.
    value : (n,) array or None
        Coefficient in f.
    gradient : (k, n) array or None
        Coefficient in df/dphi.
    hessian : (p, n) array
        Coefficient in d2f/dphi2, packed.
    """

    term: int
    order: int
    value: FloatArray | None
    gradient: FloatArray | None
    hessian: FloatArray


@dataclass(frozen=True, slots=True)
class Curves:
    """Concentrations of all samples.

    Parameters
    ----------
    f : (m,) array
        In the unit of the concentrations.
    g : (k, m) array
        df/dphi in the active parameters.
    rows : list of Row
        Coefficients per subject.
    sums : (r, m) array
        The sum each row belongs to.
    """

    f: FloatArray
    g: FloatArray
    rows: list[Row]
    sums: FloatArray

    def weighted_hessian(self, weight: FloatArray, starts: IntArray) -> FloatArray:
        """Sum over each subject's samples of weight times d2f/dphi2, packed (p, n)."""
        totals = np.add.reduceat(self.sums * weight, starts, axis=1)
        hessian = np.zeros_like(self.rows[0].hessian)
        for row, total in zip(self.rows, totals, strict=True):
            hessian += row.hessian * total
        return hessian

    def weighted_hessians(self, weights: FloatArray, starts: IntArray) -> FloatArray:
        """Sum over each subject's samples of several weights times d2f/dphi2: (q, p, n)."""
        totals = np.add.reduceat(self.sums[:, None, :] * weights, starts, axis=2)
        hessians = np.stack([row.hessian for row in self.rows])
        found: FloatArray = np.einsum("rpn,rqn->qpn", hessians, totals)
        return found


def predict_values(
    structure: str, schedule: Schedule, phi: FloatArray, scale: float, doses: Doses | None = None
) -> FloatArray:
    """Concentrations without derivatives: (m,) array.

    Parameters
    ----------
    structure : str
        Key of `STRUCTURES`.
    schedule : Schedule
        Samples and doses.
    phi : (k, n) array
        Logarithms of the individual parameters.
    scale : float
        Amount per litre in the unit of the concentrations.
    doses : Doses, optional
        Where it does not depend on ``phi``.
    """
    terms = structure_terms(structure, phi, np.zeros(0, dtype=np.int64))
    doses = doses if doses is not None else released(schedule, _lag(structure, phi))
    sums = _sums(schedule, doses, terms, 0)
    f = np.zeros(schedule.n_samples)
    for at, term in enumerate(terms):
        f += sums[term.order][at] * term.coefficient.v[schedule.subject]
    return scale * f


def compute_curves(
    structure: str,
    schedule: Schedule,
    phi: FloatArray,
    *,
    active: IntArray,
    scale: float,
    doses: Doses | None = None,
) -> Curves:
    """Concentrations with exact derivatives.

    Parameters
    ----------
    structure : str
        Key of `STRUCTURES`.
    schedule : Schedule
        Samples and doses.
    phi : (k, n) array
        Logarithms of the individual parameters.
    active : (a,) array of int
        Parameters that derivatives are taken in.
    scale : float
        Amount per litre in the unit of the concentrations.
    doses : Doses, optional
        Where it does not depend on ``phi``.

    Returns
    -------
    Curves
        Values and first derivatives per sample, second ones as coefficients per subject.
    """
    terms = structure_terms(structure, phi, active)
    lag = _lag(structure, phi)
    doses = doses if doses is not None else released(schedule, lag)
    lag_jet = None if lag is None else _lag_jet(structure, lag, active)
    rows = [row for at, term in enumerate(terms) for row in _rows(at, term, lag_jet, scale)]
    found = _sums(schedule, doses, terms, 2)
    sums = np.stack([found[row.order][row.term] for row in rows])
    f, g = np.zeros(schedule.n_samples), np.zeros((len(active), schedule.n_samples))
    for row, total in zip(rows, sums, strict=True):
        if row.value is not None:
            f += total * row.value[schedule.subject]
        if row.gradient is not None:
            g += total * row.gradient[:, schedule.subject]
    return Curves(f, g, rows, sums)


def _lag(structure: str, phi: FloatArray) -> FloatArray | None:
    if not has_lag(structure):
        return None
    lag: FloatArray = np.exp(phi[STRUCTURES[structure].index("TLAG")])
    return lag


def _lag_jet(structure: str, lag: FloatArray, active: IntArray) -> Jet | None:
    """Jet of TLAG, or None where no derivative is taken in it."""
    place = np.flatnonzero(active == STRUCTURES[structure].index("TLAG"))
    if not len(place):
        return None
    at = int(place[0])
    rows, columns = pairs(len(active))
    gradient = np.zeros((len(active), len(lag)))
    hessian = np.zeros((len(rows), len(lag)))
    gradient[at] = lag
    hessian[(rows == at) & (columns == at)] = lag
    return Jet(lag, gradient, hessian)


def _sums(schedule: Schedule, doses: Doses, terms: list[Term], extra: int) -> list[FloatArray]:
    rates = np.stack([term.rate.v for term in terms])
    return exponential_sums(schedule, doses, rates, extra + max(term.order for term in terms))


def _rows(at: int, term: Term, lag: Jet | None, scale: float) -> list[Row]:
    """Chain rule through C(phi) S^(n)(lam(phi), lag(phi)), by derivative of S.

    A later release multiplies S by exp(lam lag): dS^(n)/dlag = lam S^(n) + n S^(n-1).
    """
    c, rate, n = term.coefficient.times(scale), term.rate, term.order
    if lag is None:
        same = Row(at, n, c.v, c.g, c.h)
        once = c.v * rate.h + outer(c.g, rate.g)
        lower = []
    else:
        both = outer(rate.g, lag.g)
        bent = outer(c.g, lag.g) + c.v * lag.h
        second = c.v * square(lag.g)
        same = Row(
            at,
            n,
            c.v,
            c.g + c.v * rate.v * lag.g,
            c.h + rate.v * bent + (n + 1) * c.v * both + rate.v**2 * second,
        )
        once = c.v * rate.h + outer(c.g, rate.g) + c.v * rate.v * both
        lower = [Row(at, n - 1, None, n * c.v * lag.g, n * (bent + 2 * rate.v * second))][:n]
    first = Row(at, n + 1, None, c.v * rate.g, once)
    twice = Row(at, n + 2, None, None, c.v * square(rate.g))
    return [*lower, same, first, twice]
