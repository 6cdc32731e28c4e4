"""Which formats are known: by content, never by a file's name. No format's own rules.

A format is a module with two functions: ``recognise(head, path)`` names the format or says none,
``inspect(path)`` says what is in the file. Modules are imported when they are asked.
"""

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, cast

import numpy as np
import polars as pl

from assayhouse.errors import InstrumentFileError

FloatArray: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
PathLike: TypeAlias = str | os.PathLike[str]

HEAD_BYTES = 1 << 16
UNKNOWN = "unknown"
# In the order in which they are asked; a container (zip, XML) is opened by its own module.
MODULES = (
    "assayhouse.instruments.clinical_inspection",
    "assayhouse.instruments.fcs_inspection",
    "assayhouse.instruments.electrophoresis_inspection",
    "assayhouse.instruments.gating_inspection",
    "assayhouse.instruments.qpcr_inspection",
    "assayhouse.instruments.plates_inspection",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One set of points of a picture: ``x`` (n,) and ``y`` (n,), with the label of its legend."""

    label: str
    x: FloatArray
    y: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a picture of the file would show; drawn elsewhere.

    Parameters
    ----------
    kind : str
        ``lines``, ``points``, ``density`` (a cloud of many points, one series) or ``bars``
        (one series per bar).
    title, x_label, y_label : str
        Words, with the unit in the labels.
    series : tuple of Series
        In drawing order.
    x_scale, y_scale : str
        ``linear``, ``log`` or ``asinh`` (zero and below can be drawn).
    note : str
        What a reader must know: a sample of events, a limit on curves.
    """

    kind: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    x_scale: str = "linear"
    y_scale: str = "linear"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a file is, who made it, when, and what is wrong with it.

    Parameters
    ----------
    format : str
        Name of the format, ``unknown`` where none fits.
    flags : tuple of str
        Names of the quirks found, in order of discovery; also the code of a refusal.
    metadata : dict
        ``instrument``, ``software``, ``run_id``, ``run_datetime``, ``operator`` and whatever else
        the file says; a refused file has ``refusal``: the sentence that says why.
    tables : dict of str to polars frame
        Summaries and contents, by name.
    picture : Picture or None
        What to draw, where there is something to draw.
    """

    format: str
    flags: tuple[str, ...] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    picture: Picture | None = None


class FormatModule(Protocol):
    """What a module of ``MODULES`` offers."""

    def recognise(self, head: bytes, path: Path) -> str | None:
        """Name the format of a file from its first bytes, or None."""

    def inspect(self, path: Path) -> Inspection:
        """Say what is in a file that ``recognise`` has named."""


def identify(path: PathLike) -> str:
    """Name the format of a file by its content.

    Parameters
    ----------
    path : path
        The file; its name is not looked at.

    Returns
    -------
    str
        The format, or ``unknown``.
    """
    found = _module_of(Path(path))
    return UNKNOWN if found is None else found[0]


def inspect(path: PathLike) -> Inspection:
    """Say what a file is, who made it, when, and what is wrong with it.

    A file that its reader refuses is answered too: the code of the refusal is among the flags.

    Parameters
    ----------
    path : path
        The file.
    """
    file = Path(path)
    found = _module_of(file)
    if found is None:
        return Inspection(format=UNKNOWN, flags=() if file.stat().st_size else ("empty_file",))
    kind, module = found
    try:
        return module.inspect(file)
    except InstrumentFileError as error:
        return Inspection(format=kind, flags=(error.code,), metadata={"refusal": str(error)})


def _module_of(path: Path) -> tuple[str, FormatModule] | None:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for name in MODULES:
        module = cast("FormatModule", importlib.import_module(name))
        kind = module.recognise(head, path)
        if kind is not None:
            return kind, module
    return None
