"""The dry run with dummy arms, before unblinding."""

import argparse

from rich.console import Console

from assayhouse.commands.session import Session


def dry_run(session: Session, _args: argparse.Namespace) -> int:
    """Run the whole analysis with dummy arms and say where the result is.

    Returns
    -------
    int
        0; an analysis that cannot run raises.
    """
    from assayhouse.pipeline.dry_run import dry_run as run  # noqa: PLC0415 - slow

    console = Console(highlight=False, soft_wrap=True)
    with console.status("analysis with dummy arms"):
        done = run(*session.home_of_study())
    console.print(
        f"{len(done.relations)} relations built from DUMMY arms; nothing sealed was read."
    )
    console.print(f"figures and results: {done.folder}")
    return 0
