"""Compilation on first call: the only module that imports numba, and nobody imports it early.

Compiled code is kept beside its module, or in the user's cache, or, where neither folder can be
written, nowhere.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Return a function that is compiled on its first call.

    Parameters
    ----------
    function : callable
        Loops over numbers and arrays.

    Returns
    -------
    callable
        With the same arguments, by position.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        made = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        made = numba.njit(cache=False, **options)(function)
    return cast("Function", made)
