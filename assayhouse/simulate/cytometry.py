"""The synthetic flow cytometry laboratory: tubes, events, beads, counts and controls.

A count is made of the events it prints: children are drawn from the events of their parent, so
that no population exceeds the one it is part of.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import VISITS
from assayhouse.simulate.cells import populations
from assayhouse.simulate.haematology import CBC_VENDOR, Blood
from assayhouse.simulate.levels import Levels, results_lost, round_reported, specimens_present
from assayhouse.simulate.panels import GATES, TUBES, Tube
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import BoolArray, Subjects, subject_normals

BEADS_PER_TUBE = 50_000


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
