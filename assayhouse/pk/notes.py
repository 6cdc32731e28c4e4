"""What a table or a fit has to say about itself: codes with a sentence. No rule is here."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Issue:
    """One problem of an event table.

    Parameters
    ----------
    code : str
        What kind of problem it is.
    severity : {"error", "warning"}
        Whether the table could be used.
    message : str
        A sentence without any value of a subject.
    rows : tuple of int
        Rows of the input concerned, counted from 0.
    """

    code: str
    severity: Literal["error", "warning"]
    message: str
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Reason:
    """Why a fit FAILED, or why it needs care.

    Parameters
    ----------
    code : str
        What kind of reason it is.
    severity : {"FAILED", "WARN"}
        Whether anything may be derived from the fit.
    message : str
        A sentence without any value of a subject.
    """

    code: str
    severity: Literal["FAILED", "WARN"]
    message: str
