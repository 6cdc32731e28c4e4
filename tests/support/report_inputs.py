"""Inputs for the report's tests: results and reference tables as the pipeline would hand them in.

Numbers are drawn from a seeded generator around shapes typical of such trials; no test reads
anything into their size.
"""

import math

import numpy as np
import polars as pl

SCHEMA = {
    "paramcd": pl.String, "avisitn": pl.Int64, "response": pl.String, "subgroup": pl.String,
    "term": pl.String, "arm": pl.String, "estimate": pl.Float64, "se": pl.Float64,
    "df": pl.Float64, "statistic": pl.Float64, "ci_lo": pl.Float64, "ci_hi": pl.Float64,
    "p": pl.Float64, "p_adj": pl.Float64, "family": pl.String, "n": pl.Int64,
    "n_observed": pl.Int64, "n_imputed": pl.Int64, "pct_blq": pl.Float64, "status": pl.String,
    "reasons": pl.String, "spec_hash": pl.String, "unit": pl.String, "scale": pl.String,
    "method": pl.String, "seed": pl.Int64, "inputs": pl.String, "code_version": pl.String,
}  # fmt: skip
METHOD = "M-estimation (Huber, k = 1.345) of the change on arm, baseline and strata; observed cases"
CYTOKINES = {
    "IL2": ("Interleukin-2", 0.25, (0.2, 0.9, 1.44)),
    "IL10": ("Interleukin-10", 1.9, (0.05, -0.1, 0.12)),
    "IL17A": ("Interleukin-17A", 0.6, (-0.05, 0.04, -0.12)),
    "IL17F": ("Interleukin-17F", 12.0, (0.03, 0.1, -0.02)),
    "IL21": ("Interleukin-21", 6.0, (-0.1, 0.0, 0.1)),
    "BLYS": ("B lymphocyte stimulator (TNFSF13B)", 900.0, (0.04, -0.05, 0.02)),
}


def demo_arms() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "ARMCD": ["D045", "PBO", "D015", "D030"],
            "ARM": ["0.45 mg", "Placebo", "0.15 mg", "0.30 mg"],
            "arm_order": [4, 1, 2, 3],
            "dose_mg": [0.45, 0.0, 0.15, 0.3],
            "is_reference": [False, True, False, False],
        }
    )


def demo_visits() -> pl.DataFrame:
    return visit_windows((0, 4, 12, 24))


def visit_windows(weeks) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "AVISITN": list(weeks),
            "AVISIT": ["Baseline" if week == 0 else f"Week {week}" for week in weeks],
            "target_day": [1 + 7 * week for week in weeks],
            "first_day": [1 + 7 * week - 6 for week in weeks],
            "last_day": [1 + 7 * week + 7 for week in weeks],
            "is_baseline": [week == 0 for week in weeks],
        }
    )


def demo_parameters() -> pl.DataFrame:
    return parameter_table({code: name for code, (name, _, _) in CYTOKINES.items()}, "pg/mL")


def parameter_table(names: dict, unit: str, scale: str = "linear") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "PARAMCD": list(names),
            "PARAM": list(names.values()),
            "unit": [unit] * len(names),
            "scale": [scale] * len(names),
            "assay": ["immunoassay"] * len(names),
        }
    )


def row(  # noqa: PLR0917 - a line of a table, in the table's order
    paramcd, avisitn, response, term, arm, estimate, se, *, n=252, status="ok", reasons=""
):
    """One row of ard.effects; one that is not ok carries no numbers, as the analysis writes it."""
    ok = status == "ok"
    p = math.erfc(abs(estimate / se) / math.sqrt(2)) if ok else None
    values = {
        "paramcd": paramcd, "avisitn": avisitn, "response": response, "subgroup": "all",
        "term": term, "arm": arm, "estimate": estimate if ok else None, "se": se if ok else None,
        "df": float(n - 6) if ok else None, "statistic": estimate / se if ok else None,
        "ci_lo": estimate - 1.96 * se if ok else None,
        "ci_hi": estimate + 1.96 * se if ok else None, "p": p, "n": n, "n_observed": n,
        "n_imputed": 0, "pct_blq": 1.5, "status": status, "reasons": reasons,
        "spec_hash": "5f2c9a7be1d0", "unit": "pg/mL", "scale": "linear", "method": METHOD,
        "inputs": "adam.adbm@3", "code_version": "0.1.0+97aa6f2",
    }  # fmt: skip
    return {name: values.get(name) for name in SCHEMA}


