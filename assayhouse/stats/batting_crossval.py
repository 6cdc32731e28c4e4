"""Groups that never saw their threshold: repeated cross-validation of the whole search."""

from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.batting_checks import require_count
from assayhouse.stats.batting_open import Search
from assayhouse.stats.batting_refit import (
    Fitted,
    differences,
    fit_rows,
    lacks_an_arm,
    open_repeatable,
)
from assayhouse.stats.batting_result import AtCut, measure_cut
from assayhouse.stats.batting_rules import PassedOptions
from assayhouse.stats.batting_study import Columns, build_study
from assayhouse.stats.frozen import Frozen, freeze
from assayhouse.stats.resampling import FOLDS, Rng, stream_words


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation(Frozen):
    """Held-out groups of repeated cross-validation.

    Parameters
    ----------
    p : (repeats,) array
        Interaction test on the pooled held-out groups.
    rd_high, rd_low, rd_difference : (repeats,) arrays
        Differences between the arms in the held-out groups.
    fold_of : (repeats, n) array of int
        Fold of each row; -1 where it is not used.
    failed_folds : float
        Share of folds whose training data have no threshold; their subjects are in no group.
    seed : int
        Of everything random.
    """

    p: FloatArray
    rd_high: FloatArray
    rd_low: FloatArray
    rd_difference: FloatArray
    fold_of: IntArray
    failed_folds: float
    seed: int


def cross_validate(
    x: ArrayLike,
    arm: ArrayLike,
    response: ArrayLike,
    *,
    folds: int = 5,
    repeats: int = 20,
    n_boot: int = 200,
    rng: Rng = None,
    **same_as_batting: Unpack[PassedOptions],
) -> CrossValidation:
    """Return the interaction and the differences in groups that never saw their threshold.

    Parameters
    ----------
    x, arm, response : (n,) array_like
        As `batting`; binary or continuous.
    folds : int
        Parts; balanced on arm and, for a binary response, on the response.
    repeats : int
        How often the parts are dealt anew; the distribution of p over them is the result.
    n_boot : int
        Replicates per search.
    rng : int, Generator or None
        Seed.
    **same_as_batting
        Every other keyword of `batting`; ``resamples`` is refused.

    Returns
    -------
    CrossValidation
        Nothing is conditioned on success: folds without a threshold are counted.

    Raises
    ------
    InputError
        A rule of the door is broken.

    References
    ----------
    .. [1] Stone M (1974), JRSS B 36, 111-147.
    .. [2] Huang X et al. (2017), Statistics in Medicine 36, 1414-1428.

    Examples
    --------
    >>> marker, arm = np.arange(40.0), np.arange(40) % 2
    >>> better = ((marker >= 20) & (arm == 1)) | (np.arange(40) % 5 == 0)
    >>> found = cross_validate(marker, arm, better, folds=2, repeats=3, n_boot=10, rng=1)
    >>> found.fold_of.shape
    (3, 40)
    """
    parts = require_count(folds, name="folds", least=2)
    number = require_count(repeats, name="repeats", least=1)
    search = open_repeatable(x, arm, response, n_boot=n_boot, rng=rng, options=same_as_batting)
    dealt = np.stack([deal_folds(search, parts, repeat) for repeat in range(number)])
    p, measures, failed = np.full(number, np.nan), np.full((number, 3), np.nan), 0
    for repeat, fold_of in enumerate(dealt):
        group = np.full(len(fold_of), np.nan)
        for fold in range(parts):
            held = fold_of == fold
            rows = np.flatnonzero((fold_of >= 0) & ~held)
            fitted = Fitted(threshold=float("nan"), direction="higher")
            if not lacks_an_arm(search, rows):
                fitted = fit_rows(search, rows, sub=repeat * parts + fold)
            failed += bool(np.isnan(fitted.threshold))
            group[held] = _group(search.study.marker[held], fitted)
        at = _test_groups(search, group)
        p[repeat], measures[repeat] = at.p, differences(at)
    return CrossValidation(
        p=freeze(p),
        rd_high=freeze(measures[:, 0]),
        rd_low=freeze(measures[:, 1]),
        rd_difference=freeze(measures[:, 2]),
        fold_of=freeze(dealt),
        failed_folds=failed / (number * parts),
        seed=search.seed,
    )


def _group(marker: FloatArray, fitted: Fitted) -> FloatArray:
    """Return the group of held-out subjects; NaN where there is no threshold."""
    if np.isnan(fitted.threshold):
        return np.full(len(marker), np.nan)
    higher = fitted.direction == "higher"
    above = marker > fitted.threshold if higher else marker < fitted.threshold
    return above.astype(np.float64)


def _test_groups(search: Search, group: FloatArray) -> AtCut:
    """Return cells and test of groups, as if they were a marker cut at one half."""
    study = build_study(group, search.study.columns)
    return measure_cut(study, 0.5, direction="higher", test=search.rules.test)


def deal_folds(search: Search, folds: int, repeat: int) -> IntArray:
    """Return the fold of each row.

    Parameters
    ----------
    search : Search
        Data and seed.
    folds : int
        Parts.
    repeat : int
        Number of the repeat.

    Returns
    -------
    (n,) array of int
        Groups are permuted and dealt in turn, going on where the one before stopped; -1 where
        a row is not used.

    References
    ----------
    .. [1] Breiman L et al. (1984), Classification and Regression Trees, section 3.4.
    """
    study = search.study
    n = len(study.marker)
    words = stream_words(search.seed, search.label, replicate=repeat, count=n, purpose=FOLDS)
    groups = _fold_groups(study.columns)
    fold_of = np.full(n, -1, dtype=np.int64)
    dealt = 0
    for group in range(4):
        members = np.flatnonzero(study.kept & (groups == group))
        members = members[np.argsort(words[members], kind="stable")]
        fold_of[members] = (dealt + np.arange(len(members))) % folds
        dealt += len(members)
    return fold_of


def _fold_groups(columns: Columns) -> IntArray:
    """Return 2 arm + response; the arm alone for a response that is not binary."""
    outcome = columns.response if columns.endpoint == "binary" else np.zeros(len(columns.arm))
    known = columns.present
    groups = 2 * np.where(known, columns.arm, 0) + np.where(known, outcome, 0)
    return groups.astype(np.int64)
