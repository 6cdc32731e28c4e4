"""True cell counts and cell percentages, before anybody counts them.

B-cell populations are shares of the B cells and T cells are made of their parts, so that no child
exceeds its parent in any subject.

References
----------
.. [1] Lipsky PE et al. (2022), Ann Rheum Dis, annrheumdis-2022-222212, table S2.
"""

import functools
import math
from dataclasses import dataclass, replace

import numpy as np

from assayhouse.simulate.calibration import (
    VISITS,
    Assay,
    Calibration,
    bend,
    mean_of_exponential,
    planted_table,
    spread_from_errors,
)
from assayhouse.simulate.levels import draw_latent, draw_levels
from assayhouse.simulate.published import TABLE_S2, printed_rows
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import Subjects

CORRELATION = 0.6
"""Correlation of two visits of one subject; a count is a steadier trait than a cytokine."""
LARGEST_RECEPTOR_SHARE = 0.985
"""CD268 over CD19: the printed means exceed 1 in places, which no subject can."""
SMALLEST_REST = 10.0
"""Mean of T cells that are neither CD4 nor CD8, cells/uL, where the printed ones leave less."""
SMALLEST_SHARE_SD, LARGEST_SHARE_SD, RECEPTOR_SD = 0.15, 0.6, 0.4

# Code, name, lower limit, effect of the two strata on the log level, block.
_POPULATIONS = """
CD19B CD19+_B_cells 1 -0.08 0.04 -
CD20B CD20+_B_cells 1 0 0 -
CD268B CD268+_B_cells 1 0 0 -
SWMEMB Switched_memory_B_cells 0.5 0 0 -
PLASMABL Plasmablasts 0.1 0 0 -
CD3T CD3+_T_cells 1 0 0 -
CD4T CD4+_helper_T_cells 1 -0.06 -0.04 T
CD8T CD8+_cytotoxic_T_cells 1 0 0.04 T
NK Natural_killer_cells 1 -0.05 -0.03 -
PLASMAC Plasma_cells 0.1 0 0.08 -
PDC Plasmacytoid_dendritic_cells 0.1 -0.1 -0.06 DC
MDC1 Myeloid_dendritic_cells_1 0.1 -0.08 -0.03 DC
TREG Regulatory_T_cells 0.05 0.04 0 -
TFH T_follicular_helper_cells 0.1 0 0.05 -
TH17 T_helper_17_cells 0.1 -0.03 0 -
"""
B_SHARES = ("CD20B", "CD268B", "SWMEMB", "PLASMABL")
PERCENTAGES = ("TREG", "TFH", "TH17")


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """One population: its name, limit and the distribution of its level."""

    paramcd: str
    label: str
    lloq: float
    calibration: Calibration


@functools.cache
def populations() -> dict[str, Population]:
    """Calibrate every population of table S2, in the order they are reported."""
    published, made = printed_rows(TABLE_S2), {}
    for line in _POPULATIONS.strip().splitlines():
        paramcd, label, limit, first, second, block = line.split()
        lloq = float(limit)
        assay = Assay(
            paramcd=paramcd,
            label=label.replace("_", " "),
            lloq=(lloq, lloq),
            uloq=math.inf,
            dilution=1,
            strata_effects=(float(first), float(second)),
        )
        calibration = Calibration(
            assay=assay,
            means=planted_table(published, paramcd)[0],
            log_sd=spread_from_errors(published, paramcd, correlation=CORRELATION),
            lloq=np.full(len(VISITS), lloq),
            lot_factor=1.0,
            correlation=CORRELATION,
            block=block.strip("-"),
        )
        made[paramcd] = Population(
            paramcd=paramcd, label=assay.label, lloq=lloq, calibration=calibration
        )
    return made


def _level(seed: int, subjects: Subjects, paramcd: str) -> FloatArray:
    return draw_levels(seed, subjects, populations()[paramcd].calibration).true


