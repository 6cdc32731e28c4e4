"""Random numbers that are counted, not drawn: Philox 4x32-10 streams, bootstrap rows, folds.

A word is a function of (seed, label, purpose, sub, replicate, position), so the first hundred
replicates of a thousand are those of a run of a hundred, and no chunk, worker or order of
markers changes a bit. It holds no statistic.
"""

import hashlib
import secrets
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assayhouse.stats.arrays import IntArray
from assayhouse.stats.columns import factorise
from assayhouse.stats.errors import InputError

WordArray: TypeAlias = NDArray[np.uint32]
Rng: TypeAlias = int | np.random.Generator | None

BOOTSTRAP: Final = 0
PERMUTATION: Final = 1
PARAMETRIC: Final = 2
FOLDS: Final = 3
OUTER: Final = 4
MODES: Final = 5
DIP: Final = 6

_MULTIPLY_0 = np.uint64(0xD2511F53)
_MULTIPLY_1 = np.uint64(0xCD9E8D57)
_KEY_STEP = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


def philox4x32(counter: ArrayLike, key: ArrayLike) -> WordArray:
    """Return the Philox 4x32-10 block of each counter.

    Parameters
    ----------
    counter : (..., 4) array of uint32
        Counters, least significant word first.
    key : (2,) array of uint32
        Key of the stream.

    Returns
    -------
    (..., 4) array of uint32
        Four words per counter.

    Raises
    ------
    InputError
        Last axis is not 4, the key is not two words, or a value is no 32-bit word.

    References
    ----------
    .. [1] Salmon JK, Moraes MA, Dror RO, Shaw DE (2011), Parallel random numbers: as easy as
       1, 2, 3. SC11, section 3.3.

    Examples
    --------
    >>> [f"{word:08x}" for word in philox4x32([0, 0, 0, 0], [0, 0]).tolist()]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    words = _as_words(counter, name="counter")
    keys = _as_words(key, name="key")
    if words.ndim == 0 or words.shape[-1] != 4 or keys.shape != (2,):
        message = "counter needs a last axis of 4 words and key 2 words."
        raise InputError(message)
    parts = _philox_rounds(
        *(words[..., part] for part in range(4)), key=(int(keys[0]), int(keys[1]))
    )
    return np.stack(parts, axis=-1).astype(np.uint32)


def _as_words(values: ArrayLike, *, name: str) -> NDArray[np.uint64]:
    """Return 32-bit words held in 64 bits, or say that they are none."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu" or (
        array.size and (array.min() < 0 or array.max() > 2**32 - 1)
    ):
        message = f"{name} holds values that are not 32-bit words."
        raise InputError(message)
    return array.astype(np.uint64)


def _philox_rounds(
    c0: NDArray[np.uint64],
    c1: NDArray[np.uint64],
    c2: NDArray[np.uint64],
    c3: NDArray[np.uint64],
    *,
    key: tuple[int, int],
) -> tuple[NDArray[np.uint64], ...]:
    """Return four arrays of words for counters whose words broadcast against each other."""
    k0, k1 = key
    for _ in range(_ROUNDS):
        product_0 = c0 * _MULTIPLY_0
        product_1 = c2 * _MULTIPLY_1
        c0 = (product_1 >> _HALF) ^ c1 ^ np.uint64(k0)
        c2 = (product_0 >> _HALF) ^ c3 ^ np.uint64(k1)
        c1 = product_1 & _LOW
        c3 = product_0 & _LOW
        k0 = (k0 + _KEY_STEP[0]) & 0xFFFFFFFF
        k1 = (k1 + _KEY_STEP[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def stream_key(seed: int, label: str) -> tuple[int, int]:
    """Return the key of a named stream.

    Parameters
    ----------
    seed : int
        At least 0; any size.
    label : str
        Name of the marker, or ``"*"`` where markers share resamples.

    Returns
    -------
    (int, int)
        Two 32-bit words: blake2b of ``seed|label``, little-endian.

    Raises
    ------
    InputError
        Seed below 0 or no integer.

    References
    ----------
    .. [1] Saarinen MJ, Aumasson JP (2015), The BLAKE2 cryptographic hash, RFC 7693.
    """
    checked = _require_integer(seed, name="seed", least=0)
    digest = hashlib.blake2b(f"{checked}|{label}".encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


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
        _require_integer(value, name=name, least=0)
    for name, value in (("purpose", purpose), ("sub", sub), ("replicate", start)):
        _require_integer(value, name=name, least=0)
    _require_integer(start + n_replicates, name="replicate", least=0)
    key = stream_key(seed, label)
    n_blocks = -(-count // 4)
    block = np.arange(n_blocks, dtype=np.uint64)[None, :]
    replicate = np.arange(start, start + n_replicates, dtype=np.uint64)[:, None]
    shape = (n_replicates, n_blocks)
    parts = _philox_rounds(
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
    _require_integer(n, name="n", least=1)
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
    return _require_integer(rng, name="rng", least=0, most=None)


def _require_integer(value: object, *, name: str, least: int, most: int | None = 2**32 - 1) -> int:
    """Return an integer option within its range."""
    wanted = f"{name} must be an integer of at least {least}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        message = f"{wanted}, not of type {type(value).__name__}."
        raise InputError(message)
    number = int(value)
    if number < least or (most is not None and name != "seed" and number > most):
        message = f"{wanted} and within 32 bits; it is {number}."
        raise InputError(message)
    return number
