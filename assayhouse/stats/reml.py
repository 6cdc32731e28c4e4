"""Restricted maximum likelihood of unstructured covariances, for a batch of problems.

Works on `pattern_sums`; names of columns, tests and imputation are elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.basis import is_singular
from assayhouse.stats.pattern_sums import (
    PatternSums,
    add_cross,
    add_gram,
    check_sizes,
    fitted_spread,
    residual_sums,
)

_MAX_STEPS = 60
_HALVINGS = 10
"""Halvings of a step after which a problem is stuck, at the edge of singular covariances."""

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


@dataclass(slots=True, kw_only=True)
class _State:
    """Where the problems of a batch stand."""

    sigma: FloatArray
    inverse: list[FloatArray]
    coefficients: FloatArray
    covariance: FloatArray
    log_likelihood: FloatArray


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
    if not len(index):
        return done
    parts = [part.take(index) for part in parts]
    state = _evaluate(parts, _start(parts, visits, groups), size)
    stuck = np.zeros(len(index), dtype=np.bool_)
    for step in range(_MAX_STEPS):
        score, observed, expected, gradient = _derivatives(parts, state, basis)
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
            state = _subset(state, keep)
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


def _start(parts: Sequence[PatternSums], visits: int, groups: int) -> FloatArray:
    """Residual variances of least squares, no covariance, the same for every group."""
    b = len(parts[0].count)
    size = int(max(part.index.max() for part in parts)) + 1
    state = _evaluate(parts, np.broadcast_to(np.eye(visits), (b, groups, visits, visits)), size)
    squares, count = np.zeros((b, visits)), np.zeros((b, visits))
    for part in parts:
        residual, _ = residual_sums(part, state.coefficients)
        squares[:, part.visits] += np.einsum("bvv->bv", residual)
        count[:, part.visits] += part.count[:, None]
    variance = squares / count
    floor = 1e-8 * variance.max(axis=1, keepdims=True) + np.finfo(np.float64).tiny
    diagonal = np.maximum(variance, floor)
    sigma = diagonal[:, None, :, None] * np.eye(visits)
    return np.ascontiguousarray(np.broadcast_to(sigma, (b, groups, visits, visits)))


def _evaluate(parts: Sequence[PatternSums], sigma: FloatArray, size: int) -> _State:
    """Coefficients and likelihood at given covariances; a likelihood of -inf where not positive."""
    b = len(sigma)
    gram, right = np.zeros((b, size, size)), np.zeros((b, size))
    inverses = []
    determinant = np.zeros(b)
    for part in parts:
        own = sigma[:, part.group, part.visits[:, None], part.visits]
        values, vectors = np.linalg.eigh(own)
        good = values > 0
        determinant += part.count * np.log(np.where(good, values, 1.0)).sum(axis=1)
        determinant[~good.all(axis=1)] = np.inf
        scaled = vectors / np.where(good, values, 1.0)[:, None, :]
        inverse = scaled @ vectors.transpose(0, 2, 1)
        inverses.append(inverse)
        add_gram(gram, part, inverse)
        add_cross(right, part, part.uy @ inverse)
    length = np.sqrt(np.einsum("bqq->bq", gram))
    scaled = gram / (length[:, :, None] * length[:, None, :])
    covariance = np.linalg.inv(scaled) / (length[:, :, None] * length[:, None, :])
    coefficients = np.einsum("bpq,bq->bp", covariance, right)
    sign, logarithm = np.linalg.slogdet(scaled)
    total = determinant + logarithm + 2.0 * np.log(length).sum(axis=1)
    values_seen = np.zeros(b)
    for part, inverse in zip(parts, inverses, strict=True):
        residual, _ = residual_sums(part, coefficients)
        total += np.einsum("buv,bvu->b", inverse, residual)
        values_seen += part.count * len(part.visits)
    constant = (values_seen - size) * np.log(2.0 * np.pi)
    likelihood = np.where(sign > 0, -0.5 * (total + constant), -np.inf)
    return _State(
        sigma=sigma,
        inverse=inverses,
        coefficients=coefficients,
        covariance=covariance,
        log_likelihood=np.where(np.isfinite(likelihood), likelihood, -np.inf),
    )


def _derivatives(
    parts: Sequence[PatternSums], state: _State, basis: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Score, observed and expected information, and the derivative of the covariance."""
    b, size = state.coefficients.shape
    t = len(basis)
    score = np.zeros((b, t))
    traces, seen = np.zeros((b, t, t)), np.zeros((b, t, t))
    grams, pulls = np.zeros((b, t, size, size)), np.zeros((b, t, size))
    for part, inverse in zip(parts, state.inverse, strict=True):
        element = basis[:, part.group][:, part.visits[:, None], part.visits]
        here = np.flatnonzero(element.any(axis=(1, 2)))
        element = element[here]
        spread = fitted_spread(part, state.covariance)
        residual, cross = residual_sums(part, state.coefficients)
        weighted = inverse[:, None] @ element
        around = weighted @ inverse[:, None]
        slope = part.count[:, None, None] * inverse - inverse @ (spread + residual) @ inverse
        score[:, here] -= 0.5 * np.einsum("tuv,bvu->bt", element, slope)
        plain = np.einsum("bjuv,bkvu->bjk", weighted, weighted)
        of_spread = np.einsum("bjuv,bkvu->bjk", weighted, around @ spread[:, None])
        of_residual = np.einsum("bjuv,bkvu->bjk", weighted, around @ residual[:, None])
        cells = (slice(None), here[:, None], here)
        traces[cells] += part.count[:, None, None] * plain - _twice_symmetric(of_spread)
        seen[cells] += 0.5 * _twice_symmetric(of_residual)
        gram, pull = np.zeros((b, len(here), size, size)), np.zeros((b, len(here), size))
        add_gram(gram, part, around)
        add_cross(pull, part, cross[:, None] @ around)
        grams[:, here] += gram
        pulls[:, here] += pull
    turned = state.covariance[:, None] @ grams
    expected = 0.5 * (traces + np.einsum("bjpq,bkqp->bjk", turned, turned))
    moved = np.einsum("bpq,bkq->bkp", state.covariance, pulls)
    observed = seen - np.einsum("bjp,bkp->bjk", pulls, moved) - expected
    return score, observed, expected, turned @ state.covariance[:, None]


