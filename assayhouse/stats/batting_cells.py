"""Candidates and their cells: which cuts a replicate has, and how many subjects fall where.

A candidate is a split: the number of tie groups on its low side. It holds no statistic.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.batting_study import Study

GRID = np.array([0.05 + 0.05 * step for step in range(18)] + [0.95])
"""Orders of the grid; the last is exactly 0.95, which moves a rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """Candidates of b replicates, ascending.

    Parameters
    ----------
    cuts : (b, C) array
        Values.
    low : (b, C) array of int
        Tie groups on the low side, 0 to U.
    valid : (b, C) array of bool
        Places that hold a candidate of the replicate.
    """

    cuts: FloatArray
    low: IntArray
    valid: BoolArray


def grid_ranks(n_values: int) -> IntArray:
    """Return the 1-based ranks of the 19-point grid among distinct values, duplicates removed.

    Parameters
    ----------
    n_values : int
        Distinct values.

    Returns
    -------
    (at most 19,) array of int
        Type-3 quantiles: the nearest even order statistic, with a fuzz of 4 epsilon.

    References
    ----------
    .. [1] Hyndman RJ, Fan Y (1996), The American Statistician 50, 361-365, definition 3.
    """
    return np.unique(grid_table(n_values, n_values)[0])


def grid_table(first: int, last: int) -> IntArray:
    """Return the 19 ranks for each number of distinct values from first to last."""
    sizes = np.arange(first, last + 1)[:, None]
    position = sizes * GRID - 0.5
    floor = np.floor(position + 4 * np.finfo(np.float64).eps)
    stay = (position <= floor) & (floor % 2 == 0)
    ranks = np.where(stay, floor, floor + 1)
    return np.asarray(np.clip(ranks, 1, np.maximum(sizes, 1)), dtype=np.int64)


def find_splits(
    study: Study,
    present: BoolArray,
    *,
    candidates: str,
    candidate_values: FloatArray | None,
    higher: bool,
) -> Splits:
    """Return the candidates of each replicate.

    Parameters
    ----------
    study : Study
        Records.
    present : (b, U) array of bool
        Tie groups with weight.
    candidates, candidate_values
        As in the rules.
    higher : bool
        Group 1 lies above the cut.

    Returns
    -------
    Splits
        "all" keeps a place for every tie group.
    """
    shape = present.shape
    if candidates == "values" and candidate_values is not None:
        low = np.searchsorted(study.values, candidate_values, side="right" if higher else "left")
        wide = (shape[0], len(low))
        return Splits(
            cuts=np.broadcast_to(candidate_values, wide),
            low=np.broadcast_to(low, wide),
            valid=np.ones(wide, dtype=bool),
        )
    shift = 1 if higher else 0
    if candidates == "all":
        return Splits(
            cuts=np.broadcast_to(study.values, shape),
            low=np.broadcast_to(np.arange(shape[1]) + shift, shape),
            valid=_without_extreme(present, higher=higher),
        )
    tie, valid = _grid_ties(present)
    return Splits(cuts=study.values[tie], low=tie + shift, valid=valid)


def _without_extreme(present: BoolArray, *, higher: bool) -> BoolArray:
    """Return the present ties without the largest ("higher") or the smallest ("lower")."""
    valid = present.copy()
    if not valid.shape[1]:
        return valid
    some = present.any(axis=1)
    extreme = present.shape[1] - 1 - present[:, ::-1].argmax(axis=1)
    if not higher:
        extreme = present.argmax(axis=1)
    valid[np.flatnonzero(some), extreme[some]] = False
    return valid


