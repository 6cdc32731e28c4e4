"""Calibration curves: weighted 4PL and 5PL fits, their inverse, and what belongs to them.

Holds what callers use. The formulas in logarithms are in `logistic_curve`, the search for the
best fit in `curve_search`, the optimiser in `least_squares` (open through `nonlinear`), the
combination of signals in `signal_combination`. It holds no file format and no plate's acceptance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray, as_finite, require_positive, require_word
from assayhouse.stats.curve_search import Data, Found, search
from assayhouse.stats.least_squares import compute_std_errors
from assayhouse.stats.logistic_curve import (
    LARGEST_LOG,
    Shape,
    compute_derivatives,
    compute_log_slope,
    compute_log_x,
    compute_value,
)
from assayhouse.stats.nonlinear import NonlinearFit, fit_nonlinear
from assayhouse.stats.signal_combination import Combined, combine_signals
from assayhouse.stats.signal_weights import compute_weights

__all__ = [
    "Combined",
    "CurveFit",
    "Inverse",
    "NonlinearFit",
    "combine_signals",
    "fit_curve",
    "fit_nonlinear",
    "from_bioplex",
    "from_drc",
]

_PARAMETERS = {"4pl": ("a", "b", "c", "d"), "5pl": ("a", "b", "c", "d", "g")}
_RUN_OFF = 10.0
"""A limit beyond this many times the largest signal was not seen; the same bound serves g."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse:
    """Concentrations read off a curve.

    Parameters
    ----------
    values : (n,) array
        Concentration times dilution; NaN where the state is not "ok".
    states : tuple of str
        "ok"; "below" where the signal lies beyond the limit of concentration zero; "above" where
        it lies beyond the limit of endless concentration.
    """

    values: FloatArray
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveFit:
    """A curve y = d + (a - d) / (1 + (x/c)^b)^g and how it was found.

    Parameters
    ----------
    a, d : float
        Limits in signal units: for b > 0, a at concentration 0 and d at infinity; for b < 0 the
        other way round.
    b : float
        Slope.
    c : float
        Midpoint, in concentration units.
    g : float
        Asymmetry; 1 for a 4PL.
    rss : float
        Weighted residual sum of squares; NaN for a curve that was not fitted here.
    fitted : (n,) array
        Signals of the curve at the standards.
    n : int
        Standards.
    status : str
        "ok"; "asymptote_not_identified": a limit or g ran off, the curve still serves between its
        standards; "failed": no numbers.
    std_errors : dict
        By name of the parameter, in its units; NaN where the information is singular.
    """

    a: float
    b: float
    c: float
    d: float
    g: float = 1.0
    rss: float = np.nan
    fitted: FloatArray = field(default_factory=lambda: np.empty(0))
    n: int = 0
    status: str = "ok"
    std_errors: Mapping[str, float] = field(default_factory=dict)

    def predict(self, x: ArrayLike) -> FloatArray:
        """Signal at concentrations.

        Parameters
        ----------
        x : (n,) array
            Concentrations, not negative.

        Returns
        -------
        (n,) array
            Signals; NaN of a failed fit.

        References
        ----------
        .. [1] Gottschalk PG, Dunn JR (2005), Anal Biochem 343, 54-65, eq. 2.
        """
        log_x = _log_concentration(x)
        return compute_value(log_x, self.a, self.d, self._shape())

    def inverse(self, y: ArrayLike, *, dilution: ArrayLike = 1.0) -> Inverse:
        """Concentration at signals.

        Parameters
        ----------
        y : (n,) array
            Signals, treated as the standards' were: background subtracted once, or not at all.
        dilution : float or (n,) array
            Factor by which the specimen was diluted.

        Returns
        -------
        Inverse
            Concentrations times dilution, and states.

        Raises
        ------
        ModelDataError
            The fit failed, or a signal or dilution is not a usable number.

        References
        ----------
        .. [1] Gottschalk PG, Dunn JR (2005), Anal Biochem 343, 54-65: eq. 2 solved for x.
        """
        if not np.isfinite([self.a, self.b, self.c, self.d, self.g]).all():
            message = "the fit of this curve failed, so that no concentration can be read off it."
            raise ModelDataError(message)
        signal = np.atleast_1d(as_finite(y, name="y", dimensions=(0, 1)))
        factor = as_finite(dilution, name="dilution", dimensions=(0, 1))
        if np.any(factor <= 0) or factor.shape not in {(), signal.shape}:
            message = f"dilution of shape {factor.shape} must be positive, one or one per signal."
            raise ModelDataError(message)
        log_x, inside = compute_log_x(signal, self.a, self.d, self._shape())
        held = inside & (np.abs(log_x) < LARGEST_LOG)
        values = np.full(signal.shape, np.nan)
        values[held] = np.exp(log_x[held]) * np.broadcast_to(factor, signal.shape)[held]
        at_zero = self.a if self.b > 0 else self.d
        at_infinity = self.d if self.b > 0 else self.a
        beyond_zero = signal <= at_zero if at_zero <= at_infinity else signal >= at_zero
        below = np.where(inside, log_x < 0, beyond_zero)
        states = np.select([held, below], ["ok", "below"], default="above")
        return Inverse(values=values, states=tuple(states.tolist()))

    def log_slope(self, x: ArrayLike) -> FloatArray:
        """Sensitivity d log y / d log x at concentrations, the slope `combine_signals` weighs by.

        Parameters
        ----------
        x : (n,) array
            Concentrations, positive.

        References
        ----------
        .. [1] Gottschalk PG, Dunn JR (2005), Anal Biochem 343, 54-65: eq. 2, differentiated.
        """
        return compute_log_slope(_log_concentration(x), self.a, self.d, self._shape())

    def _shape(self) -> Shape:
        with np.errstate(divide="ignore"):
            return Shape(b=self.b, log_c=float(np.log(self.c)), log_g=float(np.log(self.g)))


