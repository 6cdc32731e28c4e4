"""Quality pictures of instrument files: gates, called peaks, standard curves, amplification.

Chooses what is shown of the files that came last; draws and keeps nothing itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.instrument_file import InstrumentSpec
from assayhouse.derive.flow_populations import PanelGates, panel_gates
from assayhouse.derive.fragment_peaks import derive_panel_peaks, dye_column
from assayhouse.derive.plate_wells import derive_plate_wells, signal_names
from assayhouse.derive.qpcr_wells import run_curves
from assayhouse.errors import InstrumentFileError, ModelDataError
from assayhouse.instruments.electrophoresis import read_abif
from assayhouse.instruments.fcs import read_fcs
from assayhouse.instruments.gate_outlines import outline
from assayhouse.instruments.gates import BoolArray, Dimension, Gate
from assayhouse.instruments.plates import read_plate
from assayhouse.instruments.qpcr import read_qpcr
from assayhouse.pipeline.instrument_values import (
    FLOW_FILES,
    FRAGMENT_FILES,
    PLATE_FILES,
    QPCR_FILES,
)
from assayhouse.report.instrument_section import QcPicture
from assayhouse.report.qc_picture import LINEAR, LOG, Layer, Panel, Region, draw_qc_picture
from assayhouse.stats.arrays import FloatArray
from assayhouse.stats.curves import CurveFit
from assayhouse.trust.archive import require_archived
from assayhouse.warehouse.home import Home

Mapped = Callable[[str], pl.DataFrame]
FILES_SHOWN, MOST_DOTS, MOST_POINTS, MOST_PANELS = 2, 700, 600, 6
MARGIN_SCANS, LEAST_RFU, MOST_CURVES = 60, 10.0, 12
_SCATTER = ("FSC", "SSC", "TIME")


def pictures_of(
    home: Home, declarations: Declarations, mapped: Mapped, shapes: Sequence[str] | None = None
) -> tuple[QcPicture, ...]:
    """Draw the files that came last of every layout with instrument files.

    Parameters
    ----------
    home : Home
        Where the archive is.
    declarations : Declarations
        The study.
    mapped : callable
        Rows of a shape, as they are served.
    shapes : sequence of str or None
        Shapes of files to draw; all that the study has if None.

    Returns
    -------
    tuple of QcPicture
        At most two per layout; a file that cannot be drawn has none.
    """
    wanted = tuple(_PANELS) if shapes is None else shapes
    made = []
    for shape in wanted:
        if not declarations.mappings(shape):
            continue
        rows = mapped(shape).sort("receipt", descending=True)
        latest = rows.group_by("layout", maintain_order=True).head(FILES_SHOWN).sort("receipt")
        for row in latest.iter_rows(named=True):
            picture = _picture(home, declarations, shape, row)
            made += [] if picture is None else [picture]
    return tuple(made)


def _picture(
    home: Home, declarations: Declarations, shape: str, row: dict[str, object]
) -> QcPicture | None:
    layout = declarations.layouts[str(row["layout"])]
    if layout.instrument is None:
        return None
    root = home.archive(declarations.layout_side(layout.layout))
    path = require_archived(root, str(row["sha256"]), str(row["source_file"]))
    try:
        panels = list(_PANELS[shape](path, layout.instrument, row))
    except (InstrumentFileError, ModelDataError):
        return None
    if not panels:
        return None
    title = str(row["source_file"])
    svg = draw_qc_picture(title, panels[:MOST_PANELS], synthetic=declarations.study.synthetic)
    return QcPicture(picture_id=f"{layout.layout}-{row['receipt']}", title=title, svg=svg)


def _flow(path: Path, spec: InstrumentSpec, row: dict[str, object]) -> Iterator[Panel]:
    panel = None if spec.flow is None else spec.flow.of(str(row["panel"]))
    if panel is None:
        return
    gates = panel_gates(read_fcs(path), panel)
    inside = gates.inside()
    for plane, borders in _planes(gates).items():
        yield _gated(gates, borders, plane, inside)


_Plane: TypeAlias = tuple[str | None, Dimension, Dimension]


def _planes(gates: PanelGates) -> dict[_Plane, dict[str, FloatArray]]:
    """Borders of gates on two channels, by parent and axes: those of one plane in one panel."""
    found: dict[_Plane, dict[str, FloatArray]] = {}
    for name, gate in gates.gates.items():
        corners = outline(gate)
        if corners is not None and not gate.complement:
            x, y = (replace(each, low=-np.inf, high=np.inf) for each in _dimensions(gate))
            found.setdefault((gate.parent, x, y), {})[name] = corners
    return found


def _dimensions(gate: Gate) -> tuple[Dimension, ...]:
    return getattr(gate.region, "dimensions", ())


def _gated(
    gates: PanelGates,
    borders: Mapping[str, FloatArray],
    plane: _Plane,
    inside: Mapping[str, BoolArray],
) -> Panel:
    """Draw the gates of one plane over some events of their parent."""
    parent, *dimensions = plane
    fcs = gates.axes.fcs
    shown = np.arange(fcs.n_events) if parent is None else np.flatnonzero(inside[parent])
    few = shown[:: max(1, -(-len(shown) // MOST_DOTS))]
    x, y = (np.asarray(gates.axes.values(each))[few] for each in dimensions)
    marker = dict(zip(fcs.channels, fcs.markers, strict=True))
    labels = [
        f"{each.channel} {marker.get(str(each.channel)) or ''}".strip() for each in dimensions
    ]
    title = "all events" if parent is None else gates.labels[parent]
    return Panel(
        title=f"{title}: {len(shown)} events",
        x_label=labels[0],
        y_label=labels[1],
        x_scale=_axis_scale(dimensions[0]),
        y_scale=_axis_scale(dimensions[1]),
        layers=(Layer(kind="dots", x=x, y=y),),
        regions=tuple(
            Region(label=f"{gates.labels[name]} {int(inside[name].sum())}", corners=corners)
            for name, corners in borders.items()
        ),
    )


def _axis_scale(dimension: Dimension) -> str:
    """Scale of an axis: colours without a declared transformation are shown on a log scale."""
    plain = str(dimension.channel).upper().startswith(_SCATTER)
    return LINEAR if plain or dimension.scale is not None else LOG


def _fragments(path: Path, spec: InstrumentSpec, _row: dict[str, object]) -> Iterator[Panel]:
    if spec.fragments is None:
        return
    trace = read_abif(path)
    peaks = derive_panel_peaks(trace, spec.fragments).filter(pl.col("size_bp").is_not_null())
    for dye in peaks["dye"].unique(maintain_order=True).to_list():
        column = dye_column(trace, dye)
        if column is None:
            continue
        called = peaks.filter(pl.col("dye") == dye)
        heights = called["height_rfu"].to_numpy()
        apexes = _apexes(trace.signal[:, column], heights)
        scans, highest = _envelope(trace.signal[:, column], apexes)
        yield Panel(
            title=f"{trace.dyes[column]}: {called.height} peaks called",
            x_label="scan",
            y_label="signal (RFU)",
            y_scale=LOG,
            layers=(
                Layer(kind="line", x=scans, y=np.maximum(highest, LEAST_RFU), colour=column),
                Layer(
                    kind="marks",
                    x=apexes,
                    y=heights,
                    labels=tuple(
                        f"{gene} {size:.1f}"
                        for gene, size in called.select("TESTCD", "size_bp").iter_rows()
                    ),
                ),
            ),
        )


def _envelope(signal: FloatArray, apexes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give scans and the highest signal of every few, around the called peaks."""
    first = max(0, int(apexes.min()) - MARGIN_SCANS)
    last = min(len(signal), int(apexes.max()) + MARGIN_SCANS)
    step = max(1, -(-(last - first) // MOST_POINTS))
    count = (last - first) // step * step
    part = signal[first : first + count].reshape(-1, step)
    return np.arange(first, first + count, step, dtype=np.float64), part.max(axis=1)


def _apexes(signal: FloatArray, heights: FloatArray) -> FloatArray:
    """Scan of each height in a channel."""
    return np.array([float(np.flatnonzero(signal == height)[0]) for height in heights])


def _plate(path: Path, spec: InstrumentSpec, _row: dict[str, object]) -> Iterator[Panel]:
    if spec.plate is None:
        return
    wells, curves = derive_plate_wells(read_plate(path), spec.plate)
    fitted = curves.drop_nulls(["a", "b", "c", "d"])
    for plate, testcd, signal, *parameters in fitted.select(
        "PLATE", "TESTCD", "signal", *"abcdg"
    ).iter_rows():
        own = wells.filter((pl.col("PLATE") == plate) & (pl.col("TESTCD") == testcd))
        name = signal_names(spec.plate)[int(signal) - 1]
        kind = spec.plate.signals[int(signal) - 1]
        curve = CurveFit(**dict(zip("abcdg", parameters, strict=True)))
        yield _standard_curve(own, name, curve, title=f"{testcd} {kind}, plate {plate}")


def _standard_curve(wells: pl.DataFrame, signal: str, curve: CurveFit, *, title: str) -> Panel:
    standards = wells.filter((pl.col("well_type") == "STD") & (pl.col("expected_conc") > 0))
    unknown = wells.filter((pl.col("well_type") == "UNK") & pl.col("concentration").is_not_null())
    expected = standards["expected_conc"].to_numpy()
    line = np.geomspace(expected.min(), expected.max(), 60)
    return Panel(
        title=title,
        x_label="concentration on the plate",
        y_label="signal",
        x_scale=LOG,
        y_scale=LOG,
        layers=(
            Layer(kind="line", x=line, y=curve.predict(line), colour=0, labels=("fitted here",)),
            Layer(
                kind="points",
                x=unknown["concentration"].to_numpy(),
                y=unknown[signal].cast(pl.Float64).to_numpy(),
                colour=1,
                labels=("unknowns",),
            ),
            Layer(
                kind="points",
                x=expected,
                y=standards[signal].cast(pl.Float64).to_numpy(),
                colour=2,
                labels=("standards",),
            ),
        ),
    )


def _qpcr(path: Path, _spec: InstrumentSpec, _row: dict[str, object]) -> Iterator[Panel]:
    run = read_qpcr(path)
    targets = run.wells["target"].drop_nulls().unique(maintain_order=True).to_list()
    for target in targets:
        cycles = run.cycles.filter(pl.col("target") == target).drop_nulls("fluorescence")
        wells = cycles.partition_by("run", "well", maintain_order=True)
        if wells:
            yield Panel(
                title=f"{target}: {len(wells)} amplification curves",
                x_label="cycle",
                y_label="fluorescence",
                y_scale=LOG,
                layers=tuple(
                    Layer(
                        kind="line",
                        x=part["cycle"].cast(pl.Float64).to_numpy(),
                        y=part["fluorescence"].to_numpy(),
                    )
                    for part in wells[:: max(1, -(-len(wells) // MOST_CURVES))]
                ),
            )
    for place, ((name, target), curve) in enumerate(sorted(run_curves(run).items())):
        standards = run.wells.filter(
            (pl.col("run") == name)
            & (pl.col("target") == target)
            & (pl.col("type") == "STD")
            & (pl.col("quantity") > 0)
        ).drop_nulls("cq")
        if curve.status == "failed" or standards.is_empty():
            continue
        copies = standards["quantity"].to_numpy()
        line = np.geomspace(copies.min(), copies.max(), 2)
        yield Panel(
            title=f"{target}: efficiency {curve.efficiency:.3f}, R2 {curve.r_squared:.4f}",
            x_label="copies",
            y_label="Cq",
            x_scale=LOG,
            layers=(
                Layer(
                    kind="line",
                    x=line,
                    y=curve.intercept + curve.slope * np.log10(line),
                    colour=place,
                ),
                Layer(kind="points", x=copies, y=standards["cq"].to_numpy(), colour=place),
            ),
        )


_PANELS: dict[str, Callable[[Path, InstrumentSpec, dict[str, object]], Iterator[Panel]]] = {
    FLOW_FILES: _flow,
    FRAGMENT_FILES: _fragments,
    PLATE_FILES: _plate,
    QPCR_FILES: _qpcr,
}
