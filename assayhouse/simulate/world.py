"""Everything that is true of a synthetic trial, drawn when it is asked for. No file, no fault.

Each part comes from streams of its own: what is asked for, and in which order, changes no value.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from assayhouse.simulate.calibration import VISITS
from assayhouse.simulate.central_lab import draw_tests
from assayhouse.simulate.clinic import Persons, draw_persons
from assayhouse.simulate.cytometry import Counted, count_cells
from assayhouse.simulate.disease import Disease, draw_disease
from assayhouse.simulate.epigenetics import Measured, measure_percentages
from assayhouse.simulate.exposure import (
    FIRST_PK_VISIT,
    Body,
    Exposure,
    draw_body,
    draw_exposure,
)
from assayhouse.simulate.expression import Expressed, express_genes
from assayhouse.simulate.haematology import Blood, draw_blood
from assayhouse.simulate.levels import Levels, specimens_present
from assayhouse.simulate.response import Efficacy, draw_efficacy
from assayhouse.simulate.scores import draw_scores
from assayhouse.simulate.specimens import Specimens, draw_specimens
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import BoolArray, Subjects


class World:
    """One synthetic trial.

    Parameters
    ----------
    seed : int
        Seed of the study.
    subjects : Subjects
        Its subjects.
    """

    def __init__(self, seed: int, subjects: Subjects) -> None:
        self.seed = seed
        self.subjects = subjects

    @cached_property
    def persons(self) -> Persons:
        """Sex and year of birth."""
        return draw_persons(self.seed, self.subjects)

    @cached_property
    def disease(self) -> Disease:
        """State at baseline."""
        return draw_disease(self.seed, self.subjects)

    @cached_property
    def scores(self) -> dict[str, FloatArray]:
        """True log2 scores, (n, visits) each."""
        return draw_scores(self.seed, self.subjects, self.disease)

    @cached_property
    def efficacy(self) -> Efficacy:
        """Response and its components."""
        return draw_efficacy(self.seed, self.subjects, self.disease, self.scores)

    @cached_property
    def body(self) -> Body:
        """Weight and height."""
        return draw_body(self.seed, self.subjects, self.persons)

    @cached_property
    def exposure(self) -> Exposure:
        """Doses and concentrations."""
        return draw_exposure(self.seed, self.subjects, self.body)

    @cached_property
    def blood(self) -> Blood:
        """True cells and blood counts."""
        return draw_blood(self.seed, self.subjects)

    @cached_property
    def counted(self) -> Counted:
        """What the cytometer saw."""
        return count_cells(self.seed, self.subjects, self.blood)

    @cached_property
    def measured(self) -> dict[str, Measured]:
        """What the epigenetic assays gave."""
        return measure_percentages(self.seed, self.subjects)

    @cached_property
    def expressed(self) -> Expressed:
        """Peaks of the genes."""
        return express_genes(self.seed, self.subjects, self.scores)

    @cached_property
    def tests(self) -> Mapping[str, Levels]:
        """Tests of the central laboratory."""
        return draw_tests(self.seed, self.subjects, self.blood)

    def present(self, vendor: str) -> BoolArray:
        """Say which specimens reached a laboratory, (n, visits)."""
        found = specimens_present(self.seed, self.subjects, "" if vendor == "singulex" else vendor)
        if vendor == "pk_lab":
            found = found & (np.arange(len(VISITS)) >= FIRST_PK_VISIT)
        return found

    def specimens(self, vendor: str, visit: int) -> Specimens:
        """List what a laboratory received of a visit."""
        present = self.present(vendor)[:, visit]
        return draw_specimens(self.seed, self.subjects, vendor, visit, present=present)