def _grid_ties(present: BoolArray) -> tuple[IntArray, BoolArray]:
    """Return the tie groups of the grid and which places are no repetition."""
    n_present = present.sum(axis=1)
    if not n_present.any():
        empty = np.zeros((len(present), 0), dtype=np.int64)
        return empty, empty.astype(bool)
    least = int(n_present.min())
    ranks = grid_table(least, int(n_present.max()))[n_present - least]
    ordered = np.nonzero(present)[1]
    first = np.cumsum(n_present) - n_present
    place = np.minimum(first[:, None] + ranks - 1, len(ordered) - 1)
    valid = np.ones(ranks.shape, dtype=bool)
    valid[:, 1:] = ranks[:, 1:] != ranks[:, :-1]
    valid[n_present == 0] = False
    return ordered[place], valid


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Counts of subjects and sums of responses, arm x group at every candidate.

    Parameters
    ----------
    n : (4, b, C) array of int
        Subjects; cells 00, 01, 10, 11 in the order arm, group.
    y : (4, b, C) array
        Responders, sums of the centred response, or events.
    squares : (4, b, C) array, optional
        Sums of squares of a continuous response.
    """

    n: IntArray
    y: NDArray[np.int64] | FloatArray
    squares: FloatArray | None

    def total(self) -> IntArray:
        """Return the subjects of each replicate at every candidate, (b, C)."""
        return np.asarray(self.n[0] + self.n[1] + self.n[2] + self.n[3])

    def admit(self, *, min_cell: int, min_share: float) -> BoolArray:
        """Return which candidates keep enough subjects, (b, C)."""
        least = max(min_cell, 1)
        enough = (self.n[0] >= least) & (self.n[1] >= least)
        enough &= (self.n[2] >= least) & (self.n[3] >= least)
        if min_share > 0:
            with np.errstate(invalid="ignore", divide="ignore"):
                enough &= (self.n[1] + self.n[3]) / self.total() > min_share
        return np.asarray(enough)


def present_ties(study: Study, weights: IntArray) -> BoolArray:
    """Return which tie groups have weight in each replicate.

    Parameters
    ----------
    study : Study
        Records.
    weights : (b, R) array of int
        Multiplicities of records.

    Returns
    -------
    (b, U) array of bool
        Distinct values of the replicate.
    """
    if study.dense:
        return np.asarray((weights.reshape(len(weights), -1, 4) > 0).any(axis=2))
    if not study.n_records:
        return np.zeros((len(weights), 0), dtype=bool)
    first = np.searchsorted(study.tie, np.arange(len(study.values)), side="left")
    return np.asarray(np.add.reduceat(weights, first, axis=1) > 0)


def count_cells(study: Study, weights: IntArray, splits: Splits, *, higher: bool) -> Cells:
    """Return the cells of every candidate from prefix sums over the sorted records.

    Parameters
    ----------
    study : Study
        Records.
    weights : (b, R) array of int
        Multiplicities.
    splits : Splits
        Candidates.
    higher : bool
        Group 1 lies above the cut.

    Returns
    -------
    Cells
        Sums run in the order of the records, so that every engine makes the same bits.
    """
    shape = (4, *splits.low.shape)
    if study.dense:
        return _count_dense(study, weights, splits, higher=higher)
    ends = np.searchsorted(study.tie, np.arange(len(study.values) + 1), side="left")
    at = ends[splits.low]
    continuous = study.columns.endpoint == "continuous"
    n = np.zeros(shape, dtype=np.int64)
    y = np.zeros(shape, dtype=np.float64 if continuous else np.int64)
    squares = np.zeros(shape) if continuous else None
    outcome = study.event if study.columns.endpoint == "survival" else study.response
    if not continuous:
        outcome = outcome.astype(np.int64)
    for arm in (0, 1):
        of_arm = weights * (study.arm == arm)
        _split(n, arm, of_arm, at, higher=higher)
        _split(y, arm, of_arm * outcome, at, higher=higher)
        if squares is not None:
            _split(squares, arm, of_arm * (outcome * outcome), at, higher=higher)
    return Cells(n=n, y=y, squares=squares)


def _count_dense(study: Study, weights: IntArray, splits: Splits, *, higher: bool) -> Cells:
    """Return the cells where records are numbered 4 tie + 2 arm + response."""
    n_ties = len(study.values)
    table = np.ascontiguousarray(weights.reshape(len(weights), n_ties, 4).transpose(2, 0, 1))
    shape = (4, *splits.low.shape)
    n, y = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for arm in (0, 1):
        _split(y, arm, table[2 * arm + 1], splits.low, higher=higher)
        _split(n, arm, table[2 * arm + 1] + table[2 * arm], splits.low, higher=higher)
    return Cells(n=n, y=y, squares=None)


def _split(
    out: NDArray[np.int64] | FloatArray,
    arm: int,
    amounts: NDArray[np.int64] | FloatArray,
    at: IntArray,
    *,
    higher: bool,
) -> None:
    """Write one arm's sums on either side of every candidate."""
    prefix = np.zeros((amounts.shape[0], amounts.shape[1] + 1), dtype=out.dtype)
    np.cumsum(amounts, axis=1, out=prefix[:, 1:])
    low = np.take_along_axis(prefix, at, axis=1)
    rest = prefix[:, -1:] - low
    out[2 * arm] = low if higher else rest
    out[2 * arm + 1] = rest if higher else low
