"""Groups of subjects with models of their own, and the order of their regressions.

Nothing is drawn here: the random numbers are in `chained_noise`, the way through in `chained`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.bayes_step import StepRows, independent_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Subjects that share one imputation model, each visit and column in standard units.

    Parameters
    ----------
    members : (n,) array of int
        Rows of the caller's data.
    fixed : (q, n) array
        Intercept and the columns that vary.
    values, lower, upper : (visits, n) arrays
        NaN where missing; infinite where there is no limit.
    centre, unit : (visits,) arrays
        What the caller's values were brought to standard units with.
    """

    members: IntArray
    fixed: FloatArray
    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    centre: FloatArray
    unit: FloatArray

    @property
    def bound(self) -> BoolArray:
        """(visits, n): only limits are known."""
        limited = np.isfinite(self.lower) | np.isfinite(self.upper)
        return np.asarray(np.isnan(self.values) & limited)

    @property
    def free(self) -> BoolArray:
        """(visits, n): nothing is known."""
        return np.asarray(np.isnan(self.values) & ~self.bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One regression of one group: which visit, from which others, over which subjects."""

    group: int
    visit: int
    others: tuple[int, ...]
    rows: StepRows

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return len(self.rows.columns) + len(self.others)

    @property
    def shape(self) -> float:
        """Shape of the gamma that sigma is drawn with."""
        return max(len(self.rows.fit) - self.size, 1) / 2.0


def plan_sweep(groups: Sequence[Group]) -> list[Step]:
    """Plan one sweep of chained equations, visit by visit.

    Parameters
    ----------
    groups : sequence of Group
        All groups.

    Returns
    -------
    list of Step
        In the order of drawing.
    """
    steps = []
    visits = len(groups[0].values)
    for visit in range(visits):
        for number, group in enumerate(groups):
            unknown = bool(np.isnan(group.values[visit]).any())
            if unknown:
                others = tuple(other for other in range(visits) if other != visit)
                steps.append(_step(group, number, visit, others, group.free[visit]))
    return steps


def plan_sequence(groups: Sequence[Group]) -> list[Step]:
    """Plan the sequential regressions of a monotone pattern: each visit from those before.

    Parameters
    ----------
    groups : sequence of Group
        All groups; gaps and censored values count as known by now.

    Returns
    -------
    list of Step
        In the order of drawing.
    """
    steps = []
    for visit in range(len(groups[0].values)):
        for number, group in enumerate(groups):
            tail = _tail(group)[visit]
            if tail.any():
                before = tuple(range(visit))
                steps.append(_step(group, number, visit, before, tail, every_other=True))
    return steps


def has_gaps(groups: Sequence[Group]) -> bool:
    """Tell whether something is unknown that a monotone pattern does not have.

    Parameters
    ----------
    groups : sequence of Group
        All groups.

    Returns
    -------
    bool
        A value missing before a later one, or a censored value.
    """
    return any(bool(group.bound.any() or (group.free & ~_tail(group)).any()) for group in groups)


def _tail(group: Group) -> BoolArray:
    """Missing at a visit and at every later one."""
    reversed_missing = group.free[::-1]
    return np.asarray(np.logical_and.accumulate(reversed_missing, axis=0)[::-1])


def _step(
    group: Group,
    number: int,
    visit: int,
    others: tuple[int, ...],
    free: BoolArray,
    *,
    every_other: bool = False,
) -> Step:
    bound = np.zeros_like(free) if every_other else group.bound[visit]
    fit = np.flatnonzero(~free)
    limited = np.flatnonzero(bound)
    return Step(
        group=number,
        visit=visit,
        others=others,
        rows=StepRows(
            fit=fit,
            free=np.flatnonzero(free),
            bound=limited,
            lower=group.lower[visit, limited],
            upper=group.upper[visit, limited],
            columns=independent_columns(group.fixed[:, fit]),
        ),
    )
