"""Deliveries as the pages list them: the last state, and what the account of lines says."""

from typing import Final

import polars as pl

from assayhouse.report.frames import require_columns

ACCEPTED: Final = ("PUBLISHED", "SUPERSEDED")
OUTCOMES: Final = {
    "accepted": ACCEPTED,
    "rejected": ("REJECTED",),
    "held": ("HELD",),
    "refused": ("REFUSED",),
    "duplicate": ("DUPLICATE",),
    "unfinished": ("RECEIVED", "APPROVED"),
}
OUTSIDE: Final = ("REJECTED", "DUPLICATE")


def list_deliveries(
    receipts: pl.DataFrame, states: pl.DataFrame, line_accounts: pl.DataFrame
) -> pl.DataFrame:
    """Join every receipt with its last state and its account of lines.

    Rows count as accepted only once they are published; of a rejected or a duplicate file no
    row is counted at all.

    Parameters
    ----------
    receipts, states, line_accounts : polars.DataFrame
        ``intake.receipts``, ``intake.states``, ``intake.line_accounts``.

    Returns
    -------
    polars.DataFrame
        One row per receipt in order: receipt, vendor, layout, file_name, sha256, transfer_no,
        state, why, outcome, physical_lines, accepted_rows, quarantined_rows, balanced.
    """
    require_columns(
        receipts,
        ("receipt", "vendor", "layout", "file_name", "sha256", "transfer_no"),
        name="intake.receipts",
    )
    require_columns(states, ("seq", "receipt", "state", "why"), name="intake.states")
    require_columns(
        line_accounts,
        ("receipt", "physical_lines", "accepted_rows", "quarantined_rows", "balanced"),
        name="intake.line_accounts",
    )
    last = (
        states.sort("receipt", "seq")
        .unique("receipt", keep="last", maintain_order=True)
        .select(pl.col("receipt").cast(pl.Int64), pl.col("state").cast(pl.String), "why")
    )
    lines = line_accounts.group_by(pl.col("receipt").cast(pl.Int64)).agg(
        pl.col("physical_lines", "accepted_rows", "quarantined_rows").sum(),
        pl.col("balanced").all(),
    )
    outcome = {state: name for name, group in OUTCOMES.items() for state in group}
    return (
        receipts.select(
            pl.col("receipt").cast(pl.Int64),
            pl.col("vendor", "layout", "file_name", "sha256").cast(pl.String),
            pl.col("transfer_no").cast(pl.Int64),
        )
        .join(last, on="receipt", how="left")
        .join(lines, on="receipt", how="left")
        .with_columns(pl.col("state").fill_null("RECEIVED"), pl.col("why").fill_null(""))
        .with_columns(
            outcome=pl.col("state").replace_strict(outcome, default="unfinished"),
            accepted_rows=pl.when(pl.col("state").is_in(ACCEPTED)).then("accepted_rows"),
            quarantined_rows=pl.when(~pl.col("state").is_in(OUTSIDE)).then("quarantined_rows"),
        )
        .sort("receipt")
    )


def account_words(*, balanced: bool | None) -> str:
    """Say in words how an account of lines ends.

    Parameters
    ----------
    balanced : bool or None
        As stored; None where the file was not counted.

    Returns
    -------
    str
        One or two words.
    """
    if balanced is None:
        return "no account"
    return "balanced" if balanced else "NOT BALANCED"
