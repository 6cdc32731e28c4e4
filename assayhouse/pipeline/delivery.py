"""One delivery from landing to its outcome: scan, ingest, approve, refuse.

Order inside one delivery: bytes archived, drafts and record written, quarantine published, rows
published, state recorded. A kill anywhere leaves the former state; running again completes it.
"""

import datetime as dt
import time
from dataclasses import dataclass

from assayhouse.contracts.declarations import Declarations
from assayhouse.errors import DeliveryStateError
from assayhouse.intake.account import LineAccount
from assayhouse.intake.disposition import DeltaCounts
from assayhouse.intake.findings import Finding
from assayhouse.intake.receipt import (
    APPROVED,
    DUPLICATE,
    HELD,
    PUBLISHED,
    RECEIVED,
    REFUSED,
    REJECTED,
    SUPERSEDED,
    UNFINISHED,
    Change,
    Receipt,
    Register,
)
from assayhouse.pipeline.delivery_judge import Case, judge
from assayhouse.pipeline.delivery_record import (
    ROWS,
    Check,
    Judgement,
    drop_rows,
    folder,
    read_judgement,
    write_judgement,
)
from assayhouse.pipeline.delivery_scan import Pause, Survey, clear_taken, survey, take
from assayhouse.pipeline.delivery_tables import publish_intake
from assayhouse.trust.archive import move_file
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

