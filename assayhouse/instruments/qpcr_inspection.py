"""qPCR files for the registry: who ran them, when, which wells, what the curves look like."""

from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.instruments.archives import MAGIC
from assayhouse.instruments.qpcr import QpcrRun, read_qpcr, recognise_qpcr
from assayhouse.instruments.registry import Inspection, Picture, Series

_LARGEST_ARCHIVE = 1 << 28
_DRAWN_CURVES = 96


def recognise(head: bytes, path: Path) -> str | None:
    """Name a qPCR file; an archive is opened."""
    if head.startswith(MAGIC) and path.stat().st_size <= _LARGEST_ARCHIVE:
        return recognise_qpcr(path.read_bytes())
    return recognise_qpcr(head)


def inspect(path: Path) -> Inspection:
    """Say what is in a qPCR file.

    Raises
    ------
    InstrumentFileError
        The file is refused; ``code`` says why.
    """
    run = read_qpcr(path)
    states = run.wells.group_by("run", "target", "type", "state").len(name="wells")
    return Inspection(
        format=run.format,
        flags=run.flags,
        metadata={**run.metadata, "wells": run.wells.height, "points": run.cycles.height},
        tables={
            "states": states.sort("run", "target", "type", "state", nulls_last=True),
            "wells": run.wells,
        },
        picture=_curves(run) or _cqs(run),
    )


def _curves(run: QpcrRun) -> Picture | None:
    if run.cycles.is_empty():
        return None
    first = run.cycles["run"][0]
    held = run.cycles.filter(pl.col("run") == first).drop_nulls("fluorescence")
    parts = held.partition_by("well", "target", maintain_order=True)
    return Picture(
        kind="lines",
        title=f"Amplification curves of run {first}",
        x_label="cycle",
        y_label="fluorescence (as the file has it)",
        series=tuple(
            Series(
                label=part["well"][0],
                x=part["cycle"].to_numpy().astype(np.float64),
                y=part["fluorescence"].to_numpy(),
            )
            for part in parts[:_DRAWN_CURVES]
        ),
        note=f"{min(len(parts), _DRAWN_CURVES)} of {len(parts)} wells and targets",
    )


def _cqs(run: QpcrRun) -> Picture | None:
    held = run.wells.with_row_index("place").filter(pl.col("state") == "ok")
    if held.is_empty():
        return None
    return Picture(
        kind="points",
        title="Cq by well",
        x_label="row of the file",
        y_label="Cq (cycles)",
        series=tuple(
            Series(
                label=part["type"][0],
                x=part["place"].to_numpy().astype(np.float64),
                y=part["cq"].to_numpy(),
            )
            for part in held.partition_by("type", maintain_order=True)
        ),
        note="determined wells",
    )