def demo_effects(*, refused: bool = True) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    rows = []
    for code, (_, level, shifts) in CYTOKINES.items():
        for week in (4, 12, 24):
            rows += _visit(
                rng, code, week, level, arms=("PBO", "D015", "D030", "D045"), shifts=(0.02, *shifts)
            )
    frame = pl.DataFrame(rows, schema=SCHEMA)
    return refuse(frame, "IL21", 4) if refused else frame


def refuse(frame: pl.DataFrame, paramcd: str, avisitn: int) -> pl.DataFrame:
    here = (pl.col("paramcd") == paramcd) & (pl.col("avisitn") == avisitn)
    numbers = ("estimate", "se", "df", "statistic", "ci_lo", "ci_hi", "p")
    return frame.with_columns(
        *(pl.when(~here).then(pl.col(name)).alias(name) for name in numbers),
        status=pl.when(here).then(pl.lit("blq_majority")).otherwise("status"),
        reasons=pl.when(here)
        .then(pl.lit("more than half of the values lie below the limit; use rank_comparison"))
        .otherwise("reasons"),
    )


def _visit(rng, code, week, level, *, arms, shifts):
    size = level * 0.09
    rows = []
    n = int(rng.integers(235, 282))
    for arm, shift in zip(arms, shifts, strict=True):
        ramp = min(1.0, 0.6 + week / 60)
        mean = level * shift * ramp + rng.normal(0, size / 3)
        rows.append(row(code, week, "chg", "lsmean", arm, mean, size, n=n))
        if arm != arms[0]:
            gap = level * (shift - shifts[0]) * ramp
            rows.append(row(code, week, "chg", "diff", arm, gap, size * 1.4, n=n))
            percent = 100 * (shift - shifts[0]) * ramp + rng.normal(0, 3)
            rows.append(row(code, week, "pchg", "diff", arm, percent, 12.0, n=n))
    return rows


CHEMISTRY = (
    "Alanine Aminotransferase", "Albumin", "Alkaline Phosphatase", "Aspartate Aminotransferase",
    "Bilirubin", "Blood Urea Nitrogen", "Calcium", "Chloride", "Cholesterol", "Creatine Kinase",
    "Creatinine", "Gamma Glutamyl Transferase", "Glucose", "Phosphate", "Potassium", "Protein",
    "Sodium", "Urate",
)  # fmt: skip
CHEMISTRY_WEEKS = (0, 2, 4, 6, 8, 12, 16, 20, 24, 26)


def chemistry():
    """Effects, arms, parameters and visits of a study with 3 arms, 18 parameters, 9 visits."""
    rng = np.random.default_rng(11)
    names = {f"CHEM{rank:02d}": f"{name} (U/L)" for rank, name in enumerate(CHEMISTRY, start=1)}
    rows = []
    for code in names:
        level = float(rng.choice([0.8, 12.0, 140.0, 2600.0]))
        shifts = (0.01, float(rng.normal(0, 0.15)), float(rng.normal(0, 0.25)))
        for week in CHEMISTRY_WEEKS[1:]:
            rows += _visit(rng, code, week, level, arms=("Pbo", "Xan_Lo", "Xan_Hi"), shifts=shifts)
    arms = pl.DataFrame(
        {
            "ARMCD": ["Pbo", "Xan_Lo", "Xan_Hi"],
            "ARM": ["Placebo", "Xanomeline Low Dose", "Xanomeline High Dose"],
            "arm_order": [0, 1, 2],
            "dose_mg": [0.0, 54.0, 81.0],
            "is_reference": [True, False, False],
        }
    )
    effects = pl.DataFrame(rows, schema=SCHEMA)
    return effects, arms, parameter_table(names, "U/L"), visit_windows(CHEMISTRY_WEEKS)
