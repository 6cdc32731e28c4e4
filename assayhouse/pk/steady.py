"""Profiles at steady state of one dose every tau, per subject. Nothing is summarised here."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.curves import predict_values
from assayhouse.pk.schedule import Doses, Schedule
from assayhouse.pk.structures import STRUCTURES, has_lag

_GRID = 241
_GOLDEN = (np.sqrt(5.0) - 1) / 2
_STEPS = 60


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Peak and trough of each subject.

    Parameters
    ----------
    cmax : (n,) array
        Highest concentration.
    tmax : (n,) array
        When it is reached after the dose, the lag time counted.
    ctrough : (n,) array
        Concentration tau after a dose.
    """

    cmax: FloatArray
    tmax: FloatArray
    ctrough: FloatArray


def steady_state(
    structure: str, parameters: FloatArray, dose: FloatArray, tau: FloatArray, scale: float
) -> SteadyState:
    """Find peak and trough: a grid over the interval, then golden section around its best point.

    Parameters
    ----------
    structure : str
        Key of `STRUCTURES`.
    parameters : (k, n) array
        Individual parameters.
    dose, tau : (n,) array
        Amount and interval of each subject.
    scale : float
        Amount per litre in the unit of the concentrations.

    Returns
    -------
    SteadyState
        In the unit of the concentrations and of ``tau``.

    References
    ----------
    .. [1] Gibaldi M, Perrier D (1982), Pharmacokinetics, 2nd edition, chapter 3.
    .. [2] Kiefer J (1953), Proc Am Math Soc 4, 502-506 (golden section).
    """
    phi = np.log(parameters)

    def concentration(since: FloatArray) -> FloatArray:
        return _concentration(structure, phi, dose, tau=tau, since=since, scale=scale)

    lag = np.zeros(len(tau))
    if has_lag(structure):
        lag = parameters[STRUCTURES[structure].index("TLAG")]
    release = np.mod(lag, tau)
    trough = concentration((tau - release)[:, None])[:, 0]
    if "KA" not in STRUCTURES[structure]:
        zero = np.zeros(len(tau))
        return SteadyState(concentration(zero[:, None])[:, 0], zero, trough)
    since = _peak(concentration, tau)
    at = np.mod(since + release, tau)
    return SteadyState(concentration(since[:, None])[:, 0], at, trough)


def _peak(concentration: Callable[[FloatArray], FloatArray], tau: FloatArray) -> FloatArray:
    # Denser after the release, where an absorption may be quick.
    grid = tau[:, None] * np.linspace(0.0, 1.0, _GRID) ** 3
    best = concentration(grid).argmax(axis=1)
    rows = np.arange(len(tau))
    low = grid[rows, np.maximum(best - 1, 0)]
    high = grid[rows, np.minimum(best + 1, _GRID - 1)]
    for _ in range(_STEPS):
        left = high - _GOLDEN * (high - low)
        right = low + _GOLDEN * (high - low)
        values = concentration(np.stack([left, right], axis=1))
        rises = values[:, 1] > values[:, 0]
        low, high = np.where(rises, left, low), np.where(rises, high, right)
    return np.asarray((low + high) / 2)


def _concentration(
    structure: str,
    phi: FloatArray,
    dose: FloatArray,
    *,
    tau: FloatArray,
    since: FloatArray,
    scale: float,
) -> FloatArray:
    """Concentrations at (n, g) times since the latest released dose."""
    n, g = since.shape
    size = n * g
    schedule = Schedule(
        subject=np.repeat(np.arange(n), g),
        starts=np.arange(n) * g,
        sample=np.arange(size),
        elapsed=since.ravel(),
        amount=np.repeat(dose, g),
        interval=np.repeat(tau, g),
        steady=np.ones(size, dtype=np.bool_),
        last=np.ones(size),
    )
    doses = Doses(since.ravel(), np.full(size, np.inf))
    return predict_values(structure, schedule, phi, scale, doses).reshape(n, g)
