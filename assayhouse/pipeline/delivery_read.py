"""One pass over a delivered file: accepted rows to a draft, faulty rows to the quarantine.

Batch by batch, so that memory does not grow with the file. Compares with no other delivery.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.intake.account import LineAccount
from assayhouse.intake.findings import FaultLog, FileFault
from assayhouse.intake.receipt import Receipt
from assayhouse.intake.rules import CheckedFrame, RowRules
from assayhouse.pipeline.delivery_counts import Counts
from assayhouse.readers import Reading, TextBatch, read_ahead
from assayhouse.validate.suites import Aggregates, RowJudge, RuleResult, Suite
from assayhouse.warehouse.drafts import Draft

QUARANTINE_SCHEMA = pl.Schema(
    {
        "receipt": pl.Int64(),
        "layout": pl.String(),
        "file_name": pl.String(),
        "sha256": pl.String(),
        "source_line": pl.Int64(),
        "column": pl.String(),
        "rule": pl.String(),
        "disposition": pl.String(),
        "reason": pl.String(),
        "expected": pl.String(),
        "raw_text": pl.String(),
    }
)
WHOLE_ROW = "(row)"
_DISPOSITION = {"critical": "Q", "warning": "W"}


class DraftReader:
    """Reads one delivery into ``folder``: ``accepted/``, ``quarantine/`` and ``kept_out/`` parts.

    Parameters
    ----------
    receipt : Receipt
        The delivery.
    layout : LayoutSpec
        Its contract.
    spec : TableSpec
        Contract of its relation.
    rules : RowRules
        Compiled row rules.
    suite : Suite or None
        Plausibility rules of the relation.
    terms : mapping
        Code list of the layout's group column; empty where it has none.
    folder : Path
        Empty folder for the parts.
    hashed : bool
        Whether accepted rows may be added as they are, so that their hash is of use.
    """

    def __init__(
        self,
        *,
        receipt: Receipt,
        layout: LayoutSpec,
        spec: TableSpec,
        rules: RowRules,
        suite: Suite | None,
        terms: Mapping[str, str],
        folder: Path,
        hashed: bool,
    ) -> None:
        self._receipt = receipt
        self._layout = layout
        self._spec = spec
        self._rules = rules
        self._judge = None if suite is None else RowJudge(suite)
        self._terms = terms
        self._folder = folder
        self._aggregates = None if suite is None else Aggregates(suite)
        self._parts: Counter[str] = Counter()
        self.counts = Counts()
        self.log = FaultLog()
        for name in ("accepted", "quarantine", "kept_out"):
            (folder / name).mkdir()
        self._accepted = Draft(
            folder / "accepted", spec=spec, receipt=receipt.number, hashed=hashed
        )

    def read(self, reading: Reading) -> LineAccount:
        """Read the whole file.

        Raises
        ------
        DeliveryRejectedError
            It is unreadable or breaks its contract.
        """
        with self._accepted:
            for batch in read_ahead(reading.batches()):
                self._take(batch)
            self._accepted.seal()
        self.log.add(
            FileFault(
                rule=item.rule,
                disposition=item.disposition,
                message=item.message,
                column=item.column,
                source_line=item.line,
                n_rows=0,
            )
            for item in reading.findings
        )
        self._add_aggregates()
        return self.counts.account(reading.account)

    def quarantine_lines(self, reading: Reading, lines: Iterable[int], fault: FileFault) -> None:
        """Move accepted rows to the quarantine after the fact, all for the same reason."""
        told = pl.DataFrame({"source_line": sorted(lines)}, schema={"source_line": pl.Int64})
        self.quarantine_faults(
            reading,
            told.with_columns(
                pl.lit(fault.column or WHOLE_ROW).alias("column"),
                pl.lit(fault.rule).alias("rule"),
                pl.lit("Q").alias("disposition"),
                pl.lit(fault.message).alias("reason"),
                pl.lit(None, dtype=pl.String).alias("expected"),
            ),
        )

    def quarantine_faults(self, reading: Reading, faults: pl.DataFrame) -> None:
        """Move accepted rows to the quarantine after the fact, reading their text once more.

        Parameters
        ----------
        reading : Reading
            The file, opened anew.
        faults : DataFrame
            source_line, column, rule, disposition, reason, expected; several per row may be.
        """
        wanted = faults["source_line"].unique()
        for batch in reading.batches():
            rows = batch.frame.filter(pl.col("source_line").is_in(wanted.implode()))
            if rows.is_empty():
                continue
            here = faults.filter(pl.col("source_line").is_in(rows["source_line"].implode()))
            self._keep_out(batch, here, rows)
            self.counts.accepted_rows -= rows.height
            self.counts.accepted_lines -= int(rows["line_span"].sum())

    def _take(self, batch: TextBatch) -> None:
        checked = self._rules.check(batch.frame)
        accepted, faults = checked.accepted, checked.faults
        if self._judge is not None and accepted.height:
            accepted, faults = self._judge_plausible(self._judge, checked)
        counts = self.counts
        counts.chances.update(checked.chances)
        counts.accepted_rows += accepted.height
        counts.accepted_lines += int(accepted["line_span"].sum())
        counts.group_rows.update(self._groups(batch.frame))
        warned = faults.filter(pl.col("disposition") == "W")
        note_faults(self.log, warned)
        out = faults.filter(pl.col("disposition") != "W")
        if out.height:
            lines = out["source_line"].unique()
            rows = batch.frame.filter(pl.col("source_line").is_in(lines.implode()))
            self._keep_out(batch, out, rows)
        if accepted.height:
            self._accepted.add(self._draft(accepted))
            if self._aggregates is not None:
                self._aggregates.update(accepted)

    def _judge_plausible(
        self, judge: RowJudge, checked: CheckedFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Ask the plausibility rules on rows; those that break a critical one are kept out."""
        accepted, parts, blocked = checked.accepted, [checked.faults], set[int]()
        for result in judge.check(accepted):
            self._note_asked(result)
            if not result.rows:
                continue
            disposition = _DISPOSITION[result.severity]
            if disposition == "Q":
                blocked.update(result.rows)
            parts.append(
                accepted[list(result.rows)].select(
                    "source_line",
                    pl.lit(WHOLE_ROW).alias("column"),
                    pl.lit(result.rule_id).alias("rule"),
                    pl.lit(disposition).alias("disposition"),
                    pl.lit(result.why).alias("reason"),
                    pl.lit(None, dtype=pl.String).alias("expected"),
                )
            )
        faults = pl.concat(parts).sort("source_line", "column", "rule", maintain_order=True)
        if not blocked:
            return accepted, faults
        kept = [place for place in range(accepted.height) if place not in blocked]
        return accepted[kept], faults

    def _note_asked(self, result: RuleResult) -> None:
        self.counts.plausibility[result.rule_id] = result.why
        if result.passed is None:
            self.counts.unanswered[result.rule_id] = result.message

    def _add_aggregates(self) -> None:
        if self._aggregates is None:
            return
        for result in self._aggregates.results():
            self._note_asked(result)
            if result.passed is False:
                disposition = "H" if result.severity == "critical" else "W"
                self.log.add(
                    [
                        FileFault(
                            rule=result.rule_id,
                            disposition=disposition,
                            message=result.message,
                            n_rows=result.n_unexpected,
                        )
                    ]
                )

    def _keep_out(self, batch: TextBatch, faults: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Quarantine rows of a batch, with their text as sent and one entry per fault."""
        counts = self.counts
        counts.quarantined_rows += rows.height
        counts.quarantined_lines += int(rows["line_span"].sum())
        counts.group_quarantined.update(self._groups(rows))
        pairs = faults.group_by("column", "rule", maintain_order=True).agg(
            pl.col("source_line").n_unique()
        )
        for column, rule, count in pairs.iter_rows():
            counts.by_rule[column, rule] += count
        note_faults(self.log, faults)
        lines = rows["source_line"]
        places = batch.frame["source_line"].search_sorted(lines).to_list()
        texts = pl.DataFrame(
            {"source_line": lines, "raw_text": batch.raw_text(places)},
            schema={"source_line": pl.Int64, "raw_text": pl.String},
        )
        receipt = self._receipt
        kept = (
            faults.unique(["source_line", "column", "rule"], keep="first", maintain_order=True)
            .join(texts, on="source_line", how="left", maintain_order="left")
            .with_columns(
                pl.lit(receipt.number, dtype=pl.Int64).alias("receipt"),
                pl.lit(receipt.layout).alias("layout"),
                pl.lit(receipt.file_name).alias("file_name"),
                pl.lit(receipt.sha256).alias("sha256"),
            )
            .select(QUARANTINE_SCHEMA.names())
        )
        self._write("quarantine", kept.cast(QUARANTINE_SCHEMA))
        self._write("kept_out", rows.select(self._layout.key))

    def _groups(self, rows: pl.DataFrame) -> dict[str, int]:
        """Rows per value of the group column; a value that is not on its code list is no group."""
        name = self._layout.limits.group_column
        if name is None:
            return {}
        counted = rows.select(pl.col(name).str.strip_chars()).drop_nulls()[name].value_counts()
        if not self._terms:
            return dict(counted.iter_rows())
        groups: Counter[str] = Counter()
        for text, count in counted.iter_rows():
            if text in self._terms:
                groups[self._terms[text]] += count
        return dict(groups)

    def _draft(self, accepted: pl.DataFrame) -> pl.DataFrame:
        receipt = self._receipt
        return self._spec.conform(
            accepted.with_columns(
                pl.lit(receipt.file_name).alias("source_file"),
                pl.lit(receipt.sha256).alias("sha256"),
                pl.lit(receipt.number, dtype=pl.Int64).alias("receipt"),
                pl.lit("NEW").alias("record_action"),
            )
        )

    def _write(self, name: str, frame: pl.DataFrame) -> None:
        self._parts[name] += 1
        path = self._folder / name / f"part-{self._parts[name]:06d}.parquet"
        frame.write_parquet(path, compression="zstd", compression_level=1)


def note_faults(log: FaultLog, faults: pl.DataFrame) -> None:
    """Log faults of rows; those beyond what is listed are only counted."""
    for (column, rule, disposition), rows in faults.group_by(
        "column", "rule", "disposition", maintain_order=True
    ):
        kind = (str(rule), str(disposition), "" if column == WHOLE_ROW else str(column))
        listed = rows.head(log.room(*kind))
        log.add(
            FileFault(
                rule=kind[0],
                disposition=kind[1],
                message=reason if expected is None else f"{reason}; expected: {expected}",
                column=kind[2] or None,
                source_line=line,
                n_rows=1,
            )
            for line, reason, expected in listed.select(
                "source_line", "reason", "expected"
            ).iter_rows()
        )
        if rows.height > listed.height:
            log.add_more(*kind, n_rows=rows.height - listed.height)
