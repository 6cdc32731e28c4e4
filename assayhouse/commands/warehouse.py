"""Questions to the warehouse. Reads only."""

import argparse
import sys

from assayhouse.commands.output import ROWS_SHOWN, print_table
from assayhouse.commands.session import Session


def sql(session: Session, args: argparse.Namespace) -> int:
    """Answer one SQL query from the published tables.

    Returns
    -------
    int
        0; an unanswerable query raises.
    """
    from assayhouse.warehouse.catalogue import is_listing, query  # noqa: PLC0415 - slow
    from assayhouse.warehouse.flat import without_lists  # noqa: PLC0415 - slow

    as_of = int(args.as_of) if args.as_of and args.as_of.isdigit() else args.as_of
    frame = query(session.home(), args.query, sealed=args.sealed, as_of=as_of)
    if args.format == "csv":
        sys.stdout.write(without_lists(frame).write_csv())
    elif args.format == "json":
        sys.stdout.write(frame.write_json() + "\n")
    else:
        rows = frame.height if is_listing(args.query) else ROWS_SHOWN
        print_table(frame, rows=rows, whole="`--format csv` gives all")
    return 0
