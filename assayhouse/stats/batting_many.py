"""Thresholds of many markers on shared replicates, and one p value for the choice among them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Unpack, cast

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.batting_checks import require_count
from assayhouse.stats.batting_null import (
    NullData,
    chunks,
    exceedance,
    null_maxima,
    permutation_groups,
    permute,
)
from assayhouse.stats.batting_open import open_draws, open_options
from assayhouse.stats.batting_optima import Optima
from assayhouse.stats.batting_result import (
    BattingResult,
    measure_cut,
    measure_cuts,
    stored_rules,
    summarise,
)
from assayhouse.stats.batting_rules import PassedOptions, Rules, SearchOptions, read_rules
from assayhouse.stats.batting_search import (
    Draws,
    direction_of,
    median_cut,
    run_search,
    search_original,
)
from assayhouse.stats.batting_study import Study, read_study
from assayhouse.stats.columns import as_matrix
from assayhouse.stats.errors import InputError
from assayhouse.stats.frozen import Frozen, freeze
from assayhouse.stats.resampling import resolve_seed


@dataclass(frozen=True, slots=True, kw_only=True)
class BattingManyResult(Frozen):
    """Thresholds of many markers.

    Parameters
    ----------
    results : dict of BattingResult
        By marker.
    names : tuple of str
        Markers in the order given.
    max_statistic : (m,) array
        Largest admissible statistic of the original data.
    p_max_t : (m,) array
        Single-step p adjusted for all cuts and all markers; NaN without null data.
    seed : int
        Of replicates and null data.
    rules : dict
        Every option.
    """

    results: dict[str, BattingResult]
    names: tuple[str, ...]
    max_statistic: FloatArray
    p_max_t: FloatArray
    seed: int
    rules: dict[str, Any]


def batting_many(
    markers: Mapping[str, ArrayLike] | ArrayLike,
    arm: ArrayLike,
    response: ArrayLike,
    *,
    shared: bool = True,
    n_null: int = 0,
    **same_as_batting: Unpack[SearchOptions],
) -> BattingManyResult:
    """Return the thresholds of many markers, with one p value for the choice among them all.

    Parameters
    ----------
    markers : dict of (n,) array_like, or (n, m) array_like
        Columns of an array are called x0, x1, ...
    arm, response : (n,) array_like
        As `batting`.
    shared : bool
        All markers see the same replicates; else each has its own stream.
    n_null : int
        Permutations of rows within arm (and stratum), one for all markers, so that their
        correlation is kept.
    **same_as_batting
        Every other keyword of `batting`.

    Returns
    -------
    BattingManyResult
        The order of the markers changes no number.

    Raises
    ------
    InputError
        A rule of the door is broken.

    References
    ----------
    .. [1] Westfall PH, Young SS (1993), Resampling-Based Multiple Testing, section 2.3.
    .. [2] Huang X et al. (2017), Statistics in Medicine 36, 1414-1428.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> arm, response = np.arange(60) % 2, rng.integers(0, 2, 60)
    >>> found = batting_many(rng.normal(size=(60, 2)), arm, response, n_boot=20, rng=1)
    >>> found.names, found.results["x1"].n_boot
    (('x0', 'x1'), 20)
    """
    seed = resolve_seed(same_as_batting.pop("rng", None))
    n_boot = read_rules(**same_as_batting).n_boot
    same_as_batting.pop("n_boot", None)
    options = cast("PassedOptions", same_as_batting)
    rules, columns = open_options(arm, response, n_boot=n_boot, options=options)
    number = require_count(n_null, name="n_null", least=0)
    named = _name_markers(markers, n=len(columns.arm))
    studies = {name: read_study(values, columns) for name, values in named.items()}
    largest = np.full(len(studies), np.nan)
    rows: IntArray | None = None
    searched: list[tuple[Optima, Draws, str]] = []
    for place, (name, study) in enumerate(studies.items()):
        label = "*" if shared else name
        draws = open_draws(columns, rules, seed=seed, label=label, options=options)
        if shared and draws.rows is None:
            rows = _rows_with_original(draws) if rows is None else rows
            draws = replace(draws, cached=rows)
        direction = direction_of(study, rules)
        optima, largest[place] = _search_with_original(study, rules, draws, direction=direction)
        searched.append((optima, draws, direction))
    results = _summarise(studies, rules, searched)
    adjusted = np.full(len(studies), np.nan)
    if number:
        top = _null_tops(list(studies.values()), rules, seed=seed, n_null=number)
        adjusted = np.array([exceedance(value, top) for value in largest])
    return BattingManyResult(
        results=results,
        names=tuple(studies),
        max_statistic=freeze(largest),
        p_max_t=freeze(adjusted),
        seed=seed,
        rules={**stored_rules(rules, draws), "shared": shared, "n_null": number},
    )


def _rows_with_original(draws: Draws) -> IntArray:
    """Return the rows of all replicates, and as a last one every row once: the data themselves."""
    return np.vstack([draws.take(0, draws.n_boot), np.arange(draws.n_rows)])


def _search_with_original(
    study: Study, rules: Rules, draws: Draws, *, direction: str
) -> tuple[Optima, float]:
    """Return the optima of the replicates and the largest statistic of the data as they are."""
    if draws.cached is None:
        optima = run_search(study, rules, draws, direction=direction)
        original = search_original(study, rules, direction=direction)
        return optima, float(original.statistics[0])
    optima = run_search(study, rules, replace(draws, n_boot=len(draws.cached)), direction=direction)
    return optima.first(draws.n_boot), float(optima.statistics[-1])


def _summarise(
    studies: Mapping[str, Study], rules: Rules, searched: list[tuple[Optima, Draws, str]]
) -> dict[str, BattingResult]:
    """Return the result of every marker; the tests at the thresholds are made together."""
    cuts = [median_cut(optima.cuts) for optima, _, _ in searched]
    directions = [direction for _, _, direction in searched]
    every = list(studies.values())
    if all(study.dense for study in every):
        measured = measure_cuts(every, cuts, directions=directions, test=rules.test)
    else:
        measured = [
            measure_cut(study, cut, direction=direction, test=rules.test)
            for study, cut, direction in zip(every, cuts, directions, strict=True)
        ]
    return {
        name: summarise(optima, at, rules, draws, direction=direction, marker=name)
        for name, at, (optima, draws, direction) in zip(studies, measured, searched, strict=True)
    }


def _name_markers(markers: Mapping[str, ArrayLike] | ArrayLike, *, n: int) -> dict[str, ArrayLike]:
    """Return markers by name."""
    named: dict[str, ArrayLike]
    if isinstance(markers, Mapping):
        named = {str(name): values for name, values in markers.items()}
    else:
        matrix = as_matrix(markers, name="markers", n=n)
        named = {f"x{place}": matrix[:, place] for place in range(matrix.shape[1])}
    if not named:
        message = "markers holds no marker."
        raise InputError(message)
    return named


def _null_tops(studies: list[Study], rules: Rules, *, seed: int, n_null: int) -> FloatArray:
    """Return the largest statistic over all markers of each permutation of rows."""
    columns = studies[0].columns
    groups = permutation_groups(columns, columns.present)
    top = np.full(n_null, -np.inf)
    for start, stop in chunks(n_null, len(groups)):
        rows = permute(groups, seed=seed, label="*", start=start, stop=stop)
        for study in studies:
            found = _permuted_maxima(study, rules, rows)
            top[start:stop] = np.fmax(top[start:stop], found)
    return top


def _permuted_maxima(study: Study, rules: Rules, rows: IntArray) -> FloatArray:
    """Return the largest statistics where every row takes the marker of another.

    A missing marker travels with its row, so the rows used differ between permutations.
    """
    response = np.broadcast_to(study.columns.response, rows.shape)
    data = NullData(marker=study.marker[rows], response=response)
    return null_maxima(study, rules, data)
