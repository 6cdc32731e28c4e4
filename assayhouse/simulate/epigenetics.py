"""The synthetic epigenetic qPCR laboratory: copies in three wells, their cycles, percentages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import VISITS
from assayhouse.simulate.cells import PERCENTAGES, draw_percentages, populations
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.levels import Levels, results_lost, round_reported
from assayhouse.simulate.specimens import Specimens
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import Subjects, subject_normals, subject_uniforms
from assayhouse.simulate.texts import (
    fixed_texts,
    interleave,
    significant_texts,
    table_rows,
    where_texts,
)
from assayhouse.simulate.vendor_layouts import EPIGENETIC

WELLS = 3
WELL_CV = 0.04
REFERENCE_COPIES = 20_000.0
CURVE = {"TREG": (38.1, -3.36), "TFH": (37.8, -3.33), "TH17": (38.4, -3.39)}
"""Standard curve of each assay: quantification cycle of one copy, and slope per decade."""
ASSAYS = {"TREG": "FOXP3", "TFH": "PDCD1", "TH17": "IL17A"}
COPY_FACTOR = {"TREG": 2, "TFH": 1, "TH17": 1}
"""One of the two X chromosomes of a regulatory cell counts, of autosomes both."""
SPECIMENS_PER_RUN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Copies as printed, (n, visits, wells), and the percent they give."""

    target: FloatArray
    reference: FloatArray
    levels: Levels


def _wells(seed: int, subjects: Subjects, word: str, mean: FloatArray) -> FloatArray:
    draws = subject_normals(seed, subjects, "copies", word, columns=len(VISITS) * WELLS)
    noise = np.clip(draws.reshape(len(subjects), len(VISITS), WELLS), -2.5, 2.5)
    return np.round(mean[:, :, None] * (1.0 + WELL_CV * noise), 1)


def measure_percentages(seed: int, subjects: Subjects) -> dict[str, Measured]:
    """Run the three assays on everybody's blood at every visit."""
    true, made = draw_percentages(seed, subjects), {}
    for paramcd in PERCENTAGES:
        amount = subject_normals(seed, subjects, "dna", paramcd, columns=len(VISITS))
        reference = REFERENCE_COPIES * np.exp(0.25 * np.clip(amount, -2.5, 2.5))
        target = true[paramcd] / 100.0 * reference / COPY_FACTOR[paramcd]
        wells = _wells(seed, subjects, f"{paramcd} target", target)
        whole = _wells(seed, subjects, f"{paramcd} reference", reference)
        ratio = np.round(wells.mean(axis=2), 2) / np.round(whole.mean(axis=2), 2)
        reported = round_reported(100.0 * COPY_FACTOR[paramcd] * ratio)
        levels = Levels(
            true=true[paramcd],
            reported=reported,
            blq=reported < populations()[paramcd].lloq,
            lost=results_lost(seed, subjects, paramcd),
        )
        made[paramcd] = Measured(target=wells, reference=whole, levels=levels)
    return made


def _well_cells(
    prefix: str, wells: FloatArray, lost: np.typing.NDArray[np.bool_]
) -> dict[str, Sequence[str] | str]:
    cells: dict[str, Sequence[str] | str] = {
        f"{prefix}{well + 1}": where_texts(lost, "", fixed_texts(wells[:, well], 1))
        for well in range(WELLS)
    }
    mean = wells.mean(axis=1)
    spread = 100.0 * wells.std(axis=1, ddof=1) / mean
    cells[f"{prefix}MEAN"] = where_texts(lost, "", fixed_texts(mean, 2))
    cells[f"{prefix}CV"] = where_texts(lost, "", fixed_texts(spread, 2))
    return cells


def _assay_cells(
    measured: Measured, specimens: Specimens, paramcd: str
) -> dict[str, Sequence[str] | str]:
    rows, visit, levels = specimens.subject, specimens.visit, measured.levels
    lost = levels.lost[rows, visit]
    blq = levels.blq[rows, visit] & ~lost
    target, limit = measured.target[rows, visit], f"{populations()[paramcd].lloq:g}"
    start, slope = CURVE[paramcd]
    numbers = significant_texts(levels.reported[rows, visit])
    runs = [
        f"{ASSAYS[paramcd]}-{visit + 1}{place // SPECIMENS_PER_RUN + 1:02d}"
        for place in range(len(rows))
    ]
    cells: dict[str, Sequence[str] | str] = {
        "PARAMCD": paramcd,
        "ASSAY": ASSAYS[paramcd],
        "ASSAYVER": "2.1",
        "ASSAYRUN": runs,
        "DENOM": "GAPDH",
        "EF": "1",
        "XFACT": str(COPY_FACTOR[paramcd]),
        "ORRES": where_texts(lost, "QNS", where_texts(blq, f"<{limit}", numbers)),
        "ORRESU": "%",
        "LOD": f"{populations()[paramcd].lloq / 2.0:g}",
        "LOQ": limit,
        "BLQFL": where_texts(blq, "Y", "N"),
        "STATUS": where_texts(lost, "C", "F"),
        "REASND": where_texts(lost, "QNS", ""),
    }
    cycles = start + slope * np.log10(target)
    for well in range(WELLS):
        cells[f"CQ{well + 1}"] = where_texts(lost, "", fixed_texts(cycles[:, well], 3))
    cells |= _well_cells("COPT", target, lost)
    return cells | _well_cells("COPREF", measured.reference[rows, visit], lost)


def epigenetic_rows(
    seed: int,
    subjects: Subjects,
    measured: Mapping[str, Measured],
    specimens: Specimens,
    sexes: Sequence[str],
) -> list[Row]:
    """Lines of ``epiontis.results`` that one visit adds; ``sexes`` by subject."""
    draws = subject_uniforms(seed, subjects, "dna-quality", VISITS[specimens.visit], columns=2)
    draws = draws[specimens.subject]
    common = specimens.identity | {
        "SEXUSED": [sexes[person] for person in specimens.subject.tolist()],
        "DNA_NG": fixed_texts(600.0 + 900.0 * draws[:, 0], 0),
        "BSCONV": fixed_texts(98.6 + 1.3 * draws[:, 1], 1),
    }
    blocks = [
        table_rows(
            EPIGENETIC.columns,
            common | _assay_cells(each, specimens, paramcd),
            size=len(specimens),
        )
        for paramcd, each in measured.items()
    ]
    return interleave(blocks)
