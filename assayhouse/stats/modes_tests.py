"""Tests of one mode: Hartigan's dip and Silverman's critical bandwidth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from assayhouse.stats.frozen import Frozen
from assayhouse.stats.modes_density import Sample, count_modes, critical_h
from assayhouse.stats.modes_door import LABEL, NAN, RTOL, Pair, read_values, require_whole, too_few
from assayhouse.stats.modes_null import dip_of, null_dips
from assayhouse.stats.resampling import (
    BOOTSTRAP,
    PARAMETRIC,
    Rng,
    bootstrap_indices,
    replicate_words,
    resolve_seed,
    uniforms,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DipTest(Frozen):
    """Hartigan's test of one mode.

    Parameters
    ----------
    statistic : float
        Dip.
    p : float
        Share of uniform samples with a dip at least as large; NaN below 10 values or 4 distinct
        ones, and without simulation. 0 means below 1 / ``n_sim``.
    n : int
        Values.
    modal_interval : (float, float)
        Where the nearest unimodal distribution is steepest.
    n_sim : int
        Samples simulated.
    seed : int
        Of the simulation.
    """

    statistic: float
    p: float
    n: int
    modal_interval: Pair
    n_sim: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SilvermanTest(Frozen):
    """Silverman's test of at most k modes.

    Parameters
    ----------
    bandwidth : float
        Critical bandwidth.
    p : float
        Share of smoothed bootstrap samples with more modes at that bandwidth; NaN below 10
        values or 4 distinct ones.
    n_boot : int
        Samples.
    seed : int
        Of the samples.
    """

    bandwidth: float
    p: float
    n_boot: int
    seed: int


def dip_test(x: ArrayLike, *, n_sim: int = 9999, rng: Rng = None) -> DipTest:
    """Return Hartigan's dip and its p value by simulation from the uniform.

    Heaped values fool the dip: see `cutpoint`, which asks Silverman's test too.

    Parameters
    ----------
    x : (n,) array_like
        Values.
    n_sim : int
        Uniform samples; 0 leaves p out.
    rng : int, Generator or None
        Seed.

    Returns
    -------
    DipTest
        Statistic and p value.

    Raises
    ------
    InputError
        ``n_sim`` below 0, or values that are no numbers.

    References
    ----------
    .. [1] Hartigan JA, Hartigan PM (1985), Annals of Statistics 13, 70-84.
    .. [2] Hartigan PM (1985), Applied Statistics 34, 320-325.

    Examples
    --------
    >>> dip_test([1.0, 2.0, 3.0, 4.0], n_sim=0).statistic
    0.125
    """
    values = np.sort(read_values(x))
    sims = require_whole(n_sim, name="n_sim", least=0)
    seed = resolve_seed(rng)
    if not len(values):
        return DipTest(statistic=NAN, p=NAN, n=0, modal_interval=(NAN, NAN), n_sim=sims, seed=seed)
    statistic, low, high = dip_of(values)
    p = NAN
    if sims and not too_few(values):
        dips = null_dips(len(values), sims, seed=seed, label=LABEL)
        p = float(np.mean(dips >= statistic * (1 - 1e-12)))
    return DipTest(
        statistic=statistic,
        p=p,
        n=len(values),
        modal_interval=(float(values[low]), float(values[high])),
        n_sim=sims,
        seed=seed,
    )


def silverman_test(
    x: ArrayLike, k: int = 1, *, n_boot: int = 999, rng: Rng = None
) -> SilvermanTest:
    """Return Silverman's test of at most k modes.

    Smoothed bootstrap samples at the critical bandwidth are shrunk to the variance of the data,
    and p is the share of them with more modes at that bandwidth. The test is conservative.

    Parameters
    ----------
    x : (n,) array_like
        Values.
    k : int
        Modes under the null.
    n_boot : int
        Samples.
    rng : int, Generator or None
        Seed.

    Returns
    -------
    SilvermanTest
        Bandwidth and p value.

    Raises
    ------
    InputError
        k or ``n_boot`` below 1, or values that are no numbers.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.
    .. [2] Efron B, Tibshirani RJ (1993), An Introduction to the Bootstrap, eq. 16.5.

    Examples
    --------
    >>> two = np.concatenate([np.linspace(0, 1, 20), np.linspace(9, 10, 20)])
    >>> silverman_test(two, n_boot=99, rng=1).p
    0.0
    """
    values = read_values(x)
    modes = require_whole(k, name="k", least=1)
    number = require_whole(n_boot, name="n_boot", least=1)
    seed = resolve_seed(rng)
    h = critical_h(Sample.of(values), modes, rtol=RTOL)
    if np.isnan(h) or too_few(values):
        return SilvermanTest(bandwidth=h, p=NAN, n_boot=number, seed=seed)
    n = len(values)
    rows = bootstrap_indices(n, number, seed=seed, label=LABEL, purpose=BOOTSTRAP)
    words = replicate_words(seed, LABEL, start=0, n_replicates=number, count=n, purpose=PARAMETRIC)
    shrink = float(np.sqrt(1 + h * h / values.var()))
    # Shrinking the data and not the kernel is counting at a bandwidth that much larger.
    smooth = values[rows] + h * ndtri(uniforms(words))
    more = [count_modes(Sample.of(sample), h * shrink) > modes for sample in smooth]
    return SilvermanTest(bandwidth=h, p=float(np.mean(more)), n_boot=number, seed=seed)
