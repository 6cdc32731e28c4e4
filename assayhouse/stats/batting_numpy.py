"""The search of one chunk of replicates in NumPy: statistics at every cut, then the optimum."""

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.batting_adjusted import adjusted_fits
from assayhouse.stats.batting_cells import Cells, Splits, count_cells, find_splits, present_ties
from assayhouse.stats.batting_cox import cox_fits
from assayhouse.stats.batting_forms import STATISTICS
from assayhouse.stats.batting_linear import linear_statistic
from assayhouse.stats.batting_optima import NEAR, Optima
from assayhouse.stats.batting_rules import Rules
from assayhouse.stats.batting_study import Study


def search_chunk(study: Study, weights: IntArray, rules: Rules, *, higher: bool) -> Optima:
    """Return the optimum of each replicate.

    Parameters
    ----------
    study : Study
        Records.
    weights : (b, R) array of int
        Multiplicities.
    rules : Rules
        Options.
    higher : bool
        Group 1 lies above the cut.

    Returns
    -------
    Optima
        One entry per replicate.
    """
    splits = find_splits(
        study,
        present_ties(study, weights),
        candidates=rules.candidates,
        candidate_values=rules.candidate_values,
        higher=higher,
    )
    cells = count_cells(study, weights, splits, higher=higher)
    wanted = splits.valid & cells.admit(min_cell=rules.min_cell, min_share=rules.min_share)
    statistic = cut_statistics(
        study, weights, splits, cells, test=rules.test, wanted=wanted, higher=higher
    )
    return _pick(statistic, splits, cells, weights, endpoint=rules.endpoint)


def cut_statistics(
    study: Study,
    weights: IntArray,
    splits: Splits,
    cells: Cells,
    *,
    test: str,
    wanted: BoolArray,
    higher: bool,
) -> FloatArray:
    """Return the statistic of wanted cuts; NaN elsewhere and where it is undefined.

    Parameters
    ----------
    study, weights, splits, cells
        Records, multiplicities, candidates and their cells.
    test : str
        As `batting`.
    wanted : (b, C) array of bool
        Cuts without an empty arm x group cell.
    higher : bool
        Group 1 lies above the cut.

    Returns
    -------
    (b, C) array
        At least 0.
    """
    out = np.full(wanted.shape, np.nan)
    if not wanted.any():
        return out
    endpoint = study.columns.endpoint
    if endpoint == "survival":
        fits = cox_fits(study, weights, splits, wanted=wanted, higher=higher)
        return fits.lrt if test == "lrt" else fits.wald
    if study.columns.adjust.shape[1]:
        adjusted = adjusted_fits(
            study, weights, splits, wanted=wanted, higher=higher, tests=(test,)
        )
        return adjusted.lrt if test == "lrt" else adjusted.wald
    n = np.stack([cell[wanted] for cell in cells.n]).astype(np.float64)
    y = np.stack([cell[wanted] for cell in cells.y]).astype(np.float64)
    if cells.squares is not None:
        squares = np.stack([cell[wanted] for cell in cells.squares])
        out[wanted] = linear_statistic(n, y, squares, test=test)
    else:
        out[wanted] = STATISTICS[test](n, y)
    return out


def _pick(
    statistic: FloatArray, splits: Splits, cells: Cells, weights: IntArray, *, endpoint: str
) -> Optima:
    """Return the lowest cut whose statistic ties with the largest."""
    n_used = weights.sum(axis=1)
    if not statistic.shape[1]:
        nothing = np.full(len(statistic), np.nan)
        return Optima(
            cuts=nothing,
            statistics=nothing.copy(),
            n_used=n_used,
            zero_cell=np.zeros(len(statistic), dtype=bool),
        )
    known = np.where(np.isnan(statistic), -np.inf, statistic)
    largest = known.max(axis=1, keepdims=True)
    place = (known >= np.where(largest > 0, largest * NEAR, largest)).argmax(axis=1)
    row = np.arange(len(statistic))
    found = largest[:, 0] > -np.inf
    return Optima(
        cuts=np.where(found, splits.cuts[row, place], np.nan),
        statistics=np.where(found, statistic[row, place], np.nan),
        n_used=n_used,
        zero_cell=found & zero_cells(cells, endpoint=endpoint)[row, place],
    )


def zero_cells(cells: Cells, *, endpoint: str) -> BoolArray:
    """Tell which cuts have a cell without responders or without others.

    Parameters
    ----------
    cells : Cells
        Counts.
    endpoint : str
        For survival a cell without events counts; a continuous response has none.

    Returns
    -------
    (b, C) array of bool
        Wald is undefined there.
    """
    if endpoint == "continuous":
        return np.zeros(cells.n.shape[1:], dtype=bool)
    empty = (cells.y == 0).any(axis=0)
    if endpoint == "binary":
        empty |= (cells.y == cells.n).any(axis=0)
    return np.asarray(empty)
