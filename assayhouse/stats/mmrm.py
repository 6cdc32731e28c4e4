"""Mixed model for repeated measures: unstructured covariance, REML, Satterthwaite's df.

Small trials, few visits. Imputation from the fit is in `reference_based`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray, as_finite, require_word
from assayhouse.stats.mmrm_data import prepare_mmrm
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
        coefficients=scale * (data.back @ raw.coefficients[0]) + data.offset,
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
