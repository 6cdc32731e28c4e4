"""Predictions at given parameters; the specification of a model is in `spec`.

Nothing is estimated here.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.curves import predict_values
from assayhouse.pk.errors import SpecError
from assayhouse.pk.events import EventTable
from assayhouse.pk.schedule import build_schedule
from assayhouse.pk.spec import Category, Covariate, Exponential, ModelSpec, Power
from assayhouse.pk.structures import STRUCTURES
from assayhouse.pk.subjects import covariate_effects, numbered_subjects, require_columns

__all__ = [
    "STRUCTURES",
    "Category",
    "Covariate",
    "Exponential",
    "ModelSpec",
    "Power",
    "predict",
]


def predict(
    spec: ModelSpec,
    params: Mapping[str, float],
    events: EventTable,
    *,
    etas: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Predict every sample at given parameters; nothing is estimated.

    Parameters
    ----------
    spec : ModelSpec
        Structure and covariates; error model and BLQ method play no part.
    params : mapping of str to float
        Structural parameters, all of them; coefficients, where missing, are their ``init``.
    events : EventTable
        Doses and samples.
    etas : polars.DataFrame, optional
        ID and ETA_<P>; a subject or a parameter that is not there has effect 0.

    Returns
    -------
    polars.DataFrame
        ID, TIME and PRED in the unit of the concentrations, for each sample, in table order.

    Raises
    ------
    SpecError
        A structural parameter is missing or not above 0, a name or a column is unknown.

    References
    ----------
    .. [1] Gibaldi M, Perrier D (1982), Pharmacokinetics, 2nd edition, appendices B and C.

    Examples
    --------
    >>> rows = {"ID": [1, 1], "TIME": [0.0, 2.0], "EVID": [1, 0], "AMT": [10.0, 0.0],
    ...         "DV": [None, 3.5]}
    >>> events = EventTable.from_frame(pl.DataFrame(rows), amt_unit="1", dv_unit="1")
    >>> spec = ModelSpec("bolus1", (), "additive")
    >>> round(predict(spec, {"CL": 1.0, "V": 2.0}, events)["PRED"][0], 4)
    1.8394
    """
    require_columns(spec, events.covariates)
    frame = events.frame
    subject, ids = numbered_subjects(frame)
    is_sample = ((frame["EVID"] == 0) & (frame["MDV"] == 0)).to_numpy()
    used = frame.filter(pl.Series(is_sample))
    phi = _typical(spec, params, events, len(ids))
    if etas is not None:
        phi = phi + _effects_of(spec, etas, ids)
    # Subjects without a sample have no place in the schedule.
    present = np.unique(subject[is_sample])
    place = np.searchsorted(present, subject)
    schedule = build_schedule(frame, place, is_sample)
    values = predict_values(spec.structure, schedule, phi[:, present], events.scale)
    return used.select("ID", "TIME", pl.Series("PRED", values))


def _typical(
    spec: ModelSpec, params: Mapping[str, float], events: EventTable, n: int
) -> FloatArray:
    """Log parameters of every subject at eta = 0: (k, n)."""
    missing = [name for name in spec.structural if name not in params]
    unknown = [name for name in params if name not in spec.parameter_names and not _is_other(name)]
    if missing or unknown:
        message = f"Parameters missing: {missing}; unknown: {unknown}."
        raise SpecError(message)
    values = np.array([float(params[name]) for name in spec.structural])
    if not (np.isfinite(values).all() and (values > 0).all()):
        message = "Structural parameters must be finite and above 0."
        raise SpecError(message)
    phi = np.repeat(np.log(values)[:, None], n, axis=1)
    for effect, (at, x) in zip(spec.covariates, covariate_effects(spec, events), strict=True):
        phi[at] += float(params.get(effect.name, effect.init)) * x
    return phi


def _is_other(name: str) -> bool:
    """Names that play no part in a prediction, whatever the error model."""
    return name.startswith(("omega", "sigma_"))


def _effects_of(spec: ModelSpec, etas: pl.DataFrame, ids: tuple[str, ...]) -> FloatArray:
    if "ID" not in etas.columns or etas["ID"].n_unique() != etas.height:
        message = "etas needs a column ID that names each subject once."
        raise SpecError(message)
    known = pl.DataFrame({"ID": list(ids)}, schema={"ID": pl.String})
    joined = known.join(
        etas.with_columns(pl.col("ID").cast(pl.String)), on="ID", how="left", maintain_order="left"
    )
    effects = np.zeros((len(spec.structural), len(ids)))
    for at, name in enumerate(spec.structural):
        if f"ETA_{name}" in joined.columns:
            effects[at] = joined[f"ETA_{name}"].cast(pl.Float64).fill_null(0.0).to_numpy()
    return effects
