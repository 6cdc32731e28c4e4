"""The iteration of M-estimation on a prepared basis: problems leave it when they are done."""

from dataclasses import dataclass, fields

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.basis import Basis, is_singular, solve_each
from assayhouse.stats.newton import LANDED, leap, may_leap
from assayhouse.stats.psi import (
    MASS_MAD,
    compute_spread,
    compute_weights,
    median_absolute,
    proposal2_step,
)

COLLAPSE = 1e-8
"""Share of the response's spread below which a scale, or most residuals, count as nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """Options of `assayhouse.stats.robust.m_regression`, checked."""

    psi: str
    tuning: float
    scale: str
    mad_constant: float
    covariance: str
    variance_ddof: int
    tolerance: float
    max_iterations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFit:
    """Fits in orthonormal coordinates, with what decides their status.

    Parameters
    ----------
    coefficients : (b, p) array
        Of Q.
    residuals : (b, n) array
        After the last step.
    scale : (b,) array
        Of the last step.
    weights : (b, n) array
        Of the last step.
    iterations : (b,) array
        Steps made.
    collapsed, converged, singular : (b,) array of bool
        The scale is nothing against the spread; the tolerance was met; Q'WQ has no inverse.
    """

    coefficients: FloatArray
    residuals: FloatArray
    scale: FloatArray
    weights: FloatArray
    iterations: IntArray
    collapsed: BoolArray
    converged: BoolArray
    singular: BoolArray


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Problems still in the iteration: where they belong, and where they stand.

    ``saved`` are the residuals before a leap (`newton`), ``rest`` and ``wait`` the steps between a
    leap that failed and the next, and how many of them are left.
    """

    index: IntArray
    basis: Basis
    start: FloatArray
    residuals: FloatArray
    saved: FloatArray
    scale: FloatArray
    moved: FloatArray
    rate: FloatArray
    leapt: BoolArray
    rest: IntArray
    wait: IntArray
    met: BoolArray
    floor: FloatArray

    def keep(self, mask: BoolArray) -> None:
        self.basis = self.basis.take(mask)
        for name in _PER_PROBLEM:
            setattr(self, name, getattr(self, name)[mask])


_PER_PROBLEM = tuple(item.name for item in fields(_Batch) if item.name != "basis")


def fit_least_squares(basis: Basis, response: FloatArray) -> RawFit:
    """Ordinary least squares in the form of a robust fit.

    Parameters
    ----------
    basis : Basis
        Of full rank.
    response : (b, n) array
        One row per problem.

    Returns
    -------
    RawFit
        scale^2 = RSS / (n - p).

    References
    ----------
    .. [1] Golub GH, Van Loan CF (2013), Matrix Computations, 4th ed., section 5.3.
    """
    coefficients, residuals = _project_out(basis, response)
    df = response.shape[1] - coefficients.shape[1]
    scale = np.sqrt(np.einsum("bn,bn->b", residuals, residuals) / df)
    floor = COLLAPSE * compute_spread(response)
    no = np.zeros(len(response), dtype=np.bool_)
    return RawFit(
        coefficients=coefficients,
        residuals=residuals,
        scale=scale,
        weights=np.ones_like(response),
        iterations=np.zeros(len(response), dtype=np.int64),
        collapsed=(scale <= floor) | _mostly_zero(residuals, floor),
        converged=~no,
        singular=no,
    )


def fit_robust(basis: Basis, response: FloatArray, options: FitOptions) -> RawFit:
    """Iterate weighted least squares from the OLS fit until the residuals stand still.

    The iteration works on the OLS residuals, in a power of two near their spread: neither a
    large common offset nor the unit of the response costs digits.

    Parameters
    ----------
    basis : Basis
        Of full rank.
    response : (b, n) array
        One row per problem.
    options : FitOptions
        psi is huber or bisquare.

    Returns
    -------
    RawFit
        In the units of the response.

    References
    ----------
    .. [1] Venables WN, Ripley BD (2002), Modern Applied Statistics with S, section 6.5.
    """
    first, residuals = _project_out(basis, response)
    spread = compute_spread(response)
    unit = np.where(spread > 0, np.exp2(np.frexp(spread)[1].astype(np.float64)), 1.0)
    work = residuals / unit[:, None]
    floor = COLLAPSE * spread / unit
    found = _iterate(basis, work, floor, options)
    return RawFit(
        coefficients=first + found.coefficients * unit[:, None],
        residuals=found.residuals * unit[:, None],
        scale=found.scale * unit,
        weights=found.weights,
        iterations=found.iterations,
        collapsed=found.collapsed | _mostly_zero(found.residuals, floor),
        converged=found.converged,
        singular=found.singular,
    )


def _iterate(basis: Basis, start: FloatArray, floor: FloatArray, options: FitOptions) -> RawFit:
    done = _blank(start, p=basis.rows.shape[-2])
    batch = _Batch(
        index=np.arange(len(start)),
        basis=basis,
        start=start,
        residuals=start,
        saved=start,
        scale=median_absolute(start) / MASS_MAD,
        moved=np.full(len(start), np.inf),
        rate=np.ones(len(start)),
        leapt=np.zeros(len(start), dtype=np.bool_),
        rest=np.ones(len(start), dtype=np.int64),
        wait=np.zeros(len(start), dtype=np.int64),
        met=np.zeros(len(start), dtype=np.bool_),
        floor=floor,
    )
    # A problem that blows up is found by its change not being finite, not by a warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        step = 0
        while len(batch.index):
            step += 1
            _advance(batch, done, options, step=step)
    return done


