"""Response rates: Wilson's limits, stratified differences between two arms, the subset table.

It holds no figures and no frames; `SubsetTable.to_records` is what a report reads.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erfc, ndtri

from assayhouse.stats.arrays import FloatArray, require_word
from assayhouse.stats.columns import as_binary, as_column, keep_complete
from assayhouse.stats.errors import InputError
from assayhouse.stats.factors import factorise
from assayhouse.stats.frozen import freeze
from assayhouse.stats.proportions_intervals import (
    Strata,
    miettinen_nurminen_limits,
    newcombe_limits,
    sato_limits,
    wald_limits,
    wilson_limits,
)
from assayhouse.stats.proportions_results import RiskDifference, SubsetRow, SubsetTable

__all__ = [
    "RiskDifference",
    "SubsetRow",
    "SubsetTable",
    "normal_quantile",
    "risk_difference",
    "risk_difference_counts",
    "subset_table",
    "wilson",
]

_LIMITS: dict[str, Callable[[Strata, float], tuple[float, float]]] = {
    "newcombe": newcombe_limits,
    "mn": miettinen_nurminen_limits,
    "sato": sato_limits,
    "wald": wald_limits,
}


def normal_quantile(conf_level: float) -> float:
    """Return the two-sided normal quantile of a confidence level.

    Parameters
    ----------
    conf_level : float
        Between 0 and 1.

    Returns
    -------
    float
        1.96 for 0.95.

    Raises
    ------
    InputError
        Not strictly between 0 and 1.

    References
    ----------
    .. [1] Abramowitz M, Stegun IA (1964), Handbook of Mathematical Functions, 26.2.
    """
    if not 0 < conf_level < 1:
        message = f"conf_level={conf_level!r} must lie strictly between 0 and 1."
        raise InputError(message)
    return float(-ndtri((1 - conf_level) / 2))


def wilson(
    y: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95, z: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's score limits of a rate.

    Parameters
    ----------
    y, n : array_like of int
        Responders and subjects; they broadcast.
    conf_level : float
        Coverage aimed at.
    z : array_like, optional
        Normal quantile; overrides ``conf_level``.

    Returns
    -------
    (lower, upper)
        Fractions; NaN where n is 0.

    Raises
    ------
    InputError
        Counts that are no counts, or more responders than subjects.

    References
    ----------
    .. [1] Wilson EB (1927), JASA 22, 209-212.

    Examples
    --------
    >>> lower, upper = wilson(11, 11)
    >>> round(float(lower), 4), float(upper)
    (0.7412, 1.0)
    """
    quantile = normal_quantile(conf_level) if z is None else z
    responders, subjects, wide = np.broadcast_arrays(
        _as_counts(y, name="y"), _as_counts(n, name="n"), np.asarray(quantile, dtype=np.float64)
    )
    if (responders > subjects).any():
        message = "y exceeds n: more responders than subjects."
        raise InputError(message)
    return wilson_limits(responders, subjects, wide)


def _as_counts(values: ArrayLike, *, name: str) -> FloatArray:
    """Return whole numbers of at least zero."""
    try:
        counts = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        counts = np.array([np.nan])
    if not (np.isfinite(counts).all() and (counts >= 0).all() and (counts % 1 == 0).all()):
        message = f"{name} must be whole numbers of at least zero."
        raise InputError(message)
    return counts


