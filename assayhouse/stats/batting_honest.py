"""How much better a cut looks on its own data: optimism by an outer bootstrap, cross-validation."""

from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.batting_open import Search, open_search
from assayhouse.stats.batting_result import AtCut, measure_cut
from assayhouse.stats.batting_rules import PassedOptions, require_count
from assayhouse.stats.batting_search import Draws, direction_of, median_cut, run_search
from assayhouse.stats.batting_study import Columns, build_study
from assayhouse.stats.errors import InputError
from assayhouse.stats.frozen import Frozen, freeze
from assayhouse.stats.resampling import FOLDS, OUTER, Rng, bootstrap_indices, stream_words

_MEASURES = ("rd_high", "rd_low", "rd_difference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimism(Frozen):
    """Differences between the arms at a threshold, corrected for having chosen it.

    Parameters
    ----------
    apparent, optimism, corrected : dict of float
        rd_high in group 1, rd_low in group 0, rd_difference between them; active minus control.
    thresholds : (n_outer,) array
        Of the outer samples; NaN where there is none.
    n_failed : int
        Outer samples without a threshold.
    seed : int
        Of everything random.
    """

    apparent: dict[str, float]
    optimism: dict[str, float]
    corrected: dict[str, float]
    thresholds: FloatArray
    n_failed: int
    seed: int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Threshold and direction that a search gives one set of rows.

    Parameters
    ----------
    threshold : float
        NaN where there is none.
    direction : str
        higher or lower.
    """

    threshold: float
    direction: str


def _refuse_survival(search: Search) -> None:
    """Raise where differences of rates or means do not exist."""
    if search.rules.endpoint == "survival":
        message = 'Differences of rates do not exist for endpoint="survival".'
        raise InputError(message)


def _fit_rows(search: Search, rows: IntArray, *, sub: int) -> Fitted:
    """Return what the whole search finds in the given rows, direction included."""
    columns = search.study.columns.take(rows)
    study = build_study(search.study.marker[rows], columns)
    groups = None if search.draws.groups is None else search.draws.groups[rows]
    draws = Draws(
        n_rows=len(rows),
        n_boot=search.draws.n_boot,
        seed=search.seed,
        label=search.label,
        groups=groups,
        rows=None,
        sub=sub,
    )
    direction = direction_of(study, search.rules)
    optima = run_search(study, search.rules, draws, direction=direction)
    return Fitted(threshold=median_cut(optima.cuts), direction=direction)


def _differences(at: AtCut) -> FloatArray:
    """Return rd_high, rd_low and their difference; NaN for an empty cell."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = at.y / at.n
    low, high = rate[1] - rate[0]
    return np.array([high, low, high - low])


def _measure(search: Search, rows: IntArray, fitted: Fitted) -> FloatArray:
    """Return the differences of the given rows at a threshold."""
    study = build_study(search.study.marker[rows], search.study.columns.take(rows))
    test = search.rules.test
    return _differences(measure_cut(study, fitted.threshold, direction=fitted.direction, test=test))


def optimism(
    x: ArrayLike,
    arm: ArrayLike,
    response: ArrayLike,
    *,
    n_outer: int = 40,
    n_boot: int = 200,
    rng: Rng = None,
    **same_as_batting: Unpack[PassedOptions],
) -> Optimism:
    """Return the differences between the arms at the threshold, corrected for optimism.

    Per outer sample the threshold is found anew; the optimism is the difference of the measure
    between that sample and the original data at that threshold.

    Parameters
    ----------
    x, arm, response : (n,) array_like
        As `batting`; binary or continuous.
    n_outer : int
        Outer samples, drawn as ``resample`` says.
    n_boot : int
        Replicates per search.
    rng : int, Generator or None
        Seed.
    **same_as_batting
        Every other keyword of `batting`; ``resamples`` would serve the original data only and
        is refused.

    Returns
    -------
    Optimism
        High is group 1.

    Raises
    ------
    InputError
        A rule of the door is broken.

    References
    ----------
    .. [1] Efron B (1983), JASA 78, 316-331, section 2.
    .. [2] Harrell FE (2015), Regression Modeling Strategies, section 5.3.4.

    Examples
    --------
    >>> marker, arm = np.arange(40.0), np.arange(40) % 2
    >>> better = ((marker >= 20) & (arm == 1)) | (np.arange(40) % 5 == 0)
    >>> found = optimism(marker, arm, better, n_outer=4, n_boot=10, rng=1)
    >>> sorted(found.corrected)
    ['rd_difference', 'rd_high', 'rd_low']
    """
    number = require_count(n_outer, name="n_outer", least=1)
    search = _open(x, arm, response, n_boot=n_boot, rng=rng, options=same_as_batting)
    every = np.arange(len(search.study.marker))
    apparent = _measure(search, every, _fit_rows(search, every, sub=0))
    samples = bootstrap_indices(
        len(every),
        number,
        seed=search.seed,
        label=search.label,
        groups=search.draws.groups,
        purpose=OUTER,
    ).astype(np.int64)
    thresholds = np.full(number, np.nan)
    gains = np.full((number, 3), np.nan)
    for place, rows in enumerate(samples):
        if _lacks_an_arm(search, rows):
            continue
        fitted = _fit_rows(search, rows, sub=place)
        thresholds[place] = fitted.threshold
        if not np.isnan(fitted.threshold):
            gains[place] = _measure(search, rows, fitted) - _measure(search, every, fitted)
    mean = np.array([_mean(gains[:, part]) for part in range(3)])
    return Optimism(
        apparent=_by_name(apparent),
        optimism=_by_name(mean),
        corrected=_by_name(apparent - mean),
        thresholds=freeze(thresholds),
        n_failed=int(np.isnan(thresholds).sum()),
        seed=search.seed,
    )


def _open(
    x: ArrayLike,
    arm: ArrayLike,
    response: ArrayLike,
    *,
    n_boot: int,
    rng: Rng,
    options: PassedOptions,
) -> Search:
    """Return a search that can be repeated on other rows."""
    if options.get("resamples") is not None:
        message = "resamples are rows of the original data; this function draws its own."
        raise InputError(message)
    search = open_search(x, arm, response, n_boot=n_boot, rng=rng, options=options)
    _refuse_survival(search)
    return search


def _lacks_an_arm(search: Search, rows: IntArray) -> bool:
    """Tell whether an outer sample has subjects of one arm only."""
    arm = search.study.columns.arm[rows][search.study.kept[rows]]
    return len(np.unique(arm)) < 2


def _mean(values: FloatArray) -> float:
    """Return the mean of what exists."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _by_name(values: FloatArray) -> dict[str, float]:
    """Return three differences by name."""
    return {name: float(value) for name, value in zip(_MEASURES, values, strict=True)}


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
    search = _open(x, arm, response, n_boot=n_boot, rng=rng, options=same_as_batting)
    dealt = np.stack([deal_folds(search, parts, repeat) for repeat in range(number)])
    p, measures, failed = np.full(number, np.nan), np.full((number, 3), np.nan), 0
    for repeat, fold_of in enumerate(dealt):
        group = np.full(len(fold_of), np.nan)
        for fold in range(parts):
            held = fold_of == fold
            rows = np.flatnonzero((fold_of >= 0) & ~held)
            fitted = Fitted(threshold=float("nan"), direction="higher")
            if not _lacks_an_arm(search, rows):
                fitted = _fit_rows(search, rows, sub=repeat * parts + fold)
            failed += bool(np.isnan(fitted.threshold))
            group[held] = _group(search.study.marker[held], fitted)
        at = _test_groups(search, group)
        p[repeat], measures[repeat] = at.p, _differences(at)
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
