"""Effects at one visit from the subjects observed there: one fit per response, no imputation.

Says for every row why it cannot be used, where it cannot. The fit itself is `m_regression`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy import stats

from assayhouse.analysis.long_form import ParameterData
from assayhouse.analysis.spec import EffectSpec
from assayhouse.stats.arrays import BoolArray, FloatArray, StrArray
from assayhouse.stats.contrasts import contrast_matrix, least_squares_means
from assayhouse.stats.robust import m_regression

MIN_PER_ARM = 5
"""Observed values that every arm of a fit must have."""

Row: TypeAlias = dict[str, str | int | float | None]

_WHY = {
    "blq_majority": "too many values are below the limit of quantification",
    "rank_deficient": "the model's columns cannot be told apart",
    "too_few": "fewer than 10 residual degrees of freedom",
    "scale_collapsed": "the residual scale is zero against the spread of the values",
    "not_converged": "the iteration did not settle",
    "covariance_undefined": "the covariance of the coefficients does not exist",
}
_WAY_OUT = "Compare the arms with rank_comparison (assayhouse.stats.ranks) instead."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Subjects observed at one visit, and what ought to be there.

    Parameters
    ----------
    subgroup : str
        ``all`` or ``COLUMN=LEVEL``.
    arm, value, base, blq : (n,) arrays
        Of the subjects with a base and a value.
    factors : mapping of str to (n,) array of str
        Their levels.
    levels : mapping of str to set of str
        Levels that the subgroup has at any visit.
    """

    subgroup: str
    arm: StrArray
    value: FloatArray
    base: FloatArray
    blq: BoolArray
    factors: Mapping[str, StrArray]
    levels: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """What one fit gave: a status, and numbers by label where it is ok."""

    status: str
    why: str = ""
    note: str = ""
    n: int = 0
    df: float = np.nan
    converged_share: float | None = None
    estimates: Mapping[str, float]
    std_errors: Mapping[str, float]


def analyse_parameter(data: ParameterData, spec: EffectSpec) -> list[Row]:
    """Estimate all effects of one parameter from observed cases.

    Parameters
    ----------
    data : ParameterData
        One parameter.
    spec : EffectSpec
        population "observed_at_visit".

    Returns
    -------
    list of Row
        One per visit, response, subgroup, term and arm, also where nothing could be fitted.
    """
    rows: list[Row] = []
    for visit in data.visits:
        for cell in _cells(data, visit):
            refused = _blq_refusals(cell, data.arms, spec)
            for response in spec.responses:
                result = _analyse(cell, data.arms, response, spec, refused)
                keys: Row = {
                    "paramcd": data.paramcd,
                    "avisitn": visit,
                    "response": response,
                    "subgroup": cell.subgroup,
                }
                rows += [keys | row for row in _rows(cell, data.arms, spec, result, refused)]
    return rows


def _cells(data: ParameterData, visit: int) -> Iterator[Cell]:
    everybody = np.ones(len(data.arm), dtype=np.bool_)
    yield _cell(data, visit, "all", everybody)
    for name, values in data.subgroups.items():
        for level in sorted(set(values.tolist()) - {""}):
            yield _cell(data, visit, f"{name}={level}", values == level)


def _cell(data: ParameterData, visit: int, subgroup: str, members: BoolArray) -> Cell:
    population = members & np.isfinite(data.base)
    at_visit = population & (data.avisitn == visit) & np.isfinite(data.value)
    return Cell(
        subgroup=subgroup,
        arm=data.arm[at_visit],
        value=data.value[at_visit],
        base=data.base[at_visit],
        blq=data.blq[at_visit],
        factors={name: values[at_visit] for name, values in data.factors.items()},
        levels={
            name: frozenset(values[population].tolist()) for name, values in data.factors.items()
        },
    )


def _blq_refusals(cell: Cell, arms: tuple[str, ...], spec: EffectSpec) -> dict[str, str]:
    """Arms whose rows are refused for BLQ values, each with the reason."""
    whole = _share(cell.blq)
    if whole > spec.blq_limit:
        text = f"{100 * whole:.1f} % of all arms' values at the visit"
        return dict.fromkeys(arms, _blq_text(text, spec))
    shares = {arm: _share(cell.blq[cell.arm == arm]) for arm in arms}
    over = {arm: share for arm, share in shares.items() if share > spec.blq_limit}
    if spec.reference in over:
        text = f"{100 * over[spec.reference]:.1f} % of the reference arm's values at the visit"
        return dict.fromkeys(arms, _blq_text(text, spec))
    return {
        arm: _blq_text(f"{100 * share:.1f} % of the arm's values at the visit", spec)
        for arm, share in over.items()
    }


def _blq_text(share: str, spec: EffectSpec) -> str:
    return f"{share} are below the limit of quantification (limit {100 * spec.blq_limit:g} %)"


def _share(flags: BoolArray) -> float:
    return float(flags.mean()) if len(flags) else 0.0


