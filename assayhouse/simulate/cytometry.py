"""The synthetic flow cytometry laboratory: tubes, events, beads, counts and controls.

A count is made of the events it prints: children are drawn from the events of their parent, so
that no population exceeds the one it is part of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import VISITS
from assayhouse.simulate.cells import populations
from assayhouse.simulate.clinic import Persons
from assayhouse.simulate.haematology import CBC_VENDOR, Blood
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.levels import Levels, results_lost, round_reported, specimens_present
from assayhouse.simulate.specimens import (
    Specimens,
    TimeArray,
    fixed_texts,
    interleave,
    lot_numbers,
    significant_texts,
    table_rows,
    time_texts,
    where_texts,
    whole_texts,
)
from assayhouse.simulate.streams import FloatArray, normals
from assayhouse.simulate.subjects import BoolArray, Subjects, subject_normals, subject_uniforms
from assayhouse.simulate.vendor_layouts import FLOW

BEADS_PER_TUBE = 50_000
UNIT = "cells/uL"
SHORT_OF_CBC = "NO CBC"
INSTRUMENT = "FACSCANTO-3"
EDTA_SHARE = 0.1
CONTROLS = (("CD-CHEX-L", "LOW", 0.3), ("CD-CHEX-N", "NORMAL", 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tube:
    """One stained tube: its panel, its sample and how many beads are acquired."""

    panel: str
    sample_ul: int
    beads: int


TUBES = {
    "B": Tube(panel="B", sample_ul=50, beads=12_000),
    "T-NK": Tube(panel="T-NK", sample_ul=50, beads=12_000),
    "DC": Tube(panel="DC", sample_ul=100, beads=45_000),
    "PC": Tube(panel="PC", sample_ul=100, beads=45_000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """How a population is defined: tube, markers, parent, reference range, parent's level."""

    tube: str
    markers: str
    parent: str
    low: float
    high: float


