"""Register of receipts and their states, kept in the audit log: the truth about arrivals.

Knows which changes of state are legal. Does not look at landing, and judges no file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from assayhouse.contracts.documents import Document
from assayhouse.errors import DeliveryStateError
from assayhouse.intake.manifest import ManifestEntry
from assayhouse.trust.audit import AuditLog, Entry

RECEIVED = "RECEIVED"
REJECTED = "REJECTED"
HELD = "HELD"
APPROVED = "APPROVED"
REFUSED = "REFUSED"
DUPLICATE = "DUPLICATE"
PUBLISHED = "PUBLISHED"
SUPERSEDED = "SUPERSEDED"
STATES = (RECEIVED, REJECTED, HELD, APPROVED, REFUSED, DUPLICATE, PUBLISHED, SUPERSEDED)
LEGAL: Mapping[str, tuple[str, ...]] = {
    RECEIVED: (REJECTED, HELD, DUPLICATE, PUBLISHED),
    HELD: (APPROVED, REFUSED),
    APPROVED: (PUBLISHED,),
    PUBLISHED: (SUPERSEDED,),
}
VISIBLE = (PUBLISHED, SUPERSEDED)
UNFINISHED = (RECEIVED, APPROVED)
_OUT = (REJECTED, REFUSED, DUPLICATE)  # not what a later delivery is compared with

ARRIVED = "deliveries received"
CHANGED = "delivery states"
MOVED = "delivery sealed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One arrival of one file of one layout.

    Attributes
    ----------
    marks : tuple of str
        What tells the files in landing that this receipt took (data file first, then manifest)
        from files dropped later under the same names.
    """

    number: int
    vendor: str
    layout: str
    file_name: str
    sha256: str
    bytes: int
    side: str
    received_at: str
    manifest: ManifestEntry | None = None
    marks: tuple[str, ...] = ()

    @property
    def transfer_no(self) -> int | None:
        """Number of the transfer, where a manifest came with the file."""
        return None if self.manifest is None else self.manifest.transfer_no

    @property
    def partition_key(self) -> str:
        """Name of the arrival: receipt number and the first digits of the SHA-256."""
        return f"{self.number:04d}-{self.sha256[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of state to record."""

    receipt: int
    state: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """One recorded change of state; ``seq`` counts changes of state, not rows of the log."""

    seq: int
    receipt: int
    state: str
    why: str
    at: str
    who: str