def _analyse(
    cell: Cell, arms: tuple[str, ...], response: str, spec: EffectSpec, refused: Mapping[str, str]
) -> _Result:
    y, x, defined = _response(cell, response)
    note = _left_out(cell, response, defined)
    n = int(defined.sum())
    blank = _Result(status="blq_majority", n=n, note=note, estimates={}, std_errors={})
    if set(refused) == set(arms):
        return blank
    arm = cell.arm[defined]
    factors = {name: values[defined] for name, values in cell.factors.items()}
    absent = _absent(arm, factors, arms, cell.levels)
    if absent:
        return _refuse(blank, "rank_deficient", absent)
    contrasts = contrast_matrix(arm, x, factors, reference=spec.reference, weights=spec.weights)
    fit = m_regression(
        contrasts.design,
        y,
        psi=spec.psi,
        tuning=spec.tuning,
        scale=spec.scale,
        mad_constant=spec.mad_constant,
        covariance=spec.covariance,
        variance_ddof=spec.variance_ddof,
        tolerance=spec.tolerance,
        max_iterations=spec.max_iterations,
    )
    status = str(fit.status[0])
    if status in {"rank_deficient", "too_few"}:
        return _refuse(blank, status, _WHY[status])
    smallest = min(int((arm == name).sum()) for name in arms)
    if smallest < MIN_PER_ARM:
        return _refuse(blank, "too_few", f"an arm has {smallest} values, {MIN_PER_ARM} are needed")
    means = least_squares_means(fit, contrasts)
    std_errors = np.sqrt(np.maximum(means.variances[0], 0.0))
    return _Result(
        status=status,
        why=_WHY.get(status, ""),
        note=note,
        n=n,
        df=float(fit.df),
        converged_share=float(status in {"ok", "covariance_undefined"}),
        estimates=dict(zip(means.labels, means.estimates[0].tolist(), strict=True)),
        std_errors=dict(zip(means.labels, std_errors.tolist(), strict=True)),
    )


def _refuse(blank: _Result, status: str, why: str) -> _Result:
    return replace(blank, status=status, why=why)


def _response(cell: Cell, response: str) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Response and base covariate of one model, and the subjects for whom it is defined."""
    if response in {"abs", "chg"}:
        y = cell.value if response == "abs" else cell.value - cell.base
        return y, cell.base, np.ones(len(y), dtype=np.bool_)
    defined = cell.base > 0
    if response == "pchg":
        value, base = cell.value[defined], cell.base[defined]
        return 100.0 * (value - base) / base, base, defined
    defined &= cell.value > 0
    return np.log(cell.value[defined]), np.log(cell.base[defined]), defined


def _left_out(cell: Cell, response: str, defined: BoolArray) -> str:
    """How many subjects a model had to leave out, and why."""
    if defined.all():
        return ""
    base = int((cell.base <= 0).sum())
    value = int((~defined).sum()) - base
    parts = [(base, "base"), (value, "value")]
    counts = " and ".join(
        f"{count} with a {name} at or below zero" for count, name in parts if count
    )
    return f"Subjects left out because {response} is not defined for them: {counts}."


def _absent(
    arm: StrArray,
    factors: Mapping[str, StrArray],
    arms: tuple[str, ...],
    levels: Mapping[str, frozenset[str]],
) -> str:
    """Arms and levels that the model has and its subjects do not; empty when there is none."""
    texts = [f"arm {name}" for name in sorted(set(arms) - set(arm.tolist()))]
    for factor, known in levels.items():
        lacking = sorted(known - set(factors[factor].tolist()))
        texts += [f"{factor}={level}" for level in lacking]
    return f"nobody observed at the visit is in {', '.join(texts)}" if texts else ""


def _rows(
    cell: Cell,
    arms: tuple[str, ...],
    spec: EffectSpec,
    result: _Result,
    refused: Mapping[str, str],
) -> Iterator[Row]:
    labels = [("lsmean", arm) for arm in arms]
    labels += [("diff", arm) for arm in arms if arm != spec.reference]
    for term, arm in labels:
        status = "blq_majority" if arm in refused else result.status
        why = refused.get(arm, result.why)
        of_arm = cell.blq[cell.arm == arm]
        numbers = _inference(result, f"{term}:{arm}", spec) if status == "ok" else {}
        row: Row = {
            "term": term,
            "arm": arm,
            "m": 1,
            "n": result.n,
            "n_observed": result.n,
            "n_imputed": 0,
            "pct_blq": 100.0 * float(of_arm.mean()) if len(of_arm) else None,
            "converged_share": result.converged_share,
            "status": status,
            "reasons": _reasons(status, why, result.note),
        }
        yield row | numbers


def _reasons(status: str, why: str, note: str) -> str:
    if status == "ok":
        return note
    return " ".join(part for part in (f"{status}: {why}.", _WAY_OUT, note) if part)


def _inference(result: _Result, label: str, spec: EffectSpec) -> Row:
    """T test and interval of one combination of coefficients."""
    estimate, se = result.estimates[label], result.std_errors[label]
    reach = float(stats.t.ppf(0.5 + spec.conf_level / 2.0, result.df)) * se
    statistic = estimate / se
    return {
        "estimate": estimate,
        "se": se,
        "df": result.df,
        "statistic": statistic,
        "ci_lo": estimate - reach,
        "ci_hi": estimate + reach,
        "p": 2.0 * float(stats.t.sf(abs(statistic), result.df)),
    }
