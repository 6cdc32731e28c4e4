"""Gating-ML documents and FlowJo workspaces for the registry: gates, samples, stored counts."""

from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.instruments.flowjo import read_workspace
from assayhouse.instruments.gate_outlines import flattened, outline
from assayhouse.instruments.gates import Combination, Dimension, Gate, Ratio
from assayhouse.instruments.gating import read_gating_ml
from assayhouse.instruments.registry import Inspection, Picture, Series
from assayhouse.instruments.scales import FloatArray
from assayhouse.instruments.xml_tree import root_name

_FLOWJO_MARKS = (b"flowJoVersion", b"f\0l\0o\0w\0J\0o\0V\0e\0r\0s\0i\0o\0n", b"FlowJo")
_MOST_BARS = 20


def recognise(head: bytes, path: Path) -> str | None:  # noqa: ARG001 - the registry's signature
    """Name a document by its root element."""
    root = root_name(head)
    if root == "Gating-ML":
        return "gating_ml"
    if root == "Workspace" and any(mark in head for mark in _FLOWJO_MARKS):
        return "flowjo_wsp"
    return None


def inspect(path: Path) -> Inspection:
    """Say which gates or populations a document holds.

    Raises
    ------
    InstrumentFileError
        The document is refused; ``code`` says why.
    """
    with path.open("rb") as file:
        kind = recognise(file.read(1 << 16), path)
    return _workspace(path) if kind == "flowjo_wsp" else _gating_ml(path)


def _gating_ml(path: Path) -> Inspection:
    strategy = read_gating_ml(path)
    table = pl.DataFrame(
        [
            {"gate": name, "kind": type(gate.region).__name__.lower(), "parent": gate.parent,
             "channels": _channels(gate)}
            for name, gate in strategy.gates.items()
        ],
        schema=dict.fromkeys(("gate", "kind", "parent", "channels"), pl.String),
    )  # fmt: skip
    pictures = (_outline(*item) for item in sorted(strategy.gates.items(), key=_has_one_axis))
    return Inspection(
        format="gating_ml",
        metadata={"version": "2.0", "gates": len(strategy.gates)},
        tables={"gates": table},
        picture=next((picture for picture in pictures if picture is not None), None),
    )


def _has_one_axis(item: tuple[str, Gate]) -> bool:
    return len(getattr(item[1].region, "dimensions", ())) == 1


def _channels(gate: Gate) -> str:
    if isinstance(gate.region, Combination):
        names = [f"not {name}" if complement else name for name, complement in gate.region.operands]
        return f"{gate.region.operation}: {', '.join(names)}"
    return ", ".join(_name(each) for each in getattr(gate.region, "dimensions", ()))


def _name(dimension: Dimension) -> str:
    if isinstance(dimension.channel, Ratio):
        return " / ".join(dimension.channel.channels)
    return dimension.channel


def _outline(name: str, gate: Gate) -> Picture | None:
    """Border of a gate; of one with many axes its shadow on the first two."""
    dimensions: tuple[Dimension, ...] = getattr(gate.region, "dimensions", ())
    if len(dimensions) == 1:
        return _interval(name, dimensions[0])
    corners = outline(flattened(gate))
    if corners is None:
        return None
    ends = _finite(corners)
    border = np.concatenate([ends, ends[:1]])
    notes = ["on the gate's own scales"]
    notes += ["sides without an end are cut"] * (not np.isfinite(corners).all())
    notes += [f"first two of {len(dimensions)} axes"] * (len(dimensions) > 2)
    return Picture(
        kind="lines",
        title=f"Border of gate {name}",
        x_label=_name(dimensions[0]),
        y_label=_name(dimensions[1]),
        series=(Series(label=name, x=border[:, 0], y=border[:, 1]),),
        note="; ".join(notes),
    )


def _interval(name: str, dimension: Dimension) -> Picture | None:
    """Limits of a gate of one axis, as lines across it."""
    limits = [
        (label, value)
        for label, value in (("from", dimension.low), ("to", dimension.high))
        if np.isfinite(value)
    ]
    if not limits:
        return None
    return Picture(
        kind="lines",
        title=f"Limits of gate {name}",
        x_label=_name(dimension),
        y_label="",
        series=tuple(
            Series(label=f"{label} {value:g}", x=np.full(2, value), y=np.array([0.0, 1.0]))
            for label, value in limits
        ),
        note="on the gate's own scale",
    )


def _finite(corners: FloatArray) -> FloatArray:
    """Put a side without an end as far out as the gate is wide, or one unit."""
    placed = corners.copy()
    for axis in range(2):
        column = corners[:, axis]
        known = column[np.isfinite(column)]
        low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
        reach = max(high - low, abs(high), 1.0)
        placed[:, axis] = np.nan_to_num(column, neginf=low - reach, posinf=high + reach)
    return placed


def _workspace(path: Path) -> Inspection:
    workspace = read_workspace(path)
    rows = [
        {"sample": sample, "count": count, "population": population}
        for sample in workspace.samples
        for population, count in workspace.stored_counts(sample).items()
    ]
    table = pl.DataFrame(
        rows, schema={"sample": pl.String, "count": pl.Int64, "population": pl.String}
    )
    return Inspection(
        format="flowjo_wsp",
        metadata={
            "software": f"FlowJo {workspace.version}",
            "samples": len(workspace.samples),
            "populations": len(rows),
        },
        tables={"populations": table},
        picture=_bars(table),
    )


def _bars(table: pl.DataFrame) -> Picture | None:
    if table.is_empty():
        return None
    # A workspace saved before it was calculated holds -1, or 0, for most of its samples.
    totals = table.group_by("sample", maintain_order=True).agg(pl.col("count").clip(0).sum())
    sample = totals["sample"][totals["count"].arg_max() or 0]
    first = table.filter(pl.col("sample") == sample).head(_MOST_BARS)
    return Picture(
        kind="bars",
        title=f"Stored counts of sample {sample}",
        x_label="events",
        y_label="population",
        series=tuple(
            Series(label=name, x=np.array([float(place)]), y=np.array([float(max(count, 0))]))
            for place, (name, count) in enumerate(
                zip(first["population"], first["count"], strict=True)
            )
        ),
        note="as FlowJo stored them; perhaps stale" if totals["count"].sum() else "none is stored",
    )
