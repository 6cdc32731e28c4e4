"""Predictors of the imputation models: base, arms and strata, on the scale of the model."""

import numpy as np

from assayhouse.analysis.long_form import ParameterData
from assayhouse.analysis.spec import ImputeSpec
from assayhouse.stats.arrays import BoolArray, FloatArray


def predictors_of(data: ParameterData, impute: ImputeSpec, population: BoolArray) -> FloatArray:
    """Make the predictors of the imputation model: base, arms unless by arm, strata.

    A base at or below zero has no logarithm: the mean of the others stands for it, and a
    column of its own tells those subjects apart.

    Parameters
    ----------
    data : ParameterData
        One parameter.
    impute : ImputeSpec
        Scale, and whether arms have models of their own.
    population : (n,) array of bool
        Subjects with a base.

    Returns
    -------
    (subjects, q) array
        Without an intercept.
    """
    base, undefined = base_on_model_scale(data.base[population], impute)
    columns = [base]
    if undefined.any():
        columns.append(undefined.astype(np.float64))
    factors = dict(data.factors)
    if not impute.by_arm:
        factors = {"arm": data.arm, **factors}
    for labels in factors.values():
        values = labels[population]
        columns += [(values == level) * 1.0 for level in sorted(set(values.tolist()))[1:]]
    return np.column_stack(columns)


def base_on_model_scale(base: FloatArray, impute: ImputeSpec) -> tuple[FloatArray, BoolArray]:
    """Bring base values to the scale of the model, and say where they have no place on it.

    Parameters
    ----------
    base : (n,) array
        Finite.
    impute : ImputeSpec
        Names the scale.

    Returns
    -------
    (n,) array, (n,) array of bool
        The mean of the others where it is undefined.
    """
    if impute.scale == "raw":
        return base, np.zeros(len(base), dtype=np.bool_)
    undefined = base <= 0
    logs = np.log(np.where(undefined, 1.0, base))
    middle = float(logs[~undefined].mean()) if not undefined.all() else 0.0
    return np.where(undefined, middle, logs), undefined
