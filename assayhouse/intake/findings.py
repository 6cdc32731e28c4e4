"""What is wrong with one delivery, as findings with stable ids, in plain words and without values.

Numbers findings in file order; does not decide what becomes of the delivery.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assayhouse.contracts.documents import Document

DISPOSITIONS = ("R", "H", "Q", "W")  # strongest first
MAX_PER_RULE = 500  # one finding per row up to here; the rest share one that says how many


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFault:
    """Something wrong with a file, a column or a row of it.

    ``source_line`` is the physical line, counted from 1; None for the file as a whole.
    """

    rule: str
    disposition: str
    message: str
    column: str | None = None
    source_line: int | None = None
    n_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding as it is published."""

    finding_id: str
    receipt: int
    vendor: str
    layout: str
    disposition: str
    rule: str
    column: str | None
    source_line: int | None
    n_rows: int
    message: str

    def to_dict(self) -> dict[str, object]:
        """Plain values, for records and tables."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Finding":
        """Read back what :meth:`to_dict` gave."""
        document = Document(values, "record of a delivery, finding")
        return cls(
            finding_id=document.text("finding_id"),
            receipt=document.integer("receipt"),
            vendor=document.text("vendor"),
            layout=document.text("layout"),
            disposition=document.choice("disposition", DISPOSITIONS),
            rule=document.text("rule"),
            column=document.optional_text("column"),
            source_line=document.integer("source_line") if "source_line" in document else None,
            n_rows=document.integer("n_rows"),
            message=document.text("message"),
        )


def layout_short(layout: str) -> str:
    """Short form of a layout's name for finding ids; the receipt makes the id unique.

    Examples
    --------
    >>> layout_short("acme.results")
    'ACM-RES'
    """
    return "-".join(part[:3].upper() for part in layout.split(".", 1))


class FaultLog:
    """Collects faults of one delivery; memory is bounded whatever the number of rows at fault."""

    def __init__(self) -> None:
        self._kept: list[FileFault] = []
        self._count: dict[tuple[str, str, str], int] = {}
        self._surplus: dict[tuple[str, str, str], int] = {}

    def add(self, faults: Iterable[FileFault]) -> None:
        """Take in faults."""
        for fault in faults:
            kind = (fault.rule, fault.disposition, fault.column or "")
            if self.room(*kind):
                self._count[kind] = self._count.get(kind, 0) + 1
                self._kept.append(fault)
            else:
                self.add_more(*kind, n_rows=max(1, fault.n_rows))

    def room(self, rule: str, disposition: str, column: str) -> int:
        """How many more faults of a kind are listed one by one."""
        return MAX_PER_RULE - self._count.get((rule, disposition, column), 0)

    def add_more(self, rule: str, disposition: str, column: str, *, n_rows: int) -> None:
        """Count rows of a kind that are not listed one by one."""
        kind = (rule, disposition, column)
        self._surplus[kind] = self._surplus.get(kind, 0) + n_rows

    def dispositions(self) -> frozenset[str]:
        """Every disposition met so far."""
        return frozenset(disposition for _, disposition, _ in self._count)

    def faults(self) -> tuple[FileFault, ...]:
        """Faults in file order: those of the whole file first, then by line."""
        surplus = [
            FileFault(
                rule=rule,
                disposition=disposition,
                column=column or None,
                n_rows=count,
                message=f"{count} more rows with the same fault, beyond the {MAX_PER_RULE} listed",
            )
            for (rule, disposition, column), count in self._surplus.items()
        ]
        return tuple(sorted([*self._kept, *surplus], key=_in_file_order))


def _in_file_order(fault: FileFault) -> tuple[int, int, str, str, str]:
    return (
        fault.source_line or 0,
        DISPOSITIONS.index(fault.disposition),
        fault.column or "",
        fault.rule,
        fault.message,
    )


def number_findings(
    faults: Iterable[FileFault], *, receipt: int, vendor: str, layout: str
) -> tuple[Finding, ...]:
    """Give each fault its id, ``<layout short>-<receipt>-<running number>``."""
    stem = f"{layout_short(layout)}-{receipt:04d}"
    return tuple(
        Finding(
            finding_id=f"{stem}-{number:04d}",
            receipt=receipt,
            vendor=vendor,
            layout=layout,
            disposition=fault.disposition,
            rule=fault.rule,
            column=fault.column,
            source_line=fault.source_line,
            n_rows=fault.n_rows,
            message=fault.message,
        )
        for number, fault in enumerate(faults, start=1)
    )
