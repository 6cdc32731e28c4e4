"""What the synthetic EDC holds beside demographics: vital signs, doses, response, requisitions.

Every function gives the lines known at a cut date or through a visit, in the order of subjects.
"""

from collections.abc import Iterable

import numpy as np

from assayhouse.simulate.calibration import STUDY, VISITS
from assayhouse.simulate.disease import Disease
from assayhouse.simulate.exposure import FIRST_PK_VISIT, Body, Exposure
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.levels import specimens_attended
from assayhouse.simulate.response import Efficacy
from assayhouse.simulate.subjects import Subjects, first_doses, subject_uniforms, visit_dates

ANTIMALARIAL_SHARE = 0.7
_OTHERS = (("METHOTREXATE", 15.0, "QS", 0.15), ("MYCOPHENOLATE", 2000.0, "QD", 0.12))
EARLY_TERMINATION = "EARLY TERM"


def _identity(subjid: str) -> Row:
    return [STUDY, f"{STUDY}-{subjid}", subjid]


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row[2])


def vital_rows(seed: int, subjects: Subjects, body: Body, *, visits: int) -> list[Row]:
    """Lines of ``edc.vs`` through a visit."""
    days = visit_dates(seed, subjects).astype(str)
    attended = specimens_attended(subjects)
    rows = []
    for person, subjid in enumerate(subjects.subjid):
        height = f"{body.height[person]:.0f}"
        for visit in range(visits):
            if attended[person, visit]:
                weight = f"{body.weight[person, visit]:.1f}"
                date = str(days[person, visit])
                rows.append([*_identity(subjid), VISITS[visit], date, weight, height])
    return _sorted(rows)


def exposure_rows(
    subjects: Subjects, exposure: Exposure, efficacy: Efficacy, *, cut_date: str
) -> list[Row]:
    """Lines of ``edc.ex``, sealed: one period of dosing per subject; its end once it is past."""
    first, cut = first_doses(subjects).astype(str).tolist(), np.datetime64(cut_date)
    rows = []
    for person, subjid in enumerate(subjects.subjid):
        ended = efficacy.ended[person]
        last = str(ended) if ended <= cut else ""
        dose = f"{exposure.dose_mg[person]:g}"
        cells = ["1", "STUDY DRUG", dose, "mg", "QD", first[person], last, ""]
        rows.append([*_identity(subjid), *cells])
    return _sorted(rows)


def diary_rows(subjects: Subjects, exposure: Exposure, *, visits: int) -> list[Row]:
    """Lines of ``edc.ec``: the doses of the visit day and of the day before, where PK is drawn."""
    before, after = exposure.before.astype(str), exposure.after.astype(str)
    attended = specimens_attended(subjects)
    rows = []
    for person, subjid in enumerate(subjects.subjid):
        for visit in range(FIRST_PK_VISIT, visits):
            if attended[person, visit]:
                number = 2 * (visit - FIRST_PK_VISIT) + 1
                times = (before[person, visit], after[person, visit])
                for place, time in enumerate(times):
                    rows.append([*_identity(subjid), str(number + place), str(time), "Y"])
    return _sorted(rows)


def _flag(value: object) -> str:
    return "Y" if value else "N"


def _response_cells(efficacy: Efficacy, person: int, visit: int) -> Row:
    """Cells from SRI4 to RESCUE at a visit."""
    response = _flag(efficacy.responder[person, visit - 1]) if visit else ""
    return [
        response,
        str(efficacy.sledai[person, visit]),
        _flag(efficacy.bilag_worse[person, visit]) if visit else "",
        f"{efficacy.pga_tenths[person, visit] / 10.0:.1f}",
        str(efficacy.clasi[person, visit]),
        _flag(efficacy.rescue[person, visit]),
    ]


def response_rows(
    seed: int, subjects: Subjects, efficacy: Efficacy, *, visits: int, cut_date: str
) -> list[Row]:
    """Lines of ``edc.response`` through a visit; who left has a last line, without a response."""
    days, cut = visit_dates(seed, subjects).astype(str), np.datetime64(cut_date)
    rows = []
    for person, subjid in enumerate(subjects.subjid):
        seen = len(VISITS) if efficacy.stays[person] else int(subjects.visits_attended[person])
        for visit in range(min(visits, seen)):
            cells = _response_cells(efficacy, person, visit)
            reason = "RESCUE MEDICATION" if efficacy.rescue[person, visit] else ""
            date = str(days[person, visit])
            rows.append([*_identity(subjid), VISITS[visit], date, *cells, "N", reason])
        if not efficacy.stays[person] and efficacy.ended[person] <= cut:
            cells = _response_cells(efficacy, person, seen - 1)
            cells = ["", *cells[1:2], "", *cells[3:5], "N"]
            date, reason = str(efficacy.ended[person]), efficacy.reason[person]
            rows.append([*_identity(subjid), EARLY_TERMINATION, date, *cells, "Y", reason])
    return _sorted(rows)


def medication_rows(seed: int, subjects: Subjects, disease: Disease) -> list[Row]:
    """Lines of ``edc.cm``: steroids, antimalarials and immunosuppressants taken at baseline."""
    draws = subject_uniforms(seed, subjects, "medication", columns=5)
    first = first_doses(subjects)
    rows = []
    for person, subjid in enumerate(subjects.subjid):
        taken: list[Row] = []
        if disease.steroid_mg[person] > 0.0:
            dose = f"{disease.steroid_mg[person]:g}"
            taken.append(["PREDNISONE", "STEROID", dose, "mg", "QD"])
        if draws[person, 0] < ANTIMALARIAL_SHARE:
            taken.append(["HYDROXYCHLOROQUINE", "ANTIMALARIAL", "400", "mg", "QD"])
        if disease.azathioprine[person]:
            taken.append(["AZATHIOPRINE", "IMMUNOSUPPRESSANT", "100", "mg", "QD"])
        else:
            low = 0.0
            for name, amount, often, share in _OTHERS:
                if low <= draws[person, 1] < low + share:
                    taken.append([name, "IMMUNOSUPPRESSANT", f"{amount:g}", "mg", often])
                low += share
        for number, cells in enumerate(taken, start=1):
            started = first[person] - (60 + int(900 * draws[person, 1 + number]))
            rows.append([*_identity(subjid), str(number), *cells, str(started), ""])
    return _sorted(rows)
