"""Multiple imputation of visits under a normal model, missing at random given what was seen.

Values come on the scale of the model (logs, for most biomarkers). What is assumed after an
event, other than missing at random, is in `reference_based`; pooling is in `pooling`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray, StrArray, as_finite, require_word
from assayhouse.stats.chained import count_unknown, iterate_groups, run_steps, start_values
from assayhouse.stats.chained_noise import Noise
from assayhouse.stats.chained_plan import Group, has_gaps, plan_sequence, plan_sweep
from assayhouse.stats.errors import InputError
from assayhouse.stats.streams import Purpose, open_stream

_PART = 1 << 21
"""Values drawn at once (16 MiB); how imputations are cut into parts changes no number."""


def impute_normal(
    values: ArrayLike,
    predictors: ArrayLike,
    *,
    n_imputations: int = 100,
    sweeps: int = 5,
    seed: int,
    key: str,
    method: str = "fcs_norm",
    by: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> FloatArray:
    """Fill missing visits by draws from Bayesian linear regressions.

    Imputation i depends on the seed, the key, i and the data alone: the first 20 of 100 are
    the 20. A value that is given is observed, whatever its limits, and comes back bit for bit;
    limits act where a value is missing, and the draw stays within them in every sweep.

    Parameters
    ----------
    values : (n, visits) array
        On the scale of the model; NaN = missing.
    predictors : (n, q) array
        Complete; no intercept. Base, arm dummies (unless ``by``), stratum dummies.
    n_imputations : int
        Completed data sets, m.
    sweeps : int
        Passes of the chained equations.
    seed : int
        From 0.
    key : str
        What is imputed, such as the code of the parameter.
    method : {"fcs_norm", "monotone"}
        Chained equations; or each visit from those before it, after gaps and censored values
        were filled by chained equations.
    by : (n,) array of str, optional
        Groups with models of their own, such as arms.
    lower, upper : (n, visits) array, optional
        Limits of missing values known to lie within them; NaN = none.

    Returns
    -------
    (m, n, visits) array
        Completed values.

    Raises
    ------
    ModelDataError
        Wrong shapes, a predictor that is not finite, a lower limit not below its upper one, a
        group without any observed value at a visit where it needs one.
    InputError
        An option that is unknown or out of range.

    References
    ----------
    .. [1] Rubin DB (1987), Multiple Imputation for Nonresponse in Surveys, example 5.3.
    .. [2] van Buuren S, Groothuis-Oudshoorn K (2011), J Stat Softw 45(3), sections 2.3, 3.2.

    Examples
    --------
    >>> seen = np.array([[1.0, 1.1], [2.0, 2.3], [3.0, 2.9], [4.0, np.nan]])
    >>> drawn = impute_normal(seen, np.empty((4, 0)), n_imputations=3, seed=1, key="A")
    >>> drawn.shape, bool(np.isnan(drawn).any()), bool((drawn[:, :3] == seen[:3]).all())
    ((3, 4, 2), False, True)
    """
    _check_options(n_imputations, sweeps, method)
    open_stream(seed, key, 0, Purpose.NORMAL)
    y = _check_values(values)
    x = _check_predictors(predictors, len(y))
    low, high = _check_limits(lower, upper, y)
    unknown = np.isnan(y)
    completed = np.repeat(y[None], n_imputations, axis=0)
    if not unknown.any():
        return completed
    groups = _make_groups(y, x, low, high, _check_groups(by, len(y)))
    size = max(1, _PART // (y.size + sweeps * int(unknown.sum())))
    for first in range(0, n_imputations, size):
        numbers = range(first, min(first + size, n_imputations))
        filled = _impute_part(groups, numbers, sweeps=sweeps, seed=seed, key=key, method=method)
        for group, drawn in iterate_groups(filled, groups):
            here = completed[first : first + len(numbers), group.members]
            missing = unknown[group.members]
            limits = low[group.members], high[group.members]
            here[:, missing] = np.clip(drawn, *limits)[:, missing]
            completed[first : first + len(numbers), group.members] = here
    return completed


def _impute_part(
    groups: Sequence[Group],
    numbers: Sequence[int],
    *,
    sweeps: int,
    seed: int,
    key: str,
    method: str,
) -> list[FloatArray]:
    chained = [plan_sweep(groups)] * sweeps if method == "fcs_norm" or has_gaps(groups) else []
    sequence = plan_sequence(groups) if method == "monotone" else []
    noise = Noise(seed, key, numbers, [*chained, sequence], start=count_unknown(groups))
    filled = start_values(groups, noise, len(numbers))
    for steps in (*chained, sequence):
        run_steps(groups, filled, steps, noise)
    return filled


def _make_groups(
    values: FloatArray, predictors: FloatArray, lower: FloatArray, upper: FloatArray, by: StrArray
) -> list[Group]:
    groups = []
    for label in sorted(set(by.tolist())):
        members = np.flatnonzero(by == label)
        y = values[members]
        seen = np.isfinite(y)
        lacking = np.flatnonzero(~seen.any(axis=0))
        if len(lacking):
            message = (
                f"Nobody of a group (members: {len(members)}) has an observed value at the visits "
                f"with the numbers {[int(visit) for visit in lacking]}, counted from 0. Leave "
                "those visits out, or impute all groups by one model (by=None)."
            )
            raise ModelDataError(message, rows=tuple(int(row) for row in members))
        count = seen.sum(axis=0)
        filled = np.where(seen, y, 0.0)
        centre = filled.sum(axis=0) / count
        spread = np.where(seen, np.square(y - centre), 0.0).sum(axis=0) / count
        unit = np.where(spread > 0, np.sqrt(spread), 1.0)
        groups.append(
            Group(
                members=members,
                fixed=_fixed_design(predictors[members]),
                values=np.ascontiguousarray(((y - centre) / unit).T),
                lower=np.ascontiguousarray(((lower[members] - centre) / unit).T),
                upper=np.ascontiguousarray(((upper[members] - centre) / unit).T),
                centre=centre,
                unit=unit,
            )
        )
    return groups


def _fixed_design(predictors: FloatArray) -> FloatArray:
    """Intercept and the columns that vary, in standard units, as rows."""
    centred = predictors - predictors.mean(axis=0)
    spread = np.sqrt(np.square(centred).mean(axis=0))
    largest = np.abs(predictors).max(axis=0, initial=0.0)
    varies = spread > 1e-12 * largest
    rows = (centred[:, varies] / spread[varies]).T
    return np.ascontiguousarray(np.vstack([np.ones((1, len(predictors))), rows]))


def _check_options(n_imputations: int, sweeps: int, method: str) -> None:
    require_word(method, name="method", known=("fcs_norm", "monotone"))
    for name, value in (("n_imputations", n_imputations), ("sweeps", sweeps)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            message = f"{name}={value!r} must be a whole number from 1."
            raise InputError(message)


def _check_values(values: ArrayLike) -> FloatArray:
    try:
        y = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        message = "values is not an array of numbers; give NaN where a value is missing."
        raise ModelDataError(message) from None
    if y.ndim != 2 or y.size == 0:
        message = f"values has shape {y.shape}; (subjects, visits) is needed."
        raise ModelDataError(message)
    wrong = np.flatnonzero(np.isinf(y).any(axis=1))
    if len(wrong):
        message = "values holds infinite numbers; give NaN where a value is missing."
        raise ModelDataError(message, rows=tuple(int(row) for row in wrong))
    return y


def _check_predictors(predictors: ArrayLike, n: int) -> FloatArray:
    given = np.asarray(predictors)
    if given.ndim == 2 and given.shape == (n, 0):
        return np.empty((n, 0))
    x = as_finite(predictors, name="predictors", dimensions=(2,))
    if len(x) != n:
        message = f"predictors has shape {x.shape}; {n} rows are needed, one per subject."
        raise ModelDataError(message)
    return x


def _check_limits(
    lower: ArrayLike | None, upper: ArrayLike | None, values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    limits = []
    for name, given, none in (("lower", lower, -np.inf), ("upper", upper, np.inf)):
        limit = np.full(values.shape, np.nan) if given is None else np.asarray(given, np.float64)
        if limit.shape != values.shape:
            message = f"{name} has shape {limit.shape}; the shape of values, {values.shape}, is "
            raise ModelDataError(message + "needed, with NaN where there is no limit.")
        limits.append(np.where(np.isnan(limit) | ~np.isnan(values), none, limit))
    crossed = np.flatnonzero((limits[0] >= limits[1]).any(axis=1))
    if len(crossed):
        message = "A lower limit is not below the upper limit of the same value."
        raise ModelDataError(message, rows=tuple(int(row) for row in crossed))
    return limits[0], limits[1]


def _check_groups(by: ArrayLike | None, n: int) -> StrArray:
    if by is None:
        return np.full(n, "")
    labels = np.asarray(by)
    wrong = [row for row, label in enumerate(labels.tolist()) if not isinstance(label, str)]
    if labels.shape != (n,) or wrong:
        message = f"by has shape {labels.shape}; {n} texts are needed, one per subject."
        raise ModelDataError(message, rows=tuple(wrong))
    return labels.astype(np.str_)
