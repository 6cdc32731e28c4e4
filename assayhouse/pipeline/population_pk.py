"""Relations of the population model: event records, fits, and the tables that stand on them."""

from collections.abc import Mapping
from functools import partial

import polars as pl

from assayhouse.analysis import pk_diagnostics, pk_tables
from assayhouse.analysis.pk_events import (
    ANALYSIS_NAMES,
    TrialTables,
    earlier_events,
    event_table,
    require_planned_doses,
    trial_events,
)
from assayhouse.analysis.pk_runs import (
    FULL,
    MAIN,
    PopulationPlan,
    Run,
    population_runs,
    settled_text,
)
from assayhouse.contracts.plan import PopulationModel
from assayhouse.contracts.table_spec import Field
from assayhouse.errors import DeclarationError
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.provenance import spec_hash, stamped, unstamped
from assayhouse.pk.fit import FitResult

POOLED = "pooled_pk"
EVENTS = ("sdtm.pc", "sdtm.ex", "sdtm.ec", "sdtm.dm", "sdtm.lb", "sdtm.vs")
_KEPT = ("USUBJID", "PCSEQ")


def plan_of(context: BuildContext) -> PopulationModel:
    """Give the population model of the study.

    Raises
    ------
    DeclarationError
        The study declares none.
    """
    model = context.declarations.study.plan.population_pk
    if model is None:
        message = f"{context.spec.relation} needs a population model in the plan."
        raise DeclarationError(message)
    return model


def _method(context: BuildContext) -> str:
    model = plan_of(context)
    return (
        f"FOCE with interaction, samples below the limit by {model.model.get('blq', 'M3')}, "
        f"model {spec_hash(dict(model.model))[:12]}"
    )


def event_records(context: BuildContext) -> pl.DataFrame:
    """Build adam.adppk: doses and samples of the trial and of earlier studies.

    Raises
    ------
    UnitError
        A unit is missing, unknown, or not the same everywhere.
    """
    analyte = context.declarations.study.plan.pharmacokinetics
    if analyte is None:
        return context.spec.empty()
    used = context.table("adam.adpc").filter(pl.col("ANL01FL") == "Y").select(_KEPT)
    pc = context.table("sdtm.pc").join(used, on=_KEPT, how="semi", maintain_order="left")
    pc = pc.filter(pl.col("PCTESTCD") == analyte.analyte)
    ex = context.table("sdtm.ex")
    if pc.is_empty() or ex.is_empty():
        return context.spec.empty()
    doses = context.table("ref.arms")["dose_mg"].drop_nulls().to_list()
    require_planned_doses(ex, doses)
    known = context.declarations.parents(context.spec.relation)
    tables = TrialTables(
        pc=pc,
        ex=ex,
        ec=context.table("sdtm.ec"),
        dm=context.table("sdtm.dm"),
        lb=context.table("sdtm.lb") if "sdtm.lb" in known else None,
        vs=context.table("sdtm.vs") if "sdtm.vs" in known else None,
    )
    parts = [
        trial_events(tables, analyte=analyte.analyte, disease=plan_of(context).disease),
    ]
    if context.declarations.mappings(POOLED):
        earlier = context.mapped(POOLED)
        if not earlier.is_empty():
            parts.append(earlier_events(earlier))
    rows = context.spec.conform(pl.concat(parts, how="diagonal_relaxed")).sort(context.spec.key)
    # Everything that a fit would refuse is refused here, before anything is written.
    event_table(rows, subject_rule="observed")
    return rows


def fits(context: BuildContext) -> pl.DataFrame:
    """Fit the declared model to either population, and with its added effects."""
    rows = context.table("adam.adppk")
    if rows.is_empty():
        return context.spec.empty()
    model = plan_of(context)
    plan = PopulationPlan.read(
        model.model,
        subject_rule=model.subject_rule,
        dose_effect=model.dose_effect,
        full=model.full,
        starts=model.starts,
        limits=model.limits,
    )
    found = [_fit_row(place, run) for place, run in enumerate(population_runs(rows, plan), 1)]
    frame = pl.DataFrame(found, schema=unstamped(context.spec), infer_schema_length=None)
    return stamped(frame, context, method=_method(context))


