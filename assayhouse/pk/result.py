"""Results of a fit and of an evaluation, and their form as JSON. Nothing is computed here."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from assayhouse.pk.errors import FitFailedError
from assayhouse.pk.notes import Reason
from assayhouse.pk.options import FitOptions
from assayhouse.pk.result_json import decode_result, encode_result
from assayhouse.pk.spec import ModelSpec


@dataclass(frozen=True)
class Evaluation:
    """Objective at given parameters.

    Parameters
    ----------
    ofv : float
        OFV; not a number where it could not be evaluated.
    ofv_by_subject : dict of str to float
        Its addends.
    gradient : dict of str to float
        d OFV / d parameter on the natural scale, of the parameters that are not fixed.
    etas : polars.DataFrame
        ID and ETA_<P>, as `predict` takes them.
    inner_converged : bool
        Whether every subject's mode was found.
    """

    ofv: float
    ofv_by_subject: dict[str, float]
    gradient: dict[str, float]
    etas: pl.DataFrame
    inner_converged: bool


@dataclass(frozen=True)
class FitResult:
    """A population fit: estimates only where they are proven, and always a status with reasons.

    Parameters
    ----------
    status : {"OK", "WARN", "FAILED"}
        FAILED has no ``ebe`` and no ``predictions``.
    reasons : tuple of Reason
        Why it is not OK.
    ofv, minus2ll : float
        Objective, without and with n_quantified log(2 pi).
    n_subjects, n_obs, n_blq : int
        Subjects, samples used, and samples used as below the limit.
    excluded : polars.DataFrame
        ID and REASON of the subjects left out.
    params : dict of str to float
        Estimates on the natural scale, fixed parameters too.
    se, se_hessian, se_sandwich : dict of str to float or None
        Standard errors; None of what is fixed or held at a boundary.
    rse_pct : dict of str to float or None
        100 se / |estimate|.
    ci : dict of str to (float, float) or None
        Intervals of level ``options.ci_level``.
    covariance : (u, u) array or None
        Of the parameters in ``covariance_names``.
    covariance_names : tuple of str
        Parameters that have a standard error.
    condition_number : float or None
        Of the correlations of R^-1.
    hessian_pd : bool
        Whether the curvature is positive definite.
    omega : (q, q) array
        Covariance of the random effects, in the order of ``spec.iiv``.
    gradient_max : float
        Largest derivative of the OFV on the estimation scale.
    edm : float or None
        Estimated distance to the minimum.
    shrinkage : dict of str to float
        1 - sd(eta) / omega.
    ofv_by_subject : dict of str to float
        Addends of ``ofv``.
    starts : polars.DataFrame
        START, OFV, CONVERGED, MESSAGE.
    ebe : polars.DataFrame or None
        ID, individual parameters, ETA_<P>, SE_ETA_<P>, N_OBS, N_BLQ, OBJI.
    predictions : polars.DataFrame or None
        ID, TIME, DV, BLQ, LLOQ, PRED, IPRED, IWRES, CWRES.
    spec : ModelSpec
        The model.
    options : FitOptions
        How it was fitted.
    amt_unit, dv_unit, time_unit : str
        Units of the table.
    scale : float
        Amount per litre in ``dv_unit``.
    data_hash : str
        Of the table.
    cpu_seconds : float
        Of this process.
    version : str
        Of this program.
    time_after_dose : tuple of float or None
        Since the latest dose, for each row of ``predictions``; None where there was none.
    """

    status: Literal["OK", "WARN", "FAILED"]
    reasons: tuple[Reason, ...]
    ofv: float
    minus2ll: float
    n_subjects: int
    n_obs: int
    n_blq: int
    excluded: pl.DataFrame
    params: dict[str, float]
    se: dict[str, float | None]
    se_hessian: dict[str, float | None]
    se_sandwich: dict[str, float | None]
    rse_pct: dict[str, float | None]
    ci: dict[str, tuple[float, float] | None]
    covariance: np.ndarray | None
    covariance_names: tuple[str, ...]
    condition_number: float | None
    hessian_pd: bool
    omega: np.ndarray
    gradient_max: float
    edm: float | None
    shrinkage: dict[str, float]
    ofv_by_subject: dict[str, float]
    starts: pl.DataFrame
    ebe: pl.DataFrame | None
    predictions: pl.DataFrame | None
    spec: ModelSpec
    options: FitOptions
    amt_unit: str
    dv_unit: str
    time_unit: str
    scale: float
    data_hash: str
    cpu_seconds: float
    version: str
    time_after_dose: tuple[float | None, ...] = ()

    def require_ok(self) -> "FitResult":
        """Return this result, or raise where it FAILED.

        Raises
        ------
        FitFailedError
            With the reasons that made it fail.
        """
        if self.status == "FAILED":
            raise FitFailedError([r for r in self.reasons if r.severity == "FAILED"])
        return self

    def to_json(self) -> str:
        """Write strict JSON: what is not finite becomes null."""
        return encode_result(self)

    @classmethod
    def from_json(cls, text: str) -> "FitResult":
        """Read what `to_json` wrote; every field has its type again.

        Raises
        ------
        PKError
            The text is not a fit result.
        """
        return cls(**decode_result(text))
