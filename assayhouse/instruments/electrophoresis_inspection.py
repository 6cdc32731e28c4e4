"""Traces and peak tables for the registry: who ran them, when, and what the dyes look like."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.abif import MAGIC, read_directory
from assayhouse.instruments.electrophoresis import Trace, describe_run, read_abif
from assayhouse.instruments.ladders import Ladder, ladder_sizes, match_ladder
from assayhouse.instruments.peak_tables import read_peak_table, recognise_header
from assayhouse.instruments.peaks import FloatArray, find_peaks
from assayhouse.instruments.registry import Inspection, Picture, Series
from assayhouse.instruments.text_rows import decode, first_line

_DRAWN_POINTS = 2_000


def recognise(head: bytes, path: Path) -> str | None:  # noqa: ARG001 - the registry's signature
    """Name a trace by its magic, a peak table by its columns."""
    if head.startswith(MAGIC):
        return "abif"
    try:
        return recognise_header(first_line(decode(head, kind="peak_table")))
    except InstrumentFileError:
        return None


def inspect(path: Path) -> Inspection:
    """Say what is in a trace or a peak table.

    Raises
    ------
    InstrumentFileError
        The file is not what it claims to be.
    """
    with path.open("rb") as file:
        kind = recognise(file.read(1 << 16), path)
    if kind == "abif":
        return _inspect_trace(path)
    table = read_peak_table(path)
    metadata: dict[str, object] = {
        "peaks": table.height,
        "samples": table["sample"].n_unique(),
        "unsized_peaks": int(table["size_bp"].null_count()),
    }
    return Inspection(
        format=kind or "unknown",
        metadata=metadata,
        tables={"peaks": table},
        picture=_peaks_picture(table),
    )


def _peaks_picture(table: pl.DataFrame) -> Picture | None:
    """Height over size by dye; where the table has no sizes, how many peaks each dye has."""
    known = table.filter(pl.col("size_bp").is_not_null(), pl.col("height").is_not_null())
    dyes = [name for name in table["dye"].unique(maintain_order=True).to_list() if name]
    if known.is_empty():
        counts = table.group_by("dye", maintain_order=True).len()
        return _bars_picture(counts) if table.height else None
    shown = known.gather_every(max(1, -(-known.height // _DRAWN_POINTS)))
    parts = {name: shown.filter(dye=name) for name in dyes}
    if not dyes or sum(part.height for part in parts.values()) < shown.height:
        parts |= {"no dye": shown.filter(pl.col("dye").is_null())}
    return Picture(
        kind="points",
        title=f"Peaks of {table['sample'].n_unique()} samples",
        x_label="size (bp)",
        y_label="height (RFU)",
        series=tuple(
            Series(label=name, x=part["size_bp"].to_numpy(), y=part["height"].to_numpy())
            for name, part in parts.items()
            if part.height
        ),
        note=f"{shown.height} of {table.height} peaks",
    )


def _bars_picture(counts: pl.DataFrame) -> Picture:
    return Picture(
        kind="bars",
        title="Peaks by dye",
        x_label="peaks",
        y_label="dye",
        series=tuple(
            Series(label=name or "no dye", x=np.array([0.0]), y=np.array([float(n)]))
            for name, n in counts.iter_rows()
        ),
        note="the table has no sizes with heights",
    )


def _inspect_trace(path: Path) -> Inspection:
    try:
        trace = read_abif(path)
    except InstrumentFileError as error:
        if error.code != "not_a_fragment_run":
            raise
        metadata = describe_run(read_directory(path)) | {"refusal": str(error)}
        return Inspection(format="abif", flags=(error.code,), metadata=metadata)
    ladder = _ladder(trace)
    flags = tuple(dict.fromkeys((*trace.flags, *(ladder.flags if ladder else ()))))
    metadata = dict(trace.metadata) | {
        "ladder": trace.ladder_name,
        "sizing_quality": trace.sizing_quality,
        "n_scans": len(trace.signal),
        "dyes": ", ".join(trace.dyes),
    }
    tables = {"dyes": _dyes(trace)}
    if trace.embedded_peaks is not None:
        tables["embedded_peaks"] = trace.embedded_peaks
    if ladder is not None:
        tables["ladder"] = pl.DataFrame({"scan": ladder.scan, "size_bp": ladder.size_bp})
    return Inspection(
        format="abif", flags=flags, metadata=metadata, tables=tables, picture=_picture(trace)
    )


def _ladder(trace: Trace) -> Ladder | None:
    """Fragments of the standard that the file names; None where it names no known one."""
    sizes = ladder_sizes(trace.ladder_name or "")
    return None if sizes is None else match_ladder(find_peaks(trace.signal[:, -1]), sizes)


def _dyes(trace: Trace) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "dye": trace.dyes,
            "peaks": [len(find_peaks(column).scan) for column in trace.signal.T],
            "highest": trace.signal.max(axis=0),
        }
    )


def _picture(trace: Trace) -> Picture:
    step = max(1, -(-len(trace.signal) // _DRAWN_POINTS))
    count = len(trace.signal) // step * step
    x = np.arange(0, count, step, dtype=np.float64)
    series = tuple(
        Series(label=dye, x=x, y=_highest(column[:count], step))
        for dye, column in zip(trace.dyes, trace.signal.T, strict=True)
    )
    run = trace.metadata.get("run_datetime")
    when = f" of {run:%Y-%m-%d %H:%M}" if isinstance(run, dt.datetime) else ""
    return Picture(
        kind="lines",
        title=f"Electropherogram{when}",
        x_label="scan",
        y_label="signal (RFU)",
        series=series,
        note="all scans" if step == 1 else f"highest of every {step} scans",
    )


def _highest(column: FloatArray, step: int) -> FloatArray:
    return np.asarray(column.reshape(-1, step).max(axis=1), dtype=np.float64)
