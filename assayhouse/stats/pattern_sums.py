"""Sums over subjects with the same visits observed: all that a repeated-measures likelihood needs.

A subject's model is y_iv = u_i' (coefficients of visit v), where the first ``width`` entries of
u have coefficients per visit and the others one for all visits. Coefficients stand visit by
visit, the common ones last. Many problems over the same subjects differ by weights only, so a
batch of bootstrap samples costs a few small matrices each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternSums:
    """Sums of one group's subjects with one set of observed visits, for a batch of b problems.

    Parameters
    ----------
    group : int
        Which covariance applies.
    visits : (k,) array of int
        Observed visits.
    index : (k, e) array of int
        Coefficients of u at each of the visits.
    count : (b,) array
        Subjects.
    uu : (b, e, e) array
        Sum of u u'.
    uy : (b, e, k) array
        Sum of u y'.
    yy : (b, k, k) array
        Sum of y y'.
    """

    group: int
    visits: IntArray
    index: IntArray
    count: FloatArray
    uu: FloatArray
    uy: FloatArray
    yy: FloatArray

    def take(self, problems: IntArray | BoolArray) -> "PatternSums":
        """Return the sums of some problems.

        Parameters
        ----------
        problems : array
            Positions in the batch, or a mask of it.

        Returns
        -------
        PatternSums
            Of those.
        """
        return PatternSums(
            group=self.group,
            visits=self.visits,
            index=self.index,
            count=self.count[problems],
            uu=self.uu[problems],
            uy=self.uy[problems],
            yy=self.yy[problems],
        )


def sum_patterns(
    values: FloatArray, covariates: FloatArray, group: IntArray, weights: FloatArray, *, width: int
) -> list[PatternSums]:
    """Cut subjects by group and observed visits, and sum over each part.

    Parameters
    ----------
    values : (n, visits) array
        NaN where missing; subjects without any value are left out.
    covariates : (n, e) array
        u of every subject.
    group : (n,) array of int
        Which covariance applies.
    weights : (b, n) array
        How often a subject counts in each problem.
    width : int
        Entries of u with coefficients per visit.

    Returns
    -------
    list of PatternSums
        In the order of group and pattern.
    """
    observed = np.isfinite(values)
    visits = values.shape[1]
    keys = sorted({(int(g), tuple(row)) for g, row in zip(group, observed.tolist(), strict=True)})
    found = []
    for number, pattern in keys:
        mask = np.asarray(pattern)
        if not mask.any():
            continue
        members = (group == number) & (observed == mask).all(axis=1)
        u, y, w = covariates[members], values[members][:, mask], weights[:, members]
        here = np.flatnonzero(mask)
        found.append(
            PatternSums(
                group=number,
                visits=here,
                index=coefficient_index(here, visits, covariates.shape[1], width),
                count=w.sum(axis=1),
                uu=_weighted(w, u, u),
                uy=_weighted(w, u, y),
                yy=_weighted(w, y, y),
            )
        )
    return found


def coefficient_index(visits: IntArray, total: int, size: int, width: int) -> IntArray:
    """Say where the coefficients of u stand for given visits.

    Parameters
    ----------
    visits : (k,) array of int
        The visits.
    total, size, width : int
        Visits of the model, entries of u, and those of them with coefficients per visit.

    Returns
    -------
    (k, size) array of int
        Positions.
    """
    own = visits[:, None] * width + np.arange(width)
    common = total * width + np.arange(size - width)
    return np.concatenate([own, np.broadcast_to(common, (len(visits), size - width))], axis=1)


def _weighted(weights: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
    products = np.ascontiguousarray((left[:, :, None] * right[:, None, :]).transpose(1, 2, 0))
    return np.asarray(np.einsum("bn,xyn->bxy", weights, products))


def add_gram(total: FloatArray, part: PatternSums, middle: FloatArray) -> None:
    """Add the sum of X' A X of a pattern.

    Parameters
    ----------
    total : (b, ..., q, q) array
        Changed in place.
    part : PatternSums
        The pattern.
    middle : (b, ..., k, k) array
        A of every problem.
    """
    blocks = np.einsum("b...uv,bxy->b...uxvy", middle, part.uu)
    for u, rows in enumerate(part.index):
        for v, columns in enumerate(part.index):
            total[..., rows[:, None], columns] += blocks[..., u, :, v, :]


def add_cross(total: FloatArray, part: PatternSums, cross: FloatArray) -> None:
    """Add the sum of X' z of a pattern, where cross is the sum of u z'.

    Parameters
    ----------
    total : (b, ..., q) array
        Changed in place.
    part : PatternSums
        The pattern.
    cross : (b, ..., e, k) array
        One column per visit of the pattern.
    """
    for u, rows in enumerate(part.index):
        total[..., rows] += cross[..., :, u]


def fitted_spread(part: PatternSums, covariance: FloatArray) -> FloatArray:
    """Sum X C X' over the subjects of a pattern.

    Parameters
    ----------
    part : PatternSums
        The pattern.
    covariance : (b, q, q) array
        C, of the coefficients.

    Returns
    -------
    (b, k, k) array
        Variance of fitted values, summed.
    """
    k = len(part.visits)
    spread = np.empty((len(covariance), k, k))
    for u in range(k):
        for v in range(k):
            block = covariance[:, part.index[u][:, None], part.index[v]]
            spread[:, u, v] = np.einsum("bxy,bxy->b", part.uu, block)
    return spread


def residual_sums(part: PatternSums, coefficients: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sum r r' and u r' over the subjects of a pattern.

    Parameters
    ----------
    part : PatternSums
        The pattern.
    coefficients : (b, q) array
        Of every problem.

    Returns
    -------
    (b, k, k) array, (b, e, k) array
        Both sums.
    """
    slopes = coefficients[:, part.index].transpose(0, 2, 1)
    fitted = part.uu @ slopes
    cross = slopes.transpose(0, 2, 1) @ part.uy
    squares = part.yy - cross - cross.transpose(0, 2, 1) + slopes.transpose(0, 2, 1) @ fitted
    return squares, part.uy - fitted


def check_sizes(parts: Sequence[PatternSums], visits: int) -> BoolArray:
    """Tell which pairs of visits are seen together by a subject, per problem.

    Parameters
    ----------
    parts : sequence of PatternSums
        All patterns.
    visits : int
        Visits of the model.

    Returns
    -------
    (b, groups, visits, visits) array of bool
        A covariance that nobody informs is not estimable.
    """
    groups = 1 + max(part.group for part in parts)
    seen = np.zeros((len(parts[0].count), groups, visits, visits), dtype=np.bool_)
    for part in parts:
        seen[:, part.group, part.visits[:, None], part.visits] |= (part.count > 0)[:, None, None]
    return seen
