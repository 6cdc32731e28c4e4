"""Arm x group interaction in a logistic model with covariates, many cuts at a time.

Subjects collapse to cells of arm, covariate pattern and group; Newton's steps run over all cuts
together. Sums over cells are taken one by one, so a fit has the same bits in any batch.
"""

from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.batting_cells import Splits
from assayhouse.stats.batting_study import Study

SETTLED = 1e-11
"""Change of the deviance, relative, after which two more steps are made."""

MOVING = 1e-4
"""Last step of the interaction, relative, above which it has no finite maximum."""

ALIASED = 1e-13
"""Share of a column's information below which it is a combination of earlier columns."""

MAX_STEPS = 60
_BATCH = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedFits:
    """Interactions of (b, C) cuts; NaN where not wanted or undefined.

    Parameters
    ----------
    lrt, wald : (b, C) arrays
        Statistics with one degree of freedom.
    beta, se : (b, C) arrays
        Log odds ratio of the interaction and its standard error.
    """

    lrt: FloatArray
    wald: FloatArray
    beta: FloatArray
    se: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Newton:
    """A batch of fits of one model.

    Parameters
    ----------
    beta : (p, m) array
        Coefficients.
    deviance : (m,) array
        At the end.
    pivot, step : (m,) arrays
        Information of the last column given the others, and its last step.
    aliased : (m,) array of bool
        The last column is a combination of the others.
    """

    beta: FloatArray
    deviance: FloatArray
    pivot: FloatArray
    step: FloatArray
    aliased: BoolArray


def adjusted_units(study: Study) -> tuple[IntArray, FloatArray]:
    """Return the arm x pattern unit of each record and the units' columns 1, arm, covariates.

    Parameters
    ----------
    study : Study
        Records with covariate patterns.

    Returns
    -------
    (unit, columns)
        (R,) int and (A, 2 + k); covariates are centred and scaled, which moves no interaction.
    """
    pairs = study.arm * len(study.covariates) + study.pattern
    found, unit = np.unique(pairs, return_inverse=True)
    arm, pattern = found // len(study.covariates), found % len(study.covariates)
    covariates = study.covariates[pattern]
    centre = study.covariates.mean(axis=0)
    spread = np.sqrt(((study.covariates - centre) ** 2).mean(axis=0))
    scaled = (covariates - centre) / np.where(spread > 0, spread, 1.0)
    return unit, np.column_stack([np.ones(len(found)), arm, scaled])


