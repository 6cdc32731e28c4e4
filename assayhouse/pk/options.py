"""Options of a fit. No arithmetic."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal

from assayhouse.pk.errors import SpecError

COVARIANCES = ("sandwich", "hessian", "none")
_WHOLE = ("starts", "seed", "max_iter")
_NUMBERS = ("start_sd", "gtol", "inner_tol", "ci_level")


@dataclass(frozen=True)
class FitOptions:
    """How a fit is searched for and what is reported of it.

    Parameters
    ----------
    starts : int
        The given start, and so many less one around it.
    start_sd : float
        SD of the other starts' structural parameters on the log scale.
    seed : int
        Of the other starts.
    max_iter : int
        Steps of one search.
    gtol : float
        Gradient that ends a search, in units of about a standard error of each parameter.
    inner_tol : float
        Newton decrement that ends the search for a subject's mode.
    covariance : {"sandwich", "hessian", "none"}
        Which standard errors are reported as ``se``.
    ci_level : float
        Level of the intervals.

    Raises
    ------
    SpecError
        An option is out of range.
    """

    starts: int = 5
    start_sd: float = 0.4
    seed: int = 1
    max_iter: int = 300
    gtol: float = 1e-3
    inner_tol: float = 1e-9
    covariance: Literal["sandwich", "hessian", "none"] = "sandwich"
    ci_level: float = 0.95

    def __post_init__(self) -> None:
        _check_kinds(self)
        wrong = {
            "starts must be 1 or more": self.starts < 1,
            "start_sd must not be negative": self.start_sd < 0,
            "seed must not be negative": self.seed < 0,
            "max_iter must be 1 or more": self.max_iter < 1,
            "gtol must be above 0": not self.gtol > 0,
            "inner_tol must be above 0": not self.inner_tol > 0,
            f"covariance must be one of {', '.join(COVARIANCES)}": self.covariance
            not in COVARIANCES,
            "ci_level must be between 0 and 1": not 0 < self.ci_level < 1,
        }
        found = [text for text, holds in wrong.items() if holds]
        if found:
            raise SpecError("; ".join(found) + ".")


def _check_kinds(options: FitOptions) -> None:
    for names, kind, words in ((_WHOLE, Integral, "a whole number"), (_NUMBERS, Real, "a number")):
        for name in names:
            value = getattr(options, name)
            if isinstance(value, bool) or not isinstance(value, kind):
                message = f"{name}={value!r} is not {words}."
                raise SpecError(message)


DEFAULT_OPTIONS = FitOptions()
