"""Median per cent changes by subgroup, compared by ranks: observed cases, no model.

For the figures of subgroups, and for analytes mostly below their limit. The tests are
`assayhouse.stats.ranks`; adjustment for many comparisons is the caller's.
"""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import polars as pl

from assayhouse.analysis.cells import MIN_PER_ARM, subgroups_of
from assayhouse.analysis.long_form import ParameterData, require_long, split_parameters
from assayhouse.analysis.pooled import Row
from assayhouse.analysis.spec import EffectSpec, ImputeSpec
from assayhouse.stats.arrays import BoolArray, FloatArray
from assayhouse.stats.ranks import rank_comparison, signed_rank

TEST = (
    "Wilcoxon rank sum against the reference arm and signed rank within the arm, normal "
    "approximation with corrections for ties and continuity"
)

MEDIAN_SCHEMA: Mapping[str, pl.DataType] = {
    "paramcd": pl.String(),
    "avisitn": pl.Int64(),
    "subgroup": pl.String(),
    "arm": pl.String(),
    "n": pl.Int64(),
    "median": pl.Float64(),
    "q1": pl.Float64(),
    "q3": pl.Float64(),
    "base_median": pl.Float64(),
    "hl_shift": pl.Float64(),
    "ci_lo": pl.Float64(),
    "ci_hi": pl.Float64(),
    "p": pl.Float64(),
    "p_signed": pl.Float64(),
    "n_reference": pl.Int64(),
    "test": pl.String(),
    "status": pl.String(),
    "reasons": pl.String(),
}
"""Columns of the result in their order, with their types."""


def median_changes(
    long: pl.DataFrame,
    *,
    reference: str,
    subgroups: Collection[str] = (),
    visits: Collection[int] | None = None,
    conf_level: float = 0.95,
) -> pl.DataFrame:
    """Describe per cent changes from base by medians and compare the arms by ranks.

    Observed cases, BLQ values at half their limit. A status other than "ok" (``too_few``:
    fewer than five changes in the arm or the reference arm) leaves the description and takes
    the tests away.

    Parameters
    ----------
    long : frame
        As in `assayhouse.analysis.effects.estimate_effects`.
    reference : str
        Arm that the others are compared with.
    subgroups : collection of str
        Columns of ``long``; one analysis per level beside the whole.
    visits : collection of int, optional
        AVISITN; all that a parameter has when left out.
    conf_level : float
        Of the interval of the shift.

    Returns
    -------
    frame
        `MEDIAN_SCHEMA`: median and quartiles (type 7) of the per cent change, median base of the
        same subjects, shift against the
        reference arm in percentage points with its interval, p of both tests; sorted by
        parameter, visit, subgroup and arm. Shift and p are null for the reference arm, and an
        end of the interval is null where the samples are too small to have one.

    Raises
    ------
    ModelDataError
        Data that are not as described.

    References
    ----------
    .. [1] Hodges JL, Lehmann EL (1963), Ann Math Stat 34, 598-611.

    Examples
    --------
    >>> long = pl.DataFrame(
    ...     {
    ...         "usubjid": [f"{number:02}" for number in range(12)],
    ...         "arm": ["A", "B"] * 6,
    ...         "paramcd": "X",
    ...         "avisitn": 4,
    ...         "aval": [2.0, 1.0, 2.2, 1.2, 2.4, 1.4, 2.6, 1.6, 2.8, 1.8, 3.0, 2.0],
    ...         "base": 2.0,
    ...         "blq": False,
    ...         "lloq": 0.1,
    ...     }
    ... )
    >>> result = median_changes(long, reference="A")
    >>> result.select(pl.col("arm"), pl.col("median", "hl_shift").round(1)).rows()
    [('A', 25.0, None), ('B', -25.0, -50.0)]
    """
    spec = EffectSpec(
        reference,
        visits=None if visits is None else tuple(visits),
        subgroups=tuple(subgroups),
        conf_level=conf_level,
        population="observed_at_visit",
        impute=ImputeSpec(method="none"),
    )
    rows: list[Row] = []
    for data in split_parameters(require_long(long, spec), spec):
        rows += _parameter_rows(data, spec)
    frame = pl.DataFrame(rows, schema=dict(MEDIAN_SCHEMA), orient="row")
    return frame.sort("paramcd", "avisitn", "subgroup", "arm")


def _parameter_rows(data: ParameterData, spec: EffectSpec) -> Iterator[Row]:
    for visit in data.analysed:
        column = data.at(visit)
        change = np.full(len(data.subject), np.nan)
        defined = data.base > 0
        if column is not None:
            value, base = data.value[defined, column], data.base[defined]
            change[defined] = 100.0 * (value - base) / base
        undefined = ~defined & np.isfinite(data.base)
        if column is not None:
            undefined &= data.observed[:, column]
        for name, members in subgroups_of(data):
            note = _note(int((undefined & members).sum()))
            for arm in data.arms:
                keys: Row = {"paramcd": data.paramcd, "avisitn": visit, "subgroup": name}
                row = keys | _row(data, change, members, arm, spec)
                yield row | {"reasons": f"{row['reasons']} {note}".strip()}


def _note(count: int) -> str:
    if not count:
        return ""
    return (
        "Subjects left out because pchg is not defined for them: "
        f"{count} with a base at or below zero."
    )


def _row(
    data: ParameterData, change: FloatArray, members: BoolArray, arm: str, spec: EffectSpec
) -> Row:
    known = members & np.isfinite(change)
    values = change[known & (data.arm == arm)]
    control = change[known & (data.arm == spec.reference)]
    row: Row = {"arm": arm, "n": len(values), "n_reference": len(control), "test": TEST}
    if len(values):
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        base = float(np.median(data.base[known & (data.arm == arm)]))
        row |= {"median": float(middle), "q1": float(low), "q3": float(high), "base_median": base}
    return row | _tests(values, control, is_reference=arm == spec.reference, spec=spec)


def _tests(values: FloatArray, control: FloatArray, *, is_reference: bool, spec: EffectSpec) -> Row:
    few = [
        f"{where} has {len(sample)} changes, {MIN_PER_ARM} are needed"
        for where, sample in (("the arm", values), ("the reference arm", control))
        if len(sample) < MIN_PER_ARM
    ]
    if few:
        return {"status": "too_few", "reasons": f"too_few: {'; '.join(dict.fromkeys(few))}."}
    row: Row = {"status": "ok", "reasons": "", "p_signed": signed_rank(values).p_value}
    if is_reference:
        return row
    compared = rank_comparison(values, control, conf_level=spec.conf_level)
    return row | {
        "hl_shift": compared.hl_shift,
        "ci_lo": compared.ci_low if np.isfinite(compared.ci_low) else None,
        "ci_hi": compared.ci_high if np.isfinite(compared.ci_high) else None,
        "p": compared.p_value,
    }
