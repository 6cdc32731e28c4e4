"""Random numbers that are counted, not drawn: Philox 4x32-10 streams, bootstrap rows, folds.

A word is a function of (seed, label, purpose, sub, replicate, position), so the first hundred
replicates of a thousand are those of a run of a hundred, and no chunk, worker or order of
markers changes a bit. It holds no statistic.
"""

import secrets
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assayhouse.stats.arrays import IntArray
from assayhouse.stats.factors import factorise
from assayhouse.stats.integers import require_integer
from assayhouse.stats.philox import (
    WordArray,
    philox4x32,
    philox_rounds,
    stream_key,
)

__all__ = [
    "bootstrap_indices",
    "permuted_rows",
    "philox4x32",
    "replicate_words",
    "resolve_seed",
    "stream_key",
    "stream_words",
    "uniforms",
]

Rng: TypeAlias = int | np.random.Generator | None

BOOTSTRAP: Final = 0
PERMUTATION: Final = 1
PARAMETRIC: Final = 2
FOLDS: Final = 3
OUTER: Final = 4
MODES: Final = 5
DIP: Final = 6

_HALF = np.uint64(32)


def stream_words(
    seed: int, label: str, *, replicate: int, count: int, purpose: int = 0, sub: int = 0
) -> WordArray:
    """Return the first words of one replicate of a stream.

    Parameters
    ----------
    seed, label : int, str
        Name of the stream.
    replicate : int
        Number of the replicate, from 0.
    count : int
        Words wanted.
    purpose : int
        0 bootstrap, 1 permutation, 2 parametric null, 3 folds, 4 outer bootstrap, 5 mode
        interval, 6 dip null.
    sub : int
        Outer replicate or repeat, else 0.

    Returns
    -------
    (count,) array of uint32
        Word i is output i % 4 of the block with counter (i // 4, replicate, sub, purpose).

    Raises
    ------
    InputError
        A number below 0 or above 32 bits.

    References
    ----------
    .. [1] Salmon JK et al. (2011), SC11, section 3.3.
    """
    words = replicate_words(
        seed, label, start=replicate, n_replicates=1, count=count, purpose=purpose, sub=sub
    )
    return np.asarray(words[0])


def replicate_words(
    seed: int,
    label: str,
    *,
    start: int,
    n_replicates: int,
    count: int,
    purpose: int = 0,
    sub: int = 0,
) -> WordArray:
    """Return `stream_words` of consecutive replicates, one row each.

    Parameters
    ----------
    seed, label : int, str
        Name of the stream.
    start, n_replicates : int
        First replicate and how many.
    count, purpose, sub : int
        As `stream_words`.

    Returns
    -------
    (n_replicates, count) array of uint32
        Words.

    Raises
    ------
    InputError
        A number below 0 or above 32 bits.

    References
    ----------
    .. [1] Salmon JK et al. (2011), SC11, section 3.3.
    """
    for name, value in (("count", count), ("n_replicates", n_replicates)):
        require_integer(value, name=name, least=0)
    for name, value in (("purpose", purpose), ("sub", sub), ("replicate", start)):
        require_integer(value, name=name, least=0)
    require_integer(start + n_replicates, name="replicate", least=0)
    key = stream_key(seed, label)
    n_blocks = -(-count // 4)
    block = np.arange(n_blocks, dtype=np.uint64)[None, :]
    replicate = np.arange(start, start + n_replicates, dtype=np.uint64)[:, None]
    shape = (n_replicates, n_blocks)
    parts = philox_rounds(
        np.broadcast_to(block, shape),
        np.broadcast_to(replicate, shape),
        np.full(shape, sub, dtype=np.uint64),
        np.full(shape, purpose, dtype=np.uint64),
        key=key,
    )
    words = np.empty((n_replicates, n_blocks, 4), dtype=np.uint32)
    for part, values in enumerate(parts):
        words[:, :, part] = values
    return np.asarray(words.reshape(n_replicates, 4 * n_blocks)[:, :count])


def bootstrap_indices(
    n: int,
    n_boot: int,
    *,
    seed: int,
    label: str = "x",
    groups: ArrayLike | None = None,
    start: int = 0,
    purpose: int = 0,
    sub: int = 0,
) -> WordArray:
    """Return rows of bootstrap replicates.

    Parameters
    ----------
    n : int
        Rows of the data.
    n_boot : int
        Replicates.
    seed, label : int, str
        Name of the stream.
    groups : (n,) array_like, optional
        Labels; a row is then replaced by a member of its own group, so group sizes are kept.
    start : int
        Number of the first replicate.
    purpose, sub : int
        As `stream_words`.

    Returns
    -------
    (n_boot, n) array of uint32
        0-based rows.

    Raises
    ------
    InputError
        A size that is no integer or out of range, or groups of another length.

    References
    ----------
    .. [1] Efron B, Tibshirani RJ (1993), An Introduction to the Bootstrap, section 6.2.
    .. [2] Salmon JK et al. (2011), SC11, section 3.3.

    Examples
    --------
    >>> rows = bootstrap_indices(5, 3, seed=1)
    >>> rows.shape, bool((bootstrap_indices(5, 1, seed=1, start=2) == rows[2:]).all())
    ((3, 5), True)
    """
    require_integer(n, name="n", least=1)
    words = replicate_words(
        seed, label, start=start, n_replicates=n_boot, count=n, purpose=purpose, sub=sub
    )
    if groups is None:
        return ((words.astype(np.uint64) * np.uint64(n)) >> _HALF).astype(np.uint32)
    codes = factorise(groups, n=n, name="groups").codes
    members = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes + 1)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    own_size = sizes[codes + 1].astype(np.uint64)
    number = (words.astype(np.uint64) * own_size) >> _HALF
    return np.asarray(members[number.astype(np.int64) + first[codes + 1]], dtype=np.uint32)


def permuted_rows(words: WordArray, groups: IntArray) -> IntArray:
    """Return, for each replicate, the row whose value every row takes.

    Parameters
    ----------
    words : (r, n) array of uint32
        One word per row.
    groups : (n,) array of int
        Rows trade places within a group; a group below 0 stays in place.

    Returns
    -------
    (r, n) array of int
        Members of a group in the order of their words; equal words keep the order of the rows.

    References
    ----------
    .. [1] Fisher RA, Yates F (1938), Statistical Tables, on random permutations.
    """
    rows = np.broadcast_to(np.arange(len(groups)), words.shape).copy()
    for group in np.unique(groups[groups >= 0]):
        members = np.flatnonzero(groups == group)
        rows[:, members] = members[np.argsort(words[:, members], axis=1, kind="stable")]
    return rows


def uniforms(words: WordArray) -> NDArray[np.float64]:
    """Return words as numbers strictly between 0 and 1.

    Parameters
    ----------
    words : array of uint32
        Words.

    Returns
    -------
    array
        (word + 0.5) / 2^32.

    References
    ----------
    .. [1] Salmon JK et al. (2011), SC11, section 3.3.
    """
    return (words.astype(np.float64) + 0.5) / 2.0**32


def resolve_seed(rng: Rng) -> int:
    """Return the seed that an `rng` argument stands for.

    Parameters
    ----------
    rng : int, Generator or None
        An integer is the seed itself, a generator is asked once, None takes entropy.

    Returns
    -------
    int
        At least 0; results store it.

    Raises
    ------
    InputError
        Neither of the three, or an integer below 0.
    """
    if rng is None:
        return secrets.randbits(63)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    return require_integer(rng, name="rng", least=0, most=None)
