"""A population pharmacokinetic fit of anybody's event table, without a home."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from assayhouse.commands.output import Tell, print_table, progress, say
from assayhouse.commands.session import Session
from assayhouse.errors import DeclarationError

if TYPE_CHECKING:
    from assayhouse.pk import EventTable, FitOptions, FitResult, ModelSpec

_KEYS = ("units", "model", "covariates", "subject_rule", "missing_covariates", "options")
_NUMBERS = ("estimate", "se", "rse_pct", "ci_low", "ci_high")
_STEPS = 4


def poppk(_session: Session, args: argparse.Namespace) -> int:
    """Fit the model and write result.json, tables as CSV, and what hangs on a fit that holds.

    Returns
    -------
    int
        1 when the fit FAILED, with its reasons; else 0.
    """
    from assayhouse.pk import fit  # noqa: PLC0415 - slow

    declared = _declared(Path(args.model))
    spec, options = _model(declared, args)
    with progress() as tell:
        tell("read", 0, _STEPS)
        events = _events(Path(args.events), declared, spec)
        tell(f"fit from {options.starts} starts", 1, _STEPS)
        result = fit(spec, events, options)
        tables = _tables(result, events, tell)
        tell("write", 3, _STEPS)
        out = Path(args.out)
        _write(out, result, tables)
    print_table(tables["parameters"], title=f"{result.status}, OFV {result.ofv:.3f}")
    for reason in result.reasons:
        say(f"{reason.severity} {reason.code}: {reason.message}")
    for issue in events.issues:
        say(f"table: {issue.code} in {len(issue.rows)} rows: {issue.message}")
    say(f"{result.n_subjects} subjects, {result.n_obs} samples, {result.n_blq} below, in {out}")
    return 1 if result.status == "FAILED" else 0


def _declared(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        message = f"{path}: not readable as YAML. Nothing was written. Name another --model."
        raise DeclarationError(message) from error
    if not isinstance(loaded, dict) or not {"units", "model"} <= set(loaded) <= set(_KEYS):
        message = (
            f"{path}: units and model are needed; known beside them are "
            f"{', '.join(_KEYS[2:])}. Nothing was written."
        )
        raise DeclarationError(message)
    units = loaded["units"]
    if not isinstance(units, dict) or not {"amt", "dv"} <= set(units) <= {"amt", "dv", "time"}:
        message = f"{path}: units names amt, dv and, where it is not h, time. Nothing was written."
        raise DeclarationError(message)
    return loaded


def _model(
    declared: Mapping[str, Any], args: argparse.Namespace
) -> tuple["ModelSpec", "FitOptions"]:
    from assayhouse.pk import FitOptions, ModelSpec  # noqa: PLC0415 - slow

    given = declared.get("options") or {}
    if args.starts is not None:
        given = {**given, "starts": args.starts}
    try:
        return ModelSpec.from_dict(declared["model"]), FitOptions(**given)
    except TypeError as error:
        message = f"options: {error}. Nothing was written."
        raise DeclarationError(message) from error


def _events(path: Path, declared: Mapping[str, Any], spec: "ModelSpec") -> "EventTable":
    from assayhouse.pk import EventTable  # noqa: PLC0415 - slow

    units = declared["units"]
    named = [effect.column for effect in spec.covariates]
    return EventTable.read_csv(
        path,
        amt_unit=units["amt"],
        dv_unit=units["dv"],
        time_unit=units.get("time", "h"),
        covariates=list(dict.fromkeys([*(declared.get("covariates") or ()), *named])),
        subject_rule=declared.get("subject_rule", "quantifiable"),
        missing_covariates=declared.get("missing_covariates", "error"),
    )


def _tables(result: "FitResult", events: "EventTable", tell: Tell) -> dict[str, pl.DataFrame]:
    """Tables of any fit, and those of one that holds."""
    tell("exposure", 2, _STEPS)
    tables = {
        "parameters": _parameters(result),
        "starts": result.starts,
        "excluded": result.excluded,
    }
    if result.ebe is None:
        return tables
    from assayhouse.pk import (  # noqa: PLC0415 - slow
        covariate_forest,
        dosing_from_events,
        exposure,
        exposure_summary,
        gof,
    )

    tables |= {"ebe": result.ebe, "predictions": gof(result)}
    dosing = dosing_from_events(events).join(result.ebe.select("ID"), on="ID", how="semi")
    if dosing.height:
        tables["exposure"] = exposure(result, dosing)
        tables["exposure_summary"] = exposure_summary(tables["exposure"])
    if any(effect.parameter == "CL" for effect in result.spec.covariates):
        tables["covariate_forest"] = covariate_forest(result, events)
    return tables


def _parameters(result: "FitResult") -> pl.DataFrame:
    names = list(result.params)
    bounds = [result.ci[name] or (None, None) for name in names]
    return pl.DataFrame(
        {
            "parameter": names,
            "estimate": list(result.params.values()),
            "se": [result.se[name] for name in names],
            "rse_pct": [result.rse_pct[name] for name in names],
            "ci_low": [low for low, _ in bounds],
            "ci_high": [high for _, high in bounds],
        },
        schema_overrides=dict.fromkeys(_NUMBERS, pl.Float64),
    )


def _write(out: Path, result: "FitResult", tables: Mapping[str, pl.DataFrame]) -> None:
    from assayhouse.pk import PKError, dose_proportionality  # noqa: PLC0415 - slow

    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").write_text(result.to_json(), encoding="utf-8")
    for name, table in tables.items():
        table.write_csv(out / f"{name}.csv")
    if "exposure" not in tables:
        return
    try:
        found = dose_proportionality(tables["exposure"])
    except PKError as error:
        say(f"dose proportionality: {error}")
        return
    text = json.dumps(asdict(found), indent=2)
    (out / "dose_proportionality.json").write_text(text + "\n", encoding="utf-8")
