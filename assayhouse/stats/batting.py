"""Predictive cut points: the cut of a marker with the largest arm x group interaction.

`scan` looks at every cut of the data, `batting` takes the median of the best cuts of bootstrap
replicates, and the functions beside them say what such a cut is worth. Definitions, closed forms
and what the published procedure leaves open: docs/methods/cut-points.md. It holds no figures.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import IntArray, require_word
from assayhouse.stats.batting_checks import read_candidates, require_count, require_share
from assayhouse.stats.batting_crossval import CrossValidation, cross_validate
from assayhouse.stats.batting_curve import ResponseCurve, response_curve
from assayhouse.stats.batting_direction import find_direction
from assayhouse.stats.batting_many import BattingManyResult, batting_many
from assayhouse.stats.batting_optimism import Optimism, optimism
from assayhouse.stats.batting_result import BattingResult, search_replicates
from assayhouse.stats.batting_rules import (
    ALL,
    CANDIDATES,
    DIRECTIONS,
    FIVE,
    LRT,
    MODEL_TESTS,
    NO_SHARE,
    SIMPLE,
    THOUSAND,
    read_rules,
    require_test,
)
from assayhouse.stats.batting_scan import read_cuts, scan_cuts
from assayhouse.stats.batting_scan_result import CutScan
from assayhouse.stats.batting_search import Draws, read_resamples, resample_groups
from assayhouse.stats.batting_study import Columns, read_columns, read_study
from assayhouse.stats.batting_validation import DoseRow, Validation, validate
from assayhouse.stats.batting_worth import AdjustedP, adjusted_p
from assayhouse.stats.columns import as_column
from assayhouse.stats.errors import InputError
from assayhouse.stats.resampling import Rng, resolve_seed

__all__ = [
    "AdjustedP",
    "BattingManyResult",
    "BattingResult",
    "CrossValidation",
    "CutScan",
    "DoseRow",
    "Optimism",
    "ResponseCurve",
    "Validation",
    "adjusted_p",
    "batting",
    "batting_many",
    "cross_validate",
    "optimism",
    "response_curve",
    "scan",
    "validate",
]

_SCAN_TESTS = ("lrt", "wald", "firth")


def scan(
    x: ArrayLike,
    arm: ArrayLike,
    response: ArrayLike,
    *,
    tests: Sequence[str] = _SCAN_TESTS,
    candidates: str | ArrayLike = "all",
    direction: str = "higher",
    endpoint: str = "binary",
    event: ArrayLike | None = None,
    adjust: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    min_cell: int = 0,
    min_share: float = 0.0,
    missing: str = "drop",
) -> CutScan:
    """Return the interaction statistics at every candidate cut.

    Parameters
    ----------
    x : (n,) array_like
        Marker.
    arm : (n,) array_like
        1 active, 0 control.
    response : (n,) array_like
        0 or 1, a number, or a time.
    tests : sequence of {"lrt", "wald", "firth", "firth_wald", "rd", "wald_glm"}
        Left at its default, those of the three that the endpoint has.
    candidates : {"all", "grid19"} or array_like
        Distinct values, 19 type-3 quantiles of them, or given cuts.
    direction : {"higher", "lower", "auto"}
        Group 1 is x > cut or x < cut.
    endpoint : {"binary", "continuous", "survival"}
        What the response is.
    event : (n,) array_like, optional
        1 where a survival time ended in an event.
    adjust : (n,) or (n, k) array_like, optional
        Numeric main effects of a logistic model.
    weights : (n,) array_like of int, optional
        Multiplicities of the rows.
    min_cell : int
        Subjects that each arm x group cell needs; an empty cell is never admissible.
    min_share : float
        Share of group 1 that must be exceeded.
    missing : {"drop", "error"}
        What to do about rows with a missing value.

    Returns
    -------
    CutScan
        Every candidate is listed, admissible or not.

    Raises
    ------
    InputError
        A rule of the door is broken.

    References
    ----------
    .. [1] Bartlett MS (1935), Supplement to the JRSS 2, 248-252 (likelihood ratio).
    .. [2] Woolf B (1955), Annals of Human Genetics 19, 251-253 (Wald).
    .. [3] Firth D (1993), Biometrika 80, 27-38.

    Examples
    --------
    >>> found = scan([1, 2, 3, 4] * 2, [0] * 4 + [1] * 4, [1, 0, 1, 0, 0, 0, 1, 1])
    >>> found.cuts.tolist(), found.n[1].tolist(), found.y[1].tolist()
    ([1.0, 2.0, 3.0], [[2, 2], [2, 2]], [[1, 1], [0, 2]])
    """
    columns = read_columns(
        arm, response, endpoint=endpoint, event=event, adjust=adjust, missing=missing
    )
    study = read_study(x, columns)
    chosen = _read_tests(tests, endpoint=endpoint, adjusted=adjust is not None)
    require_word(direction, name="direction", known=DIRECTIONS)
    named = isinstance(candidates, str)
    if named:
        require_word(str(candidates), name="candidates", known=CANDIDATES)
    if direction == "auto":
        direction = find_direction(study.marker, columns, larger_is_better=True)
    found = read_cuts(
        study,
        study.original(None if weights is None else _read_weights(weights, n=len(columns.arm))),
        candidates=str(candidates) if named else "values",
        candidate_values=None if named else read_candidates(candidates),
        higher=direction == "higher",
    )
    return scan_cuts(
        found,
        tests=chosen,
        min_cell=require_count(min_cell, name="min_cell", least=0),
        min_share=require_share(min_share),
    )


def _read_tests(tests: Sequence[str], *, endpoint: str, adjusted: bool) -> tuple[str, ...]:
    """Return the tests of a scan; the default shrinks to what the model has."""
    if tests is _SCAN_TESTS and (adjusted or endpoint != "binary"):
        tests = MODEL_TESTS
    chosen = (tests,) if isinstance(tests, str) else tuple(tests)
    for test in chosen:
        require_test(test, endpoint=endpoint, adjusted=adjusted)
    return chosen


def _read_weights(weights: ArrayLike, *, n: int) -> IntArray:
    """Return multiplicities of rows."""
    column = as_column(weights, name="weights", n=n)
    if np.isnan(column).any() or (column < 0).any() or (column % 1 != 0).any():
        message = "weights must be whole numbers of at least zero."
        raise InputError(message)
    return column.astype(np.int64)


def batting(
    x: ArrayLike,
    arm: ArrayLike,
    response: ArrayLike,
    *,
    endpoint: str = "binary",
    event: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    adjust: ArrayLike | None = None,
    test: str = LRT,
    candidates: str | ArrayLike = ALL,
    direction: str = "auto",
    larger_is_better: bool = True,
    min_cell: int = FIVE,
    min_share: float = NO_SHARE,
    n_boot: int = THOUSAND,
    resample: str = SIMPLE,
    resamples: ArrayLike | None = None,
    rng: Rng = None,
    marker: str = "x",
    conf_level: float = 0.95,
    missing: str = "drop",
    preset: str | None = None,
    engine: str = "auto",
    n_jobs: int = 1,
    chunk_size: int | None = None,
) -> BattingResult:
    """Return the median over bootstrap replicates of the cut with the largest interaction.

    The threshold exists without any effect too, and its p value on the same data is no valid
    test: see `adjusted_p`.

    Parameters
    ----------
    x, arm, response : (n,) array_like
        Marker; 1 active, 0 control; 0 or 1, a number, or a time.
    endpoint, event, adjust, candidates, missing
        As `scan`.
    strata : (n,) or (n, k) array_like, optional
        Labels for ``resample="arm_stratum"`` and for null data; they do not enter the model.
    test : {"lrt", "wald", "firth", "firth_wald", "rd", "wald_glm"}
        Statistic that is maximised; lrt and wald only with covariates and for other endpoints.
    direction : {"auto", "higher", "lower"}
        Group 1 is x > cut or x < cut; "auto" asks the full data once.
    larger_is_better : bool
        False where a larger response is worse; turns "auto".
    min_cell : int
        Subjects that each arm x group cell of a replicate needs.
    min_share : float
        Share of group 1 that must be exceeded.
    n_boot : int
        Replicates.
    resample : {"simple", "arm", "arm_stratum"}
        Draw from all rows, or within arms, or within arms and strata.
    resamples : (B, n) array_like of int, optional
        0-based rows of the input; overrides ``n_boot``, ``resample`` and ``rng``.
    rng : int, Generator or None
        Seed of the replicates.
    marker : str
        Name; part of the random stream.
    conf_level : float
        Of the percentile interval of the cuts.
    preset : {"subgrpid", "lipsky2022"}, optional
        Values for options that are not given explicitly.
    engine : {"auto", "numpy", "numba"}
        Same cuts and counts either way.
    n_jobs : int
        Worker threads; -1 for one per processor.
    chunk_size : int, optional
        Replicates per chunk.

    Returns
    -------
    BattingResult
        Where no replicate has an admissible cut, a threshold of NaN and a warning.

    Raises
    ------
    InputError
        A rule of the door is broken.

    References
    ----------
    .. [1] Huang X et al. (2017), Statistics in Medicine 36, 1414-1428.
    .. [2] Lipsky PE et al. (2022), Annals of the Rheumatic Diseases, supplementary methods.

    Examples
    --------
    >>> marker = np.arange(40.0)
    >>> arm = np.arange(40) % 2
    >>> better = ((marker >= 20) & (arm == 1)) | (np.arange(40) % 5 == 0)
    >>> found = batting(marker, arm, better, n_boot=50, rng=1)
    >>> found.direction, found.n_boot, 10 < found.threshold < 30
    ('higher', 50, True)
    """
    rules = read_rules(
        endpoint=endpoint,
        strata=strata,
        adjust=adjust,
        test=test,
        candidates=candidates,
        direction=direction,
        larger_is_better=larger_is_better,
        min_cell=min_cell,
        min_share=min_share,
        n_boot=n_boot,
        resample=resample,
        conf_level=conf_level,
        missing=missing,
        preset=preset,
        engine=engine,
        n_jobs=n_jobs,
        chunk_size=chunk_size,
    )
    columns = read_columns(
        arm,
        response,
        endpoint=endpoint,
        event=event,
        strata=strata,
        adjust=adjust,
        missing=missing,
    )
    study = read_study(x, columns)
    if direction == "auto":
        direction = find_direction(study.marker, columns, larger_is_better=rules.larger_is_better)
    if resamples is None:
        draws = _draw(columns, n_boot=rules.n_boot, resample=rules.resample, rng=rng, label=marker)
    else:
        rows = read_resamples(resamples, n=len(columns.arm))
        draws = Draws(
            n_rows=rows.shape[1], n_boot=len(rows), seed=None, label=marker, groups=None, rows=rows
        )
    return search_replicates(study, rules, draws, direction=direction, marker=marker)


def _draw(columns: Columns, *, n_boot: int, resample: str, rng: Rng, label: str) -> Draws:
    """Return replicates that are drawn from a stream."""
    return Draws(
        n_rows=len(columns.arm),
        n_boot=n_boot,
        seed=resolve_seed(rng),
        label=label,
        groups=resample_groups(columns, resample=resample),
        rows=None,
    )
