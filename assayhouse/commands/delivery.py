"""Commands about deliveries: carry them through, look at them, decide on them, check the record."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.commands.output import print_table, progress, say
from assayhouse.commands.session import Session

if TYPE_CHECKING:
    from assayhouse.contracts.declarations import Declarations
    from assayhouse.pipeline.delivery import Outcome
    from assayhouse.warehouse.home import Home

_WAITING = ("HELD", "REJECTED")
_SHOWN_WAITING = 10
_ACCOUNT = {"accepted_rows": "accepted", "quarantined_rows": "quarantined", "balanced": "balanced"}


def run(session: Session, _args: argparse.Namespace) -> int:
    """Receive, ingest, rebuild what changed and publish.

    Returns
    -------
    int
        1 when a delivery was rejected or waits for a person, else 0.
    """
    from assayhouse.pipeline.night import run_night  # noqa: PLC0415 - slow

    declarations = session.declarations()
    home = session.home(create=True)
    with progress() as tell:
        result = run_night(home, declarations, at=session.at, who=session.who, progress=tell)
    states = [outcome.state for outcome in result.outcomes]
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    say(f"{len(states)} deliveries: {counts}" if states else "no new delivery")
    say(f"{len(result.built)} relations built anew")
    _tell_waiting(home, declarations)
    published = result.published
    news = "new" if published.is_new else "unchanged"
    say(f"publication {published.publication.number} ({news}); report in {published.report_folder}")
    if any(state in _WAITING for state in states):
        say("See `assayhouse status`; a held delivery waits for approve or refuse.")
        return 1
    return 0


def status(session: Session, _args: argparse.Namespace) -> int:
    """Print every delivery with its state and account, the latest first."""
    from assayhouse.intake.receipt import Register  # noqa: PLC0415 - slow
    from assayhouse.trust.audit import AuditLog  # noqa: PLC0415 - slow

    home = session.home()
    register = Register(AuditLog(home.audit_file))
    rows = [
        {
            "receipt": item.number,
            "layout": item.layout,
            "state": register.state(item.number),
            "file": item.file_name,
        }
        for item in register.receipts()[::-1]
    ]
    if not rows:
        say("no delivery yet")
        _tell_waiting(home, session.declarations())
        return 0
    table = pl.DataFrame(rows).join(
        _accounts(session), on="receipt", how="left", maintain_order="left"
    )
    print_table(
        table.select("receipt", "layout", "state", *_ACCOUNT.values(), "file"),
        whole='all: assayhouse sql "from intake.receipts" --format csv',
    )
    for item in register.in_state("HELD"):
        say(f"{item.number} is HELD: {register.why(item.number)}")
        say(f"  let it in:   assayhouse approve {item.number} --reason TEXT")
        say(f"  keep it out: assayhouse refuse {item.number} --reason TEXT")
    _tell_waiting(home, session.declarations())
    return 0


def _tell_waiting(home: "Home", declarations: "Declarations") -> None:
    """Say what stays in landing, so that nobody takes it for received."""
    from assayhouse.pipeline.delivery_scan import waiting_in_landing  # noqa: PLC0415 - slow

    waiting = waiting_in_landing(home, declarations)
    for item in waiting[:_SHOWN_WAITING]:
        place = f"landing/{item.vendor}".rstrip("/")
        say(f"not received: {place}/{item.file_name}: {item.why}")
    if len(waiting) > _SHOWN_WAITING:
        say(f"and {len(waiting) - _SHOWN_WAITING} more files")
    if waiting:
        say("A file is received once it is whole, its name fits its layout and its manifest lists "
            "it; see docs/new-vendor.md.")  # fmt: skip


def _accounts(session: Session) -> pl.DataFrame:
    from assayhouse.warehouse.lake import Lake  # noqa: PLC0415 - slow

    declarations = session.declarations()
    relation = "intake.line_accounts"
    lake = Lake(session.home(), declarations)
    if lake.head(relation) is None:
        table = declarations.tables[relation].empty()
    else:
        table = lake.scan(relation).collect()
    return table.select("receipt", *(pl.col(name).alias(to) for name, to in _ACCOUNT.items()))


def approve(session: Session, args: argparse.Namespace) -> int:
    """Let a held delivery in, with a reason on record."""
    from assayhouse.pipeline import delivery  # noqa: PLC0415 - slow

    return _decide(
        session,
        args,
        delivery.approve,
        news="approved and PUBLISHED; `assayhouse run` builds what follows from it",
    )


def refuse(session: Session, args: argparse.Namespace) -> int:
    """Keep a held delivery out, with a reason on record."""
    from assayhouse.pipeline import delivery  # noqa: PLC0415 - slow

    return _decide(session, args, delivery.refuse, news="refused; what was published before stays")


def _decide(
    session: Session, args: argparse.Namespace, decide: "Callable[..., Outcome]", *, news: str
) -> int:
    decide(
        session.home(),
        session.declarations(),
        args.receipt,
        reason=args.reason,
        at=session.at,
        who=session.who,
    )
    say(f"delivery {args.receipt} {news}")
    return 0


def unblind(session: Session, args: argparse.Namespace) -> int:
    """Record the unblinding of the study."""
    from assayhouse.pipeline import publication  # noqa: PLC0415 - slow

    publication.unblind(
        session.home(),
        session.declarations(),
        planned=args.planned,
        reason=args.reason,
        at=session.at,
        who=session.who,
    )
    say(f"{args.planned} unblinding recorded; the next `assayhouse run` serves both sides")
    return 0


def audit_verify(session: Session, _args: argparse.Namespace) -> int:
    """Recompute the audit chain.

    Returns
    -------
    int
        1 when a row is not the one that was written.
    """
    from assayhouse.trust.audit import AuditLog  # noqa: PLC0415 - slow

    result = AuditLog(session.home().audit_file).verify()
    if result.intact:
        say(f"audit chain holds: {result.rows} rows")
        return 0
    say(f"audit chain is broken at row {result.first_bad}: {result.problem}")
    return 1
