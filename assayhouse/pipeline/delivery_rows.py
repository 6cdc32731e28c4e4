"""Reads one delivery batch by batch: accepted rows to draft files, the others to the quarantine.

Memory is bounded by the batch; what becomes of the delivery is decided elsewhere.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.intake.account import LineAccount
from assayhouse.intake.disposition import Tally
from assayhouse.intake.findings import FaultLog, FileFault
from assayhouse.intake.receipt import Receipt
from assayhouse.intake.rules import RULES, RowRules
from assayhouse.readers import Reading, TextBatch
from assayhouse.validate.aggregates import Aggregates
from assayhouse.validate.rules import RuleResult, Suite
from assayhouse.validate.suites import check_batch

QUARANTINE_COLUMNS = {
    "source_line": pl.Int64,
    "column": pl.String,
    "rule": pl.String,
    "disposition": pl.String,
    "reason": pl.String,
    "expected": pl.String,
    "raw_text": pl.String,
}


@dataclass(slots=True, kw_only=True)
class RowsRead:
    """What reading a delivery gave; the rows themselves lie in ``folder``."""

    folder: Path
    faults: FaultLog = field(default_factory=FaultLog)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    groups: dict[str, list[int]] = field(default_factory=dict)
    rows: int = 0
    quarantined_rows: int = 0
    quarantined_lines: int = 0
    plausibility: list[RuleResult] = field(default_factory=list)
    quarantine: list[pl.DataFrame] = field(default_factory=list)
    treatment_words: bool = False

    @property
    def drafts(self) -> Path:
        """Folder of accepted rows in contract columns."""
        return self.folder / "rows"

    @property
    def keys(self) -> Path:
        """Folder of the keys of quarantined rows."""
        return self.folder / "keys"

    def tally(self) -> Tally:
        """Rows and quarantined rows, in all and by group."""
        groups = {name: (rows, out) for name, (rows, out) in self.groups.items()}
        return Tally(rows=self.rows, quarantined=self.quarantined_rows, groups=groups)


class RowReader:
    """Carries the batches of one delivery through the rules into drafts.

    Parameters
    ----------
    receipt : Receipt
        The delivery.
    layout : LayoutSpec
        Its contract.
    spec : TableSpec
        Contract of the relation its rows belong to.
    rules : RowRules
        Compiled row rules.
    suite : Suite or None
        Plausibility rules of the relation.
    folder : Path
        Empty folder for drafts.
    """

    def __init__(
        self,
        *,
        receipt: Receipt,
        layout: LayoutSpec,
        spec: TableSpec,
        rules: RowRules,
        suite: Suite | None,
        folder: Path,
    ) -> None:
        self._receipt, self._layout, self._spec = receipt, layout, spec
        self._rules, self._suite = rules, suite
        self._aggregates = None if suite is None else Aggregates(suite)
        self._broken: dict[str, RuleResult] = {}
        self.result = RowsRead(folder=folder)
        self.result.drafts.mkdir(parents=True)
        self.result.keys.mkdir(parents=True)

    def read(self, reading: Reading) -> RowsRead:
        """Read every batch; raises what the reader raises."""
        for number, batch in enumerate(reading.batches()):
            self._take(batch, number)
        self.result.faults.add(
            FileFault(
                rule=item.rule,
                disposition=item.disposition,
                message=item.message,
                column=item.column,
                source_line=item.line,
            )
            for item in reading.findings
        )
        results = list(self._broken.values())
        if self._aggregates is not None:
            results += self._aggregates.results()
        self.result.plausibility = results
        return self.result

    def _take(self, batch: TextBatch, number: int) -> None:
        checked = self._rules.check(batch.frame)
        self._note(checked.faults)
        accepted, implausible = self._plausible(checked.accepted)
        blocking = pl.concat(
            [checked.faults.filter(pl.col("disposition") == "Q"), implausible], how="vertical"
        )
        self._quarantine(batch, blocking, number)
        self._count_groups(batch.frame, blocking["source_line"].unique())
        self.result.rows += batch.frame.height
        if accepted.height:
            self._draft(accepted, number)

    def _plausible(self, accepted: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Split off rows that break a critical plausibility rule."""
        none = pl.DataFrame(schema={n: k for n, k in QUARANTINE_COLUMNS.items() if n != "raw_text"})
        if self._suite is None or accepted.is_empty():
            return accepted, none
        parts = [none]
        for result in check_batch(accepted, self._suite):
            self._broken[result.rule_id] = _added(self._broken.get(result.rule_id), result)
            if result.passed is False and result.severity == "critical":
                parts.append(
                    accepted[list(result.rows)].select(
                        "source_line",
                        pl.lit(None, dtype=pl.String).alias("column"),
                        pl.lit(result.rule_id).alias("rule"),
                        pl.lit("Q").alias("disposition"),
                        pl.lit(result.why).alias("reason"),
                        pl.lit(None, dtype=pl.String).alias("expected"),
                    )
                )
        faults = pl.concat(parts)
        self._note(faults)
        kept = accepted.filter(~pl.col("source_line").is_in(faults["source_line"].implode()))
        if self._aggregates is not None:
            self._aggregates.update(kept)
        return kept, faults

    def _note(self, faults: pl.DataFrame) -> None:
        for column, rule, n in (
            faults.group_by("column", "rule").len().sort("column", "rule").iter_rows()
        ):
            self.result.counts[column or "", rule] += n
        self.result.treatment_words |= bool((faults["disposition"] == "R").any())
        self.result.faults.add(
            FileFault(
                rule=rule,
                disposition=disposition,
                message=_message(reason, expected),
                column=column,
                source_line=line,
                n_rows=1,
            )
            for line, column, rule, disposition, reason, expected in faults.iter_rows()
        )

    def _quarantine(self, batch: TextBatch, blocking: pl.DataFrame, number: int) -> None:
        if blocking.is_empty():
            return
        frame = batch.frame.with_row_index("place")
        kept_out = frame.filter(pl.col("source_line").is_in(blocking["source_line"].implode()))
        texts = batch.raw_text(kept_out["place"].to_list())
        raw = kept_out.select("source_line").with_columns(pl.Series("raw_text", texts))
        self.result.quarantine.append(blocking.join(raw, on="source_line", how="left"))
        self.result.quarantined_rows += kept_out.height
        self.result.quarantined_lines += int(kept_out["line_span"].sum())
        kept_out.select(self._layout.key).write_parquet(self.result.keys / f"{number:05d}.parquet")

    def _count_groups(self, frame: pl.DataFrame, lines: pl.Series) -> None:
        column = self._layout.limits.group_column
        if column is None:
            return
        counted = frame.group_by(pl.col(column).fill_null("")).agg(
            pl.len(), pl.col("source_line").is_in(lines.implode()).sum().alias("out")
        )
        for group, rows, out in counted.iter_rows():
            before = self.result.groups.setdefault(group, [0, 0])
            before[0] += rows
            before[1] += out

    def _draft(self, accepted: pl.DataFrame, number: int) -> None:
        source = {
            "source_file": pl.lit(self._receipt.file_name),
            "sha256": pl.lit(self._receipt.sha256),
            "receipt": pl.lit(self._receipt.number, dtype=pl.Int64),
            "record_action": pl.lit("NEW"),
        }
        rows = accepted.with_columns(**source).select(
            pl.col(name).cast(kind) for name, kind in self._spec.polars_schema.items()
        )
        path = self.result.drafts / f"{number:05d}.parquet"
        rows.write_parquet(path, compression="zstd", compression_level=1)


