"""Modes of one marker: is it bimodal, where is the antimode, and which a-priori cut follows.

Missing values are left out throughout. The module decides nothing about a trial: a rule is made
on one data set, carries its provenance, and is applied to another without being estimated again.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray, require_positive, require_word
from assayhouse.stats.columns import as_column
from assayhouse.stats.errors import InputError
from assayhouse.stats.frozen import Frozen, freeze
from assayhouse.stats.modes_density import Sample, count_modes, critical_h, density, find_turns
from assayhouse.stats.modes_null import dip_of, null_dips
from assayhouse.stats.resampling import (
    BOOTSTRAP,
    MODES,
    PARAMETRIC,
    Rng,
    bootstrap_indices,
    replicate_words,
    resolve_seed,
    uniforms,
)

__all__ = [
    "Antimode",
    "CutRule",
    "DipTest",
    "KdeModes",
    "SilvermanTest",
    "antimode",
    "critical_bandwidth",
    "cutpoint",
    "dip_test",
    "kde_modes",
    "silverman_test",
]

_RTOL = 1e-10
_ABOVE = 1 + 1e-6
_LEAST_N = 10
_LEAST_DISTINCT = 4
_LABEL = "modes"
_NAN = float("nan")
Pair = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class KdeModes(Frozen):
    """Turning points of a kernel density.

    Parameters
    ----------
    bandwidth : float
        Standard deviation of the kernel, in the units of the data.
    locations : (m,) array
        Ascending.
    kinds : tuple of {"mode", "antimode"}
        Of each location.
    densities : (m,) array
        Per unit of the data.
    """

    bandwidth: float
    locations: FloatArray
    kinds: tuple[str, ...]
    densities: FloatArray


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Antimode(Frozen):
    """The deepest point between the two highest modes at the critical bandwidth of two modes.

    Parameters
    ----------
    value, density : float
        Place and density; NaN where there is none.
    modes : (float, float)
        The two modes.
    h_crit_1, h_crit_2 : float
        Critical bandwidths of one and two modes.
    ci : (float, float)
        Percentile interval over bootstrap samples of the whole calculation.
    path_h, path_value : (k,) arrays
        Antimode over bandwidths from the second to the first critical one.
    n : int
        Values.
    n_failed : int
        Bootstrap samples without an antimode.
    seed : int, optional
        Of the samples; None where they were given.
    """

    value: float
    density: float
    modes: Pair
    h_crit_1: float
    h_crit_2: float
    ci: Pair
    path_h: FloatArray
    path_value: FloatArray
    n: int
    n_failed: int
    seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutRule(Frozen):
    """A cut made on one data set, to be applied to others unchanged.

    Parameters
    ----------
    value : float
        The cut; high is strictly above it.
    rule : {"antimode", "median"}
        What ``value`` is.
    decision : {"bimodal", "unimodal", "undecided", "fixed"}
        Why; fixed where the caller named the rule, undecided where a person must choose.
    median : float
        Of the data.
    median_ci : (float, float)
        Bootstrap percentiles.
    antimode : Antimode, optional
        None where the data are unimodal or the median was asked for.
    dip, silverman : DipTest, SilvermanTest
        What the decision rests on.
    dataset_id : str
        Name of the data set.
    n : int
        Values that were not missing.
    sha256 : str
        Of the sorted values as little-endian float64.
    warnings : tuple of str
        What a reader must know.
    """

    value: float
    rule: str
    decision: str
    median: float
    median_ci: Pair
    antimode: Antimode | None
    dip: DipTest
    silverman: SilvermanTest
    dataset_id: str
    n: int
    sha256: str
    warnings: tuple[str, ...]

    def apply(self, x: ArrayLike) -> BoolArray:
        """Return who is high.

        Parameters
        ----------
        x : (n,) array_like
            Marker of a trial.

        Returns
        -------
        (n,) array of bool
            x > value.

        Raises
        ------
        InputError
            A value is missing or infinite, or the rule has no value.
        """
        column = as_column(x, name="x")
        if np.isnan(column).any() or np.isnan(self.value):
            message = (
                f"{int(np.isnan(column).sum())} values are missing, or the rule has no value; "
                "a missing marker is neither high nor low. Leave those subjects out."
            )
            raise InputError(message)
        return np.asarray(column > self.value)


def _read(x: ArrayLike) -> FloatArray:
    """Return the values that are not missing."""
    column = as_column(x, name="x")
    return column[~np.isnan(column)]


def _require_number(value: object, *, name: str, least: int) -> int:
    """Return a whole-number option."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or int(value) < least:  # type: ignore[call-overload]
        message = f"{name} must be an integer of at least {least}."
        raise InputError(message)
    return int(value)  # type: ignore[call-overload, no-any-return]


