"""Door to the clinical formats: SAS transport and Dataset-JSON as batches of text."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.errors import DeliveryRejectedError, InstrumentFileError
from assayhouse.instruments.clinical import read_clinical
from assayhouse.readers.columns import match_header
from assayhouse.readers.reading import ReadFinding, Reading, TextBatch

BATCH_ROWS = 100_000


class ClinicalReading(Reading):
    """A clinical data set; a record counts as one line, and its number is its line."""

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
        frame = header.conform(named).with_row_index("source_line", offset=1)
        frame = frame.with_columns(
            pl.col("source_line").cast(pl.Int64), pl.lit(1, dtype=pl.Int64).alias("line_span")
        ).select(*header.declared, "source_line", "line_span")
        self.account.physical_lines = self.account.data_lines = frame.height
        self.account.data_rows = frame.height
        for part in frame.iter_slices(BATCH_ROWS):
            yield TextBatch(frame=part, raw_text=_Raw(part.select(header.declared)))

    def _refused(self, error: InstrumentFileError) -> DeliveryRejectedError:
        rule = {"empty": "F03", "truncated": "F01", "encoding": "F12"}.get(error.code, "F07")
        return self.reject(f"{error}; send the file again", rule=rule)


class _Raw:
    """A record has no text of its own: its values in declared order, separated by tabs."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __call__(self, rows: Sequence[int]) -> list[str]:
        return [
            "\t".join("" if value is None else str(value) for value in row)
            for row in self._frame[list(rows)].rows()
        ]
