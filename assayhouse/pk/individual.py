"""What a fit says of each subject and each sample: EBEs, predictions, residuals."""

import numpy as np
import polars as pl

from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.curves import predict_values
from assayhouse.pk.focei import Objective
from assayhouse.pk.modes import population_phi
from assayhouse.pk.parameters import Scale
from assayhouse.pk.problem import Problem
from assayhouse.pk.residual import compute_variance
from assayhouse.pk.schedule import released


def eta_columns(problem: Problem, eta: FloatArray) -> dict[str, FloatArray]:
    """Random effects as columns ETA_<P>."""
    return {f"ETA_{name}": row for name, row in zip(problem.spec.iiv, eta, strict=True)}


def empirical_bayes(problem: Problem, scale: Scale, objective: Objective) -> pl.DataFrame:
    """Individual parameters at the modes, with the spread of the random effects.

    Parameters
    ----------
    problem : Problem
        Data and model.
    scale : Scale
        What the entries of the vector are.
    objective : Objective
        At the estimates.

    Returns
    -------
    polars.DataFrame
        One row per subject; parameters in litres, litres per time, per time.
    """
    phi = population_phi(problem, scale.at(objective.vector))
    phi[problem.iiv] += objective.eta
    spread = {
        f"SE_ETA_{name}": np.sqrt(objective.inverse[at, at])
        for at, name in enumerate(problem.spec.iiv)
    }
    starts = problem.schedule.starts
    counts = {
        "N_OBS": np.diff(starts, append=problem.schedule.n_samples).astype(np.int64),
        "N_BLQ": np.add.reduceat(problem.is_blq.astype(np.int64), starts),
    }
    columns = {name: np.exp(row) for name, row in zip(problem.spec.structural, phi, strict=True)}
    columns |= eta_columns(problem, objective.eta) | spread
    ids = pl.Series("ID", problem.ids, dtype=pl.String)
    return pl.DataFrame(
        [ids, *_series(columns), *_series(counts), *_series({"OBJI": objective.ofv})]
    )


def _series(columns: "dict[str, np.ndarray]") -> list[pl.Series]:
    return [pl.Series(name, values) for name, values in columns.items()]


def sample_table(problem: Problem, scale: Scale, objective: Objective) -> pl.DataFrame:
    """Predictions and residuals of every sample used; residuals below the limit are null.

    Parameters
    ----------
    problem : Problem
        Data and model.
    scale : Scale
        What the entries of the vector are.
    objective : Objective
        At the estimates.

    Returns
    -------
    polars.DataFrame
        Concentrations in the unit of the table.

    References
    ----------
    .. [1] Hooker AC, Staatz CE, Karlsson MO (2007), Pharm Res 24, 2187-2197 (CWRES).
    """
    point = scale.at(objective.vector)
    phi = population_phi(problem, point)
    pred = predict_values(problem.spec.structure, problem.schedule, phi, problem.scale)
    variance = compute_variance(objective.f, problem.spec.error, point.sigma, problem.floor).r
    below = (problem.samples["BLQ"] == 1).to_numpy()
    conditional = _conditional_residuals(problem, point.omega, objective, variance, below)
    weighted = (problem.y - objective.f) / np.sqrt(variance)
    hidden = pl.Series(below)
    return problem.samples.select(
        "ID",
        "TIME",
        # A value put in place of a sample below the limit is what the fit has seen.
        pl.Series("DV", problem.y) if problem.spec.blq == "half" else "DV",
        "BLQ",
        "LLOQ",
        pl.Series("PRED", pred),
        pl.Series("IPRED", objective.f),
        pl.Series("IWRES", weighted).set(hidden, None),
        pl.Series("CWRES", conditional).set(hidden, None),
    )


def time_after_dose(problem: Problem) -> tuple[float | None, ...]:
    """Time of every sample since the latest dose before it, whatever the lag time."""
    doses = released(problem.schedule, None)
    since = np.full(problem.schedule.n_samples, np.inf)
    np.minimum.at(since, problem.schedule.sample, np.where(doses.count > 0, doses.since, np.inf))
    return tuple(value if np.isfinite(value) else None for value in since.tolist())


def _conditional_residuals(
    problem: Problem,
    omega: FloatArray,
    objective: Objective,
    variance: FloatArray,
    below: "np.ndarray",
) -> FloatArray:
    """V^-1/2 (y - f + a eta) with V = a Omega a' + R, symmetric root, per subject [1]_."""
    found = np.zeros(problem.schedule.n_samples)
    ends = [*problem.schedule.starts[1:].tolist(), problem.schedule.n_samples]
    for subject, (first, end) in enumerate(zip(problem.schedule.starts, ends, strict=True)):
        at = np.arange(first, end)[~below[first:end]]
        a = objective.a[:, at]
        expected = objective.f[at] - objective.eta[:, subject] @ a
        values, vectors = np.linalg.eigh(a.T @ omega @ a + np.diag(variance[at]))
        deviation = vectors.T @ (problem.y[at] - expected)
        found[at] = vectors @ (deviation / np.sqrt(values))
    return found
