"""Subjects of an event table as numbers, and their covariates as a model reads them."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import polars as pl

from assayhouse.pk.arrays import FloatArray, IntArray
from assayhouse.pk.errors import SpecError
from assayhouse.pk.events import EventTable
from assayhouse.pk.notes import Issue
from assayhouse.pk.spec import Category, Covariate, Exponential, ModelSpec
from assayhouse.pk.spec_rules import require_known


def numbered_subjects(frame: pl.DataFrame) -> tuple[IntArray, tuple[str, ...]]:
    """Give each row its subject as a number from 0, and the names of the subjects."""
    ids = frame["ID"].unique(maintain_order=True)
    first = frame.select((pl.col("ID") != pl.col("ID").shift(1)).fill_null(value=True))
    number = first.to_series().cast(pl.Int64).cum_sum().to_numpy() - 1
    return number.astype(np.int64), tuple(ids.to_list())


def covariate_effects(spec: ModelSpec, events: EventTable) -> list[tuple[int, FloatArray]]:
    """Place and regressor of each covariate effect: log P += coefficient * x.

    Parameters
    ----------
    spec : ModelSpec
        Effects.
    events : EventTable
        Covariates of its subjects.

    Returns
    -------
    list of (int, (n,) array)
        Position of the structural parameter, and x of each subject.

    Raises
    ------
    SpecError
        A column is text where a number is needed, or not above 0 where a logarithm is taken.
    """
    first = events.frame.group_by("ID", maintain_order=True).first()
    return [
        (spec.structural.index(effect.parameter), _regressor(effect, first[effect.column]))
        for effect in spec.covariates
    ]


def _regressor(effect: Covariate, values: pl.Series) -> FloatArray:
    if isinstance(effect, Category):
        return equals_level(values, effect.level).astype(np.float64)
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        message = f"Covariate {effect.column} is text; only a category effect can use it."
        raise SpecError(message)
    x = values.cast(pl.Float64).to_numpy()
    if isinstance(effect, Exponential):
        return np.asarray(x - effect.reference)
    if not (x > 0).all():
        message = f"Covariate {effect.column} must be above 0 in a power effect."
        raise SpecError(message)
    return np.asarray(np.log(x / effect.reference))


def equals_level(
    values: pl.Series, level: str | float
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which subjects have a level; a number and its text are the same level."""
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        try:
            wanted = float(level)
        except ValueError:
            return np.zeros(len(values), dtype=np.bool_)
        return np.asarray(values.cast(pl.Float64).to_numpy() == wanted)
    return np.asarray((values.cast(pl.String) == str(level)).to_numpy())


def require_columns(spec: ModelSpec, columns: Collection[str]) -> None:
    """Raise `SpecError` where a covariate is not in the event table."""
    for effect in spec.covariates:
        require_known("column of a covariate", effect.column, columns)


def pool_rare_levels(
    events: EventTable, columns: Collection[str] = ("RACE", "ETHNIC"), *, fewest: int = 5
) -> EventTable:
    """Pool levels that few subjects have to OTHER, and say so.

    Parameters
    ----------
    events : EventTable
        With text covariates.
    columns : collection of str
        Covariates to pool; those the table does not have are passed over.
    fewest : int
        Subjects that a level needs to stand for itself.

    Returns
    -------
    EventTable
        With a warning ``levels_pooled`` per covariate changed.

    References
    ----------
    .. [1] Harrell FE (2015), Regression Modeling Strategies, 2nd edition, section 2.4.
    """
    frame, said = events.frame, list(events.issues)
    for name in (name for name in columns if name in events.covariates):
        if frame.schema[name] != pl.String:
            continue
        first = frame.group_by("ID", maintain_order=True).first()
        counts = first[name].value_counts().filter(pl.col("count") < fewest)
        rare = pl.col(name).is_in(counts[name].to_list())
        rows = tuple(frame.select(rare)[name].arg_true().to_list())
        if rows:
            pooled = pl.when(rare).then(pl.lit("OTHER")).otherwise(pl.col(name))
            frame = frame.with_columns(pooled.alias(name))
            text = f"{counts.height} levels of {name} with fewer than {fewest} subjects are OTHER."
            said.append(Issue("levels_pooled", "warning", text, rows))
    return replace(events, frame=frame, issues=tuple(said))