class Register:
    """Receipts and states as the audit log tells them.

    Reads the log once. What is recorded through this object is in it; what others record is not,
    so callers that write hold the home's lock and make a new one.

    Parameters
    ----------
    log : AuditLog
        Audit log of the home.
    """

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._receipts: dict[int, Receipt] = {}
        self._rows: list[StateRow] = []
        self._state: dict[int, str] = {}
        for entry in log.entries():
            self._take(entry)

    def receipts(self) -> tuple[Receipt, ...]:
        """Every receipt in order of arrival."""
        return tuple(self._receipts.values())

    def receipt(self, number: int) -> Receipt:
        """One receipt by its number."""
        if number not in self._receipts:
            message = (
                f"There is no delivery {number}; the last one is {len(self._receipts)}. "
                "Nothing was changed."
            )
            raise DeliveryStateError(message)
        return self._receipts[number]

    def of_layout(self, layout: str) -> tuple[Receipt, ...]:
        """Receipts of one layout in order of arrival."""
        return tuple(item for item in self.receipts() if item.layout == layout)

    def state(self, number: int) -> str:
        """Present state of a receipt."""
        return self._state[self.receipt(number).number]

    def states(self) -> tuple[StateRow, ...]:
        """Every change of state in order."""
        return tuple(self._rows)

    def why(self, number: int) -> str:
        """Reason of the last change of state of a receipt."""
        return next(row.why for row in reversed(self._rows) if row.receipt == number)

    def in_state(self, *states: str) -> tuple[Receipt, ...]:
        """Receipts that are in one of the states now, in order of arrival."""
        return tuple(item for item in self.receipts() if self._state[item.number] in states)

    def visible(self) -> frozenset[int]:
        """Receipts whose rows are served: published, or published once and superseded."""
        return frozenset(item.number for item in self.in_state(*VISIBLE))

    def base(self, layout: str) -> Receipt | None:
        """Return the layout's last published delivery, which the next one is compared with."""
        found = [item for item in self.of_layout(layout) if self._state[item.number] == PUBLISHED]
        return found[-1] if found else None

    def twin(self, receipt: Receipt) -> Receipt | None:
        """Return the earlier delivery whose bytes came again, if they are the layout's latest.

        Older bytes that come back (A, B, A) have no twin: they are a delivery like any other.
        """
        latest = None
        for item in self.of_layout(receipt.layout):
            if item.number < receipt.number and self._state[item.number] not in _OUT:
                latest = item
        return latest if latest is not None and latest.sha256 == receipt.sha256 else None

    def waiting_before(self, receipt: Receipt) -> Receipt | None:
        """Return the layout's first earlier delivery that is not judged yet."""
        for item in self.of_layout(receipt.layout):
            if item.number < receipt.number and self._state[item.number] in UNFINISHED:
                return item
        return None

    def transfers_before(self, receipt: Receipt) -> tuple[frozenset[int], frozenset[int]]:
        """Transfer numbers that came before: the vendor's, and the layout's that stand."""
        vendor, layout = set(), set()
        for item in self.receipts():
            number = item.transfer_no
            if item.number >= receipt.number or item.vendor != receipt.vendor or number is None:
                continue
            vendor.add(number)
            stands = self._state[item.number] not in (REJECTED, REFUSED)
            if item.layout == receipt.layout and stands:
                layout.add(number)
        return frozenset(vendor), frozenset(layout)

    def transfers_served(self, layout: str) -> tuple[int | None, ...]:
        """Transfers whose content is served, in order of arrival; None where none was numbered.

        The same bytes sent again are served as well, under both numbers.
        """
        visible = {item.sha256 for item in self.of_layout(layout) if self._is_served(item)}
        return tuple(
            item.transfer_no
            for item in self.of_layout(layout)
            if self._is_served(item)
            or (self._state[item.number] == DUPLICATE and item.sha256 in visible)
        )

    def _is_served(self, receipt: Receipt) -> bool:
        return self._state[receipt.number] in VISIBLE

    def arrive(self, receipts: Iterable[Receipt], *, at: str, who: str) -> tuple[Receipt, ...]:
        """Record arrivals as one row, all of them or none; each gets the next number."""
        first = len(self._receipts) + 1
        numbered = tuple(
            replace(item, number=first + place, received_at=at)
            for place, item in enumerate(receipts)
        )
        if numbered:
            event = {"kind": ARRIVED, "receipts": [_arrival(item) for item in numbered]}
            why = f"{len(numbered)} files received"
            self._take(self._log.append(event, at=at, who=who, why=why))
        return numbered

    def record(self, number: int, state: str, *, why: str, at: str, who: str) -> None:
        """Record one change of state."""
        self.record_all((Change(receipt=number, state=state, why=why),), at=at, who=who)

    def record_all(self, changes: Iterable[Change], *, at: str, who: str) -> None:
        """Record changes of state that belong together as one row: all of them or none.

        Raises
        ------
        DeliveryStateError
            One of them is not legal; nothing is recorded.
        """
        listed = tuple(changes)
        for change in listed:
            before = self.state(change.receipt)
            if change.state not in LEGAL.get(before, ()):
                allowed = ", ".join(LEGAL.get(before, ())) or "nothing"
                message = (
                    f"Delivery {change.receipt} is {before} and cannot become {change.state}; "
                    f"possible from here: {allowed}. Nothing was changed."
                )
                raise DeliveryStateError(message)
        event = {
            "kind": CHANGED,
            "changes": [
                {"receipt": item.receipt, "state": item.state, "why": item.why} for item in listed
            ],
        }
        why = listed[0].why if listed else ""
        self._take(self._log.append(event, at=at, who=who, why=why))

    def seal(self, number: int, *, at: str, who: str, why: str) -> None:
        """Record that the bytes of a receipt were moved to the sealed archive."""
        event = {"kind": MOVED, "receipt": self.receipt(number).number}
        self._take(self._log.append(event, at=at, who=who, why=why))

    def _take(self, entry: Entry) -> None:
        kind = entry.text("kind")
        if kind == ARRIVED:
            for part in Document(entry.event, "audit log").parts("receipts"):
                receipt = _read_arrival(part, at=entry.at)
                self._receipts[receipt.number] = receipt
                self._add(receipt.number, RECEIVED, "received", entry)
        elif kind == MOVED:
            number = entry.integer("receipt")
            self._receipts[number] = replace(self._receipts[number], side="sealed")
        elif kind == CHANGED:
            for part in Document(entry.event, "audit log").parts("changes"):
                number, state = part.integer("receipt"), part.choice("state", STATES)
                self._add(number, state, part.text("why", ""), entry)

    def _add(self, number: int, state: str, why: str, entry: Entry) -> None:
        row = StateRow(
            seq=len(self._rows) + 1,
            receipt=number,
            state=state,
            why=why,
            at=entry.at,
            who=entry.who,
        )
        self._rows.append(row)
        self._state[number] = state


def _arrival(receipt: Receipt) -> dict[str, object]:
    return {
        "receipt": receipt.number,
        "vendor": receipt.vendor,
        "layout": receipt.layout,
        "file_name": receipt.file_name,
        "sha256": receipt.sha256,
        "bytes": receipt.bytes,
        "side": receipt.side,
        "manifest": None if receipt.manifest is None else receipt.manifest.to_dict(),
        "marks": list(receipt.marks),
    }


def _read_arrival(event: Document, *, at: str) -> Receipt:
    manifest = None
    if "manifest" in event:
        part = event.part("manifest")
        manifest = ManifestEntry.from_dict({name: part.raw(name) for name in part})
    return Receipt(
        number=event.integer("receipt"),
        vendor=event.text("vendor"),
        layout=event.text("layout"),
        file_name=event.text("file_name"),
        sha256=event.text("sha256"),
        bytes=event.integer("bytes"),
        side=event.text("side"),
        received_at=at,
        manifest=manifest,
        marks=event.texts("marks"),
    )
