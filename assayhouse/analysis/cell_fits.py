"""Fits of one parameter to its completed data sets, or to the subjects observed.

One `CellFit` per visit, subgroup and response holds a status and numbers per data set.
Pooling over the sets is in `pooled`; the fit itself is in `response_fits`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assayhouse.analysis.cells import (
    MIN_PER_ARM,
    WHY,
    Cell,
    absent_levels,
    cells_of,
    smallest_arm,
)
from assayhouse.analysis.completed import Completed
from assayhouse.analysis.long_form import ParameterData
from assayhouse.analysis.response_fits import define_response, fit_responses
from assayhouse.analysis.spec import EffectSpec
from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import BoolArray, FloatArray
from assayhouse.stats.contrasts import contrast_matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFit:
    """What the completed data sets of one visit, subgroup and response gave.

    Parameters
    ----------
    paramcd, visit, response, subgroup
        Which cell.
    arms : tuple of str
        Arms with rows, sorted.
    refused : mapping of str to str
        Arms refused for BLQ values, with the reason.
    pct_blq : mapping of str to float or None
        BLQ in per cent of an arm's observed values.
    status, why, note : str
        What holds for every data set: "" where they were fitted; a note on subjects left out.
    m, n, n_observed, n_imputed : int
        Data sets, subjects, and those of them with and without a value at the visit.
    df : float
        n - p; NaN where nothing was fitted.
    labels : (k,) tuple of str
        ``lsmean:ARM`` and ``diff:ARM``.
    statuses : (m,) tuple of str
        One per data set; empty where nothing was fitted.
    estimates, variances : (m, k) arrays
        One row per data set.
    """

    paramcd: str
    visit: int
    response: str
    subgroup: str
    arms: tuple[str, ...]
    refused: Mapping[str, str]
    pct_blq: Mapping[str, float | None]
    status: str = ""
    why: str = ""
    note: str = ""
    m: int
    n: int = 0
    n_observed: int = 0
    n_imputed: int = 0
    df: float = np.nan
    labels: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    estimates: FloatArray
    variances: FloatArray


def fit_parameter(
    data: ParameterData, completed: Completed | None, spec: EffectSpec
) -> list[CellFit]:
    """Fit every cell and response of a parameter.

    Parameters
    ----------
    data : ParameterData
        One parameter.
    completed : Completed or None
        Completed data sets; None fits the subjects observed at each visit.
    spec : EffectSpec
        Options of the fit.

    Returns
    -------
    list of CellFit
        One per analysed visit, subgroup and response, also where nothing could be fitted.

    Raises
    ------
    ModelDataError
        A logarithm of a completed value at or below zero.
    """
    found: list[CellFit] = []
    cells = list(cells_of(data, spec))
    for subgroup in dict.fromkeys(cell.subgroup for cell in cells):
        of_group = [cell for cell in cells if cell.subgroup == subgroup]
        if completed is None:
            for cell in of_group:
                found += _fit_observed(data, cell, spec)
        else:
            found += _fit_completed(data, of_group, completed, spec)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is to be fitted of one response: values (m, all subjects) of every visit's data sets."""

    response: str
    subjects: BoolArray
    blanks: list[CellFit]
    values: list[FloatArray]

    @property
    def design(self) -> tuple[bytes, bool]:
        """Jobs of which this is equal have one design."""
        return self.subjects.tobytes(), self.response == "log"


def _fit_observed(data: ParameterData, cell: Cell, spec: EffectSpec) -> Iterator[CellFit]:
    value = np.full(len(data.base), np.nan) if cell.column is None else data.value[:, cell.column]
    jobs = []
    for response in spec.responses:
        subjects = cell.observed & _defined(data, response)
        if response == "log":
            subjects &= value > 0
        note = _left_out(cell, response, data, value)
        blank = _blank(data, cell, response, subjects, m=1, note=note)
        absent = absent_levels(data, cell.members, subjects)
        if set(cell.refused) == set(data.arms):
            yield replace(blank, status="blq_majority")
        elif absent:
            yield _refuse(blank, "rank_deficient", absent)
        else:
            jobs.append(
                _Job(response=response, subjects=subjects, blanks=[blank], values=[value[None]])
            )
    yield from _fit_jobs(data, jobs, spec)


def _fit_completed(
    data: ParameterData, cells: Sequence[Cell], completed: Completed, spec: EffectSpec
) -> Iterator[CellFit]:
    """All visits of a subgroup are fitted together, and responses that share their design."""
    jobs = []
    for response in spec.responses:
        subjects = cells[0].members & _defined(data, response)
        absent = absent_levels(data, cells[0].members, subjects)
        note = _left_out_at_base(response, cells[0].members & ~_defined(data, response))
        job = _Job(response=response, subjects=subjects, blanks=[], values=[])
        for cell in cells:
            blank = _blank(data, cell, response, subjects, m=completed.m, note=note)
            refusal = _refusal(data, cell, absent, completed)
            if refusal:
                yield _refuse(blank, *refusal)
            else:
                job.blanks.append(blank)
                job.values.append(_values_at(data, cell, response, subjects, completed))
        if job.blanks:
            jobs.append(job)
    yield from _fit_jobs(data, jobs, spec)


