"""Which engine searches, and a search as the compiled engine takes it; imported on first use."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.batting_cells import grid_table
from assayhouse.stats.batting_optima import Optima
from assayhouse.stats.batting_rules import TESTS, Rules
from assayhouse.stats.batting_study import Study
from assayhouse.stats.errors import InputError

_KINDS = {"all": 0, "grid19": 1, "values": 2}
_NO_SPLITS = np.zeros(0, dtype=np.int64)
_NO_GRID = np.zeros((1, 19), dtype=np.int64)


def choose_engine(rules: Rules) -> str:
    """Return the engine that runs a search.

    Parameters
    ----------
    rules : Rules
        Options.

    Returns
    -------
    str
        numba where it is installed and compiled code exists for the model, else numpy. The size
        of a job plays no part, so that pieces of a run have the bits of the whole.

    Raises
    ------
    InputError
        numba asked for and not installed.
    """
    installed = find_spec("numba") is not None
    if rules.engine == "numba" and not installed:
        message = 'engine="numba" needs numba: pip install "assayhouse[fast]".'
        raise InputError(message)
    compiled = rules.endpoint == "binary" and not rules.adjusted
    return "numba" if installed and compiled and rules.engine != "numpy" else "numpy"


def compiled_module() -> ModuleType:
    """Return the module of compiled code.

    Returns
    -------
    module
        Imported now where it was not.
    """
    return import_module("assayhouse.stats.batting_numba")


def make_plan(
    study: Study, rules: Rules, *, higher: bool
) -> tuple[IntArray, float, IntArray, IntArray]:
    """Return options as the compiled code takes them.

    Parameters
    ----------
    study, rules : Study, Rules
        Records and options.
    higher : bool
        Group 1 lies above the cut.

    Returns
    -------
    (plan, min_share, grid, given)
        As `batting_numba.search_weights`.
    """
    n_ties = len(study.values)
    plan = np.array(
        [
            n_ties,
            _KINDS[rules.candidates],
            int(higher),
            TESTS.index(rules.test),
            max(rules.min_cell, 1),
        ],
        dtype=np.int64,
    )
    grid = grid_table(0, n_ties) if rules.candidates == "grid19" else _NO_GRID
    given = _NO_SPLITS
    if rules.candidate_values is not None:
        side = np.searchsorted(
            study.values, rules.candidate_values, side="right" if higher else "left"
        )
        given = side.astype(np.int64)
    return plan, rules.min_share, grid, given


def read_optima(found: FloatArray, study: Study, rules: Rules) -> Optima:
    """Return optima from the table of the compiled code.

    Parameters
    ----------
    found : (b, 4) array
        Tie, statistic, subjects, zero cell.
    study, rules : Study, Rules
        Records and options.

    Returns
    -------
    Optima
        With the values of the cuts.
    """
    place = found[:, 0].astype(np.int64)
    values = study.values if rules.candidate_values is None else rules.candidate_values
    cuts = np.full(len(found), np.nan)
    cuts[place >= 0] = values[place[place >= 0]]
    return Optima(
        cuts=cuts,
        statistics=found[:, 1].copy(),
        n_used=found[:, 2].astype(np.int64),
        zero_cell=found[:, 3] > 0,
    )


Layout = tuple[NDArray[np.uint32], *tuple[NDArray[np.uint64], ...], IntArray]


def row_layout(study: Study) -> Layout:
    """Return the used rows in marker order as the compiled code takes them.

    Parameters
    ----------
    study : Study
        Dense records.

    Returns
    -------
    tuple of (r,) arrays
        As `batting_numba.search_weights`.
    """
    rows = np.argsort(study.row_record, kind="stable")
    rows = rows[: np.searchsorted(study.row_record[rows], study.n_records)]
    return _layout(rows, study.row_record[rows])


def record_layout(study: Study) -> Layout:
    """Return the dense records as the compiled code takes them.

    Parameters
    ----------
    study : Study
        Dense records.

    Returns
    -------
    tuple of (R,) arrays
        As `batting_numba.search_weights`.
    """
    records = np.arange(study.n_records)
    return _layout(records, records)


def _layout(rows: IntArray, record: IntArray) -> Layout:
    """Return rows, packed additions to arms 0 and 1, last of its value, and the value's number."""
    tie, arm = record // 4, record // 2 % 2
    adds = np.uint64(1) + (np.asarray(record % 2, dtype=np.uint64) << np.uint64(32))
    nothing = np.uint64(0)
    ends = np.diff(tie, append=-1) != 0
    return (
        rows.astype(np.uint32),
        np.where(arm == 0, adds, nothing),
        np.where(arm == 1, adds, nothing),
        ends.astype(np.uint64),
        tie.astype(np.int64),
    )


def member_table(n: int, groups: IntArray | None) -> IntArray:
    """Return members of groups, and each row's first member and number of members.

    Parameters
    ----------
    n : int
        Rows.
    groups : (n,) array of int, optional
        None is one group.

    Returns
    -------
    (3, n) array of int
        As `batting_numba.search_stream`; (3, 0) for one group of all rows.
    """
    if groups is None:
        return np.zeros((3, 0), dtype=np.int64)
    out = np.zeros((3, n), dtype=np.int64)
    _, codes = np.unique(groups, return_inverse=True)
    sizes = np.bincount(codes)
    out[0] = np.argsort(codes, kind="stable")
    out[1] = (np.cumsum(sizes) - sizes)[codes]
    out[2] = sizes[codes]
    return out
