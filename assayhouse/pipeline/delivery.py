"""One delivery from landing to its outcome: receive, ingest, approve, refuse.

Every function that changes the home takes its lock; running one twice is harmless. Order within a
delivery: bytes archived, draft written, quarantine published, rows published, state recorded.
"""

import time
from dataclasses import dataclass

from assayhouse.contracts.declarations import Declarations
from assayhouse.errors import DeliveryStateError
from assayhouse.intake.account import LineAccount
from assayhouse.intake.disposition import DeltaCounts
from assayhouse.intake.findings import Finding
from assayhouse.intake.receipt import (
    APPROVED,
    HELD,
    PUBLISHED,
    RECEIVED,
    REFUSED,
    SUPERSEDED,
    UNFINISHED,
    Receipt,
    Register,
)
from assayhouse.pipeline import belonging
from assayhouse.pipeline.delivery_record import Check, drop_rows, read_judgement
from assayhouse.pipeline.delivery_scan import Pause, Waiting, clear_taken, strays, survey, take
from assayhouse.pipeline.delivery_settle import (
    compare_anew,
    publish_rows,
    recorded,
    settle,
    settle_duplicate,
)
from assayhouse.pipeline.delivery_tables import publish_intake
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.home import Home

__all__ = [
    "Check",
    "Outcome",
    "Receipt",
    "Waiting",
    "approve",
    "ingest",
    "left_in_landing",
    "note_no_news",
    "outcome",
    "pending",
    "receipts",
    "refuse",
    "scan",
    "visible_receipts",
]

