"""One parameter, visit and subgroup: who is analysed, and what refuses the rows beforehand.

Nothing is imputed or fitted here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from assayhouse.analysis.long_form import ParameterData
from assayhouse.analysis.spec import EffectSpec
from assayhouse.stats.arrays import BoolArray

MIN_PER_ARM = 5
"""Observed values that every arm of a fit must have."""

WHY: Mapping[str, str] = {
    "blq_majority": "too many values are below the limit of quantification",
    "rank_deficient": "the model's columns cannot be told apart",
    "too_few": "fewer than 10 residual degrees of freedom",
    "scale_collapsed": "the residual scale is zero against the spread of the values",
    "not_converged": "the iteration did not settle",
    "covariance_undefined": "the covariance of the coefficients does not exist",
}
"""What a status means, in the order in which statuses apply."""

WAY_OUT = "Compare the arms with rank_comparison (assayhouse.stats.ranks) instead."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Subjects of one subgroup at one visit.

    Parameters
    ----------
    visit : int
        AVISITN.
    column : int or None
        Where the visit stands in the arrays of the parameter.
    subgroup : str
        ``all`` or ``COLUMN=LEVEL``.
    members, observed : (n,) array of bool
        Subjects with a base; those of them with a value at the visit.
    refused : mapping of str to str
        Arms whose rows are refused for BLQ values, with the reason.
    pct_blq : mapping of str to float or None
        BLQ values in per cent of the observed values of an arm; None where it has none.
    """

    visit: int
    column: int | None
    subgroup: str
    members: BoolArray
    observed: BoolArray
    refused: Mapping[str, str]
    pct_blq: Mapping[str, float | None]


def cells_of(data: ParameterData, spec: EffectSpec) -> Iterator[Cell]:
    """Make the cells of a parameter.

    Parameters
    ----------
    data : ParameterData
        One parameter.
    spec : EffectSpec
        Reference arm and BLQ limit.

    Yields
    ------
    Cell
        One per analysed visit and subgroup, the whole among them.
    """
    with_base = np.isfinite(data.base)
    for visit in data.analysed:
        for name, members in subgroups_of(data):
            yield _cell(data, spec, visit, name, members & with_base)


def subgroups_of(data: ParameterData) -> Iterator[tuple[str, BoolArray]]:
    """List the whole and every level of the subgroups.

    Parameters
    ----------
    data : ParameterData
        One parameter.

    Yields
    ------
    (str, (n,) array of bool)
        ``all`` or ``COLUMN=LEVEL``, and who belongs to it.
    """
    yield "all", np.ones(len(data.subject), dtype=np.bool_)
    for name, values in data.subgroups.items():
        for level in sorted(set(values.tolist()) - {""}):
            yield f"{name}={level}", np.asarray(values == level)


def _cell(
    data: ParameterData, spec: EffectSpec, visit: int, subgroup: str, members: BoolArray
) -> Cell:
    column = data.at(visit)
    nobody = np.zeros_like(members)
    observed = nobody if column is None else members & data.observed[:, column]
    blq = nobody if column is None else observed & data.blq[:, column]
    shares = {arm: _share(blq[observed & (data.arm == arm)]) for arm in data.arms}
    return Cell(
        visit=visit,
        column=column,
        subgroup=subgroup,
        members=members,
        observed=observed,
        refused=_refusals(_share(blq[observed]), shares, spec),
        pct_blq={arm: None if share is None else 100.0 * share for arm, share in shares.items()},
    )


def _share(flags: BoolArray) -> float | None:
    return float(flags.mean()) if len(flags) else None


def _refusals(
    whole: float | None, shares: Mapping[str, float | None], spec: EffectSpec
) -> dict[str, str]:
    """Arms whose rows are refused for BLQ values, each with the reason."""
    if (whole or 0.0) > spec.blq_limit:
        return dict.fromkeys(shares, _text(whole, "all arms' values at the visit", spec))
    over = {arm: share for arm, share in shares.items() if (share or 0.0) > spec.blq_limit}
    if spec.reference in over:
        text = _text(over[spec.reference], "the reference arm's values at the visit", spec)
        return dict.fromkeys(shares, text)
    return {arm: _text(share, "the arm's values at the visit", spec) for arm, share in over.items()}


def _text(share: float | None, of_what: str, spec: EffectSpec) -> str:
    return (
        f"{100 * (share or 0.0):.1f} % of {of_what} are below the limit of quantification "
        f"(limit {100 * spec.blq_limit:g} %)"
    )


def smallest_arm(data: ParameterData, subjects: BoolArray) -> int:
    """Count the subjects of the arm that has fewest.

    Parameters
    ----------
    data : ParameterData
        One parameter.
    subjects : (n,) array of bool
        Who counts.

    Returns
    -------
    int
        0 where an arm has nobody.
    """
    return min(int((subjects & (data.arm == arm)).sum()) for arm in data.arms)


def absent_levels(data: ParameterData, members: BoolArray, subjects: BoolArray) -> str:
    """Name arms and levels that a subgroup has and the subjects of a fit do not.

    Parameters
    ----------
    data : ParameterData
        One parameter.
    members, subjects : (n,) array of bool
        The subgroup, and those of it who are fitted.

    Returns
    -------
    str
        Empty when there is none.
    """
    texts = [f"arm {name}" for name in data.arms if not (subjects & (data.arm == name)).any()]
    for factor, values in data.factors.items():
        lacking = set(values[members].tolist()) - set(values[subjects].tolist())
        texts += [f"{factor}={level}" for level in sorted(lacking)]
    return f"nobody observed at the visit is in {', '.join(texts)}" if texts else ""
