"""Whether exposure follows the dose: the power model and its verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import stdtrit

from assayhouse.pk.errors import PKError

_LOWER, _UPPER = 0.8, 1.25


@dataclass(frozen=True)
class DoseProportionality:
    """Power model of exposure on dose, natural logarithms.

    Parameters
    ----------
    n : int
        Subjects.
    intercept, slope, slope_se : float
        log exposure = intercept + slope log dose.
    slope_ci : tuple of float
        t interval with n - 2 degrees of freedom.
    level : float
        Of the interval.
    dose_ratio : float
        Highest over lowest dose.
    ratio : float
        Exposure at the highest over that at the lowest dose, by the model.
    ratio_ci : tuple of float
        Its interval.
    median_ratio, geomean_ratio : float
        The same of the observed medians and geometric means.
    region : tuple of float
        Slopes that count as proportional.
    conclusion : {"proportional", "not_proportional", "inconclusive"}
        Whether the interval lies inside the region, outside, or across its border.
    """

    n: int
    intercept: float
    slope: float
    slope_se: float
    slope_ci: tuple[float, float]
    level: float
    dose_ratio: float
    ratio: float
    ratio_ci: tuple[float, float]
    median_ratio: float
    geomean_ratio: float
    region: tuple[float, float]
    conclusion: Literal["proportional", "not_proportional", "inconclusive"]


def dose_proportionality(
    exposure: pl.DataFrame, *, column: str = "AUCSS", dose: str = "DOSE", level: float = 0.90
) -> DoseProportionality:
    """Fit the power model; rows without drug or exposure are left out.

    Parameters
    ----------
    exposure : polars.DataFrame
        One row per subject.
    column, dose : str
        Exposure and dose.
    level : float
        Of the interval.

    Returns
    -------
    DoseProportionality
        With the conclusion by the region of the highest over the lowest dose.

    Raises
    ------
    PKError
        Fewer than two doses or three subjects, or a column is missing.

    References
    ----------
    .. [1] Smith BP, Vandenhende FR et al. (2000), Pharm Res 17, 1278-1283.
    """
    require_columns(exposure, (column, dose))
    if not 0 < level < 1:
        message = "level must be between 0 and 1."
        raise PKError(message)
    kept = exposure.filter((pl.col(dose) > 0) & (pl.col(column) > 0))
    x, y = (np.log(kept[name].cast(pl.Float64).to_numpy()) for name in (dose, column))
    if len(np.unique(x)) < 2 or len(x) < 3:
        message = "Dose proportionality needs two doses and three subjects with exposure."
        raise PKError(message)
    dx = x - x.mean()
    slope = float(dx @ y / (dx @ dx))
    intercept = float(y.mean() - slope * x.mean())
    residual = y - intercept - slope * x
    df = len(x) - 2
    error = math.sqrt(float(residual @ residual) / df / float(dx @ dx))
    half = float(stdtrit(df, (1 + level) / 2)) * error
    interval = (slope - half, slope + half)
    low, high = y[x == x.min()], y[x == x.max()]
    span = float(x.max() - x.min())
    region = (1 + math.log(_LOWER) / span, 1 + math.log(_UPPER) / span)
    return DoseProportionality(
        n=len(x),
        intercept=intercept,
        slope=slope,
        slope_se=error,
        slope_ci=interval,
        level=level,
        dose_ratio=math.exp(span),
        ratio=math.exp(span * slope),
        ratio_ci=(math.exp(span * interval[0]), math.exp(span * interval[1])),
        median_ratio=float(np.median(np.exp(high)) / np.median(np.exp(low))),
        geomean_ratio=math.exp(float(high.mean() - low.mean())),
        region=region,
        conclusion=_conclude(interval, region),
    )


def _conclude(
    interval: tuple[float, float], region: tuple[float, float]
) -> Literal["proportional", "not_proportional", "inconclusive"]:
    if region[0] <= interval[0] and interval[1] <= region[1]:
        return "proportional"
    if interval[1] < region[0] or region[1] < interval[0]:
        return "not_proportional"
    return "inconclusive"


def require_columns(frame: pl.DataFrame, names: Sequence[str]) -> None:
    """Raise `PKError` where a table lacks a column."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        message = f"The table lacks {', '.join(missing)}."
        raise PKError(message)