NO_NEWS = "no new content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one delivery."""

    receipt: int
    layout: str
    state: str
    why: str
    account: LineAccount | None = None
    delta: DeltaCounts | None = None
    findings: tuple[Finding, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def accepted_rows(self) -> int:
        """Rows that may enter, the same as before among them."""
        return 0 if self.account is None else self.account.accepted_rows

    @property
    def quarantined_rows(self) -> int:
        """Rows kept out."""
        return 0 if self.account is None else self.account.quarantined_rows


def register_of(home: Home) -> Register:
    """Read the register of arrivals and states as it is now."""
    return Register(AuditLog(home.audit_file))


def visible_receipts(home: Home) -> frozenset[int]:
    """Receipts whose rows are served."""
    return register_of(home).visible()


def scan(
    home: Home, declarations: Declarations, *, at: str, who: str, pause: Pause = time.sleep
) -> tuple[Receipt, ...]:
    """Take what has arrived completely into the archive and the register.

    Parameters
    ----------
    home : Home
        Where everything is kept.
    declarations : Declarations
        The study.
    at, who : str
        Time (ISO 8601) and person or process, for the audit chain.
    pause : callable
        Waits between two looks at a file that may still grow.

    Returns
    -------
    tuple of Receipt
        Receipts that are new; nothing is judged yet.
    """
    with home.lock():
        register = register_of(home)
        clear_taken(home, register)
        found = survey(home, declarations, pause=pause)
        arrived = take(home, declarations, register, found, at=at, who=who)
        publish_intake(home, declarations, register)
    return arrived


def waiting(home: Home, declarations: Declarations, *, pause: Pause = time.sleep) -> Survey:
    """Look at landing without taking anything: what is complete, what waits and why."""
    return survey(home, declarations, pause=pause)


def note_no_news(home: Home, *, at: str, who: str) -> None:
    """Record that a night found nothing new."""
    with home.lock():
        AuditLog(home.audit_file).append({"kind": NO_NEWS}, at=at, who=who, why=NO_NEWS)


def pending(home: Home, declarations: Declarations) -> tuple[Receipt, ...]:
    """Receipts without an outcome: layouts in their order, within one by arrival."""
    order = {name: place for place, name in enumerate(declarations.layout_order())}
    found = register_of(home).in_state(*UNFINISHED)
    return tuple(sorted(found, key=lambda item: (order.get(item.layout, 0), item.number)))


def ingest(home: Home, declarations: Declarations, number: int, *, at: str, who: str) -> Outcome:
    """Carry one received delivery to its outcome; a delivery that has one is left as it is.

    Raises
    ------
    DeliveryStateError
        There is no such delivery, or an earlier one of its layout is not judged yet.
    """
    with home.lock():
        register = register_of(home)
        receipt = register.receipt(number)
        before = register.waiting_before(receipt)
        if register.state(number) == RECEIVED and before is not None:
            message = (
                f"Delivery {before.number} of {receipt.layout} is not judged yet: ingest it first. "
                "Nothing was changed."
            )
            raise DeliveryStateError(message)
        if register.state(number) == RECEIVED:
            _settle(home, declarations, register, receipt, at=at, who=who)
        if register.state(number) == APPROVED:
            _publish_rows(home, declarations, register, receipt, at=at, who=who)
        publish_intake(home, declarations, register)
        return _outcome(home, register, number)


def _settle(
    home: Home,
    declarations: Declarations,
    register: Register,
    receipt: Receipt,
    *,
    at: str,
    who: str,
) -> None:
    twin = register.twin(receipt)
    if twin is not None:
        why = f"duplicate of delivery {twin.number}, ignored"
        register.record(receipt.number, DUPLICATE, why=why, at=at, who=who)
        return
    judgement = _judged(home, declarations, register, receipt, at=at)
    if judgement.sealed and receipt.side == "open":
        why = "holds words of the treatment vocabulary"
        register.seal(receipt.number, at=at, who=who, why=why)
        receipt = register.receipt(receipt.number)
    if receipt.side == "sealed":
        roots = {"source": home.archive("open"), "target": home.archive("sealed")}
        move_file(receipt.sha256, receipt.file_name, **roots)
    publish_intake(home, declarations, register)
    if judgement.state == PUBLISHED:
        _publish_rows(home, declarations, register, receipt, at=at, who=who)
        return
    register.record(receipt.number, judgement.state, why=judgement.why, at=at, who=who)
    if judgement.state == REJECTED:
        drop_rows(home, receipt)


def _judged(
    home: Home, declarations: Declarations, register: Register, receipt: Receipt, *, at: str
) -> Judgement:
    """Judge, or take the record of a run that was killed after judging."""
    former = read_judgement(home, receipt)
    base = register.base(receipt.layout)
    if former is not None and former.base == (None if base is None else base.number):
        return former
    case = Case(
        home=home,
        declarations=declarations,
        register=register,
        receipt=receipt,
        today=dt.date.fromisoformat(at[:10]),
    )
    judgement = judge(case)
    write_judgement(home, receipt, judgement)
    return judgement


def _publish_rows(
    home: Home,
    declarations: Declarations,
    register: Register,
    receipt: Receipt,
    *,
    at: str,
    who: str,
) -> None:
    """Append the delivery's rows, then record the state; both may have happened before."""
    judgement = read_judgement(home, receipt)
    rows = folder(home, receipt) / ROWS
    relation = declarations.layouts[receipt.layout].relation
    if rows.is_dir() and any(rows.iterdir()):
        Lake(home, declarations).append_receipt(relation, rows, receipt=receipt.number)
    base = register.base(receipt.layout)
    why = "accepted" if judgement is None else judgement.why
    changes = [Change(receipt=receipt.number, state=PUBLISHED, why=why)]
    if base is not None:
        why = f"superseded by delivery {receipt.number}"
        changes.append(Change(receipt=base.number, state=SUPERSEDED, why=why))
    register.record_all(changes, at=at, who=who)
    drop_rows(home, receipt)


def approve(
    home: Home, declarations: Declarations, number: int, *, reason: str, at: str, who: str
) -> Outcome:
    """Publish a held delivery on a person's decision.

    Raises
    ------
    DeliveryStateError
        It is not held, the reason is empty, or a later delivery was published meanwhile.
    """
    with home.lock():
        register = register_of(home)
        receipt = _held(register, number, reason)
        judgement = read_judgement(home, receipt)
        base = register.base(receipt.layout)
        compared = None if judgement is None else judgement.base
        if (None if base is None else base.number) != compared:
            message = (
                f"Delivery {number} was compared with delivery {compared}, but "
                f"{base.number if base else 'none'} is served now. Refuse it and ask for a new "
                "one. Nothing was changed."
            )
            raise DeliveryStateError(message)
        register.record(number, APPROVED, why=reason, at=at, who=who)
        _publish_rows(home, declarations, register, receipt, at=at, who=who)
        publish_intake(home, declarations, register)
        return _outcome(home, register, number)


def refuse(
    home: Home, declarations: Declarations, number: int, *, reason: str, at: str, who: str
) -> Outcome:
    """Keep a held delivery out on a person's decision; what was served stays.

    Raises
    ------
    DeliveryStateError
        It is not held, or the reason is empty.
    """
    with home.lock():
        register = register_of(home)
        receipt = _held(register, number, reason)
        register.record(number, REFUSED, why=reason, at=at, who=who)
        drop_rows(home, receipt)
        publish_intake(home, declarations, register)
        return _outcome(home, register, number)


def _held(register: Register, number: int, reason: str) -> Receipt:
    receipt = register.receipt(number)
    if register.state(number) != HELD:
        message = f"Delivery {number} is {register.state(number)}, not HELD. Nothing was changed."
        raise DeliveryStateError(message)
    if not reason.strip():
        message = "A decision on a held delivery needs a reason. Nothing was changed."
        raise DeliveryStateError(message)
    return receipt


def outcome(home: Home, number: int) -> Outcome:
    """Read back what became of a delivery."""
    return _outcome(home, register_of(home), number)


def _outcome(home: Home, register: Register, number: int) -> Outcome:
    receipt = register.receipt(number)
    judgement = read_judgement(home, receipt)
    return Outcome(
        receipt=number,
        layout=receipt.layout,
        state=register.state(number),
        why=register.why(number),
        account=None if judgement is None else judgement.account,
        delta=None if judgement is None else judgement.delta,
        findings=() if judgement is None else judgement.findings,
        checks=() if judgement is None else judgement.checks,
    )
