"""Exposure and response of the same subjects: the join, and simple models per parameter and visit.

No exposure is computed here, and nothing varies with time.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl
from scipy.optimize import least_squares
from scipy.special import stdtr, stdtrit

from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.errors import PKError

Row: TypeAlias = dict[str, Any]
_FEWEST = 4
_NUMBERS = ("ESTIMATE", "SE", "LOW", "HIGH", "P_VALUE")


def join_response(
    exposure: pl.DataFrame,
    response: pl.DataFrame,
    *,
    on: str = "ID",
    how: Literal["inner", "left"] = "inner",
) -> pl.DataFrame:
    """Join each subject's exposure with its responses.

    Parameters
    ----------
    exposure : polars.DataFrame
        One row per subject.
    response : polars.DataFrame
        Any number of rows per subject.
    on : str
        Column that names the subject in both.
    how : {"inner", "left"}
        Whether subjects without response are left out.

    Returns
    -------
    polars.DataFrame
        In the order of ``exposure``.

    Raises
    ------
    PKError
        A subject has two exposures, the column is missing, or ``how`` is unknown.

    References
    ----------
    .. [1] Codd EF (1970), Commun ACM 13, 377-387 (natural join).
    """
    if how not in {"inner", "left"}:
        message = f"how={how!r} is unknown; choose inner or left."
        raise PKError(message)
    for name, frame in (("exposure", exposure), ("response", response)):
        if on not in frame.columns:
            message = f"{name} has no column {on}."
            raise PKError(message)
    twice = exposure.height - exposure[on].n_unique()
    if twice:
        message = f"{twice} rows of exposure repeat a subject; one exposure per subject is needed."
        raise PKError(message)
    named = pl.col(on).cast(pl.String)
    return exposure.with_columns(named).join(
        response.with_columns(named), on=on, how=how, maintain_order="left_right"
    )


def exposure_response(
    joined: pl.DataFrame,
    *,
    x: str = "AUCSS",
    y: str = "PCHG",
    by: Sequence[str] = ("PARAMCD", "AVISITN"),
    model: Literal["spearman", "linear", "loglinear", "emax"] = "spearman",
    level: float = 0.90,
) -> pl.DataFrame:
    """Relate a response to exposure, per parameter and visit.

    Parameters
    ----------
    joined : polars.DataFrame
        What `join_response` gave.
    x, y : str
        Exposure and response; rows where one is missing are left out.
    by : sequence of str
        Columns whose values together name a group.
    model : {"spearman", "linear", "loglinear", "emax"}
        Rank correlation; slope per unit of exposure, placebo as 0; slope per unit of
        log exposure, active arms only; E0 + Emax x / (EC50 + x), placebo as 0.
    level : float
        Of the intervals.

    Returns
    -------
    polars.DataFrame
        One row per group, sorted: N, ESTIMATE, SE, LOW, HIGH, P_VALUE, STATUS (ok, too_few,
        no_variation, not_converged); with emax also EC50.

    Raises
    ------
    PKError
        A column is missing, or model or level is unknown.

    References
    ----------
    .. [1] Bonett DG, Wright TA (2000), Psychometrika 65, 23-28 (interval of Spearman's rho).
    .. [2] Seber GAF, Wild CJ (1989), Nonlinear Regression, section 2.1.
    """
    missing = [name for name in (x, y, *by) if name not in joined.columns]
    if missing or model not in _MODELS or not 0 < level < 1:
        message = (
            f"Columns missing: {', '.join(missing) or 'none'}; model must be one of "
            f"{', '.join(_MODELS)}, and level between 0 and 1."
        )
        raise PKError(message)
    kept = joined.filter(pl.col(x).is_not_null() & pl.col(y).is_not_null())
    if model == "loglinear":
        kept = kept.filter(pl.col(x) > 0)
    keys = list(by)
    parts = kept.sort(keys, maintain_order=True).partition_by(keys, maintain_order=True)
    rows = []
    for part in parts if keys else [kept]:
        at, of = (part[name].cast(pl.Float64).to_numpy() for name in (x, y))
        rows.append({name: part[name][0] for name in keys} | _relate(at, of, model, level))
    schema: dict[str, Any] = {name: joined.schema[name] for name in keys} | {"N": pl.Int64}
    schema |= dict.fromkeys(_NUMBERS, pl.Float64) | {"STATUS": pl.String}
    if model == "emax":
        schema["EC50"] = pl.Float64
    return pl.DataFrame(rows, schema=schema)


def _relate(x: FloatArray, y: FloatArray, model: str, level: float) -> Row:
    empty: Row = {"N": len(x), **dict.fromkeys(_NUMBERS)}
    if len(x) < _FEWEST + (model == "emax"):
        return empty | {"STATUS": "too_few"}
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return empty | {"STATUS": "no_variation"}
    return empty | _MODELS[model](x, y, level)


def _spearman(x: FloatArray, y: FloatArray, level: float) -> Row:
    ranks = [pl.Series(values).rank("average").to_numpy() for values in (x, y)]
    rho = float(np.corrcoef(ranks)[0, 1])
    n = len(x)
    inner = min(max(rho, -1 + 1e-15), 1 - 1e-15)
    spread = math.sqrt((1 + rho**2 / 2) / (n - 3))
    half = float(stdtrit(1e9, (1 + level) / 2)) * spread
    t = inner * math.sqrt((n - 2) / (1 - inner**2))
    return {
        "ESTIMATE": rho,
        "SE": (1 - rho**2) * spread,
        "LOW": math.tanh(math.atanh(inner) - half),
        "HIGH": math.tanh(math.atanh(inner) + half),
        "P_VALUE": float(2 * stdtr(n - 2, -abs(t))),
        "STATUS": "ok",
    }


def _linear(x: FloatArray, y: FloatArray, level: float) -> Row:
    dx = x - x.mean()
    slope = float(dx @ y / (dx @ dx))
    residual = y - y.mean() - slope * dx
    df = len(x) - 2
    error = math.sqrt(float(residual @ residual) / df / float(dx @ dx))
    return _wald(slope, error, df, level)


def _loglinear(x: FloatArray, y: FloatArray, level: float) -> Row:
    return _linear(np.log(x), y, level)


def _wald(estimate: float, error: float, df: int, level: float) -> Row:
    half = float(stdtrit(df, (1 + level) / 2)) * error
    p = float(2 * stdtr(df, -abs(estimate) / error)) if error > 0 else 0.0
    return {
        "ESTIMATE": estimate,
        "SE": error,
        "LOW": estimate - half,
        "HIGH": estimate + half,
        "P_VALUE": p,
        "STATUS": "ok",
    }


def _emax(x: FloatArray, y: FloatArray, level: float) -> Row:
    """Emax model by least squares [2]_; EC50 on the log scale."""
    positive = x[x > 0]
    if not len(positive):
        return {"STATUS": "no_variation"}
    start = np.array(
        [y[np.argmin(x)], y[np.argmax(x)] - y[np.argmin(x)], np.log(np.median(positive))]
    )
    reach = np.array([np.inf, np.inf, 7.0])

    def share(log_half: float) -> FloatArray:
        return np.asarray(x / (np.exp(log_half) + x))

    def residuals(p: FloatArray) -> FloatArray:
        return np.asarray(p[0] + p[1] * share(p[2]) - y)

    def slopes(p: FloatArray) -> FloatArray:
        part = share(p[2])
        return np.stack([np.ones_like(x), part, -p[1] * part * (1 - part)], axis=1)

    done = least_squares(residuals, start, jac=slopes, bounds=(start - reach, start + reach))
    steepness = slopes(done.x)
    information = steepness.T @ steepness
    at_limit = abs(done.x[2] - start[2]) > 0.99 * reach[2]
    if not done.success or at_limit or np.linalg.cond(information) > 1e12:
        return {"STATUS": "not_converged"}
    df = len(x) - 3
    variance = 2 * float(done.cost) / df * np.linalg.inv(information)
    fitted = _wald(float(done.x[1]), math.sqrt(float(variance[1, 1])), df, level)
    return fitted | {"EC50": math.exp(float(done.x[2]))}


_MODELS: dict[str, Callable[[FloatArray, FloatArray, float], Row]] = {
    "spearman": _spearman,
    "linear": _linear,
    "loglinear": _loglinear,
    "emax": _emax,
}
