"""The synthetic EDC and IRT systems: demographics, sites, randomisation. No measurements."""

import math
from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import ARM_NAMES, ARMS, STUDY
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.streams import FloatArray, uniforms
from assayhouse.simulate.subjects import (
    ENROLMENT_DAYS,
    FIRST_ENROLMENT,
    FIRST_SITE,
    SITE_COUNT,
    DateArray,
    Subjects,
    first_doses,
    subject_uniforms,
)

_PLACES = (
    ("USA", "America/New_York"),
    ("USA", "America/Chicago"),
    ("USA", "America/Los_Angeles"),
    ("CAN", "America/Toronto"),
    ("MEX", "America/Mexico_City"),
    ("COL", "America/Bogota"),
    ("ESP", "Europe/Madrid"),
    ("FRA", "Europe/Paris"),
    ("HUN", "Europe/Budapest"),
    ("POL", "Europe/Warsaw"),
)
_RACES = (("WHITE", 0.62), ("BLACK OR AFRICAN AMERICAN", 0.2), ("ASIAN", 0.06), ("OTHER", 0.12))
_SITES_CLOSED = {1: (), 2: (139,), 3: (128, 139), 4: (104, 117, 128, 139)}
_CLOSING_DATES = {
    139: "2018-09-28",
    128: "2018-11-16",
    104: "2019-01-11",
    117: "2019-01-25",
}
_FEMALE_SHARE = 0.92
_HISPANIC_SHARE = 0.28


def _place(site: int) -> tuple[str, str]:
    return _PLACES[(site - FIRST_SITE) % len(_PLACES)]


def site_rows(transfer: int) -> list[Row]:
    """Lines of ``edc.site``: sites are closed to enrolment as the study goes on."""
    rows = []
    for site in range(FIRST_SITE, FIRST_SITE + SITE_COUNT):
        country, zone = _place(site)
        opened = FIRST_ENROLMENT - (30 + (site * 7) % 45)
        closed = _CLOSING_DATES[site] if site in _SITES_CLOSED[transfer] else ""
        rows.append([STUDY, str(site), country, zone, str(opened), closed])
    return rows


def _person(subjid: str, draws: FloatArray) -> Row:
    """Cells from STUDYID to COUNTRY of one person."""
    site = subjid.partition("-")[0]
    bounds = np.cumsum([share for _, share in _RACES])
    race = _RACES[min(int(np.searchsorted(bounds, draws[1])), len(_RACES) - 1)][0]
    # A bell between 18 and 72 from three even draws.
    age = 18 + math.floor(54 * (draws[2] + draws[3] + draws[4]) / 3)
    sex = "F" if draws[0] < _FEMALE_SHARE else "M"
    ethnic = "HISPANIC OR LATINO" if draws[5] < _HISPANIC_SHARE else "NOT HISPANIC OR LATINO"
    country = _place(int(site))[0]
    return [STUDY, f"{STUDY}-{subjid}", subjid, site, str(age), sex, race, ethnic, country]


def _person_draws(seed: int, subjects: Subjects) -> FloatArray:
    return subject_uniforms(seed, subjects, "person", columns=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persons:
    """What other files say of the subjects' persons, in their order."""

    sex: tuple[str, ...]
    birth_year: tuple[int, ...]


def draw_persons(seed: int, subjects: Subjects) -> Persons:
    """Give sex and year of birth of every subject, as ``edc.dm`` has them."""
    draws = _person_draws(seed, subjects)
    rows = [_person(subjid, draw) for subjid, draw in zip(subjects.subjid, draws, strict=True)]
    first = first_doses(subjects).astype("datetime64[Y]").astype(int) + 1970
    years = [year - int(row[4]) for row, year in zip(rows, first.tolist(), strict=True)]
    return Persons(sex=tuple(row[5] for row in rows), birth_year=tuple(years))


def dm_rows(seed: int, subjects: Subjects, ends: DateArray, *, cut_date: str) -> list[Row]:
    """Lines of ``edc.dm``: everybody screened; the end of participation once it is past."""
    draws, first = _person_draws(seed, subjects), first_doses(subjects)
    cut = np.datetime64(cut_date)
    rows = []
    for person, subjid in enumerate(subjects.subjid):
        ended = ends[person]
        consent = first[person] - (7 + int(draws[person, 6] * 21))
        last = str(ended) if ended <= cut else ""
        dates = [str(consent), str(first[person]), last]
        rows.append([*_person(subjid, draws[person]), *dates])
    failures = uniforms(seed, "screen-failure", rows=len(subjects.screen_failures), columns=7)
    for subjid, draw in zip(subjects.screen_failures, failures, strict=True):
        consent = FIRST_ENROLMENT + int(draw[6] * ENROLMENT_DAYS) - 14
        rows.append([*_person(subjid, draw), str(consent), "", ""])
    return sorted(rows, key=lambda row: row[2])


def rand_rows(seed: int, subjects: Subjects) -> list[Row]:
    """Lines of ``irt.rand``, sealed: who was randomised to what."""
    numbers = uniforms(seed, "randomisation-number", rows=len(subjects), columns=1)[:, 0]
    order = np.argsort(np.argsort(numbers, kind="stable"), kind="stable")
    strata = [subjects.strata_text(0), subjects.strata_text(1)]
    first = first_doses(subjects)
    rows = []
    for person, subjid in enumerate(subjects.subjid):
        code = ARMS[int(subjects.arm[person])]
        number = f"R{10_000 + int(order[person])}"
        levels = [strata[0][person], strata[1][person]]
        identity = [STUDY, f"{STUDY}-{subjid}", subjid, number, str(first[person])]
        rows.append([*identity, code, ARM_NAMES[code], *levels, code, code])
    return sorted(rows, key=lambda row: row[2])


def strata_rows(subjects: Subjects) -> list[Row]:
    """Lines of ``irt.strata``, open: stratum levels without the arm."""
    levels = zip(subjects.subjid, subjects.strata_text(0), subjects.strata_text(1), strict=True)
    rows = [[STUDY, f"{STUDY}-{subjid}", subjid, one, two] for subjid, one, two in levels]
    return sorted(rows, key=lambda row: row[2])