def risk_difference(
    response: ArrayLike,
    arm: ArrayLike,
    strata: ArrayLike | None = None,
    *,
    method: str = "newcombe",
    weights: str = "cmh",
    conf_level: float = 0.95,
    missing: str = "drop",
) -> RiskDifference:
    """Return the stratified difference of response rates between two arms.

    Strata in which an arm is empty are left out before the weights are made; their number is
    in the warnings.

    Parameters
    ----------
    response, arm : (n,) array_like
        0 or 1; arm 1 is active.
    strata : (n,) or (n, k) array_like, optional
        Labels, or columns whose distinct rows are the strata.
    method : {"newcombe", "mn", "sato", "wald"}
        Kind of limits.
    weights : {"cmh"}
        n1 n0 / (n1 + n0), normalised.
    conf_level : float
        Coverage aimed at.
    missing : {"drop", "error"}
        What to do about rows with a missing value.

    Returns
    -------
    RiskDifference
        Strata in ascending order of their labels.

    Raises
    ------
    InputError
        Wrong lengths, values other than 0 and 1, or an unknown option.

    References
    ----------
    .. [1] Yan X, Su XG (2010), Statistics in Biopharmaceutical Research 2, 329-335, eq. 2-5.
    .. [2] Miettinen O, Nurminen M (1985), Statistics in Medicine 4, 213-226, eq. 21.
    .. [3] Sato T (1989), Biometrics 45, 1323-1324.

    Examples
    --------
    >>> found = risk_difference([1, 1, 0, 0, 1, 0], [1, 1, 1, 0, 0, 0])
    >>> round(found.estimate, 3), round(found.lower, 3), round(found.upper, 3)
    (0.333, -0.316, 0.718)
    """
    y = as_binary(response, name="response")
    active = as_binary(arm, name="arm", n=len(y))
    codes = np.zeros(len(y), dtype=np.int64)
    if strata is not None:
        codes = factorise(strata, n=len(y), name="strata").codes
    present = ~np.isnan(y) & ~np.isnan(active) & (codes >= 0)
    kept = keep_complete(present, missing=missing)
    levels, place = np.unique(codes[kept], return_inverse=True)
    counts = np.zeros((2, 2, max(len(levels), 1)), dtype=np.int64)
    np.add.at(counts, (active[kept].astype(np.int64), y[kept].astype(np.int64), place), 1)
    return risk_difference_counts(
        counts[1, 1],
        counts[1].sum(axis=0),
        counts[0, 1],
        counts[0].sum(axis=0),
        method=method,
        weights=weights,
        conf_level=conf_level,
    )


def risk_difference_counts(
    y1: ArrayLike,
    n1: ArrayLike,
    y0: ArrayLike,
    n0: ArrayLike,
    *,
    method: str = "newcombe",
    weights: str = "cmh",
    conf_level: float = 0.95,
) -> RiskDifference:
    """Return the stratified difference of response rates from counts.

    Parameters
    ----------
    y1, n1, y0, n0 : scalars or (K,) array_like of int
        Responders and subjects of the active arm (1) and of control (0), per stratum.
    method, weights, conf_level
        As `risk_difference`.

    Returns
    -------
    RiskDifference
        Strata in the order given.

    Raises
    ------
    InputError
        Counts that are no counts, of unequal length, or an unknown option.

    References
    ----------
    .. [1] Yan X, Su XG (2010), Statistics in Biopharmaceutical Research 2, 329-335, eq. 2-5.
    .. [2] Mantel N, Haenszel W (1959), JNCI 22, 719-748.

    Examples
    --------
    >>> found = risk_difference_counts(44, 81, 29, 83)
    >>> [round(100 * value, 2) for value in (found.estimate, found.lower, found.upper)]
    [19.38, 4.17, 33.39]
    """
    require_word(method, name="method", known=tuple(_LIMITS))
    require_word(weights, name="weights", known=("cmh",))
    z = normal_quantile(conf_level)
    names = {"y1": y1, "n1": n1, "y0": y0, "n0": n0}
    counts = [np.atleast_1d(_as_counts(value, name=name)) for name, value in names.items()]
    if {entry.shape for entry in counts} != {(len(counts[0]),)}:
        message = "y1, n1, y0 and n0 must have one length, the number of strata."
        raise InputError(message)
    if (counts[0] > counts[1]).any() or (counts[2] > counts[3]).any():
        message = "More responders than subjects in a stratum."
        raise InputError(message)
    used = (counts[1] > 0) & (counts[3] > 0)
    share = np.zeros(len(used))
    share[used] = counts[1][used] * counts[3][used] / (counts[1] + counts[3])[used]
    if used.any():
        share /= share.sum()
    kept = Strata(
        y1=counts[0][used],
        n1=counts[1][used],
        y0=counts[2][used],
        n0=counts[3][used],
        weights=share[used],
    )
    estimate, lower, upper, p_cmh = np.nan, np.nan, np.nan, np.nan
    if used.any():
        estimate = kept.difference()
        lower, upper = (min(max(limit, -1.0), 1.0) for limit in _LIMITS[method](kept, z))
        p_cmh = _cmh_p(kept)
    return RiskDifference(
        estimate=estimate,
        lower=lower,
        upper=upper,
        conf_level=conf_level,
        method=method,
        weights=freeze(share),
        **{name: freeze(entry.astype(np.int64)) for name, entry in zip(names, counts, strict=True)},
        n_strata_used=int(used.sum()),
        p_cmh=p_cmh,
        warnings=_count_dropped(int((~used).sum()), len(used)),
    )


