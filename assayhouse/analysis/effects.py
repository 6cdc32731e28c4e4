"""Placebo-adjusted effects: data in long form to one row per adjusted mean and difference.

The whole way in one call. Its stages, each a table to look at, are in `stages`; medians of per
cent changes are in `median_changes`. Exponentiation of `log` rows belongs to display.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TypeAlias

import polars as pl

from assayhouse.analysis.cell_fits import CellFit, fit_parameter
from assayhouse.analysis.completed import complete_parameter
from assayhouse.analysis.fit_rows import FIT_SCHEMA, lay_out
from assayhouse.analysis.given_sets import GivenSets, place_completed, require_completed
from assayhouse.analysis.long_form import ParameterData, require_long, split_parameters
from assayhouse.analysis.pooled import RESULT_SCHEMA, pool_fits
from assayhouse.analysis.presets import preset
from assayhouse.analysis.spec import EffectSpec, ImputeSpec
from assayhouse.errors import ModelDataError

__all__ = [
    "RESULT_SCHEMA",
    "EffectSpec",
    "ImputeSpec",
    "estimate_effects",
    "preset",
    "require_possible",
    "run_effects",
]

Tell: TypeAlias = Callable[[str, int, int], None]
_Group: TypeAlias = tuple[Sequence[ParameterData], GivenSets | None]


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
        names; one row per subject, parameter and visit after baseline. A subject with a base
        and no later value needs one row with aval null to be in the population.
    spec : EffectSpec
        All options.
    completed : frame, optional
        paramcd, imp, usubjid, avisitn, aval: completed data sets to be used as they are;
        nothing is imputed then. Subjects without a base are left out of them.
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
        Data that are not as described, or options that do not go with them.

    References
    ----------
    .. [1] Mehrotra DV, Li X, Liu J, Lu K (2012), Biometrics 68, 1250-1259.

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
    return run_effects(long, spec, completed=completed, chunk=chunk, workers=workers)


def run_effects(
    long: pl.DataFrame,
    spec: EffectSpec,
    *,
    completed: pl.DataFrame | None = None,
    chunk: int | None = None,
    workers: int = 1,
    tell: Tell | None = None,
) -> pl.DataFrame:
    """Estimate effects as `estimate_effects` does, and tell how far it is.

    Parameters
    ----------
    long, spec, completed, chunk, workers
        As in `estimate_effects`.
    tell : callable, optional
        Called with the parameter at hand, the number done and the number of all.

    Returns
    -------
    frame
        As in `estimate_effects`.

    Raises
    ------
    ModelDataError
        As in `estimate_effects`.
    """
    require_possible(spec, given=completed is not None)
    if workers < 1 or (chunk is not None and chunk < 1):
        message = "chunk and workers must be at least 1."
        raise ModelDataError(message)
    parameters = split_parameters(require_long(long, spec), spec)
    sets = None if completed is None else require_completed(completed)
    size = chunk or (1 if workers == 1 else max(1, -(-len(parameters) // (4 * workers))))
    groups = [
        _group(parameters[first : first + size], sets) for first in range(0, len(parameters), size)
    ]
    parts = [pl.DataFrame(schema=dict(FIT_SCHEMA))]
    done = 0
    for group, found in zip(groups, _run(groups, spec, workers), strict=True):
        parts.append(found)
        done += len(group[0])
        if tell is not None:
            tell(group[0][-1].paramcd, done, len(parameters))
    return pool_fits(pl.concat(parts), spec)


def _group(parameters: Sequence[ParameterData], sets: GivenSets | None) -> _Group:
    return parameters, None if sets is None else sets.only({data.paramcd for data in parameters})


def _run(groups: Sequence[_Group], spec: EffectSpec, workers: int) -> Iterator[pl.DataFrame]:
    work = partial(_analyse_group, spec=spec)
    if workers == 1 or len(groups) == 1:
        yield from map(work, groups)
        return
    # A forked process would inherit the locks of polars' threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, groups)


def _analyse_group(group: _Group, *, spec: EffectSpec) -> pl.DataFrame:
    parameters, sets = group
    fits: list[CellFit] = []
    for data in parameters:
        if sets is not None:
            completed = place_completed(data, sets, spec=spec)
        elif spec.population == "observed_at_visit":
            completed = None
        else:
            completed = complete_parameter(data, spec)
        fits += fit_parameter(data, completed, spec)
    return lay_out(fits, spec)


def require_possible(spec: EffectSpec, *, given: bool) -> None:
    """Raise when options of a spec do not go together.

    Parameters
    ----------
    spec : EffectSpec
        All options.
    given : bool
        Completed data sets are given.

    Raises
    ------
    ModelDataError
        What does not go together, and what to do.
    """
    observed = spec.population == "observed_at_visit"
    wrong = {
        'Completed data sets go with population="baseline_observed" and an imputation method; '
        'population="observed_at_visit" analyses what was observed.': observed and given,
        'blq_rule="censored" draws values, so it needs imputation: use '
        'population="baseline_observed", or blq_rule="lloq/2".': observed
        and spec.blq_rule == "censored",
        f"impute.m={spec.impute.m}: pooling needs at least two imputations.": not observed
        and not given
        and spec.impute.m < 2,
    }
    for message, is_wrong in wrong.items():
        if is_wrong:
            text = f"{message} Nothing was estimated."
            raise ModelDataError(text)
