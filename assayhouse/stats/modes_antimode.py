"""Turning points of a kernel density, critical bandwidths and the antimode with its interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray, require_positive
from assayhouse.stats.columns import as_column
from assayhouse.stats.errors import InputError
from assayhouse.stats.frozen import Frozen, freeze
from assayhouse.stats.modes_density import Sample, critical_h, density, find_turns
from assayhouse.stats.modes_door import (
    ABOVE,
    LABEL,
    NAN,
    RTOL,
    Pair,
    percentiles,
    read_tail,
    read_values,
    require_whole,
)
from assayhouse.stats.resampling import MODES, Rng, bootstrap_indices, resolve_seed


@dataclass(frozen=True, slots=True, kw_only=True)
class KdeModes(Frozen):
    """Turning points of a kernel density.

    Parameters
    ----------
    bandwidth : float
        Standard deviation of the kernel, in the units of the data.
    locations : (m,) array
        Ascending.
    kinds : tuple of {"mode", "antimode"}
        Of each location.
    densities : (m,) array
        Per unit of the data.
    """

    bandwidth: float
    locations: FloatArray
    kinds: tuple[str, ...]
    densities: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Antimode(Frozen):
    """The deepest point between the two highest modes at the critical bandwidth of two modes.

    Parameters
    ----------
    value, density : float
        Place and density; NaN where there is none.
    modes : (float, float)
        The two modes.
    h_crit_1, h_crit_2 : float
        Critical bandwidths of one and two modes.
    ci : (float, float)
        Percentile interval over bootstrap samples of the whole calculation.
    path_h, path_value : (k,) arrays
        Antimode over bandwidths from the second to the first critical one.
    n : int
        Values.
    n_failed : int
        Bootstrap samples without an antimode.
    seed : int, optional
        Of the samples; None where they were given.
    """

    value: float
    density: float
    modes: Pair
    h_crit_1: float
    h_crit_2: float
    ci: Pair
    path_h: FloatArray
    path_value: FloatArray
    n: int
    n_failed: int
    seed: int | None


def critical_bandwidth(x: ArrayLike, k: int = 1, *, rtol: float = RTOL) -> float:
    """Return the smallest bandwidth at which the Gaussian kernel density has at most k modes.

    Parameters
    ----------
    x : (n,) array_like
        Values.
    k : int
        Modes allowed.
    rtol : float
        Relative accuracy where several turning points meet at once; elsewhere it is exact.

    Returns
    -------
    float
        In the units of the data; NaN with fewer than k + 1 distinct values.

    Raises
    ------
    InputError
        k below 1, or values that are no numbers.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.

    Examples
    --------
    Two values merge when they are two bandwidths apart.

    >>> round(critical_bandwidth([0.0, 2.0]), 6)
    1.0
    """
    require_positive(rtol, name="rtol")
    sample = Sample.of(read_values(x))
    return critical_h(sample, require_whole(k, name="k", least=1), rtol=max(rtol, 1e-15))


def kde_modes(x: ArrayLike, h: float) -> KdeModes:
    """Return the turning points of the Gaussian kernel density.

    Parameters
    ----------
    x : (n,) array_like
        Values.
    h : float
        Bandwidth.

    Returns
    -------
    KdeModes
        Modes and antimodes in turn; nothing for no values.

    Raises
    ------
    InputError
        h is not above zero.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.

    Examples
    --------
    >>> found = kde_modes([0.0, 4.0], 1.0)
    >>> found.kinds, round(float(found.locations[1]), 6)
    (('mode', 'antimode', 'mode'), 2.0)
    """
    require_positive(h, name="h")
    values = read_values(x)
    sample = Sample.of(values)
    places, signs = np.zeros(0), np.zeros(0)
    if len(values):
        places, signs = find_turns(sample, float(h))
    return KdeModes(
        bandwidth=float(h),
        locations=freeze(places),
        kinds=tuple("mode" if sign > 0 else "antimode" for sign in signs),
        densities=freeze(density(sample, float(h), places)),
    )


def antimode(
    x: ArrayLike,
    *,
    n_boot: int = 1000,
    conf_level: float = 0.95,
    path_points: int = 25,
    rng: Rng = None,
    resamples: ArrayLike | None = None,
) -> Antimode:
    """Return the antimode at the critical bandwidth of two modes, with an interval.

    On a unimodal marker this is an artefact of a tail: decide first, see `cutpoint`.

    Parameters
    ----------
    x : (n,) array_like
        Values.
    n_boot : int
        Bootstrap samples; 0 leaves the interval out.
    conf_level : float
        Of the interval.
    path_points : int
        Bandwidths of the path.
    rng : int, Generator or None
        Seed.
    resamples : (B, n) array_like of int, optional
        0-based rows of ``x``; overrides ``n_boot`` and ``rng``.

    Returns
    -------
    Antimode
        NaN where there are fewer than three distinct values.

    Raises
    ------
    InputError
        An option out of range, or values that are no numbers.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.
    .. [2] Efron B, Tibshirani RJ (1993), An Introduction to the Bootstrap, section 13.3.

    Examples
    --------
    >>> found = antimode([0.0, 1.0, 2.0, 8.0, 9.0, 10.0], n_boot=0)
    >>> round(found.value, 6)
    5.0
    """
    column = as_column(x, name="x")
    tail = read_tail(conf_level)
    number = require_whole(n_boot, name="n_boot", least=0)
    points = require_whole(path_points, name="path_points", least=0)
    values = column[~np.isnan(column)]
    sample = Sample.of(values)
    h1, h2 = (critical_h(sample, k, rtol=RTOL) for k in (1, 2))
    place, modes = _deepest(sample, h2 * ABOVE)
    rows, seed = _mode_rows(column, values, number, rng, resamples)
    found = np.array([_one_antimode(part, h2) for part in rows])
    path = np.linspace(h2 * ABOVE, h1, points, endpoint=False) if h1 > h2 else np.zeros(0)
    return Antimode(
        value=place,
        density=NAN
        if np.isnan(place)
        else float(density(sample, h2 * ABOVE, np.array([place]))[0]),
        modes=modes,
        h_crit_1=h1,
        h_crit_2=h2,
        ci=percentiles(found, tail),
        path_h=freeze(path),
        path_value=freeze(np.array([_deepest(sample, h)[0] for h in path.tolist()])),
        n=len(values),
        n_failed=int(np.isnan(found).sum()),
        seed=seed,
    )


def _mode_rows(
    column: FloatArray,
    values: FloatArray,
    n_boot: int,
    rng: Rng,
    resamples: ArrayLike | None,
) -> tuple[list[FloatArray], int | None]:
    """Return the values of every bootstrap sample and the seed they come from."""
    if resamples is None:
        seed = resolve_seed(rng)
        if not n_boot or not len(values):
            return [], seed
        rows = bootstrap_indices(len(values), n_boot, seed=seed, label=LABEL, purpose=MODES)
        return list(values[rows]), seed
    given = np.asarray(resamples)
    if given.ndim != 2 or given.shape[1] != len(column) or given.dtype.kind not in "iu":
        message = f"resamples must be integers of shape (B, {len(column)})."
        raise InputError(message)
    if given.size and (given.min() < 0 or given.max() >= len(column)):
        message = f"resamples must be 0-based rows, 0 to {len(column) - 1}."
        raise InputError(message)
    drawn = [column[row] for row in given.astype(np.int64)]
    return [part[~np.isnan(part)] for part in drawn], None


def _one_antimode(values: FloatArray, guess: float) -> float:
    """Return the antimode of one bootstrap sample."""
    sample = Sample.of(values)
    h = critical_h(sample, 2, rtol=RTOL, guess=guess)
    return _deepest(sample, h * ABOVE)[0]


def _deepest(sample: Sample, h: float) -> tuple[float, Pair]:
    """Return the deepest antimode between the two highest modes, and these modes."""
    nothing = (NAN, (NAN, NAN))
    if np.isnan(h):
        return nothing
    places, signs = find_turns(sample, h)
    tops, dips = places[signs > 0], places[signs < 0]
    if len(tops) < 2:
        return nothing
    highest = np.sort(tops[np.argsort(-density(sample, h, tops), kind="stable")[:2]])
    between = dips[(dips > highest[0]) & (dips < highest[1])]
    place = between[np.argmin(density(sample, h, between))]
    return float(place), (float(highest[0]), float(highest[1]))
