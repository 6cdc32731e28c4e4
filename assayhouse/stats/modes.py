"""Modes of one marker: is it bimodal, where is the antimode, and which a-priori cut follows.

Missing values are left out throughout. The module decides nothing about a trial: a rule is made
on one data set, carries its provenance, and is applied to another without being estimated again.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray, require_word
from assayhouse.stats.columns import as_column
from assayhouse.stats.errors import InputError
from assayhouse.stats.frozen import Frozen
from assayhouse.stats.modes_antimode import (
    Antimode,
    KdeModes,
    antimode,
    critical_bandwidth,
    kde_modes,
)
from assayhouse.stats.modes_door import NAN, Pair, percentiles, read_tail, read_values, too_few
from assayhouse.stats.modes_tests import DipTest, SilvermanTest, dip_test, silverman_test
from assayhouse.stats.resampling import MODES, Rng, bootstrap_indices, resolve_seed

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
    tail = read_tail(conf_level)
    values = read_values(x)
    seed = resolve_seed(rng)
    dip = dip_test(values, n_sim=n_sim, rng=seed)
    silverman = silverman_test(values, rng=seed)
    decision = "fixed" if rule != "auto" else _decide(dip.p, silverman.p, alpha)
    by_rule = {"bimodal": "antimode", "unimodal": "median", "undecided": "median"}
    chosen = by_rule.get(decision, rule)
    found = None
    if chosen == "antimode" or decision == "undecided":
        found = antimode(values, n_boot=n_boot, conf_level=conf_level, rng=seed)
    middle = float(np.median(values)) if len(values) else NAN
    little = np.sort(values).astype("<f8").tobytes()
    return CutRule(
        value=found.value if found is not None and chosen == "antimode" else middle,
        rule=chosen,
        decision=decision,
        median=middle,
        median_ci=percentiles(_medians(values, n_boot, seed), tail),
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
    if too_few(values):
        said.append("Too few values to test for modes: fewer than 10, or than 4 distinct ones.")
    if decision == "undecided":
        said.append("The tests do not decide: a person must choose median or antimode.")
    if rule == "antimode" and tested != "bimodal":
        said.append(f"An antimode was asked for, but the data are {tested}: it may be an artefact.")
    return tuple(said)
