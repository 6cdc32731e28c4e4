"""What every command is given: home, study, who and when. Opens nothing before it is asked for."""

import getpass
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assayhouse.errors import AssayhouseError, HomeError

if TYPE_CHECKING:
    from assayhouse.contracts.declarations import Declarations
    from assayhouse.warehouse.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Setting of one call of a command.

    Parameters
    ----------
    home_path : Path
        The home folder.
    study_path : Path or None
        The study folder; None for the shipped reference study.
    at : str
        Time of the call, ISO 8601 with zone: the only clock there is.
    """

    home_path: Path
    study_path: Path | None
    at: str

    @property
    def who(self) -> str:
        """Person or process on record: ASSAYHOUSE_USER, else the login name.

        Raises
        ------
        AssayhouseError
            Nobody can be named; an audit trail without a name is none.
        """
        named = os.environ.get("ASSAYHOUSE_USER", "").strip()
        if named:
            return named
        try:
            return getpass.getuser()
        except (KeyError, OSError) as error:
            message = "Nobody is logged in by name. Nothing was done. Set ASSAYHOUSE_USER."
            raise AssayhouseError(message) from error

    def declarations(self) -> "Declarations":
        """Load the declarations of the study."""
        from assayhouse.contracts import declarations  # noqa: PLC0415 - slow

        return declarations.load(self.study_path)

    def home_of_study(self, *, create: bool = False) -> "tuple[Home, Declarations]":
        """Open the home for its study; only commands that receive deliveries make one.

        Raises
        ------
        HomeError
            The folder is not there, or holds another study.
        """
        from assayhouse.pipeline.belonging import require_study  # noqa: PLC0415 - slow

        declarations = self.declarations()
        home = self._place(create=create)
        require_study(home, declarations)
        return (home.create() if create else home), declarations

    def home(self) -> "Home":
        """Open the home for a question that needs no study; one that is named must be its own.

        Raises
        ------
        HomeError
            The folder is not there, or holds another study than the one named.
        """
        return self._place() if self.study_path is None else self.home_of_study()[0]

    def _place(self, *, create: bool = False) -> "Home":
        from assayhouse.warehouse.home import Home  # noqa: PLC0415 - slow

        home = Home(self.home_path)
        if not create and not self.home_path.is_dir():
            message = (
                f"{self.home_path}: no home here. Nothing was done. Make one with "
                "`assayhouse --home FOLDER run`, or name another with --home."
            )
            raise HomeError(message)
        return home
