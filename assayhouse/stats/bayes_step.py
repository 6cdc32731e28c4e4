"""One Bayesian linear regression step for many imputations: draw parameters, then values.

Every sum runs over the subjects of one imputation in one order, so an imputation's numbers do
not depend on how many others are drawn with it.
"""

from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.truncated import draw_truncated

RIDGE = 1e-5
"""Share of the diagonal of X'X that is added to it."""

_DEPENDENT = 1e-7
"""A column with less than this share of its length outside the span of others is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRows:
    """Which subjects of a group one visit's regression learns from, and for whom it draws.

    Parameters
    ----------
    fit : (f,) array of int
        Subjects with a value, seen or drawn within its limits.
    free : (k,) array of int
        Subjects without a value.
    bound : (c,) array of int
        Subjects of whose value only limits are known.
    lower, upper : (c,) arrays
        Those limits; infinite where there is none.
    columns : (p,) array of int
        Rows of the fixed design that can be told apart among ``fit``.
    """

    fit: IntArray
    free: IntArray
    bound: IntArray
    lower: FloatArray
    upper: FloatArray
    columns: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class StepNoise:
    """Random numbers of one step, one row per imputation.

    Parameters
    ----------
    parameters : (m, p) array
        Standard normal, one per coefficient.
    gamma : (m,) array
        Gamma with shape df / 2.
    free : (m, k) array
        Standard normal.
    bound : (m, c) array
        Uniform.
    """

    parameters: FloatArray
    gamma: FloatArray
    free: FloatArray
    bound: FloatArray


def independent_columns(fixed: FloatArray) -> IntArray:
    """Find columns of a design that are not combinations of columns before them.

    Parameters
    ----------
    fixed : (p, n) array
        Columns as rows.

    Returns
    -------
    array of int
        Positions, ascending.

    References
    ----------
    .. [1] Golub GH, Van Loan CF (2013), Matrix Computations, 4th ed., section 5.2.8.

    Examples
    --------
    >>> independent_columns(np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [0.0, 1.0, 0.0]])).tolist()
    [0, 2]
    """
    found: list[int] = []
    basis: list[FloatArray] = []
    for position, column in enumerate(fixed):
        length = float(np.sqrt(np.einsum("n,n->", column, column)))
        rest = column
        for _ in range(2):
            for unit in basis:
                rest = rest - np.einsum("n,n->", unit, rest) * unit
        left = float(np.sqrt(np.einsum("n,n->", rest, rest)))
        if left > _DEPENDENT * length and length > 0:
            found.append(position)
            basis.append(rest / left)
    return np.asarray(found, dtype=np.int64)


def regress_and_draw(
    fixed: FloatArray, others: FloatArray, current: FloatArray, rows: StepRows, noise: StepNoise
) -> None:
    """Draw one visit's missing and censored values, into ``current``.

    Parameters
    ----------
    fixed : (q, n) array
        Design that all imputations share, intercept first.
    others : (m, v, n) array
        Values of other visits in each imputation.
    current : (m, n) array
        Values of the visit, changed in place.
    rows : StepRows
        Whom to learn from and for whom to draw.
    noise : StepNoise
        Random numbers.

    References
    ----------
    .. [1] Rubin DB (1987), Multiple Imputation for Nonresponse in Surveys, example 5.3.
    .. [2] van Buuren S, Groothuis-Oudshoorn K (2011), J Stat Softw 45(3), section 3.2.
    """
    known = fixed[rows.columns]
    learned = np.ascontiguousarray(known[:, rows.fit])
    z = np.take(others, rows.fit, axis=2)
    y = np.take(current, rows.fit, axis=1)
    coefficients, root, sigma = _posterior(learned, z, y, noise.gamma)
    drawn = coefficients + sigma[:, None] * np.einsum("mqp,mq->mp", root, noise.parameters)
    if len(rows.free):
        mean = _predict(drawn, known[:, rows.free], np.take(others, rows.free, axis=2))
        current[:, rows.free] = mean + sigma[:, None] * noise.free
    if len(rows.bound):
        mean = _predict(drawn, known[:, rows.bound], np.take(others, rows.bound, axis=2))
        current[:, rows.bound] = draw_truncated(
            mean, sigma[:, None], rows.lower, rows.upper, noise.bound
        )


def _posterior(
    learned: FloatArray, z: FloatArray, y: FloatArray, gamma: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ridge estimate, inverse Cholesky factor of X'X with the ridge, and a draw of sigma."""
    p = len(learned)
    size = p + z.shape[1]
    gram = np.empty((len(y), size, size))
    gram[:, :p, :p] = np.einsum("pn,qn->pq", learned, learned)
    gram[:, :p, p:] = np.einsum("pn,mvn->mpv", learned, z)
    gram[:, p:, :p] = gram[:, :p, p:].transpose(0, 2, 1)
    gram[:, p:, p:] = np.einsum("mvn,mwn->mvw", z, z)
    right = np.concatenate(
        [np.einsum("pn,mn->mp", learned, y), np.einsum("mvn,mn->mv", z, y)], axis=1
    )
    diagonal = np.einsum("mpp->mp", gram)
    # A column of zeros has nothing to learn from: any positive number makes its slope zero.
    diagonal += np.where(diagonal > 0, RIDGE * diagonal, 1.0)
    root = np.linalg.inv(np.linalg.cholesky(gram))
    coefficients = np.einsum("mqp,mq->mp", root, np.einsum("mqp,mp->mq", root, right))
    residuals = y - _predict(coefficients, learned, z)
    squares = np.einsum("mn,mn->m", residuals, residuals)
    # Twice a gamma of shape df / 2 is a chi-square with df degrees of freedom.
    sigma = np.sqrt(squares / (2.0 * gamma))
    return np.asarray(coefficients), np.asarray(root), np.asarray(sigma)


def _predict(coefficients: FloatArray, known: FloatArray, z: FloatArray) -> FloatArray:
    p = len(known)
    mean = np.einsum("mp,pn->mn", coefficients[:, :p], known)
    if z.shape[1]:
        mean += np.einsum("mv,mvn->mn", coefficients[:, p:], z)
    return np.asarray(mean, dtype=np.float64)