def fit_curve(
    x: ArrayLike,
    y: ArrayLike,
    *,
    model: str = "4pl",
    weights: str | ArrayLike = "1/y2",
    starts: int = 8,
    seed: int = 1,
) -> CurveFit:
    """Fit a 4PL or 5PL calibration curve to standards.

    The parameters of a 5PL are often hardly determined though its values are: judge a fit by
    `rss` and `fitted`, never by parameters.

    Parameters
    ----------
    x : (n,) array
        Concentrations, zero allowed; n may count replicates one by one.
    y : (n,) array
        Signals.
    model : {"4pl", "5pl"}
        Four parameters, or five with the asymmetry g.
    weights : {"1/y2", "1/y", "none"} or (n,) array
        Of the squared residuals, from the observed signals.
    starts : int
        Descents from different shapes; the lowest counts.
    seed : int
        Moves the candidate shapes; the same seed gives the same fit.

    Returns
    -------
    CurveFit
        With status "failed" and no numbers where the standards cannot determine any curve: fewer
        than the parameters, or signals all equal.

    Raises
    ------
    ModelDataError
        A value that is not finite, a negative concentration, a signal the weights cannot use.
    InputError
        An option that is unknown.

    References
    ----------
    .. [1] Gottschalk PG, Dunn JR (2005), Anal Biochem 343, 54-65, eq. 2.
    .. [2] Golub GH, Pereyra V (1973), SIAM J Numer Anal 10(2), 413-432.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0])
    >>> fit = fit_curve(x, 100.0 - 90.0 / (1.0 + x / 4.0))
    >>> fit.status, round(fit.a, 6), round(fit.b, 6), round(fit.c, 6), round(fit.d, 6)
    ('ok', 10.0, 1.0, 4.0, 100.0)
    >>> fit.inverse([55.0, 100.5]).states
    ('ok', 'above')
    """
    require_word(model, name="model", known=_PARAMETERS)
    require_positive(starts, name="starts")
    concentration, signal = _standards(x, y)
    root = np.sqrt(compute_weights(weights, signal))
    data = Data(log_x=_log_concentration(concentration), y=signal, root=root)
    names = _PARAMETERS[model]
    if len(np.unique(concentration)) < 2 or len(signal) < len(names) or np.ptp(signal) == 0:
        return _failed(signal, names)
    rng = np.random.default_rng(seed)
    found = search(data, asymmetric=model == "5pl", starts=int(starts), rng=rng)
    return _failed(signal, names) if found is None else _result(data, found, names)


def _standards(x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    concentration = as_finite(x, name="x", dimensions=(1,))
    signal = as_finite(y, name="y", dimensions=(1,))
    if concentration.shape != signal.shape:
        message = f"x has shape {concentration.shape} and y {signal.shape}; give one x per y."
        raise ModelDataError(message)
    return concentration, signal


def _log_concentration(x: ArrayLike) -> FloatArray:
    values = np.atleast_1d(np.asarray(x, dtype=np.float64))
    if np.any(values < 0) or np.isnan(values).any():
        rows = tuple(int(row) for row in np.flatnonzero(~(values >= 0)))
        message = "x holds concentrations that are negative or missing; leave them out."
        raise ModelDataError(message, rows=rows)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values), dtype=np.float64)