def _require_level(conf_level: float) -> float:
    """Return half of what lies outside an interval."""
    if not 0 < conf_level < 1:
        message = f"conf_level={conf_level!r} must lie strictly between 0 and 1."
        raise InputError(message)
    return (1 - conf_level) / 2


def _too_few(values: FloatArray) -> bool:
    """Tell whether a test of modes says nothing."""
    return len(values) < _LEAST_N or len(np.unique(values)) < _LEAST_DISTINCT


def critical_bandwidth(x: ArrayLike, k: int = 1, *, rtol: float = _RTOL) -> float:
    """Return the smallest bandwidth at which the Gaussian kernel density has at most k modes.

    Parameters
    ----------
    x : (n,) array_like
        Values.
    k : int
        Modes allowed.
    rtol : float
        Relative accuracy where several turning points meet at once; elsewhere it is exact.

    Returns
    -------
    float
        In the units of the data; NaN with fewer than k + 1 distinct values.

    Raises
    ------
    InputError
        k below 1, or values that are no numbers.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.

    Examples
    --------
    Two values merge when they are two bandwidths apart.

    >>> round(critical_bandwidth([0.0, 2.0]), 6)
    1.0
    """
    require_positive(rtol, name="rtol")
    sample = Sample.of(_read(x))
    return critical_h(sample, _require_number(k, name="k", least=1), rtol=max(rtol, 1e-15))


def kde_modes(x: ArrayLike, h: float) -> KdeModes:
    """Return the turning points of the Gaussian kernel density.

    Parameters
    ----------
    x : (n,) array_like
        Values.
    h : float
        Bandwidth.

    Returns
    -------
    KdeModes
        Modes and antimodes in turn; nothing for no values.

    Raises
    ------
    InputError
        h is not above zero.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.

    Examples
    --------
    >>> found = kde_modes([0.0, 4.0], 1.0)
    >>> found.kinds, round(float(found.locations[1]), 6)
    (('mode', 'antimode', 'mode'), 2.0)
    """
    require_positive(h, name="h")
    values = _read(x)
    sample = Sample.of(values)
    places, signs = np.zeros(0), np.zeros(0)
    if len(values):
        places, signs = find_turns(sample, float(h))
    return KdeModes(
        bandwidth=float(h),
        locations=freeze(places),
        kinds=tuple("mode" if sign > 0 else "antimode" for sign in signs),
        densities=freeze(density(sample, float(h), places)),
    )


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
    values = np.sort(_read(x))
    sims = _require_number(n_sim, name="n_sim", least=0)
    seed = resolve_seed(rng)
    if not len(values):
        return DipTest(
            statistic=_NAN, p=_NAN, n=0, modal_interval=(_NAN, _NAN), n_sim=sims, seed=seed
        )
    statistic, low, high = dip_of(values)
    p = _NAN
    if sims and not _too_few(values):
        dips = null_dips(len(values), sims, seed=seed, label=_LABEL)
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
    values = _read(x)
    modes = _require_number(k, name="k", least=1)
    number = _require_number(n_boot, name="n_boot", least=1)
    seed = resolve_seed(rng)
    h = critical_h(Sample.of(values), modes, rtol=_RTOL)
    if np.isnan(h) or _too_few(values):
        return SilvermanTest(bandwidth=h, p=_NAN, n_boot=number, seed=seed)
    n = len(values)
    rows = bootstrap_indices(n, number, seed=seed, label=_LABEL, purpose=BOOTSTRAP)
    words = replicate_words(seed, _LABEL, start=0, n_replicates=number, count=n, purpose=PARAMETRIC)
    shrink = float(np.sqrt(1 + h * h / values.var()))
    # Shrinking the data and not the kernel is counting at a bandwidth that much larger.
    smooth = values[rows] + h * ndtri(uniforms(words))
    more = [count_modes(Sample.of(sample), h * shrink) > modes for sample in smooth]
    return SilvermanTest(bandwidth=h, p=float(np.mean(more)), n_boot=number, seed=seed)