def _advance(batch: _Batch, done: RawFit, options: FitOptions, *, step: int) -> None:
    """One step of every problem in the batch; those that are done are written and leave."""
    scale = _next_scale(batch, options)
    collapsed = scale <= batch.floor
    u = batch.residuals / np.where(collapsed, 1.0, scale)[:, None]
    weights = compute_weights(u, psi=options.psi, tuning=options.tuning)
    gram = batch.basis.weighted_gram(weights)
    right = batch.basis.project(weights * batch.start)
    delta = solve_each(gram, right[:, :, None])[:, :, 0]
    residuals = batch.start - batch.basis.predict(delta)
    step_taken = residuals - batch.residuals
    moved = np.sqrt(np.einsum("bn,bn->b", step_taken, step_taken))
    lost = ~np.isfinite(moved)
    missed = batch.leapt & ~(moved <= LANDED * batch.moved)
    # The step after a leap says nothing of the rate at which the iteration comes closer.
    rate = np.where(batch.leapt, batch.rate, moved / batch.moved)
    met, settled = _judge(batch, moved, rate, scale, options.tolerance)
    leaves = settled | collapsed | lost | (step == options.max_iterations)
    if leaves.any():
        where = batch.index[leaves]
        done.coefficients[where] = delta[leaves]
        done.residuals[where] = residuals[leaves]
        done.scale[where] = scale[leaves]
        done.weights[where] = weights[leaves]
        done.iterations[where] = step
        done.collapsed[where] = collapsed[leaves]
        done.converged[where] = met[leaves]
        singular = lost[leaves] | is_singular(gram[leaves], n=residuals.shape[1])
        # Weights at a collapsed scale mean nothing, so neither does their matrix.
        done.singular[where] = singular & ~collapsed[leaves]
    batch.residuals = (
        np.where(missed[:, None], batch.saved, residuals) if missed.any() else residuals
    )
    batch.scale = scale
    batch.moved = np.where(missed, batch.moved, moved)
    batch.rate = rate
    batch.rest = np.where(missed, 2 * batch.rest, batch.rest)
    batch.wait = np.where(missed, batch.rest, batch.wait - 1)
    batch.met = met
    if leaves.any():
        batch.keep(~leaves)
    if options.psi == "huber" and options.scale == "mad":
        _leap(batch, options)


def _leap(batch: _Batch, options: FitOptions) -> None:
    """Take the problems that come closer nearer to where they go, and remember the way back."""
    tries = may_leap(batch.moved, batch.rate, batch.scale) & (batch.wait <= 0)
    tries &= ~batch.leapt
    batch.leapt = np.zeros(len(batch.index), dtype=np.bool_)
    batch.saved = batch.residuals
    if not tries.any():
        return
    here = np.flatnonzero(tries)
    step = leap(
        batch.basis.take(here),
        batch.residuals[here],
        tuning=options.tuning,
        mad_constant=options.mad_constant,
        way=(batch.moved / (1.0 - batch.rate))[here],
    )
    batch.residuals = batch.residuals.copy()
    batch.residuals[here] += step
    batch.leapt[here] = step.any(axis=1)


def _judge(
    batch: _Batch, moved: FloatArray, rate: FloatArray, scale: FloatArray, tolerance: float
) -> tuple[BoolArray, BoolArray]:
    """Which problems have met the tolerance, and which need not go on.

    A problem that has met the tolerance, on the length of its residuals, counts as converged
    from then on. Outliers lengthen residuals, and steps shrink by a factor near one in a slow
    fit, so it goes on until the way that remains, step times rate / (1 - rate), meets the
    tolerance on the scale as well.
    """
    length = np.sqrt(np.einsum("bn,bn->b", batch.residuals, batch.residuals))
    met = moved <= tolerance * np.maximum(length, 1e-10)
    ahead = moved * rate <= tolerance * (1.0 - rate) * scale * np.sqrt(batch.start.shape[1])
    return met | batch.met, (met | batch.met) & (ahead | (rate >= 1.0))


def _next_scale(batch: _Batch, options: FitOptions) -> FloatArray:
    if options.scale == "mad":
        return median_absolute(batch.residuals) / options.mad_constant
    df = batch.start.shape[1] - batch.basis.rows.shape[-2]
    return proposal2_step(batch.residuals, batch.scale, df=df)


def _project_out(basis: Basis, response: FloatArray) -> tuple[FloatArray, FloatArray]:
    """OLS, projected twice: the second pass removes what rounding of a large mean left."""
    first = basis.project(response)
    residuals = response - basis.predict(first)
    second = basis.project(residuals)
    return first + second, residuals - basis.predict(second)


def _mostly_zero(residuals: FloatArray, floor: FloatArray) -> BoolArray:
    tiny = np.abs(residuals) <= floor[:, None]
    return np.asarray(2 * tiny.sum(axis=1) > residuals.shape[1])


def _blank(start: FloatArray, *, p: int) -> RawFit:
    b = len(start)
    return RawFit(
        coefficients=np.full((b, p), np.nan),
        residuals=np.full_like(start, np.nan),
        scale=np.full(b, np.nan),
        weights=np.full_like(start, np.nan),
        iterations=np.zeros(b, dtype=np.int64),
        collapsed=np.zeros(b, dtype=np.bool_),
        converged=np.zeros(b, dtype=np.bool_),
        singular=np.zeros(b, dtype=np.bool_),
    )
