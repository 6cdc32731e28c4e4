"""Results of a population model as the report receives them: small, with known numbers."""

import polars as pl

from assayhouse.report.exposure_twin import ExposureTables

DOSES = ((0.15, "A", 1.0), (0.3, "B", 2.0), (0.45, "C", 3.0))
METHOD = "a model"
NUMBERS = (
    *("box_median", "box_q1", "box_q3", "whisker_low", "whisker_high"),
    *("geomean", "geocv_pct"),
)


def arms():
    rows = [("P", "Placebo", 0, True, 0.0)]
    rows += [(code, f"Drug {dose:g} mg", rank, False, dose)
             for rank, (dose, code, _) in enumerate(DOSES, start=1)]  # fmt: skip
    schema = ("ARMCD", "ARM", "arm_order", "is_reference", "dose_mg")
    return pl.DataFrame(rows, schema=schema, orient="row")


def cut_offs():
    return pl.DataFrame({"cut_off": ["K1", "K2"], "label": ["First module", "Second module"]})


def values():
    """Twelve subjects per dose at 5 to 16 times the dose's factor, the last far beyond."""
    rows = []
    for dose, arm, factor in DOSES:
        for place in range(12):
            value = factor * (5.0 + place if place < 11 else 60.0)
            rows.append((f"{arm}{place:02d}", arm, dose, value))
    return pl.DataFrame(rows, schema=("usubjid", "arm", "dose_mg", "exposure_value"), orient="row")


def exposure():
    return values().with_columns(pl.lit("AUCss").alias("exposure_measure"))


def flags():
    """Even numbers are high under the first cut-off, all low under the second."""
    ids = values()["usubjid"]
    high = [int(name[1:]) % 2 == 0 for name in ids]
    first = pl.DataFrame({"USUBJID": ids, "cut_off": ["K1"] * len(ids),
                          "level": ["high" if one else "low" for one in high]})  # fmt: skip
    return pl.concat([first, first.with_columns(cut_off=pl.lit("K2"), level=pl.lit("low"))])


def box(measure, cut, level, dose, own, *, unit="h*ng/mL", missing=1, limit=None):
    """Numbers of one box; whiskers end before the value that lies beyond."""
    known = own.sort()
    inside = known.filter(known < (limit or 200 * dose)) if known.len() else known
    numbers = dict.fromkeys(NUMBERS)
    if known.len():
        numbers = {
            "box_median": known.median(),
            "box_q1": known.quantile(0.25, interpolation="linear"),
            "box_q3": known.quantile(0.75, interpolation="linear"),
            "whisker_low": inside.min(),
            "whisker_high": inside.max(),
            "geomean": known.log().mean(),
            "geocv_pct": 30.0,
        }
    keys = {"exposure_measure": measure, "cut_off": cut, "level": level, "dose_mg": dose}
    counts = {"n_subjects": known.len(), "n_missing": missing, "n_blq_only": 0}
    return {**keys, **counts, **numbers, "unit": unit}


def summary(*, empty=False):
    rows, table, levels = [], values(), flags()
    for dose, _, _ in DOSES:
        own = table.filter(pl.col("dose_mg") == dose)
        shown = own["exposure_value"].head(0 if empty else None or own.height)
        rows.append(box("AUCss", "", "", dose, shown))
        rows.append(box("AUCss, every sampled subject", "", "", dose, shown, missing=0))
        rows.append(box("AUCss per mg", "", "", dose, shown / dose, unit="h*ng/mL/mg", limit=200))
        for cut in ("K1", "K2"):
            for level in ("high", "low"):
                ids = levels.filter(pl.col("cut_off") == cut, pl.col("level") == level)["USUBJID"]
                part = own.filter(pl.col("usubjid").is_in(ids.to_list()))["exposure_value"]
                if part.len():
                    rows.append(box("AUCss", cut, level, dose, part.head(0) if empty else part))
    frame = pl.DataFrame(rows, infer_schema_length=None)
    numbers = [name for name, kind in frame.schema.items() if kind == pl.Null]
    return frame.with_columns(pl.col(numbers).cast(pl.Float64))


