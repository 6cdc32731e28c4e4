"""Whether a fit describes its data: residuals, predictive checks, an independent likelihood.

The predictive check is in `predictive`; nothing is estimated here but by `bootstrap`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from assayhouse.pk import small
from assayhouse.pk.curves import predict_values
from assayhouse.pk.errors import PKError, SpecError
from assayhouse.pk.events import EventTable
from assayhouse.pk.fit import fit
from assayhouse.pk.focei import evaluate_objective
from assayhouse.pk.modes import population_phi
from assayhouse.pk.options import FitOptions
from assayhouse.pk.parameters import Scale
from assayhouse.pk.predictive import vpc
from assayhouse.pk.problem import build_problem
from assayhouse.pk.residual import compute_contributions
from assayhouse.pk.result import FitResult
from assayhouse.pk.spec import ModelSpec

__all__ = ["bootstrap", "gof", "importance_sampling", "vpc"]

_INFLATION = 1.44
BOOTSTRAP_OPTIONS = FitOptions(starts=1, covariance="none")


def gof(result: FitResult) -> pl.DataFrame:
    """Return predictions and residuals of every sample with the time after the latest dose.

    Parameters
    ----------
    result : FitResult
        A fit that has not failed.

    Returns
    -------
    polars.DataFrame
        The columns of ``result.predictions`` and TAD.

    Raises
    ------
    FitFailedError
        The fit has FAILED.

    References
    ----------
    .. [1] Hooker AC, Staatz CE, Karlsson MO (2007), Pharm Res 24, 2187-2197 (CWRES).
    """
    result.require_ok()
    if result.predictions is None:
        message = "The fit has no predictions."
        raise PKError(message)
    tad = pl.Series("TAD", result.time_after_dose, dtype=pl.Float64)
    return result.predictions.with_columns(tad)


def importance_sampling(
    result: FitResult, events: EventTable, *, n: int = 2000, seed: int = 1
) -> float:
    """Compute -2 log likelihood by sampling, free of the FOCE approximation.

    Parameters
    ----------
    result : FitResult
        A fit that has not failed.
    events : EventTable
        The table it was fitted to.
    n, seed : int
        Draws per subject.

    Returns
    -------
    float
        -2 log likelihood, n log(2 pi) counted.

    Raises
    ------
    FitFailedError
        The fit has FAILED.

    References
    ----------
    .. [1] Pinheiro JC, Bates DM (1995), J Comput Graph Stat 4, 12-35, section 2.3.
    """
    result.require_ok()
    if n < 1:
        message = "n must be 1 or more."
        raise SpecError(message)
    problem, scale = build_problem(result.spec, events), Scale(result.spec)
    vector = scale.from_natural(result.params)
    point, modes = scale.at(vector), evaluate_objective(problem, scale, vector)
    phi, q = population_phi(problem, point), len(problem.iiv)
    lower, _ = small.factor(_INFLATION * modes.inverse)
    spread = 0.5 * small.log_determinant(lower)
    rng = np.random.default_rng(seed)
    logs = np.empty((n, problem.n_subjects))
    for draw in range(n):
        z = rng.standard_normal((q, problem.n_subjects))
        eta = modes.eta + np.einsum("ijn,jn->in", lower, z)
        individual = phi.copy()
        individual[problem.iiv] += eta
        f = predict_values(
            problem.spec.structure, problem.schedule, individual, problem.scale, problem.doses
        )
        parts = compute_contributions(problem, f, point.sigma)
        fit_term = np.add.reduceat(parts.u, problem.schedule.starts)
        prior = 0.5 * (eta * (point.omega_inverse @ eta)).sum(axis=0)
        proposal = 0.5 * (z**2).sum(axis=0) + spread
        logs[draw] = proposal - fit_term - prior - 0.5 * point.log_determinant
    highest = logs.max(axis=0)
    mean = np.log(np.exp(logs - highest).mean(axis=0)) + highest
    n_quantified = len(problem.y) - int(problem.is_blq.sum())
    return float(-2 * mean.sum() + n_quantified * np.log(2 * np.pi))


def bootstrap(
    spec: ModelSpec,
    events: EventTable,
    *,
    n: int,
    seed: int = 1,
    stratify: str | None = None,
    options: FitOptions = BOOTSTRAP_OPTIONS,
) -> pl.DataFrame:
    """Fit tables of subjects drawn with replacement.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    events : EventTable
        Subjects to draw from.
    n, seed : int
        Tables.
    stratify : str, optional
        Covariate whose levels keep their number of subjects.
    options : FitOptions
        Of every fit.

    Returns
    -------
    polars.DataFrame
        REPLICATE, STATUS, OFV and every parameter; null where a fit has FAILED.

    Raises
    ------
    SpecError
        The stratum is not a covariate, or the model does not go with the table.

    References
    ----------
    .. [1] Efron B, Tibshirani RJ (1993), An Introduction to the Bootstrap, section 9.
    """
    if n < 1 or (stratify is not None and stratify not in events.covariates):
        message = "bootstrap needs one table or more, and a stratum that is a covariate."
        raise SpecError(message)
    rng = np.random.default_rng(seed)
    parts = {
        str(key[0]): part for key, part in events.frame.partition_by("ID", as_dict=True).items()
    }
    groups = _groups(events, stratify)
    rows = []
    for number in range(1, n + 1):
        drawn = [name for group in groups for name in rng.choice(group, len(group))]
        found = fit(spec, _table_of(events, [parts[str(name)] for name in drawn]), options)
        failed = found.status == "FAILED"
        values = [None if failed else value for value in (found.ofv, *found.params.values())]
        rows.append((number, found.status, *values))
    schema = {"REPLICATE": pl.Int64, "STATUS": pl.String, "OFV": pl.Float64}
    schema |= dict.fromkeys(spec.parameter_names, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _groups(events: EventTable, stratify: str | None) -> list[list[str]]:
    if stratify is None:
        return [list(events.ids)]
    first = events.frame.group_by("ID", maintain_order=True).first()
    levels = first[stratify].unique().sort().to_list()
    return [first.filter(pl.col(stratify) == level)["ID"].to_list() for level in levels]


def _table_of(events: EventTable, parts: Sequence[pl.DataFrame]) -> EventTable:
    """Build a table whose subjects are numbered anew, so that one drawn twice is two."""
    numbered = [
        part.with_columns(pl.lit(str(number)).alias("ID")) for number, part in enumerate(parts)
    ]
    return replace(events, frame=pl.concat(numbered))
