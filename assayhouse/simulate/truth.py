"""True levels, what the laboratory reports of them, and the trial as an analyst would see it.

The study files and ``draw_trial`` are made from the same draws, so that the estimator's own limit
belongs to the very distribution the files come from.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from assayhouse.simulate.calibration import (
    ARMS,
    CALIBRATIONS,
    VISIT_NUMBERS,
    VISITS,
    bent_sd,
)
from assayhouse.simulate.cells import B_SHARES, PERCENTAGES, planted_cell_means, populations
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.haematology import LLOQ
from assayhouse.simulate.levels import Levels, draw_levels
from assayhouse.simulate.panels import GATES
from assayhouse.simulate.scores import PARAMCDS, planted_score_means
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import BoolArray, Subjects, draw_subjects
from assayhouse.simulate.world import World

ANTIBODIES = "ADSDNA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyte:
    """One analyte as its laboratory reports it, and which specimens the laboratory has.

    Attributes
    ----------
    paramcd : str
        Code.
    levels : Levels
        Values of everybody at every visit.
    lloq : (visits,) array
        Lower limit in force; not a number where there is none.
    present : (n, visits) array
        Which specimens arrived.
    """

    paramcd: str
    levels: Levels
    lloq: FloatArray
    present: BoolArray


def parameters() -> tuple[str, ...]:
    """Codes that ``draw_trial`` can draw: those of tables S2 to S4, and anti-dsDNA."""
    cytokines = (calibration.assay.paramcd for calibration in CALIBRATIONS)
    return (*cytokines, *_OTHERS)


def _score_levels(world: World, paramcd: str) -> Levels:
    ratio = 2.0 ** world.expressed.scores[paramcd]
    never = np.zeros(ratio.shape, dtype=np.bool_)
    true = 2.0 ** world.scores[paramcd]
    return Levels(true=true, reported=ratio, blq=never, lost=never)


def _counts(world: World, paramcd: str) -> Levels:
    return world.counted.levels[paramcd]


def _percentages(world: World, paramcd: str) -> Levels:
    return world.measured[paramcd].levels


def _antibodies(world: World, paramcd: str) -> Levels:
    return world.tests[paramcd]


_OTHERS: dict[str, tuple[str, float, Callable[[World, str], Levels]]] = {
    **{code: ("covance_flow", populations()[code].lloq, _counts) for code in GATES},
    **{code: ("epiontis", populations()[code].lloq, _percentages) for code in PERCENTAGES},
    **dict.fromkeys(PARAMCDS, ("dxterity", np.nan, _score_levels)),
    ANTIBODIES: ("central_lab", LLOQ[ANTIBODIES], _antibodies),
}


def analytes(world: World, wanted: Collection[str]) -> Iterator[Analyte]:
    """Draw the wanted analytes, one after the other."""
    for calibration in CALIBRATIONS:
        if calibration.assay.paramcd in wanted:
            yield Analyte(
                paramcd=calibration.assay.paramcd,
                levels=draw_levels(world.seed, world.subjects, calibration),
                lloq=calibration.lloq,
                present=world.present("singulex"),
            )
    for paramcd, (vendor, limit, levels) in _OTHERS.items():
        if paramcd in wanted:
            yield Analyte(
                paramcd=paramcd,
                levels=levels(world, paramcd),
                lloq=np.full(len(VISITS), limit),
                present=world.present(vendor),
            )


def _long(subjects: Subjects, analyte: Analyte, *, missing: bool) -> pl.DataFrame:
    levels, lloq = analyte.levels, analyte.lloq
    known = analyte.present & ~levels.lost if missing else np.ones_like(analyte.present)
    analysed = np.where(levels.blq, lloq / 2.0, levels.reported)
    arms = np.array(ARMS)[subjects.arm]
    frames = []
    for visit in range(1, len(VISITS)):
        values = pl.Series("aval", analysed[:, visit]).set(pl.Series(~known[:, visit]), None)
        limit = None if np.isnan(lloq[visit]) else float(lloq[visit])
        columns: dict[str, object] = {
            "usubjid": subjects.usubjid,
            "arm": arms,
            "paramcd": [analyte.paramcd] * len(subjects),
            "avisitn": [VISIT_NUMBERS[visit]] * len(subjects),
            "aval": values,
            "base": analysed[:, 0],
            "blq": levels.blq[:, visit] & known[:, visit],
            "lloq": pl.Series([limit] * len(subjects), dtype=pl.Float64),
            "strata1": subjects.strata_text(0),
            "strata2": subjects.strata_text(1),
        }
        frames.append(pl.DataFrame(columns).filter(pl.Series(known[:, 0])))
    return pl.concat(frames)


def draw_trial(
    *,
    seed: int,
    subjects_per_arm: Mapping[str, int],
    missing: bool,
    wanted: Collection[str] | None = None,
) -> pl.DataFrame:
    """Draw a whole trial in the long form of the effect analysis, without any file.

    Parameters
    ----------
    seed : int
        The seed of ``simulate_study`` with its numbers of subjects gives its very values.
    subjects_per_arm : mapping of str to int
        Any of the study's arms.
    missing : bool
        False gives every subject every visit: the population an estimator would have with
        complete data.
    wanted : collection of str or None
        Codes of the parameters to draw; None for all of ``parameters()``. What else is drawn
        changes no value.

    Returns
    -------
    polars.DataFrame
        One row per subject, parameter and later visit, sorted by them: usubjid, arm, paramcd,
        avisitn, aval, base, blq, lloq, strata1, strata2. Below the limit, aval and base are half
        of it. Scores are on the ratio scale and have no limit (null). Subjects without a baseline
        result are absent for that parameter; a missing later result has a null aval.

    Raises
    ------
    SimulationError
        Unknown arm or parameter, or an impossible number of subjects.
    """
    chosen = parameters() if wanted is None else wanted
    unknown = sorted(set(chosen) - set(parameters()))
    if unknown or not chosen:
        message = (
            f"The synthetic trial has no parameter {', '.join(unknown) or 'to draw'}. "
            f"Choose from: {', '.join(parameters())}."
        )
        raise SimulationError(message)
    subjects = draw_subjects(seed, subjects_per_arm)
    world = World(seed, subjects)
    frames = [_long(subjects, each, missing=missing) for each in analytes(world, chosen)]
    return pl.concat(frames).sort("usubjid", "paramcd", "avisitn")


def _planted_row(
    paramcd: str, means: FloatArray, log_sd: FloatArray, lloq: FloatArray
) -> pl.DataFrame:
    rows = [
        {
            "paramcd": paramcd,
            "arm": arm,
            "avisitn": visit_number,
            "mean": float(means[place, visit]),
            "log_sd": None if np.isnan(log_sd[place, visit]) else float(log_sd[place, visit]),
            "lloq": None if np.isnan(lloq[visit]) else float(lloq[visit]),
        }
        for place, arm in enumerate(ARMS)
        for visit, visit_number in enumerate(VISIT_NUMBERS)
    ]
    return pl.DataFrame(rows, schema_overrides={"log_sd": pl.Float64, "lloq": pl.Float64})


def planted_means() -> pl.DataFrame:
    """Tabulate what is planted: mean, log SD and limit per analyte, arm and visit.

    ``mean`` is the arithmetic mean of all subjects before the limit of quantification acts, in the
    unit of the analyte. It is not what a robust estimator converges to: for that, see
    ``draw_trial``. ``log_sd`` is null for what is not drawn as a lognormal of its own.
    """
    unknown, none = np.full((len(ARMS), len(VISITS)), np.nan), np.full(len(VISITS), np.nan)
    frames = [
        _planted_row(
            calibration.assay.paramcd,
            calibration.means,
            calibration.log_sd * bent_sd(),
            calibration.lloq,
        )
        for calibration in CALIBRATIONS
    ]
    for paramcd, population in populations().items():
        derived = paramcd in {*B_SHARES, "CD3T"}
        log_sd = unknown if derived else population.calibration.log_sd * bent_sd()
        means = planted_cell_means(paramcd)
        frames.append(_planted_row(paramcd, means, log_sd, population.calibration.lloq))
    frames += [
        _planted_row(paramcd, planted_score_means(paramcd), unknown, none) for paramcd in PARAMCDS
    ]
    return pl.concat(frames).sort("paramcd", "arm", "avisitn")
