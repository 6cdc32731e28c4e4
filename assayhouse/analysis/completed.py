"""Completed data sets of one parameter: imputed here, or given by somebody else.

The random numbers of a parameter depend on the seed, its code and its data alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assayhouse.analysis.draws import DrawTask, draw_missing
from assayhouse.analysis.long_form import ParameterData
from assayhouse.analysis.spec import EffectSpec, ImputeSpec
from assayhouse.analysis.sufficiency import why_lacking
from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.errors import NotEstimableError

_NO_MODEL = (
    "the mixed model of the imputation could not be fitted; impute.by_arm=False, fewer visits or "
    "fewer strata have fewer parameters"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """Completed values of one parameter.

    Parameters
    ----------
    values : (m, n, visits) array
        In the units of the data; NaN for subjects without a base and visits in ``lacking``.
    lacking : mapping of int to str
        Visits by position that could not be completed, and why.
    """

    values: FloatArray
    lacking: Mapping[int, str]

    @property
    def m(self) -> int:
        """Number of completed data sets."""
        return len(self.values)


def complete_parameter(data: ParameterData, spec: EffectSpec) -> Completed:
    """Impute what a parameter lacks at any of its visits.

    Parameters
    ----------
    data : ParameterData
        One parameter.
    spec : EffectSpec
        ``impute`` and the strata are used.

    Returns
    -------
    Completed
        Observed values as they are.

    Raises
    ------
    ModelDataError
        A value at or below zero on the log scale, or an assumption that the data do not allow.
    """
    population = np.isfinite(data.base)
    lacking = why_lacking(data, spec)
    usable = np.array([v for v in range(len(data.visits)) if v not in lacking], dtype=np.int64)
    shape = (spec.impute.m, *data.value.shape)
    values = np.full(shape, np.nan)
    if len(usable) and population.any():
        cells = np.ix_(np.flatnonzero(population), usable)
        try:
            values[:, cells[0], cells[1]] = _complete(data, spec, population, usable)
        except NotEstimableError:
            # Other parameters of the call are none the worse for it: these rows are refused.
            lacking = dict.fromkeys(range(len(data.visits)), _NO_MODEL) | lacking
    return Completed(values=values, lacking=lacking)


def _complete(
    data: ParameterData, spec: EffectSpec, population: BoolArray, usable: IntArray
) -> FloatArray:
    cells = np.ix_(population, usable)
    raw = data.value[cells]
    if not np.isnan(raw).any():
        return np.repeat(raw[None], spec.impute.m, axis=0)
    model = on_model_scale(raw, spec.impute, paramcd=data.paramcd)
    upper = on_model_scale(data.lloq[cells], spec.impute, paramcd=data.paramcd)
    upper[~np.isnan(raw)] = np.nan
    drawn = draw_missing(
        DrawTask(data=data, spec=spec, population=population, values=model, upper=upper)
    )
    # What is missing altogether is shifted; what is known to lie below a limit is not.
    drawn += _shift(data, spec, population)[:, None] * (np.isnan(raw) & np.isnan(upper))
    back = np.exp(drawn) if spec.impute.scale == "log" else drawn
    return np.where(np.isnan(raw), back, raw)


def shift_completed(
    completed: Completed, data: ParameterData, spec: EffectSpec, delta: float
) -> Completed:
    """Add delta to what was missing in every arm but the reference, on the model's scale.

    Parameters
    ----------
    completed : Completed
        From `complete_parameter` without a delta.
    data : ParameterData
        The same parameter.
    spec : EffectSpec
        Scale of the model and the reference arm.
    delta : float
        Added; on the log scale a factor exp(delta).

    Returns
    -------
    Completed
        The same imputations, shifted.
    """
    active = (data.arm != spec.reference) & np.isfinite(data.base)
    moved = active[:, None] & ~data.observed
    if spec.impute.scale == "log":
        values = np.where(moved, completed.values * np.exp(delta), completed.values)
    else:
        values = np.where(moved, completed.values + delta, completed.values)
    return Completed(values=values, lacking=completed.lacking)


def _shift(data: ParameterData, spec: EffectSpec, population: BoolArray) -> FloatArray:
    """Delta of every subject: none in the reference arm."""
    active = data.arm[population] != spec.reference
    return np.where(active, spec.impute.delta or 0.0, 0.0)


def on_model_scale(values: FloatArray, impute: ImputeSpec, *, paramcd: str) -> FloatArray:
    """Bring values to the scale of the imputation model.

    Parameters
    ----------
    values : array
        NaN where missing.
    impute : ImputeSpec
        Names the scale.
    paramcd : str
        For the message.

    Returns
    -------
    array
        A copy.

    Raises
    ------
    ModelDataError
        A value at or below zero on the log scale.
    """
    if impute.scale == "raw":
        return values.copy()
    if (values <= 0).any():
        message = (
            f"{paramcd}: {int((values <= 0).sum())} values at or below zero cannot be imputed on "
            'the log scale. Impute this parameter with impute.scale="raw", in a call of its own.'
        )
        raise ModelDataError(message)
    return np.log(values)
