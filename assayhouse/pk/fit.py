"""Population fits by FOCE-I: evaluate at given parameters, or estimate them.

Puts the parts together: problem, search, curvature, status. Their arithmetic is in their modules.
"""

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from assayhouse import __version__
from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.errors import FitFailedError
from assayhouse.pk.events import EventTable
from assayhouse.pk.focei import ObjectiveError, evaluate_objective
from assayhouse.pk.individual import (
    empirical_bayes,
    eta_columns,
    sample_table,
    time_after_dose,
)
from assayhouse.pk.notes import Reason
from assayhouse.pk.optimise import Run, best_run, search
from assayhouse.pk.options import DEFAULT_OPTIONS, FitOptions
from assayhouse.pk.parameters import Scale
from assayhouse.pk.problem import Problem, build_problem
from assayhouse.pk.result import Evaluation, FitResult
from assayhouse.pk.spec import ModelSpec
from assayhouse.pk.spec_rules import check_init
from assayhouse.pk.starts import complete_start
from assayhouse.pk.status import (
    Evidence,
    compute_shrinkage,
    judge,
    no_start_reasons,
    status_of,
)
from assayhouse.pk.uncertainty import (
    Errors,
    compute_curvature,
    compute_errors,
    intervals,
    standard_errors,
)

__all__ = ["Evaluation", "FitFailedError", "FitOptions", "FitResult", "Reason", "evaluate", "fit"]


def evaluate(
    spec: ModelSpec, events: EventTable, params: Mapping[str, float] | None = None
) -> Evaluation:
    """Evaluate the FOCE-I objective and its gradient; nothing is estimated.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    events : EventTable
        Doses and samples.
    params : mapping of str to float, optional
        Values by name; what is missing is taken from ``spec.init``, then from the defaults.

    Returns
    -------
    Evaluation
        OFV without n log(2 pi).

    Raises
    ------
    SpecError
        A name is unknown, a value is out of range, or nothing varies between subjects.

    References
    ----------
    .. [1] Wang Y (2007), J Pharmacokinet Pharmacodyn 34, 575-593.
    .. [2] Almquist J, Leander J, Jirstrand M (2015), J Pharmacokinet Pharmacodyn 42, 191-209.
    """
    given = dict(params or {})
    check_init(spec.parameter_names, given, ())
    problem = build_problem(spec, events)
    scale = Scale(spec)
    vector = scale.from_natural(complete_start(problem, {**spec.init, **given}))
    free = [name for name, use in zip(scale.names, scale.free, strict=True) if use]
    ids = pl.Series("ID", problem.ids, dtype=pl.String)
    try:
        found = evaluate_objective(problem, scale, vector)
    except ObjectiveError as error:
        gaps = {f"ETA_{name}": pl.Series([None] * len(ids), dtype=pl.Float64) for name in spec.iiv}
        return Evaluation(
            ofv=math.nan,
            ofv_by_subject=dict.fromkeys(problem.ids, math.nan),
            gradient=dict.fromkeys(free, math.nan),
            etas=pl.DataFrame({"ID": ids, **gaps}),
            inner_converged=error.code != "inner_not_converged",
        )
    natural = np.linalg.solve(scale.jacobian(vector).T, found.gradient.sum(axis=1))
    gradient = dict(zip(scale.names, natural.tolist(), strict=True))
    return Evaluation(
        ofv=found.total,
        ofv_by_subject=dict(zip(problem.ids, found.ofv.tolist(), strict=True)),
        gradient={name: gradient[name] for name in free},
        etas=pl.DataFrame({"ID": ids, **eta_columns(problem, found.eta)}),
        inner_converged=True,
    )


