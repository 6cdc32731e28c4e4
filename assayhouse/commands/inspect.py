"""What an instrument or clinical file is, who made it, when, what is wrong with it, one picture."""

import argparse
from pathlib import Path

import polars as pl

from assayhouse.commands.output import print_table, say
from assayhouse.commands.own_options import out_file
from assayhouse.commands.session import Session
from assayhouse.errors import DeclarationError
from assayhouse.instruments.flag_words import FLAG_WORDS
from assayhouse.instruments.registry import UNKNOWN, Inspection, inspect

PICTURES = (".svg", ".png", ".pdf")
_FIRST = ("instrument", "serial_number", "software", "software_version", "run_id", "run_datetime")


def inspect_file(_session: Session, args: argparse.Namespace) -> int:
    """Say what a file is, and write its picture where one is asked for.

    Returns
    -------
    int
        1 when something is wrong with the file, or its format is not known; else 0.

    Raises
    ------
    DeclarationError
        The picture's name ends in none of ``.svg``, ``.png`` and ``.pdf``.
    """
    out = None if args.picture is None else out_file(args.picture)
    if out is not None and out.suffix.lower() not in PICTURES:
        message = f"{out}: a picture is {', '.join(PICTURES)}. Nothing was written."
        raise DeclarationError(message)
    found = inspect(args.file)
    say(f"{Path(args.file).name}: {_sentence(found)}")
    _tell(found)
    if out is not None:
        _write_picture(found, out)
    return 1 if found.flags or found.format == UNKNOWN else 0


def _sentence(found: Inspection) -> str:
    if found.format == UNKNOWN:
        return "no known format"
    if "refusal" in found.metadata:
        return f"{found.format}, refused"
    return f"{found.format}, {'read with flags' if found.flags else 'read'}"


def _tell(found: Inspection) -> None:
    known = [(name, found.metadata[name]) for name in _FIRST if name in found.metadata]
    others = [pair for pair in found.metadata.items() if pair[0] not in {*_FIRST, "refusal"}]
    facts = [(name, value) for name, value in (*known, *others) if value is not None]
    for name, value in facts:
        say(f"  {name}: {value}")
    for flag in found.flags:
        say(f"! {flag}: {FLAG_WORDS.get(flag, 'see the documentation')}")
    if "refusal" in found.metadata:
        say(f"! {found.metadata['refusal']}")
    for name, table in list(found.tables.items())[:1]:
        print_table(_shown(table), title=name)


def _shown(table: pl.DataFrame) -> pl.DataFrame:
    """Without columns that hold nothing."""
    return table[[name for name in table.columns if table[name].null_count() < table.height]]


def _write_picture(found: Inspection, out: Path) -> None:
    if found.picture is None:
        say("no picture: the file has nothing to draw")
        return
    from assayhouse.report.instrument_picture import draw_picture  # noqa: PLC0415 - slow

    drawn = draw_picture(found.picture)
    out.write_bytes({".svg": drawn.svg, ".png": drawn.png, ".pdf": drawn.pdf}[out.suffix.lower()])
    say(f"picture in {out}")
