"""Subjects by baseline level: shares by arm, and response differences within levels.

Takes frames of the analysis datasets and returns result frames; draws nothing.
"""

from collections.abc import Sequence
from math import isfinite

import polars as pl

from assayhouse.stats.proportions import RiskDifference, risk_difference

ALL = "all"
OK = "ok"
NOTHING_TO_COMPARE = "not_estimable"


def baseline_shares(
    flags: pl.DataFrame, subjects: pl.DataFrame, cut_offs: pl.DataFrame, *, arms: Sequence[str]
) -> pl.DataFrame:
    """Count the subjects at the level of interest, by cut-off and arm.

    Parameters
    ----------
    flags : DataFrame
        adam.subset_flags.
    subjects : DataFrame
        usubjid, arm: the population.
    cut_offs : DataFrame
        ref.cut_offs.
    arms : sequence of str
        In dose order.

    Returns
    -------
    DataFrame
        cut_off, label, level, PARAMCD, cut_off_value, scale, arm, n_arm (subjects with a value),
        n (of these at the level of interest), n_missing, pct, status, reasons.
    """
    known = flags.rename({"USUBJID": "usubjid"}).join(subjects, on="usubjid", how="inner")
    counted = known.group_by("cut_off", "arm").agg(
        pl.col("level").is_not_null().sum().alias("n_arm"),
        pl.col("of_interest_fl").eq("Y").sum().alias("n"),
        pl.col("level").is_null().sum().alias("n_missing"),
    )
    grid = cut_offs.select(
        "cut_off",
        "label",
        pl.col("level_of_interest").alias("level"),
        "PARAMCD",
        "cut_off_value",
        "scale",
    ).join(pl.DataFrame({"arm": list(arms)}, schema={"arm": pl.String}), how="cross")
    full = grid.join(counted, on=["cut_off", "arm"], how="left").with_columns(
        pl.col("n_arm", "n", "n_missing").fill_null(0)
    )
    empty = pl.col("n_arm") == 0
    return full.with_columns(
        pl.when(~empty).then(100.0 * pl.col("n") / pl.col("n_arm")).alias("pct"),
        pl.when(empty).then(pl.lit(NOTHING_TO_COMPARE)).otherwise(pl.lit(OK)).alias("status"),
        pl.when(empty)
        .then(pl.lit("no subject with a value"))
        .otherwise(pl.lit(""))
        .alias("reasons"),
    ).sort("cut_off", "arm")


def _row(result: RiskDifference) -> dict[str, object]:
    n1, y1 = int(result.n1.sum()), int(result.y1.sum())
    n0, y0 = int(result.n0.sum()), int(result.y0.sum())
    usable = result.n_strata_used > 0
    return {
        "n_active": n1,
        "y_active": y1,
        "n_reference": n0,
        "y_reference": y0,
        "rate_active_pct": 100.0 * y1 / n1 if n1 else None,
        "rate_reference_pct": 100.0 * y0 / n0 if n0 else None,
        "diff_pct": 100.0 * result.estimate if usable else None,
        "ci_low_pct": 100.0 * result.lower if usable else None,
        "ci_high_pct": 100.0 * result.upper if usable else None,
        # Where all or none responded the test does not exist, though the difference does.
        "p": result.p_cmh if usable and isfinite(result.p_cmh) else None,
        "n_strata_used": result.n_strata_used,
        "status": OK if usable else NOTHING_TO_COMPARE,
        "reasons": "; ".join(result.warnings) if usable else "no stratum holds both arms",
    }


def _difference(
    chosen: pl.DataFrame, *, active: str, reference: str, strata: Sequence[str], method: str
) -> dict[str, object]:
    pair = chosen.filter(pl.col("arm").is_in([active, reference]), pl.col("response").is_not_null())
    arms = pair["arm"].unique().to_list()
    if len(arms) < 2:
        n = {arm: int((pair["arm"] == arm).sum()) for arm in (active, reference)}
        return {
            "n_active": n[active],
            "n_reference": n[reference],
            "status": NOTHING_TO_COMPARE,
            "reasons": "one of the arms has no subject",
        }
    levels = pair.select(strata).to_numpy() if strata else None
    return _row(
        risk_difference(
            pair["response"].to_numpy(),
            (pair["arm"] == active).cast(pl.Int8).to_numpy(),
            levels,
            method=method,
        )
    )


def subset_differences(
    responses: pl.DataFrame,
    flags: pl.DataFrame,
    cut_offs: pl.DataFrame,
    *,
    reference: str,
    arms: Sequence[str],
    strata: Sequence[str],
    method: str = "newcombe",
) -> pl.DataFrame:
    """Compare response rates of each active arm with the reference, overall and by level.

    Parameters
    ----------
    responses : DataFrame
        usubjid, arm, endpoint, avisitn, response (1, 0 or null), one text column per stratum.
    flags : DataFrame
        adam.subset_flags.
    cut_offs : DataFrame
        ref.cut_offs.
    reference : str
        Arm compared with.
    arms : sequence of str
        All arms, in dose order.
    strata : sequence of str
        Columns of the strata.
    method : str
        Interval: newcombe, mn, sato or wald.

    Returns
    -------
    DataFrame
        One row per endpoint, visit, active arm, cut-off and level; ``all`` of ``all`` is overall.

    References
    ----------
    .. [1] Yan X, Su XG (2010), Stat Biopharm Res 2(3), 323-335: stratified Newcombe interval.
    """
    by_subject = flags.select(pl.col("USUBJID").alias("usubjid"), "cut_off", "level")
    wanted: list[tuple[str, str, str]] = [(ALL, ALL, "Overall")]
    for row in cut_offs.iter_rows(named=True):
        wanted += [(row["cut_off"], level, f"{row['label']} {level}") for level in ("high", "low")]
    rows: list[dict[str, object]] = []
    for (endpoint, visit), group in responses.group_by("endpoint", "avisitn", maintain_order=True):
        for active in (arm for arm in arms if arm != reference):
            for order, (cut_off, level, label) in enumerate(wanted, start=1):
                chosen = group if cut_off == ALL else _at_level(group, by_subject, cut_off, level)
                found = _difference(
                    chosen, active=active, reference=reference, strata=strata, method=method
                )
                rows.append(
                    {
                        "endpoint": endpoint,
                        "avisitn": visit,
                        "active_arm": active,
                        "cut_off": cut_off,
                        "level": level,
                        "label": label,
                        "row_order": order,
                        **found,
                    }
                )
    return pl.DataFrame(rows, infer_schema_length=None)


def _at_level(
    group: pl.DataFrame, by_subject: pl.DataFrame, cut_off: str, level: str
) -> pl.DataFrame:
    at = by_subject.filter(pl.col("cut_off") == cut_off, pl.col("level") == level)
    return group.join(at.select("usubjid"), on="usubjid", how="semi")
