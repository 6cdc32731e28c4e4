"""Errors of population pharmacokinetics. Messages never hold a subject's value."""

from collections.abc import Sequence

from assayhouse.errors import AssayhouseError
from assayhouse.pk.notes import Issue, Reason

_SHOWN = 5


class PKError(AssayhouseError):
    """Base of the errors of this package."""


class EventTableError(PKError):
    """An event table cannot be used as given; every problem found is in ``issues``.

    Parameters
    ----------
    issues : sequence of Issue
        All problems, with the rows of the input concerned, counted from 0.
    """

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__(_event_message(issues))
        self.issues: tuple[Issue, ...] = tuple(issues)


class UnitError(EventTableError):
    """A unit is unknown, missing, or does not go with the others."""


class SpecError(PKError, ValueError):
    """A model specification, a parameter or an option is not one the method knows."""


class FitFailedError(PKError):
    """Something was asked of a fit that FAILED.

    Parameters
    ----------
    reasons : sequence of Reason
        Why the fit failed.
    """

    def __init__(self, reasons: Sequence[Reason]) -> None:
        why = "; ".join(f"{reason.code}: {reason.message}" for reason in reasons)
        super().__init__(f"The fit FAILED, so nothing can be derived from it. {why}")
        self.reasons: tuple[Reason, ...] = tuple(reasons)


class NCAError(PKError, ValueError):
    """A concentration-time profile is not one that can be analysed."""


def _event_message(issues: Sequence[Issue]) -> str:
    parts = [f"{issue.code}: {issue.message}{_where(issue.rows)}" for issue in issues]
    return "The event table cannot be used. " + " ".join(parts)


def _where(rows: tuple[int, ...]) -> str:
    if not rows:
        return ""
    shown = ", ".join(str(row) for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f" (rows {shown}{more}, counted from 0)"
