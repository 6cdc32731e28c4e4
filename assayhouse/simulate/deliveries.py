"""Rows of every layout, visit by visit and cut by cut, without any fault. Writes nothing."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from assayhouse.simulate.calibration import TRANSFER_DATES, VISITS
from assayhouse.simulate.central_lab import central_rows
from assayhouse.simulate.clinic import dm_rows, rand_rows, site_rows, strata_rows
from assayhouse.simulate.edc import (
    diary_rows,
    exposure_rows,
    medication_rows,
    response_rows,
    vital_rows,
)
from assayhouse.simulate.epigenetics import epigenetic_rows
from assayhouse.simulate.exposure import concentration_rows
from assayhouse.simulate.expression import expression_rows, sample_rows, score_rows
from assayhouse.simulate.flow_report import control_rows, flow_rows
from assayhouse.simulate.layouts import DM, RAND, SITE, STRATA, Row
from assayhouse.simulate.pooled import pooled_rows
from assayhouse.simulate.requisitions import requisition_rows
from assayhouse.simulate.specimens import PREFIXES
from assayhouse.simulate.vendor_layouts import (
    CM,
    EC,
    EPIGENETIC,
    EX,
    EXPRESSION,
    FLOW,
    FLOW_QC,
    LB,
    PC,
    POOL,
    REQUISITION,
    RESPONSE,
    SAMPLE_QC,
    SCORES,
    VS,
)
from assayhouse.simulate.world import World

VisitRows: TypeAlias = Callable[[World, int], list[Row]]
CutRows: TypeAlias = Callable[[World, int], list[Row]]


def _flow(world: World, visit: int) -> list[Row]:
    specimens = world.specimens(FLOW.vendor, visit)
    return flow_rows(world.seed, world.subjects, world.counted, specimens, world.persons)


def _epigenetic(world: World, visit: int) -> list[Row]:
    specimens = world.specimens(EPIGENETIC.vendor, visit)
    return epigenetic_rows(world.seed, world.subjects, world.measured, specimens, world.persons.sex)


def _expression(world: World, visit: int) -> list[Row]:
    specimens = world.specimens(EXPRESSION.vendor, visit)
    return expression_rows(world.seed, world.subjects, world.expressed, specimens)


def _sample_qc(world: World, visit: int) -> list[Row]:
    specimens = world.specimens(SAMPLE_QC.vendor, visit)
    return sample_rows(world.seed, world.subjects, world.expressed, specimens)


LABORATORY_ROWS: Mapping[str, VisitRows] = {
    FLOW.full_name: _flow,
    FLOW_QC.full_name: lambda world, visit: control_rows(world.seed, _flow(world, visit)),
    EPIGENETIC.full_name: _epigenetic,
    EXPRESSION.full_name: _expression,
    SAMPLE_QC.full_name: _sample_qc,
    SCORES.full_name: lambda world, visit: score_rows(
        world.expressed, world.specimens(SCORES.vendor, visit)
    ),
    LB.full_name: lambda world, visit: central_rows(world.tests, world.specimens(LB.vendor, visit)),
    PC.full_name: lambda world, visit: concentration_rows(
        world.exposure, world.specimens(PC.vendor, visit)
    ),
}
"""Rows that one visit adds, by layout; a file is the rows of all visits so far."""


def _requisitions(world: World, number: int) -> list[Row]:
    sent = [world.specimens(vendor, visit) for visit in range(number) for vendor in PREFIXES]
    return requisition_rows([specimens for specimens in sent if len(specimens)])


CLINIC_ROWS: Mapping[str, CutRows] = {
    DM.full_name: lambda world, number: dm_rows(
        world.seed, world.subjects, world.efficacy.ended, cut_date=TRANSFER_DATES[number - 1]
    ),
    SITE.full_name: lambda _world, number: site_rows(number),
    REQUISITION.full_name: _requisitions,
    VS.full_name: lambda world, number: vital_rows(
        world.seed, world.subjects, world.body, visits=number
    ),
    EX.full_name: lambda world, number: exposure_rows(
        world.subjects, world.exposure, world.efficacy, cut_date=TRANSFER_DATES[number - 1]
    ),
    EC.full_name: lambda world, number: diary_rows(world.subjects, world.exposure, visits=number),
    RESPONSE.full_name: lambda world, number: response_rows(
        world.seed,
        world.subjects,
        world.efficacy,
        visits=number,
        cut_date=TRANSFER_DATES[number - 1],
    ),
    CM.full_name: lambda world, _number: medication_rows(world.seed, world.subjects, world.disease),
    RAND.full_name: lambda world, _number: rand_rows(world.seed, world.subjects),
    STRATA.full_name: lambda world, _number: strata_rows(world.subjects),
    POOL.full_name: lambda world, _number: pooled_rows(world.seed),
}
"""All rows of a file of the clinic at transfer ``number``, by layout."""


def laboratory_visits(world: World, layout: str) -> list[list[Row]]:
    """Rows that each visit adds to a laboratory's file."""
    return [LABORATORY_ROWS[layout](world, visit) for visit in range(len(VISITS))]