def _twice_symmetric(matrix: FloatArray) -> FloatArray:
    return matrix + matrix.transpose(0, 2, 1)


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
    parts: Sequence[PatternSums], state: _State, change: FloatArray, size: int
) -> tuple[_State, BoolArray]:
    """Go along the direction, by half of it again and again where the likelihood would fall."""
    length = np.ones(len(change))
    index = np.arange(len(change))
    new = _subset(state, index)
    for _ in range(_HALVINGS):
        here = [part.take(index) for part in parts]
        tried = _evaluate(
            here, state.sigma[index] + length[index][:, None, None, None] * change[index], size
        )
        slack = 1e-10 * (1.0 + np.abs(state.log_likelihood[index]))
        good = tried.log_likelihood >= state.log_likelihood[index] - slack
        _write(new, index[good], tried, good)
        index = index[~good]
        if not len(index):
            break
        length[index] *= 0.5
    stuck = np.zeros(len(change), dtype=np.bool_)
    stuck[index] = True
    return new, stuck


def _subset(state: _State, keep: BoolArray | IntArray) -> _State:
    return _State(
        sigma=state.sigma[keep].copy(),
        inverse=[inverse[keep].copy() for inverse in state.inverse],
        coefficients=state.coefficients[keep].copy(),
        covariance=state.covariance[keep].copy(),
        log_likelihood=state.log_likelihood[keep].copy(),
    )


def _write(new: _State, where: IntArray, tried: _State, good: BoolArray) -> None:
    new.sigma[where] = tried.sigma[good]
    for to, source in zip(new.inverse, tried.inverse, strict=True):
        to[where] = source[good]
    new.coefficients[where] = tried.coefficients[good]
    new.covariance[where] = tried.covariance[good]
    new.log_likelihood[where] = tried.log_likelihood[good]


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
