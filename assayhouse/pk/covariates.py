"""Covariate effects of a fit as ratios; candidates are tried in `screen`. No figure is drawn."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from scipy.special import ndtri

from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.errors import SpecError
from assayhouse.pk.events import EventTable
from assayhouse.pk.result import FitResult
from assayhouse.pk.screen import covariate_screen
from assayhouse.pk.spec import Category, Covariate, Power
from assayhouse.pk.subjects import equals_level

__all__ = ["covariate_forest", "covariate_screen"]

Value: TypeAlias = float | str
_FOREST = {
    "COVARIATE": pl.String,
    "VALUE": pl.Float64,
    "LABEL": pl.String,
    "N": pl.Int64,
    "RATIO": pl.Float64,
    "LOW": pl.Float64,
    "HIGH": pl.Float64,
    "WITHIN_BAND": pl.Boolean,
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """One row of a forest: a value of a covariate, its label, and how many subjects have it."""

    value: Value
    label: str
    n: int


def covariate_forest(
    result: FitResult,
    events: EventTable,
    *,
    parameter: str = "CL",
    reference: Mapping[str, Value] | None = None,
    level: float = 0.90,
    band: tuple[float, float] = (0.8, 1.25),
) -> pl.DataFrame:
    """Ratios to the reference subject, one covariate at a time, of the full model.

    Parameters
    ----------
    result : FitResult
        A fit with covariates that has not failed.
    events : EventTable
        The table it was fitted to.
    parameter : str
        Whose covariates are shown; of CL the ratio of AUCss, which is that of 1/CL.
    reference : mapping of str to float or str, optional
        Value of the reference subject by covariate; by default where the effect is none.
    level : float
        Of the intervals.
    band : tuple of float
        Ratios that count as without consequence.

    Returns
    -------
    polars.DataFrame
        COVARIATE, VALUE (null for a level that is text), LABEL, N, RATIO, LOW, HIGH, WITHIN_BAND:
        5th and 95th percentile, or every level but the reference's. LOW and HIGH are null where
        no standard error is.

    Raises
    ------
    FitFailedError
        The fit has FAILED.
    SpecError
        The parameter has no covariate, or ``reference`` names one that is not there.

    References
    ----------
    .. [1] Gastonguay MR (2004), AAPS J 6(S1), W4354 (full model estimation).
    """
    result.require_ok()
    effects = [effect for effect in result.spec.covariates if effect.parameter == parameter]
    columns = list(dict.fromkeys(effect.column for effect in effects))
    unknown = [name for name in reference or {} if name not in columns]
    if not columns or unknown:
        message = f"{parameter} has covariates {columns}; reference names {unknown} beside them."
        raise SpecError(message)
    first = events.frame.group_by("ID", maintain_order=True).first()
    rows = []
    for column in columns:
        own = [effect for effect in effects if effect.column == column]
        base = (reference or {}).get(column, _neutral(own, first[column]))
        for shown in _shown(own, first[column], base):
            weights = _contrast(own, shown.value, base)
            rows.append(
                {"COVARIATE": column}
                | _row(result, shown, weights, parameter=parameter, level=level, band=band)
            )
    return pl.DataFrame(rows, schema=_FOREST)


def _neutral(effects: Sequence[Covariate], values: pl.Series) -> Value:
    """Where a covariate has no effect: its reference value, or the commonest level without one."""
    for effect in effects:
        if not isinstance(effect, Category):
            return effect.reference
    levels: list[Value] = values.value_counts(sort=True)[values.name].to_list()
    named = [str(level) for level in levels if not _has_effect(effects, level)]
    plain = [level for level in levels if str(level) in named]
    return plain[0] if plain else levels[0]


def _has_effect(effects: Sequence[Covariate], level: Value) -> bool:
    return any(
        isinstance(effect, Category) and _same_level(level, effect.level) for effect in effects
    )


def _same_level(value: Value, level: Value) -> bool:
    return bool(equals_level(pl.Series([value]), level)[0])


def _shown(effects: Sequence[Covariate], values: pl.Series, base: Value) -> list[_Shown]:
    name = values.name
    if not any(isinstance(effect, Category) for effect in effects):
        low, high = np.quantile(values.cast(pl.Float64).to_numpy(), [0.05, 0.95])
        n = len(values)
        return [
            _Shown(float(low), f"{name} 5th percentile ({low:.4g})", n),
            _Shown(float(high), f"{name} 95th percentile ({high:.4g})", n),
        ]
    counts = values.value_counts().sort(name).rows()
    return [
        _Shown(level, f"{name} {level}", count)
        for level, count in counts
        if not _same_level(level, base)
    ]


def _contrast(effects: Sequence[Covariate], value: Value, base: Value) -> dict[str, float]:
    """Weight of each coefficient in the difference of log parameters."""
    weights: dict[str, float] = {}
    for effect in effects:
        at, other = _regressor(effect, value), _regressor(effect, base)
        weights[effect.name] = at - other
    return weights


def _regressor(effect: Covariate, value: Value) -> float:
    if isinstance(effect, Category):
        return float(_same_level(value, effect.level))
    try:
        number = float(value)
    except ValueError as error:
        message = f"The reference of {effect.column} must be a number."
        raise SpecError(message) from error
    if isinstance(effect, Power):
        if number <= 0:
            message = f"The reference of {effect.column} must be above 0."
            raise SpecError(message)
        return math.log(number / effect.reference)
    return number - effect.reference


def _row(
    result: FitResult,
    shown: _Shown,
    weights: Mapping[str, float],
    *,
    parameter: str,
    level: float,
    band: tuple[float, float],
) -> dict[str, Any]:
    sign = -1.0 if parameter == "CL" else 1.0
    center = sign * sum(weight * result.params[name] for name, weight in weights.items())
    error = _contrast_error(result, weights)
    low = high = None
    if error is not None:
        half = float(ndtri((1 + level) / 2)) * error
        low, high = math.exp(center - half), math.exp(center + half)
    within = None if low is None or high is None else band[0] <= low and high <= band[1]
    return {
        "VALUE": float(shown.value) if not isinstance(shown.value, str) else None,
        "LABEL": shown.label,
        "N": shown.n,
        "RATIO": math.exp(center),
        "LOW": low,
        "HIGH": high,
        "WITHIN_BAND": within,
    }


def _contrast_error(result: FitResult, weights: Mapping[str, float]) -> float | None:
    """Compute the standard error of a sum of coefficients; a fixed one adds nothing to it."""
    needed = {name: weight for name, weight in weights.items() if weight}
    free = {name: weight for name, weight in needed.items() if name not in result.spec.fixed_names}
    if result.covariance is None or not set(free) <= set(result.covariance_names):
        return None
    places = [result.covariance_names.index(name) for name in free]
    vector: FloatArray = np.array(list(free.values()))
    return math.sqrt(float(vector @ result.covariance[np.ix_(places, places)] @ vector))
