"""Whether a fit may be used: what makes it FAILED, what makes it WARN, each with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.events import EventTable
from assayhouse.pk.focei import Objective
from assayhouse.pk.notes import Reason
from assayhouse.pk.optimise import RUNAWAY, Run, n_agreeing
from assayhouse.pk.parameters import Scale
from assayhouse.pk.problem import Problem
from assayhouse.pk.uncertainty import Curvature, Errors

_EDM = 1e-3
_ETA = 10.0
_CONDITION = 1000.0
_RSE_PCT = 50.0
_SHRINKAGE = 0.3
_BLQ = 0.3
_EXCLUDED = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the status of a fit is judged by.

    Parameters
    ----------
    problem : Problem
        Data and model.
    events : EventTable
        The table, before the BLQ method.
    scale : Scale
        What the entries of the vector are.
    start : (p,) array
        The given start on the estimation scale.
    runs : list of Run
        All searches.
    curvature : Curvature
        At the best end.
    errors : Errors or None
        Covariances.
    rse_pct : dict of str to float or None
        Relative standard errors.
    shrinkage : dict of str to float
        Per parameter that varies.
    """

    problem: Problem
    events: EventTable
    scale: Scale
    start: FloatArray
    runs: list[Run]
    curvature: Curvature
    errors: Errors | None
    rse_pct: dict[str, float | None]
    shrinkage: dict[str, float]

    @property
    def objective(self) -> Objective:
        """Where the fit ended."""
        return self.curvature.objective


def status_of(reasons: tuple[Reason, ...]) -> Literal["OK", "WARN", "FAILED"]:
    """Worst severity of the reasons."""
    severities = {reason.severity for reason in reasons}
    if "FAILED" in severities:
        return "FAILED"
    return "WARN" if severities else "OK"


def no_start_reasons(runs: list[Run]) -> tuple[Reason, ...]:
    """Why no search got anywhere."""
    codes = dict.fromkeys(run.code for run in runs if run.code)
    first = _failed("no_start_succeeded", f"None of {len(runs)} starts could be evaluated.")
    texts = {run.code: run.message for run in runs if run.code}
    return (first, *(_failed(code, texts[code]) for code in codes))


def judge(evidence: Evidence) -> tuple[Reason, ...]:
    """Every reason that holds, FAILED ones first.

    Parameters
    ----------
    evidence : Evidence
        What the fit has shown.

    References
    ----------
    .. [1] James F (1994), MINUIT reference manual, section 5 (estimated distance to minimum).
    .. [2] Savic RM, Karlsson MO (2009), AAPS J 11, 558-569 (shrinkage).
    """
    failed = list(_failures(evidence))
    return (*failed, *_numerical_warnings(evidence), *_data_warnings(evidence))


def _failed(code: str, message: str) -> Reason:
    return Reason(code, "FAILED", message)


def _warn(code: str, message: str) -> Reason:
    return Reason(code, "WARN", message)


def _failures(e: Evidence) -> Iterator[Reason]:
    curvature = e.curvature
    yield from _too_few(e)
    if not np.isfinite(e.objective.total):
        yield _failed("nonfinite_ofv", "The objective is not finite.")
    if curvature.edm is not None and curvature.edm > _EDM:
        yield _failed(
            "gradient",
            f"The estimated distance to the minimum is {curvature.edm:.3g}, above {_EDM:g}.",
        )
    if not curvature.positive:
        yield _failed(
            "hessian_not_pd",
            "The curvature at the end is not positive definite: the data do not identify the "
            "parameters, or the end is not a minimum.",
        )
    theta = slice(0, e.scale.n_theta)
    far = np.abs(e.objective.vector[theta] - e.start[theta]) > RUNAWAY
    ran = [name for name, gone in zip(e.problem.spec.structural, far, strict=True) if gone]
    large = int((np.abs(e.objective.eta).max(axis=0) > _ETA).sum())
    if ran or large:
        yield _failed(
            "runaway_parameter",
            f"Beyond a thousand times their start: {', '.join(ran) or 'none'}; "
            f"subjects with a random effect beyond {_ETA:g}: {large}.",
        )


def _too_few(e: Evidence) -> Iterator[Reason]:
    """Say where data cannot tell the parameters apart, wherever the search ended.

    The variances of q random effects need more than q subjects, p parameters more than p samples.
    """
    n_subjects, n_samples = len(e.problem.ids), e.problem.schedule.n_samples
    n_effects, n_free = len(e.problem.spec.iiv), int(np.count_nonzero(e.scale.free))
    if n_subjects <= n_effects or n_samples <= n_free:
        yield _failed(
            "too_few_data",
            f"{n_subjects} subjects with {n_samples} samples for {n_effects} random effects and "
            f"{n_free} parameters: there must be more subjects than random effects and more "
            "samples than parameters.",
        )


