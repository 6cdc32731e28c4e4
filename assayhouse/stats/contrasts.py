"""Adjusted means and their differences: which combinations of coefficients they are.

Main effects only. There is no arm-by-covariate interaction, so the weights of the factors'
levels move the adjusted means and never the differences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray, StrArray, as_finite, require_word


class LinearFit(Protocol):
    """Anything with coefficients and their covariances, such as `assayhouse.stats.robust.MFit`."""

    @property
    def coefficients(self) -> FloatArray:
        """(b, p) array."""
        ...

    @property
    def covariance(self) -> FloatArray:
        """(b, p, p) array."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastMatrix:
    """A design with the rows that turn its coefficients into adjusted means and differences.

    Parameters
    ----------
    design : (n, p) array
        Intercept, the other arms, base, then per factor every level but its first.
    matrix : (k, p) array
        One row per label.
    labels : (k,) tuple of str
        ``lsmean:ARM`` for the reference and the other arms, then ``diff:ARM`` for the others.
    columns : (p,) tuple of str
        ``intercept``, ``arm:ARM``, ``base``, ``FACTOR:LEVEL``.
    """

    design: FloatArray
    matrix: FloatArray
    labels: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastSquaresMeans:
    """Adjusted means and differences of a batch of fits, in the units of the response.

    Parameters
    ----------
    estimates, variances : (b, k) array
        One column per label.
    labels : (k,) tuple of str
        As in `ContrastMatrix`.
    """

    estimates: FloatArray
    variances: FloatArray
    labels: tuple[str, ...]


def contrast_matrix(
    arms: ArrayLike,
    base: ArrayLike,
    factors: Mapping[str, ArrayLike],
    *,
    reference: str,
    weights: str = "om",
) -> ContrastMatrix:
    """Build the design of arm, base and factors, and the rows of its adjusted means.

    Arms and levels stand in sorted order whatever the order of the subjects; factors stand in
    the order of the mapping. Means are taken at the mean of ``base`` over the subjects given.

    Parameters
    ----------
    arms : (n,) array of str
        Arm of each subject.
    base : (n,) array
        Covariate of each subject.
    factors : mapping of str to (n,) array of str
        Stratification factors; a factor with one level adds no column.
    reference : str
        Arm that the others are compared with.
    weights : {"om", "equal"}
        Levels of a factor weighted by their observed proportions, factor by factor, or equally.

    Returns
    -------
    ContrastMatrix
        p columns, 2 x arms - 1 rows.

    Raises
    ------
    ModelDataError
        Unequal lengths, a missing arm or level, base not finite, nobody in the reference arm.
    InputError
        Unknown weights.

    References
    ----------
    .. [1] Searle SR, Speed FM, Milliken GA (1980), Am Stat 34(4), 216-221.

    Examples
    --------
    >>> built = contrast_matrix(["B", "A", "B"], [1.0, 2.0, 6.0], {}, reference="A")
    >>> built.columns, built.labels
    (('intercept', 'arm:B', 'base'), ('lsmean:A', 'lsmean:B', 'diff:B'))
    >>> built.matrix.tolist()
    [[1.0, 0.0, 3.0], [1.0, 1.0, 3.0], [0.0, 1.0, 0.0]]
    """
    require_word(weights, name="weights", known=("om", "equal"))
    covariate = as_finite(base, name="base", dimensions=(1,))
    arm = _labels_of(arms, name="arms", n=len(covariate))
    present = sorted({str(value) for value in arm})
    if reference not in present:
        message = f"No subject is in the reference arm {reference!r}; arms are {present}."
        raise ModelDataError(message)
    others = [value for value in present if value != reference]
    blocks = [_factor_block(n, v, weights, len(arm)) for n, v in factors.items()]
    design = np.column_stack(
        [np.ones(len(arm)), _indicators(arm, others), covariate, *(b.design for b in blocks)]
    )
    means = np.zeros((1 + len(others), design.shape[1]))
    means[:, 0] = 1.0
    means[1:, 1 : 1 + len(others)] = np.eye(len(others))
    means[:, 1 + len(others) :] = np.concatenate([[covariate.mean()], *(b.shares for b in blocks)])
    differences = np.zeros((len(others), design.shape[1]))
    differences[:, 1 : 1 + len(others)] = np.eye(len(others))
    return ContrastMatrix(
        design=design,
        matrix=np.vstack([means, differences]),
        labels=(
            *(f"lsmean:{value}" for value in [reference, *others]),
            *(f"diff:{value}" for value in others),
        ),
        columns=(
            "intercept",
            *(f"arm:{value}" for value in others),
            "base",
            *(column for block in blocks for column in block.columns),
        ),
    )


