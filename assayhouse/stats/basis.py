"""The design of a batch of regressions in orthonormal coordinates, with its stored products.

Whatever is computed for one problem is computed from that problem alone, by sums of one
order: nothing here is a matrix product across the batch, so the neighbours of a problem
cannot move its last digits. The price against one large product is a factor of about two in
this step, and a fit no longer depends on how a job was cut.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray

EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Designs X = QR of a batch; ``shared`` when one design serves every problem.

    Parameters
    ----------
    rows : (p, n) or (b, p, n) array
        Q transposed.
    triangle : (1, p, p) or (b, p, p) array
        R, so that coefficients of X are R^-1 times those of Q.
    products : (q, n) or (b, q, n) array
        The q = p (p + 1) / 2 different products of two columns of Q, subject by subject.
    shared : bool
        One design for all.
    """

    rows: FloatArray
    triangle: FloatArray
    products: FloatArray
    shared: bool

    def take(self, problems: IntArray | BoolArray) -> "Basis":
        """Return the basis of some of the problems.

        Parameters
        ----------
        problems : array
            Positions in the batch, or a mask of it.

        Returns
        -------
        Basis
            Itself when the design is shared.
        """
        if self.shared:
            return self
        return Basis(
            rows=self.rows[problems],
            triangle=self.triangle[problems],
            products=self.products[problems],
            shared=False,
        )

    def weighted_gram(self, weights: FloatArray) -> FloatArray:
        """Q'WQ of every problem.

        Parameters
        ----------
        weights : (b, n) array
            Diagonal of W.

        Returns
        -------
        (b, p, p) array
            Symmetric to the last bit.
        """
        packed = np.einsum("bn,qn->bq" if self.shared else "bn,bqn->bq", weights, self.products)
        return np.asarray(packed[:, _unpacking(self.rows.shape[-2])])

    def project(self, values: FloatArray) -> FloatArray:
        """Q' times the values of every problem.

        Parameters
        ----------
        values : (b, n) array
            One row per problem.

        Returns
        -------
        (b, p) array
            Coefficients of Q.
        """
        path = "bn,pn->bp" if self.shared else "bn,bpn->bp"
        return np.asarray(np.einsum(path, values, self.rows), dtype=np.float64)

    def predict(self, coefficients: FloatArray) -> FloatArray:
        """Q times the coefficients of every problem.

        Parameters
        ----------
        coefficients : (b, p) array
            Coefficients of Q.

        Returns
        -------
        (b, n) array
            Fitted values.
        """
        path = "bp,pn->bn" if self.shared else "bp,bpn->bn"
        return np.asarray(np.einsum(path, coefficients, self.rows), dtype=np.float64)


def build_basis(design: FloatArray) -> tuple[Basis, BoolArray]:
    """Orthonormal basis of every design, and which designs have full rank.

    Columns are brought to length one first, so that the unit of a covariate has no say in
    whether a design counts as singular.

    Parameters
    ----------
    design : (n, p) or (b, n, p) array
        One design for all problems, or one each, with n >= p.

    Returns
    -------
    Basis
        Not to be used where the rank is short.
    (1,) or (b,) array of bool
        Full rank.

    References
    ----------
    .. [1] Golub GH, Van Loan CF (2013), Matrix Computations, 4th ed., section 5.2 (QR), 5.4 (rank).
    """
    shared = design.ndim == 2
    stack = design[None] if shared else design
    n, p = stack.shape[1:]
    lengths = np.sqrt(np.einsum("bnp,bnp->bp", stack, stack))
    lengths[lengths == 0] = 1.0
    q, r = np.linalg.qr(stack / lengths[:, None, :])
    singular = np.linalg.svd(r, compute_uv=False)
    full = singular[:, -1] > singular[:, 0] * max(n, p) * EPSILON
    rows = np.ascontiguousarray(q.transpose(0, 2, 1))
    first, second = np.triu_indices(p)
    products = rows[:, first] * rows[:, second]
    triangle = r * lengths[:, None, :]
    if shared:
        return Basis(rows=rows[0], triangle=triangle, products=products[0], shared=True), full
    return Basis(rows=rows, triangle=triangle, products=products, shared=False), full


def is_singular(gram: FloatArray, *, n: int) -> BoolArray:
    """Tell which symmetric matrices cannot be inverted in double precision.

    Parameters
    ----------
    gram : (b, p, p) array
        Sums over n subjects.
    n : int
        Number of subjects.

    Returns
    -------
    (b,) array of bool
        Also true where a value is not finite.
    """
    finite = np.asarray(np.isfinite(gram).all(axis=(1, 2)))
    values = np.abs(np.linalg.eigvalsh(np.where(finite[:, None, None], gram, 0.0)))
    return np.asarray(values.min(axis=1) <= values.max(axis=1) * n * EPSILON)


def solve_each(matrices: FloatArray, right: FloatArray) -> FloatArray:
    """Solve every problem's linear system; NaN where it has no solution.

    Parameters
    ----------
    matrices : (b, p, p) array
        Left sides.
    right : (b, p, k) array
        Right sides.

    Returns
    -------
    (b, p, k) array
        Solutions.
    """
    try:
        return np.asarray(np.linalg.solve(matrices, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.stack([_solve_one(a, b) for a, b in zip(matrices, right, strict=True)])


def _solve_one(matrix: FloatArray, right: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full_like(right, np.nan)


@cache
def _unpacking(p: int) -> IntArray:
    """Where each cell of a symmetric (p, p) matrix stands in its packed upper triangle."""
    cells = np.zeros((p, p), dtype=np.int64)
    first, second = np.triu_indices(p)
    cells[first, second] = np.arange(len(first))
    cells[second, first] = np.arange(len(first))
    return cells