def proportionality(*, failed=False):
    given = {
        "dose_slope": 0.84, "ci_lo": 0.76, "ci_hi": 0.92, "ci_level": 0.9, "dose_ratio": 3.0,
        "ratio": 2.52, "ratio_lo": 2.31, "ratio_hi": 2.76, "region_lo": 0.8, "region_hi": 1.2,
        "conclusion": "inconclusive",
    }  # fmt: skip
    rows = []
    for run, rule, measure, n in (
        ("main", "quantifiable", "AUCss", 36),
        ("sensitivity", "observed", "AUCss, every sampled subject", 39),
    ):
        told = dict.fromkeys(given) if failed else given
        status = "not_available" if failed else "ok"
        rows.append(
            {"run": run, "subject_rule": rule, "exposure_measure": measure, "n_subjects": n,
             "n_missing": 3, **told, "status": status, "method": METHOD,
             "reasons": "not available: the main run is FAILED." if failed else ""}
        )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def tables(*, failed=False):
    return ExposureTables(
        summary=summary(empty=failed), exposure=exposure(), flags=flags(), cut_offs=cut_offs(),
        proportionality=proportionality(failed=failed), arms=arms(), measure="AUCss",
        inset="AUCss per mg",
    )  # fmt: skip


def forest(*, failed=False):
    if failed:
        rows = [("none", "none", 1, None, None, None, None, None, None, None, None,
                 "not_available", "not available: the main run is FAILED.")]  # fmt: skip
    else:
        rows = [
            ("WT", "WT 5th percentile (50)", 1, 90, 1.09, 1.02, 1.17, True, 0.8, 1.25, 0.9,
             "ok", ""),
            ("SEX", "SEX M", 2, 20, 0.9, 0.7, 1.1, False, 0.8, 1.25, 0.9, "ok", ""),
            ("RACE", "RACE X", 3, 9, 1.0, None, None, None, 0.8, 1.25, 0.9, "ok", ""),
        ]  # fmt: skip
    names = ("covariate", "label", "row_order", "n_subjects", "ratio", "ratio_lo", "ratio_hi",
             "within_band", "region_lo", "region_hi", "ci_level", "status", "reasons")  # fmt: skip
    kinds = dict.fromkeys(("ratio", "ratio_lo", "ratio_hi", "region_lo", "region_hi", "ci_level"),
                          pl.Float64)  # fmt: skip
    frame = pl.DataFrame(rows, schema=names, orient="row",
                         schema_overrides={**kinds, "within_band": pl.Boolean})  # fmt: skip
    return frame.with_columns(pl.lit(METHOD).alias("method"))


def predictions():
    rows = []
    for source, shift, times in (("earlier", 0.0, (1.0, 2.0, 4.0)), ("trial", 0.1, (672.0,))):
        for place in range(20):
            for time in times:
                pred = 2.0 / time + 0.05 * place + shift
                rows.append((source, time, pred * 1.1, 0, pred, pred * 1.05, 0.1 * (place - 10)))
    rows.append(("trial", 672.0, None, 1, 0.01, 0.02, None))
    names = ("pk_source", "AFRLT", "DV", "BLQFN", "pred", "ipred", "cwres")
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(pl.lit(METHOD).alias("method"))


def check():
    rows = []
    for source, times in (("earlier", (1.0, 24.0)), ("trial", (672.0, 2016.0))):
        for number, time in enumerate(times, start=1):
            for level, middle in ((0.05, 0.5), (0.5, 1.0), (0.95, 2.0), (-1.0, 0.1)):
                low = None if source == "trial" and level == 0.05 else 0.8 * middle
                rows.append((source, number, level, time, middle, low, middle, 1.2 * middle, 50))
    names = ("pk_source", "bin", "quantile", "AFRLT", "of_samples", "sim_low", "sim_median",
             "sim_high", "n_replicates")  # fmt: skip
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(pl.lit(METHOD).alias("method"))


def parameters(*, failed=False):
    values = (20.0, 0.5, 2.5, 19.0, 21.0) if not failed else (None,) * 5
    rows = [("main", "CL", *values[:1], "L/h", *values[1:], None),
            ("main", "omega2(CL)", *values[:1], "1", *values[1:], None if failed else 5.0),
            ("sensitivity", "CL", *values[:1], "L/h", *values[1:], None)]  # fmt: skip
    names = ("run", "pk_parameter", "estimate", "estimate_unit", "se", "rse_pct", "ci_lo", "ci_hi",
             "shrinkage_pct")  # fmt: skip
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(
        pl.lit("FAILED" if failed else "WARN").alias("status"),
        pl.lit("hessian_not_pd: flat." if failed else "shrinkage: KA.").alias("reasons"),
        pl.lit(METHOD).alias("method"),
    )