def _fit_row(place: int, run: Run) -> dict[str, object]:
    result = run.result
    row: dict[str, object] = {
        "run": run.name,
        "row_order": place,
        "subject_rule": run.subject_rule,
        "status": run.status,
        "codes": run.codes,
        "reasons": run.reasons,
        "notes": run.notes,
        "lloq": run.limit,
        "unit": run.unit if run.limit is not None else None,
    }
    if result is None:
        return row
    return row | {
        "n_subjects": result.n_subjects,
        "n_obs": result.n_obs,
        "n_blq": result.n_blq,
        "n_excluded": result.excluded.height,
        "ofv": None if run.usable is None else result.ofv,
        "result": settled_text(result),
    }


def runs_of(context: BuildContext) -> tuple[Run, ...]:
    """Read the runs as they were fitted, in their order; none where there is nothing to fit."""
    table = context.table("ard.population_fits").sort("row_order")
    return tuple(
        Run(
            name=row["run"],
            subject_rule=row["subject_rule"],
            result=None if row["result"] is None else FitResult.from_json(row["result"]),
            codes=row["codes"] or "",
            reasons=row["reasons"] or "",
            notes=row["notes"] or "",
            limit=row["lloq"],
            unit=row["unit"] or "",
        )
        for row in table.iter_rows(named=True)
    )


def _filled(frame: pl.DataFrame, context: BuildContext) -> pl.DataFrame:
    """Add the declared columns that a frame does not have, as null."""
    schema = unstamped(context.spec)
    absent = [
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in schema.items()
        if name not in frame.columns
    ]
    return stamped(frame.with_columns(absent), context, method=_method(context))


def population_pk(context: BuildContext) -> pl.DataFrame:
    """Tabulate the parameters of every run."""
    runs = runs_of(context)
    return _filled(pk_tables.parameter_table(runs), context) if runs else context.spec.empty()


def predictions(context: BuildContext) -> pl.DataFrame:
    """Tabulate predictions and residuals of the main run."""
    return _diagnostic(context, pk_diagnostics.prediction_rows)


def predictive_check(context: BuildContext) -> pl.DataFrame:
    """Compare the samples with trials simulated from the main run."""
    simulated = partial(
        pk_diagnostics.check_rows,
        replicates=plan_of(context).replicates,
        seed=context.declarations.study.seed,
    )
    return _diagnostic(context, simulated)


def _diagnostic(context: BuildContext, make: pk_diagnostics.Diagnostic) -> pl.DataFrame:
    runs = pk_tables.by_name(runs_of(context))
    made = make(context.table("adam.adppk"), runs[MAIN]) if runs else None
    return context.spec.empty() if made is None else _filled(made, context)


def covariate_forest(context: BuildContext) -> pl.DataFrame:
    """Show what each covariate of the full model does to exposure."""
    runs, model = pk_tables.by_name(runs_of(context)), plan_of(context)
    if FULL not in runs or not model.forest:
        return context.spec.empty()
    found = pk_diagnostics.forest_rows(
        context.table("adam.adppk"),
        runs[FULL],
        parameter=model.forest,
        level=model.level,
        band=model.band,
    )
    fields = {field.name: field for field in context.declarations.tables["adam.adppk"].fields}
    labels = [
        _label_in_words(row["covariate"], row["label"], row.get("covariate_value"), fields)
        for row in found.iter_rows(named=True)
    ]
    return _filled(found.with_columns(pl.Series("label", labels)), context)


def _label_in_words(
    covariate: str, label: str, value: float | None, fields: Mapping[str, Field]
) -> str:
    """Name a covariate as the analysis dataset does, with its unit; all are taken at baseline."""
    field = fields.get(ANALYSIS_NAMES.get(covariate, covariate))
    if field is None:
        return label
    name = field.label.partition(" at baseline")[0]
    level, _, percentile = label.removeprefix(f"{covariate} ").partition(" (")
    if not percentile or value is None:
        return f"{name}: {level}"
    return f"{name}, {level}: {value:.3g} {field.unit or ''}".rstrip()
