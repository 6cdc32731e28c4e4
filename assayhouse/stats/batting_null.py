"""Null data of a whole search: markers permuted within arms, or responses drawn from a model."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.batting_direction import find_directions
from assayhouse.stats.batting_engine import search_permuted, search_weights
from assayhouse.stats.batting_plan import choose_engine
from assayhouse.stats.batting_prognostic import PrognosticModel
from assayhouse.stats.batting_result import measure_cut
from assayhouse.stats.batting_rules import Rules
from assayhouse.stats.batting_search import (
    Draws,
    direction_of,
    median_cut,
    run_search,
)
from assayhouse.stats.batting_study import Columns, Study, build_study
from assayhouse.stats.resampling import (
    PARAMETRIC,
    PERMUTATION,
    permuted_rows,
    replicate_words,
    uniforms,
)

_ROWS = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class NullData:
    """Null replicates of one marker's data: who has which marker, and which response.

    Parameters
    ----------
    marker : (b, n) array
        Marker of every row.
    response : (b, n) array
        Response of every row.
    """

    marker: FloatArray
    response: FloatArray


def permutation_groups(columns: Columns, kept: BoolArray) -> IntArray:
    """Return the groups within which rows trade markers; -1 for rows that are not used.

    Parameters
    ----------
    columns : Columns
        Input rows.
    kept : (n,) array of bool
        Rows used.

    Returns
    -------
    (n,) array of int
        Arm, or arm and stratum where strata are given.
    """
    arm = np.where(kept, columns.arm, 0).astype(np.int64)
    return np.where(kept, 2 * columns.stratum + arm, -1)


def permute(groups: IntArray, *, seed: int, label: str, start: int, stop: int) -> IntArray:
    """Return, for null replicates start to stop, the row whose marker every row takes.

    Parameters
    ----------
    groups : (n,) array of int
        As `permutation_groups`.
    seed, label : int, str
        Stream.
    start, stop : int
        Replicates.

    Returns
    -------
    (stop - start, n) array of int
        Rows.
    """
    words = replicate_words(
        seed,
        label,
        start=start,
        n_replicates=stop - start,
        count=len(groups),
        purpose=PERMUTATION,
    )
    return permuted_rows(words, groups)


def chunks(n_null: int, n_rows: int, *, most: int = _ROWS) -> Iterator[tuple[int, int]]:
    """Yield first and last replicate of pieces that fit the cache.

    Parameters
    ----------
    n_null, n_rows : int
        Replicates and rows.
    most : int
        Replicates of a piece, at most.

    Yields
    ------
    (int, int)
        Bounds.
    """
    step = max(min(_ROWS // max(n_rows, 1), most), 1)
    for start in range(0, n_null, step):
        yield start, min(start + step, n_null)


def permuted_data(study: Study, *, seed: int, label: str, start: int, stop: int) -> NullData:
    """Return data in which the marker is permuted within arm (and stratum).

    Parameters
    ----------
    study : Study
        Original data.
    seed, label, start, stop
        As `permute`.

    Returns
    -------
    NullData
        Rows that are not used keep what they had.

    References
    ----------
    .. [1] Westfall PH, Young SS (1993), Resampling-Based Multiple Testing, section 2.3.
    """
    groups = permutation_groups(study.columns, study.kept)
    rows = permute(groups, seed=seed, label=label, start=start, stop=stop)
    response = np.broadcast_to(study.columns.response, rows.shape)
    return NullData(marker=study.marker[rows], response=response)


def parametric_data(
    study: Study, model: PrognosticModel, *, seed: int, label: str, start: int, stop: int
) -> NullData:
    """Return data whose responses come from the model without interaction.

    Parameters
    ----------
    study, model : Study, PrognosticModel
        Original data and what `fit_prognostic` made of them.
    seed, label, start, stop
        As `permute`.

    Returns
    -------
    NullData
        The markers stay.

    References
    ----------
    .. [1] Efron B, Tibshirani RJ (1993), An Introduction to the Bootstrap, section 6.5.
    """
    words = replicate_words(
        seed,
        label,
        start=start,
        n_replicates=stop - start,
        count=len(model.mean),
        purpose=PARAMETRIC,
    )
    if study.columns.endpoint == "binary":
        response = (uniforms(words) < model.mean).astype(np.float64)
    else:
        response = model.mean + model.spread * ndtri(uniforms(words))
    return NullData(marker=np.broadcast_to(study.marker, words.shape), response=response)


def needs_direction(rules: Rules) -> bool:
    """Tell whether the largest statistic depends on which side is called group 1.

    With every value a candidate and no minimum share, both sides have the same splits.

    Parameters
    ----------
    rules : Rules
        Options.

    Returns
    -------
    bool
        False saves a fit per null data set.
    """
    free = rules.candidates == "all" and rules.min_share == 0
    return rules.direction == "auto" and not free


def null_maxima(study: Study, rules: Rules, data: NullData) -> FloatArray:
    """Return the largest admissible statistic of each null data set.

    Parameters
    ----------
    study : Study
        Original data.
    rules : Rules
        Options.
    data : NullData
        Null replicates.

    Returns
    -------
    (b,) array
        NaN where no candidate can be used.
    """
    if not study.dense:
        return np.array([_one_maximum(study, rules, data, row) for row in range(len(data.marker))])
    weights = null_weights(study, data)
    if not needs_direction(rules):
        return search_weights(study, weights, rules, higher=rules.direction != "lower").statistics
    higher = _null_directions(study, rules, data)
    out = np.full(len(weights), np.nan)
    for side in (True, False):
        at = higher == side
        if at.any():
            out[at] = search_weights(study, weights[at], rules, higher=side).statistics
    return out


def permuted_maxima(
    study: Study, rules: Rules, *, seed: int, label: str, n_null: int
) -> FloatArray:
    """Return `null_maxima` of permuted data, by compiled code.

    Parameters
    ----------
    study, rules : Study, Rules
        Original data and options, for which `fuses` holds.
    seed, label : int, str
        Stream.
    n_null : int
        Null data sets.

    Returns
    -------
    (n_null,) array
        NaN where no candidate can be used.
    """
    return search_permuted(
        study,
        rules,
        bounds=(0, n_null, 0, PERMUTATION),
        stream=(seed, label),
        groups=permutation_groups(study.columns, study.kept),
        higher=rules.direction != "lower",
    )


def fuses(study: Study, rules: Rules) -> bool:
    """Tell whether compiled code can permute and search in one go.

    Parameters
    ----------
    study, rules : Study, Rules
        Original data and options.

    Returns
    -------
    bool
        False where null data sets need a direction of their own.
    """
    compiled = choose_engine(rules) == "numba" and len(study.values) > 0
    return compiled and not needs_direction(rules)


def _null_directions(study: Study, rules: Rules, data: NullData) -> BoolArray:
    """Return whether group 1 lies above, in each null data set."""
    used = study.columns.present
    marker, response = data.marker[:, used], data.response[:, used]
    known = ~np.isnan(marker[0])
    if (np.isnan(marker) != ~known).any():
        # A missing marker travels between rows: every data set has rows of its own.
        words = [direction_of(_rebuild(study, data, row), rules) for row in range(len(data.marker))]
        return np.array([word == "higher" for word in words])
    return find_directions(
        marker[:, known],
        study.columns.arm[used][known],
        response[:, known],
        larger_is_better=rules.larger_is_better,
    )


def null_weights(study: Study, data: NullData) -> IntArray:
    """Return the multiplicities of dense records in null data sets.

    Parameters
    ----------
    study : Study
        Original data, with dense records.
    data : NullData
        Null replicates; a missing marker counts nowhere.

    Returns
    -------
    (b, R) array of int
        Multiplicities.
    """
    used = study.columns.present
    marker = data.marker[:, used]
    cells = 4 * np.searchsorted(study.values, marker)
    cells += 2 * study.columns.arm[used].astype(np.int64)
    cells += data.response[:, used].astype(np.int64)
    size = study.n_records + 1
    cells[np.isnan(marker)] = study.n_records
    cells += (np.arange(len(cells)) * size)[:, None]
    counts = np.bincount(cells.ravel(), minlength=len(cells) * size)
    return counts.reshape(len(cells), size)[:, :-1]


def _rebuild(study: Study, data: NullData, row: int) -> Study:
    """Return the records of one null data set."""
    columns = replace(study.columns, response=data.response[row])
    return build_study(data.marker[row], columns)


def _one_maximum(study: Study, rules: Rules, data: NullData, row: int) -> float:
    """Return the largest statistic of one null data set."""
    null = _rebuild(study, data, row)
    direction = direction_of(null, rules) if needs_direction(rules) else rules.direction
    found = search_weights(null, null.original(), rules, higher=direction != "lower")
    return float(found.statistics[0])


def null_procedures(
    study: Study, rules: Rules, data: NullData, draws: Draws, *, start: int
) -> FloatArray:
    """Return the statistic at the aggregated threshold of each null data set.

    Parameters
    ----------
    study, rules, data
        As `null_maxima`.
    draws : Draws
        Replicates of the inner search.
    start : int
        Number of the first null data set, which numbers its inner stream.

    Returns
    -------
    (b,) array
        NaN where there is no threshold.
    """
    out = np.empty(len(data.marker))
    for row in range(len(out)):
        null = _rebuild(study, data, row)
        out[row] = procedure_statistic(null, rules, replace(draws, sub=start + row))
    return out


def procedure_statistic(study: Study, rules: Rules, draws: Draws) -> float:
    """Return the statistic of a data set at the threshold that the whole search gives it.

    Parameters
    ----------
    study, rules, draws : Study, Rules, Draws
        Data, options and replicates.

    Returns
    -------
    float
        NaN where there is no threshold.
    """
    direction = direction_of(study, rules)
    optima = run_search(study, rules, draws, direction=direction)
    cut = median_cut(optima.cuts)
    return measure_cut(study, cut, direction=direction, test=rules.test).statistic


def exceedance(observed: float, null: FloatArray) -> float:
    """Return the Monte Carlo p value of an observed statistic.

    Parameters
    ----------
    observed : float
        NaN gives NaN.
    null : (r,) array
        NaN counts as smaller.

    Returns
    -------
    float
        (1 + number at least as large) / (r + 1).

    References
    ----------
    .. [1] Davison AC, Hinkley DV (1997), Bootstrap Methods and their Application, eq. 4.11.
    """
    if np.isnan(observed):
        return float("nan")
    with np.errstate(invalid="ignore"):
        larger = int((null >= observed * (1 - 1e-10)).sum())
    return (1 + larger) / (len(null) + 1)
