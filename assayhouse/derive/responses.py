"""Responses of yes or no: as reported, derived anew from components, and with gaps filled by rule.

Which components make a response is declared as an expression; nothing of a score is known here.
"""

import polars as pl
import polars.selectors as cs

from assayhouse.contracts.plan import Endpoint
from assayhouse.errors import DeclarationError

YES, NO = "Y", "N"
BASE = "base_"
MISSING = "no assessment"
DECIMAL = pl.Decimal(38, 9)


def widen(scores: pl.DataFrame, *, baseline: str) -> pl.DataFrame:
    """One row per subject and later visit: every test as a column, at the visit and at baseline.

    Parameters
    ----------
    scores : DataFrame
        USUBJID, AVISIT, TESTCD, number (null for texts), text.
    baseline : str
        Visit whose values get the prefix ``base_``.

    Returns
    -------
    DataFrame
        USUBJID, AVISIT, one column per test (a number where any result of the test is one, else
        text) and the same with ``base_`` before it.
    """
    parts = []
    for (test,), rows in sorted(scores.group_by("TESTCD"), key=lambda item: str(item[0][0])):
        value = "number" if rows["number"].is_not_null().any() else "text"
        one = rows.select("USUBJID", "AVISIT", pl.col(value).alias(str(test)))
        parts.append(one.unique(["USUBJID", "AVISIT"], keep="last", maintain_order=True))
    wide = scores.select("USUBJID", "AVISIT").unique(maintain_order=True)
    for part in parts:
        wide = wide.join(part, on=["USUBJID", "AVISIT"], how="left")
    at_base = wide.filter(pl.col("AVISIT") == baseline).drop("AVISIT")
    at_base = at_base.rename({name: BASE + name for name in at_base.columns if name != "USUBJID"})
    return wide.filter(pl.col("AVISIT") != baseline).join(at_base, on="USUBJID", how="left")


def _complete(wide: pl.DataFrame, endpoint: Endpoint) -> pl.DataFrame:
    """Add declared components that nobody has delivered yet, as unknown; numbers as decimals.

    Scores are decimal numbers: 1.2 less 0.9 is 0.3 and no less, which binary fractions are not.
    """
    names = [prefix + name for name in endpoint.components for prefix in ("", BASE)]
    absent = [name for name in names if name not in wide.columns]
    return wide.with_columns(
        cs.float().cast(DECIMAL), *(pl.lit(None).alias(name) for name in absent)
    )


def _asked(wide: pl.DataFrame, expression: str | None, endpoint: Endpoint) -> pl.Expr:
    """Evaluate a declared expression: true, false, or null where a component is missing."""
    if expression is None:
        return pl.lit(None, dtype=pl.Boolean)
    try:
        parsed = pl.sql_expr(expression)
        wide.head(0).select(parsed)
    except pl.exceptions.PolarsError as error:
        message = (
            f"endpoint {endpoint.PARAMCD}: the expression `{expression}` cannot be evaluated over "
            f"its components ({', '.join(endpoint.components)}). Correct study.yaml."
        )
        raise DeclarationError(message) from error
    return parsed


def _text(flag: pl.Expr) -> pl.Expr:
    return pl.when(flag).then(pl.lit(YES)).when(~flag).then(pl.lit(NO))


def derive_responses(
    wide: pl.DataFrame, expected: pl.DataFrame, endpoint: Endpoint
) -> pl.DataFrame:
    """Decide one endpoint for every expected subject and visit.

    The reported response is used where there is one, else the rederived one; a difference between
    them is marked, never settled. A subject who meets ``non_responder_if`` at this or an earlier
    visit, or has no response, is a non-responder where the endpoint says so.

    Parameters
    ----------
    wide : DataFrame
        From `widen`.
    expected : DataFrame
        USUBJID, AVISIT, AVISITN: everybody who should have a response.
    endpoint : Endpoint
        Its declaration.

    Returns
    -------
    DataFrame
        USUBJID, AVISIT, AVISITN, AVALC, AVAL, reported_response, rederived_response,
        response_differs_fl, imputed_fl, reasons; sorted.

    Raises
    ------
    DeclarationError
        An expression names a score that is no component, or is no expression.
    """
    wide = _complete(wide, endpoint)
    reported = endpoint.reported
    known = reported is not None and reported in wide.columns
    stated = pl.col(reported or "") if known else pl.lit(None, dtype=pl.String)
    judged = wide.select(
        "USUBJID",
        "AVISIT",
        stated.alias("reported_response"),
        _text(_asked(wide, endpoint.rederived, endpoint)).alias("rederived_response"),
        _asked(wide, endpoint.non_responder_if, endpoint).fill_null(value=False).alias("failed"),
    )
    joined = (
        expected.join(judged, on=["USUBJID", "AVISIT"], how="left")
        .sort("USUBJID", "AVISITN")
        .with_columns(
            pl.col("failed").fill_null(value=False).cum_max().over("USUBJID").alias("failed"),
            pl.coalesce("reported_response", "rederived_response").alias("found"),
        )
    )
    by_rule = pl.lit(endpoint.missing_is_non_responder)
    missing = pl.col("found").is_null()
    changed = by_rule & (pl.col("failed") | missing)
    return joined.with_columns(
        pl.when(changed).then(pl.lit(NO)).otherwise(pl.col("found")).alias("AVALC"),
        _text(pl.col("reported_response").ne(pl.col("rederived_response"))).alias(
            "response_differs_fl"
        ),
        pl.when(changed & pl.col("found").ne_missing(NO)).then(pl.lit(YES)).alias("imputed_fl"),
        pl.when(missing)
        .then(pl.lit(MISSING))
        .when(pl.col("failed"))
        .then(pl.lit("rescue, discontinuation or another declared failure"))
        .alias("reasons"),
    ).select(
        "USUBJID",
        "AVISIT",
        "AVISITN",
        "AVALC",
        pl.col("AVALC").eq(YES).cast(pl.Float64).alias("AVAL"),
        "reported_response",
        "rederived_response",
        "response_differs_fl",
        "imputed_fl",
        "reasons",
    )