def _count_dropped(dropped: int, total: int) -> tuple[str, ...]:
    """Return a warning about strata without one of the arms."""
    if not dropped:
        return ()
    return (f"{dropped} of {total} strata have nobody in one arm and were left out.",)


def _cmh_p(strata: Strata) -> float:
    """Return the p value of the Cochran-Mantel-Haenszel test, uncorrected."""
    size, total = strata.n1 + strata.n0, strata.y1 + strata.y0
    excess = float(np.sum(strata.y1 - strata.n1 * total / size))
    variance = strata.n1 * strata.n0 * total * (size - total) / (size**2 * (size - 1))
    if not variance.sum() > 0:
        return np.nan
    return float(erfc(np.sqrt(excess**2 / float(variance.sum()) / 2)))


def subset_table(
    response: ArrayLike,
    arm: ArrayLike,
    subsets: Mapping[str, ArrayLike],
    strata: ArrayLike | None = None,
    *,
    method: str = "newcombe",
    conf_level: float = 0.95,
    missing: str = "drop",
) -> SubsetTable:
    """Return differences of response rates overall and in subsets.

    Parameters
    ----------
    response, arm, strata, method, conf_level, missing
        As `risk_difference`.
    subsets : dict of (n,) array_like of bool
        Membership by label; a missing membership belongs to no side.

    Returns
    -------
    SubsetTable
        "Overall" first, then the subsets in the order given.

    Raises
    ------
    InputError
        As `risk_difference`.

    References
    ----------
    .. [1] Yan X, Su XG (2010), Statistics in Biopharmaceutical Research 2, 329-335, eq. 2-5.

    Examples
    --------
    >>> table = subset_table([1, 0, 1, 0], [1, 1, 0, 0], {"men": [True, False, True, True]})
    >>> [(row.label, row.n1, row.n0) for row in table.rows]
    [('Overall', 2, 2), ('men', 1, 2)]
    """
    y = as_binary(response, name="response")
    active = as_binary(arm, name="arm", n=len(y))
    labels = None
    if strata is not None:
        labels = factorise(strata, n=len(y), name="strata").codes.astype(np.float64)
        labels[labels < 0] = np.nan
    members = {"Overall": np.ones(len(y))}
    for label, values in subsets.items():
        column = as_binary(values, name="a subset", n=len(y))
        keep_complete(~np.isnan(column), missing=missing)
        members[label] = column
    rows = []
    for label, column in members.items():
        inside = column == 1
        result = risk_difference(
            y[inside],
            active[inside],
            None if labels is None else as_column(labels[inside], name="strata"),
            method=method,
            conf_level=conf_level,
            missing=missing,
        )
        sizes = {name: int(getattr(result, name).sum()) for name in ("n1", "y1", "n0", "y0")}
        rows.append(SubsetRow(label=str(label), result=result, **sizes))
    return SubsetTable(rows=tuple(rows))
