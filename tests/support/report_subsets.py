"""Inputs for tests of forest plots, distributions, cut points and their tables.

Small and made up by rule; every number of a row can be told from its place.
"""

from datetime import date

import polars as pl

CUTS = (("MODA", "Module A", -0.5, "high"), ("MODB", "Module B", 0.25, "low"))


def cut_offs() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "cut_off": name, "label": label, "PARAMCD": f"{name}L", "scale": "log2",
                "cut_off_rule": "median", "cut_off_value": value, "level_of_interest": level,
                "set_version": "T-1", "source": "a training set",
            }
            for name, label, value, level in CUTS
        ]
    )  # fmt: skip


def subset_flags() -> pl.DataFrame:
    """Twenty subjects with values -1.0, -0.9 ... 0.9; two more without a value."""
    rows = []
    for name, _, value, _ in CUTS:
        for rank in range(20):
            base = (rank - 10) / 10
            level = "high" if base > value else "low"
            rows.append((f"S{rank:02d}", name, base, level))
        rows += [(f"S{rank}", name, None, None) for rank in (20, 21)]
    names = ("USUBJID", "cut_off", "BASE", "level")
    return pl.DataFrame(rows, schema=names, orient="row")


def subsets(*, arm="D045", visit=24) -> pl.DataFrame:
    listed = [("all", "all", "Overall", 19.4), ("MODA", "high", "Module A high", 8.0),
              ("MODA", "low", "Module A low", 32.9), ("MODB", "high", "Module B high", None),
              ("MODB", "low", "Module B low", -3.0)]  # fmt: skip
    rows = []
    for order, (cut_off, level, label, difference) in enumerate(listed, start=1):
        ok = difference is not None
        rows.append(
            {
                "endpoint": "RESP", "avisitn": visit, "active_arm": arm, "cut_off": cut_off,
                "level": level, "label": label, "row_order": order, "n_active": 40 + order,
                "y_active": 20 + order if ok else None, "n_reference": 30 + order,
                "y_reference": 10 + order if ok else None, "diff_pct": difference,
                "ci_low_pct": difference - 15.0 if ok else None,
                "ci_high_pct": difference + 14.0 if ok else None, "p": 0.01 if ok else None,
                "status": "ok" if ok else "not_estimable",
                "reasons": "" if ok else "one of the arms has no subject",
                "method": "stratified difference",
            }
        )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def baseline_subsets() -> pl.DataFrame:
    rows = []
    for name, label, value, level in CUTS:
        for rank, arm in enumerate(("PBO", "D015", "D030", "D045")):
            n, of = 10 + rank, 20 + rank
            rows.append(
                {
                    "cut_off": name, "label": label, "level": level, "cut_off_value": value,
                    "scale": "log2", "arm": arm, "n_arm": of, "n": n, "n_missing": 1,
                    "pct": 100.0 * n / of, "status": "ok", "reasons": "", "method": "counted",
                }
            )  # fmt: skip
    return pl.DataFrame(rows)


def cut_points(*, found=True, direction="higher") -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "marker": "MODAL", "endpoint": "RESP", "avisitn": 24,
                "direction": direction, "active_arm": "D045", "control_arm": "PBO",
                "effect_difference_pct": 38.0, "effect_difference_corrected_pct": 21.0,
                "rules": '{"test": "lrt", "min_cell": 5}' if found else None,
                "n_high_active": 40, "y_high_active": 30, "n_high_control": 40,
                "y_high_control": 10, "n_low_active": 41, "y_low_active": 15,
                "n_low_control": 39, "y_low_control": 16, "diff_high_pct": 50.0,
                "diff_high_lo": 28.0, "diff_high_hi": 66.0, "diff_low_pct": -4.4,
                "diff_low_lo": -25.0, "diff_low_hi": 17.0,
                "threshold": 0.6 if found else None, "ci_lo": 0.2 if found else None,
                "ci_hi": 0.9 if found else None, "n": 160, "n_boot": 10, "n_failed": 1,
                "p_naive": 0.001, "p_adjusted": 0.2, "p_method": "parametric null, 99 draws",
                "verdict": "No evidence of a cut: searching data without any effect finds as much.",
                "status": "ok" if found else "no_cut", "method": "BATTing",
            }
        ],
        schema_overrides={"threshold": pl.Float64, "ci_lo": pl.Float64, "ci_hi": pl.Float64},
    )  # fmt: skip


def bootstrap() -> pl.DataFrame:
    cuts = [0.2, 0.5, 0.55, 0.6, 0.6, 0.6, 0.7, 0.8, 0.9, float("nan")]
    return pl.DataFrame({"marker": "MODAL", "replicate": range(10), "cut": cuts})


def response_curves() -> pl.DataFrame:
    rows = []
    for arm, start, slope in (("PBO", 40.0, -3.0), ("D045", 50.0, 5.0)):
        for rank in range(8):
            rate = start + slope * rank
            rows.append(
                {
                    "marker": "MODAL", "endpoint": "RESP", "avisitn": 24, "arm": arm,
                    "threshold": -1.0 + 0.25 * rank, "n": 80 - 10 * rank, "y": 4 + rank,
                    "rate_pct": rate, "rate_lo": rate - 5, "rate_hi": rate + 5,
                    "band_lo": rate - 9, "band_hi": rate + 9, "method": "counted above",
                }
            )  # fmt: skip
    frame = pl.DataFrame(rows)
    gap = (pl.col("arm") == "PBO") & (pl.col("threshold") > 0.7)
    numbers = ("rate_pct", "rate_lo", "rate_hi", "band_lo", "band_hi")
    return frame.with_columns(pl.when(~gap).then(pl.col(name)).alias(name) for name in numbers)


def validation() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "marker": ["MODAL"], "arm": ["D030"], "row_order": [1], "n_high_active": [40],
            "y_high_active": [22], "n_high_control": [41], "y_high_control": [12],
            "direction": ["higher"], "n_low_active": [0], "y_low_active": [0],
            "n_low_control": [39], "y_low_control": [16],
            "diff_high_pct": [25.7], "diff_high_lo": [4.0], "diff_high_hi": [44.0],
            "diff_low_pct": [None], "diff_low_lo": [None], "diff_low_hi": [None],
            "p": [0.04], "status": ["ok"],
        }
    )  # fmt: skip


def module_cutoffs() -> pl.DataFrame:
    return cut_offs().with_columns(
        n=pl.lit(20), decision=pl.lit("unimodal"), trial_value=pl.lit(-0.05)
    )


def cut_off_rules() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "cut_off": "MODA", "label": "people outside the trial", "made_on": date(2018, 2, 1),
                "n": 96, "decision": "bimodal", "dip_p": 0.001, "silverman_p": 0.01,
                "cut_off_rule": "antimode", "unrounded": -1.3801, "ci_lo": -1.5, "ci_hi": -1.2,
                "h_crit_2": 0.252, "values_sha256": "abcdef0123456789",
            }
        ]
    )  # fmt: skip
