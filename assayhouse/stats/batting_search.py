"""Running a search: replicates in chunks, by one worker or several, with one of two engines."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.batting_direction import find_direction
from assayhouse.stats.batting_engine import search_rows, search_stream, search_weights
from assayhouse.stats.batting_optima import Optima
from assayhouse.stats.batting_plan import choose_engine
from assayhouse.stats.batting_rules import Rules
from assayhouse.stats.batting_study import Columns, Study
from assayhouse.stats.columns import as_objects
from assayhouse.stats.errors import InputError
from assayhouse.stats.resampling import BOOTSTRAP, bootstrap_indices

_ROWS = 1 << 18
"""Rows of all replicates in one chunk: the working set stays near the cache."""
_STREAMED = 1 << 24
"""The same for compiled code, which holds one replicate at a time and prepares once a chunk."""

Searcher = Callable[[Study, IntArray, Rules, bool], Optima]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Where the rows of the replicates come from.

    Parameters
    ----------
    n_rows : int
        Rows of the input.
    n_boot : int
        Replicates.
    seed : int, optional
        Of the stream; None where rows are given.
    label : str
        Of the stream.
    groups : (n,) array of int, optional
        Rows are replaced within these.
    rows : (B, n) array of int, optional
        Given rows.
    sub : int
        Outer replicate.
    cached : (B, n) array of int, optional
        The stream's rows, where several markers share them.
    """

    n_rows: int
    n_boot: int
    seed: int | None
    label: str
    groups: IntArray | None
    rows: IntArray | None
    sub: int = 0
    cached: IntArray | None = None

    def take(self, start: int, stop: int) -> IntArray:
        """Return the rows of replicates start to stop."""
        if self.rows is not None:
            return self.rows[start:stop]
        if self.cached is not None:
            return self.cached[start:stop]
        drawn = bootstrap_indices(
            self.n_rows,
            stop - start,
            seed=self.seed or 0,
            label=self.label,
            groups=self.groups,
            start=start,
            purpose=BOOTSTRAP,
            sub=self.sub,
        )
        return drawn.astype(np.int64)


def read_resamples(resamples: ArrayLike, *, n: int) -> IntArray:
    """Return given rows of replicates.

    Parameters
    ----------
    resamples : (B, n) array_like of int
        0-based rows of the input.
    n : int
        Rows of the input.

    Returns
    -------
    (B, n) array of int
        Checked.

    Raises
    ------
    InputError
        Another shape, no integers, or out of range.
    """
    rows = as_objects(resamples, name="resamples")
    if rows.dtype.kind == "O" and all(isinstance(v, (int, np.integer)) for v in rows.flat):
        rows = rows.astype(np.int64)
    if rows.ndim != 2 or rows.shape[1] != n or not len(rows) or rows.dtype.kind not in "iu":
        message = f"resamples must be integers of shape (B, {n}); it is {rows.shape}."
        raise InputError(message)
    if int(rows.min()) < 0 or int(rows.max()) >= n:
        message = f"resamples must be 0-based rows, 0 to {n - 1}."
        raise InputError(message)
    return rows.astype(np.int64)


def resample_groups(columns: Columns, *, resample: str) -> IntArray | None:
    """Return the groups within which rows are drawn.

    Parameters
    ----------
    columns : Columns
        All input rows.
    resample : {"simple", "arm", "arm_stratum"}
        Kind.

    Returns
    -------
    (n,) array of int, or None
        A missing arm or stratum is a group of its own.
    """
    if resample == "simple":
        return None
    arm = np.where(np.isnan(columns.arm), 2, columns.arm).astype(np.int64)
    if resample == "arm":
        return arm
    return np.asarray(arm + 3 * (columns.stratum + 1), dtype=np.int64)


def run_search(study: Study, rules: Rules, draws: Draws, *, direction: str) -> Optima:
    """Return the optimum of every replicate, in order.

    Parameters
    ----------
    study : Study
        Records of one marker.
    rules : Rules
        Options.
    draws : Draws
        Rows of the replicates.
    direction : {"higher", "lower"}
        Group 1.

    Returns
    -------
    Optima
        The same bits whatever the chunks and workers.
    """
    higher = direction == "higher"

    compiled = len(study.values) > 0 and choose_engine(rules) == "numba"
    streamed = compiled and draws.rows is None and draws.cached is None

    def one(bounds: tuple[int, int]) -> Optima:
        if not streamed:
            return search_rows(study, draws.take(*bounds), rules, higher=higher)
        return search_stream(
            study,
            rules,
            bounds=(*bounds, draws.sub, BOOTSTRAP),
            stream=(draws.seed or 0, draws.label),
            groups=draws.groups,
            higher=higher,
        )

    workers = os.cpu_count() or 1 if rules.n_jobs == -1 else rules.n_jobs
    step = (_STREAMED if compiled else _ROWS) // max(draws.n_rows, 1)
    if compiled and workers > 1:
        step = min(step, -(-draws.n_boot // workers))
    chunks = list(_chunks(draws.n_boot, rules.chunk_size or max(1, step)))
    if workers == 1 or len(chunks) == 1:
        return Optima.join([one(bounds) for bounds in chunks])
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return Optima.join(list(pool.map(one, chunks)))


def _chunks(n_boot: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield first and last replicate of each chunk."""
    for start in range(0, n_boot, step):
        yield start, min(start + step, n_boot)


def direction_of(study: Study, rules: Rules) -> str:
    """Return the direction that the rules find in a data set.

    Parameters
    ----------
    study, rules : Study, Rules
        Data and options.

    Returns
    -------
    str
        higher or lower.
    """
    if rules.direction != "auto":
        return rules.direction
    return find_direction(study.marker, study.columns, larger_is_better=rules.larger_is_better)


def search_original(
    study: Study, rules: Rules, *, direction: str, weights: IntArray | None = None
) -> Optima:
    """Return the optimum of the data as they are.

    Parameters
    ----------
    study, rules, direction
        As `run_search`.
    weights : (n,) array of int, optional
        Multiplicities of the input rows.

    Returns
    -------
    Optima
        One entry.
    """
    return search_weights(study, study.original(weights), rules, higher=direction == "higher")


def median_cut(cuts: FloatArray) -> float:
    """Return the median of the cuts that exist, NaN where none does.

    Parameters
    ----------
    cuts : (B,) array
        NaN for replicates without a cut.

    Returns
    -------
    float
        Mean of the two middle ones for an even number.

    References
    ----------
    .. [1] Huang X et al. (2017), Statistics in Medicine 36, 1414-1428.
    """
    found = np.sort(cuts[~np.isnan(cuts)])
    if not len(found):
        return float("nan")
    return float(found[(len(found) - 1) // 2] + found[len(found) // 2]) / 2
