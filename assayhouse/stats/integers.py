"""Whole-number options within their range."""

import numpy as np

from assayhouse.stats.errors import InputError


def require_integer(value: object, *, name: str, least: int, most: int | None = 2**32 - 1) -> int:
    """Return an integer option within its range."""
    wanted = f"{name} must be an integer of at least {least}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        message = f"{wanted}, not of type {type(value).__name__}."
        raise InputError(message)
    number = int(value)
    if number < least or (most is not None and name != "seed" and number > most):
        message = f"{wanted} and within 32 bits; it is {number}."
        raise InputError(message)
    return number