def fit(spec: ModelSpec, events: EventTable, options: FitOptions = DEFAULT_OPTIONS) -> FitResult:
    """Estimate a population model by FOCE-I; a fit that failed says so in its status.

    Parameters
    ----------
    spec : ModelSpec
        The model, with at least one parameter that varies between subjects.
    events : EventTable
        Doses and samples.
    options : FitOptions
        Starts, tolerances, standard errors.

    Returns
    -------
    FitResult
        Always, whatever became of the fit.

    Raises
    ------
    SpecError
        Specification and table do not go together.

    References
    ----------
    .. [1] Wang Y (2007), J Pharmacokinet Pharmacodyn 34, 575-593.
    .. [2] Almquist J, Leander J, Jirstrand M (2015), J Pharmacokinet Pharmacodyn 42, 191-209.
    .. [3] Beal SL (2001), J Pharmacokinet Pharmacodyn 28, 481-504 (M3).
    """
    began = time.process_time()
    problem = build_problem(spec, events)
    scale = Scale(spec)
    start = scale.from_natural(complete_start(problem, spec.init))
    runs, box = search(problem, scale, start, options)
    best = best_run(runs)
    common = _common(problem, events, options, runs)
    if best is None or best.objective is None:
        return FitResult(
            **_without_estimates(scale, start),
            **common,
            reasons=no_start_reasons(runs),
            status="FAILED",
            cpu_seconds=time.process_time() - began,
        )
    curvature = compute_curvature(problem, scale, best.objective, box, options.inner_tol)
    errors = compute_errors(scale, curvature)
    estimates = _estimates(scale, curvature.objective.vector, errors, options)
    evidence = Evidence(
        problem=problem,
        events=events,
        scale=scale,
        start=start,
        runs=runs,
        curvature=curvature,
        errors=errors,
        rse_pct=estimates["rse_pct"],
        shrinkage=compute_shrinkage(problem, scale, curvature.objective),
    )
    reasons = judge(evidence)
    failed = status_of(reasons) == "FAILED"
    objective = curvature.objective
    gradient = np.abs(objective.gradient.sum(axis=1)[curvature.used])
    n_quantified = len(problem.y) - int(problem.is_blq.sum())
    return FitResult(
        **estimates,
        **common,
        status=status_of(reasons),
        reasons=reasons,
        ofv=objective.total,
        minus2ll=objective.total + n_quantified * math.log(2 * math.pi),
        hessian_pd=curvature.positive,
        gradient_max=float(gradient.max(initial=0.0)),
        edm=curvature.edm,
        shrinkage=evidence.shrinkage,
        ofv_by_subject=dict(zip(problem.ids, objective.ofv.tolist(), strict=True)),
        ebe=None if failed else empirical_bayes(problem, scale, objective),
        predictions=None if failed else sample_table(problem, scale, objective),
        time_after_dose=() if failed else time_after_dose(problem),
        cpu_seconds=time.process_time() - began,
    )


def _common(
    problem: Problem, events: EventTable, options: FitOptions, runs: list[Run]
) -> dict[str, Any]:
    """Fields that a fit has whatever became of it."""
    return {
        "n_subjects": problem.n_subjects,
        "n_obs": len(problem.y),
        "n_blq": int(problem.is_blq.sum()),
        "excluded": problem.excluded,
        "starts": _starts_table(problem, runs),
        "spec": problem.spec,
        "options": options,
        "amt_unit": events.amt_unit,
        "dv_unit": events.dv_unit,
        "time_unit": events.time_unit,
        "scale": events.scale,
        "data_hash": events.content_hash,
        "version": __version__,
    }


def _starts_table(problem: Problem, runs: list[Run]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "START": list(range(1, len(runs) + 1)),
            "OFV": [None if run.objective is None else run.objective.total for run in runs],
            "CONVERGED": [run.converged for run in runs],
            "MESSAGE": [run.message + _floored(problem, run) for run in runs],
        },
        schema={
            "START": pl.Int64,
            "OFV": pl.Float64,
            "CONVERGED": pl.Boolean,
            "MESSAGE": pl.String,
        },
    )


def _floored(problem: Problem, run: Run) -> str:
    """Name samples whose proportional variance was floored, so that nobody overlooks them."""
    if problem.spec.error != "proportional" or run.objective is None:
        return ""
    rows = np.flatnonzero((run.objective.f**2 < problem.floor) & ~problem.is_blq)
    if not len(rows):
        return ""
    return f"; variance floored at samples {', '.join(str(row) for row in rows)}"


def _estimates(
    scale: Scale, vector: FloatArray, errors: Errors | None, options: FitOptions
) -> dict[str, Any]:
    """Fields about the parameters."""
    params = scale.to_natural(vector)
    se = standard_errors(scale.names, errors, options.covariance)
    chosen = None
    if errors is not None and options.covariance != "none":
        chosen = errors.hessian if options.covariance == "hessian" else errors.sandwich
    reported = "none" if options.covariance == "none" else ""
    return {
        "params": params,
        "se": se,
        "se_hessian": standard_errors(scale.names, errors, reported or "hessian"),
        "se_sandwich": standard_errors(scale.names, errors, reported or "sandwich"),
        "rse_pct": {
            name: None if value is None or params[name] == 0 else 100 * value / abs(params[name])
            for name, value in se.items()
        },
        "ci": intervals(params, se, options),
        "covariance": chosen,
        "covariance_names": errors.names if errors is not None and chosen is not None else (),
        "condition_number": None if errors is None else errors.condition_number,
        "omega": scale.at(vector).omega,
    }


def _without_estimates(scale: Scale, start: FloatArray) -> dict[str, Any]:
    """Fields of a fit that never began: the start's parameters, and nothing derived."""
    empty: dict[str, float | None] = dict.fromkeys(scale.names)
    return {
        "params": scale.to_natural(start),
        "se": empty,
        "se_hessian": dict(empty),
        "se_sandwich": dict(empty),
        "rse_pct": dict(empty),
        "ci": dict(empty),
        "covariance": None,
        "covariance_names": (),
        "condition_number": None,
        "omega": scale.at(start).omega,
        "ofv": math.nan,
        "minus2ll": math.nan,
        "hessian_pd": False,
        "gradient_max": math.nan,
        "edm": None,
        "shrinkage": dict.fromkeys(scale.spec.iiv, math.nan),
        "ofv_by_subject": {},
        "ebe": None,
        "predictions": None,
    }