LOCK_SECONDS = 120.0
NOTHING_NEW = "no new content"
SETTLED = (PUBLISHED, SUPERSEDED, REFUSED)  # their draft rows are of no more use


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one delivery.

    Attributes
    ----------
    state, why : str
        Its present state, and why it has it.
    accepted_rows, quarantined_rows : int
        Rows of the file; 0 where it was rejected or is a duplicate.
    account : LineAccount or None
        Account of its lines, where it was read.
    delta : DeltaCounts or None
        What it does to the records, where it was compared.
    """

    receipt: int
    layout: str
    file_name: str
    partition_key: str
    state: str
    why: str
    accepted_rows: int
    quarantined_rows: int
    account: LineAccount | None
    delta: DeltaCounts | None
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


def scan(
    home: Home,
    declarations: Declarations,
    *,
    at: str,
    who: str,
    pause: Pause = time.sleep,
    note_idle: bool = False,
) -> tuple[Receipt, ...]:
    """Take what has arrived complete into archive and register.

    Parameters
    ----------
    at : str
        Time, ISO 8601; also the day against which dates in the future are judged.
    who : str
        Person or process.
    pause : callable
        Waits between the two looks that show whether a file still grows.
    note_idle : bool
        Add a line to the audit log when there is nothing new, as a night does.

    Returns
    -------
    tuple of Receipt
        New receipts, in the order in which they are to be ingested.

    Raises
    ------
    HomeError
        The home holds another study.
    """
    with home.lock(wait_seconds=LOCK_SECONDS):
        belonging.claim(home, declarations, at=at, who=who)
        log = AuditLog(home.audit_file)
        register = Register(log)
        clear_taken(home, register)
        for receipt in register.in_state(*SETTLED):
            drop_rows(home, receipt)
        found = survey(home, declarations, pause=pause)
        arrived = take(home, declarations, register, found, at=at, who=who)
        for receipt in arrived:
            settle_duplicate(register, receipt, at=at, who=who)
        publish_intake(home, declarations, register)
        if note_idle and not arrived and not register.in_state(*UNFINISHED):
            _note_no_news(log, at=at, who=who)
    return arrived


def note_no_news(home: Home, *, at: str, who: str) -> None:
    """Record that a night found nothing new."""
    with home.lock(wait_seconds=LOCK_SECONDS):
        _note_no_news(AuditLog(home.audit_file), at=at, who=who)


def _note_no_news(log: AuditLog, *, at: str, who: str) -> None:
    log.append({"kind": NOTHING_NEW}, at=at, who=who, why=NOTHING_NEW)


def left_in_landing(
    home: Home, declarations: Declarations, *, pause: Pause = time.sleep
) -> tuple[Waiting, ...]:
    """Files that stay in landing and why: their transfer is not complete, or nobody knows them."""
    return (*strays(home.landing), *survey(home, declarations, pause=pause).waiting)


def receipts(home: Home) -> tuple[Receipt, ...]:
    """Every receipt in order of arrival."""
    return _register(home).receipts()


def pending(home: Home, declarations: Declarations) -> tuple[Receipt, ...]:
    """Receipts without an outcome, in the order in which they are to be ingested.

    A layout comes after those that its values are checked against; within one, by arrival.
    """
    order = {name: place for place, name in enumerate(declarations.layout_order())}
    found = (item for item in _register(home).in_state(*UNFINISHED) if item.layout in order)
    return tuple(sorted(found, key=lambda item: (order[item.layout], item.number)))


def visible_receipts(home: Home) -> frozenset[int]:
    """Receipts whose rows are served."""
    return _register(home).visible()


def outcome(home: Home, declarations: Declarations, number: int) -> Outcome:
    """Read back what became of one delivery.

    Raises
    ------
    DeliveryStateError
        There is no such delivery.
    """
    register = _register(home)
    receipt = register.receipt(number)
    _require_layout(declarations, receipt)
    return _outcome(home, register, receipt)


def ingest(home: Home, declarations: Declarations, number: int, *, at: str, who: str) -> Outcome:
    """Carry one delivery from the archive to its outcome; harmless where it has one.

    Raises
    ------
    DeliveryStateError
        There is no such delivery, or an earlier one of its layout has no outcome yet.
    """
    belonging.require_study(home, declarations)
    with home.lock(wait_seconds=LOCK_SECONDS):
        register = _register(home)
        receipt = register.receipt(number)
        _require_layout(declarations, receipt)
        state = register.state(number)
        if state == APPROVED:
            judgement = recorded(home, receipt)
            publish_rows(home, declarations, register, judgement, why="approved", at=at, who=who)
        elif state == RECEIVED and not settle_duplicate(register, receipt, at=at, who=who):
            _require_turn(register, receipt)
            settle(home, declarations, register, receipt, at=at, who=who)
        publish_intake(home, declarations, register)
        return _outcome(home, register, register.receipt(number))


def approve(
    home: Home, declarations: Declarations, number: int, *, reason: str, at: str, who: str
) -> Outcome:
    """Publish a delivery on hold, on a person's word.

    Raises
    ------
    DeliveryStateError
        It is not on hold, no reason is given, a later delivery was published since, or what is
        served has changed since it was compared: then it is compared anew and the person looks
        again.
    """
    belonging.require_study(home, declarations)
    with home.lock(wait_seconds=LOCK_SECONDS):
        register = _register(home)
        receipt = register.receipt(number)
        _require_layout(declarations, receipt)
        _require_held(register, receipt, reason, doing="approved")
        base = register.base(receipt.layout)
        if base is not None and base.number > number:
            message = (
                f"Delivery {base.number} of {receipt.layout} was published after delivery "
                f"{number} arrived, so the older one cannot be approved. Nothing was changed. "
                "Refuse it."
            )
            raise DeliveryStateError(message)
        judgement = recorded(home, receipt)
        if judgement.base != (None if base is None else base.number):
            compare_anew(home, declarations, register, receipt)
            message = (
                f"Delivery {number} was compared with what was served before delivery "
                f"{'-' if base is None else base.number} was published. It has been compared "
                "anew and is still on hold: look at its counts, then approve it again."
            )
            raise DeliveryStateError(message)
        register.record(number, APPROVED, why=reason, at=at, who=who)
        publish_rows(home, declarations, register, judgement, why="approved", at=at, who=who)
        publish_intake(home, declarations, register)
        return _outcome(home, register, receipt)


def refuse(
    home: Home, declarations: Declarations, number: int, *, reason: str, at: str, who: str
) -> Outcome:
    """Turn down a delivery on hold; the last published one stays.

    Raises
    ------
    DeliveryStateError
        It is not on hold, or no reason is given.
    """
    belonging.require_study(home, declarations)
    with home.lock(wait_seconds=LOCK_SECONDS):
        register = _register(home)
        receipt = register.receipt(number)
        _require_layout(declarations, receipt)
        _require_held(register, receipt, reason, doing="refused")
        register.record(number, REFUSED, why=reason, at=at, who=who)
        drop_rows(home, receipt)
        publish_intake(home, declarations, register)
        return _outcome(home, register, receipt)


def _register(home: Home) -> Register:
    return Register(AuditLog(home.audit_file))


def _require_layout(declarations: Declarations, receipt: Receipt) -> None:
    if receipt.layout not in declarations.layouts:
        message = (
            f"Delivery {receipt.number} is of layout {receipt.layout}, which this study does not "
            "have (any more). Nothing was changed."
        )
        raise DeliveryStateError(message)


def _require_turn(register: Register, receipt: Receipt) -> None:
    earlier = register.waiting_before(receipt)
    if earlier is not None:
        message = (
            f"Delivery {receipt.number} of {receipt.layout} comes after delivery "
            f"{earlier.number}, which has no outcome yet. Nothing was changed. Ingest that first."
        )
        raise DeliveryStateError(message)


def _require_held(register: Register, receipt: Receipt, reason: str, *, doing: str) -> None:
    state = register.state(receipt.number)
    if state != HELD:
        message = (
            f"Delivery {receipt.number} is {state}; only one on hold can be {doing}. "
            "Nothing was changed."
        )
        raise DeliveryStateError(message)
    if not reason.strip():
        message = f"A delivery is {doing} with a reason. Nothing was changed. Give one."
        raise DeliveryStateError(message)


def _outcome(home: Home, register: Register, receipt: Receipt) -> Outcome:
    judgement = read_judgement(home, receipt)
    account = None if judgement is None else judgement.account
    return Outcome(
        receipt=receipt.number,
        layout=receipt.layout,
        file_name=receipt.file_name,
        partition_key=receipt.partition_key,
        state=register.state(receipt.number),
        why=register.why(receipt.number),
        accepted_rows=0 if account is None else account.accepted_rows,
        quarantined_rows=0 if account is None else account.quarantined_rows,
        account=account,
        delta=None if judgement is None else judgement.delta,
        findings=() if judgement is None else judgement.findings,
        checks=() if judgement is None else judgement.checks,
    )