def least_squares_means(fit: LinearFit, contrasts: ContrastMatrix) -> LeastSquaresMeans:
    """Compute adjusted means and differences of every fit of a batch, with their variances.

    Parameters
    ----------
    fit : LinearFit
        Coefficients (b, p) and covariances (b, p, p), made with ``contrasts.design``.
    contrasts : ContrastMatrix
        From `contrast_matrix`.

    Returns
    -------
    LeastSquaresMeans
        NaN for fits without numbers.

    Raises
    ------
    ModelDataError
        The fit has another number of columns than the contrasts.

    References
    ----------
    .. [1] Searle SR, Speed FM, Milliken GA (1980), Am Stat 34(4), 216-221.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> built = contrast_matrix(["A", "B"], [1.0, 3.0], {}, reference="A")
    >>> fit = SimpleNamespace(coefficients=np.array([[1.0, 5.0, 2.0]]), covariance=np.eye(3)[None])
    >>> means = least_squares_means(fit, built)
    >>> means.estimates.tolist(), means.variances.tolist()
    ([[5.0, 10.0, 5.0]], [[5.0, 6.0, 1.0]])
    """
    if fit.coefficients.shape[1] != contrasts.matrix.shape[1]:
        message = (
            f"The fit has {fit.coefficients.shape[1]} columns, the contrasts have "
            f"{contrasts.matrix.shape[1]}; fit on the design of the same contrast matrix."
        )
        raise ModelDataError(message)
    matrix = contrasts.matrix
    estimates = np.einsum("kp,bp->bk", matrix, fit.coefficients)
    half = np.einsum("kp,bpq->bkq", matrix, fit.covariance)
    return LeastSquaresMeans(
        estimates=estimates,
        variances=np.einsum("bkq,kq->bk", half, matrix),
        labels=contrasts.labels,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _FactorBlock:
    """Dummies of one factor, their names, and the share each has in an adjusted mean."""

    design: FloatArray
    columns: tuple[str, ...]
    shares: FloatArray


def _factor_block(name: str, values: ArrayLike, weights: str, n: int) -> _FactorBlock:
    level = _labels_of(values, name=f"factor {name}", n=n)
    levels = sorted({str(value) for value in level})
    design = _indicators(level, levels[1:])
    shares = design.mean(axis=0) if weights == "om" else np.full(design.shape[1], 1 / len(levels))
    columns = tuple(f"{name}:{value}" for value in levels[1:])
    return _FactorBlock(design=design, columns=columns, shares=shares)


def _indicators(values: StrArray, levels: list[str]) -> FloatArray:
    columns: list[NDArray[np.float64]] = [(values == level).astype(np.float64) for level in levels]
    return np.column_stack(columns) if columns else np.empty((len(values), 0))


def _labels_of(values: ArrayLike, *, name: str, n: int) -> StrArray:
    labels = np.asarray(values)
    if labels.shape != (n,):
        message = f"{name} has shape {labels.shape}; {n} values are needed, one per subject."
        raise ModelDataError(message)
    wrong = [row for row, value in enumerate(labels.tolist()) if not isinstance(value, str)]
    if wrong:
        message = f"{name} must be text; {len(wrong)} values are missing or not text."
        raise ModelDataError(message, rows=tuple(wrong))
    return labels.astype(np.str_)
