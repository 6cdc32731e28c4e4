"""Linear algebra of many small symmetric matrices: axes (q, q, n), one matrix per subject."""

import numpy as np

from assayhouse.pk.arrays import BoolArray, FloatArray


def factor(a: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Cholesky factors, and which matrices are positive definite.

    Parameters
    ----------
    a : (q, q, n) array
        Symmetric matrices.

    Returns
    -------
    tuple
        Lower triangles (q, q, n), of use only where the second, (n,) of bool, holds.
    """
    lower = np.zeros_like(a)
    good = np.ones(a.shape[2], dtype=np.bool_)
    for j in range(len(a)):
        pivot = a[j, j] - (lower[j, :j] ** 2).sum(axis=0)
        good &= pivot > 1e-14 * np.abs(a[j, j])
        root = np.sqrt(np.where(good, pivot, 1.0))
        lower[j, j] = root
        for i in range(j + 1, len(a)):
            lower[i, j] = (a[i, j] - (lower[i, :j] * lower[j, :j]).sum(axis=0)) / root
    return lower, good


def solve(lower: FloatArray, b: FloatArray) -> FloatArray:
    """Solve (L L') x = b.

    Parameters
    ----------
    lower : (q, q, n) array
        Factors of `factor`.
    b : (q, n) or (q, r, n) array
        Right sides.
    """
    q = len(lower)
    wide = b if b.ndim == 3 else b[:, None]
    x = np.empty_like(wide)
    for i in range(q):
        x[i] = (wide[i] - (lower[i, :i, None] * x[:i]).sum(axis=0)) / lower[i, i]
    for i in reversed(range(q)):
        x[i] = (x[i] - (lower[i + 1 :, i, None] * x[i + 1 :]).sum(axis=0)) / lower[i, i]
    return x if b.ndim == 3 else x[:, 0]


def invert(lower: FloatArray) -> FloatArray:
    """Inverse of L L': (q, q, n)."""
    q, _, n = lower.shape
    eye = np.broadcast_to(np.eye(q)[:, :, None], (q, q, n))
    return solve(lower, np.ascontiguousarray(eye))


def log_determinant(lower: FloatArray) -> FloatArray:
    """Logarithm of the determinant of L L': (n,)."""
    diagonal = np.stack([lower[i, i] for i in range(len(lower))])
    return np.asarray(2 * np.log(diagonal).sum(axis=0))
