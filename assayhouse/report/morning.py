"""The page of the morning after a nightly run, with its CSV twin. Shows no value of a subject."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from assayhouse.report.deliveries import OUTCOMES, list_deliveries
from assayhouse.report.frames import require_columns
from assayhouse.report.html import Column, Content, Markup, document, facts, join, table, tag
from assayhouse.report.quality import delivery_table
from assayhouse.report.words import DASH

COUNTS = (
    "arrived",
    *OUTCOMES,
    "overdue",
    "accepted_rows",
    "quarantined_rows",
    "findings_new",
)
TITLES = {
    "accepted_rows": "Rows accepted",
    "quarantined_rows": "Rows quarantined",
    "findings_new": "Findings new",
}
ALARMING = ("rejected", "held", "overdue", "unfinished")
FINDING_COLUMNS = (
    "finding_id",
    "vendor",
    "layout",
    "receipt",
    "disposition",
    "rule",
    "source_line",
    "n_rows",
    "message",
)
DISPOSITIONS = {"R": "rejected", "Q": "quarantined", "H": "held", "W": "warning"}
SHOWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """The page and its twin.

    Parameters
    ----------
    html : bytes
        Self-contained page.
    csv : bytes
        Every number and every finding of the page: rows of section ``vendor``, ``overdue`` and
        ``finding``. The page shows the first 500 findings, the CSV all.
    """

    html: bytes
    csv: bytes


def render_morning(
    receipts: pl.DataFrame,
    states: pl.DataFrame,
    line_accounts: pl.DataFrame,
    findings: pl.DataFrame,
    *,
    study: str,
    synthetic: bool,
    expected: pl.DataFrame,
    night: str,
) -> Morning:
    """Write what the night brought, per vendor and per finding.

    Every delivery of the frame counts once: arrived = accepted + rejected + held + refused +
    duplicate + unfinished.

    Parameters
    ----------
    receipts, states, line_accounts, findings : polars.DataFrame
        The ``intake`` relations of these names, restricted by the caller to the deliveries and
        the new findings of the night.
    study : str
        Identity of the study.
    synthetic : bool
        Whether the data are simulated.
    expected : polars.DataFrame
        vendor, layout, due: what was to come. It is overdue when ``due``, an ISO date, is not
        after ``night`` and no delivery of that vendor and layout is among ``receipts``;
        without a date it is never overdue.
    night : str
        ISO date of the night.

    Returns
    -------
    Morning
        HTML and CSV.

    Raises
    ------
    ReportInputError
        A frame lacks a column.
    """
    require_columns(findings, FINDING_COLUMNS, name="intake.findings")
    require_columns(expected, ("vendor", "layout", "due"), name="expected deliveries")
    deliveries = list_deliveries(receipts, states, line_accounts)
    listed = findings.select(FINDING_COLUMNS).sort(
        "vendor", "layout", "receipt", "source_line", "finding_id", nulls_last=True
    )
    overdue = _overdue(expected, deliveries, night)
    vendors = _vendors(deliveries, listed, expected, overdue)
    return Morning(
        html=document(
            title=f"{study}: night of {night}",
            body=(
                _banner(study, night, vendors, synthetic=synthetic),
                _vendor_table(vendors),
                _overdue_table(overdue),
                tag("h2", "Deliveries"),
                delivery_table(deliveries),
                *_reasons(deliveries),
                *_finding_table(listed),
            ),
        ),
        csv=_csv(vendors, overdue, listed),
    )


def _overdue(expected: pl.DataFrame, deliveries: pl.DataFrame, night: str) -> pl.DataFrame:
    return (
        expected.select(pl.col("vendor", "layout", "due").cast(pl.String))
        .filter(pl.col("due").is_not_null() & (pl.col("due").str.slice(0, 10) <= night[:10]))
        .join(deliveries, on=["vendor", "layout"], how="anti")
        .sort("vendor", "layout")
    )


def _vendors(
    deliveries: pl.DataFrame,
    findings: pl.DataFrame,
    expected: pl.DataFrame,
    overdue: pl.DataFrame,
) -> list[dict[str, str | int]]:
    names = {
        str(name)
        for frame in (deliveries, findings, expected)
        for name in frame["vendor"].drop_nulls().to_list()
    }
    rows: list[dict[str, str | int]] = []
    for name in sorted(names):
        own = deliveries.filter(pl.col("vendor") == name)
        outcomes = own["outcome"].to_list()
        counts: dict[str, str | int] = {"vendor": name, "arrived": own.height}
        counts |= {outcome: outcomes.count(outcome) for outcome in OUTCOMES}
        counts["overdue"] = overdue.filter(pl.col("vendor") == name).height
        counts["accepted_rows"] = int(own["accepted_rows"].sum())
        counts["quarantined_rows"] = int(own["quarantined_rows"].sum())
        counts["findings_new"] = findings.filter(pl.col("vendor") == name).height
        rows.append(counts)
    return rows


def _sums(vendors: Sequence[Mapping[str, str | int]]) -> dict[str, int]:
    return {name: sum(int(row[name]) for row in vendors) for name in COUNTS}


def _title(name: str) -> str:
    return TITLES.get(name, name.capitalize())


def _banner(
    study: str, night: str, vendors: Sequence[Mapping[str, str | int]], *, synthetic: bool
) -> Markup:
    badge = tag("span", "SYNTHETIC DATA", attributes={"class": "badge"}) if synthetic else ""
    sums = _sums(vendors)
    cards = (
        tag(
            "li",
            tag("b", f"{sums[name]:,}"),
            _title(name),
            attributes={"class": "alarm"} if name in ALARMING and sums[name] else {},
        )
        for name in COUNTS
        if name not in {"refused", "unfinished"} or sums[name]
    )
    return tag(
        "header",
        badge,
        tag("h1", f"{study}: night of {night}"),
        tag("ul", join(cards), attributes={"class": "cards"}),
        facts((("Vendors", len(vendors)), ("New content", "yes" if sums["accepted"] else "none"))),
    )


def _vendor_table(vendors: Sequence[Mapping[str, str | int]]) -> Markup:
    rows: list[list[Content]] = [
        [row["vendor"], *(f"{row[name]:,}" for name in COUNTS)] for row in vendors
    ]
    marks = ["alarm" if any(row[name] for name in ALARMING) else "" for row in vendors]
    if vendors:
        rows.append(["All vendors", *(f"{value:,}" for value in _sums(vendors).values())])
        marks.append("total")
    return tag(
        "section",
        tag("h2", "By vendor"),
        table(
            (
                Column(title="Vendor"),
                *(Column(title=_title(name), numeric=True) for name in COUNTS),
            ),
            rows,
            caption="Deliveries by outcome, then rows and findings. "
            "Unfinished: received or approved, not yet published.",
            marks=marks,
            empty="Nothing was expected and nothing arrived.",
        ),
    )


def _overdue_table(overdue: pl.DataFrame) -> Content:
    if overdue.is_empty():
        return ""
    return table(
        (Column(title="Vendor"), Column(title="Layout"), Column(title="Due")),
        overdue.select("vendor", "layout", "due").iter_rows(),
        caption="Overdue",
        marks=["alarm"] * overdue.height,
    )


def _reasons(deliveries: pl.DataFrame) -> Iterator[Markup]:
    told = deliveries.filter((pl.col("why") != "") & (pl.col("outcome") != "accepted"))
    if told.is_empty():
        return
    yield table(
        (Column(title="Receipt", numeric=True), Column(title="State"), Column(title="Why")),
        told.select("receipt", "state", "why").iter_rows(),
        caption="Why a delivery was not published",
    )


def _finding_table(findings: pl.DataFrame) -> Iterator[Markup]:
    yield tag("h2", "New findings")
    if findings.height > SHOWN:
        yield tag("p", f"The first {SHOWN:,} of {findings.height:,}; the CSV holds all.")
    rows: list[list[Content]] = [
        [
            tag("code", row["finding_id"]),
            row["vendor"],
            row["layout"],
            tag("code", row["rule"]),
            DISPOSITIONS.get(str(row["disposition"]), str(row["disposition"])),
            DASH if row["source_line"] is None else str(row["source_line"]),
            DASH if row["n_rows"] is None else f"{row['n_rows']:,}",
            row["message"],
        ]
        for row in findings.head(SHOWN).iter_rows(named=True)
    ]
    yield table(
        (
            Column(title="Finding"),
            Column(title="Vendor"),
            Column(title="Layout"),
            Column(title="Rule"),
            Column(title="Disposition"),
            Column(title="Line", numeric=True),
            Column(title="Rows", numeric=True),
            Column(title="Message"),
        ),
        rows,
        caption="Line: physical line in the delivered file, counted from 1.",
        empty="No new finding.",
    )


def _csv(
    vendors: Sequence[Mapping[str, str | int]], overdue: pl.DataFrame, findings: pl.DataFrame
) -> bytes:
    fields = ["section", "vendor", "layout", *COUNTS, "due"]
    fields += [name for name in FINDING_COLUMNS if name not in fields]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=fields, restval="", lineterminator="\n")
    writer.writeheader()
    sections = (
        ("vendor", vendors),
        ("overdue", overdue.select("vendor", "layout", "due").iter_rows(named=True)),
        ("finding", findings.iter_rows(named=True)),
    )
    for section, rows in sections:
        for row in rows:
            values = {name: _inert(value) for name, value in row.items()}
            writer.writerow({"section": section} | values)
    return text.getvalue().encode()


def _inert(value: object) -> object:
    """Keep a spreadsheet from taking text of a delivered file for a formula."""
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value
