"""Peaks of a trace given to the genes of a panel: sized by the ladder, looked for in a window.

Holds no expression value: signals become expression elsewhere.
"""

import numpy as np
import polars as pl

from assayhouse.contracts.instrument_file import FragmentPlan, PanelPeak
from assayhouse.instruments.electrophoresis import (
    LADDERS,
    Ladder,
    Peaks,
    Trace,
    find_peaks,
    match_ladder,
    size_fragments,
)
from assayhouse.instruments.ladders import ladder_sizes
from assayhouse.stats.arrays import FloatArray

SIZING_FAILED, NO_PEAK, NO_DYE = "SIZING FAILED", "BELOW DETECTION", "DYE NOT IN FILE"
LETTERS = "BGYRO"
SCHEMA = {
    "TESTCD": pl.String,
    "gene_role": pl.String,
    "dye": pl.String,
    "expected_bp": pl.Float64,
    "size_bp": pl.Float64,
    "height_rfu": pl.Float64,
    "area": pl.Float64,
    "off_scale_fl": pl.String,
    "peaks_in_window": pl.Int64,
    "status": pl.String,
}


def find_ladder(trace: Trace, plan: FragmentPlan) -> Ladder:
    """Match the ladder of a trace: the size standard it names, else the declared one."""
    sizes = ladder_sizes(trace.ladder_name or "") or LADDERS.get(plan.ladder, ())
    return match_ladder(find_peaks(trace.signal[:, -1]), sizes)


def dye_column(trace: Trace, dye: str) -> int | None:
    """Column of a dye by its name, or by its letter in the instrument's order."""
    names = [name.upper() for name in trace.dyes]
    if dye.upper() in names:
        return names.index(dye.upper())
    place = LETTERS.find(dye.upper()) if len(dye) == 1 else -1
    return place if 0 <= place < len(names) else None


def derive_panel_peaks(trace: Trace, plan: FragmentPlan) -> pl.DataFrame:
    """Find the peak of every gene of a panel.

    Parameters
    ----------
    trace : Trace
        The run of one capillary.
    plan : FragmentPlan
        Ladder, least height, window and panel.

    Returns
    -------
    DataFrame
        One row per gene: TESTCD (gene), gene_role, dye, expected_bp, size_bp, height_rfu, area
        (RFU x scans), off_scale_fl (Y, N), peaks_in_window and status (null where there is a
        peak). The highest peak of the window counts.
    """
    ladder = find_ladder(trace, plan)
    failed = "sizing_failed" in ladder.flags
    found: dict[int, tuple[Peaks, FloatArray]] = {}
    rows = []
    for item in plan.peaks:
        column = dye_column(trace, item.dye)
        row: dict[str, object] = {
            "TESTCD": item.gene,
            "gene_role": item.role,
            "dye": item.dye,
            "expected_bp": item.size_bp,
        }
        if column is None or failed:
            rows.append(row | {"status": SIZING_FAILED if failed else NO_DYE})
            continue
        if column not in found:
            peaks = find_peaks(trace.signal[:, column], min_height=plan.min_height)
            found[column] = (peaks, size_fragments(peaks.scan, ladder))
        rows.append(row | _peak(trace, *found[column], item, plan.window_bp))
    return pl.DataFrame(rows, schema=SCHEMA)


def _peak(
    trace: Trace, peaks: Peaks, sizes: FloatArray, item: PanelPeak, window: float
) -> dict[str, object]:
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero(np.abs(sizes - item.size_bp) <= window)
    if not len(near):
        return {"peaks_in_window": 0, "status": NO_PEAK}
    best = int(near[np.argmax(peaks.height[near])])
    begin, end = int(peaks.begin[best]), int(peaks.end[best])
    beyond = trace.off_scale_scans
    saturated = bool(np.any((beyond >= begin) & (beyond <= end)))
    return {
        "size_bp": float(sizes[best]),
        "height_rfu": float(peaks.height[best]),
        "area": float(peaks.area[best]),
        "off_scale_fl": "Y" if saturated else "N",
        "peaks_in_window": len(near),
    }
