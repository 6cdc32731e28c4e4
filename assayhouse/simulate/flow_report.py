"""What the synthetic flow cytometry laboratory writes: results and controls. Counts nothing."""

from collections.abc import Sequence

import numpy as np

from assayhouse.simulate.calibration import VISITS
from assayhouse.simulate.cells import populations
from assayhouse.simulate.clinic import Persons
from assayhouse.simulate.cytometry import BEADS_PER_TUBE, DUAL, Counted
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.panels import GATES, TUBES
from assayhouse.simulate.specimens import Specimens, lot_numbers
from assayhouse.simulate.streams import normals
from assayhouse.simulate.subjects import Subjects, subject_uniforms
from assayhouse.simulate.texts import (
    TimeArray,
    fixed_texts,
    interleave,
    significant_texts,
    table_rows,
    time_texts,
    where_texts,
    whole_texts,
)
from assayhouse.simulate.vendor_layouts import FLOW

UNIT = "cells/uL"
SHORT_OF_CBC = "NO CBC"
INSTRUMENT = "FACSCANTO-3"
EDTA_SHARE = 0.1
CONTROLS = (("CD-CHEX-L", "LOW", 0.3), ("CD-CHEX-N", "NORMAL", 1.0))


def _common_cells(
    seed: int, subjects: Subjects, specimens: Specimens
) -> dict[str, Sequence[str] | str]:
    """Cells that all populations of a specimen share: who, when, how old, which run."""
    words = ("flow-handling", VISITS[specimens.visit])
    draws = subject_uniforms(seed, subjects, *words, columns=4)[specimens.subject]
    edta = draws[:, 0] < EDTA_SHARE
    hours = np.where(edta, 20.0 + 24.0 * draws[:, 1], 20.0 + 44.0 * draws[:, 1])
    minutes = np.rint(60.0 * hours).astype(np.int64)
    acquired = specimens.collected + minutes
    received = acquired - (60 + (draws[:, 2] * 360).astype(np.int64))
    runs = run_numbers(specimens, acquired)
    return {
        **specimens.identity,
        "RECDTM": time_texts(received),
        "ACQDTM": time_texts(acquired),
        "TUBETYPE": where_texts(edta, "EDTA", "CYTO-CHEX"),
        "AGE_H": fixed_texts(minutes / 60.0, 1),
        "PANELVER": "3.1",
        "ORRESU": UNIT,
        "VIABPCT": fixed_texts(88.0 + 11.0 * draws[:, 3], 1),
        "INSTR": INSTRUMENT,
        "RUNNO": runs,
        "BEADLOT": lot_numbers("BL", acquired),
        "OPER": "OP2",
        "STATUS": "F",
    }


def run_numbers(specimens: Specimens, acquired: TimeArray) -> list[str]:
    """Give the run of each specimen: one run a day and report."""
    days = acquired.astype("datetime64[D]").astype(str).tolist()
    return [f"R{specimens.visit + 1}-{day.replace('-', '')}" for day in days]


def _population_cells(
    counted: Counted, specimens: Specimens, paramcd: str
) -> dict[str, Sequence[str] | str]:
    gate, population = GATES[paramcd], populations()[paramcd]
    tube, rows, visit = TUBES[gate.tube], specimens.subject, specimens.visit
    levels = counted.levels[paramcd]
    values, lost = levels.reported[rows, visit], levels.lost[rows, visit]
    blq, limit = levels.blq[rows, visit], f"{population.lloq:g}"
    numbers = significant_texts(np.maximum(values, 1e-6))
    position = np.where(values < gate.low, "L", np.where(values > gate.high, "H", "N"))
    short = counted.no_cbc[rows, visit] if paramcd == DUAL else np.zeros(len(rows), dtype=bool)
    reason = where_texts(lost, where_texts(short, SHORT_OF_CBC, "QNS"), "")
    cells: dict[str, Sequence[str] | str] = {
        "PANEL": tube.panel,
        "TESTCD": paramcd,
        "TEST": population.label,
        "POPDEF": gate.markers,
        "PARENT": gate.parent,
        "ORRES": where_texts(lost, reason, where_texts(blq, f"<{limit}", numbers)),
        "PCTPAR": fixed_texts(counted.percent[paramcd][rows, visit], 4),
        "EVT": whole_texts(counted.events[paramcd][rows, visit]),
        "EVTPAR": whole_texts(counted.parents[paramcd][rows, visit]),
        "BEADLOT": "",
        "METHOD": "DUAL" if paramcd == DUAL else "SINGLE",
        "LLOQ": limit,
        "BLQFL": where_texts(blq & ~lost, "Y", "N"),
        "REFLO": f"{gate.low:g}",
        "REFHI": f"{gate.high:g}",
        "NRIND": where_texts(lost, "", position.tolist()),
        "STATUS": where_texts(lost, "C", "F"),
        "REASND": reason,
    }
    if paramcd != DUAL:
        beads = whole_texts(counted.beads[gate.tube][rows, visit])
        del cells["BEADLOT"]
        cells |= {"BEADEVT": beads, "DIL": "1"}
        cells |= {"BEADCNT": str(BEADS_PER_TUBE), "SAMPVOL": str(tube.sample_ul)}
    return cells


def flow_rows(
    seed: int,
    subjects: Subjects,
    counted: Counted,
    specimens: Specimens,
    persons: Persons,
) -> list[Row]:
    """Lines of ``covance_flow.results`` that one visit adds."""
    size, places = len(specimens), specimens.subject.tolist()
    common = _common_cells(seed, subjects, specimens)
    common |= {"SEX": [persons.sex[place] for place in places]}
    common |= {"BRTHYR": [str(persons.birth_year[place]) for place in places]}
    blocks = [
        table_rows(FLOW.columns, common | _population_cells(counted, specimens, paramcd), size=size)
        for paramcd in GATES
    ]
    return interleave(blocks)


def control_rows(seed: int, rows: list[Row]) -> list[Row]:
    """Lines of ``covance_flow.qc``: two control bloods, every population, in every run of rows."""
    runs = sorted({row[FLOW.columns.index("RUNNO")] for row in rows})
    made = []
    for run in runs:
        noise = normals(seed, "flow-control", run, rows=len(GATES), columns=len(CONTROLS))
        noise = np.clip(noise, -2.2, 2.2)
        day = run.partition("-")[2]
        started = f"{day[:4]}-{day[4:6]}-{day[6:]}T00:00"
        for number, (paramcd, gate) in enumerate(GATES.items()):
            for place, (control, level, share) in enumerate(CONTROLS):
                mean = share * (gate.low + gate.high) / 2.0
                sd = 0.06 * mean
                observed = mean + sd * noise[number, place]
                texts = [f"{value:.3f}" for value in (observed, mean, sd)]
                made.append([run, started, INSTRUMENT, control, level, paramcd, *texts, "Y"])
    return made