GATES = {
    "CD19B": Gate(tube="B", markers="CD45+CD19+", parent="LYMPH", low=80, high=500),
    "CD20B": Gate(tube="B", markers="CD45+CD19+CD20bright", parent="CD19B", low=5, high=120),
    "CD268B": Gate(tube="B", markers="CD45+CD19+CD268+", parent="CD19B", low=70, high=480),
    "SWMEMB": Gate(tube="B", markers="CD45+CD19+CD27+IgD-", parent="CD19B", low=5, high=70),
    "PLASMABL": Gate(tube="PC", markers="CD19+CD27++CD38++", parent="LEUK", low=0.1, high=6),
    "CD3T": Gate(tube="T-NK", markers="CD45+CD3+", parent="LYMPH", low=700, high=2100),
    "CD4T": Gate(tube="T-NK", markers="CD45+CD3+CD4+", parent="CD3T", low=300, high=1400),
    "CD8T": Gate(tube="T-NK", markers="CD45+CD3+CD8+", parent="CD3T", low=200, high=900),
    "NK": Gate(tube="T-NK", markers="CD45+CD3-CD56+", parent="LYMPH", low=90, high=600),
    "PLASMAC": Gate(tube="PC", markers="CD19loCD138+", parent="LEUK", low=0.1, high=20),
    "PDC": Gate(tube="DC", markers="Lin-HLADR+CD303+", parent="LEUK", low=2, high=20),
    "MDC1": Gate(tube="DC", markers="Lin-HLADR+CD1c+", parent="LEUK", low=3, high=30),
}
"""Every population in the order it is reported."""
CHILDREN = {"CD20B": "CD19B", "CD268B": "CD19B", "SWMEMB": "CD19B"}
OWN_EVENTS = ("CD19B", "NK", "PLASMABL", "PLASMAC", "PDC", "MDC1")
DUAL = "NK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the cytometer saw, all subjects and visits.

    Attributes
    ----------
    beads : mapping of str to (n, visits) array
        Bead events by tube.
    events, parents : mapping of str to (n, visits) array
        Events of each population and of its parent.
    percent : mapping of str to (n, visits) array
        Percent of the parent as printed.
    levels : mapping of str to Levels
        Counts as reported, cells/uL.
    no_cbc : (n, visits) array
        Where the count of lymphocytes is missing that a dual-platform count needs.
    """

    beads: Mapping[str, FloatArray]
    events: Mapping[str, FloatArray]
    parents: Mapping[str, FloatArray]
    percent: Mapping[str, FloatArray]
    levels: Mapping[str, Levels]
    no_cbc: BoolArray


def poisson_count(mean: FloatArray, normal: FloatArray) -> FloatArray:
    """Turn standard normals into Poisson counts by the Cornish-Fisher expansion.

    Examples
    --------
    >>> poisson_count(np.array([100.0]), np.array([1.0])).tolist()
    [110.0]
    """
    counts = mean + np.sqrt(mean) * normal + (normal**2 - 1.0) / 6.0
    return np.asarray(np.maximum(np.rint(counts), 0.0), dtype=np.float64)


def binomial_count(trials: FloatArray, share: FloatArray, normal: FloatArray) -> FloatArray:
    """Turn standard normals into counts out of ``trials``; never more than those."""
    share = np.clip(share, 0.0, 1.0)
    counts = trials * share + np.sqrt(trials * share * (1.0 - share)) * normal
    return np.asarray(np.clip(np.rint(counts), 0.0, trials), dtype=np.float64)


def _per_event(beads: FloatArray, tube: Tube) -> FloatArray:
    """Cells per microlitre that one event stands for, at dilution 1."""
    return np.asarray(BEADS_PER_TUBE / tube.sample_ul / beads, dtype=np.float64)


def _draw_beads(seed: int, subjects: Subjects) -> dict[str, FloatArray]:
    beads = {}
    for name, tube in TUBES.items():
        noise = subject_normals(seed, subjects, "beads", name, columns=len(VISITS))
        beads[name] = np.rint(tube.beads * (1.0 + 0.05 * np.clip(noise, -2.0, 2.0)))
    return beads


def _draw_events(
    seed: int, subjects: Subjects, cells: Mapping[str, FloatArray], beads: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    def normal(paramcd: str) -> FloatArray:
        return subject_normals(seed, subjects, "events", paramcd, columns=len(VISITS))

    def mean(paramcd: str, tube: str) -> FloatArray:
        return cells[paramcd] / _per_event(beads[tube], TUBES[tube])

    events = {
        paramcd: poisson_count(mean(paramcd, GATES[paramcd].tube), normal(paramcd))
        for paramcd in (*OWN_EVENTS, "CD3T")
    }
    for paramcd, parent in CHILDREN.items():
        share = cells[paramcd] / cells[parent]
        events[paramcd] = binomial_count(events[parent], share, normal(paramcd))
    helper = cells["CD4T"] / cells["CD3T"]
    events["CD4T"] = binomial_count(events["CD3T"], helper, normal("CD4T"))
    killer = cells["CD8T"] / (cells["CD3T"] - cells["CD4T"])
    events["CD8T"] = binomial_count(events["CD3T"] - events["CD4T"], killer, normal("CD8T"))
    return events


def _parent_events(
    cells: Mapping[str, FloatArray],
    beads: Mapping[str, FloatArray],
    events: Mapping[str, FloatArray],
    leucocytes: FloatArray,
) -> dict[str, FloatArray]:
    parents = {}
    lymphocytes = cells["CD3T"] + cells["CD19B"] + cells["NK"]
    levels = {"LYMPH": lymphocytes, "LEUK": leucocytes}
    for paramcd, gate in GATES.items():
        if gate.parent in levels:
            whole = levels[gate.parent] / _per_event(beads[gate.tube], TUBES[gate.tube])
            parents[paramcd] = np.maximum(np.rint(whole), events[paramcd])
        else:
            parents[paramcd] = events[gate.parent]
    return parents


def _reported(values: FloatArray, lost: BoolArray, lloq: float) -> Levels:
    positive = np.maximum(values, 1e-6)
    rounded = np.where(values > 0.0, round_reported(positive), 0.0)
    return Levels(true=values, reported=rounded, blq=rounded < lloq, lost=lost)


def count_cells(seed: int, subjects: Subjects, blood: Blood) -> Counted:
    """Stain and count everybody's blood at every visit, whether or not it was drawn."""
    cells, beads = blood.cells, _draw_beads(seed, subjects)
    events = _draw_events(seed, subjects, cells, beads)
    parents = _parent_events(cells, beads, events, blood.leucocytes.true)
    percent, levels = {}, {}
    no_cbc = ~(specimens_present(seed, subjects, CBC_VENDOR) & ~blood.lymphocytes.lost)
    for paramcd, gate in GATES.items():
        percent[paramcd] = np.round(100.0 * events[paramcd] / parents[paramcd], 4)
        lost, lloq = results_lost(seed, subjects, paramcd), populations()[paramcd].lloq
        values = events[paramcd] * _per_event(beads[gate.tube], TUBES[gate.tube])
        if paramcd == DUAL:
            values = percent[paramcd] / 100.0 * blood.lymphocytes.reported
            lost = lost | no_cbc
        levels[paramcd] = _reported(values, lost, lloq)
    return Counted(
        beads=beads, events=events, parents=parents, percent=percent, levels=levels, no_cbc=no_cbc
    )


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
