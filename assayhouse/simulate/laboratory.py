"""The synthetic immunoassay laboratory: what it reports of each visit, without any fault."""

from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import (
    CALIBRATIONS,
    STUDY,
    TRANSFER_DATES,
    VISITS,
    Calibration,
)
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.levels import Levels, decimals, draw_levels, specimens_present
from assayhouse.simulate.plates import (
    REPLICATES,
    SPECIMENS_PER_PLATE,
    Plate,
    concentration_text,
    control_rows,
    make_plate,
    plate_row,
    specimen_rows,
)
from assayhouse.simulate.streams import FloatArray, IntArray, normals, uniforms
from assayhouse.simulate.subjects import Subjects, visit_dates

RUN_LEAD_DAYS = 12
PLATES_PER_DAY = 6
REPLICATE_CV = 0.05
MASKED_SHARE = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class LabReport:
    """Everything one report adds to the laboratory's three files.

    Attributes
    ----------
    results, wells, plates : list of rows
        In file order.
    below_limit : dict
        Number behind each ``<LLOQ``, by accession and parameter. Not in any file.
    """

    results: list[Row]
    wells: list[Row]
    plates: list[Row]
    below_limit: dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Specimens:
    """Specimens of one report, in the order of their accessions."""

    report: int
    subject: IntArray
    accession: list[str]
    identity: list[Row]
    handling: list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """One analyte in the specimens of a report: levels and wells of the same rows."""

    calibration: Calibration
    levels: Levels
    wells: FloatArray
    masked: IntArray


def reported_text(value: float, digits: float) -> str:
    """Print a rounded number with its four significant digits and no exponent."""
    return f"{value:.{max(int(digits), 0)}f}"


def _specimens(seed: int, subjects: Subjects, report: int) -> _Specimens:
    visit = report - 1
    there = np.flatnonzero(specimens_present(seed, subjects)[:, visit])
    there = there[np.argsort(subjects.enrolment_rank[there], kind="stable")]
    days = visit_dates(seed, subjects)[:, visit]
    draws = np.vstack(
        [
            uniforms(seed, "handling", VISITS[visit], arm, rows=size, columns=4)
            for arm, size in zip(subjects.arms, subjects.sizes, strict=True)
        ]
    )
    accession, identity, handling = [], [], []
    for person in there.tolist():
        subjid = subjects.subjid[person]
        hour, minute = 7 + int(draws[person, 0] * 4), int(draws[person, 1] * 60)
        number = f"SGX{1_000_001 + 4 * int(subjects.enrolment_rank[person]) + visit}"
        collected = f"{days[person]}T{hour:02d}:{minute:02d}"
        accession.append(number)
        site = subjid.partition("-")[0]
        identity.append([STUDY, site, subjid, VISITS[visit], number, collected, "PLASMA EDTA"])
        red = str(int(draws[person, 2] > 0.9) + int(draws[person, 2] > 0.98))
        handling.append(["1" if draws[person, 3] < 0.97 else "2", red])
    return _Specimens(
        report=report, subject=there, accession=accession, identity=identity, handling=handling
    )


def _measure(
    seed: int, subjects: Subjects, calibration: Calibration, specimens: _Specimens
) -> _Measured:
    paramcd, visit = calibration.assay.paramcd, specimens.report - 1
    noise, mask = [], []
    for arm, size in zip(subjects.arms, subjects.sizes, strict=True):
        words = ("well", paramcd, VISITS[visit], arm)
        noise.append(normals(seed, *words, rows=size, columns=REPLICATES))
        mask.append(uniforms(seed, "mask", *words, rows=size, columns=2))
    rows = specimens.subject
    all_levels = draw_levels(seed, subjects, calibration)
    levels = Levels(
        true=all_levels.true[rows, visit],
        reported=all_levels.reported[rows, visit],
        blq=all_levels.blq[rows, visit],
        lost=all_levels.lost[rows, visit],
    )
    chance = np.vstack(mask)[rows]
    hidden = chance[:, 0] < MASKED_SHARE
    masked = np.where(hidden, (chance[:, 1] * REPLICATES).astype(int), -1)
    kept = np.arange(REPLICATES) != masked[:, None]
    error = REPLICATE_CV * np.clip(np.vstack(noise)[rows], -2.5, 2.5)
    # The kept wells average to the reported level exactly; a masked one is far off.
    error -= (error * kept).sum(axis=1, keepdims=True) / kept.sum(axis=1, keepdims=True)
    error = np.where(kept, error, 0.8)
    on_plate = levels.true[:, None] / calibration.assay.dilution
    wells = on_plate * (1.0 + error)
    return _Measured(calibration=calibration, levels=levels, wells=wells, masked=masked)