def _failed(signal: FloatArray, names: tuple[str, ...]) -> CurveFit:
    nan = float("nan")
    return CurveFit(
        a=nan,
        b=nan,
        c=nan,
        d=nan,
        g=nan,
        fitted=np.full(signal.shape, np.nan),
        n=len(signal),
        status="failed",
        std_errors=dict.fromkeys(names, nan),
    )


def _result(data: Data, found: Found, names: tuple[str, ...]) -> CurveFit:
    shape = found.shape
    natural = {
        "a": found.a,
        "b": shape.b,
        "c": float(np.exp(shape.log_c)),
        "d": found.d,
        "g": float(np.exp(shape.log_g)),
    }
    by_all = compute_derivatives(data.log_x, found.a, found.d, shape) * data.root[:, None]
    order = {"a": 0, "d": 1, "c": 2, "b": 3, "g": 4}
    # Columns 2 to 4 are derivatives by logarithms; dividing by the value makes them natural.
    jacobian = np.stack(
        [by_all[:, order[k]] / (1.0 if k in "ad" else natural[k]) for k in names], axis=1
    )
    errors = dict(zip(names, compute_std_errors(jacobian, found.rss).tolist(), strict=True))
    largest = float(np.abs(data.y).max())
    lost = any(
        abs(natural[k]) > _RUN_OFF * largest or not errors[k] <= max(abs(natural[k]), 0.0)
        for k in "ad"
    )
    lost = lost or not 1.0 / _RUN_OFF <= natural["g"] <= _RUN_OFF
    return CurveFit(
        **natural,
        rss=found.rss,
        fitted=compute_value(data.log_x, found.a, found.d, shape),
        n=len(data.y),
        status="asymptote_not_identified" if lost else "ok",
        std_errors=errors,
    )


def from_drc(b: float, c: float, d: float, e: float, f: float = 1.0) -> CurveFit:
    """Curve of the parameters that R's drc prints for LL.4 and LL.5.

    drc writes y = c + (d - c) / (1 + exp(b (log x - log e)))^f; for LL2.4 and LL2.5 give exp(e).

    Parameters
    ----------
    b : float
        Slope; b < 0 rises.
    c, d : float
        Lower and upper limit, in signal units.
    e : float
        Midpoint, in concentration units.
    f : float
        Asymmetry.

    Raises
    ------
    ModelDataError
        Parameters that make no curve.

    References
    ----------
    .. [1] Ritz C, Baty F, Streibig JC, Gerhard D (2015), PLoS ONE 10(12), e0146021, eq. 2 and 3.

    Examples
    --------
    >>> from_drc(-1.0, 10.0, 100.0, 4.0).predict([4.0]).tolist()
    [55.0]
    """
    return _given(a=d, b=b, c=e, d=c, g=f)


def from_bioplex(a: float, b: float, c: float, d: float, g: float = 1.0) -> CurveFit:
    """Curve of the parameters in a Bio-Plex workbook's footer.

    The workbook prints FI = d + (a - d) / ((1 + (Conc / c)^b))^g with a the top, d the bottom and
    b < 0.

    Parameters
    ----------
    a, d : float
        Top and bottom, in signal units.
    b : float
        Slope as printed.
    c : float
        Midpoint, in concentration units.
    g : float
        Asymmetry; 1 for "Logistic - 4PL".

    Raises
    ------
    ModelDataError
        Parameters that make no curve.

    References
    ----------
    .. [1] Gottschalk PG, Dunn JR (2005), Anal Biochem 343, 54-65, eq. 2.

    Examples
    --------
    >>> from_bioplex(100.0, -1.0, 4.0, 10.0).predict([4.0]).tolist()
    [55.0]
    """
    return _given(a=a, b=b, c=c, d=d, g=g)


def _given(*, a: float, b: float, c: float, d: float, g: float) -> CurveFit:
    values = as_finite([a, b, c, d, g], name="parameters", dimensions=(1,))
    if b == 0 or c <= 0 or g <= 0:
        message = "a curve needs b other than 0, and c and g above 0; check the order given."
        raise ModelDataError(message)
    a, b, c, d, g = values.tolist()
    return CurveFit(a=a, b=b, c=c, d=d, g=g)