def antimode(
    x: ArrayLike,
    *,
    n_boot: int = 1000,
    conf_level: float = 0.95,
    path_points: int = 25,
    rng: Rng = None,
    resamples: ArrayLike | None = None,
) -> Antimode:
    """Return the antimode at the critical bandwidth of two modes, with an interval.

    On a unimodal marker this is an artefact of a tail: decide first, see `cutpoint`.

    Parameters
    ----------
    x : (n,) array_like
        Values.
    n_boot : int
        Bootstrap samples; 0 leaves the interval out.
    conf_level : float
        Of the interval.
    path_points : int
        Bandwidths of the path.
    rng : int, Generator or None
        Seed.
    resamples : (B, n) array_like of int, optional
        0-based rows of ``x``; overrides ``n_boot`` and ``rng``.

    Returns
    -------
    Antimode
        NaN where there are fewer than three distinct values.

    Raises
    ------
    InputError
        An option out of range, or values that are no numbers.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.
    .. [2] Efron B, Tibshirani RJ (1993), An Introduction to the Bootstrap, section 13.3.

    Examples
    --------
    >>> found = antimode([0.0, 1.0, 2.0, 8.0, 9.0, 10.0], n_boot=0)
    >>> round(found.value, 6)
    5.0
    """
    column = as_column(x, name="x")
    tail = _require_level(conf_level)
    number = _require_number(n_boot, name="n_boot", least=0)
    points = _require_number(path_points, name="path_points", least=0)
    values = column[~np.isnan(column)]
    sample = Sample.of(values)
    h1, h2 = (critical_h(sample, k, rtol=_RTOL) for k in (1, 2))
    place, modes = _deepest(sample, h2 * _ABOVE)
    rows, seed = _mode_rows(column, values, number, rng, resamples)
    found = np.array([_one_antimode(part, h2) for part in rows])
    path = np.linspace(h2 * _ABOVE, h1, points, endpoint=False) if h1 > h2 else np.zeros(0)
    return Antimode(
        value=place,
        density=_NAN
        if np.isnan(place)
        else float(density(sample, h2 * _ABOVE, np.array([place]))[0]),
        modes=modes,
        h_crit_1=h1,
        h_crit_2=h2,
        ci=_percentiles(found, tail),
        path_h=freeze(path),
        path_value=freeze(np.array([_deepest(sample, h)[0] for h in path.tolist()])),
        n=len(values),
        n_failed=int(np.isnan(found).sum()),
        seed=seed,
    )


def _mode_rows(
    column: FloatArray,
    values: FloatArray,
    n_boot: int,
    rng: Rng,
    resamples: ArrayLike | None,
) -> tuple[list[FloatArray], int | None]:
    """Return the values of every bootstrap sample and the seed they come from."""
    if resamples is None:
        seed = resolve_seed(rng)
        if not n_boot or not len(values):
            return [], seed
        rows = bootstrap_indices(len(values), n_boot, seed=seed, label=_LABEL, purpose=MODES)
        return list(values[rows]), seed
    given = np.asarray(resamples)
    if given.ndim != 2 or given.shape[1] != len(column) or given.dtype.kind not in "iu":
        message = f"resamples must be integers of shape (B, {len(column)})."
        raise InputError(message)
    if given.size and (given.min() < 0 or given.max() >= len(column)):
        message = f"resamples must be 0-based rows, 0 to {len(column) - 1}."
        raise InputError(message)
    drawn = [column[row] for row in given.astype(np.int64)]
    return [part[~np.isnan(part)] for part in drawn], None


def _one_antimode(values: FloatArray, guess: float) -> float:
    """Return the antimode of one bootstrap sample."""
    sample = Sample.of(values)
    h = critical_h(sample, 2, rtol=_RTOL, guess=guess)
    return _deepest(sample, h * _ABOVE)[0]


def _deepest(sample: Sample, h: float) -> tuple[float, Pair]:
    """Return the deepest antimode between the two highest modes, and these modes."""
    nothing = (_NAN, (_NAN, _NAN))
    if np.isnan(h):
        return nothing
    places, signs = find_turns(sample, h)
    tops, dips = places[signs > 0], places[signs < 0]
    if len(tops) < 2:
        return nothing
    highest = np.sort(tops[np.argsort(-density(sample, h, tops), kind="stable")[:2]])
    between = dips[(dips > highest[0]) & (dips < highest[1])]
    place = between[np.argmin(density(sample, h, between))]
    return float(place), (float(highest[0]), float(highest[1]))


