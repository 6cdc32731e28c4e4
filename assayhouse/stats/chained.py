"""Chained and sequential equations over the visits of one group, in standard units.

Holds the order of the steps and the random numbers each of them takes. The step itself is in
`bayes_step`; checks and the return to the caller's units are in `imputation`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.bayes_step import (
    StepNoise,
    StepRows,
    independent_columns,
    regress_and_draw,
)
from assayhouse.stats.streams import Purpose, open_stream
from assayhouse.stats.truncated import draw_truncated, fit_censored


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


class Noise:
    """Random numbers of some imputations, dealt out in the order of the steps.

    Parameters
    ----------
    seed, key
        Of the streams.
    numbers : sequence of int
        Imputations.
    sweeps : sequence of sequence of Step
        All steps to come.
    start : int
        Uniform numbers needed before the first step.
    """

    def __init__(
        self,
        seed: int,
        key: str,
        numbers: Sequence[int],
        sweeps: Sequence[Sequence[Step]],
        *,
        start: int,
    ) -> None:
        steps = [step for sweep in sweeps for step in sweep]
        shapes = np.array([step.shape for step in steps])
        normals = sum(step.size + len(step.rows.free) for step in steps)
        uniforms = start + sum(len(step.rows.bound) for step in steps)
        m = len(numbers)
        self._normal = np.empty((m, normals))
        self._gamma = np.empty((m, len(steps)))
        self._uniform = np.empty((m, uniforms))
        for row, number in enumerate(numbers):
            stream = open_stream(seed, key, number, Purpose.NORMAL)
            self._normal[row] = stream.standard_normal(normals)
            stream = open_stream(seed, key, number, Purpose.GAMMA)
            self._gamma[row] = stream.standard_gamma(shapes)
            stream = open_stream(seed, key, number, Purpose.UNIFORM)
            self._uniform[row] = stream.random(uniforms)
        self._used = {"normal": 0, "gamma": 0, "uniform": 0}

    def take(self, name: str, count: int) -> FloatArray:
        """Return the next (m, count) numbers of one kind.

        Parameters
        ----------
        name : {"normal", "gamma", "uniform"}
            The kind.
        count : int
            How many per imputation.

        Returns
        -------
        (m, count) array
            Not to be returned again.
        """
        source = {"normal": self._normal, "gamma": self._gamma, "uniform": self._uniform}[name]
        first = self._used[name]
        self._used[name] = first + count
        return source[:, first : first + count]

    def of_step(self, step: Step) -> StepNoise:
        """Return what one step needs.

        Parameters
        ----------
        step : Step
            The next step.

        Returns
        -------
        StepNoise
            Its random numbers.
        """
        return StepNoise(
            parameters=self.take("normal", step.size),
            gamma=self.take("gamma", 1)[:, 0],
            free=self.take("normal", len(step.rows.free)),
            bound=self.take("uniform", len(step.rows.bound)),
        )


def count_unknown(groups: Sequence[Group]) -> int:
    """Count what is unknown: uniform numbers that `start_values` takes.

    Parameters
    ----------
    groups : sequence of Group
        All groups.

    Returns
    -------
    int
        Missing and censored values.
    """
    return sum(int(np.isnan(group.values).sum()) for group in groups)


def start_values(groups: Sequence[Group], noise: Noise, m: int) -> list[FloatArray]:
    """Fill what is unknown: observed values drawn at random, censored ones within their limits.

    Parameters
    ----------
    groups : sequence of Group
        All groups; every visit has an observed value in each.
    noise : Noise
        Random numbers.
    m : int
        Imputations.

    Returns
    -------
    list of (m, visits, n) arrays
        One per group.

    References
    ----------
    .. [1] van Buuren S, Groothuis-Oudshoorn K (2011), J Stat Softw 45(3), section 2.3.
    """
    filled = [np.repeat(group.values[None], m, axis=0) for group in groups]
    for visit in range(len(groups[0].values)):
        for group, current in zip(groups, filled, strict=True):
            free, bound = group.free[visit], group.bound[visit]
            uniform = noise.take("uniform", int(free.sum()) + int(bound.sum()))
            if free.any():
                seen = group.values[visit][~np.isnan(group.values[visit])]
                drawn = (uniform[:, : int(free.sum())] * len(seen)).astype(np.int64)
                current[:, visit, free] = seen[drawn]
            if bound.any():
                known = ~free
                low, high = group.lower[visit], group.upper[visit]
                mean, sd = fit_censored(group.values[visit][known], low[known], high[known])
                current[:, visit, bound] = draw_truncated(
                    np.asarray(mean), np.asarray(sd), low[bound], high[bound],
                    uniform[:, int(free.sum()) :],
                )  # fmt: skip
    return filled


def run_steps(
    groups: Sequence[Group], filled: Sequence[FloatArray], steps: Sequence[Step], noise: Noise
) -> None:
    """Carry out steps one after the other, in ``filled``.

    Parameters
    ----------
    groups : sequence of Group
        All groups.
    filled : sequence of (m, visits, n) arrays
        One per group, changed in place.
    steps : sequence of Step
        In order.
    noise : Noise
        Random numbers.
    """
    for step in steps:
        current = filled[step.group]
        regress_and_draw(
            groups[step.group].fixed,
            np.take(current, np.asarray(step.others, dtype=np.int64), axis=1),
            current[:, step.visit],
            step.rows,
            noise.of_step(step),
        )


def iterate_groups(
    filled: Sequence[FloatArray], groups: Sequence[Group]
) -> Iterator[tuple[Group, FloatArray]]:
    """Pair every group with its values in the caller's units.

    Parameters
    ----------
    filled : sequence of (m, visits, n) arrays
        In standard units.
    groups : sequence of Group
        All groups.

    Yields
    ------
    (Group, (m, n, visits) array)
        Caller's units.
    """
    for group, current in zip(groups, filled, strict=True):
        values = group.centre[:, None] + group.unit[:, None] * current
        yield group, values.transpose(0, 2, 1)
