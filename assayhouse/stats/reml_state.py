"""The restricted likelihood at given covariances, with its derivatives, for a batch of problems."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.pattern_sums import (
    PatternSums,
    add_cross,
    add_gram,
    fitted_spread,
    residual_sums,
)


@dataclass(slots=True, kw_only=True)
class State:
    """Where the problems of a batch stand.

    Parameters
    ----------
    sigma : (b, groups, visits, visits) array
        Covariances.
    inverse : list of (b, k, k) arrays
        Inverse covariance of the visits of each pattern.
    coefficients, covariance : (b, q) and (b, q, q) arrays
        Generalised least squares at sigma.
    log_likelihood : (b,) array
        Restricted; -inf where sigma is not positive.
    """

    sigma: FloatArray
    inverse: list[FloatArray]
    coefficients: FloatArray
    covariance: FloatArray
    log_likelihood: FloatArray


def evaluate(parts: Sequence[PatternSums], sigma: FloatArray, size: int) -> State:
    """Compute coefficients and likelihood at given covariances.

    Parameters
    ----------
    parts : sequence of PatternSums
        All patterns.
    sigma : (b, groups, visits, visits) array
        Covariances.
    size : int
        Number of coefficients.

    Returns
    -------
    State
        A likelihood of -inf where a covariance is not positive.

    References
    ----------
    .. [1] Harville DA (1977), JASA 72, 320-338, equation 5.1.
    """
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
    return State(
        sigma=sigma,
        inverse=inverses,
        coefficients=coefficients,
        covariance=covariance,
        log_likelihood=np.where(np.isfinite(likelihood), likelihood, -np.inf),
    )


def derivatives(
    parts: Sequence[PatternSums], state: State, basis: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Compute score and information of the elements of the covariances.

    Parameters
    ----------
    parts : sequence of PatternSums
        All patterns.
    state : State
        Where to differentiate.
    basis : (t, groups, visits, visits) array
        Derivative of sigma by each element.

    Returns
    -------
    (b, t), (b, t, t), (b, t, t), (b, t, q, q) arrays
        Score, observed and expected information, derivative of the coefficients' covariance.

    References
    ----------
    .. [1] Harville DA (1977), JASA 72, 320-338, section 4.
    .. [2] Gilmour AR, Thompson R, Cullis BR (1995), Biometrics 51, 1440-1450, equation 2.
    """
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


def subset(state: State, keep: BoolArray | IntArray) -> State:
    """Copy the state of some problems.

    Parameters
    ----------
    state : State
        Of a batch.
    keep : array
        Positions, or a mask.

    Returns
    -------
    State
        A copy.
    """
    return State(
        sigma=state.sigma[keep].copy(),
        inverse=[inverse[keep].copy() for inverse in state.inverse],
        coefficients=state.coefficients[keep].copy(),
        covariance=state.covariance[keep].copy(),
        log_likelihood=state.log_likelihood[keep].copy(),
    )


def overwrite(new: State, where: IntArray, tried: State, good: BoolArray) -> None:
    """Write some problems of one state to their places in another.

    Parameters
    ----------
    new : State
        Changed in place.
    where : array of int
        Places in it.
    tried : State
        Source.
    good : array of bool
        Problems of the source to take.
    """
    new.sigma[where] = tried.sigma[good]
    for to, source in zip(new.inverse, tried.inverse, strict=True):
        to[where] = source[good]
    new.coefficients[where] = tried.coefficients[good]
    new.covariance[where] = tried.covariance[good]
    new.log_likelihood[where] = tried.log_likelihood[good]
