"""Arm x group interaction in Cox models with Efron's ties, all cuts of a replicate together.

A model of arm, group and their product sees four cells only, so a risk set is four counts. A
cell without events has hazard 0 in the limit and is taken out, which makes the likelihood ratio
exact there; Wald does not exist.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.batting_cells import Splits
from assayhouse.stats.batting_study import Study

_CONTRAST = np.array([1.0, -1.0, -1.0, 1.0])
_CELLS = np.eye(4)
_MAIN = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
_SETTLED = 1e-11
_MOVING = 1e-4
_MAX_STEPS = 50
_NO_INFORMATION = 1e8
_BLOCK = 1 << 21


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxFits:
    """Interactions of (b, C) cuts; NaN where not wanted or undefined.

    Parameters
    ----------
    lrt, wald : (b, C) arrays
        Statistics with one degree of freedom.
    beta, se : (b, C) arrays
        Log ratio of hazard ratios and its standard error.
    """

    lrt: FloatArray
    wald: FloatArray
    beta: FloatArray
    se: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSets:
    """Terms of Efron's partial likelihood for C cuts.

    Parameters
    ----------
    at_risk : (C, T, 4) array
        Subjects of each cell at risk, less the share of the tied events already counted.
    events : (C, 4) array
        Events of each cell.
    """

    at_risk: FloatArray
    events: FloatArray


def cox_fits(
    study: Study, weights: IntArray, splits: Splits, *, wanted: BoolArray, higher: bool
) -> CoxFits:
    """Return likelihood ratio and Wald statistics of the interaction at wanted cuts.

    Parameters
    ----------
    study, weights, splits
        Records, multiplicities, candidates.
    wanted : (b, C) array of bool
        Cuts without an empty arm x group cell.
    higher : bool
        Group 1 lies above the cut.

    Returns
    -------
    CoxFits
        Wald is NaN where the likelihood has no finite maximum.

    References
    ----------
    .. [1] Cox DR (1972), JRSS B 34, 187-220.
    .. [2] Efron B (1977), JASA 72, 557-565, section 3.
    """
    out = np.full((4, *wanted.shape), np.nan)
    for row in range(len(wanted)):
        column = np.flatnonzero(wanted[row])
        column = column[np.argsort(splits.low[row, column], kind="stable")]
        done = 0
        for sets in _risk_sets(study, weights[row], splits.low[row, column], higher=higher):
            block = column[done : done + len(sets.events)]
            out[:, row, block] = _interaction(sets)
            done += len(block)
    return CoxFits(lrt=out[0], wald=out[1], beta=out[2], se=out[3])


def _risk_sets(
    study: Study, weights: IntArray, low: IntArray, *, higher: bool
) -> Iterator[RiskSets]:
    """Yield blocks of cuts, in the order given, small enough for memory."""
    died = (study.event == 1) & (weights > 0)
    times, at = np.unique(study.response[died], return_inverse=True)
    if not len(times):
        return
    n_events = np.bincount(at, weights=weights[died]).astype(np.int64)
    term = np.repeat(np.arange(len(times)), n_events)
    first = np.cumsum(n_events) - n_events
    share = (np.arange(len(term)) - first[term]) / n_events[term]
    ends = np.searchsorted(study.tie, np.arange(len(study.values) + 1), side="left")
    total = _sum_all(study, weights, times)
    block = max(_BLOCK // (4 * len(term)), 1)
    base = np.zeros_like(total)
    done = 0
    for start in range(0, len(low), block):
        stops = ends[low[start : start + block]]
        sums = base + _sum_records(study, weights, times, slice(done, int(stops[-1])))
        below = sums[stops - done]
        base, done = sums[-1], int(stops[-1])
        above = total - below
        sides = (below, above) if higher else (above, below)
        yield _as_terms(sides, term, share)


def _sum_records(study: Study, weights: IntArray, times: FloatArray, part: slice) -> FloatArray:
    """Return running sums over records, (records + 1, times, 2 arms, at risk and died)."""
    response, weight = study.response[part], weights[part]
    sums = np.zeros((len(response) + 1, len(times), 2, 2))
    risk = (response[:, None] >= times) * weight[:, None]
    died = (response[:, None] == times) * (weight * (study.event[part] == 1))[:, None]
    for arm in (0, 1):
        of_arm = (study.arm[part] == arm)[:, None]
        np.cumsum(risk * of_arm, axis=0, out=sums[1:, :, arm, 0])
        np.cumsum(died * of_arm, axis=0, out=sums[1:, :, arm, 1])
    return sums


def _sum_all(study: Study, weights: IntArray, times: FloatArray) -> FloatArray:
    """Return the sums over every record, (times, 2 arms, at risk and died)."""
    total = np.zeros((len(times), 2, 2))
    order = np.argsort(study.response, kind="stable")
    response = study.response[order]
    first = np.searchsorted(response, times, side="left")
    after = np.searchsorted(response, times, side="right")
    for arm in (0, 1):
        weight = (weights * (study.arm == arm))[order]
        until = np.concatenate([[0], np.cumsum(weight)])
        total[:, arm, 0] = until[-1] - until[first]
        deaths = np.concatenate([[0], np.cumsum(weight * (study.event[order] == 1))])
        total[:, arm, 1] = deaths[after] - deaths[first]
    return total


def _as_terms(sides: tuple[FloatArray, FloatArray], term: IntArray, share: FloatArray) -> RiskSets:
    """Return Efron's terms of cells in the order arm, group."""
    cells = np.stack([sides[0], sides[1]], axis=3)  # (C, times, arm, group, what)
    flat = cells.reshape(*cells.shape[:2], 4, 2)
    events = flat[..., 1].sum(axis=1)
    at_risk = flat[..., 0][:, term] - share[:, None] * flat[..., 1][:, term]
    return RiskSets(at_risk=at_risk, events=events)


