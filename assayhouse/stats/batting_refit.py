"""A whole search on other rows of the same data, and what its threshold is worth there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.batting_open import Search, open_search
from assayhouse.stats.batting_result import AtCut, measure_cut
from assayhouse.stats.batting_rules import PassedOptions
from assayhouse.stats.batting_search import Draws, direction_of, median_cut, run_search
from assayhouse.stats.batting_study import build_study
from assayhouse.stats.errors import InputError
from assayhouse.stats.resampling import Rng


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


def refuse_survival(search: Search) -> None:
    """Raise where differences of rates or means do not exist."""
    if search.rules.endpoint == "survival":
        message = 'Differences of rates do not exist for endpoint="survival".'
        raise InputError(message)


def fit_rows(search: Search, rows: IntArray, *, sub: int) -> Fitted:
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


def differences(at: AtCut) -> FloatArray:
    """Return rd_high, rd_low and their difference; NaN for an empty cell."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = at.y / at.n
    low, high = rate[1] - rate[0]
    return np.array([high, low, high - low])


def measure_rows(search: Search, rows: IntArray, fitted: Fitted) -> FloatArray:
    """Return the differences of the given rows at a threshold."""
    study = build_study(search.study.marker[rows], search.study.columns.take(rows))
    test = search.rules.test
    return differences(measure_cut(study, fitted.threshold, direction=fitted.direction, test=test))


def open_repeatable(
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
    refuse_survival(search)
    return search


def lacks_an_arm(search: Search, rows: IntArray) -> bool:
    """Tell whether an outer sample has subjects of one arm only."""
    arm = search.study.columns.arm[rows][search.study.kept[rows]]
    return len(np.unique(arm)) < 2
