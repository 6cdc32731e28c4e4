"""Draws of one parameter's missing values by the method of a spec, on the scale of its model.

Which visits can be drawn at all, and the way back to the units of the data, are in `completed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assayhouse.analysis.long_form import ParameterData
from assayhouse.analysis.predictors import base_on_model_scale, predictors_of
from assayhouse.analysis.spec import EffectSpec
from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray, StrArray
from assayhouse.stats.errors import NotEstimableError
from assayhouse.stats.imputation import impute_normal
from assayhouse.stats.reference_based import impute_reference_based


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawTask:
    """What is to be drawn.

    Parameters
    ----------
    data : ParameterData
        One parameter.
    spec : EffectSpec
        ``impute``, the strata and the reference arm are used.
    population : (all subjects,) array of bool
        Subjects with a base.
    values : (n, visits) array
        Of the population, on the scale of the model; NaN where missing or censored.
    upper : (n, visits) array
        Limits of censored values; NaN elsewhere.
    """

    data: ParameterData
    spec: EffectSpec
    population: BoolArray
    values: FloatArray
    upper: FloatArray

    @property
    def factors(self) -> Mapping[str, StrArray]:
        """Strata of the population."""
        return {name: levels[self.population] for name, levels in self.data.factors.items()}


def draw_missing(task: DrawTask) -> FloatArray:
    """Draw missing and censored values.

    Parameters
    ----------
    task : DrawTask
        What is to be drawn.

    Returns
    -------
    (m, n, visits) array
        On the scale of the model.

    Raises
    ------
    ModelDataError
        An assumption that the data do not allow; `NotEstimableError` where a mixed model cannot
        be fitted.
    """
    if task.spec.impute.method == "mvn":
        return _draw_mixed_model(task)
    return _draw_regressions(task, method=task.spec.impute.method)


def _draw_regressions(task: DrawTask, *, method: str) -> FloatArray:
    impute = task.spec.impute
    return impute_normal(
        task.values,
        predictors_of(task.data, impute, task.population),
        n_imputations=impute.m,
        sweeps=impute.sweeps,
        seed=impute.seed,
        key=task.data.paramcd,
        method=method,
        by=task.data.arm[task.population] if impute.by_arm else None,
        upper=task.upper,
    )


def _draw_mixed_model(task: DrawTask) -> FloatArray:
    """Draw from a mixed model; censored values are drawn within their limits beforehand."""
    censored = np.isfinite(task.upper)
    known = censored | np.isfinite(task.values)
    # The event lies after the last visit with a value.
    event = np.where(known, np.arange(1, known.shape[1] + 1), 0).max(axis=1)
    paramcd = task.data.paramcd
    if not censored.any():
        return _draw_reference_based(task, task.values, event, m=task.spec.impute.m, key=paramcd)
    within = _draw_regressions(task, method="fcs_norm")
    parts = [
        _draw_reference_based(
            task,
            np.where(censored, values, task.values),
            event,
            m=1,
            key=f"{paramcd} imputation {number}",
        )
        for number, values in enumerate(within)
    ]
    return np.concatenate(parts)


def _draw_reference_based(
    task: DrawTask, values: FloatArray, event: IntArray, *, m: int, key: str
) -> FloatArray:
    impute = task.spec.impute
    base, undefined = base_on_model_scale(task.data.base[task.population], impute)
    factors = dict(task.factors)
    if undefined.any():
        factors["base at or below zero"] = undefined.astype(np.str_)
    try:
        return impute_reference_based(
            values,
            task.data.arm[task.population],
            base,
            factors,
            event,
            strategy=impute.strategy,
            reference=task.spec.reference,
            n_imputations=m,
            seed=impute.seed,
            key=key,
            covariance="by_arm" if impute.by_arm else "shared",
        )
    except NotEstimableError:
        raise
    except ModelDataError as error:
        message = f"{task.data.paramcd}: {error}"
        raise ModelDataError(message) from error
