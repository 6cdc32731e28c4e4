"""Data quality beyond deliveries: findings by rule, specimens by class, values computed anew.

Counts only: no subject, no specimen, no value.
"""

from collections.abc import Sequence

import polars as pl

from assayhouse.report.frames import require_columns
from assayhouse.report.html import Column, Content, Markup, table
from assayhouse.report.instrument_section import PARTS


def findings_table(findings: pl.DataFrame) -> Markup:
    """Count findings by disposition, layout and rule.

    Parameters
    ----------
    findings : polars.DataFrame
        ``intake.findings``.

    Returns
    -------
    Markup
        One line per disposition, layout and rule.
    """
    require_columns(
        findings, ("disposition", "layout", "rule", "receipt", "n_rows"), name="intake.findings"
    )
    counts = (
        findings.group_by("disposition", "layout", "rule")
        .agg(
            deliveries=pl.col("receipt").n_unique(),
            findings=pl.len(),
            rows=pl.col("n_rows").fill_null(0).sum(),
        )
        .sort("disposition", "layout", "rule")
    )
    return table(
        (
            Column(title="Disposition"),
            Column(title="Layout"),
            Column(title="Rule"),
            *(Column(title=name, numeric=True) for name in ("Deliveries", "Findings", "Rows")),
        ),
        counts.iter_rows(),
        caption="Findings on deliveries by rule, before and after approval.",
        empty="No findings.",
    )


def _crossed(counted: pl.DataFrame, *, heading: str, caption: str, empty: str) -> Markup:
    """Cross the first column with the second; the third counts."""
    row, column, count = counted.columns
    frame = counted.group_by(row, column).agg(pl.col(count).sum())
    columns = sorted(set(frame[column].drop_nulls().to_list()))
    counts = {(one, two): n for one, two, n in frame.iter_rows()}
    lines: list[list[Content]] = [
        [name, *(counts.get((name, kind), 0) for kind in columns)]
        for name in sorted(set(frame[row].drop_nulls().to_list()))
    ]
    heads = (Column(title=heading), *(Column(title=kind, numeric=True) for kind in columns))
    return table(heads, lines, caption=caption, empty=empty)


def specimen_table(status: pl.DataFrame) -> Markup:
    """Count specimens by vendor and class of reconciliation.

    Parameters
    ----------
    status : polars.DataFrame
        ``recon.status``.

    Returns
    -------
    Markup
        One line per vendor.
    """
    require_columns(status, ("vendor", "recon_class"), name="recon.status")
    return _crossed(
        status.select("vendor", "recon_class", n_specimens=pl.lit(1)), heading="Vendor",
        caption="Specimens requested by the sites against specimens delivered by the laboratories.",
        empty="No specimen was requested or delivered.",
    )  # fmt: skip


def recomputed_table(recomputed: pl.DataFrame) -> Markup:
    """Count values computed anew from their delivered parts by layout and verdict.

    Parameters
    ----------
    recomputed : polars.DataFrame
        Values of ``recon.recomputed`` counted (n_values) by layout, basis and verdict at least.

    Returns
    -------
    Markup
        One line per layout.
    """
    wanted = ("layout", "basis", "verdict", "n_values")
    require_columns(recomputed, wanted, name="counts of recon.recomputed")
    own = recomputed.filter(pl.col("basis") == PARTS)
    return _crossed(
        own.select("layout", "verdict", "n_values"), heading="Layout",
        caption="Reported values against the same values computed anew from their delivered parts.",
        empty="No layout carries the parts of its values.",
    )  # fmt: skip


def quality_extras(
    findings: pl.DataFrame | None, status: pl.DataFrame | None, recomputed: pl.DataFrame | None
) -> Sequence[Markup]:
    """Return the tables of what the study has of these relations.

    Parameters
    ----------
    findings, status, recomputed : polars.DataFrame or None
        ``intake.findings``, ``recon.status``, counts of ``recon.recomputed``; None where not
        declared.

    Returns
    -------
    sequence of Markup
        In reading order.
    """
    return [
        *([] if findings is None else [findings_table(findings)]),
        *([] if status is None else [specimen_table(status)]),
        *([] if recomputed is None else [recomputed_table(recomputed)]),
    ]
