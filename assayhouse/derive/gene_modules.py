"""Gene expression to module scores, on log2 and on ratio scale. Names no gene and reads no file.

Expression of a gene is its signal over the geometric mean of the reference genes of the same
specimen; a module's score is the mean of the log2 expressions of its genes. A signal below
detection is left-censored at the detection limit; too many of them, and there is no score.
"""

import polars as pl

CENSORED = "too many genes below detection"
INCOMPLETE = "a gene of the module is missing"
_SPECIMEN = ("USUBJID", "REFID")


def derive_expression(signals: pl.DataFrame, *, references: tuple[str, ...]) -> pl.DataFrame:
    """Normalise signals by the reference genes of their specimen.

    Parameters
    ----------
    signals : DataFrame
        USUBJID, REFID, gene, signal (above zero, any unit), censored (True: the signal is the
        detection limit, the true one is below it).
    references : tuple of str
        Genes whose geometric mean is the reference. All of them are needed.

    Returns
    -------
    DataFrame
        USUBJID, REFID, gene, log2_expression, censored; genes that are no references, sorted.
        A specimen that lacks a reference signal has no row.

    Examples
    --------
    >>> signals = pl.DataFrame({"USUBJID": ["s"] * 3, "REFID": ["a"] * 3, "gene": ["R", "Q", "G"],
    ...     "signal": [2.0, 8.0, 16.0], "censored": [False] * 3})
    >>> derive_expression(signals, references=("R", "Q"))["log2_expression"].to_list()
    [2.0]
    """
    known = signals.filter(pl.col("signal") > 0.0).with_columns(
        pl.col("signal").log(2.0).alias("log2_signal")
    )
    base = (
        known.filter(pl.col("gene").is_in(references) & ~pl.col("censored"))
        .sort(*_SPECIMEN, "gene")
        .group_by(*_SPECIMEN, maintain_order=True)
        .agg(pl.col("log2_signal").mean().alias("reference"), pl.col("gene").n_unique().alias("k"))
        .filter(pl.col("k") == len(references))
    )
    return (
        known.filter(~pl.col("gene").is_in(references))
        .join(base, on=_SPECIMEN, how="inner")
        .select(
            *_SPECIMEN,
            "gene",
            (pl.col("log2_signal") - pl.col("reference")).alias("log2_expression"),
            "censored",
        )
        .sort(*_SPECIMEN, "gene")
    )


def collapse_probes(expression: pl.DataFrame) -> pl.DataFrame:
    """Average the probes of a gene, so that a gene counts once however often it was measured.

    Parameters
    ----------
    expression : DataFrame
        USUBJID, REFID, gene, log2_expression (null where a probe has none), censored; any number
        of rows per specimen and gene.

    Returns
    -------
    DataFrame
        The same columns, one row per specimen and gene, sorted. The log2 expression is the mean
        over the probes that have one; it is censored where any of these is.

    Examples
    --------
    >>> probes = pl.DataFrame({"USUBJID": ["s"] * 2, "REFID": ["a"] * 2, "gene": ["G"] * 2,
    ...     "log2_expression": [1.0, 4.0], "censored": [False, False]})
    >>> collapse_probes(probes)["log2_expression"].to_list()
    [2.5]
    """
    measured = pl.col("log2_expression").is_not_null()
    return (
        expression.sort(*_SPECIMEN, "gene", "log2_expression", "censored")
        .group_by(*_SPECIMEN, "gene", maintain_order=True)
        .agg(
            pl.col("log2_expression").mean(),
            (pl.col("censored").fill_null(value=False) & measured).any(),
        )
    )


def derive_module_scores(
    expression: pl.DataFrame, modules: pl.DataFrame, *, max_censored_pct: float = 50.0
) -> pl.DataFrame:
    """Average log2 expressions over the genes of each module.

    Parameters
    ----------
    expression : DataFrame
        USUBJID, REFID, gene, log2_expression, censored; several probes of a gene are averaged
        first.
    modules : DataFrame
        module, gene.
    max_censored_pct : float
        Share of a module's genes that may be below detection, percent of the module.

    Returns
    -------
    DataFrame
        One row per specimen and module, sorted: USUBJID, REFID, module, score_log2 (mean of
        log2 expressions), score_ratio (2 to that power), n_genes, n_genes_used,
        n_genes_censored, operator (``<`` where a censored gene went in), reasons (why there is
        no score, else null).
    """
    specimens = expression.select(_SPECIMEN).unique(maintain_order=True)
    wanted = specimens.join(modules, how="cross")
    once = collapse_probes(expression)
    joined = wanted.join(once, on=[*_SPECIMEN, "gene"], how="left").sort(
        *_SPECIMEN, "module", "gene"
    )
    counted = joined.group_by(*_SPECIMEN, "module", maintain_order=True).agg(
        pl.len().alias("n_genes"),
        pl.col("log2_expression").is_not_null().sum().alias("n_genes_used"),
        pl.col("censored").fill_null(value=False).sum().alias("n_genes_censored"),
        pl.col("log2_expression").mean().alias("mean"),
    )
    censored_pct = 100.0 * pl.col("n_genes_censored") / pl.col("n_genes")
    reasons = (
        pl.when(pl.col("n_genes_used") < pl.col("n_genes"))
        .then(pl.lit(INCOMPLETE))
        .when(censored_pct > max_censored_pct)
        .then(pl.lit(CENSORED))
    )
    score = pl.when(pl.col("reasons").is_null()).then(pl.col("mean"))
    return (
        counted.with_columns(reasons.alias("reasons"))
        .with_columns(
            score.alias("score_log2"),
            pl.lit(2.0).pow(score).alias("score_ratio"),
            pl.when(pl.col("reasons").is_null() & (pl.col("n_genes_censored") > 0))
            .then(pl.lit("<"))
            .otherwise(pl.lit(""))
            .alias("operator"),
        )
        .select(
            *_SPECIMEN,
            "module",
            "score_log2",
            "score_ratio",
            "n_genes",
            "n_genes_used",
            "n_genes_censored",
            "operator",
            "reasons",
        )
    )
