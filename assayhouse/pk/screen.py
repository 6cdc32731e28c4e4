"""Covariates tried one by one: what each adds to a model, with its test."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl
from scipy.special import chdtrc

from assayhouse.pk.events import EventTable
from assayhouse.pk.fit import fit
from assayhouse.pk.options import DEFAULT_OPTIONS, FitOptions
from assayhouse.pk.result import FitResult
from assayhouse.pk.spec import Covariate, ModelSpec

_SCREEN = {
    "PARAMETER": pl.String,
    "COVARIATE": pl.String,
    "FORM": pl.String,
    "OFV": pl.Float64,
    "DOFV": pl.Float64,
    "DF": pl.Int64,
    "P_VALUE": pl.Float64,
    "ESTIMATE": pl.Float64,
    "SE": pl.Float64,
    "STATUS": pl.String,
}


def covariate_screen(
    spec: ModelSpec,
    events: EventTable,
    candidates: Sequence[Covariate | Sequence[Covariate]],
    *,
    options: FitOptions = DEFAULT_OPTIONS,
) -> pl.DataFrame:
    """Add each candidate alone to a model and test what it gains.

    Each fit starts from the estimates without it, so that it can only end lower.

    Parameters
    ----------
    spec : ModelSpec
        The model without the candidates.
    events : EventTable
        Doses, samples and covariates.
    candidates : sequence
        Effects; a sequence of effects is one candidate, as the levels of a factor are.
    options : FitOptions
        Of every fit.

    Returns
    -------
    polars.DataFrame
        PARAMETER, COVARIATE, FORM, OFV, DOFV (with minus without, negative where it gains), DF,
        P_VALUE, ESTIMATE and SE (null where DF > 1), STATUS of the fit; without OFV and test
        where one of the two fits has FAILED.

    Raises
    ------
    SpecError
        A candidate does not go with model or table.

    References
    ----------
    .. [1] Wahlby U, Jonsson EN, Karlsson MO (2001), J Pharmacokinet Pharmacodyn 28, 231-252.
    """
    groups = [
        tuple(candidate) if isinstance(candidate, Sequence) else (candidate,)
        for candidate in candidates
    ]
    larger = [replace(spec, covariates=(*spec.covariates, *group)) for group in groups]
    base = fit(spec, events, options)
    rows = []
    for group, model in zip(groups, larger, strict=True):
        start = {**base.params} if base.status != "FAILED" else dict(spec.init)
        start = {name: value for name, value in start.items() if name not in spec.fixed_names}
        found = fit(replace(model, init={**spec.init, **start}), events, options)
        rows.append(_screened(group, base, found))
    return pl.DataFrame(rows, schema=_SCREEN)


def _screened(group: Sequence[Covariate], base: FitResult, found: FitResult) -> dict[str, Any]:
    effect, df = group[0], len(group)
    failed = "FAILED" in {base.status, found.status}
    gain = found.ofv - base.ofv
    single = df == 1 and not failed
    return {
        "PARAMETER": effect.parameter,
        "COVARIATE": effect.column,
        "FORM": type(effect).__name__.lower(),
        "OFV": None if failed else found.ofv,
        "DOFV": None if failed else gain,
        "DF": df,
        "P_VALUE": None if failed else float(chdtrc(df, max(-gain, 0.0))),
        "ESTIMATE": found.params[effect.name] if single else None,
        "SE": found.se[effect.name] if single else None,
        "STATUS": "FAILED" if failed else found.status,
    }
