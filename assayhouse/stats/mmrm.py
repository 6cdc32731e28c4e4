"""Mixed model for repeated measures: unstructured covariance, REML, Satterthwaite's df.

Small trials, few visits. Imputation from the fit is in `reference_based`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray, IntArray, StrArray, as_finite, require_word
from assayhouse.stats.contrasts import contrast_matrix
from assayhouse.stats.pattern_sums import sum_patterns
from assayhouse.stats.reml import RemlFit, fit_reml
from assayhouse.stats.student import two_sided_p

MIN_DF = 10
"""Values beyond the number of columns that a fit needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MMRMContrast:
    """Combinations of coefficients with their t tests.

    Parameters
    ----------
    estimates, std_errors, df, statistics, p_values : (k,) arrays
        df are Satterthwaite's.
    """

    estimates: FloatArray
    std_errors: FloatArray
    df: FloatArray
    statistics: FloatArray
    p_values: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class MMRMFit:
    """A fitted model; numbers of a fit whose status is not "ok" are not to be used.

    Parameters
    ----------
    coefficients : (q,) array
        In the units of the values.
    columns : (q,) tuple of str
        Those of `contrast_matrix` for the first visit, then per later visit ``visit:2``,
        ``visit:2:arm:ARM``, ``visit:2:base``: differences from the first visit.
    covariance : (q, q) array
        Of the coefficients.
    sigma : (visits, visits) array, or mapping of arm to such arrays
        Covariance of the residuals.
    log_likelihood : float
        Restricted.
    df_residual : int
        Values less columns.
    status : str
        ok, rank_deficient, too_few or not_converged.
    gradient : (t, q, q) array
        Derivative of ``covariance`` by each element of sigma.
    information : (t, t) array
        Observed information of those elements.
    """

    coefficients: FloatArray
    columns: tuple[str, ...]
    covariance: FloatArray
    sigma: FloatArray | Mapping[str, FloatArray]
    log_likelihood: float
    df_residual: int
    status: str
    gradient: FloatArray = field(repr=False)
    information: FloatArray = field(repr=False)

    def contrast(self, matrix: ArrayLike) -> MMRMContrast:
        """Test combinations of coefficients.

        Parameters
        ----------
        matrix : (k, q) or (q,) array
            One row per combination, in the order of ``columns``.

        Returns
        -------
        MMRMContrast
            NaN where the fit is not ok.

        Raises
        ------
        ModelDataError
            Another number of columns.

        References
        ----------
        .. [1] Giesbrecht FG, Burns JC (1985), Biometrics 41, 477-486.
        .. [2] Kuznetsova A, Brockhoff PB, Christensen RHB (2017), J Stat Softw 82(13), section 3.
        """
        rows = np.atleast_2d(as_finite(matrix, name="matrix", dimensions=(1, 2)))
        if rows.shape[1] != len(self.columns):
            message = f"matrix has {rows.shape[1]} columns, the fit has {len(self.columns)}."
            raise ModelDataError(message)
        estimates = rows @ self.coefficients
        variances = np.einsum("kp,pq,kq->k", rows, self.covariance, rows)
        slopes = np.einsum("kp,tpq,kq->kt", rows, self.gradient, rows)
        if self.status == "ok":
            spread = np.linalg.solve(self.information, slopes.T)
            df = 2.0 * variances**2 / np.einsum("kt,tk->k", slopes, spread)
        else:
            df = np.full(len(rows), np.nan)
        errors = np.sqrt(variances)
        return MMRMContrast(
            estimates=estimates,
            std_errors=errors,
            df=df,
            statistics=estimates / errors,
            p_values=two_sided_p(estimates / errors, df),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MMRMData:
    """Data of a model in standard units, and the way back.

    Parameters
    ----------
    values : (n, visits) array
        Divided by ``unit``.
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
    unit : float
        Of the values.
    """

    values: FloatArray
    covariates: FloatArray
    width: int
    group: IntArray
    group_names: tuple[str, ...]
    columns: tuple[str, ...]
    back: FloatArray
    unit: float

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


def fit_mmrm(
    values: ArrayLike,
    arm: ArrayLike,
    base: ArrayLike,
    factors: Mapping[str, ArrayLike],
    *,
    reference: str,
    covariance: str = "shared",
    method: str = "reml",
) -> MMRMFit:
    """Fit arm by visit, base by visit and factors as main effects, by REML.

    Parameters
    ----------
    values : (n, visits) array
        NaN = missing; subjects without any value do not enter the fit.
    arm, base, factors
        As in `assayhouse.stats.contrasts.contrast_matrix`.
    reference : str
        Arm that the others are compared with.
    covariance : {"shared", "by_arm"}
        One unstructured covariance, or one per arm.
    method : {"reml"}
        Restricted maximum likelihood.

    Returns
    -------
    MMRMFit
        With a status instead of an exception where the data do not carry the model.

    Raises
    ------
    ModelDataError
        Shapes that do not belong together, nobody with a value, a value that is infinite.
    InputError
        An unknown option.

    References
    ----------
    .. [1] Harville DA (1977), JASA 72, 320-338.
    .. [2] Mallinckrodt CH, Clark WS, David SR (2001), J Biopharm Stat 11, 9-21.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> base, arm = rng.normal(5, 1, 40), np.tile(["A", "B"], 20)
    >>> values = base[:, None] + rng.normal(0, 1, (40, 2)) + (arm == "B")[:, None]
    >>> fit = fit_mmrm(values, arm, base, {}, reference="A")
    >>> fit.status, fit.columns[3:]
    ('ok', ('visit:2', 'visit:2:arm:B', 'visit:2:base'))
    """
    require_word(method, name="method", known=("reml",))
    data = prepare_mmrm(values, arm, base, factors, reference=reference, covariance=covariance)
    df = int(np.isfinite(data.values).sum()) - len(data.columns)
    raw = data.fit(np.ones((1, len(data.values))))
    status = "ok" if raw.converged[0] else "not_converged"
    if not raw.estimable[0]:
        status = "rank_deficient"
    elif df < MIN_DF:
        status = "too_few"
    scale = data.unit
    sigma = raw.sigma[0] * scale**2
    named = dict(zip(data.group_names, sigma, strict=True))
    gradient = np.einsum("pi,tij,qj->tpq", data.back, raw.gradient[0], data.back)
    return MMRMFit(
        coefficients=scale * (data.back @ raw.coefficients[0]),
        columns=data.columns,
        covariance=scale**2 * (data.back @ raw.covariance[0] @ data.back.T),
        sigma=named if covariance == "by_arm" else sigma[0],
        log_likelihood=float(
            raw.log_likelihood[0] - df * np.log(scale) + np.linalg.slogdet(data.back)[1]
        ),
        df_residual=df,
        status=status,
        gradient=gradient,
        information=raw.information[0] / scale**4,
    )


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
    centre, spread = covariates[:, width - 1].mean(), covariates[:, width - 1].std()
    spread = float(spread) if spread > 0 else 1.0
    covariates[:, width - 1] = (covariates[:, width - 1] - centre) / spread
    unit = float(np.nanstd(y))
    unit = unit if unit > 0 else 1.0
    names = tuple(sorted(set(labels.tolist()))) if covariance == "by_arm" else ("",)
    return MMRMData(
        values=y / unit,
        covariates=covariates,
        width=width,
        group=_groups(labels, names),
        group_names=names,
        columns=_columns(design.columns, width, y.shape[1]),
        back=_way_back(len(design.columns), width, y.shape[1], float(centre), spread),
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