def _fit_jobs(data: ParameterData, jobs: Sequence[_Job], spec: EffectSpec) -> Iterator[CellFit]:
    for design in dict.fromkeys(job.design for job in jobs):
        yield from _fit(data, [job for job in jobs if job.design == design], spec)


def _refusal(
    data: ParameterData, cell: Cell, absent: str, completed: Completed
) -> tuple[str, str] | None:
    if set(cell.refused) == set(data.arms):
        return "blq_majority", ""
    if absent:
        return "rank_deficient", absent
    if cell.column is None:
        return "too_few", "nobody has a value at the visit"
    if cell.column in completed.lacking:
        return "too_few", completed.lacking[cell.column]
    return None


def _values_at(
    data: ParameterData, cell: Cell, response: str, subjects: BoolArray, completed: Completed
) -> FloatArray:
    values = completed.values[:, :, cell.column]
    if response == "log" and (values[:, subjects] <= 0).any():
        message = (
            f"{data.paramcd}, visit {cell.visit}: completed values at or below zero have no "
            'logarithm. Impute on the log scale (impute.scale="log") or leave response "log" out.'
        )
        raise ModelDataError(message)
    return values


def _fit(data: ParameterData, jobs: Sequence[_Job], spec: EffectSpec) -> Iterator[CellFit]:
    """Fit jobs over their one design."""
    subjects = jobs[0].subjects
    _, x = define_response(jobs[0].response, data.base[subjects], data.base[subjects])
    contrasts = contrast_matrix(
        data.arm[subjects],
        x,
        {name: levels[subjects] for name, levels in data.factors.items()},
        reference=spec.reference,
        weights=spec.weights,
    )
    values = {job.response: np.concatenate(job.values)[:, subjects] for job in jobs}
    fits = fit_responses(values, data.base[subjects], contrasts, spec)
    for job in jobs:
        fit = fits[job.response]
        for number, blank in enumerate(job.blanks):
            here = slice(number * blank.m, (number + 1) * blank.m)
            statuses = tuple(fit.status[here].tolist())
            fewest = smallest_arm(data, _observed_of(data, blank, subjects))
            if statuses[0] in {"rank_deficient", "too_few"} and len(set(statuses)) == 1:
                yield _refuse(blank, statuses[0], WHY[statuses[0]])
            elif fewest < MIN_PER_ARM:
                why = f"an arm has {fewest} values, {MIN_PER_ARM} are needed"
                yield _refuse(blank, "too_few", why)
            else:
                yield replace(
                    blank,
                    df=float(fit.df),
                    labels=contrasts.labels,
                    statuses=statuses,
                    estimates=fit.estimates[here],
                    variances=fit.variances[here],
                )


def _observed_of(data: ParameterData, blank: CellFit, subjects: BoolArray) -> BoolArray:
    column = data.at(blank.visit)
    return subjects if column is None else subjects & data.observed[:, column]


def _blank(
    data: ParameterData, cell: Cell, response: str, subjects: BoolArray, *, m: int, note: str
) -> CellFit:
    observed = int((subjects & cell.observed).sum())
    n = int(subjects.sum())
    return CellFit(
        paramcd=data.paramcd,
        visit=cell.visit,
        response=response,
        subgroup=cell.subgroup,
        arms=data.arms,
        refused=cell.refused,
        pct_blq=cell.pct_blq,
        note=note,
        m=m,
        n=n,
        n_observed=observed,
        n_imputed=n - observed,
        estimates=np.empty((0, 0)),
        variances=np.empty((0, 0)),
    )


def _refuse(blank: CellFit, status: str, why: str) -> CellFit:
    return replace(blank, status=status, why=why)


def _defined(data: ParameterData, response: str) -> BoolArray:
    """Subjects whose base has a place in the model."""
    if response in {"pchg", "log"}:
        return np.asarray(data.base > 0)
    return np.asarray(np.isfinite(data.base))


def _left_out(cell: Cell, response: str, data: ParameterData, value: FloatArray) -> str:
    """How many observed subjects a model had to leave out, and why."""
    no_base = cell.observed & ~_defined(data, response)
    no_value = cell.observed & ~no_base & ~(value > 0)
    return _count_out(response, int(no_base.sum()), int(no_value.sum()) if response == "log" else 0)


def _left_out_at_base(response: str, undefined: BoolArray) -> str:
    return _count_out(response, int(undefined.sum()), 0)


def _count_out(response: str, no_base: int, no_value: int) -> str:
    counts = " and ".join(
        f"{count} with a {name} at or below zero"
        for count, name in ((no_base, "base"), (no_value, "value"))
        if count
    )
    if not counts:
        return ""
    return f"Subjects left out because {response} is not defined for them: {counts}."
