"""Every option of a cut-point search, checked, with presets, in a form a result can store."""

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray, require_word
from assayhouse.stats.batting_checks import read_candidates, require_count, require_share
from assayhouse.stats.errors import InputError
from assayhouse.stats.frozen import Frozen

TESTS = ("lrt", "wald", "firth", "firth_wald", "rd", "wald_glm")
MODEL_TESTS = ("lrt", "wald")
CANDIDATES = ("all", "grid19")
DIRECTIONS = ("auto", "higher", "lower")
RESAMPLE = ("simple", "arm", "arm_stratum")
ENGINES = ("auto", "numpy", "numba")


class DefaultWord(str):
    """A default that an explicit argument of the same value can be told from."""

    __slots__ = ()


class DefaultCount(int):
    """As `DefaultWord`, for whole numbers."""


class DefaultShare(float):
    """As `DefaultWord`, for fractions."""


LRT = DefaultWord("lrt")
ALL = DefaultWord("all")
SIMPLE = DefaultWord("simple")
FIVE = DefaultCount(5)
THOUSAND = DefaultCount(1000)
NO_SHARE = DefaultShare(0.0)

_PRESETS: dict[str, dict[str, Any]] = {
    "subgrpid": {
        "test": "wald_glm",
        "candidates": "grid19",
        "min_cell": 0,
        "min_share": 0.2,
    },
    "lipsky2022": {
        "test": "lrt",
        "candidates": "all",
        "min_cell": 5,
        "resample": "simple",
        "n_boot": 1000,
    },
}

_ASSUMPTIONS = {
    "subgrpid": (
        "Preset subgrpid: Wald of a default iterated fit, grid of at most 19 quantiles, group 1 "
        "above 20 %, no minimum in the complement."
    ),
    "lipsky2022": (
        "Preset lipsky2022: the paper states 1000 bootstrap samples, a logistic model and the "
        "median. Assumed here, because not stated: likelihood ratio test, every distinct value "
        "a candidate, at least 5 subjects per arm and group, resampling without strata."
    ),
}


class PassedOptions(TypedDict, total=False):
    """Keywords of `batting` that every function around it passes on."""

    endpoint: str
    event: ArrayLike | None
    strata: ArrayLike | None
    adjust: ArrayLike | None
    test: str
    candidates: str | ArrayLike
    direction: str
    larger_is_better: bool
    min_cell: int
    min_share: float
    resample: str
    resamples: ArrayLike | None
    marker: str
    conf_level: float
    missing: str
    preset: str | None
    engine: str
    n_jobs: int
    chunk_size: int | None


class SearchOptions(PassedOptions, total=False):
    """Those that some of them name themselves."""

    n_boot: int
    rng: int | np.random.Generator | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Frozen):
    """Options of one search.

    Parameters
    ----------
    endpoint, test, direction, resample, missing, engine : str
        As `batting`.
    candidates : str
        all, grid19 or values.
    candidate_values : (C,) array, optional
        Ascending and distinct, where values are given.
    larger_is_better : bool
        As `batting`.
    min_cell, n_boot, n_jobs : int
        As `batting`.
    min_share, conf_level : float
        As `batting`.
    chunk_size : int, optional
        As `batting`.
    preset : str, optional
        As `batting`.
    adjusted : bool
        Whether the model has covariates.
    assumptions : tuple of str
        What a preset takes for granted.
    """

    endpoint: str
    test: str
    candidates: str
    candidate_values: FloatArray | None
    direction: str
    larger_is_better: bool
    min_cell: int
    min_share: float
    n_boot: int
    resample: str
    conf_level: float
    missing: str
    preset: str | None
    engine: str
    n_jobs: int
    chunk_size: int | None
    adjusted: bool
    has_strata: bool
    assumptions: tuple[str, ...]


