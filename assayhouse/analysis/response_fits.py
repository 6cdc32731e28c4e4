"""The four responses of a visit, and their robust fits over one design, each done once.

A change is the value less its base. With the base in the model both have the same residuals, the
same differences and the same errors: only the slope of the base differs, by one. So values are
fitted as changes, and their adjusted means lie higher by the mean base.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assayhouse.analysis.spec import EffectSpec
from assayhouse.stats.arrays import BoolArray, FloatArray, StrArray
from assayhouse.stats.contrasts import ContrastMatrix, least_squares_means
from assayhouse.stats.robust import MFit, m_regression

_CLEAR = 1e-6
"""Scale, as a share of the range of the values, above which no rule tells values from changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFit:
    """Adjusted means and differences of many data sets.

    Parameters
    ----------
    estimates, variances : (b, k) arrays
        One column per row of the contrast matrix.
    status : (b,) array of str
        As in `assayhouse.stats.robust.MFit`.
    df : int
        n - p.
    """

    estimates: FloatArray
    variances: FloatArray
    status: StrArray
    df: int


def define_response(
    response: str, value: FloatArray, base: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Compute response and base covariate of one model.

    Parameters
    ----------
    response : {"abs", "chg", "pchg", "log"}
        The model.
    value : (..., n) array
        Values at the visit.
    base : (n,) array
        Base values.

    Returns
    -------
    (..., n) array, (n,) array
        Response and covariate.
    """
    if response == "abs":
        return value, base
    if response == "chg":
        return value - base, base
    if response == "pchg":
        return 100.0 * (value - base) / base, base
    return np.log(value), np.log(base)


def fit_responses(
    values: Mapping[str, FloatArray], base: FloatArray, contrasts: ContrastMatrix, spec: EffectSpec
) -> dict[str, ResponseFit]:
    """Fit responses that share a design.

    Parameters
    ----------
    values : mapping of str to (b, n) array
        Values at the visits, by response; those of abs and chg are the same.
    base : (n,) array
        Base values.
    contrasts : ContrastMatrix
        Design and rows of the adjusted means.
    spec : EffectSpec
        Options of the fit.

    Returns
    -------
    dict of str to ResponseFit
        By response.

    References
    ----------
    .. [1] Huber PJ (1981), Robust Statistics, section 7.3 (equivariance of regression).
    """
    shared = "abs" in values and spec.scale == "mad" and spec.psi != "ols"
    forms = dict.fromkeys("chg" if shared and name == "abs" else name for name in values)
    given = {name: values.get(name, values.get("abs")) for name in forms}
    responses = {
        name: define_response(name, part, base)[0]
        for name, part in given.items()
        if part is not None
    }
    fit = _regress(contrasts.design, np.concatenate(list(responses.values())), spec)
    whole, first = _means(fit, contrasts), 0
    found: dict[str, ResponseFit] = {}
    for name, response in responses.items():
        here = slice(first, first + len(response))
        found[name] = _take(whole, here)
        first = here.stop
        if shared and name == "chg":
            clear = fit.scale[here] > _CLEAR * np.ptp(values["abs"], axis=1)
            found["abs"] = _values_of(found[name], values["abs"], clear, contrasts, spec)
    return {name: found[name] for name in values}


def _values_of(
    changes: ResponseFit,
    values: FloatArray,
    clear: BoolArray,
    contrasts: ContrastMatrix,
    spec: EffectSpec,
) -> ResponseFit:
    """Fits of values from those of changes; where a scale is nearly nothing, fits of their own."""
    moved = changes.estimates + contrasts.matrix[:, contrasts.columns.index("base")]
    variances, status = changes.variances, changes.status
    if not clear.all():
        own = _means(_regress(contrasts.design, values[~clear], spec), contrasts)
        variances, status = variances.copy(), status.copy()
        moved[~clear], variances[~clear] = own.estimates, own.variances
        status[~clear] = own.status
    return ResponseFit(estimates=moved, variances=variances, status=status, df=changes.df)


def _take(fit: ResponseFit, here: slice) -> ResponseFit:
    return ResponseFit(
        estimates=fit.estimates[here],
        variances=fit.variances[here],
        status=fit.status[here],
        df=fit.df,
    )


def _means(fit: MFit, contrasts: ContrastMatrix) -> ResponseFit:
    means = least_squares_means(fit, contrasts)
    return ResponseFit(
        estimates=means.estimates,
        variances=np.maximum(means.variances, 0.0),
        status=fit.status,
        df=fit.df,
    )


def _regress(design: FloatArray, response: FloatArray, spec: EffectSpec) -> MFit:
    return m_regression(
        design,
        response,
        psi=spec.psi,
        tuning=spec.tuning,
        scale=spec.scale,
        mad_constant=spec.mad_constant,
        covariance=spec.covariance,
        variance_ddof=spec.variance_ddof,
        tolerance=spec.tolerance,
        max_iterations=spec.max_iterations,
    )
