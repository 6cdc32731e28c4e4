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
_ACCOUNT = {"accepted_rows": "accepted", "quarantined_rows": "quarantined", "balanced": "balanced"}


def run(session: Session, _args: argparse.Namespace) -> int:
    """Receive, ingest, rebuild what changed and publish.

    Returns
    -------
    int
        1 when a delivery was rejected or waits for a person, else 0.
    """
    from assayhouse.pipeline.night import run_night  # noqa: PLC0415 - slow

    home, declarations = session.home_of_study(create=True)
    with progress() as tell:
        result = run_night(home, declarations, at=session.at, who=session.who, progress=tell)
    states = [outcome.state for outcome in result.outcomes]
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    say(f"{len(states)} deliveries: {counts}" if states else "no new delivery")
    say(f"{len(result.built)} relations built anew")
    published = result.published
    news = "new" if published.is_new else "unchanged"
    say(f"publication {published.publication.number} ({news}); report in {published.report_folder}")
    if any(state in _WAITING for state in states):
        say("See `assayhouse status`; a held delivery waits for approve or refuse.")
    _tell_landing(home, declarations)
    return int(any(state in _WAITING for state in states))


def _tell_landing(home: "Home", declarations: "Declarations") -> None:
    from assayhouse.commands.next_steps import landing_lines  # noqa: PLC0415 - slow
    from assayhouse.pipeline.delivery import left_in_landing  # noqa: PLC0415 - slow

    for line in landing_lines(left_in_landing(home, declarations)):
        say(line)


def status(session: Session, _args: argparse.Namespace) -> int:
    """Print every delivery with its state and account, the latest first, and what to do next."""
    from assayhouse.commands.next_steps import decision_lines  # noqa: PLC0415 - slow
    from assayhouse.intake.receipt import Register  # noqa: PLC0415 - slow
    from assayhouse.trust.audit import AuditLog  # noqa: PLC0415 - slow

    home, declarations = session.home_of_study()
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
    if rows:
        table = pl.DataFrame(rows).join(
            _accounts(home, declarations), on="receipt", how="left", maintain_order="left"
        )
        print_table(
            table.select("receipt", "layout", "state", *_ACCOUNT.values(), "file"),
            whole='all: assayhouse sql "from intake.receipts" --format csv',
        )
    else:
        say("no delivery yet")
    for line in decision_lines(register):
        say(line)
    _tell_landing(home, declarations)
    return 0


def _accounts(home: "Home", declarations: "Declarations") -> pl.DataFrame:
    from assayhouse.warehouse.lake import Lake  # noqa: PLC0415 - slow

    relation = "intake.line_accounts"
    lake = Lake(home, declarations)
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
    home, declarations = session.home_of_study()
    decide(
        home,
        declarations,
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

    home, declarations = session.home_of_study()
    publication.unblind(
        home,
        declarations,
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
