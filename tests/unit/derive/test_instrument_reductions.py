"""Instrument files reduced: panel peaks, populations of a tube, plate wells, qPCR wells."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assayhouse.contracts.declarations import load
from assayhouse.contracts.instrument_file import FlowPanel, FlowPlan, Population
from assayhouse.derive.flow_populations import (
    NO_BEADS,
    NO_GATE,
    derive_populations,
    panel_gates,
)
from assayhouse.derive.fragment_peaks import derive_panel_peaks
from assayhouse.derive.plate_wells import derive_plate_wells
from assayhouse.derive.qpcr_wells import derive_copies, derive_qpcr_wells
from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.electrophoresis import LADDERS, Trace
from assayhouse.instruments.fcs import FcsFile
from assayhouse.instruments.gates import Box, Dimension, Gate
from assayhouse.instruments.gating import GatingStrategy
from assayhouse.instruments.plate_rows import WELLS, PlateRun
from assayhouse.instruments.qpcr_records import QpcrRun
from assayhouse.stats.curves import CurveFit

from support.gating_files import axis, flowjo_gate, population, sample, workspace

LAYOUTS = load().layouts


def box(channel, low, high, parent=None):
    dimension = Dimension(channel=channel, low=low, high=high)
    return Gate(region=Box(dimensions=(dimension,)), parent=parent)


STRATEGY = GatingStrategy(
    gates={"BEADS": box("A", 90, 100), "ALL": box("A", 0, 50), "HIGH": box("B", 5, 9, "ALL")}
)
PANEL = FlowPanel(
    panel="X", beads="BEADS", digest="", gates=Path("none"),
    populations=(Population(testcd="T", gate="HIGH", parent="ALL"),),
)  # fmt: skip
PLAN = FlowPlan(panel="TUBE", beads_per_tube="BPT", sample_ul="SV", dilution="DIL", panels=(PANEL,))


def tube(events, **keywords):
    values = np.asarray(events, dtype=np.float64)
    return FcsFile(
        version="3.1", channels=("A", "B"), markers=(None, None), n_events=len(values),
        events=values, keywords={"BPT": "1000", "SV": "50", "DIL": "2"} | keywords,
    )  # fmt: skip


def test_events_in_a_gate_become_cells_per_microlitre():
    fcs = tube([[10, 6], [10, 7], [10, 1], [95, 0], [95, 0], [95, 0], [95, 0]])
    (row,) = derive_populations(fcs, PLAN, PANEL, STRATEGY.apply(fcs)).rows(named=True)
    assert (row["events"], row["parent_events"], row["bead_events"]) == (2, 3, 4)
    assert row["percent"] == pytest.approx(200 / 3)
    assert row["count_per_ul"] == pytest.approx(2 / 4 * 1000 / 50 * 2)
    assert row["count_cv_pct"] == pytest.approx(100 * np.sqrt(1 / 2 + 1 / 4))
    assert row["status"] is None


def test_a_tube_without_beads_or_gate_says_so():
    fcs = tube([[10, 6]])
    gates = STRATEGY.apply(fcs)
    (row,) = derive_populations(fcs, PLAN, PANEL, gates).rows(named=True)
    assert (row["status"], row["count_per_ul"]) == (NO_BEADS, None)
    other = replace(PANEL, populations=(Population(testcd="T", gate="NONE", parent="ALL"),))
    (row,) = derive_populations(fcs, PLAN, other, gates).rows(named=True)
    assert row["status"] == NO_GATE


def test_the_gates_of_a_panel_may_be_those_of_a_workspace(tmp_path):
    region = flowjo_gate("RectangleGate", axis("A", low=5, high=50) + axis("B", low=0, high=9))
    beads = flowjo_gate("RectangleGate", axis("A", low=90, high=100) + axis("B", low=-1, high=9))
    document = workspace(sample("any", population("Beads", beads), population("Cells", region)))
    panel = replace(PANEL, gates=tmp_path / "panel.wsp", beads="Beads", populations=(
        Population(testcd="T", gate="Cells", parent="Cells"),))  # fmt: skip
    panel.gates.write_bytes(document)
    fcs = tube([[10, 6], [10, 7], [95, 0], [1, 1]])
    inside = panel_gates(fcs, panel).inside()
    (row,) = derive_populations(fcs, PLAN, panel, inside).rows(named=True)
    assert (row["events"], row["bead_events"]) == (2, 1)
    panel.gates.write_bytes(workspace(sample("one"), sample("two")))
    with pytest.raises(InstrumentFileError, match="has 2 samples"):
        panel_gates(fcs, panel)


FRAGMENTS = LAYOUTS["dxterity.fsa"].instrument.fragments


def trace(sizes_by_dye, *, ladder=True, off_scale=()):
    x = np.arange(4600.0)
    at = {size: 500 + 5.4 * size + 1.2e-3 * size**2 for size in range(60, 620)}
    signal = np.zeros((4600, 5))
    standards = dict.fromkeys(LADDERS["GS600LIZ"], 900.0) if ladder else {}
    for column, peaks in {**sizes_by_dye, 4: standards}.items():
        for size, height in peaks.items():
            signal[:, column] += height * np.exp(-0.5 * ((x - at[size]) / 3.5) ** 2)
    return Trace(
        dyes=("6-FAM", "VIC", "NED", "PET", "LIZ"), signal=signal, raw=signal,
        ladder_name="GS600LIZ", off_scale_scans=np.array(off_scale, dtype=np.int64),
    )  # fmt: skip


def test_a_peak_belongs_to_the_gene_of_its_dye_and_size():
    first, second = FRAGMENTS.peaks[:2]
    made = trace({0: {int(first.size_bp): 800.0, 200: 900.0}, 1: {int(second.size_bp) + 3: 500.0}})
    rows = {row["TESTCD"]: row for row in derive_panel_peaks(made, FRAGMENTS).rows(named=True)}
    found = rows[first.gene]
    assert found["size_bp"] == pytest.approx(first.size_bp, abs=0.2)
    assert found["height_rfu"] == pytest.approx(800.0, rel=0.02)
    assert found["area"] == pytest.approx(800.0 * 3.5 * np.sqrt(2 * np.pi), rel=0.02)
    assert (found["off_scale_fl"], found["status"]) == ("N", None)
    missing = rows[second.gene]
    assert (missing["status"], missing["area"], missing["peaks_in_window"]) == (
        *("BELOW DETECTION", None, 0),
    )


def test_the_highest_peak_of_a_window_counts_and_saturation_is_told():
    first = FRAGMENTS.peaks[0]
    wide = replace(FRAGMENTS, window_bp=4.0, peaks=(first,))
    size = int(first.size_bp)
    scan = round(500 + 5.4 * size + 1.2e-3 * size**2)
    made = trace({0: {size: 900.0, size + 3: 300.0}}, off_scale=[scan])
    (row,) = derive_panel_peaks(made, wide).rows(named=True)
    assert row["peaks_in_window"] == 2
    assert row["height_rfu"] == pytest.approx(900.0, rel=0.02)
    assert row["off_scale_fl"] == "Y"


def test_without_a_ladder_or_dye_no_gene_has_a_value():
    made = trace({0: {102: 800.0}}, ladder=False)
    found = derive_panel_peaks(made, FRAGMENTS)
    assert set(found["status"]) == {"SIZING FAILED"}
    assert found["area"].null_count() == found.height
    lost = replace(FRAGMENTS, peaks=(replace(FRAGMENTS.peaks[0], dye="ROX"),))
    assert derive_panel_peaks(trace({}), lost)["status"].to_list() == ["DYE NOT IN FILE"]


PLATE = replace(LAYOUTS["singulex.reader"].instrument.plate, signals=("FI",), dilutions={"Q": 4.0})
CURVE = CurveFit(a=50.0, b=1.1, c=40.0, d=20_000.0)


def plate(concentrations, *, state="ok", background=None):
    standards = [(f"S{n}", "STD", x) for n, x in enumerate(np.geomspace(0.5, 500, 8))]
    wells = [(name, kind, x, x) for name, kind, x in standards]
    wells += [(name, "UNK", None, x) for name, x in concentrations.items()]
    rows = [
        {"plate": "1", "well": f"A{n + 1:02d}", "type": kind, "sample": name, "analyte": "Q",
         "signal": float(CURVE.predict([x])[0]) + (background or 0.0), "signal_kind": "FI",
         "background": background, "expected_conc": expected,
         "state": state if kind == "UNK" else "ok"}
        for n, (name, kind, expected, x) in enumerate(wells)
    ]  # fmt: skip
    return PlateRun(format="xponent", wells=pl.DataFrame(rows, schema=WELLS))


@pytest.mark.parametrize("background", [None, 12.0])
def test_a_well_is_read_off_the_curve_of_its_own_standards(background):
    wells, curves = derive_plate_wells(plate({"U1": 7.0}, background=background), PLATE)
    unknown = wells.filter(pl.col("well_type") == "UNK").row(0, named=True)
    assert unknown["concentration"] == pytest.approx(7.0, rel=1e-3)
    assert (unknown["dilution"], unknown["status"]) == (4.0, None)
    assert curves["status"].to_list() == ["ok"]
    recovered = wells.filter(pl.col("well_type") == "STD")["recovery_pct"]
    assert recovered.is_between(99, 101).all()


def test_a_masked_well_has_no_number_and_a_signal_beyond_the_curve_says_so():
    wells, _ = derive_plate_wells(plate({"U1": 7.0}, state="masked"), PLATE)
    assert wells.filter(pl.col("well_type") == "UNK")["status"].to_list() == ["MASKED"]
    run = plate({"U1": 7.0})
    high = pl.when(pl.col("type") == "UNK").then(9e4).otherwise("signal").alias("signal")
    wells, _ = derive_plate_wells(replace(run, wells=run.wells.with_columns(high)), PLATE)
    assert wells.filter(pl.col("well_type") == "UNK")["status"].to_list() == ["OUT OF RANGE"]


def test_a_plate_with_too_few_standards_has_no_curve():
    run = plate({"U1": 7.0})
    few = run.wells.filter((pl.col("type") == "UNK") | pl.col("sample").is_in(["S1", "S2"]))
    wells, curves = derive_plate_wells(replace(run, wells=few), PLATE)
    assert curves["status"].to_list() == ["failed"]
    assert set(wells["status"]) == {"NO CURVE"}


QPCR = LAYOUTS["epiontis.runs"].instrument.qpcr


def run_of(specimen, *, slope=-3.32, reference=(21.4, 21.4, 21.4), state="ok"):
    target, other = QPCR.targets["TREG"], QPCR.reference
    rows = [
        ("r", f"A{n:02d}", f"S{n}", name, "STD", 38.0 + slope * n, 10.0**n, "ok")
        for n in range(1, 6)
        for name in (target, other)
    ]
    rows += [
        ("r", f"B{n:02d}", "ACC1", name, "UNK", cq, None, state)
        for name, cqs in ((target, specimen), (other, reference))
        for n, cq in enumerate(cqs)
    ]
    names = ("run", "well", "sample", "target", "type", "cq", "quantity", "state")
    wells = pl.DataFrame(rows, schema=names, orient="row", strict=False)
    return QpcrRun(format="rdml", wells=wells, cycles=pl.DataFrame())


def copies_of(run):
    wells = derive_qpcr_wells(run, QPCR).with_columns(
        pl.lit(1).alias("receipt"), pl.lit(1000.0).alias("least_reference"),
        pl.lit(2.0).alias("factor_f"), pl.lit(2.0).alias("factor_m"),
    )  # fmt: skip
    return wells, derive_copies(wells).row(0, named=True)


def test_copies_come_from_the_standards_and_one_well_may_be_dropped():
    wells, found = copies_of(run_of((28.04, 28.04, 29.5)))
    assert found["target"] == pytest.approx(1000.0, rel=1e-6)
    assert found["reference"] == pytest.approx(1e5, rel=1e-6)
    assert found["why"] is None
    assert wells.filter(pl.col("TESTCD") == "TREG")["used_fl"].to_list() == ["Y", "Y", "N"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"specimen": (28.0, 29.0, 30.0)}, "REPLICATES DISAGREE"),
        ({"specimen": (None, None, None)}, "NOT DETECTED"),
        ({"specimen": (28.0,) * 3, "slope": -5.0}, "CURVE EFFICIENCY OUT OF RANGE"),
        ({"specimen": (28.0,) * 3, "reference": (34.0,) * 3}, "TOO FEW REFERENCE COPIES"),
    ],
)
def test_what_stands_in_the_way_of_a_result_is_said(changes, why):
    _, found = copies_of(run_of(**changes))
    assert found["why"] == why
