"""Chained and sequential equations over the visits of groups, in standard units.

Which steps there are is in `chained_plan`, their random numbers in `chained_noise`, the step
itself in `bayes_step`; checks and the caller's units are in `imputation`.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from assayhouse.stats.arrays import FloatArray
from assayhouse.stats.bayes_step import regress_and_draw
from assayhouse.stats.chained_noise import Noise
from assayhouse.stats.chained_plan import Group, Step
from assayhouse.stats.truncated import draw_truncated, fit_censored


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