def adjusted_fits(
    study: Study,
    weights: IntArray,
    splits: Splits,
    *,
    wanted: BoolArray,
    higher: bool,
    tests: tuple[str, ...] = ("lrt", "wald"),
) -> AdjustedFits:
    """Return likelihood ratio and Wald statistics of the interaction at wanted cuts.

    Parameters
    ----------
    study, weights, splits
        Records, multiplicities, candidates.
    wanted : (b, C) array of bool
        Cuts without an empty arm x group cell.
    higher : bool
        Group 1 lies above the cut.
    tests : tuple of str
        The model without interaction is fitted for "lrt" only.

    Returns
    -------
    AdjustedFits
        Wald is NaN where the likelihood has no finite maximum.

    References
    ----------
    .. [1] McCullagh P, Nelder JA (1989), Generalized Linear Models, section 2.5.
    """
    unit, columns = adjusted_units(study)
    row, column = np.nonzero(wanted)
    fields = np.full((4, len(row)), np.nan)
    batch = max(_BATCH // (2 * len(columns)), 2)
    design = interaction_design(columns)
    for start in range(0, len(row), batch):
        part = slice(start, start + batch)
        n, y = _count_units(
            study, weights, unit, row[part], splits.low[row[part], column[part]], higher=higher
        )
        fields[:, part] = fit_interaction(design, n, y, tests=tests)
    out = np.full((4, *wanted.shape), np.nan)
    out[:, row, column] = fields
    return AdjustedFits(lrt=out[0], wald=out[1], beta=out[2], se=out[3])


def interaction_design(columns: FloatArray) -> FloatArray:
    """Return the columns 1, arm, covariates, group, arm x group of units outside and inside.

    Parameters
    ----------
    columns : (A, 2 + k) array
        Columns of the units.

    Returns
    -------
    (2 A, 4 + k) array
        Units in group 0, then in group 1.
    """
    n_units = len(columns)
    group = np.repeat([0.0, 1.0], n_units)
    twice = np.vstack([columns, columns])
    return np.column_stack([twice, group, group * twice[:, 1]])


def _count_units(
    study: Study,
    weights: IntArray,
    unit: IntArray,
    row: IntArray,
    low: IntArray,
    *,
    higher: bool,
) -> tuple[FloatArray, FloatArray]:
    """Return subjects and responders of every unit on both sides of each cut, (2 A, m)."""
    n_units = int(unit.max()) + 1
    ends = np.searchsorted(study.tie, np.arange(len(study.values) + 1), side="left")
    rows, place = np.unique(row, return_inverse=True)
    part = weights[rows]
    out = np.zeros((2, 2 * n_units, len(row)))
    prefix = np.zeros((len(rows), part.shape[1] + 1), dtype=np.int64)
    outcomes = (np.ones(study.n_records, dtype=np.int64), study.response.astype(np.int64))
    for what, outcome in enumerate(outcomes):
        for one in range(n_units):
            np.cumsum(part * (outcome * (unit == one)), axis=1, out=prefix[:, 1:])
            below = prefix[place, ends[low]]
            above = prefix[place, -1] - below
            out[what, one] = below if higher else above
            out[what, n_units + one] = above if higher else below
    return out[0], out[1]


def fit_interaction(
    design: FloatArray, n: FloatArray, y: FloatArray, *, tests: tuple[str, ...]
) -> FloatArray:
    """Return lrt, wald, beta and se of the last column of a logistic model.

    Parameters
    ----------
    design : (u, p) array
        Columns of the units; the last is the interaction.
    n, y : (u, m) arrays
        Subjects and responders of each fit.
    tests : tuple of str
        Whether the model without the last column is needed.

    Returns
    -------
    (4, m) array
        NaN where undefined.

    References
    ----------
    .. [1] McCullagh P, Nelder JA (1989), Generalized Linear Models, section 2.5.
    """
    lrt = np.full(n.shape[1], np.nan)
    start = np.zeros((design.shape[1], n.shape[1]))
    small = fit_logistic(design[:, :-1], n, y, start[:-1])
    start[:-1] = small.beta
    full = fit_logistic(design, n, y, start)
    if "lrt" in tests:
        lrt = np.maximum(small.deviance - full.deviance, 0.0)
    beta = full.beta[-1]
    infinite = np.abs(full.step) > MOVING * (1 + np.abs(beta))
    with np.errstate(invalid="ignore", divide="ignore"):
        wald = beta * beta * full.pivot
        se = 1 / np.sqrt(full.pivot)
    out = np.stack([lrt, wald, beta, se])
    out[1:, infinite] = np.nan
    out[:, full.aliased] = np.nan
    return out


def fit_logistic(design: FloatArray, n: FloatArray, y: FloatArray, start: FloatArray) -> Newton:
    """Return maximum likelihood fits by Newton's steps, halved where the deviance rises.

    Parameters
    ----------
    design : (u, p) array
        Columns of the units.
    n, y : (u, m) arrays
        Subjects and responders.
    start : (p, m) array
        Coefficients to start from.

    Returns
    -------
    Newton
        Fits; a deviance that falls without end is followed until it moves no more.

    References
    ----------
    .. [1] McCullagh P, Nelder JA (1989), Generalized Linear Models, section 2.5.
    """
    m = n.shape[1]
    beta, last = start.copy(), np.full(m, np.inf)
    move = np.zeros_like(beta)
    pivot, step = np.zeros(m), np.zeros(m)
    aliased = np.zeros(m, dtype=bool)
    left = np.full(m, -1)
    active = np.arange(m)
    for turn in range(MAX_STEPS):
        at_n, at_y = n[:, active], y[:, active]
        deviance, weight, residual = _evaluate(design, at_n, at_y, beta[:, active])
        worse = deviance > last[active] * (1 + 1e-12) + 1e-12
        # A step too long is taken back by half before anything else is decided.
        move[:, active[worse]] *= 0.5
        beta[:, active[worse]] -= move[:, active[worse]]
        good = active[~worse]
        deviance, weight, residual = deviance[~worse], weight[:, ~worse], residual[:, ~worse]
        settled = np.abs(last[good] - deviance) <= SETTLED * (np.abs(deviance) + 0.1)
        last[good] = deviance
        left[good] = np.where(left[good] >= 0, left[good] - 1, np.where(settled, 2, -1))
        new, last_pivot, alias = _newton_step(design, weight, residual)
        if turn == 0:
            aliased[good] = alias
        going = left[good] != 0
        pivot[good], step[good] = last_pivot, new[-1]
        move[:, good] = new
        beta[:, good[going]] += new[:, going]
        active = active[left[active] != 0]
        if not len(active):
            break
    return Newton(beta=beta, deviance=last, pivot=pivot, step=step, aliased=aliased)


def _evaluate(
    design: FloatArray, n: FloatArray, y: FloatArray, beta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the deviance less that of the saturated units, the weights and the residuals."""
    deviance = np.zeros(n.shape[1])
    weight, residual = np.empty_like(n), np.empty_like(n)
    for one, row in enumerate(design):
        eta = np.zeros(n.shape[1])
        for part, value in enumerate(row):
            if value != 0:
                eta += value * beta[part]
        small = np.exp(-np.abs(eta))
        high, tiny = 1 / (1 + small), small / (1 + small)
        positive = eta >= 0
        mu = np.where(positive, high, tiny)
        weight[one] = n[one] * (high * tiny)
        residual[one] = y[one] - n[one] * mu
        # -2 [y log mu + (n - y) log(1 - mu)]
        less = np.where(positive, n[one] - y[one], y[one])
        deviance += 2 * (n[one] * np.log1p(small) + less * np.abs(eta))
    return deviance, weight, residual


def _newton_step(
    design: FloatArray, weight: FloatArray, residual: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return the step, the last pivot and where the last column is aliased."""
    p, m = design.shape[1], weight.shape[1]
    score = np.zeros((p, m))
    information = np.zeros((p, p, m))
    for one, row in enumerate(design):
        for i in np.flatnonzero(row):
            score[i] += row[i] * residual[one]
            scaled = row[i] * weight[one]
            for j in np.flatnonzero(row[: i + 1]):
                information[i, j] += row[j] * scaled
    return solve_pivots(information, score)


def solve_pivots(
    information: FloatArray, score: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Solve symmetric systems by L D L', leaving out columns that depend on earlier ones.

    Parameters
    ----------
    information : (p, p, m) array
        Lower triangles.
    score : (p, m) array
        Right-hand sides.

    Returns
    -------
    (step, pivot, aliased)
        (p, m), and for the last column (m,) its D and whether it was left out.

    References
    ----------
    .. [1] Golub GH, Van Loan CF (2013), Matrix Computations, section 4.1.
    """
    p, m = score.shape
    lower = np.zeros_like(information)
    pivot, keep = np.zeros((p, m)), np.zeros((p, m), dtype=bool)
    inverse, forward = np.zeros((p, m)), np.zeros((p, m))
    for i in range(p):
        pivot[i] = information[i, i]
        forward[i] = score[i]
        for j in range(i):
            value = information[i, j].copy()
            for k in range(j):
                value -= lower[i, k] * pivot[k] * lower[j, k]
            lower[i, j] = value * inverse[j]
            pivot[i] -= lower[i, j] * lower[i, j] * pivot[j]
            forward[i] -= lower[i, j] * forward[j]
        keep[i] = pivot[i] > ALIASED * information[i, i]
        pivot[i] = np.where(keep[i], pivot[i], 0.0)
        inverse[i] = np.divide(1.0, pivot[i], out=np.zeros(m), where=keep[i])
    step = np.zeros((p, m))
    for i in range(p - 1, -1, -1):
        step[i] = forward[i] * inverse[i]
        for k in range(i + 1, p):
            step[i] -= np.where(keep[i], lower[k, i] * step[k], 0.0)
    return step, pivot[-1], ~keep[-1]