def _outcome_cells(measured: _Measured, place: int, lloq: float) -> Row:
    """Cells from ORRES to CVPCT of one result."""
    levels, dilution = measured.levels, str(measured.calibration.assay.dilution)
    if levels.lost[place]:
        return ["QNS", "pg/mL", dilution, "Y", "", "", "", ""]
    kept = measured.wells[place][np.arange(REPLICATES) != measured.masked[place]]
    kept = kept * measured.calibration.assay.dilution
    used = str(len(kept))
    if levels.blq[place]:
        return [f"<{concentration_text(lloq)}", "pg/mL", dilution, "Y", used, "", "", ""]
    spread = float(kept.std(ddof=1))
    mean = float(levels.reported[place])
    text = reported_text(mean, float(decimals(levels.reported[place : place + 1])[0]))
    statistics = [text, concentration_text(spread), f"{100.0 * spread / mean:.2f}"]
    return [text, "pg/mL", dilution, "Y", used, *statistics]


def _result_row(measured: _Measured, specimens: _Specimens, place: int, plate: Plate) -> Row:
    assay, lost = measured.calibration.assay, bool(measured.levels.lost[place])
    lot = 1 if specimens.report == 1 else 2
    lots = [f"{assay.paramcd}-K{lot}", f"{assay.paramcd}-C{lot}"]
    flag = "Y" if measured.levels.blq[place] and not lost else "N"
    status = ["C", "QNS", "volume too small"] if lost else ["F", "", ""]
    return [
        *specimens.identity[place],
        assay.paramcd,
        assay.label,
        *lots,
        plate.plate_id,
        plate.run_date,
        *_outcome_cells(measured, place, plate.lloq),
        concentration_text(plate.lloq),
        concentration_text(plate.uloq),
        flag,
        "N",
        *specimens.handling[place],
        *status,
        str(specimens.report),
    ]


def _run_date(report: int, place: int) -> str:
    days = place // PLATES_PER_DAY - RUN_LEAD_DAYS
    return str(np.datetime64(TRANSFER_DATES[report - 1]) + days)


def _below_limit(measured: _Measured, specimens: _Specimens) -> dict[tuple[str, str], str]:
    levels, paramcd = measured.levels, measured.calibration.assay.paramcd
    digits = decimals(levels.reported)
    return {
        (specimens.accession[place], paramcd): reported_text(
            float(levels.reported[place]), float(digits[place])
        )
        for place in np.flatnonzero(levels.blq & ~levels.lost).tolist()
    }


def _run_plate(
    seed: int, measured: _Measured, specimens: _Specimens, number: int
) -> tuple[list[Row], list[Row], Row]:
    first = number * SPECIMENS_PER_PLATE
    last = min(first + SPECIMENS_PER_PLATE, len(specimens.accession))
    run_date = _run_date(specimens.report, number)
    plate = make_plate(
        seed, measured.calibration, report=specimens.report, place=number, run_date=run_date
    )
    results = [_result_row(measured, specimens, place, plate) for place in range(first, last)]
    wells = control_rows(plate)
    for place in range(first, last):
        if not measured.levels.lost[place]:
            wells += specimen_rows(
                plate,
                place=place - first,
                accession=specimens.accession[place],
                concentrations=measured.wells[place],
                masked=int(measured.masked[place]),
            )
    return results, wells, plate_row(plate)


def make_report(seed: int, subjects: Subjects, report: int) -> LabReport:
    """Measure all specimens of one visit and write up what the laboratory would send.

    Parameters
    ----------
    seed : int
        Seed of the study.
    subjects : Subjects
        The subjects of the study.
    report : int
        1 to 4: baseline, weeks 4, 12 and 24.
    """
    specimens = _specimens(seed, subjects, report)
    plates_needed = -(-len(specimens.accession) // SPECIMENS_PER_PLATE)
    made = LabReport(results=[], wells=[], plates=[], below_limit={})
    for calibration in CALIBRATIONS:
        measured = _measure(seed, subjects, calibration, specimens)
        made.below_limit.update(_below_limit(measured, specimens))
        for number in range(plates_needed):
            results, wells, plate = _run_plate(seed, measured, specimens, number)
            made.results.extend(results)
            made.wells.extend(wells)
            made.plates.append(plate)
    return made
