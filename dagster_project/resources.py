"""What every asset is given: the home, the study's declarations, who acts, and what time it is.

Knows no relation and computes nothing.
"""

import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import dagster as dg

from assayhouse.contracts import declarations
from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline.belonging import require_study
from assayhouse.warehouse.home import Home

HOME_VARIABLE, STUDY_VARIABLE = "ASSAYHOUSE_HOME", "ASSAYHOUSE_STUDY"
DEFAULT_WHO = "dagster"


def home_from_environment() -> Path:
    """Folder of the home: ``ASSAYHOUSE_HOME``, or ``home`` in the present folder."""
    return Path(os.environ.get(HOME_VARIABLE) or "home").resolve()


def folder_from_environment() -> Path | None:
    """Folder of the study: ``ASSAYHOUSE_STUDY``, or None for the shipped reference study."""
    given = os.environ.get(STUDY_VARIABLE)
    return Path(given).resolve() if given else None


@cache
def load_declarations(study_folder: Path | None) -> Declarations:
    """Load the declarations of a study once per process."""
    return declarations.load(study_folder)


class StudyHome(dg.ConfigurableResource):
    """One study in one home.

    Parameters
    ----------
    home_path : str
        Folder of the home.
    study_path : str or None
        Folder of the study; None for the shipped reference study.
    who : str
        Name that is recorded with every change of state.
    at : str or None
        Time that is recorded (ISO 8601); None for the time at which the step runs.
    """

    home_path: str
    study_path: str | None = None
    who: str = DEFAULT_WHO
    at: str | None = None

    @property
    def home(self) -> Home:
        """The home, made if it is not there.

        Raises
        ------
        HomeError
            It holds another study.
        """
        home = Home(Path(self.home_path))
        require_study(home, self.declarations)
        home.create()
        return home

    @property
    def declarations(self) -> Declarations:
        """Declarations of the study."""
        return load_declarations(Path(self.study_path) if self.study_path else None)

    @property
    def now(self) -> str:
        """Time to record: the one given, else the clock, which is read here and nowhere else."""
        if self.at is not None:
            return self.at
        return datetime.now(UTC).isoformat(timespec="seconds")  # noqa: TID251 - the one clock


def study_from_environment() -> StudyHome:
    """Study and home that the environment names."""
    folder = folder_from_environment()
    return StudyHome(
        home_path=str(home_from_environment()), study_path=None if folder is None else str(folder)
    )
