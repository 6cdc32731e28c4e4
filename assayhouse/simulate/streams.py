"""Counter-based random numbers, keyed by what they are for. Holds no distribution of the study.

A stream belongs to (seed, words). Row ``i`` of a stream is a fixed stretch of the counter, so it
does not depend on how many rows are drawn, nor on any other stream.
"""

import hashlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def stream(seed: int, *words: str) -> np.random.Philox:
    """Open the stream of a purpose.

    Parameters
    ----------
    seed : int
        Seed of the study.
    *words : str
        Purpose, analyte, arm ...: the address of the stream.
    """
    name = "\x1f".join((str(seed), *words)).encode()
    digest = hashlib.blake2b(name, digest_size=16).digest()
    return np.random.Philox(key=int.from_bytes(digest, "little"))


def uniforms(seed: int, *words: str, rows: int, columns: int) -> FloatArray:
    """Draw a (rows, columns) table on the open interval (0, 1), one counter step per cell.

    Examples
    --------
    >>> few = uniforms(1, "demo", rows=2, columns=3)
    >>> many = uniforms(1, "demo", rows=5, columns=3)
    >>> bool((few == many[:2]).all())
    True
    """
    raw = np.asarray(stream(seed, *words).random_raw(rows * columns), dtype=np.uint64)
    table = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return table.reshape(rows, columns)


def normals(seed: int, *words: str, rows: int, columns: int) -> FloatArray:
    """Draw a (rows, columns) table of standard normals.

    Box-Muller, because it takes exactly two counter steps per number; the usual rejection
    methods take a varying number and would tie a row to the rows before it.

    References
    ----------
    .. [1] Box GEP, Muller ME (1958), Ann Math Stat 29(2), 610-611.
    """
    pairs = uniforms(seed, *words, rows=rows, columns=2 * columns)
    radius = np.sqrt(-2.0 * np.log(pairs[:, :columns]))
    return np.asarray(radius * np.cos(2.0 * np.pi * pairs[:, columns:]), dtype=np.float64)


def permutation(seed: int, *words: str, size: int) -> IntArray:
    """Draw an order of ``size`` things."""
    return np.argsort(uniforms(seed, *words, rows=size, columns=1)[:, 0], kind="stable").astype(
        np.int64
    )


def choose(seed: int, *words: str, candidates: list[int], size: int) -> list[int]:
    """Draw ``size`` different members of ``candidates``, returned in ascending order."""
    order = permutation(seed, *words, size=len(candidates))
    return sorted(candidates[int(index)] for index in order[:size])
