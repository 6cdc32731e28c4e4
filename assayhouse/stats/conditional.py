"""Conditional means of missing visits, and draws about them, under assumed joint distributions.

The models come from `reference_based`; what is assumed of whom is in `strategies`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray, StrArray
from assayhouse.stats.strategies import assumed_covariance, assumed_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class JointModel:
    """Means and covariances of b fits.

    Parameters
    ----------
    means : mapping of str to (b, n, visits) array
        Of every subject, were it in the arm.
    sigma : mapping of str to (b, visits, visits) array
        By arm.
    """

    means: Mapping[str, FloatArray]
    sigma: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """What is to be imputed: values, arms, events, and which strategy holds for whom."""

    values: FloatArray
    arm: StrArray
    event: IntArray
    strategy: StrArray
    reference: str


def complete_visits(subjects: Subjects, model: JointModel, noise: FloatArray | None) -> FloatArray:
    """Fill the missing values by conditional means, or draws about them.

    Parameters
    ----------
    subjects : Subjects
        What is to be filled.
    model : JointModel
        b fits.
    noise : (b, missing) array or None
        Standard normal, one per missing value in the order of the rows; None takes the means.

    Returns
    -------
    (b, n, visits) array
        Observed values as they are.

    References
    ----------
    .. [1] Carpenter JR, Roger JH, Kenward MG (2013), J Biopharm Stat 23, 1352-1371, section 4.
    """
    missing = np.isnan(subjects.values)
    b = len(next(iter(model.sigma.values())))
    completed = np.repeat(subjects.values[None], b, axis=0)
    place = np.cumsum(missing.reshape(-1)).reshape(missing.shape) - 1
    for members, arm, strategy, before in _kinds(subjects, missing):
        gap = missing[members[0]]
        at = np.flatnonzero(gap)
        seen = np.flatnonzero(~gap)
        mean, covariance = _assumed(
            model, subjects, members, arm=arm, strategy=strategy, before=before
        )
        centre, root = _condition(subjects.values[members], mean, covariance, at, seen)
        if strategy == "CR" and (at < before).any():
            # A gap before the event stays MAR: its mean is the own arm's.
            own, _ = _assumed(model, subjects, members, arm=arm, strategy="MAR", before=before)
            plain, _ = _condition(subjects.values[members], own, model.sigma[arm], at, seen)
            centre[:, :, at < before] = plain[:, :, at < before]
        if noise is not None:
            z = noise[:, place[members][:, at]]
            centre += np.einsum("bkl,bnl->bnk", root, z)
        completed[:, members[:, None], at] = centre
    return completed


def _kinds(subjects: Subjects, missing: BoolArray) -> list[tuple[IntArray, str, str, int]]:
    """Subjects that share an arm, a pattern, a strategy and an event."""
    kinds: dict[tuple[str, str, int, tuple[bool, ...]], list[int]] = {}
    for row in np.flatnonzero(missing.any(axis=1)):
        key = (
            str(subjects.arm[row]),
            str(subjects.strategy[row]),
            int(subjects.event[row]),
            tuple(missing[row].tolist()),
        )
        kinds.setdefault(key, []).append(int(row))
    return [
        (np.asarray(rows, dtype=np.int64), arm, strategy, before)
        for (arm, strategy, before, _), rows in sorted(kinds.items())
    ]


def _assumed(
    model: JointModel,
    subjects: Subjects,
    members: IntArray,
    *,
    arm: str,
    strategy: str,
    before: int,
) -> tuple[FloatArray, FloatArray]:
    own, reference = model.means[arm][:, members], model.means[subjects.reference][:, members]
    return (
        assumed_mean(strategy, own, reference, before),
        assumed_covariance(strategy, model.sigma[arm], model.sigma[subjects.reference], before),
    )


def _condition(
    values: FloatArray, mean: FloatArray, covariance: FloatArray, at: IntArray, seen: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Mean of what is missing given what was seen, and a root of its covariance."""
    unknown = covariance[:, at[:, None], at]
    if not len(seen):
        return mean[:, :, at].copy(), np.asarray(np.linalg.cholesky(unknown))
    cross = covariance[:, seen[:, None], at]
    slope = np.linalg.solve(covariance[:, seen[:, None], seen], cross)
    distance = values[None][:, :, seen] - mean[:, :, seen]
    centre = np.asarray(mean[:, :, at] + np.einsum("bnk,bkl->bnl", distance, slope))
    left = unknown - np.einsum("bkl,bkj->blj", slope, cross)
    root = np.linalg.cholesky(0.5 * (left + left.transpose(0, 2, 1)))
    return centre, np.asarray(root)
