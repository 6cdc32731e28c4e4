"""Adjusted means and differences from a table in the long form, without a home."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import yaml

from assayhouse.commands.output import print_table, progress, say
from assayhouse.commands.own_file import OwnTable, read_own
from assayhouse.commands.own_options import out_folder, read_options, told_by_file
from assayhouse.commands.own_table import flags, numbers, require_columns, told_by_line, typed
from assayhouse.commands.session import Session
from assayhouse.report.words import p_text

if TYPE_CHECKING:
    from assayhouse.analysis.effects import EffectSpec

_TEXTS = ("usubjid", "arm", "paramcd")
_NUMBERS = ("avisitn", "aval", "base", "lloq")
_TOLD = (
    "Columns: usubjid, arm, paramcd, avisitn, aval, base, blq (true or false), lloq, and those "
    "that the spec names."
)
_BELOW = (
    "Of a value below the limit of quantification write the limit into lloq, true into blq, and "
    "the limit or any other number into the value's place."
)
_SHOWN = 3


def effects(_session: Session, args: argparse.Namespace) -> int:
    """Estimate and write effects.parquet, effects.csv and spec.yaml.

    Returns
    -------
    int
        1 when a row was refused, with its reason in the table; else 0.
    """
    from assayhouse.analysis.effects import (  # noqa: PLC0415 - slow
        EffectSpec,
        require_possible,
        run_effects,
    )

    out = out_folder(args.out)
    options = read_options(Path(args.spec))
    with told_by_file(Path(args.spec)):
        spec = EffectSpec.from_dict(options)
        require_possible(spec, given=False)
    long = _long(Path(args.input), spec)
    with told_by_line(long), progress() as tell:
        table = run_effects(long.frame, spec, tell=tell)
    out.mkdir(parents=True, exist_ok=True)
    table.write_parquet(out / "effects.parquet")
    table.write_csv(out / "effects.csv")
    text = yaml.safe_dump(spec.to_dict(), sort_keys=False, allow_unicode=True)
    (out / "spec.yaml").write_text(text, encoding="utf-8")
    title = f"{long.path.name}: differences from {spec.reference}"
    print_table(
        _differences(table, spec.conf_level), title=title, whole="all are in the files written"
    )
    for line in (*_gaps(long.frame, table), *_reasons(table)):
        say(line)
    refused = table.filter(pl.col("status") != "ok").height
    say(f"{table.height} rows, {refused} refused with a reason, in {out}")
    return 1 if refused else 0


def _long(path: Path, spec: "EffectSpec") -> OwnTable:
    """Read the long form and give its columns their types."""
    named = (*spec.strata, *spec.subgroups)
    wanted = (*_TEXTS, *_NUMBERS, "blq", *named)
    table = read_own(path, wanted=wanted, told=_TOLD)
    require_columns(table, wanted, told=_TOLD)
    if table.unit == "line":
        for name in _NUMBERS:
            told = numbers(name)
            table = typed(table, name, told, wanted="a finite number", below=_BELOW)
        table = typed(table, "blq", flags("blq"), wanted="true or false")
    _require_others(table, spec.reference)
    _require_logarithms(table, spec)
    return table


def _require_others(table: OwnTable, reference: str) -> None:
    if table.frame["arm"].drop_nulls().cast(pl.String).unique().to_list() == [reference]:
        reason = f"column arm holds {reference} alone, so there is nothing to compare"
        raise table.refusal(reason, remedy="Add the rows of the other arms.")


def _require_logarithms(table: OwnTable, spec: "EffectSpec") -> None:
    """Raise where an imputed analysis of logarithms meets a value without one."""
    if "log" not in spec.responses or spec.population == "observed_at_visit":
        return
    analysed = pl.lit(value=True) if spec.visits is None else pl.col("avisitn").is_in(spec.visits)
    measured = ~pl.col("blq").fill_null(value=False) & (pl.col("base") > 0)
    mask = analysed & measured & (pl.col("aval") <= 0)
    rows = table.frame.select(mask.fill_null(value=False).alias("bad"))["bad"].arg_true()
    if len(rows):
        reason = "column aval is at or below zero, where response log has no value,"
        remedy = "Leave log out of responses, or correct the values."
        raise table.refusal(reason, rows=rows.to_list(), remedy=remedy)


def _differences(table: pl.DataFrame, level: float) -> pl.DataFrame:
    """Return what fits a terminal of every difference; a refused one has its status instead."""
    found = table.filter(term="diff")
    shown = [pl.col(name).round_sig_figs(3) for name in ("estimate", "ci_lo", "ci_hi")]
    several = ["subgroup"] if found["subgroup"].n_unique() > 1 else []
    return found.select(
        pl.col("paramcd").alias("parameter"),
        pl.col("avisitn").alias("visit"),
        "response",
        *several,
        "arm",
        pl.when(status="ok")
        .then(pl.format("{} ({} to {})", *shown))
        .otherwise(pl.col("status"))
        .alias(f"estimate ({100 * level:g} % interval)"),
        pl.col("p").map_elements(p_text, pl.String),
    )


def _gaps(long: pl.DataFrame, table: pl.DataFrame) -> list[str]:
    """Say of every parameter who has no base, and what became of values that are missing."""
    subjects = long.group_by("paramcd").agg(
        pl.col("usubjid").n_unique().alias("all"),
        pl.col("usubjid").filter(pl.col("base").is_not_null()).n_unique().alias("kept"),
    )
    told = []
    for name, every, kept in subjects.sort("paramcd").rows():
        if kept < every:
            told.append(
                f"{name}: {every - kept} of {every} subjects left out, because they have no base."
            )
        told += _values_missing(name, kept, table.filter(paramcd=name, subgroup="all", status="ok"))
    return told


def _values_missing(name: str, kept: int, rows: pl.DataFrame) -> list[str]:
    """Count values at each visit; where responses differ in subjects, the widest counts."""
    visits = rows.group_by("avisitn").agg(pl.col("n_observed", "n_imputed").max()).sort("avisitn")
    imputed = [f"{count} at visit {visit}" for visit, _, count in visits.rows() if count]
    if imputed:
        return [f"{name}: missing values imputed: {', '.join(imputed)}."]
    lost = [f"{kept - n} at visit {visit}" for visit, n, _ in visits.rows() if n < kept]
    if lost:
        return [f"{name}: subjects with a base left out for want of a value: {', '.join(lost)}."]
    return []


def _reasons(table: pl.DataFrame) -> list[str]:
    """Say every reason once, with the rows it holds for; also of subjects left out."""
    cells = pl.format("{} visit {} {}", "paramcd", "avisitn", "response")
    told = (
        table.filter(pl.col("reasons") != "")
        .group_by("status", "reasons", maintain_order=True)
        .agg(pl.len().alias("rows"), cells.unique(maintain_order=True).alias("cells"))
    )
    return [
        f"{rows} rows {'told' if status == 'ok' else 'refused'} ({_few(where)}): {reason}"
        for status, reason, rows, where in told.rows()
    ]


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