def _interaction(sets: RiskSets) -> FloatArray:
    """Return lrt, wald, beta and se, (4, C)."""
    active: BoolArray = np.greater(sets.events, 0)
    arm = active.reshape(-1, 2, 2).any(axis=2)
    group = active.reshape(-1, 2, 2).any(axis=1)
    possible = np.logical_and(np.asarray(arm)[:, :, None], np.asarray(group)[:, None, :]).reshape(
        -1, 4
    )
    full, parameters, information, step = _maximise(sets, _CELLS, active)
    small, _, _, _ = _maximise(sets, _MAIN, possible)
    beta = parameters @ _CONTRAST
    variance = np.einsum("i,ci->c", _CONTRAST, _contrast_solution(information, active))
    finite = active.all(axis=1) & (np.abs(step @ _CONTRAST) <= _MOVING * (1 + np.abs(beta)))
    finite &= (variance > 0) & (variance < _NO_INFORMATION)
    out = np.full((4, len(beta)), np.nan)
    out[0] = np.maximum(2 * (full - small), 0.0)
    out[2] = np.where(finite, beta, np.nan)
    with np.errstate(invalid="ignore"):
        out[3] = np.where(finite, np.sqrt(variance), np.nan)
    out[1] = (out[2] / out[3]) ** 2
    return out


def _maximise(
    sets: RiskSets, design: FloatArray, active: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return log likelihood, parameters, information and last step by Newton with halving."""
    at_risk = sets.at_risk * active[:, None, :]
    n_cuts, p = len(active), design.shape[1]
    parameters, move = np.zeros((n_cuts, p)), np.zeros((n_cuts, p))
    value = np.full(n_cuts, -np.inf)
    information = np.zeros((n_cuts, p, p))
    left = np.full(n_cuts, -1)
    going = np.arange(n_cuts)
    for _ in range(_MAX_STEPS):
        found, score, matrix = _evaluate(
            at_risk[going], sets.events[going], design, parameters[going]
        )
        worse = found < value[going] - 1e-12 * np.abs(value[going]) - 1e-12
        move[going[worse]] *= 0.5
        parameters[going[worse]] -= move[going[worse]]
        good = going[~worse]
        gain = np.abs(found[~worse] - value[good])
        settled = gain <= _SETTLED * (np.abs(found[~worse]) + 0.1)
        value[good] = found[~worse]
        left[good] = np.where(left[good] >= 0, left[good] - 1, np.where(settled, 2, -1))
        information[good] = matrix[~worse]
        move[good] = _solve(matrix[~worse], score[~worse], fixed=design is _CELLS)
        stepping = good[left[good] != 0]
        parameters[stepping] += move[stepping]
        going = going[left[going] != 0]
        if not len(going):
            break
    return value, parameters, information, move


def _evaluate(
    at_risk: FloatArray, events: FloatArray, design: FloatArray, parameters: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the log partial likelihood, its score and information."""
    eta = np.einsum("cp,kp->ck", parameters, design)
    share = at_risk * np.exp(eta)[:, None, :]
    total = share.sum(axis=2)
    share /= total[:, :, None]
    value = (events * eta).sum(axis=1) - np.log(total).sum(axis=1)
    mean = share.sum(axis=1)
    spread = -np.einsum("ctk,ctl->ckl", share, share)
    index = np.arange(4)
    spread[:, index, index] += mean
    score = np.einsum("ck,kp->cp", events - mean, design)
    return value, score, np.einsum("kp,ckl,lq->cpq", design, spread, design)


def _solve(information: FloatArray, score: FloatArray, *, fixed: bool) -> FloatArray:
    """Return Newton's step; parameters without information stay where they are."""
    empty = np.diagonal(information, axis1=1, axis2=2) <= 1e-13
    matrix = _regular(information, ~empty, sum_fixed=fixed)
    step = np.linalg.solve(matrix, np.where(empty, 0.0, score)[:, :, None])[:, :, 0]
    return np.where(np.isfinite(step), np.clip(step, -5.0, 5.0), 0.0)


def _contrast_solution(information: FloatArray, active: BoolArray) -> FloatArray:
    """Return the solution of information v = contrast over active cells."""
    matrix = _regular(information, active, sum_fixed=True)
    right = np.broadcast_to(_CONTRAST, active.shape)[:, :, None]
    return np.asarray(np.linalg.solve(matrix, right)[:, :, 0])


def _regular(information: FloatArray, active: BoolArray, *, sum_fixed: bool) -> FloatArray:
    """Return matrices that can be inverted.

    Adding a constant to all four cells changes no likelihood, so their sum is fixed; a cell
    that is out stands alone; a direction without any information gets next to none.
    """
    index = np.arange(information.shape[1])
    matrix = information.copy()
    if sum_fixed:
        matrix += active[:, :, None] & active[:, None, :]
    largest = matrix[:, index, index].max(axis=1, keepdims=True)
    matrix[:, index, index] += np.where(active, 1e-14 * largest, 1.0)
    return matrix
