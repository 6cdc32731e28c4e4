"""Plate exports for the registry: who read which plate, what came out, and the standards drawn."""

from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.instruments.plates import PlateRun, read_plate, recognise_plate
from assayhouse.instruments.registry import Inspection, Picture, Series

_DRAWN = 12


def recognise(head: bytes, path: Path) -> str | None:
    """Name the layout of a plate export, or None."""
    return recognise_plate(head, path)


def inspect(path: Path) -> Inspection:
    """Say what is in a plate export.

    Raises
    ------
    InstrumentFileError
        The file is not what it claims to be.
    """
    run = read_plate(path)
    counts = {
        "plates": run.wells["plate"].n_unique(),
        "analytes": run.wells["analyte"].n_unique(),
        "results": run.wells.height,
    }
    states = (
        run.wells.group_by("analyte", "type", "state")
        .agg(pl.len().cast(pl.Int64).alias("results"))
        .sort("analyte", "type", "state")
    )
    return Inspection(
        format=run.format,
        flags=run.flags,
        metadata=dict(run.metadata) | counts,
        tables={"states": states, "wells": run.wells, "curves": run.curves},
        picture=_picture(run),
    )


def _picture(run: PlateRun) -> Picture | None:
    """Standards against their expected concentrations; without any, the signals in order."""
    wells = run.wells.filter(pl.col("signal").is_not_null())
    standards = wells.filter((pl.col("type") == "STD") & (pl.col("expected_conc") > 0))
    drawn = wells if standards.is_empty() else standards
    if drawn.is_empty():
        return None
    keys = ("analyte", "signal_kind")
    groups = drawn.partition_by(*keys, maintain_order=True)
    series = tuple(
        Series(
            label=" ".join(str(group[key][0]) for key in keys),
            x=np.arange(1.0, group.height + 1.0)
            if standards.is_empty()
            else group["expected_conc"].to_numpy(),
            y=group["signal"].to_numpy(),
        )
        for group in groups[:_DRAWN]
    )
    return Picture(
        kind="points",
        title="Signals" if standards.is_empty() else "Standards",
        x_label="well in file order" if standards.is_empty() else "expected concentration",
        y_label="signal",
        series=series,
        x_scale="linear" if standards.is_empty() else "log",
        y_scale="asinh",
        note=f"{min(len(groups), _DRAWN)} of {len(groups)} analytes",
    )
