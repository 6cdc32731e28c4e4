"""Relation adam.module_scores: gene rows in, scores in the shape of results out."""

import polars as pl

from assayhouse.contracts.plan import Expression
from assayhouse.derive.gene_modules import derive_expression, derive_module_scores
from assayhouse.errors import DeclarationError
from assayhouse.pipeline.context import BuildContext

CATEGORY = "GENE EXPRESSION"
_FAILED = ("FAIL",)
_SOURCE = ("source_file", "source_line", "sha256", "receipt")


def chosen_rows(genes: pl.DataFrame, *, signal: str) -> pl.DataFrame:
    """One signal per specimen and gene: of injections that passed, the last one.

    Returns
    -------
    DataFrame
        USUBJID, REFID, gene, signal, censored, and where the row came from.
    """
    column = {"area": "area", "height": "height_rfu"}[signal]
    usable = genes.filter(
        ~pl.col("qc_fl").fill_null("").is_in(_FAILED), pl.col("result_status").ne_missing("C")
    )
    last = pl.col("injection").cast(pl.Int64, strict=False)
    return (
        usable.sort("USUBJID", "GFREFID", "GFSYM", last, "GFSEQ", nulls_last=False)
        .group_by("USUBJID", "GFREFID", "GFSYM", maintain_order=True)
        .last()
        .select(
            "STUDYID",
            "USUBJID",
            pl.col("GFREFID").alias("REFID"),
            "VISIT",
            pl.col("GFDTC").alias("DTC"),
            pl.col("GFSYM").alias("gene"),
            pl.col(column).alias("signal"),
            pl.col("below_detection_fl").eq_missing("Y").alias("censored"),
            "GFSTRESN",
            "scale",
            *_SOURCE,
        )
    )


def _expression(rows: pl.DataFrame, rules: Expression) -> pl.DataFrame:
    """Own normalisation where reference genes are declared, else the delivered one."""
    if rules.references:
        return derive_expression(rows, references=rules.references)
    log2 = (
        pl.when(pl.col("scale").eq("log2"))
        .then(pl.col("GFSTRESN"))
        .when(pl.col("scale").eq("ratio") & (pl.col("GFSTRESN") > 0.0))
        .then(pl.col("GFSTRESN").log(2.0))
    )
    return (
        rows.with_columns(log2.alias("log2_expression"))
        .filter(pl.col("log2_expression").is_not_null())
        .select("USUBJID", "REFID", "gene", "log2_expression", "censored")
    )


def _long(scores: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Two rows per score: the ratio under the module's code, the log2 under its own."""
    known = scores.join(names, on="module", how="left")
    ratio = known.with_columns(
        pl.col("module").alias("TESTCD"), pl.col("score_ratio").alias("STRESN")
    )
    log2 = known.with_columns(
        pl.col("log2_paramcd").alias("TESTCD"), pl.col("score_log2").alias("STRESN")
    )
    return pl.concat([ratio, log2])


def _reported(mapped: pl.DataFrame) -> pl.DataFrame:
    return (
        mapped.select(
            "REFID",
            "TESTCD",
            pl.col("number").cast(pl.Float64, strict=False).alias("reported_score"),
            pl.col("scale").alias("reported_scale"),
        )
        .sort("REFID", "TESTCD")
        .unique(["REFID", "TESTCD", "reported_scale"], keep="first", maintain_order=True)
    )


def _named(frame: pl.DataFrame, parameters: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    known = parameters.select(
        pl.col("PARAMCD").alias("TESTCD"),
        pl.col("PARAM").alias("TEST"),
        pl.col("unit").alias("STRESU"),
        pl.col("scale"),
    )
    return (
        frame.join(known, on="TESTCD", how="inner")
        .join(
            reported,
            left_on=["REFID", "TESTCD", "scale"],
            right_on=["REFID", "TESTCD", "reported_scale"],
            how="left",
        )
        .with_columns(
            (pl.col("STRESN") - pl.col("reported_score")).alias("score_difference"),
            pl.col("STRESN").round_sig_figs(12).cast(pl.String).alias("STRESC"),
        )
    )


def module_scores(context: BuildContext) -> pl.DataFrame:
    """Compute every module's score in every specimen.

    Raises
    ------
    DeclarationError
        The study declares modules without rules of expression.
    """
    rules = context.declarations.study.plan.expression
    if rules is None:
        message = "modules need `expression` in study.yaml: version and reference genes. Add it."
        raise DeclarationError(message)
    genes = context.table("ref.module_genes")
    rows = chosen_rows(context.table("sdtm.gf"), signal=rules.signal)
    if rows.is_empty():
        return context.spec.empty()
    scores = derive_module_scores(
        _expression(rows, rules),
        genes.select("module", pl.col("GFSYM").alias("gene")),
        max_censored_pct=rules.max_censored_pct,
    )
    specimen = (
        rows.sort("USUBJID", "REFID", "source_file", "source_line")
        .group_by("USUBJID", "REFID", maintain_order=True)
        .agg(pl.col("STUDYID", "VISIT", "DTC", *_SOURCE).first())
    )
    names = genes.select("module", "log2_paramcd").unique(maintain_order=True)
    full = _named(
        _long(scores, names).join(specimen, on=["USUBJID", "REFID"], how="left"),
        context.table("ref.parameters"),
        _reported(context.mapped("reported_scores")),
    )
    # A gene below detection went in at its limit: n_genes_censored says so, the score is a number.
    shaped = full.with_columns(
        pl.lit(CATEGORY).alias("CAT"),
        pl.lit(None, dtype=pl.Float64).alias("LLOQ"),
        pl.lit(None, dtype=pl.Float64).alias("ULOQ"),
        pl.lit(None, dtype=pl.String).alias("BLFL"),
        pl.lit(None, dtype=pl.Float64).alias("VISITNUM"),
        pl.lit("").alias("value_operator"),
        pl.lit(rules.version).alias("parameter_set"),
        pl.int_range(1, pl.len() + 1)
        .over("USUBJID", order_by=["DTC", "REFID", "TESTCD"])
        .alias("SEQ"),
    )
    return context.spec.conform(shaped).sort(context.spec.key)