def _added(former: RuleResult | None, latest: RuleResult) -> RuleResult:
    """Sum what one rule said of two batches."""
    if former is None:
        return latest
    passed = former.passed and latest.passed if None not in (former.passed, latest.passed) else None
    return RuleResult(
        rule_id=latest.rule_id,
        why=latest.why,
        severity=latest.severity,
        passed=passed,
        n_unexpected=former.n_unexpected + latest.n_unexpected,
        n=former.n + latest.n,
        rows=(),
        message=latest.message if latest.passed is not True else former.message,
    )


def _message(reason: str | None, expected: str | None) -> str:
    said = reason or RULES["CODE"]
    return said if expected is None else f"{said}; expected {expected}"


def quarantine_frame(
    parts: Iterable[pl.DataFrame], receipt: Receipt, spec: TableSpec
) -> pl.DataFrame:
    """Bring quarantined rows into the shape of their relation."""
    empty = pl.DataFrame(schema=QUARANTINE_COLUMNS)
    return spec.conform(
        pl.concat(
            [empty, *(part.select(QUARANTINE_COLUMNS.keys()) for part in parts)]
        ).with_columns(
            pl.lit(receipt.number, dtype=pl.Int64).alias("receipt"),
            pl.lit(receipt.layout).alias("layout"),
            pl.lit(receipt.file_name).alias("file_name"),
            pl.lit(receipt.sha256).alias("sha256"),
        )
    )


def line_account(reading: Reading, read: RowsRead) -> LineAccount:
    """Account of the file's lines after its rows were judged."""
    count = reading.account
    return LineAccount(
        physical_lines=count.physical_lines,
        accepted_lines=count.data_lines - read.quarantined_lines,
        quarantined_lines=read.quarantined_lines,
        preamble_lines=count.preamble,
        header_lines=count.header,
        blank_lines=count.blank,
        comment_lines=count.comment,
        trailer_lines=count.trailer,
        accepted_rows=read.rows - read.quarantined_rows,
        quarantined_rows=read.quarantined_rows,
    )
