"""Model specifications and the names of their parameters. Nothing is evaluated here."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, TypeAlias

from assayhouse.pk.errors import SpecError
from assayhouse.pk.spec_rules import (
    check_covariate,
    check_fixed_blocks,
    check_init,
    check_words,
    omega_names,
    require_keys,
    require_known,
    require_list,
)
from assayhouse.pk.structures import STRUCTURES

SIGMAS: dict[str, tuple[str, ...]] = {
    "additive": ("sigma_add",),
    "proportional": ("sigma_prop",),
    "combined": ("sigma_add", "sigma_prop"),
}
"""Standard deviations of each error model; additive in the unit of the concentrations."""


@dataclass(frozen=True)
class Power:
    """Effect (x / reference)^b on a structural parameter.

    Parameters
    ----------
    parameter, column : str
        What it acts on, and the covariate x > 0.
    reference : float
        Where the effect is 1, above 0.
    init : float
        Value of b to start from, or to keep where ``fixed``.
    fixed : bool
        Whether b is not estimated.
    """

    parameter: str
    column: str
    reference: float
    init: float = 0.0
    fixed: bool = False

    def __post_init__(self) -> None:
        check_covariate(self.column, self.init, reference=self.reference, positive=True)

    @property
    def name(self) -> str:
        """Name of the coefficient."""
        return f"{self.parameter}~{self.column}"


@dataclass(frozen=True)
class Exponential:
    """Effect exp(b (x - reference)) on a structural parameter.

    Parameters
    ----------
    parameter, column : str
        What it acts on, and the covariate x.
    reference : float
        Where the effect is 1.
    init : float
        Value of b to start from, or to keep where ``fixed``.
    fixed : bool
        Whether b is not estimated.
    """

    parameter: str
    column: str
    reference: float = 0.0
    init: float = 0.0
    fixed: bool = False

    def __post_init__(self) -> None:
        check_covariate(self.column, self.init, reference=self.reference, positive=False)

    @property
    def name(self) -> str:
        """Name of the coefficient."""
        return f"{self.parameter}~{self.column}"


@dataclass(frozen=True)
class Category:
    """Effect exp(b) on a structural parameter of the subjects of one level.

    Parameters
    ----------
    parameter, column : str
        What it acts on, and the covariate.
    level : str or int
        Level whose subjects differ from all others.
    init : float
        Value of b to start from, or to keep where ``fixed``.
    fixed : bool
        Whether b is not estimated.
    """

    parameter: str
    column: str
    level: str | int
    init: float = 0.0
    fixed: bool = False

    def __post_init__(self) -> None:
        check_covariate(self.column, self.init, reference=1.0, positive=False)

    @property
    def name(self) -> str:
        """Name of the coefficient."""
        return f"{self.parameter}~{self.column}={self.level}"


BLQ_METHODS = ("M3", "M1", "half")
"""Likelihood of being below the limit; rows left out; half the limit as a value."""

Covariate: TypeAlias = Power | Exponential | Category
_NEEDED = ("structure", "iiv", "error")
_FORMS: dict[str, type[Power] | type[Exponential] | type[Category]] = {
    "power": Power,
    "exponential": Exponential,
    "category": Category,
}


@dataclass(frozen=True)
class ModelSpec:
    """A population model: structure, variability, error, covariates, and where to start.

    Parameters
    ----------
    structure : str
        Key of `STRUCTURES`.
    iiv : tuple of str
        Parameters that vary between subjects, log-normally.
    error : {"additive", "proportional", "combined"}
        Residual variance a^2, b^2 f^2, or a^2 + b^2 f^2.
    init : mapping of str to float
        Values to start from, or to keep where fixed; gaps get defaults or come from the data.
    block : tuple of tuple of str
        Parameters whose effects are correlated.
    covariates : tuple of Power, Exponential or Category
        Effects on the logarithm of structural parameters.
    blq : {"M3", "M1", "half"}
        What a sample below the limit contributes.
    fixed : tuple of str
        Names of parameters that are not estimated.

    Raises
    ------
    SpecError
        Something is unknown, out of range, or said twice.

    References
    ----------
    .. [1] Beal SL (2001), J Pharmacokinet Pharmacodyn 28, 481-504 (M1, M3).
    """

    structure: str
    iiv: tuple[str, ...]
    error: Literal["additive", "proportional", "combined"]
    init: Mapping[str, float] = field(default_factory=dict)
    block: tuple[tuple[str, ...], ...] = ()
    covariates: tuple[Covariate, ...] = ()
    blq: Literal["M3", "M1", "half"] = "M3"
    fixed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("iiv", "covariates", "fixed"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "block", tuple(tuple(part) for part in self.block))
        object.__setattr__(self, "init", dict(self.init))
        require_known("structure", self.structure, STRUCTURES)
        require_known("error", self.error, SIGMAS)
        require_known("blq", self.blq, BLQ_METHODS)
        check_words(
            self.structural,
            iiv=self.iiv,
            block=self.block,
            acted_on=[effect.parameter for effect in self.covariates],
        )
        check_init(self.parameter_names, self.init, self.fixed)
        check_fixed_blocks(self.iiv, self.block, self.fixed)

    @property
    def structural(self) -> tuple[str, ...]:
        """Structural parameters of the model."""
        return STRUCTURES[self.structure]

    @property
    def sigmas(self) -> tuple[str, ...]:
        """Standard deviations of the error model."""
        return SIGMAS[self.error]

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Every parameter, in the order of every result."""
        effects = tuple(effect.name for effect in self.covariates)
        return (*self.structural, *effects, *omega_names(self.iiv, self.block), *self.sigmas)

    @property
    def fixed_names(self) -> frozenset[str]:
        """Parameters that are not estimated."""
        held = (effect.name for effect in self.covariates if effect.fixed)
        return frozenset((*self.fixed, *held))

    def to_dict(self) -> dict[str, Any]:
        """Write the mapping that `from_dict` reads, of what JSON and YAML can hold."""
        return {
            "structure": self.structure,
            "iiv": list(self.iiv),
            "error": self.error,
            "init": dict(self.init),
            "block": [list(part) for part in self.block],
            "covariates": [_effect_to_dict(effect) for effect in self.covariates],
            "blq": self.blq,
            "fixed": list(self.fixed),
        }

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> "ModelSpec":
        """Read a specification from a mapping.

        Raises
        ------
        SpecError
            A key is unknown or missing, or a value is not allowed.
        """
        if not isinstance(d, Mapping):
            message = "A specification is a mapping of structure, iiv, error and so on."
            raise SpecError(message)
        require_keys("model", d, known=[item.name for item in fields(cls)], needed=_NEEDED)
        given = {name: value for name, value in d.items() if value is not None}
        for name in ("iiv", "fixed", "block", "covariates"):
            require_list(name, given.get(name, ()))
        effects = given.pop("covariates", ())
        try:
            return cls(**given, covariates=tuple(_effect_from_dict(effect) for effect in effects))
        except (TypeError, ValueError) as error:
            if isinstance(error, SpecError):
                raise
            message = f"A value of the model has a wrong type: {error}."
            raise SpecError(message) from error


def _effect_to_dict(effect: Covariate) -> dict[str, Any]:
    form = next(name for name, kind in _FORMS.items() if isinstance(effect, kind))
    named: dict[str, Any] = {"parameter": effect.parameter, "column": effect.column, "form": form}
    if isinstance(effect, Category):
        named["level"] = effect.level
    else:
        named["reference"] = effect.reference
    return named | {"init": effect.init, "fixed": effect.fixed}


def _effect_from_dict(effect: Mapping[str, Any]) -> Covariate:
    if not isinstance(effect, Mapping):
        message = (
            "A covariate is a mapping, as {form: power, parameter: CL, column: WT, reference: 70}."
        )
        raise SpecError(message)
    given = dict(effect)
    form = given.pop("form", None)
    if form not in _FORMS:
        message = f"A covariate's form is one of {', '.join(_FORMS)}, not {form!r}."
        raise SpecError(message)
    items = fields(_FORMS[form])
    needed = [item.name for item in items if item.default is MISSING]
    what = f"{form} covariate"
    require_keys(what, given, known=[item.name for item in items], needed=needed)
    return _FORMS[form](**given)
