"""Dips of a sample and of uniform samples, compiled where that is possible."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import numpy as np

from assayhouse.stats.arrays import FloatArray
from assayhouse.stats.modes_dip import FAMILY, dip_rows, dip_sorted
from assayhouse.stats.resampling import DIP, replicate_words, uniforms

_CHUNK = 1 << 20
_WORTH_COMPILING = 1 << 17


@cache
def _compiled_rows() -> Callable[..., Any]:
    """Return `dip_rows` as compiled code."""
    module = import_module("assayhouse.stats.compiled")
    return cast("Callable[..., Any]", module.compile_family(FAMILY)["dip_rows"])


def _choose_rows(work: int) -> Callable[..., Any]:
    """Return `dip_rows`, compiled for much work where that is possible; the bits are the same."""
    if work < _WORTH_COMPILING or find_spec("numba") is None:
        return dip_rows
    return _compiled_rows()


def dip_of(values: FloatArray) -> tuple[float, int, int]:
    """Return the dip of sorted values and the ends of the modal interval.

    Parameters
    ----------
    values : (n,) array
        Ascending.

    Returns
    -------
    (float, int, int)
        As `dip_sorted`.

    References
    ----------
    .. [1] Hartigan PM (1985), Applied Statistics 34, 320-325.
    """
    statistic, low, high = dip_sorted(values)
    return float(statistic), int(low), int(high)


def null_dips(n: int, n_sim: int, *, seed: int, label: str) -> FloatArray:
    """Return the dips of uniform samples.

    Parameters
    ----------
    n, n_sim : int
        Values per sample, and samples.
    seed, label : int, str
        Stream.

    Returns
    -------
    (n_sim,) array
        In the order of the replicates.

    References
    ----------
    .. [1] Hartigan JA, Hartigan PM (1985), Annals of Statistics 13, 70-84, section 4.
    """
    out = np.empty(n_sim)
    rows = _choose_rows(n * n_sim)
    step = max(_CHUNK // n, 1)
    for start in range(0, n_sim, step):
        number = min(step, n_sim - start)
        words = replicate_words(seed, label, start=start, n_replicates=number, count=n, purpose=DIP)
        samples = np.sort(uniforms(words), axis=1)
        rows(samples, out[start : start + number])
    return out
