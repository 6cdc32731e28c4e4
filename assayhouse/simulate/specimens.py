"""Specimens as the laboratories receive them: accession, subject, time of collection. No result."""

from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import STUDY, VISITS
from assayhouse.simulate.levels import specimens_present
from assayhouse.simulate.streams import IntArray
from assayhouse.simulate.subjects import BoolArray, Subjects, subject_uniforms, visit_dates
from assayhouse.simulate.texts import Texts, TimeArray, time_texts

LOT_STARTS = ("2018-01-01", "2018-07-02", "2018-10-15")

PREFIXES = {
    "covance_flow": "FLW",
    "epiontis": "EPI",
    "singulex": "SGX",
    "dxterity": "DXT",
    "central_lab": "CLB",
    "pk_lab": "PKL",
}
"""First letters of the accessions of each laboratory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimens:
    """What one laboratory received of one visit, in the order of accessions.

    Attributes
    ----------
    vendor : str
        The laboratory.
    visit : int
        0 to 3.
    subject : (m,) array
        Places of the subjects among all subjects.
    accession, subjid : sequence of str
        Identifiers.
    collected : (m,) array
        Local time of collection, to the minute.
    """

    vendor: str
    visit: int
    subject: IntArray
    accession: Texts
    subjid: Texts
    collected: TimeArray

    def __len__(self) -> int:
        return len(self.accession)

    @property
    def identity(self) -> dict[str, Texts | str]:
        """Cells that every laboratory writes."""
        return {
            "STUDYID": STUDY,
            "SITEID": [subjid.partition("-")[0] for subjid in self.subjid],
            "SUBJID": self.subjid,
            "USUBJID": [f"{STUDY}-{subjid}" for subjid in self.subjid],
            "VISIT": VISITS[self.visit],
            "ACCNO": self.accession,
            "COLDTM": time_texts(self.collected),
        }


def accession_number(vendor: str, rank: int, visit: int) -> str:
    """Build the accession of a specimen from the place in the order of enrolment."""
    return f"{PREFIXES[vendor]}{1_000_001 + len(VISITS) * rank + visit}"


def collection_times(seed: int, subjects: Subjects, visit: int) -> TimeArray:
    """Give the time at which blood is drawn at a visit, the same for all tubes, (n,)."""
    draws = subject_uniforms(seed, subjects, "handling", VISITS[visit], columns=4)
    minutes = 60 * (7 + (draws[:, 0] * 4).astype(np.int64)) + (draws[:, 1] * 60).astype(np.int64)
    days = visit_dates(seed, subjects)[:, visit].astype("datetime64[m]")
    return np.asarray(days + minutes, dtype="datetime64[m]")


def draw_specimens(
    seed: int, subjects: Subjects, vendor: str, visit: int, *, present: BoolArray | None = None
) -> Specimens:
    """List what a laboratory received of a visit, in the order of enrolment.

    Parameters
    ----------
    present : (n,) array or None
        Which specimens those are; None for all but the few that are lost.
    """
    if present is None:
        lab = "" if vendor == "singulex" else vendor
        present = specimens_present(seed, subjects, lab)[:, visit]
    there = np.flatnonzero(present)
    there = there[np.argsort(subjects.enrolment_rank[there], kind="stable")]
    ranks = subjects.enrolment_rank[there].tolist()
    return Specimens(
        vendor=vendor,
        visit=visit,
        subject=there,
        accession=[accession_number(vendor, rank, visit) for rank in ranks],
        subjid=[subjects.subjid[person] for person in there.tolist()],
        collected=collection_times(seed, subjects, visit)[there],
    )


def lot_numbers(prefix: str, times: TimeArray) -> list[str]:
    """Give the reagent lots: a lot is in use for some months, whatever visit they fall on."""
    starts = np.array(LOT_STARTS, dtype="datetime64[m]")
    return [f"{prefix}-{lot}" for lot in np.searchsorted(starts, times, side="right").tolist()]
