"""Completed data sets that somebody else made: checked, and brought to arrays."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from assayhouse.analysis.completed import Completed
from assayhouse.analysis.long_form import ParameterData
from assayhouse.analysis.spec import EffectSpec
from assayhouse.analysis.sufficiency import why_lacking
from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import IntArray

_NO_PARAMETER = "the completed data sets given do not have the parameter"
_NO_VISIT = "the completed data sets given do not have the visit"

_TYPES: Mapping[str, pl.DataType] = {
    "paramcd": pl.String(),
    "imp": pl.Int64(),
    "usubjid": pl.String(),
    "avisitn": pl.Int64(),
    "aval": pl.Float64(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSets:
    """Completed data sets, checked.

    Parameters
    ----------
    parts : mapping of str to frame
        By parameter, sorted by imp, usubjid and avisitn.
    numbers : tuple of int
        Values of imp, sorted.
    """

    parts: Mapping[str, pl.DataFrame]
    numbers: tuple[int, ...]

    def only(self, parameters: Collection[str]) -> "GivenSets":
        """Leave out other parameters.

        Parameters
        ----------
        parameters : collection of str
            What to keep, where it is there.

        Returns
        -------
        GivenSets
            With the same numbers.
        """
        kept = {name: part for name, part in self.parts.items() if name in parameters}
        return GivenSets(parts=kept, numbers=self.numbers)


def require_completed(completed: pl.DataFrame) -> GivenSets:
    """Check completed data sets and cut them by parameter.

    Parameters
    ----------
    completed : frame
        paramcd, imp, usubjid, avisitn, aval.

    Returns
    -------
    GivenSets
        Cut by parameter.

    Raises
    ------
    ModelDataError
        A column that is missing or of another type, a value that is missing or infinite, a
        repeated row, fewer than two data sets.
    """
    missing = [name for name in _TYPES if name not in completed.columns]
    if missing:
        message = f"completed has no column {', '.join(missing)}; it has {completed.columns}."
        raise ModelDataError(message)
    try:
        frame = completed.select(pl.col(name).cast(kind) for name, kind in _TYPES.items())
    except pl.exceptions.PolarsError:
        wanted = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
        message = f"A column of completed cannot be cast to its type: {wanted}."
        raise ModelDataError(message) from None
    whole = all((completed[name] == frame[name]).all() for name in ("imp", "avisitn"))
    if frame.null_count().sum_horizontal().sum() or not frame["aval"].is_finite().all():
        message = "completed holds values that are missing or infinite; every row needs all five."
        raise ModelDataError(message)
    if not whole:
        message = "imp and avisitn of completed must be whole numbers."
        raise ModelDataError(message)
    keys = ["paramcd", "imp", "usubjid", "avisitn"]
    if frame.select(keys).is_duplicated().any():
        message = "completed has more than one row for a parameter, imp, subject and visit."
        raise ModelDataError(message)
    if frame["imp"].n_unique() < 2:
        message = (
            "completed holds fewer than two data sets; pooling needs two. Analyse complete data "
            'with population="observed_at_visit".'
        )
        raise ModelDataError(message)
    parts = frame.sort(keys).partition_by("paramcd", as_dict=True, maintain_order=True)
    return GivenSets(
        parts={str(key[0]): part for key, part in parts.items()},
        numbers=tuple(frame["imp"].unique().sort().to_list()),
    )


def place_completed(data: ParameterData, sets: GivenSets, *, spec: EffectSpec) -> Completed:
    """Bring the completed data sets of one parameter to arrays.

    Parameters
    ----------
    data : ParameterData
        The parameter; its subjects without a base are not in the population.
    sets : GivenSets
        Of all parameters.
    spec : EffectSpec
        Says which visits no imputation could have completed, and why.

    Returns
    -------
    Completed
        Visits that are not among the data sets are lacking.

    Raises
    ------
    ModelDataError
        A subject that the data do not have, or a value that a data set lacks.
    """
    shape = (len(sets.numbers), *data.value.shape)
    part = sets.parts.get(data.paramcd)
    if part is None:
        blank = np.full(shape, np.nan)
        lacking = dict.fromkeys(range(len(data.visits)), _NO_PARAMETER)
        return Completed(values=blank, lacking=lacking | why_lacking(data, spec))
    known = part.filter(pl.col("avisitn").is_in(list(data.visits)))
    imp = np.searchsorted(np.asarray(sets.numbers), known["imp"].to_numpy())
    values = np.full(shape, np.nan)
    visit = np.searchsorted(np.asarray(data.visits), known["avisitn"].to_numpy())
    values[imp, _rows_of(data, known), visit] = known["aval"].to_numpy()
    population = np.isfinite(data.base)
    here = np.isfinite(values[:, population])
    known_why = why_lacking(data, spec)
    lacking = {}
    for number, visit_name in enumerate(data.visits):
        if not here[:, :, number].any():
            lacking[number] = known_why.get(number, _NO_VISIT)
        elif not here[:, :, number].all():
            short = int((~here[:, :, number]).sum())
            message = (
                f"completed lacks {short} values of {data.paramcd} at visit {visit_name}: every "
                "data set needs one for every subject with a base."
            )
            raise ModelDataError(message)
    return Completed(values=values, lacking=lacking)


def _rows_of(data: ParameterData, part: pl.DataFrame) -> IntArray:
    subject = np.asarray(part["usubjid"].to_list(), dtype=np.str_)
    rows = np.searchsorted(data.subject, subject)
    found = data.subject[np.minimum(rows, len(data.subject) - 1)] == subject
    if not found.all():
        strangers = len(set(subject[~found].tolist()))
        message = (
            f"completed has {strangers} subjects of {data.paramcd} that the data do not have; "
            "base, arm and strata come from the data."
        )
        raise ModelDataError(message)
    return np.asarray(rows, dtype=np.int64)
