"""Data quality as the report shows it: deliveries, quarantine by rule, deltas. Counts only."""

from collections.abc import Sequence

import polars as pl

from assayhouse.report.deliveries import account_words, list_deliveries
from assayhouse.report.frames import require_columns
from assayhouse.report.html import Column, Content, Markup, table, tag
from assayhouse.report.words import DASH

DELTA_CLASSES = ("SAME", "NEW", "CHANGED", "COSMETIC", "VANISHED")
DELIVERY_COLUMNS = (
    Column(title="Receipt", numeric=True),
    Column(title="Vendor"),
    Column(title="Layout"),
    Column(title="File"),
    Column(title="Transfer", numeric=True),
    Column(title="State"),
    Column(title="Rows accepted", numeric=True),
    Column(title="Rows quarantined", numeric=True),
    Column(title="Physical lines", numeric=True),
    Column(title="Account of lines"),
)


def quality_section(
    *,
    receipts: pl.DataFrame,
    states: pl.DataFrame,
    line_accounts: pl.DataFrame,
    quarantine: pl.DataFrame,
    deltas: pl.DataFrame,
    extras: Sequence[Markup] = (),
) -> Markup:
    """Return the section on data quality.

    Parameters
    ----------
    receipts, states, line_accounts, quarantine, deltas : polars.DataFrame
        The ``intake`` relations of these names; of the quarantine only counts are shown.
    extras : sequence of Markup
        Tables that follow.

    Returns
    -------
    Markup
        Three tables and those that follow.
    """
    deliveries = list_deliveries(receipts, states, line_accounts)
    return tag(
        "section",
        tag("h2", "Data quality"),
        delivery_table(deliveries),
        _quarantine_table(quarantine),
        _delta_table(deltas, deliveries),
        *extras,
        attributes={"id": "quality"},
    )


def delivery_table(deliveries: pl.DataFrame) -> Markup:
    """Return the table of deliveries.

    Parameters
    ----------
    deliveries : polars.DataFrame
        From `assayhouse.report.deliveries.list_deliveries`.

    Returns
    -------
    Markup
        One row per receipt; a rejected, held or unbalanced one stands out.
    """
    rows: list[list[Content]] = []
    marks: list[str] = []
    for row in deliveries.iter_rows(named=True):
        rows.append(
            [
                row["receipt"],
                row["vendor"],
                row["layout"],
                tag("span", row["file_name"], attributes={"title": f"SHA-256 {row['sha256']}"}),
                _count(row["transfer_no"]),
                row["state"],
                _count(row["accepted_rows"]),
                _count(row["quarantined_rows"]),
                _count(row["physical_lines"]),
                account_words(balanced=row["balanced"]),
            ]
        )
        alarming = row["outcome"] in {"rejected", "held"} or row["balanced"] is False
        marks.append("alarm" if alarming else "")
    return table(
        DELIVERY_COLUMNS,
        rows,
        caption="Deliveries, in order of receipt. Accepted + quarantined + declared non-data lines "
        "= physical lines, where the account is balanced.",
        marks=marks,
        empty="No deliveries.",
    )


def _quarantine_table(quarantine: pl.DataFrame) -> Markup:
    require_columns(quarantine, ("receipt", "layout", "rule"), name="intake.quarantine")
    rows_of = (
        pl.struct("receipt", "source_line").n_unique()
        if "source_line" in quarantine.columns
        else pl.len()
    )
    counts = (
        quarantine.group_by("layout", "rule")
        .agg(deliveries=pl.col("receipt").n_unique(), rows=rows_of)
        .sort("layout", "rule")
        .select("rule", "layout", "deliveries", "rows")
    )
    return table(
        (
            Column(title="Rule"),
            Column(title="Layout"),
            Column(title="Deliveries", numeric=True),
            Column(title="Rows", numeric=True),
        ),
        counts.iter_rows(),
        caption="Quarantined rows by rule. A row may break more than one rule.",
        empty="Nothing is in quarantine.",
    )


def _delta_table(deltas: pl.DataFrame, deliveries: pl.DataFrame) -> Markup:
    require_columns(deltas, ("receipt", "layout", "delta_class", "n_records"), name="intake.deltas")
    files = dict(deliveries.select("receipt", "file_name").iter_rows())
    counts = deltas.group_by("receipt", "layout", "delta_class").agg(pl.col("n_records").sum())
    known = {
        (receipt, layout, name): records for receipt, layout, name, records in counts.iter_rows()
    }
    keys = deltas.select("receipt", "layout").unique().sort("receipt", "layout").iter_rows()
    rows: list[list[Content]] = [
        [
            receipt,
            layout,
            files.get(receipt, ""),
            *(_count(known.get((receipt, layout, name), 0)) for name in DELTA_CLASSES),
        ]
        for receipt, layout in keys
    ]
    return table(
        (
            Column(title="Receipt", numeric=True),
            Column(title="Layout"),
            Column(title="File"),
            *(Column(title=name.capitalize(), numeric=True) for name in DELTA_CLASSES),
        ),
        rows,
        caption="Records of each delivery against the last accepted one.",
        empty="No delivery was compared with an earlier one.",
    )


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else DASH
