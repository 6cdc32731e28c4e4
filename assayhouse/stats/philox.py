"""Philox 4x32-10: four words from a counter and a key, and the key of a named stream."""

import hashlib
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assayhouse.stats.errors import InputError
from assayhouse.stats.integers import require_integer

WordArray: TypeAlias = NDArray[np.uint32]

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
    parts = philox_rounds(
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


def philox_rounds(
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


def round_keys(key: tuple[int, int]) -> NDArray[np.uint64]:
    """Return the key words of the ten rounds.

    Parameters
    ----------
    key : (int, int)
        Key of the stream.

    Returns
    -------
    (10, 2) array of uint64
        As compiled code takes them.

    References
    ----------
    .. [1] Salmon JK et al. (2011), SC11, section 3.3.
    """
    rounds = [
        [(word + turn * step) & 0xFFFFFFFF for word, step in zip(key, _KEY_STEP, strict=True)]
        for turn in range(_ROUNDS)
    ]
    return np.array(rounds, dtype=np.uint64)


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
    checked = require_integer(seed, name="seed", least=0)
    digest = hashlib.blake2b(f"{checked}|{label}".encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")
