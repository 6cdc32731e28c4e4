"""Training sets from which cut-offs were made before a trial: declarations and their values.

A training set is a file ``schemas/training/<file>`` with a header line: the first column names
people, every further column holds one parameter's values. Nobody in it may be of the trial.
"""

import csv
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assayhouse.contracts.documents import Document
from assayhouse.errors import DeclarationError

_MISSING = frozenset({"", "NA", "."})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """A data set outside the trial, and how rules are made from it."""

    training_set: str
    label: str
    file: str
    set_version: str | None
    made_on: date
    n_boot: int
    alpha: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTable:
    """Values of a training set: people, and one column of numbers (NaN missing) per parameter."""

    sha256: str
    people: tuple[str, ...]
    values: Mapping[str, tuple[float, ...]]


def read_training_set(document: Document) -> TrainingSet:
    """Read one item of ``training_sets`` in ``study.yaml``.

    Raises
    ------
    DeclarationError
        A key is missing, unknown or out of range.
    """
    document.only("id", "label", "file", "set_version", "made_on", "n_boot", "alpha")
    try:
        made_on = date.fromisoformat(str(document.raw("made_on", "")))
    except ValueError as error:
        message = f"{document.where}: made_on is the day the rules were made, as 2018-02-01."
        raise DeclarationError(message) from error
    alpha = document.number("alpha")
    found = TrainingSet(
        training_set=document.text("id"),
        label=document.text("label"),
        file=document.text("file"),
        set_version=document.optional_text("set_version"),
        made_on=made_on,
        n_boot=document.integer("n_boot", 1000),
        alpha=0.05 if alpha is None else alpha,
    )
    if found.n_boot < 1 or not 0 < found.alpha < 1:
        message = f"{document.where}: n_boot is at least 1, alpha lies between 0 and 1."
        raise DeclarationError(message)
    return found


def read_training_table(path: Path) -> TrainingTable:
    """Read the values of a training set.

    Raises
    ------
    DeclarationError
        No header, a person named twice, or a cell that is no finite number; the message names
        line and column, never the value.
    """
    content = path.read_bytes()
    rows = list(csv.reader(content.decode("utf-8").splitlines()))
    if len(rows) < 2 or len(rows[0]) < 2 or len(set(rows[0])) < len(rows[0]):
        message = f"{path}: a header is expected, people first and then one column per parameter."
        raise DeclarationError(message)
    header, body = rows[0], rows[1:]
    people = tuple(row[0] if row else "" for row in body)
    if len(set(people)) < len(people) or "" in people:
        message = f"{path}: every line names one person, and nobody is named twice."
        raise DeclarationError(message)
    columns = {
        name: tuple(_number(path, row, line, place, name) for line, row in enumerate(body, 2))
        for place, name in enumerate(header[1:], 1)
    }
    return TrainingTable(sha256=hashlib.sha256(content).hexdigest(), people=people, values=columns)


def _number(path: Path, row: list[str], line: int, place: int, name: str) -> float:
    text = row[place].strip() if place < len(row) else ""
    if text in _MISSING:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        message = f"{path} line {line}: column {name} is no number. Leave a missing value empty."
        raise DeclarationError(message)
    return value
