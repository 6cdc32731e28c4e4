"""Door to the clinical formats: SAS transport and Dataset-JSON as batches of text."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.errors import DeliveryRejectedError, InstrumentFileError
from assayhouse.instruments.clinical import ClinicalTable as TextTable
from assayhouse.instruments.clinical import read_clinical
from assayhouse.instruments.clinical_typed import ClinicalTable, read_table
from assayhouse.readers.columns import match_header
from assayhouse.readers.reading import ReadFinding, Reading, TextBatch

__all__ = ["ClinicalReading", "ClinicalTable", "read_table"]

BATCH_ROWS = 100_000


class ClinicalReading(Reading):
    """A clinical data set: records on lines of their own, or records counted as lines.

    In NDJSON the metadata are the header and each record has its physical line. In the other
    containers a record counts as one line, and its number is its line.
    """

    def __init__(self, path: Path, layout: LayoutSpec, *, file: str) -> None:
        super().__init__(file=file, layout=layout)
        self._path = path

    def batches(self) -> Iterator[TextBatch]:
        """Read the file once; see `Reading.batches`."""
        try:
            table = read_clinical(self._path.read_bytes(), kind=self.layout.reader)
        except InstrumentFileError as error:
            raise self._refused(error) from error
        for note in table.notes:
            self.note(ReadFinding(rule="F12", disposition="W", message=note))
        header = match_header(table.frame.columns, self, line=1)
        if table.frame.is_empty():
            message = "the data set has no record; send it again"
            raise self.reject(message, rule="F03")
        named = table.frame.rename(dict(zip(table.frame.columns, header.names, strict=True)))
        frame = header.conform(named).with_columns(
            _line_numbers(table), pl.lit(1, dtype=pl.Int64).alias("line_span")
        )
        self._count(table)
        for start in range(0, frame.height, BATCH_ROWS):
            part = frame[start : start + BATCH_ROWS]
            texts = [line.text for line in table.lines[start : start + BATCH_ROWS]]
            yield TextBatch(frame=part, raw_text=_Raw(part.select(header.declared), texts))

    def _count(self, table: TextTable) -> None:
        account, rows = self.account, table.frame.height
        account.data_lines = account.data_rows = account.physical_lines = rows
        if table.lines:
            account.header = 1
            account.physical_lines = table.physical_lines
            account.blank = table.physical_lines - rows - 1

    def _refused(self, error: InstrumentFileError) -> DeliveryRejectedError:
        rule = {"empty": "F03", "truncated": "F01", "encoding": "F12"}.get(error.code, "F07")
        return self.reject(f"{error}; send the file again", rule=rule)


def _line_numbers(table: TextTable) -> pl.Series:
    numbers = [line.number for line in table.lines] or range(1, table.frame.height + 1)
    return pl.Series("source_line", numbers, dtype=pl.Int64)


class _Raw:
    """Lines of records; without lines, values in declared order separated by tabs."""

    def __init__(self, frame: pl.DataFrame, texts: list[str]) -> None:
        self._frame = frame
        self._texts = texts

    def __call__(self, rows: Sequence[int]) -> list[str]:
        if self._texts:
            return [self._texts[row] for row in rows]
        return [
            "\t".join("" if value is None else str(value) for value in row)
            for row in self._frame[list(rows)].rows()
        ]
