"""Calls of a search, by compiled code or by NumPy."""

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.batting_numpy import search_chunk
from assayhouse.stats.batting_optima import Optima
from assayhouse.stats.batting_plan import (
    choose_engine,
    compiled_module,
    make_plan,
    member_table,
    read_optima,
    record_layout,
    row_layout,
)
from assayhouse.stats.batting_rules import Rules
from assayhouse.stats.batting_study import Study
from assayhouse.stats.philox import round_keys, stream_key


def search_weights(study: Study, weights: IntArray, rules: Rules, *, higher: bool) -> Optima:
    """Return the optima of given multiplicities of records.

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
        One entry per row of ``weights``.
    """
    if choose_engine(rules) == "numpy" or not len(study.values):
        return search_chunk(study, weights, rules, higher=higher)
    table = np.ascontiguousarray(weights, dtype=np.int64)
    plan = make_plan(study, rules, higher=higher)
    found = compiled_module().search_weights(table, record_layout(study), *plan)
    return read_optima(found, study, rules)


def search_rows(study: Study, rows: IntArray, rules: Rules, *, higher: bool) -> Optima:
    """Return the optima of replicates whose rows are given.

    Parameters
    ----------
    study : Study
        Records.
    rows : (b, n) array of int
        Rows of the input.
    rules, higher
        As `search_weights`.

    Returns
    -------
    Optima
        One entry per replicate.
    """
    if choose_engine(rules) == "numpy" or not len(study.values):
        return search_chunk(study, study.weigh(rows), rules, higher=higher)
    plan = make_plan(study, rules, higher=higher)
    found = compiled_module().search_rows(
        np.ascontiguousarray(rows, dtype=np.int64), row_layout(study), *plan
    )
    return read_optima(found, study, rules)


def search_stream(
    study: Study,
    rules: Rules,
    *,
    bounds: tuple[int, int, int, int],
    stream: tuple[int, str],
    groups: IntArray | None,
    higher: bool,
) -> Optima:
    """Return the optima of replicates that the compiled code draws itself.

    Parameters
    ----------
    study, rules, higher
        As `search_weights`.
    bounds : (int, int, int, int)
        First replicate, last, sub, purpose.
    stream : (int, str)
        Seed and label.
    groups : (n,) array of int, optional
        Rows are replaced within these.

    Returns
    -------
    Optima
        One entry per replicate.
    """
    found = compiled_module().search_stream(
        np.array(bounds, dtype=np.int64),
        round_keys(stream_key(*stream)),
        member_table(len(study.marker), groups),
        len(study.marker),
        row_layout(study),
        *make_plan(study, rules, higher=higher),
    )
    return read_optima(found, study, rules)


def search_permuted(
    study: Study,
    rules: Rules,
    *,
    bounds: tuple[int, int, int, int],
    stream: tuple[int, str],
    groups: IntArray,
    higher: bool,
) -> FloatArray:
    """Return the largest statistics where rows trade markers within groups.

    Parameters
    ----------
    study, rules, bounds, stream, higher
        As `search_stream`.
    groups : (n,) array of int
        -1 for rows that are not used.

    Returns
    -------
    (b,) array
        NaN without a candidate.
    """
    columns = study.columns
    order = np.argsort(groups, kind="stable")
    members = order[np.searchsorted(groups[order], 0) :]
    starts = np.flatnonzero(np.diff(groups[members], prepend=-1, append=-2))
    tie = np.where(study.kept, np.searchsorted(study.values, study.marker), -1)
    used: BoolArray = groups >= 0
    cell = np.zeros(len(groups), dtype=np.int64)
    cell[used] = (2 * columns.arm[used] + columns.response[used]).astype(np.int64)
    found = compiled_module().search_permuted(
        np.array(bounds, dtype=np.int64),
        round_keys(stream_key(*stream)),
        members.astype(np.int64),
        starts.astype(np.int64),
        tie.astype(np.int64),
        cell,
        len(groups),
        *make_plan(study, rules, higher=higher),
    )
    return np.asarray(found[:, 1])
