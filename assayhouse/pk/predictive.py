"""Visual predictive check: quantiles of the samples beside those of simulated trials."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from assayhouse.pk.arrays import BoolArray, FloatArray, IntArray
from assayhouse.pk.curves import predict_values
from assayhouse.pk.draws import simulated_values
from assayhouse.pk.errors import SpecError
from assayhouse.pk.events import EventTable
from assayhouse.pk.modes import population_phi
from assayhouse.pk.parameters import Scale
from assayhouse.pk.problem import build_problem
from assayhouse.pk.result import FitResult

_QUANTILES = (0.05, 0.5, 0.95)
_BLQ_FRACTION = -1.0
_BAND = (0.025, 0.5, 0.975)
_LOW = -1e300
_VPC = {
    "STRATUM": pl.String,
    "BIN": pl.Int64,
    "TIME": pl.Float64,
    "QUANTILE": pl.Float64,
    "OBSERVED": pl.Float64,
    "SIM_LOW": pl.Float64,
    "SIM_MEDIAN": pl.Float64,
    "SIM_HIGH": pl.Float64,
}


def vpc(
    result: FitResult,
    events: EventTable,
    *,
    n: int = 1000,
    seed: int = 1,
    bins: Sequence[float] | int = 8,
    prediction_corrected: bool = True,
    stratify: str | None = None,
) -> pl.DataFrame:
    """Compare quantiles of the samples with those of simulated trials.

    A sample below the limit counts as lower than every quantifiable one; a quantile that falls
    among them is null. Their share stands beside it as QUANTILE -1.

    Parameters
    ----------
    result : FitResult
        A fit that has not failed.
    events : EventTable
        The table it was fitted to.
    n, seed : int
        Simulated trials.
    bins : int or sequence of float
        Number of bins with about equally many samples, or their edges in the unit of TIME.
    prediction_corrected : bool
        Whether values are brought to the median prediction of their bin.
    stratify : str, optional
        Covariate whose levels are shown apart.

    Returns
    -------
    polars.DataFrame
        STRATUM, BIN, TIME (median), QUANTILE (0.05, 0.5, 0.95, and -1), OBSERVED, and the 95 %
        interval and median of the simulated trials.

    Raises
    ------
    FitFailedError
        The fit has FAILED.
    SpecError
        Bins, number of trials or stratum cannot be used.

    References
    ----------
    .. [1] Bergstrand M, Hooker AC, Wallin JE, Karlsson MO (2011), AAPS J 13, 143-151.
    .. [2] Bergstrand M, Karlsson MO (2009), AAPS J 11, 371-380 (samples below the limit).
    """
    result.require_ok()
    if n < 1 or (stratify is not None and stratify not in events.covariates):
        message = "vpc needs one trial or more, and a stratum that is a covariate of the table."
        raise SpecError(message)
    # Every sample is shown, whatever the fit made of those below the limit.
    problem = build_problem(replace(result.spec, blq="M3"), events)
    point = Scale(result.spec).at(Scale(result.spec).from_natural(result.params))
    phi = population_phi(problem, point)
    pred = predict_values(problem.spec.structure, problem.schedule, phi, problem.scale)
    limit = problem.samples["LLOQ"].fill_null(-np.inf).to_numpy()
    rng = np.random.default_rng(seed)
    trials = np.stack([simulated_values(problem, point, rng) for _ in range(n)])
    below = trials < limit
    observed = np.where(problem.is_blq, _LOW, problem.y)
    trials = np.where(below, _LOW, trials)
    time = problem.samples["TIME"].to_numpy()
    rows: list[tuple[str | int | float | None, ...]] = []
    for stratum, among in _strata(problem.samples, stratify):
        for number, at in _binned(time, among, bins):
            factor = _correction(pred[at]) if prediction_corrected else np.ones(len(at))
            shown = np.vstack([_corrected(observed[at], factor), _corrected(trials[:, at], factor)])
            blq = np.vstack([problem.is_blq[at], below[:, at]])
            rows += _bin_rows(stratum, number, float(np.median(time[at])), shown, blq)
    return pl.DataFrame(rows, schema=_VPC, orient="row")


def _strata(samples: pl.DataFrame, stratify: str | None) -> Iterator[tuple[str, BoolArray]]:
    if stratify is None:
        yield "all", np.ones(samples.height, dtype=np.bool_)
        return
    for level in samples[stratify].unique().sort().to_list():
        yield str(level), (samples[stratify] == level).to_numpy()


def _binned(
    time: FloatArray, among: BoolArray, bins: Sequence[float] | int
) -> Iterator[tuple[int, IntArray]]:
    """Find the samples of each bin, numbered from 1; a bin without samples is left out."""
    if isinstance(bins, int):
        if bins < 1:
            message = "bins must be 1 or more."
            raise SpecError(message)
        edges = np.unique(np.quantile(time[among], np.linspace(0, 1, bins + 1)))
    else:
        edges = np.asarray(bins, dtype=np.float64)
        if len(edges) < 2 or (np.diff(edges) <= 0).any():
            message = "Edges of bins must increase, and be two or more."
            raise SpecError(message)
    inside = among & (time >= edges[0]) & (time <= edges[-1])
    last = max(len(edges) - 1, 1)
    place = np.clip(np.searchsorted(edges, time, side="right"), 1, last)
    for number in range(1, last + 1):
        at = np.flatnonzero(inside & (place == number))
        if len(at):
            yield number, at


def _correction(pred: FloatArray) -> FloatArray:
    """Median prediction of the bin over each prediction; 1 where that is not above 0 [1]_."""
    positive = pred > 0
    if not positive.any():
        return np.ones_like(pred)
    return np.where(positive, np.median(pred[positive]) / np.where(positive, pred, 1.0), 1.0)


def _corrected(values: FloatArray, factor: FloatArray) -> FloatArray:
    return np.where(values == _LOW, _LOW, values * factor)


def _bin_rows(
    stratum: str, number: int, time: float, shown: FloatArray, blq: BoolArray
) -> Iterator[tuple[str | int | float | None, ...]]:
    """Rows of one bin; the first line of the arrays is the observed trial."""
    for quantile in _QUANTILES:
        values = np.quantile(shown, quantile, axis=1)
        yield (stratum, number, time, quantile, *_summary(values))
    yield (stratum, number, time, _BLQ_FRACTION, *_summary(blq.mean(axis=1)))


def _summary(values: FloatArray) -> tuple[float | None, ...]:
    band = np.quantile(values[1:], _BAND)
    # Between a value and one below the limit an interpolated quantile is below it too.
    return tuple(float(value) if value > _LOW * 1e-3 else None for value in (values[0], *band))
