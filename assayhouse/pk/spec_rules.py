"""What a specification may say, and the names of its variances. No model is evaluated here."""

import math
from collections.abc import Collection, Mapping, Sequence
from numbers import Real
from typing import TypeAlias

from assayhouse.pk.errors import SpecError

Block: TypeAlias = tuple[tuple[str, ...], ...]


def omega_names(iiv: tuple[str, ...], block: Block) -> tuple[str, ...]:
    """Name the variances and covariances, row by row of the lower triangle.

    Parameters
    ----------
    iiv : tuple of str
        Parameters that vary.
    block : tuple of tuple of str
        Which of them vary together.

    Returns
    -------
    tuple of str
        In the order of every result.

    Examples
    --------
    >>> omega_names(("CL", "V"), (("CL", "V"),))
    ('omega2(CL)', 'omega(CL,V)', 'omega2(V)')
    """
    names = []
    for at, this in enumerate(iiv):
        mates = next((part for part in block if this in part), ())
        names += [f"omega({other},{this})" for other in iiv[:at] if other in mates]
        names.append(f"omega2({this})")
    return tuple(names)


def check_covariate(column: str, init: float, *, reference: float, positive: bool) -> None:
    """Raise `SpecError` where a covariate effect cannot be meant."""
    if not column or not _is_number(init) or not _is_number(reference):
        message = "A covariate effect needs a column, and finite numbers for init and reference."
        raise SpecError(message)
    if positive and reference <= 0:
        message = f"The reference of a power effect of {column} must be above 0."
        raise SpecError(message)


def check_words(
    structural: Collection[str], *, iiv: tuple[str, ...], block: Block, acted_on: Sequence[str]
) -> None:
    """Raise `SpecError` where a parameter is unknown or said twice."""
    for name in iiv:
        require_known("iiv", name, structural)
    for name in acted_on:
        require_known("parameter of a covariate", name, structural)
    members = [name for part in block for name in part]
    for name in members:
        require_known("block", name, iiv)
    for what, names in (("iiv", list(iiv)), ("block", members)):
        if len(set(names)) != len(names):
            message = f"{what} names a parameter twice."
            raise SpecError(message)


def check_init(names: tuple[str, ...], init: Mapping[str, float], fixed: tuple[str, ...]) -> None:
    """Raise `SpecError` where a starting value or a fixed parameter is not one of the model."""
    if len(set(names)) != len(names):
        message = "Two covariate effects have the same name."
        raise SpecError(message)
    for name in fixed:
        require_known("fixed", name, names)
    for name, value in init.items():
        require_known("init", name, names)
        either_sign = "~" in name or name.startswith("omega(")
        if not _is_number(value) or (value <= 0 and not either_sign):
            message = f"init of {name} must be a finite number{'' if either_sign else ' above 0'}."
            raise SpecError(message)


def check_fixed_blocks(iiv: tuple[str, ...], block: Block, fixed: tuple[str, ...]) -> None:
    """Raise `SpecError` where a block is fixed in part."""
    for part in block:
        ordered = tuple(name for name in iiv if name in part)
        own = set(omega_names(ordered, (ordered,)))
        if own & set(fixed) and own - set(fixed):
            message = "A block is fixed as a whole or not at all."
            raise SpecError(message)


def require_keys(
    what: str, given: Mapping[str, object], *, known: Sequence[str], needed: Sequence[str]
) -> None:
    """Raise `SpecError` where a mapping has a key that is unknown, or lacks one."""
    unknown = [str(name) for name in given if name not in known]
    missing = [name for name in needed if given.get(name) is None]
    if unknown or missing:
        faults = [f"key {', '.join(unknown)} is unknown"] if unknown else []
        faults += [f"key {', '.join(missing)} is missing"] if missing else []
        message = f"{what}: {' and '.join(faults)}; known are {', '.join(known)}."
        raise SpecError(message)


def require_list(name: str, value: object) -> None:
    """Raise `SpecError` unless a value is a list; a single word is none."""
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        message = f"{name} is a list; a single one is a list too: [{value}]."
        raise SpecError(message)


def require_known(what: str, word: object, known: Collection[str]) -> None:
    """Raise `SpecError` unless a word is one of those known."""
    if not isinstance(word, str) or word not in known:
        message = f"{what}: {word!r} is unknown; known are {', '.join(known) or 'none'}."
        raise SpecError(message)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
