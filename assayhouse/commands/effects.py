"""Adjusted means and differences from a table in the long form, without a home."""

import argparse
from pathlib import Path
from typing import cast

import polars as pl
import yaml

from assayhouse.commands.output import progress, say
from assayhouse.commands.session import Session
from assayhouse.errors import DeclarationError, ModelDataError

_TEXTS = ("usubjid", "arm", "paramcd")
_NUMBERS = ("avisitn", "aval", "base", "lloq")
_MISSING = ("", "NA", "NaN", ".")
_FLAGS = {
    **dict.fromkeys(("true", "t", "y", "yes", "1"), True),
    **dict.fromkeys(("false", "f", "n", "no", "0"), False),
}


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
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        message = (
            f"{path}: not readable as a table in the long form. Nothing was written. Columns: "
            "usubjid, arm, paramcd, avisitn, aval, base, blq (true or false), lloq, and those that "
            "the spec names."
        )
        raise ModelDataError(message) from error
    for name in (name for name in frame.columns if name not in {*_TEXTS, *texts}):
        if name in _NUMBERS:
            frame = _typed(path, frame, name, pl.col(name).cast(pl.Float64, strict=False))
        elif name == "blq":
            words = pl.col(name).str.to_lowercase().replace_strict(_FLAGS, default=None)
            frame = _typed(path, frame, name, words.cast(pl.Boolean))
    return frame


def _typed(path: Path, frame: pl.DataFrame, name: str, typed: pl.Expr) -> pl.DataFrame:
    """Give a column its type; lines where it has another are named, their values are not."""
    text = pl.col(name).str.strip_chars()
    known = frame.with_columns(pl.when(~text.is_in(_MISSING)).then(text).alias(name))
    found = known.with_columns(typed.alias(name))
    bad = (found[name].is_null() & known[name].is_not_null()).arg_true().to_list()
    if not bad:
        return found
    shown = ", ".join(str(row + 2) for row in bad[:5]) + (", ..." if len(bad) > 5 else "")
    wanted = "true or false" if name == "blq" else "a number"
    message = (
        f"{path}: column {name} is not {wanted} in {len(bad)} lines: {shown}. Nothing was written. "
        "Leave a missing value empty, or write NA."
    )
    raise ModelDataError(message, rows=tuple(bad))
