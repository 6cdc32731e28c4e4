"""Which visits have too few values for an imputation model, decided before anything is drawn."""

import numpy as np

from assayhouse.analysis.cells import MIN_PER_ARM, smallest_arm
from assayhouse.analysis.long_form import ParameterData
from assayhouse.analysis.predictors import predictors_of
from assayhouse.analysis.spec import EffectSpec
from assayhouse.stats.arrays import BoolArray

_MIN_ABOVE = 2
"""Values above the limit that an arm must have for its censored ones to be drawn."""


def why_lacking(data: ParameterData, spec: EffectSpec) -> dict[int, str]:
    """Say which visits no imputation can complete: too few values for the model.

    Parameters
    ----------
    data : ParameterData
        One parameter.
    spec : EffectSpec
        The model.

    Returns
    -------
    dict of int to str
        Reasons by position of the visit.
    """
    population = np.isfinite(data.base)
    lacking: dict[int, str] = {}
    arms = sorted(set(data.arm[population].tolist()))
    for visit in range(len(data.visits)):
        observed = population & data.observed[:, visit]
        known = population & np.isfinite(data.value[:, visit])
        fewest = min((int((observed & (data.arm == arm)).sum()) for arm in arms), default=0)
        above = min((int((known & (data.arm == arm)).sum()) for arm in arms), default=0)
        if fewest < MIN_PER_ARM:
            count = smallest_arm(data, observed)
            lacking[visit] = f"an arm has {count} values, {MIN_PER_ARM} are needed"
        elif above < _MIN_ABOVE:
            lacking[visit] = (
                f"an arm has {above} values above the limit of quantification, {_MIN_ABOVE} are "
                "needed to draw the others"
            )
    return lacking | _too_many_columns(data, spec, population, set(lacking))


def _too_many_columns(
    data: ParameterData, spec: EffectSpec, population: BoolArray, lacking: set[int]
) -> dict[int, str]:
    usable = [visit for visit in range(len(data.visits)) if visit not in lacking]
    if not usable or spec.impute.method == "mvn":
        return {}
    columns = 1 + predictors_of(data, spec.impute, population).shape[1] + len(usable) - 1
    arms = sorted(set(data.arm[population].tolist()))
    groups = [population & (data.arm == arm) for arm in arms]
    if not spec.impute.by_arm:
        groups = [population]
    found = {}
    for visit in usable:
        sizes = [int((data.observed[:, visit] & group).sum()) for group in groups]
        incomplete = bool((population & np.isnan(data.value[:, visit])).any())
        if incomplete and min(sizes) <= columns:
            found[visit] = (
                f"the imputation model has {columns} columns, and {min(sizes)} values to learn "
                f"from{' in an arm; impute.by_arm=False has fewer' if spec.impute.by_arm else ''}"
            )
    return found