def read_rules(
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
    rng: int | np.random.Generator | None = None,
    marker: str = "x",
    conf_level: float = 0.95,
    missing: str = "drop",
    preset: str | None = None,
    engine: str = "auto",
    n_jobs: int = 1,
    chunk_size: int | None = None,
) -> Rules:
    """Return the checked options of a search; data among them are only asked whether they exist.

    Parameters
    ----------
    endpoint, event, strata, adjust, test, candidates, direction, larger_is_better, min_cell
        As `batting`.
    min_share, n_boot, resample, resamples, rng, marker, conf_level, missing, preset, engine
        As `batting`.
    n_jobs, chunk_size
        As `batting`.

    Returns
    -------
    Rules
        With a preset's values where nothing was given explicitly.

    Raises
    ------
    InputError
        An option that is unknown, out of range, or not one of the endpoint's.
    """
    del event, resamples, rng, marker
    given: dict[str, Any] = {
        "test": test,
        "candidates": candidates,
        "min_cell": min_cell,
        "min_share": min_share,
        "n_boot": n_boot,
        "resample": resample,
    }
    chosen = _apply_preset(given, preset)
    named = isinstance(chosen["candidates"], str)
    rules = Rules(
        endpoint=endpoint,
        test=str(chosen["test"]),
        candidates=str(chosen["candidates"]) if named else "values",
        candidate_values=None if named else read_candidates(chosen["candidates"]),
        direction=direction,
        larger_is_better=bool(larger_is_better),
        min_cell=require_count(chosen["min_cell"], name="min_cell", least=0),
        min_share=require_share(chosen["min_share"]),
        n_boot=require_count(chosen["n_boot"], name="n_boot", least=1),
        resample=str(chosen["resample"]),
        conf_level=conf_level,
        missing=missing,
        preset=preset,
        engine=engine,
        n_jobs=n_jobs,
        chunk_size=None
        if chunk_size is None
        else require_count(chunk_size, name="chunk_size", least=1),
        adjusted=adjust is not None,
        has_strata=strata is not None,
        assumptions=() if preset is None else (_ASSUMPTIONS[preset],),
    )
    _check_words(rules)
    return rules


def _apply_preset(given: dict[str, Any], preset: str | None) -> dict[str, Any]:
    """Return the options with the preset's values in place of defaults."""
    if preset is None:
        return given
    require_word(preset, name="preset", known=tuple(_PRESETS))
    defaults = (DefaultWord, DefaultCount, DefaultShare)
    return {
        name: _PRESETS[preset].get(name, value) if isinstance(value, defaults) else value
        for name, value in given.items()
    }


def _check_words(rules: Rules) -> None:
    """Raise for words and numbers that are out of range."""
    require_word(rules.direction, name="direction", known=DIRECTIONS)
    require_word(rules.resample, name="resample", known=RESAMPLE)
    require_word(rules.missing, name="missing", known=("drop", "error"))
    require_word(rules.engine, name="engine", known=ENGINES)
    require_word(rules.candidates, name="candidates", known=(*CANDIDATES, "values"))
    require_test(rules.test, endpoint=rules.endpoint, adjusted=rules.adjusted)
    if not 0 < rules.conf_level < 1:
        message = f"conf_level={rules.conf_level!r} must lie strictly between 0 and 1."
        raise InputError(message)
    if rules.n_jobs != -1:
        require_count(rules.n_jobs, name="n_jobs", least=1)
    if rules.resample == "arm_stratum" and not rules.has_strata:
        message = 'resample="arm_stratum" needs strata.'
        raise InputError(message)


def require_test(test: str, *, endpoint: str, adjusted: bool) -> None:
    """Raise when an endpoint, or a model with covariates, lacks a test.

    Parameters
    ----------
    test, endpoint : str
        As `batting`.
    adjusted : bool
        Whether covariates are given.

    Raises
    ------
    InputError
        Names the tests to choose from.
    """
    require_word(endpoint, name="endpoint", known=("binary", "continuous", "survival"))
    require_word(test, name="test", known=TESTS)
    if adjusted and endpoint != "binary":
        message = "adjust is for binary responses only."
        raise InputError(message)
    if (adjusted or endpoint != "binary") and test not in MODEL_TESTS:
        where = "a model with covariates" if adjusted else f"endpoint={endpoint!r}"
        message = f"test={test!r} does not exist for {where}; choose lrt or wald."
        raise InputError(message)
