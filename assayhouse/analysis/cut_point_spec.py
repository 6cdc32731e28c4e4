"""What a cut-point search of anybody's table is told: columns, arms, options of the search."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

from assayhouse.errors import DeclarationError

NAMES = ("marker", "strata", "adjust")
TEXTS = ("arm", "response", "event", "control", "active", "subject")
SEARCH = ("endpoint", "test", "candidates", "direction", "larger_is_better", "min_cell",
          "min_share", "n_boot", "resample", "conf_level", "missing", "preset")  # fmt: skip
CLOSED, FITTED = 9999, 999


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPointSpec:
    """Columns and options of a search; what is not given is left to the search's own defaults.

    Parameters
    ----------
    marker : tuple of str
        Columns of the markers, searched one by one.
    arm, response : str
        Columns of arm and response.
    control, active : str
        Labels of the two arms in the arm column, where it does not hold 0 and 1; rows of any
        other arm are left out and counted.
    event : str
        Column of a survival time's event; empty without one.
    subject : str
        Column of the subjects, each of whom has one row; empty where it is not named.
    strata, adjust : tuple of str
        Columns of strata of the null data (and of resampling within them), and of covariates.
    options : dict
        Keywords of `assayhouse.stats.batting.batting` that were given.
    n_null : int or None
        Null data sets; None is 9999 where the statistic is a closed form and 999 where models
        are fitted.
    null : str
        permutation or parametric.
    n_outer : int
        Outer bootstrap samples of the correction for optimism; 0 for none.
    alpha : float
        Level of the verdict.
    seed : int
        Of every random number.
    """

    marker: tuple[str, ...]
    arm: str
    response: str
    control: str = ""
    active: str = ""
    event: str = ""
    subject: str = ""
    strata: tuple[str, ...] = ()
    adjust: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    n_null: int | None = None
    null: str = "permutation"
    n_outer: int = 40
    alpha: float = 0.05
    seed: int = 1

    @property
    def endpoint(self) -> str:
        """What the response is."""
        return str(self.options.get("endpoint", "binary"))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the table must have."""
        named = (*self.marker, self.arm, self.response, self.event, *self.strata, *self.adjust)
        return tuple(name for name in named if name)

    @property
    def null_sets(self) -> int:
        """Null data sets."""
        if self.n_null is not None:
            return self.n_null
        return FITTED if self.endpoint == "survival" or self.adjust else CLOSED

    def to_dict(self) -> dict[str, Any]:
        """Return the spec in the form of a file, with every default but those of the search."""
        told = {item.name: getattr(self, item.name) for item in fields(self)}
        told |= {name: list(told[name]) for name in NAMES} | {"n_null": self.null_sets}
        options = told.pop("options")
        return {name: value for name, value in told.items() if value != ""} | dict(options)

    @classmethod
    def from_dict(cls, told: Mapping[str, object]) -> "CutPointSpec":
        """Read a spec.

        Parameters
        ----------
        told : mapping
            As a file or a command line gives it; None counts as not given.

        Raises
        ------
        DeclarationError
            An unknown word, a column that is not named, or a value of another kind.
        """
        given = {name: value for name, value in told.items() if value is not None}
        known = {item.name for item in fields(cls)} - {"options"}
        unknown = sorted(str(name) for name in set(given) - known - set(SEARCH))
        if unknown:
            words = f"unknown options {', '.join(unknown)}; known are"
            _refuse(f"{words} {', '.join(sorted({*known, *SEARCH}))}")
        missing = [name for name in ("marker", "arm", "response") if not given.get(name)]
        if missing:
            _refuse(f"no {' and no '.join(missing)} is named")
        values: dict[str, Any] = _numbers(given)
        values |= {name: _names(name, value) for name, value in given.items() if name in NAMES}
        values |= {name: _text(name, value) for name, value in given.items() if name in TEXTS}
        options = {name: value for name, value in given.items() if name in SEARCH}
        spec = cls(**values, options=options)
        spec.check()
        return spec

    def check(self) -> None:
        """Check what belongs together.

        Raises
        ------
        DeclarationError
            A column that serves twice, one arm's label alone, or a number out of range.
        """
        named = [name for name in (*self.columns, self.subject) if name]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            _refuse(f"column {', '.join(twice)} is named twice")
        if bool(self.control) != bool(self.active) or (
            self.control and self.control == self.active
        ):
            _refuse("control and active are two labels of the arm column, or none")
        if (self.endpoint == "survival") != bool(self.event):
            _refuse("event belongs to endpoint survival, and that endpoint needs it")
        if not 0 < self.alpha < 1 or self.null_sets < 1 or self.n_outer < 0 or self.seed < 0:
            _refuse("alpha lies between 0 and 1, n_null is at least 1, n_outer and seed at least 0")
        if self.null not in {"permutation", "parametric"}:
            _refuse("null is permutation or parametric")


def _refuse(what: str) -> NoReturn:
    message = f"cut-point search: {what}. Nothing was written."
    raise DeclarationError(message)


def _names(name: str, value: object) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, (list, tuple)) or not all(isinstance(item, str) for item in found):
        _refuse(f"{name} is a column's name, or a list of them")
    return tuple(found)


def _text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        _refuse(f"{name} is a word")
    return str(value)


def _numbers(given: Mapping[str, object]) -> dict[str, Any]:
    kinds = {"n_null": int, "n_outer": int, "seed": int, "alpha": float, "null": str}
    for name, kind in kinds.items():
        value = given.get(name, kind())
        if isinstance(value, bool) or not isinstance(value, (kind, int) if kind is float else kind):
            _refuse(f"{name} is {'a word' if kind is str else 'a number'}")
    return {name: given[name] for name in kinds if name in given}
