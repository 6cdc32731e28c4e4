"""Restricted maximum likelihood of unstructured covariances, for a batch of problems.

Works on `pattern_sums`; names of columns, tests and imputation are elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray
from assayhouse.stats.basis import is_singular
from assayhouse.stats.pattern_sums import PatternSums, add_gram, check_sizes, residual_sums
from assayhouse.stats.reml_state import State, derivatives, evaluate, overwrite, subset

_MAX_STEPS = 60
_HALVINGS = 10
"""Halvings of a step after which a problem is stuck, at the edge of singular covariances."""

_NOTHING = 1e-12
"""Share of a visit's squares below which its residuals are rounding."""

_TOLERANCE = 1e-10
"""Largest change of a covariance, relative to the variances, that ends the iteration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemlFit:
    """Fits of a batch.

    Parameters
    ----------
    coefficients : (b, q) array
        Visit by visit, the common ones last.
    covariance : (b, q, q) array
        Of the coefficients.
    sigma : (b, groups, visits, visits) array
        Covariances of the residuals.
    log_likelihood : (b,) array
        Restricted, with its constant in the number of values and columns.
    gradient : (b, t, q, q) array
        Derivative of ``covariance`` by each element of sigma, upper triangles group by group.
    information : (b, t, t) array
        Observed information of those elements.
    converged, estimable : (b,) array of bool
        The iteration came to its end; every coefficient and covariance is informed by somebody.
    """

    coefficients: FloatArray
    covariance: FloatArray
    sigma: FloatArray
    log_likelihood: FloatArray
    gradient: FloatArray
    information: FloatArray
    converged: BoolArray
    estimable: BoolArray


def fit_reml(parts: Sequence[PatternSums], *, visits: int, groups: int) -> RemlFit:
    """Maximise the restricted likelihood by Newton steps with step halving.

    Parameters
    ----------
    parts : sequence of PatternSums
        All patterns of a batch.
    visits, groups : int
        Visits and covariances of the model.

    Returns
    -------
    RemlFit
        NaN where something is not estimable.

    References
    ----------
    .. [1] Harville DA (1977), JASA 72, 320-338, section 4.
    .. [2] Gilmour AR, Thompson R, Cullis BR (1995), Biometrics 51, 1440-1450 (average information).
    """
    size = int(max(part.index.max() for part in parts)) + 1
    basis = _elements(visits, groups)
    estimable = check_sizes(parts, visits).all(axis=(1, 2, 3)) & _full_rank(parts, size)
    done = _blank(estimable, size=size, visits=visits, groups=groups, elements=len(basis))
    index = np.flatnonzero(estimable)
    start, varies = _start([part.take(index) for part in parts], visits, groups)
    done.estimable[index] = varies
    index, start = index[varies], start[varies]
    if not len(index):
        return done
    parts = [part.take(index) for part in parts]
    state = evaluate(parts, start, size)
    stuck = np.zeros(len(index), dtype=np.bool_)
    for step in range(_MAX_STEPS):
        score, observed, expected, gradient = derivatives(parts, state, basis)
        move = _direction(score, observed, expected)
        change = np.einsum("bt,tgvw->bgvw", move, basis)
        scale = np.einsum("bgvv->bgv", state.sigma).max(axis=(1, 2))
        finished = np.abs(move).max(axis=1) <= _TOLERANCE * scale
        stopping = finished | stuck | (step == _MAX_STEPS - 1)
        if stopping.any():
            where = index[stopping]
            done.coefficients[where] = state.coefficients[stopping]
            done.covariance[where] = state.covariance[stopping]
            done.sigma[where] = state.sigma[stopping]
            done.log_likelihood[where] = state.log_likelihood[stopping]
            done.gradient[where] = gradient[stopping]
            done.information[where] = observed[stopping]
            done.converged[where] = finished[stopping]
            keep = ~stopping
            if not keep.any():
                break
            index, change = index[keep], change[keep]
            parts = [part.take(keep) for part in parts]
            state = subset(state, keep)
        state, stuck = _move(parts, state, change, size)
    return done


def _elements(visits: int, groups: int) -> FloatArray:
    """(t, groups, visits, visits): one matrix per element of the covariances."""
    rows, columns = np.triu_indices(visits)
    t = len(rows)
    basis = np.zeros((groups * t, groups, visits, visits))
    for group in range(groups):
        numbers = group * t + np.arange(t)
        basis[numbers, group, rows, columns] = 1.0
        basis[numbers, group, columns, rows] = 1.0
    return basis


def _full_rank(parts: Sequence[PatternSums], size: int) -> BoolArray:
    gram = np.zeros((len(parts[0].count), size, size))
    for part in parts:
        eye = np.broadcast_to(np.eye(len(part.visits)), (len(gram), *[len(part.visits)] * 2))
        add_gram(gram, part, eye)
    length = np.sqrt(np.maximum(np.einsum("bqq->bq", gram), 0.0))
    length[length == 0] = 1.0
    scaled = gram / (length[:, :, None] * length[:, None, :])
    return ~is_singular(scaled, n=1000)


def _start(parts: Sequence[PatternSums], visits: int, groups: int) -> tuple[FloatArray, BoolArray]:
    """Residual variances of least squares, the same for every group, and where they are some."""
    b = len(parts[0].count)
    if not b:
        return np.empty((0, groups, visits, visits)), np.empty(0, dtype=np.bool_)
    size = int(max(part.index.max() for part in parts)) + 1
    state = evaluate(parts, np.broadcast_to(np.eye(visits), (b, groups, visits, visits)), size)
    squares, count = np.zeros((b, visits)), np.zeros((b, visits))
    whole = np.zeros((b, visits))
    for part in parts:
        residual, _ = residual_sums(part, state.coefficients)
        squares[:, part.visits] += np.einsum("bvv->bv", residual)
        whole[:, part.visits] += np.einsum("bvv->bv", part.yy)
        count[:, part.visits] += part.count[:, None]
    # Nothing left of a visit's values: its coefficients fit them all.
    varies = np.asarray((squares > _NOTHING * whole).all(axis=1))
    variance = squares / count
    floor = 1e-8 * variance.max(axis=1, keepdims=True) + np.finfo(np.float64).tiny
    diagonal = np.maximum(variance, floor)
    sigma = diagonal[:, None, :, None] * np.eye(visits)
    return np.ascontiguousarray(np.broadcast_to(sigma, (b, groups, visits, visits))), varies


def _direction(score: FloatArray, observed: FloatArray, expected: FloatArray) -> FloatArray:
    """Newton where the likelihood is concave, average or expected information elsewhere."""
    move = np.zeros_like(score)
    left = np.ones(len(score), dtype=np.bool_)
    for information in (observed, 0.5 * (observed + expected), expected):
        values, vectors = np.linalg.eigh(information)
        largest = np.abs(values).max(axis=1)
        good = left & (values[:, 0] > 1e-12 * largest)
        turned = np.einsum("bts,bt->bs", vectors, score) / np.where(values > 0, values, 1.0)
        move[good] = np.einsum("bts,bs->bt", vectors, turned)[good]
        left &= ~good
    move[left] = score[left] / np.maximum(np.abs(np.einsum("btt->bt", expected[left])), 1e-300)
    return move


def _move(
    parts: Sequence[PatternSums], state: State, change: FloatArray, size: int
) -> tuple[State, BoolArray]:
    """Go along the direction, by half of it again and again where the likelihood would fall."""
    length = np.ones(len(change))
    index = np.arange(len(change))
    new = subset(state, index)
    for _ in range(_HALVINGS):
        here = [part.take(index) for part in parts]
        tried = evaluate(
            here, state.sigma[index] + length[index][:, None, None, None] * change[index], size
        )
        slack = 1e-10 * (1.0 + np.abs(state.log_likelihood[index]))
        good = tried.log_likelihood >= state.log_likelihood[index] - slack
        overwrite(new, index[good], tried, good)
        index = index[~good]
        if not len(index):
            break
        length[index] *= 0.5
    stuck = np.zeros(len(change), dtype=np.bool_)
    stuck[index] = True
    return new, stuck


def _blank(estimable: BoolArray, *, size: int, visits: int, groups: int, elements: int) -> RemlFit:
    b = len(estimable)
    return RemlFit(
        coefficients=np.full((b, size), np.nan),
        covariance=np.full((b, size, size), np.nan),
        sigma=np.full((b, groups, visits, visits), np.nan),
        log_likelihood=np.full(b, np.nan),
        gradient=np.full((b, elements, size, size), np.nan),
        information=np.full((b, elements, elements), np.nan),
        converged=np.zeros(b, dtype=np.bool_),
        estimable=estimable,
    )
