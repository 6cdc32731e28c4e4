"""Population fits of a plan: the model, the other population, added effects, a higher limit.

A run that failed says why and gives nothing to build on; the runs that would stand on it are not
made. Tables of results are in `pk_tables`.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from assayhouse.analysis.pk_events import concentration_unit, event_table
from assayhouse.pk.errors import EventTableError
from assayhouse.pk.events import EventTable
from assayhouse.pk.fit import FitOptions, FitResult, fit
from assayhouse.pk.spec import Category, Covariate, ModelSpec

MAIN, SENSITIVITY, DOSE, FULL = "main", "sensitivity", "dose effect", "full model"
ADDED = (DOSE, FULL)
"""Runs of effects; of all others the individual estimates are used."""
OTHER_RULE = {"quantifiable": "observed", "observed": "quantifiable"}
FAILED = "FAILED"
FEWEST = 5
DIGITS = 12
"""Significant digits that are kept: more are not the same on every machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationPlan:
    """What is fitted: the model, whom to, the effects added to it, the limits it is repeated at."""

    spec: ModelSpec
    subject_rule: str
    dose_effect: tuple[Covariate, ...]
    full: tuple[Covariate, ...]
    starts: int
    limits: tuple[float, ...] = ()

    @classmethod
    def read(
        cls,
        model: Mapping[str, Any],
        *,
        subject_rule: str,
        dose_effect: Mapping[str, Any],
        full: Iterable[Mapping[str, Any]],
        starts: int,
        limits: Iterable[float] = (),
    ) -> "PopulationPlan":
        """Read a declared plan.

        Raises
        ------
        SpecError
            The model or an effect is not one the method knows.
        """
        spec = ModelSpec.from_dict(model)
        alone = {**model, "covariates": [dose_effect] if dose_effect else []}
        added = {**model, "covariates": list(full)}
        return cls(
            spec=spec,
            subject_rule=subject_rule,
            dose_effect=ModelSpec.from_dict(alone).covariates,
            full=ModelSpec.from_dict(added).covariates,
            starts=starts,
            limits=tuple(limits),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One fit, or why there is none.

    Attributes
    ----------
    name, subject_rule : str
        Which run, and whom it takes.
    result : FitResult or None
        None where no fit was made.
    codes, reasons : str
        Why it is not OK, as codes and in words.
    notes : str
        What was left out of the model for want of subjects.
    limit : float or None
        Limit of quantification that the samples were taken by; None for their own.
    unit : str
        Of the limit.
    """

    name: str
    subject_rule: str
    result: FitResult | None
    codes: str
    reasons: str
    notes: str = ""
    limit: float | None = None
    unit: str = ""

    @property
    def at_limit(self) -> str:
        """What is added to a name to tell at which limit."""
        return "" if self.limit is None else f", limit {self.limit:g} {self.unit}"

    @property
    def status(self) -> str:
        """OK, WARN or FAILED."""
        return FAILED if self.result is None else self.result.status

    @property
    def usable(self) -> FitResult | None:
        """The result, where something may be derived from it."""
        return None if self.status == FAILED else self.result


def population_runs(rows: pl.DataFrame, plan: PopulationPlan) -> tuple[Run, ...]:
    """Make the runs of a plan.

    Parameters
    ----------
    rows : DataFrame
        `adam.adppk`.
    plan : PopulationPlan
        What to fit.

    Returns
    -------
    tuple of Run
        Main run and sensitivity run always; dose effect and full model where declared; both first
        runs again at every declared limit.

    Raises
    ------
    UnitError, EventTableError
        The rows cannot be used.
    SpecError
        The model names a covariate that the rows do not have.
    """
    main = _run(MAIN, rows, plan, plan.subject_rule, plan.spec)
    near = _near(plan.spec, main.usable)
    runs = [main, _run(SENSITIVITY, rows, plan, OTHER_RULE[plan.subject_rule], near)]
    for name, effects in ((DOSE, plan.dose_effect), (FULL, plan.full)):
        if not effects:
            continue
        if main.usable is None:
            codes, why = "main_failed", f"The main run FAILED: {main.codes}."
            runs.append(
                Run(
                    name=name,
                    subject_rule=plan.subject_rule,
                    result=None,
                    codes=codes,
                    reasons=why,
                )
            )
            continue
        runs.append(_run(name, rows, plan, plan.subject_rule, near, effects=effects))
    raised = (
        _run(base.name, rows, plan, base.subject_rule, near, limit=limit)
        for limit in plan.limits
        for base in runs[:2]
    )
    return (*runs, *raised)


def _run(
    name: str,
    rows: pl.DataFrame,
    plan: PopulationPlan,
    rule: str,
    spec: ModelSpec,
    *,
    effects: tuple[Covariate, ...] = (),
    limit: float | None = None,
) -> Run:
    empty = Run(
        name=name, subject_rule=rule, result=None, codes="no_subjects", reasons="",
        limit=limit, unit=concentration_unit(rows),
    )  # fmt: skip
    empty = replace(empty, name=f"{name}{empty.at_limit}")
    try:
        events = event_table(rows, subject_rule=rule, limit=limit)
    except EventTableError as error:
        # Nobody to analyse is a result; anything else is an error of the data.
        if {issue.code for issue in error.issues} != {"no_subjects"}:
            raise
        return replace(empty, reasons=str(error))
    kept, notes = _estimable(effects, events)
    whole = replace(spec, covariates=(*spec.covariates, *kept))
    found = fit(whole, events, FitOptions(starts=plan.starts))
    return replace(
        empty,
        result=_slim(found) if name in ADDED else found,
        codes=", ".join(reason.code for reason in found.reasons),
        reasons=" ".join(f"{reason.code}: {reason.message}" for reason in found.reasons),
        notes=notes,
    )


def _estimable(
    effects: tuple[Covariate, ...], events: EventTable
) -> tuple[tuple[Covariate, ...], str]:
    """Effects that the subjects can tell apart: five on either side of a level, or a spread."""
    first = events.frame.group_by("ID", maintain_order=True).first()
    kept, lost = list[Covariate](), list[str]()
    for effect in effects:
        column = effect.column
        if column not in events.covariates:
            lost.append(effect.name)
            continue
        values = first[column]
        if isinstance(effect, Category):
            n = int((values.cast(pl.String) == str(effect.level)).sum())
            fits = FEWEST <= n <= len(values) - FEWEST
        else:
            fits = values.n_unique() > 1
        (kept if fits else lost).append(effect if fits else effect.name)  # type: ignore[arg-type]
    notes = f"Too few subjects to estimate: {', '.join(lost)}." if lost else ""
    return tuple(kept), notes


def _near(spec: ModelSpec, result: FitResult | None) -> ModelSpec:
    """Begin where the main run ended."""
    if result is None:
        return spec
    init = {name: value for name, value in result.params.items() if "~" not in name}
    effects = tuple(replace(effect, init=result.params[effect.name]) for effect in spec.covariates)
    return replace(spec, init=init, covariates=effects)


def _slim(result: FitResult) -> FitResult:
    return replace(result, ebe=None, predictions=None, time_after_dose=())


def settled_text(result: FitResult) -> str:
    """Write a result without the time it took and the digits that differ between machines."""
    fields = json.loads(result.to_json(), parse_float=_short)
    return json.dumps({**fields, "cpu_seconds": 0.0})


def _short(text: str) -> float:
    value = float(text)
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else value
