"""How much better a threshold looks on the data it was found on, by an outer bootstrap."""

from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray
from assayhouse.stats.batting_checks import require_count
from assayhouse.stats.batting_refit import fit_rows, lacks_an_arm, measure_rows, open_repeatable
from assayhouse.stats.batting_rules import PassedOptions
from assayhouse.stats.frozen import Frozen, freeze
from assayhouse.stats.resampling import OUTER, Rng, bootstrap_indices

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
    search = open_repeatable(x, arm, response, n_boot=n_boot, rng=rng, options=same_as_batting)
    every = np.arange(len(search.study.marker))
    apparent = measure_rows(search, every, fit_rows(search, every, sub=0))
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
        if lacks_an_arm(search, rows):
            continue
        fitted = fit_rows(search, rows, sub=place)
        thresholds[place] = fitted.threshold
        if not np.isnan(fitted.threshold):
            gains[place] = measure_rows(search, rows, fitted) - measure_rows(search, every, fitted)
    mean = np.array([_mean(gains[:, part]) for part in range(3)])
    return Optimism(
        apparent=_by_name(apparent),
        optimism=_by_name(mean),
        corrected=_by_name(apparent - mean),
        thresholds=freeze(thresholds),
        n_failed=int(np.isnan(thresholds).sum()),
        seed=search.seed,
    )


def _mean(values: FloatArray) -> float:
    """Return the mean of what exists."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _by_name(values: FloatArray) -> dict[str, float]:
    """Return three differences by name."""
    return {name: float(value) for name, value in zip(_MEASURES, values, strict=True)}
