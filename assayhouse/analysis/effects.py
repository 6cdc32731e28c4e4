"""Placebo-adjusted effects: data in long form to one row per adjusted mean and difference.

This version estimates from the subjects observed at each visit. What needs multiple imputation
is refused with a message, never approximated. Exponentiation of `log` rows belongs to display.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import polars as pl

from assayhouse.analysis.long_form import ParameterData, require_long, split_parameters
from assayhouse.analysis.observed_cases import Row, analyse_parameter
from assayhouse.analysis.presets import preset
from assayhouse.analysis.spec import RESULT_COLUMNS, EffectSpec, ImputeSpec
from assayhouse.errors import ModelDataError

__all__ = ["RESULT_SCHEMA", "EffectSpec", "ImputeSpec", "estimate_effects", "preset"]

_TEXT = ("paramcd", "response", "subgroup", "term", "arm", "family", "status", "reasons")
_WHOLE = ("avisitn", "m", "n", "n_observed", "n_imputed")
_SORT = ("paramcd", "avisitn", "response", "subgroup", "term", "arm")


def _dtype(name: str) -> pl.DataType:
    if name in (*_TEXT, "spec_hash"):
        return pl.String()
    return pl.Int64() if name in _WHOLE else pl.Float64()


RESULT_SCHEMA: Mapping[str, pl.DataType] = {name: _dtype(name) for name in RESULT_COLUMNS}
"""Columns of the result in their order, with their types."""


def estimate_effects(
    long: pl.DataFrame,
    spec: EffectSpec,
    *,
    completed: pl.DataFrame | None = None,
    chunk: int | None = None,
    workers: int = 1,
) -> pl.DataFrame:
    """Estimate adjusted means of every arm and their differences from the reference arm.

    A row whose status is not "ok" has no estimate and says why. A result does not depend on
    the order of the rows, on other parameters in the call, on ``chunk`` or on ``workers``.

    Parameters
    ----------
    long : frame
        usubjid, arm, paramcd, avisitn, aval, base, blq, lloq and the columns that the spec
        names; one row per subject, parameter and visit after baseline.
    spec : EffectSpec
        All options.
    completed : frame, optional
        Completed data sets; not available in this version.
    chunk : int, optional
        Parameters handled together.
    workers : int
        Processes.

    Returns
    -------
    frame
        Columns of `RESULT_SCHEMA`, sorted by parameter, visit, response, subgroup, term, arm.

    Raises
    ------
    ModelDataError
        Data that are not as described, or an analysis this version does not have.

    Examples
    --------
    >>> spec = EffectSpec(
    ...     "A",
    ...     responses=("abs",),
    ...     population="observed_at_visit",
    ...     impute=ImputeSpec(method="none"),
    ... )
    >>> long = pl.DataFrame(
    ...     {
    ...         "usubjid": [f"{number:02}" for number in range(16)],
    ...         "arm": ["A", "B"] * 8,
    ...         "paramcd": "X",
    ...         "avisitn": 4,
    ...         "aval": [1.0, 5.0, 2.0, 7.0, 4.0, 6.0, 3.0, 9.0] * 2,
    ...         "base": [1.0, 2.0, 2.0, 4.0, 3.0, 1.0, 5.0, 4.0] * 2,
    ...         "blq": False,
    ...         "lloq": 0.1,
    ...     }
    ... )
    >>> estimate_effects(long, spec)["term", "arm", "status"].rows()
    [('diff', 'B', 'ok'), ('lsmean', 'A', 'ok'), ('lsmean', 'B', 'ok')]
    """
    _require_available(spec, completed)
    if workers < 1 or (chunk is not None and chunk < 1):
        message = "chunk and workers must be at least 1."
        raise ModelDataError(message)
    parameters = split_parameters(require_long(long, spec), spec)
    size = chunk or max(1, -(-len(parameters) // workers))
    groups = [parameters[first : first + size] for first in range(0, len(parameters), size)]
    rows = _run(groups, spec, workers)
    frame = pl.DataFrame(rows, schema=dict(RESULT_SCHEMA), orient="row")
    return frame.with_columns(spec_hash=pl.lit(spec.spec_hash())).sort(*_SORT)


def _run(groups: Sequence[Sequence[ParameterData]], spec: EffectSpec, workers: int) -> list[Row]:
    work = partial(_analyse_group, spec=spec)
    if workers == 1 or len(groups) == 1:
        return [row for group in groups for row in work(group)]
    # A forked process would inherit the locks of polars' threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [row for rows in pool.map(work, groups) for row in rows]


def _analyse_group(group: Sequence[ParameterData], *, spec: EffectSpec) -> list[Row]:
    return [row for data in group for row in analyse_parameter(data, spec)]


def _require_available(spec: EffectSpec, completed: pl.DataFrame | None) -> None:
    instead = (
        'Use population="observed_at_visit" with impute=ImputeSpec(method="none"): subjects with '
        "a base and a value at the visit."
    )
    asked = {
        "completed data sets": (completed is not None, instead),
        f"population={spec.population!r}": (spec.population != "observed_at_visit", instead),
        'blq_rule="censored"': (
            spec.blq_rule == "censored",
            'Use blq_rule="lloq/2" or "lloq/sqrt2".',
        ),
        f"multiplicity={spec.multiplicity!r}": (
            spec.multiplicity != "none",
            'Use multiplicity="none" and adjust column p yourself.',
        ),
    }
    for what, (wanted, way) in asked.items():
        if wanted:
            message = f"{what} is not available in this version. {way} Nothing was estimated."
            raise ModelDataError(message)
