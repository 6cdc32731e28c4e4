"""Standard curves of qPCR, the rule for replicates, and percent demethylated."""

import math
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

FloatArray: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
BoolArray: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
LOWEST_EFFICIENCY, HIGHEST_EFFICIENCY, LOWEST_R_SQUARED = 0.90, 1.10, 0.98
_FEWEST_AGREEING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardCurve:
    """Straight line of Cq against the decimal logarithm of copies.

    Parameters
    ----------
    intercept : float
        Cq of one copy, ``A``.
    slope : float
        Cycles per decade, ``S``; -3.32 where every cycle doubles.
    efficiency : float
        ``10^(-1/S) - 1``; 1 where every cycle doubles.
    r_squared : float
        Share of the variance of Cq that the line explains.
    status : str
        ``ok``, ``efficiency_out_of_range``, ``low_r_squared`` or ``failed`` (no line: fewer than
        two amounts, or no slope).
    """

    intercept: float
    slope: float
    efficiency: float
    r_squared: float
    status: str

    def copies(self, cq: ArrayLike) -> FloatArray:
        """Read copies off the line.

        Parameters
        ----------
        cq : (n,) array or float
            Quantification cycles; NaN where a well was not determined.

        Returns
        -------
        (n,) array
            Copies; NaN where there is no Cq, and everywhere where the curve failed.
        """
        values = np.asarray(cq, dtype=np.float64)
        if self.status == "failed":
            return np.full(values.shape, np.nan)
        with np.errstate(over="ignore"):
            return np.asarray(np.power(10.0, (values - self.intercept) / self.slope))


def standard_curve(copies: ArrayLike, cq: ArrayLike) -> StandardCurve:
    """Fit Cq = A + S log10(copies) by least squares.

    Wells without a Cq, and standards of zero copies, are left out.

    Parameters
    ----------
    copies : (n,) array
        Copies in each standard well.
    cq : (n,) array
        Quantification cycle of each; NaN where it was not determined.

    References
    ----------
    .. [1] Bustin SA et al (2009), Clinical Chemistry 55, 611-622: MIQE, calibration curves.

    Examples
    --------
    >>> curve = standard_curve([10, 100, 1000], [30.0, 26.68, 23.36])
    >>> round(curve.slope, 2), round(curve.efficiency, 2), curve.status
    (-3.32, 1.0, 'ok')
    """
    amounts = np.asarray(copies, dtype=np.float64).ravel()
    cycles = np.asarray(cq, dtype=np.float64).ravel()
    usable = np.isfinite(amounts) & np.isfinite(cycles) & (amounts > 0)
    x, y = np.log10(amounts[usable]), cycles[usable]
    if len(np.unique(x)) < 2:
        return _failed()
    deviation = x - x.mean()
    slope = float(deviation @ y / (deviation @ deviation))
    if slope >= 0 or not math.isfinite(slope):
        return _failed()
    intercept = float(y.mean() - slope * x.mean())
    total = float(((y - y.mean()) ** 2).sum())
    r_squared = 1 - float(((y - intercept - slope * x) ** 2).sum()) / total
    exponent = -1 / slope
    efficiency = 10**exponent - 1 if exponent < 300 else math.inf
    return StandardCurve(
        intercept=intercept,
        slope=slope,
        efficiency=efficiency,
        r_squared=r_squared,
        status=_status(efficiency, r_squared),
    )


def _status(efficiency: float, r_squared: float) -> str:
    if not LOWEST_EFFICIENCY <= efficiency <= HIGHEST_EFFICIENCY:
        return "efficiency_out_of_range"
    return "ok" if r_squared >= LOWEST_R_SQUARED else "low_r_squared"


def _failed() -> StandardCurve:
    nan = math.nan
    return StandardCurve(intercept=nan, slope=nan, efficiency=nan, r_squared=nan, status="failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicates:
    """Wells of one sample put together.

    Parameters
    ----------
    used : (n,) boolean array
        Wells that count.
    mean : float
        Mean Cq of these; NaN where there is no result.
    status : str
        ``ok``, ``one_dropped``, ``not_detected`` (no well has a Cq) or ``failed``.
    """

    used: BoolArray = field(repr=False)
    mean: float
    status: str


def combine_replicates(cq: ArrayLike, *, max_spread: float = 0.5) -> Replicates:
    """Average replicate wells; one that lies off the median may be dropped, two may not.

    A well without a Cq lies off the median of those that have one.

    Parameters
    ----------
    cq : (n,) array
        Quantification cycles; NaN where a well was not determined.
    max_spread : float
        Largest distance from the median, cycles.

    Examples
    --------
    >>> found = combine_replicates([24.0, 24.2, 25.1])
    >>> found.status, round(found.mean, 2)
    ('one_dropped', 24.1)
    """
    values = np.asarray(cq, dtype=np.float64).ravel()
    detected = np.isfinite(values)
    if not detected.any():
        return Replicates(used=detected, mean=math.nan, status="not_detected")
    middle = float(np.median(values[detected]))
    # A hundredth of a billionth of a cycle, so that 24.6 is half a cycle from 24.1.
    near = detected & (np.abs(np.where(detected, values, middle) - middle) <= max_spread + 1e-11)
    dropped = int((~near).sum())
    fewest = _FEWEST_AGREEING if dropped else 1
    if dropped > 1 or int(near.sum()) < fewest:
        nothing = np.zeros(values.shape, dtype=np.bool_)
        return Replicates(used=nothing, mean=math.nan, status="failed")
    status = "one_dropped" if dropped else "ok"
    return Replicates(used=near, mean=float(values[near].mean()), status=status)


def percent_demethylated(
    target_copies: ArrayLike,
    reference_copies: ArrayLike,
    *,
    efficiency_factor: float = 1.0,
    copy_factor: float = 1.0,
) -> FloatArray:
    """Compute 100 x EF x k x target copies / reference copies.

    ``copy_factor`` is 2 where a cell has one demethylated copy of the target and two of the
    reference, as for FOXP3, which is on the X chromosome.

    Parameters
    ----------
    target_copies, reference_copies : (n,) array
        Copies of the demethylated target and of the reference.
    efficiency_factor : float
        Efficiency of the target's assay relative to the reference's, ``EF``.
    copy_factor : float
        Copies of the reference per copy of the target in one cell, ``k``.

    Returns
    -------
    (n,) array
        Percent; NaN where either is missing or negative, or the reference is zero.
    """
    target = np.asarray(target_copies, dtype=np.float64)
    reference = np.asarray(reference_copies, dtype=np.float64)
    usable = (target >= 0) & (reference > 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        percent = 100 * efficiency_factor * copy_factor * target / reference
    return np.where(usable, percent, np.nan)
