"""What every reader gives: batches of text, a count of lines, what it noticed. Reads nothing."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.errors import DeliveryRejectedError

RawText = Callable[[Sequence[int]], list[str]]


@dataclass(slots=True, kw_only=True)
class LineCount:
    """Physical lines of a file by what they are; a record counts with every line it spans."""

    physical_lines: int = 0
    preamble: int = 0
    header: int = 0
    blank: int = 0
    comment: int = 0
    trailer: int = 0
    data_lines: int = 0
    data_rows: int = 0

    @property
    def balanced(self) -> bool:
        """Whether the parts add up to the physical lines."""
        parts = self.preamble + self.header + self.blank + self.comment + self.trailer
        return parts + self.data_lines == self.physical_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFinding:
    """Something a reader noticed that does not keep the file out."""

    rule: str
    disposition: str
    message: str
    line: int | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBatch:
    """Some rows of a file, every declared column as text, with the line each row starts on.

    Parameters
    ----------
    frame : DataFrame
        Declared columns in declared order (String), ``source_line`` and ``line_span`` (Int64).
    raw_text : callable
        Row numbers of the frame to the rows' text as in the file.
    """

    frame: pl.DataFrame
    raw_text: RawText


class Reading(ABC):
    """An open delivery. ``account`` and ``findings`` are complete after the last batch."""

    def __init__(self, *, file: str, layout: LayoutSpec) -> None:
        self.file = file
        self.layout = layout
        self.account = LineCount()
        self.findings: tuple[ReadFinding, ...] = ()

    @abstractmethod
    def batches(self) -> Iterator[TextBatch]:
        """Read the file once, batch by batch.

        Raises
        ------
        DeliveryRejectedError
            The file is unreadable or breaks its contract; names rule and line.
        """

    def reject(
        self, reason: str, *, rule: str, line: int | None = None, column: str | None = None
    ) -> DeliveryRejectedError:
        """Make the error that keeps this file out."""
        return DeliveryRejectedError(reason, rule=rule, file=self.file, line=line, column=column)

    def note(self, finding: ReadFinding) -> None:
        """Keep something noticed, once per rule and column."""
        known = {(item.rule, item.column) for item in self.findings}
        if (finding.rule, finding.column) not in known:
            self.findings = (*self.findings, finding)
