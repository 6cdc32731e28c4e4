"""Data of a mixed model: checked, brought to standard units, and the way back to columns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray, IntArray, StrArray, require_word
from assayhouse.stats.contrasts import contrast_matrix
from assayhouse.stats.pattern_sums import sum_patterns
from assayhouse.stats.reml import RemlFit, fit_reml


@dataclass(frozen=True, slots=True, kw_only=True)
class MMRMData:
    """Data of a model in standard units, and the way back.

    Parameters
    ----------
    values : (n, visits) array
        Less ``centre``, divided by ``unit``.
    covariates : (n, e) array
        Intercept, other arms, base in standard units, factors.
    width : int
        Those with coefficients per visit: all but the factors.
    group : (n,) array of int
        Which covariance applies.
    group_names : tuple of str
        One name ("") for a shared covariance, else the arms, sorted.
    columns : tuple of str
        Of the model.
    back : (q, q) array
        Turns coefficients in standard units, visit by visit, to those of ``columns``.
    centre, unit : float
        Of the values; the centre belongs to the intercept.
    """

    values: FloatArray
    covariates: FloatArray
    width: int
    group: IntArray
    group_names: tuple[str, ...]
    columns: tuple[str, ...]
    back: FloatArray
    centre: float
    unit: float

    @property
    def offset(self) -> FloatArray:
        """(q,): what the centre adds to the coefficients of ``columns``."""
        return np.where(np.arange(len(self.columns)) == 0, self.centre, 0.0)

    def fit(self, weights: FloatArray) -> RemlFit:
        """Fit a batch of problems, each with its own weights of the subjects.

        Parameters
        ----------
        weights : (b, n) array
            How often a subject counts.

        Returns
        -------
        RemlFit
            In standard units.
        """
        parts = sum_patterns(self.values, self.covariates, self.group, weights, width=self.width)
        return fit_reml(parts, visits=self.values.shape[1], groups=len(self.group_names))


def prepare_mmrm(
    values: ArrayLike,
    arm: ArrayLike,
    base: ArrayLike,
    factors: Mapping[str, ArrayLike],
    *,
    reference: str,
    covariance: str,
) -> MMRMData:
    """Check the data of a model and bring them to standard units.

    Parameters
    ----------
    values, arm, base, factors, reference, covariance
        As in `fit_mmrm`.

    Returns
    -------
    MMRMData
        Subjects without a value among them.

    Raises
    ------
    ModelDataError
        As in `fit_mmrm`.
    """
    require_word(covariance, name="covariance", known=("shared", "by_arm"))
    y = _check_values(values)
    design = contrast_matrix(arm, base, factors, reference=reference)
    if len(design.design) != len(y):
        message = f"values has {len(y)} rows, base {len(design.design)}; give one per subject."
        raise ModelDataError(message)
    labels = np.asarray(arm).astype(np.str_)
    width = 1 + design.columns.index("base")
    covariates = design.design.copy()
    middle, spread = covariates[:, width - 1].mean(), covariates[:, width - 1].std()
    spread = float(spread) if spread > 0 else 1.0
    covariates[:, width - 1] = (covariates[:, width - 1] - middle) / spread
    centre = float(np.nanmean(y))
    unit = float(np.nanstd(y))
    unit = unit if unit > 0 else 1.0
    names = tuple(sorted(set(labels.tolist()))) if covariance == "by_arm" else ("",)
    return MMRMData(
        values=(y - centre) / unit,
        covariates=covariates,
        width=width,
        group=_groups(labels, names),
        group_names=names,
        columns=_columns(design.columns, width, y.shape[1]),
        back=_way_back(len(design.columns), width, y.shape[1], float(middle), spread),
        centre=centre,
        unit=unit,
    )


def _groups(arm: StrArray, names: tuple[str, ...]) -> IntArray:
    if len(names) == 1:
        return np.zeros(len(arm), dtype=np.int64)
    return np.searchsorted(np.asarray(names), arm).astype(np.int64)


def _columns(first: tuple[str, ...], width: int, visits: int) -> tuple[str, ...]:
    later: list[str] = []
    for visit in range(2, visits + 1):
        later.append(f"visit:{visit}")
        later += [f"visit:{visit}:{name}" for name in first[1:width]]
    return (*first, *later)


def _way_back(size: int, width: int, visits: int, centre: float, spread: float) -> FloatArray:
    """From coefficients per visit of the standard base to first visit and differences from it."""
    total = visits * width + size - width
    own = np.eye(total)
    for visit in range(visits):
        slope = visit * width + width - 1
        own[slope, slope] = 1.0 / spread
        own[visit * width, slope] = -centre / spread
    combine = np.zeros((total, total))
    combine[:width, :width] = np.eye(width)
    combine[width:size, visits * width :] = np.eye(size - width)
    for visit in range(1, visits):
        rows = size + (visit - 1) * width + np.arange(width)
        combine[rows, visit * width + np.arange(width)] = 1.0
        combine[rows, np.arange(width)] = -1.0
    return np.asarray(combine @ own)


def _check_values(values: ArrayLike) -> FloatArray:
    try:
        y = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        message = "values is not an array of numbers; give NaN where a value is missing."
        raise ModelDataError(message) from None
    if y.ndim != 2 or not np.isfinite(y).any():
        message = f"values has shape {y.shape}; (subjects, visits) with some values is needed."
        raise ModelDataError(message)
    wrong = np.flatnonzero(np.isinf(y).any(axis=1))
    if len(wrong):
        message = "values holds infinite numbers; give NaN where a value is missing."
        raise ModelDataError(message, rows=tuple(int(row) for row in wrong))
    return y
