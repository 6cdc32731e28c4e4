"""Compilation on first call: the only module that imports numba, and nobody imports it early.

Compiled code is kept beside its module, or in the user's cache, or, where neither folder can be
written, nowhere.
"""

from collections.abc import Callable
from types import FunctionType
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


def compile_family(functions: tuple[FunctionType, ...]) -> dict[str, Callable[..., Any]]:
    """Return compiled copies of plain functions of one module that call one another.

    Parameters
    ----------
    functions : tuple of functions
        The functions themselves stay as they are.

    Returns
    -------
    dict
        Compiled functions by name.
    """
    names: dict[str, Any] = dict(functions[0].__globals__)
    for function in functions:
        copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__)
        copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
        names[function.__name__] = compiled(copy)
    return {function.__name__: names[function.__name__] for function in functions}
