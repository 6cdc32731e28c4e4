"""The synthetic subjects: identity, arm, strata, dates and how long they stay. No measurements."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assayhouse.simulate.calibration import (
    ARMS,
    DROPOUT_BY_VISIT,
    DROPOUT_FACTOR,
    STRATA_SHARES,
    STUDY,
    TARGET_DAYS,
    VISITS,
    WINDOW_DAYS,
)
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.streams import FloatArray, IntArray, normals, permutation, uniforms

BoolArray = npt.NDArray[np.bool_]
DateArray = npt.NDArray[np.datetime64]

SITE_COUNT = 40
FIRST_SITE = 101
SCREEN_FAILURES = 30
MOST_SUBJECTS = 300_000
FIRST_ENROLMENT = np.datetime64("2018-04-23")
ENROLMENT_DAYS = 118


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """Randomised subjects, arm by arm, and within an arm by their number in it.

    Attributes
    ----------
    arms : tuple of str
        Arms with at least one subject, in dose order.
    sizes : tuple of int
        Subjects per arm, in the same order.
    arm : (n,) array
        Position of the subject's arm in ``ARMS``.
    strata : (n, 2) array
        True for ``Y``.
    visits_attended : (n,) array
        Number of visits before the subject left, baseline included: 1 to 4.
    enrolment_rank : (n,) array
        Place in the order of enrolment, screen failures not counted.
    subjid : tuple of str
        Site and number, as ``101-0007``.
    screen_failures : tuple of str
        Identifiers given to persons who were never randomised.
    """

    arms: tuple[str, ...]
    sizes: tuple[int, ...]
    arm: IntArray
    strata: BoolArray
    visits_attended: IntArray
    enrolment_rank: IntArray
    subjid: tuple[str, ...]
    screen_failures: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.subjid)

    @property
    def usubjid(self) -> tuple[str, ...]:
        """Identifier that is unique across studies."""
        return tuple(f"{STUDY}-{subjid}" for subjid in self.subjid)

    def strata_text(self, factor: int) -> list[str]:
        """Levels of stratification factor 0 or 1 as ``Y`` and ``N``."""
        return ["Y" if level else "N" for level in self.strata[:, factor].tolist()]


def require_arms(subjects_per_arm: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Check the wanted arms and bring them into dose order.

    Raises
    ------
    SimulationError
        An arm the study does not have, a negative size, nobody at all, or too many for the
        four-digit subject numbers of the sites.
    """
    unknown = sorted(set(subjects_per_arm) - set(ARMS))
    if unknown:
        message = f"Arms {unknown} are not in the synthetic study; use {', '.join(ARMS)}."
        raise SimulationError(message)
    total = sum(subjects_per_arm.values())
    if min(subjects_per_arm.values(), default=0) < 0 or not 0 < total <= MOST_SUBJECTS:
        message = (
            f"The synthetic study needs between 1 and {MOST_SUBJECTS} subjects, "
            f"asked for {total} with no negative arm. Nothing was drawn."
        )
        raise SimulationError(message)
    return tuple((arm, subjects_per_arm[arm]) for arm in ARMS if subjects_per_arm.get(arm, 0))


def draw_subjects(seed: int, subjects_per_arm: Mapping[str, int]) -> Subjects:
    """Draw the subjects of a trial.

    What a subject is like (strata, leaving) depends on the seed, the arm and the number in the
    arm only; identity and enrolment also depend on how many subjects there are.
    """
    wanted = require_arms(subjects_per_arm)
    strata = np.vstack(
        [
            uniforms(seed, "strata", arm, rows=size, columns=2) < STRATA_SHARES
            for arm, size in wanted
        ]
    )
    leaving = np.vstack(
        [uniforms(seed, "dropout", arm, rows=size, columns=3) for arm, size in wanted]
    )
    factor = np.where(strata[:, 1], DROPOUT_FACTOR["Y"], DROPOUT_FACTOR["N"])
    stays = leaving >= np.outer(factor, DROPOUT_BY_VISIT)
    total = len(strata)
    slots = permutation(seed, "enrolment", size=total + SCREEN_FAILURES)
    subjid = _number_within_sites(seed, slots)
    return Subjects(
        arms=tuple(arm for arm, _ in wanted),
        sizes=tuple(size for _, size in wanted),
        arm=np.repeat([ARMS.index(arm) for arm, _ in wanted], [size for _, size in wanted]),
        strata=strata,
        visits_attended=1 + np.cumprod(stays, axis=1).sum(axis=1),
        enrolment_rank=np.argsort(np.argsort(slots[:total], kind="stable"), kind="stable"),
        subjid=tuple(subjid[:total]),
        screen_failures=tuple(subjid[total:]),
    )


def _number_within_sites(seed: int, slots: IntArray) -> list[str]:
    sites = (uniforms(seed, "site", rows=len(slots), columns=1)[:, 0] * SITE_COUNT).astype(int)
    counts = [0] * SITE_COUNT
    names = [""] * len(slots)
    for person in np.argsort(slots, kind="stable").tolist():
        site = int(sites[person])
        counts[site] += 1
        names[person] = f"{FIRST_SITE + site:03d}-{counts[site]:04d}"
    return names


def first_doses(subjects: Subjects) -> DateArray:
    """Date of the first dose: enrolment is even over the period, on working days."""
    days = (subjects.enrolment_rank * ENROLMENT_DAYS) // max(len(subjects), 1)
    working = np.busday_offset(FIRST_ENROLMENT + days, 0, roll="forward")
    return np.asarray(working, dtype="datetime64[D]")


def visit_dates(seed: int, subjects: Subjects) -> DateArray:
    """Draw the date of every visit, (n, visits), inside its window and on a working day.

    Visits after a subject has left have a date too: the one they would have had.
    """
    first = first_doses(subjects)
    draws = np.vstack(
        [
            uniforms(seed, "visit-day", arm, rows=size, columns=len(VISITS))
            for arm, size in zip(subjects.arms, subjects.sizes, strict=True)
        ]
    )
    # Rolling off a weekend adds up to two days: draw from the window less those.
    width = np.maximum(2 * np.array(WINDOW_DAYS) - 1, 1)
    shift = -np.array(WINDOW_DAYS) + (draws * width).astype(int)
    days = first[:, None] + (np.array(TARGET_DAYS) - 1) + shift
    return np.asarray(np.busday_offset(days, 0, roll="forward"), dtype="datetime64[D]")


def subject_uniforms(seed: int, subjects: Subjects, *words: str, columns: int) -> FloatArray:
    """Draw (n, columns) uniforms: a subject's row depends on arm and number in the arm only."""
    return np.vstack(
        [
            uniforms(seed, *words, arm, rows=size, columns=columns)
            for arm, size in zip(subjects.arms, subjects.sizes, strict=True)
        ]
    )


def subject_normals(seed: int, subjects: Subjects, *words: str, columns: int) -> FloatArray:
    """Draw (n, columns) standard normals in the same way."""
    return np.vstack(
        [
            normals(seed, *words, arm, rows=size, columns=columns)
            for arm, size in zip(subjects.arms, subjects.sizes, strict=True)
        ]
    )
