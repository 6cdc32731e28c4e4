"""A valid p value of a whole search, by repeating it on null data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray, require_word
from assayhouse.stats.batting_checks import require_count
from assayhouse.stats.batting_null import (
    NullData,
    chunks,
    exceedance,
    fuses,
    null_maxima,
    null_procedures,
    parametric_data,
    permuted_data,
    permuted_maxima,
    procedure_statistic,
)
from assayhouse.stats.batting_open import Search, open_search
from assayhouse.stats.batting_prognostic import fit_prognostic
from assayhouse.stats.batting_rules import PassedOptions
from assayhouse.stats.batting_search import direction_of, search_original
from assayhouse.stats.frozen import Frozen, freeze
from assayhouse.stats.resampling import Rng

Tell = Callable[[int, int], None]
_FEW = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedP(Frozen):
    """A p value of the whole search.

    Parameters
    ----------
    p : float
        (1 + null statistics at least as large) / (n_null + 1); NaN where there is no cut.
    statistic : float
        Of the original data.
    null_statistics : (n_null,) array
        Of null data; NaN where there is no cut.
    method : str
        Statistic and null.
    n_null : int
        Null data sets.
    mc_error : float
        Monte Carlo standard error of p.
    seed : int
        Of the null data.
    """

    p: float
    statistic: float
    null_statistics: FloatArray
    method: str
    n_null: int
    mc_error: float
    seed: int


def adjusted_p(
    x: ArrayLike,
    arm: ArrayLike,
    response: ArrayLike,
    *,
    statistic: str = "max",
    null: str = "permutation",
    n_null: int = 9999,
    n_boot: int = 200,
    rng: Rng = None,
    **same_as_batting: Unpack[PassedOptions],
) -> AdjustedP:
    """Return a valid p value by repeating the whole search on null data, direction included.

    Permutation within arm also breaks a prognostic effect of the marker: prefer the parametric
    null where the marker is prognostic.

    Parameters
    ----------
    x, arm, response : (n,) array_like
        As `batting`.
    statistic : {"max", "procedure"}
        Largest statistic over admissible cuts, or the statistic at the aggregated threshold.
    null : {"permutation", "parametric"}
        Marker permuted within arm (and stratum); or responses drawn from arm + z + z^2 (+ strata)
        with z the standardised marker and a ridge of 1e-6.
    n_null : int
        Null data sets.
    n_boot : int
        Replicates per data set, for "procedure".
    rng : int, Generator or None
        Seed.
    **same_as_batting
        Every other keyword of `batting`.

    Returns
    -------
    AdjustedP
        With the null statistics.

    Raises
    ------
    InputError
        A rule of the door is broken.

    References
    ----------
    .. [1] Davison AC, Hinkley DV (1997), Bootstrap Methods and their Application, eq. 4.11.
    .. [2] Westfall PH, Young SS (1993), Resampling-Based Multiple Testing, section 2.3.

    Examples
    --------
    >>> marker, arm = np.arange(40.0), np.arange(40) % 2
    >>> better = ((marker >= 20) & (arm == 1)) | (np.arange(40) % 5 == 0)
    >>> adjusted_p(marker, arm, better, n_null=99, rng=1).p < 0.1
    True
    """
    asked = {"statistic": statistic, "null": null, "n_null": n_null, "n_boot": n_boot, "rng": rng}
    return watched_p(x, arm, response, tell=_silent, **asked, **same_as_batting)  # type: ignore[arg-type]


def _silent(_done: int, _total: int) -> None:
    return


def watched_p(
    x: ArrayLike,
    arm: ArrayLike,
    response: ArrayLike,
    *,
    tell: Tell,
    statistic: str = "max",
    null: str = "permutation",
    n_null: int = 9999,
    n_boot: int = 200,
    rng: Rng = None,
    **same_as_batting: Unpack[PassedOptions],
) -> AdjustedP:
    """Return what `adjusted_p` does, and tell how far it is.

    Parameters
    ----------
    x, arm, response, statistic, null, n_null, n_boot, rng, **same_as_batting
        As `adjusted_p`.
    tell : callable
        Given the null data sets that are done, and how many there are; called between pieces.

    Returns
    -------
    AdjustedP
        The same bits, told or not.

    Raises
    ------
    InputError
        A rule of the door is broken.

    References
    ----------
    .. [1] Davison AC, Hinkley DV (1997), Bootstrap Methods and their Application, eq. 4.11.
    """
    require_word(statistic, name="statistic", known=("max", "procedure"))
    require_word(null, name="null", known=("permutation", "parametric"))
    number = require_count(n_null, name="n_null", least=1)
    search = open_search(x, arm, response, n_boot=n_boot, rng=rng, options=same_as_batting)
    observed = _observed(search, statistic)
    values = _null_statistics(search, statistic, null, number, tell)
    p = exceedance(observed, values)
    return AdjustedP(
        p=p,
        statistic=observed,
        null_statistics=freeze(values),
        method=f"{statistic}, {null}",
        n_null=number,
        mc_error=float(np.sqrt(p * (1 - p) / number)),
        seed=search.seed,
    )


def _observed(search: Search, statistic: str) -> float:
    """Return the statistic of the original data."""
    if statistic == "procedure":
        return procedure_statistic(search.study, search.rules, search.draws)
    direction = direction_of(search.study, search.rules)
    return float(search_original(search.study, search.rules, direction=direction).statistics[0])


def _null_statistics(
    search: Search, statistic: str, null: str, n_null: int, tell: Tell
) -> FloatArray:
    """Return the statistic of every null data set."""
    study, rules = search.study, search.rules
    if statistic == "max" and null == "permutation" and fuses(study, rules):
        return permuted_maxima(study, rules, seed=search.seed, label=search.label, n_null=n_null)
    pieces = []
    for start, data in _null_pieces(search, null, n_null, fine=statistic != "max"):
        tell(start, n_null)
        pieces.append(
            null_maxima(study, rules, data)
            if statistic == "max"
            else null_procedures(study, rules, data, search.draws, start=start)
        )
    return np.concatenate(pieces)


def _null_pieces(
    search: Search, null: str, n_null: int, *, fine: bool
) -> Iterator[tuple[int, NullData]]:
    """Yield null data sets in pieces, with the number of the first; small where each takes long."""
    study = search.study
    model = fit_prognostic(study) if null == "parametric" and study.kept.any() else None
    most = _FEW if fine or not study.dense else n_null
    for start, stop in chunks(n_null, len(study.marker), most=most):
        stream = {"seed": search.seed, "label": search.label, "start": start, "stop": stop}
        if model is None:
            yield start, permuted_data(study, **stream)  # type: ignore[arg-type]
        else:
            yield start, parametric_data(study, model, **stream)  # type: ignore[arg-type]
