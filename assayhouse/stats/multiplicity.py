"""Adjustment of p values for many comparisons within declared families. No family is guessed."""

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray, StrArray, require_word

METHODS = ("none", "holm", "hochberg", "bh", "by", "bonferroni")


def adjust_p(p: ArrayLike, *, method: str, family: ArrayLike) -> FloatArray:
    """Adjust p values within each family.

    A comparison without a p value was planned all the same: it counts in its family, as one
    that shows nothing, and has no adjusted value.

    Parameters
    ----------
    p : (n,) array
        0 to 1, NaN where a comparison gave none.
    method : {"none", "holm", "hochberg", "bh", "by", "bonferroni"}
        Holm and Bonferroni hold the family-wise error under any dependence, Hochberg under
        independence or positive dependence; bh and by hold the false discovery rate.
    family : (n,) array of str
        Comparisons with the same label are adjusted together.

    Returns
    -------
    (n,) array
        In the order given.

    Raises
    ------
    ModelDataError
        Unequal lengths, a p outside 0 to 1, a label that is missing.
    InputError
        Unknown method.

    References
    ----------
    .. [1] Holm S (1979), Scand J Stat 6, 65-70.
    .. [2] Hochberg Y (1988), Biometrika 75, 800-802.
    .. [3] Benjamini Y, Hochberg Y (1995), JRSS B 57, 289-300.
    .. [4] Benjamini Y, Yekutieli D (2001), Ann Stat 29, 1165-1188.

    Examples
    --------
    >>> adjust_p([0.01, 0.02, 0.04], method="holm", family=["a", "a", "b"]).tolist()
    [0.02, 0.02, 0.04]
    """
    require_word(method, name="method", known=METHODS)
    values, labels = _check(p, family)
    adjusted = np.full_like(values, np.nan)
    for label in np.unique(labels):
        members = labels == label
        adjusted[members] = _adjust(values[members], method)
    return adjusted


def _adjust(p: FloatArray, method: str) -> FloatArray:
    filled = np.where(np.isnan(p), 1.0, p)
    n = len(p)
    order = np.argsort(filled, kind="stable")
    rank = np.arange(1, n + 1)
    factor = {
        "none": np.ones(n),
        "bonferroni": np.full(n, float(n)),
        "holm": n + 1.0 - rank,
        "hochberg": n + 1.0 - rank,
        "bh": n / rank,
        "by": n / rank * (1.0 / rank).sum(),
    }[method]
    scaled = factor * filled[order]
    if method == "holm":
        scaled = np.maximum.accumulate(scaled)
    if method in {"hochberg", "bh", "by"}:
        scaled = np.minimum.accumulate(scaled[::-1])[::-1]
    result = np.empty(n)
    result[order] = np.minimum(scaled, 1.0)
    return np.where(np.isnan(p), np.nan, result)


def _check(p: ArrayLike, family: ArrayLike) -> tuple[FloatArray, StrArray]:
    try:
        values = np.asarray(p, dtype=np.float64)
    except (TypeError, ValueError):
        message = "p is not an array of numbers; give NaN where a comparison has none."
        raise ModelDataError(message) from None
    given = np.asarray(family)
    if values.ndim != 1 or given.shape != values.shape:
        message = f"p has shape {values.shape}, family {given.shape}; give one label per p value."
        raise ModelDataError(message)
    unnamed = [row for row, label in enumerate(given.tolist()) if not isinstance(label, str)]
    if unnamed:
        message = f"family must be text; {len(unnamed)} labels are missing or not text."
        raise ModelDataError(message, rows=tuple(unnamed))
    outside = np.flatnonzero((values < 0) | (values > 1))
    if len(outside):
        message = f"{len(outside)} values of p lie outside 0 to 1."
        raise ModelDataError(message, rows=tuple(int(row) for row in outside))
    return values, given.astype(np.str_)
