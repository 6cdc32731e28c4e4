"""Checks and canonical forms of the values in an analysis spec. Knows no option by meaning."""

from collections.abc import Collection, Mapping
from typing import Any

from assayhouse.errors import ModelDataError


def require(*, ok: bool, message: str) -> None:
    """Raise when something is not as a spec needs it.

    Parameters
    ----------
    ok : bool
        Whether it is.
    message : str
        What is wrong and what to do.

    Raises
    ------
    ModelDataError
        With the message.
    """
    if not ok:
        raise ModelDataError(message)


def require_words(spec: object, words: Mapping[str, Collection[str]]) -> None:
    """Raise when an option is not one of its words.

    Parameters
    ----------
    spec : object
        The spec.
    words : mapping of str to collection of str
        Per option the words it can take.

    Raises
    ------
    ModelDataError
        Names the words to choose from.
    """
    for name, known in words.items():
        value = getattr(spec, name)
        message = f"{name}={value!r} is unknown; choose one of {', '.join(known)}."
        require(ok=value in known, message=message)


def require_known(options: Mapping[str, Any], known: Collection[str], *, what: str) -> None:
    """Raise when a mapping holds options that do not exist.

    Parameters
    ----------
    options : mapping
        What a caller or a file gave.
    known : collection of str
        Options that exist.
    what : str
        What the options belong to.

    Raises
    ------
    ModelDataError
        Names both.
    """
    unknown = sorted(set(options) - set(known))
    message = (
        f"Options of {what} that do not exist: {', '.join(unknown)}. Known are {sorted(known)}."
    )
    require(ok=not unknown, message=message)


def coerce(
    spec: object,
    *,
    integers: Collection[str] = (),
    numbers: Collection[str] = (),
    lists: Collection[str] = (),
) -> None:
    """Bring values that mean the same to one form, so that equal specs have equal hashes.

    Parameters
    ----------
    spec : object
        The spec, changed in place while it is made.
    integers, numbers, lists : collection of str
        Options of each kind.

    Raises
    ------
    ModelDataError
        A value that is not of its kind.
    """
    try:
        for name in integers:
            _set_whole(spec, name)
        for name in numbers:
            value = getattr(spec, name)
            object.__setattr__(spec, name, None if value is None else float(value))
        for name in lists:
            _set_tuple(spec, name)
    except (TypeError, ValueError) as error:
        kind = "a list" if name in lists else "a number"
        message = f"{name}={getattr(spec, name)!r} cannot be; {kind} is needed."
        raise ModelDataError(message) from error


def _set_whole(spec: object, name: str) -> None:
    value = getattr(spec, name)
    if int(value) != value:
        message = f"{name}={value} must be a whole number."
        raise ModelDataError(message)
    object.__setattr__(spec, name, int(value))


def _set_tuple(spec: object, name: str) -> None:
    values = getattr(spec, name)
    if isinstance(values, str):
        message = f"{name} is a list of names; a single one is a list too: [{values}]."
        raise ModelDataError(message)
    if values is not None:
        convert = int if name == "visits" else str
        object.__setattr__(spec, name, tuple(convert(value) for value in values))