def _numerical_warnings(e: Evidence) -> Iterator[Reason]:
    if e.errors is not None and e.errors.condition_number > _CONDITION:
        yield _warn("condition_number", f"It is {e.errors.condition_number:.4g}, above 1000.")
    loose = [
        name
        for name, value in e.rse_pct.items()
        if value is not None and value > _RSE_PCT and not _is_signed(name)
    ]
    if loose:
        yield _warn("rse", f"Relative standard error above 50 %: {', '.join(loose)}.")
    held = [name for name, at in zip(e.scale.names, e.curvature.held, strict=True) if at]
    if held:
        yield _warn("boundary", f"At a boundary, without standard error: {', '.join(held)}.")
    shrunk = [name for name, value in e.shrinkage.items() if value > _SHRINKAGE]
    if shrunk:
        yield _warn(
            "shrinkage",
            f"Above 30 %: {', '.join(shrunk)}. {_sparse_shrinkage(e, shrunk)}".rstrip(),
        )
    if len(e.runs) > 1 and n_agreeing(e.runs) < 2:
        yield _warn("starts_disagree", "Only one start reached the lowest objective.")


def _is_signed(name: str) -> bool:
    return "~" in name or name.startswith("omega(")


def _sparse_shrinkage(e: Evidence, names: list[str]) -> str:
    """Shrinkage among the subjects with fewer samples than structural parameters."""
    counts = np.diff(e.problem.schedule.starts, append=e.problem.schedule.n_samples)
    sparse = counts < e.scale.n_theta
    if sparse.all() or sparse.sum() < 2:
        return ""
    own = compute_shrinkage(e.problem, e.scale, e.objective, sparse)
    parts = ", ".join(f"{name} {100 * own[name]:.0f} %" for name in names)
    return f"Among the {int(sparse.sum())} sparse subjects alone: {parts}."


def compute_shrinkage(
    problem: Problem, scale: Scale, objective: Objective, among: "np.ndarray | None" = None
) -> dict[str, float]:
    """Shrinkage 1 - sd(eta) / omega of each parameter that varies [2]_.

    Parameters
    ----------
    problem : Problem
        Data and model.
    scale : Scale
        What the entries of the vector are.
    objective : Objective
        At the estimates.
    among : (n,) array of bool, optional
        Subjects to take it over.
    """
    eta = objective.eta if among is None else objective.eta[:, among]
    if eta.shape[1] < 2:
        return dict.fromkeys(problem.spec.iiv, float("nan"))
    deviations = np.sqrt(np.diag(scale.at(objective.vector).omega))
    values = 1 - eta.std(axis=1, ddof=1) / deviations
    return dict(zip(problem.spec.iiv, values.tolist(), strict=True))


def _data_warnings(e: Evidence) -> Iterator[Reason]:
    levels = _dose_levels(e.events)
    high = levels.filter(pl.col("blq") > _BLQ * pl.col("samples"))
    if high.height:
        yield _warn(
            "blq_fraction",
            f"More than 30 % of the samples are below the limit at {high.height} dose levels: "
            f"{_listed(high)}.",
        )
    lost = _lost_by_level(e)
    many = [
        f"{level:g}"
        for level, gone in sorted(lost.items())
        if gone > _EXCLUDED * (gone + _staying(e, levels, level))
    ]
    if many:
        yield _warn("subjects_excluded", f"More than 5 % of a dose level: {', '.join(many)}.")
    if any(issue.code == "covariate_imputed" for issue in e.events.issues):
        yield _warn("covariate_imputed", "Missing covariates were filled.")
    if _flips(e):
        yield _warn("flip_flop", "Absorption is slower than elimination.")


def _dose_levels(events: EventTable) -> pl.DataFrame:
    """Subjects, samples and samples below the limit by the subject's first dose."""
    is_dose = (pl.col("EVID") == 1) | (pl.col("EVID") == 4)
    is_sample = (pl.col("EVID") == 0) & (pl.col("MDV") == 0)
    per_subject = events.frame.group_by("ID", maintain_order=True).agg(
        pl.col("AMT").filter(is_dose).first().alias("level"),
        is_sample.sum().alias("samples"),
        (is_sample & (pl.col("BLQ") == 1)).sum().alias("blq"),
    )
    sums = pl.len().alias("subjects"), pl.col("ID"), pl.col("samples").sum(), pl.col("blq").sum()
    return per_subject.group_by("level").agg(*sums).sort("level")


def _listed(levels: pl.DataFrame) -> str:
    return ", ".join(f"{level:g}" for level in levels["level"].to_list())


def _lost_by_level(e: Evidence) -> dict[float, int]:
    """Subjects left out by the table or by the BLQ method, by their first dose."""
    lost = dict(e.events.excluded_by_dose)
    fitted = set(e.problem.ids)
    for level, ids in _dose_levels(e.events).select("level", "ID").rows():
        gone = sum(name not in fitted for name in ids)
        if gone:
            lost[level] = lost.get(level, 0) + gone
    return lost


def _staying(e: Evidence, levels: pl.DataFrame, level: float) -> int:
    fitted = set(e.problem.ids)
    ids = levels.filter(pl.col("level") == level)["ID"].explode().to_list()
    return sum(name in fitted for name in ids)


def _flips(e: Evidence) -> bool:
    theta = e.scale.to_natural(e.objective.vector)
    if "KA" not in theta:
        return False
    if "V" in theta:
        slowest = theta["CL"] / theta["V"]
    else:
        k10, k12, k21 = (
            theta["CL"] / theta["V1"],
            theta["Q"] / theta["V1"],
            theta["Q"] / theta["V2"],
        )
        root = np.sqrt((k10 + k12 - k21) ** 2 + 4 * k12 * k21)
        slowest = 2 * k10 * k21 / (k10 + k12 + k21 + root)
    return bool(theta["KA"] < slowest)
