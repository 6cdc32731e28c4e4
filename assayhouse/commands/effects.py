"""Adjusted means and differences from a table in the long form, without a home."""

import argparse
from pathlib import Path
from typing import cast

import polars as pl
import yaml

from assayhouse.commands.output import progress, say
from assayhouse.commands.own_table import flags, numbers, read_text, typed
from assayhouse.commands.session import Session
from assayhouse.errors import DeclarationError

_TEXTS = ("usubjid", "arm", "paramcd")
_NUMBERS = ("avisitn", "aval", "base", "lloq")
_TOLD = (
    "Columns: usubjid, arm, paramcd, avisitn, aval, base, blq (true or false), lloq, and those "
    "that the spec names."
)


def effects(_session: Session, args: argparse.Namespace) -> int:
    """Estimate and write effects.parquet, effects.csv and spec.yaml.

    Returns
    -------
    int
        1 when a row was refused, with its reason in the table; else 0.
    """
    from assayhouse.analysis.effects import EffectSpec, run_effects  # noqa: PLC0415 - slow

    spec = EffectSpec.from_dict(_options(Path(args.spec)))
    long = _long(Path(args.input), texts=(*spec.strata, *spec.subgroups))
    with progress() as tell:
        table = run_effects(long, spec, tell=tell)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    table.write_parquet(out / "effects.parquet")
    table.write_csv(out / "effects.csv")
    text = yaml.safe_dump(spec.to_dict(), sort_keys=False, allow_unicode=True)
    (out / "spec.yaml").write_text(text, encoding="utf-8")
    refused = table.filter(pl.col("status") != "ok").height
    say(f"{table.height} rows, {refused} refused with a reason, in {out}")
    return 1 if refused else 0


def _options(path: Path) -> dict[str, object]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        message = f"{path}: not readable as YAML. Nothing was written. Name another --spec."
        raise DeclarationError(message) from error
    if not isinstance(loaded, dict):
        message = f"{path}: a mapping of options is expected. Nothing was written."
        raise DeclarationError(message)
    return cast("dict[str, object]", loaded)


def _long(path: Path, *, texts: tuple[str, ...]) -> pl.DataFrame:
    frame = read_text(path, told=_TOLD)
    if path.suffix == ".parquet":
        return frame
    for name in (name for name in frame.columns if name not in {*_TEXTS, *texts}):
        if name in _NUMBERS:
            frame = typed(path, frame, name, numbers(name), wanted="a number")
        elif name == "blq":
            frame = typed(path, frame, name, flags(name), wanted="true or false")
    return frame
