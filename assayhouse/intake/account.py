"""Account of the lines of one file: every physical line is a row, or something declared."""

from collections.abc import Mapping
from dataclasses import dataclass

from assayhouse.contracts.documents import Document
from assayhouse.intake.findings import FileFault

UNBALANCED = "LINE-ACCOUNT"
_LINES = (
    "accepted_lines",
    "quarantined_lines",
    "preamble_lines",
    "header_lines",
    "blank_lines",
    "comment_lines",
    "trailer_lines",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAccount:
    """Lines and rows of one file. A record counts with every physical line it spans.

    A row that came twice with the same values counts as accepted, though it is kept once.
    """

    physical_lines: int
    accepted_lines: int
    quarantined_lines: int
    preamble_lines: int = 0
    header_lines: int = 0
    blank_lines: int = 0
    comment_lines: int = 0
    trailer_lines: int = 0
    accepted_rows: int
    quarantined_rows: int

    @property
    def rows(self) -> int:
        """Rows of the file, whatever became of them."""
        return self.accepted_rows + self.quarantined_rows

    @property
    def balanced(self) -> bool:
        """Whether the parts add up to the physical lines."""
        values = self.to_dict()
        return sum(values[name] for name in _LINES) == self.physical_lines

    def to_dict(self) -> dict[str, int]:
        """Plain values, for records and tables."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "LineAccount":
        """Read back what :meth:`to_dict` gave."""
        document = Document(values, "record of a delivery, account")
        return cls(**{name: document.integer(name) for name in cls.__slots__})

    def __str__(self) -> str:
        parts = [
            f"{getattr(self, name)} {name.removesuffix('_lines')}"
            for name in _LINES
            if getattr(self, name) or name == "accepted_lines"
        ]
        sign = "=" if self.balanced else "differs from"
        return f"{' + '.join(parts)} {sign} {self.physical_lines} lines"


def check_balance(account: LineAccount) -> list[FileFault]:
    """Reject a file whose lines are not all accounted for."""
    if account.balanced:
        return []
    message = f"the lines of the file are not all accounted for: {account}. Send the file again"
    return [FileFault(rule=UNBALANCED, disposition="R", message=message)]