def _latent(seed: int, subjects: Subjects, paramcd: str) -> FloatArray:
    # A share has nothing in common with the whole, or their product would miss its mean.
    return bend(draw_latent(seed, subjects, paramcd, correlation=CORRELATION, common_share=0.0))


def _ratio(paramcd: str) -> FloatArray:
    every = populations()
    return every[paramcd].calibration.means / every["CD19B"].calibration.means


def _share_sd(paramcd: str) -> FloatArray:
    every = populations()
    own, whole = every[paramcd].calibration.log_sd, every["CD19B"].calibration.log_sd
    wanted = np.sqrt(np.maximum(own**2 - whole**2, 0.0))
    return np.asarray(np.clip(wanted, SMALLEST_SHARE_SD, LARGEST_SHARE_SD), dtype=np.float64)


def _b_share(seed: int, subjects: Subjects, paramcd: str) -> FloatArray:
    """Share of the B cells that belongs to a population: at most 1, with the planted mean."""
    latent = _latent(seed, subjects, paramcd)
    if paramcd == "CD268B":
        lacking = 1.0 - np.minimum(_ratio(paramcd), LARGEST_RECEPTOR_SHARE)[subjects.arm]
        spread = np.exp(RECEPTOR_SD * latent) / mean_of_exponential(RECEPTOR_SD)
        return np.asarray(1.0 - lacking * spread, dtype=np.float64)
    spread_sd = _share_sd(paramcd)
    scale = np.vectorize(mean_of_exponential)(spread_sd)[subjects.arm]
    wanted = _ratio(paramcd)[subjects.arm]
    return np.asarray(wanted * np.exp(spread_sd[subjects.arm] * latent) / scale, dtype=np.float64)


def _rest(seed: int, subjects: Subjects) -> FloatArray:
    every = populations()
    means = every["CD3T"].calibration.means - every["CD4T"].calibration.means
    means = np.maximum(means - every["CD8T"].calibration.means, SMALLEST_REST)
    own = every["CD4T"].calibration
    # A population nobody reports: its stream has a name of its own.
    calibration = replace(own, means=means, assay=replace(own.assay, paramcd="REST"), block="")
    return draw_levels(seed, subjects, calibration).true


def draw_cells(seed: int, subjects: Subjects) -> dict[str, FloatArray]:
    """Draw the true counts, cells/uL, (n, visits) each."""
    drawn = {"CD19B": _level(seed, subjects, "CD19B")}
    for paramcd in B_SHARES:
        drawn[paramcd] = drawn["CD19B"] * _b_share(seed, subjects, paramcd)
    drawn["CD4T"] = _level(seed, subjects, "CD4T")
    drawn["CD8T"] = _level(seed, subjects, "CD8T")
    drawn["CD3T"] = drawn["CD4T"] + drawn["CD8T"] + _rest(seed, subjects)
    for paramcd in ("NK", "PLASMAC", "PDC", "MDC1"):
        drawn[paramcd] = _level(seed, subjects, paramcd)
    return drawn


def draw_percentages(seed: int, subjects: Subjects) -> dict[str, FloatArray]:
    """Draw the true percentages of T-cell subsets among leucocytes, (n, visits) each."""
    return {paramcd: _level(seed, subjects, paramcd) for paramcd in PERCENTAGES}


def planted_cell_means(paramcd: str) -> FloatArray:
    """Tabulate the planted arithmetic mean by arm and visit, (arms, visits)."""
    every = populations()
    means = every[paramcd].calibration.means
    if paramcd == "CD268B":
        share = np.minimum(_ratio(paramcd), LARGEST_RECEPTOR_SHARE)
        return np.asarray(every["CD19B"].calibration.means * share, dtype=np.float64)
    if paramcd == "CD3T":
        parts = every["CD4T"].calibration.means + every["CD8T"].calibration.means
        return np.asarray(parts + np.maximum(means - parts, SMALLEST_REST), dtype=np.float64)
    return means
