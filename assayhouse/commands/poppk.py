"""A population pharmacokinetic fit of anybody's event table, without a home."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.commands.output import Tell, print_table, progress, say
from assayhouse.commands.own_options import out_folder, told_by_file
from assayhouse.commands.poppk_input import read_events, read_model
from assayhouse.commands.poppk_words import note_lines, reason_lines
from assayhouse.commands.session import Session

if TYPE_CHECKING:
    from assayhouse.pk import EventTable, FitResult
    from assayhouse.report.figure import DrawnFigure

_DERIVED = ("ebe", "predictions", "exposure", "exposure_summary", "covariate_forest")
_PICTURES = ("goodness_of_fit", "predictive_check", "covariate_forest")
_PROPORTIONALITY = "dose_proportionality.json"
_NUMBERS = ("estimate", "se", "rse_pct", "ci_low", "ci_high")
_STEPS = 5


def poppk(_session: Session, args: argparse.Namespace) -> int:
    """Fit the model and write result.json, tables as CSV, and what hangs on a fit that holds.

    Returns
    -------
    int
        1 when the fit FAILED, with its reasons; else 0.
    """
    from assayhouse.pk import fit  # noqa: PLC0415 - slow

    out = out_folder(args.out)
    declared = read_model(Path(args.model), starts=args.starts)
    with progress() as tell:
        tell("read", 0, _STEPS)
        table, events = read_events(Path(args.events), declared)
        tell(f"fit from {declared.options.starts} starts", 1, _STEPS)
        with told_by_file(declared.path):
            result = fit(declared.spec, events, declared.options)
        tables = _tables(result, events, tell)
        tell("pictures", 3, _STEPS)
        drawn = _draw(result, events, tables) if args.pictures else []
        tell("write", 4, _STEPS)
        not_written = _write(out, result, tables, drawn)
    failed = result.status == "FAILED"
    print_table(tables["parameters"], title=_title(result), whole="all are in the files written")
    for line in (*reason_lines(result.reasons), *note_lines(table, events.issues)):
        say(line)
    if not failed and "exposure" not in tables:
        say("No exposure at steady state: no dose of a fitted subject has II above 0.")
    if failed:
        say(f"Not written, because nothing may be derived from this fit: {', '.join(not_written)}")
    say(
        f"{result.n_subjects} subjects, {result.n_obs} samples, {result.n_blq} of them below the "
        f"limit, {len(drawn)} pictures, in {out}"
    )
    return int(failed)


def _title(result: "FitResult") -> str:
    warning = "; not to be used" if result.status == "FAILED" else ""
    return f"{result.status}, OFV {result.ofv:.3f}{warning}"


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


def _draw(
    result: "FitResult", events: "EventTable", tables: Mapping[str, pl.DataFrame]
) -> "list[DrawnFigure]":
    if result.status == "FAILED":
        return []
    from assayhouse.commands.poppk_pictures import draw  # noqa: PLC0415 - slow

    return draw(result, events, tables)


def _write(
    out: Path,
    result: "FitResult",
    tables: Mapping[str, pl.DataFrame],
    drawn: "Sequence[DrawnFigure]",
) -> list[str]:
    """Write everything there is, and remove what an earlier fit left; return what is not there."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").write_text(result.to_json(), encoding="utf-8")
    for name, table in tables.items():
        table.write_csv(out / f"{name}.csv")
    absent = [f"{name}.csv" for name in _DERIVED if name not in tables]
    if not _write_proportionality(out / _PROPORTIONALITY, tables):
        absent.append(_PROPORTIONALITY)
    files = {name: content for figure in drawn for name, content in figure.files().items()}
    for name, content in files.items():
        (out / name).write_bytes(content)
    former = {f"{name}.{suffix}" for name in _PICTURES for suffix in ("svg", "png", "pdf")}
    for name in (*absent, *sorted(former - files.keys())):
        (out / name).unlink(missing_ok=True)
    return absent


def _write_proportionality(path: Path, tables: Mapping[str, pl.DataFrame]) -> bool:
    from assayhouse.pk import PKError, dose_proportionality  # noqa: PLC0415 - slow

    if "exposure" not in tables:
        return False
    try:
        found = dose_proportionality(tables["exposure"])
    except PKError as error:
        say(f"dose proportionality: {error}")
        return False
    path.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")
    return True
