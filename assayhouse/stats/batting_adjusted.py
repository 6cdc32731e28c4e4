"""Arm x group interaction in a logistic model with covariates, many cuts at a time.

Subjects collapse to cells of arm, covariate pattern and group; Newton's steps run over all cuts
together. Sums over cells are taken one by one, so a fit has the same bits in any batch.
"""

from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.batting_cells import Splits
from assayhouse.stats.batting_logistic import fit_logistic
from assayhouse.stats.batting_study import Study

MOVING = 1e-4
"""Last step of the interaction, relative, above which it has no finite maximum."""

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
