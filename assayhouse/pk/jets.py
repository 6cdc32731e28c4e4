"""Second-order forward jets: a value with its gradient and Hessian, for all subjects at once.

The axes are component first, subject last: gradient (k, n), Hessian packed (k(k+1)/2, n) with the
pairs i <= j row by row. Nothing of pharmacokinetics is here.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from assayhouse.pk.arrays import FloatArray, IntArray


@lru_cache(maxsize=32)
def pairs(k: int) -> tuple[IntArray, IntArray]:
    """Rows and columns of the packed upper triangle of a k by k matrix."""
    rows, columns = np.triu_indices(k)
    return rows.astype(np.int64), columns.astype(np.int64)


def unpack(packed: FloatArray, k: int) -> FloatArray:
    """Write a packed triangle (p, ...) out as a full symmetric matrix (k, k, ...)."""
    rows, columns = pairs(k)
    full = np.empty((k, k, *packed.shape[1:]))
    full[rows, columns] = packed
    full[columns, rows] = packed
    return full


def outer(a: FloatArray, b: FloatArray) -> FloatArray:
    """Packed a b' + b a' of two gradients (k, n)."""
    rows, columns = pairs(len(a))
    return a[rows] * b[columns] + a[columns] * b[rows]


def square(a: FloatArray) -> FloatArray:
    """Packed a a' of a gradient (k, n)."""
    rows, columns = pairs(len(a))
    return a[rows] * a[columns]


@dataclass(frozen=True, slots=True)
class Jet:
    """A quantity of every subject with its first and second derivatives.

    Parameters
    ----------
    v : (n,) array
        Values.
    g : (k, n) array
        First derivatives.
    h : (k(k+1)/2, n) array
        Second derivatives, packed.
    """

    v: FloatArray
    g: FloatArray
    h: FloatArray

    def __add__(self, other: "Jet") -> "Jet":
        return Jet(self.v + other.v, self.g + other.g, self.h + other.h)

    def __sub__(self, other: "Jet") -> "Jet":
        return Jet(self.v - other.v, self.g - other.g, self.h - other.h)

    def __mul__(self, other: "Jet") -> "Jet":
        return Jet(
            self.v * other.v,
            self.v * other.g + other.v * self.g,
            self.v * other.h + other.v * self.h + outer(self.g, other.g),
        )

    def __truediv__(self, other: "Jet") -> "Jet":
        return self * other.reciprocal()

    def times(self, factor: float | FloatArray) -> "Jet":
        """Multiply by what has no derivatives."""
        return Jet(self.v * factor, self.g * factor, self.h * factor)

    def reciprocal(self) -> "Jet":
        """Jet of 1/x."""
        inverse = 1.0 / self.v
        return self._compose(inverse, -(inverse**2), 2 * inverse**3)

    def sqrt(self) -> "Jet":
        """Jet of the square root of x."""
        root = np.sqrt(self.v)
        return self._compose(root, 0.5 / root, -0.25 / root**3)

    def _compose(self, value: FloatArray, first: FloatArray, second: FloatArray) -> "Jet":
        return Jet(value, first * self.g, first * self.h + second * square(self.g))


def monomial(phi: FloatArray, powers: FloatArray, active: IntArray) -> Jet:
    """Jet of exp(sum of powers times phi), in the active variables.

    Parameters
    ----------
    phi : (k, n) array
        Logarithms of all structural parameters.
    powers : (k,) array
        Exponent of each parameter.
    active : (a,) array of int
        Parameters that derivatives are taken in.

    Returns
    -------
    Jet
        With gradients of length a.
    """
    value = np.exp(powers @ phi)
    of_active = powers[active]
    rows, columns = pairs(len(active))
    second = of_active[rows] * of_active[columns]
    return Jet(value, of_active[:, None] * value, second[:, None] * value)
