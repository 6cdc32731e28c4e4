"""A specification and an event table as arrays: what the likelihood is a function of.

The BLQ method is settled here: which samples are used, and as what.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from assayhouse.pk.arrays import BoolArray, FloatArray, IntArray
from assayhouse.pk.errors import SpecError
from assayhouse.pk.events import EventTable
from assayhouse.pk.schedule import Doses, Schedule, build_schedule, released
from assayhouse.pk.spec import ModelSpec
from assayhouse.pk.structures import has_lag
from assayhouse.pk.subjects import covariate_effects, numbered_subjects, require_columns

_FLOOR = 1e-6
"""Least f in a proportional variance, as a share of the largest concentration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Samples, doses and covariates of one model on one table.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    ids : tuple of str
        Subjects that are fitted.
    schedule : Schedule
        Samples and doses.
    doses : Doses or None
        Doses released at each sample, where no lag time changes that.
    y : (m,) array
        Concentrations; the limit where a sample is below it.
    is_blq : (m,) array of bool
        Samples that count as below the limit.
    effects : list of (int, (n,) array)
        Covariate effects.
    scale : float
        Amount per litre in the unit of ``y``.
    floor : float
        Least f^2 in a proportional variance.
    samples : polars.DataFrame
        Rows of the table behind the samples.
    excluded : polars.DataFrame
        Subjects left out by the table or by the BLQ method.
    """

    spec: ModelSpec
    ids: tuple[str, ...]
    schedule: Schedule
    doses: Doses | None
    y: FloatArray
    is_blq: BoolArray
    effects: list[tuple[int, FloatArray]]
    scale: float
    floor: float
    samples: pl.DataFrame
    excluded: pl.DataFrame

    @property
    def n_subjects(self) -> int:
        """Subjects that are fitted."""
        return len(self.ids)

    @property
    def iiv(self) -> IntArray:
        """Positions of the parameters that vary between subjects."""
        names = self.spec.structural
        return np.array([names.index(name) for name in self.spec.iiv], dtype=np.int64)


def build_problem(spec: ModelSpec, events: EventTable) -> Problem:
    """Bring a model and a table into arrays.

    Parameters
    ----------
    spec : ModelSpec
        With at least one parameter that varies between subjects.
    events : EventTable
        Doses and samples.

    Raises
    ------
    SpecError
        No parameter varies, a covariate is unknown, or no sample is left.
    """
    if not spec.iiv:
        message = "A fit needs at least one parameter that varies between subjects (iiv)."
        raise SpecError(message)
    require_columns(spec, events.covariates)
    events, excluded = _without_unused(events, spec.blq)
    frame = events.frame
    subject, ids = numbered_subjects(frame)
    is_used = _used(frame, spec.blq).to_numpy()
    samples = frame.filter(pl.Series(is_used))
    schedule = build_schedule(frame, subject, is_used)
    below = (samples["BLQ"] == 1).to_numpy()
    limit = samples["LLOQ"].fill_null(0.0).to_numpy()
    value = limit / 2 if spec.blq == "half" else limit
    y = np.where(below, value, samples["DV"].fill_null(0.0).to_numpy())
    is_blq = below & (spec.blq == "M3")
    largest = float(np.max(y[~is_blq], initial=0.0))
    return Problem(
        spec=spec,
        ids=ids,
        schedule=schedule,
        doses=None if has_lag(spec.structure) else released(schedule, None),
        y=y,
        is_blq=is_blq,
        effects=covariate_effects(spec, events),
        scale=events.scale,
        floor=(_FLOOR * largest) ** 2,
        samples=samples,
        excluded=excluded,
    )


def _used(frame: pl.DataFrame, blq: str) -> pl.Series:
    used = (frame["EVID"] == 0) & (frame["MDV"] == 0)
    return used & (frame["BLQ"] == 0) if blq == "M1" else used


def _without_unused(events: EventTable, blq: str) -> tuple[EventTable, pl.DataFrame]:
    """Leave out subjects without a sample that the method uses."""
    frame = events.frame
    used = frame.filter(_used(frame, blq))["ID"].unique().to_list()
    if not used:
        message = f"No sample is left under the BLQ method {blq}."
        raise SpecError(message)
    lost = [name for name in events.ids if name not in set(used)]
    rows = pl.DataFrame(
        {"ID": lost, "REASON": ["no_quantifiable"] * len(lost)}, schema=events.excluded.schema
    )
    stays = EventTable(
        frame=frame.filter(pl.col("ID").is_in(used)),
        amt_unit=events.amt_unit,
        dv_unit=events.dv_unit,
        time_unit=events.time_unit,
        covariates=events.covariates,
        excluded=events.excluded,
        issues=events.issues,
    )
    return stays, pl.concat([events.excluded, rows])