def _percentiles(found: FloatArray, tail: float) -> Pair:
    """Return percentiles of what exists."""
    known = found[~np.isnan(found)]
    if not len(known):
        return (_NAN, _NAN)
    low, high = np.quantile(known, [tail, 1 - tail])
    return (float(low), float(high))


def cutpoint(
    x: ArrayLike,
    *,
    rule: str = "auto",
    alpha: float = 0.05,
    dataset_id: str = "",
    n_sim: int = 9999,
    n_boot: int = 1000,
    conf_level: float = 0.95,
    rng: Rng = None,
) -> CutRule:
    """Return the cut of a training set: antimode where it is bimodal, median where it is not.

    Parameters
    ----------
    x : (n,) array_like
        Marker in the training set.
    rule : {"auto", "antimode", "median"}
        "auto" decides: bimodal where the dip p is at most ``alpha`` and Silverman's at most
        four times that, unimodal where the dip p exceeds twice ``alpha``, else undecided.
    alpha : float
        Level of the dip test.
    dataset_id : str
        Stored with the rule.
    n_sim, n_boot, conf_level, rng
        As `dip_test` and `antimode`.

    Returns
    -------
    CutRule
        Undecided: the median, with the antimode beside it.

    Raises
    ------
    InputError
        An option out of range, or values that are no numbers.

    References
    ----------
    .. [1] Hartigan JA, Hartigan PM (1985), Annals of Statistics 13, 70-84.
    .. [2] Silverman BW (1981), JRSS B 43, 97-99.

    Examples
    --------
    >>> made = cutpoint([1.0, 2.0, 3.0, 10.0], rule="median", n_boot=0, rng=1)
    >>> made.value, made.decision, made.apply([2.5, 2.6]).tolist()
    (2.5, 'fixed', [False, True])
    """
    require_word(rule, name="rule", known=("auto", "antimode", "median"))
    if not 0 < alpha < 1:
        message = f"alpha={alpha!r} must lie strictly between 0 and 1."
        raise InputError(message)
    tail = _require_level(conf_level)
    values = _read(x)
    seed = resolve_seed(rng)
    dip = dip_test(values, n_sim=n_sim, rng=seed)
    silverman = silverman_test(values, rng=seed)
    decision = "fixed" if rule != "auto" else _decide(dip.p, silverman.p, alpha)
    by_rule = {"bimodal": "antimode", "unimodal": "median", "undecided": "median"}
    chosen = by_rule.get(decision, rule)
    found = None
    if chosen == "antimode" or decision == "undecided":
        found = antimode(values, n_boot=n_boot, conf_level=conf_level, rng=seed)
    middle = float(np.median(values)) if len(values) else _NAN
    little = np.sort(values).astype("<f8").tobytes()
    return CutRule(
        value=found.value if found is not None and chosen == "antimode" else middle,
        rule=chosen,
        decision=decision,
        median=middle,
        median_ci=_percentiles(_medians(values, n_boot, seed), tail),
        antimode=found,
        dip=dip,
        silverman=silverman,
        dataset_id=dataset_id,
        n=len(values),
        sha256=hashlib.sha256(little).hexdigest(),
        warnings=_warn(rule, decision, _decide(dip.p, silverman.p, alpha), values),
    )


def _decide(dip_p: float, silverman_p: float, alpha: float) -> str:
    """Return what the two tests say together."""
    if dip_p <= alpha and silverman_p <= 4 * alpha:
        return "bimodal"
    return "unimodal" if dip_p > 2 * alpha else "undecided"


def _medians(values: FloatArray, n_boot: int, seed: int) -> FloatArray:
    """Return the medians of bootstrap samples."""
    if not n_boot or not len(values):
        return np.zeros(0)
    rows: IntArray = bootstrap_indices(
        len(values), n_boot, seed=seed, label="median", purpose=MODES
    ).astype(np.int64)
    return np.asarray(np.median(values[rows], axis=1))


def _warn(rule: str, decision: str, tested: str, values: FloatArray) -> tuple[str, ...]:
    """Return what a reader of a rule must know."""
    said = []
    if _too_few(values):
        said.append("Too few values to test for modes: fewer than 10, or than 4 distinct ones.")
    if decision == "undecided":
        said.append("The tests do not decide: a person must choose median or antimode.")
    if rule == "antimode" and tested != "bimodal":
        said.append(f"An antimode was asked for, but the data are {tested}: it may be an artefact.")
    return tuple(said)
