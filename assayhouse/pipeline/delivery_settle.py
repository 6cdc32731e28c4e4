"""What a delivery's judgement does: quarantine published, rows published, state recorded.

In this order, so that a kill leaves the former state and the next run completes it. The caller
holds the home's lock.
"""

from dataclasses import replace

from assayhouse.contracts.declarations import Declarations
from assayhouse.errors import DeliveryStateError
from assayhouse.intake.receipt import (
    DUPLICATE,
    HELD,
    PUBLISHED,
    SUPERSEDED,
    UNFINISHED,
    Change,
    Receipt,
    Register,
)
from assayhouse.pipeline.delivery_judge import judge
from assayhouse.pipeline.delivery_record import (
    ROWS,
    Judgement,
    drop_rows,
    folder,
    read_judgement,
    write_judgement,
)
from assayhouse.pipeline.delivery_tables import publish_intake, publish_kept_out
from assayhouse.trust.archive import move_file
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake


def settle_duplicate(register: Register, receipt: Receipt, *, at: str, who: str) -> bool:
    """Record that a file's bytes came again; a delivery that waits itself is no measure yet."""
    twin = register.twin(receipt)
    if twin is None or register.state(twin.number) in UNFINISHED:
        return False
    why = f"duplicate of delivery {twin.number}, ignored"
    register.record(receipt.number, DUPLICATE, why=why, at=at, who=who)
    return True


def recorded(home: Home, receipt: Receipt) -> Judgement:
    """Return the judgement of a delivery that was judged."""
    judgement = read_judgement(home, receipt)
    if judgement is None:
        message = (
            f"The record of delivery {receipt.number} is missing. Nothing was changed. "
            "Restore the home from a copy."
        )
        raise DeliveryStateError(message)
    return judgement


def settle(
    home: Home,
    declarations: Declarations,
    register: Register,
    receipt: Receipt,
    *,
    at: str,
    who: str,
) -> None:
    """Judge a delivery and let the judgement take effect."""
    judgement = _resumed(home, declarations, receipt)
    if judgement is None:
        judgement = judge(home, declarations, register, receipt)
        write_judgement(home, receipt, judgement)
    if judgement.sealed and receipt.side == "open":
        move_file(
            receipt.sha256,
            receipt.file_name,
            source=home.archive("open"),
            target=home.archive("sealed"),
        )
        register.seal(receipt.number, at=at, who=who, why="treatment content in an open layout")
    publish_kept_out(home, declarations, register)
    if judgement.state == PUBLISHED:
        publish_rows(home, declarations, register, judgement, why=judgement.why, at=at, who=who)
    else:
        register.record(receipt.number, judgement.state, why=judgement.why, at=at, who=who)


def _resumed(home: Home, declarations: Declarations, receipt: Receipt) -> Judgement | None:
    """Return the judgement of a killed run, once something of it had taken effect."""
    judgement = read_judgement(home, receipt)
    if judgement is None or judgement.sealed:
        return judgement
    relation = declarations.layouts[receipt.layout].relation
    committed = receipt.number in Lake(home, declarations).receipts_in(relation)
    return judgement if committed else None


def publish_rows(
    home: Home,
    declarations: Declarations,
    register: Register,
    judgement: Judgement,
    *,
    why: str,
    at: str,
    who: str,
) -> None:
    """Append the rows, then record that they are served and what they supersede."""
    receipt = register.receipt(judgement.receipt)
    layout = declarations.layouts[receipt.layout]
    if judgement.n_rows:
        rows = folder(home, receipt) / ROWS
        Lake(home, declarations).append_receipt(layout.relation, rows, receipt=receipt.number)
    changes = [Change(receipt=receipt.number, state=PUBLISHED, why=why)]
    base = register.base(receipt.layout)
    if base is not None and layout.mode == "cumulative":
        superseded = f"superseded by delivery {receipt.number}"
        changes.append(Change(receipt=base.number, state=SUPERSEDED, why=superseded))
    register.record_all(changes, at=at, who=who)
    drop_rows(home, receipt)


def compare_anew(
    home: Home, declarations: Declarations, register: Register, receipt: Receipt
) -> None:
    """Judge a held delivery against what is served now; it stays on hold."""
    judgement = replace(judge(home, declarations, register, receipt), state=HELD)
    write_judgement(home, receipt, judgement)
    publish_intake(home, declarations, register)
