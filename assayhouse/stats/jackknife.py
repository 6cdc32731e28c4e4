"""Standard errors by leaving out one subject at a time, for any estimator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Jackknife:
    """An estimate with its leave-one-subject-out standard error.

    Parameters
    ----------
    estimate, std_error : (k,) arrays
        Of all subjects; sqrt((n - 1)/n sum (theta_i - mean)^2).
    replicates : (n, k) array
        Without each subject in turn.
    """

    estimate: FloatArray
    std_error: FloatArray
    replicates: FloatArray


def jackknife(
    estimator: Callable[[Mapping[str, object]], ArrayLike], data: Mapping[str, object]
) -> Jackknife:
    """Estimate with every subject, and without each in turn.

    Parameters
    ----------
    estimator : callable
        Takes a mapping as ``data`` and returns (k,) numbers.
    data : mapping of str to array
        Subjects on the first axis; a mapping inside it, such as factors, is cut the same way.

    Returns
    -------
    Jackknife
        Estimate, standard error, replicates.

    Raises
    ------
    ModelDataError
        No array, arrays of unequal length, fewer than two subjects, an estimate not finite.

    References
    ----------
    .. [1] Efron B, Tibshirani RJ (1993), An Introduction to the Bootstrap, equation 11.5.

    Examples
    --------
    >>> found = jackknife(lambda part: [part["y"].mean()], {"y": np.array([1.0, 2.0, 6.0])})
    >>> found.estimate.tolist(), found.std_error.round(4).tolist()
    ([3.0], [1.5275])
    """
    n = _count(data)
    estimate = np.atleast_1d(np.asarray(estimator(data), dtype=np.float64))
    rows = np.arange(n)
    replicates = np.stack(
        [
            np.atleast_1d(np.asarray(estimator(_cut(data, rows != row)), dtype=np.float64))
            for row in range(n)
        ]
    )
    failed = np.flatnonzero(~np.isfinite(replicates).all(axis=1))
    if len(failed) or not np.isfinite(estimate).all():
        message = f"The estimator gave no finite number without {len(failed)} of the subjects."
        raise ModelDataError(message, rows=tuple(int(row) for row in failed))
    spread = np.square(replicates - replicates.mean(axis=0)).sum(axis=0)
    return Jackknife(
        estimate=estimate,
        std_error=np.sqrt((n - 1) / n * spread),
        replicates=replicates,
    )


def _cut(data: Mapping[str, object], keep: BoolArray) -> dict[str, object]:
    return {
        name: _cut(part, keep) if isinstance(part, Mapping) else np.asarray(part)[keep]
        for name, part in data.items()
    }


def _count(data: Mapping[str, object]) -> int:
    sizes = set()
    for part in data.values():
        if isinstance(part, Mapping):
            sizes |= {_count(part)} if part else set()
        else:
            sizes.add(len(np.atleast_1d(np.asarray(part))))
    if len(sizes) != 1 or min(sizes) < 2:
        message = f"data has arrays of {sorted(sizes)} subjects; one number above 1 is needed."
        raise ModelDataError(message)
    return int(sizes.pop())
