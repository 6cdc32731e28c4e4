"""From fits to result rows: pooling over completed data sets, and refusals with their reasons."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from assayhouse.analysis.cell_fits import CellFit
from assayhouse.analysis.cells import WAY_OUT, WHY
from assayhouse.analysis.spec import EffectSpec
from assayhouse.stats.pooling import pool_rubin
from assayhouse.stats.student import two_sided_p, upper_quantile

Row: TypeAlias = dict[str, str | int | float | None]

_SETTLED = ("ok", "covariance_undefined")
"""Statuses of fits whose iteration came to its end."""


def pool_cell(fit: CellFit, spec: EffectSpec) -> list[Row]:
    """Pool one cell and lay out its rows.

    Parameters
    ----------
    fit : CellFit
        Of all data sets.
    spec : EffectSpec
        Options of pooling, and the reference arm.

    Returns
    -------
    list of Row
        One per adjusted mean and difference, numbers only where the status is "ok".

    References
    ----------
    .. [1] Rubin DB (1987), Multiple Imputation for Nonresponse in Surveys, chapter 3.
    """
    status, why = _judge(fit)
    numbers = _numbers(fit, spec) if status == "ok" else {}
    settled = [one in _SETTLED for one in fit.statuses]
    rows: list[Row] = []
    for term, arm in _terms(fit, spec):
        of_arm = "blq_majority" if arm in fit.refused else status
        row: Row = {
            "paramcd": fit.paramcd,
            "avisitn": fit.visit,
            "response": fit.response,
            "subgroup": fit.subgroup,
            "term": term,
            "arm": arm,
            "m": fit.m,
            "n": fit.n,
            "n_observed": fit.n_observed,
            "n_imputed": fit.n_imputed,
            "pct_blq": fit.pct_blq[arm],
            "converged_share": float(np.mean(settled)) if settled else None,
            "status": of_arm,
            "reasons": _reasons(of_arm, fit.refused.get(arm, why), fit.note),
        }
        rows.append(row | (numbers[f"{term}:{arm}"] if of_arm == "ok" else {}))
    return rows


def _terms(fit: CellFit, spec: EffectSpec) -> Iterator[tuple[str, str]]:
    yield from (("lsmean", arm) for arm in fit.arms)
    yield from (("diff", arm) for arm in fit.arms if arm != spec.reference)


def _judge(fit: CellFit) -> tuple[str, str]:
    """Status of the pooled row: the first that applies to any data set."""
    if fit.status:
        return fit.status, fit.why
    for status, why in WHY.items():
        count = fit.statuses.count(status)
        if count:
            share = f" in {count} of {fit.m} completed data sets" if fit.m > 1 else ""
            return status, f"{why}{share}"
    return "ok", ""


def _reasons(status: str, why: str, note: str) -> str:
    if status == "ok":
        return note
    return " ".join(part for part in (f"{status}: {why}.", WAY_OUT, note) if part)


def _numbers(fit: CellFit, spec: EffectSpec) -> dict[str, Row]:
    if fit.m == 1:
        return _single(fit, spec)
    pooled = pool_rubin(
        fit.estimates,
        fit.variances,
        df_complete=fit.df,
        df_method=spec.df_method,
        lambda_floor=spec.lambda_floor,
        conf_level=spec.conf_level,
    )
    columns = {
        "estimate": pooled.estimate,
        "se": pooled.std_error,
        "df": pooled.df,
        "statistic": pooled.statistic,
        "ci_lo": pooled.ci_low,
        "ci_hi": pooled.ci_high,
        "p": pooled.p_value,
        "fmi": pooled.fmi,
        "riv": pooled.riv,
        "lambda": pooled.lambda_,
        "mc_error": pooled.mc_error,
    }
    return _by_label(fit, {name: np.asarray(values) for name, values in columns.items()})


def _single(fit: CellFit, spec: EffectSpec) -> dict[str, Row]:
    """T test and interval of one data set."""
    estimate, se = fit.estimates[0], np.sqrt(fit.variances[0])
    df = np.full_like(se, fit.df)
    reach = upper_quantile(spec.conf_level, df) * se
    columns = {
        "estimate": estimate,
        "se": se,
        "df": df,
        "statistic": estimate / se,
        "ci_lo": estimate - reach,
        "ci_hi": estimate + reach,
        "p": two_sided_p(estimate / se, df),
    }
    return _by_label(fit, columns)


def _by_label(
    fit: CellFit, columns: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]
) -> dict[str, Row]:
    return {
        label: {name: float(values[position]) for name, values in columns.items()}
        for position, label in enumerate(fit.labels)
    }


def pool_cells(fits: Sequence[CellFit], spec: EffectSpec) -> list[Row]:
    """Pool many cells.

    Parameters
    ----------
    fits : sequence of CellFit
        In any order.
    spec : EffectSpec
        Options of pooling.

    Returns
    -------
    list of Row
        Unsorted, without adjustment.
    """
    return [row for fit in fits for row in pool_cell(fit, spec)]
