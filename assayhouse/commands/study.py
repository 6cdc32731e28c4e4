"""Commands about a study itself: start one, check it, describe it, simulate the reference study."""

import argparse
from pathlib import Path

from assayhouse.commands.output import print_table, progress, say
from assayhouse.commands.own_options import out_file, out_folder
from assayhouse.commands.session import Session


def new_study(_session: Session, args: argparse.Namespace) -> int:
    """Write a commented study folder."""
    from assayhouse.contracts.template import new_study as write  # noqa: PLC0415 - slow

    folder = Path(args.folder)
    for path in write(folder):
        say(str(path))
    say(f"Edit {folder / 'study.yaml'}, then: assayhouse --study {folder} declarations")
    return 0


def dictionary(session: Session, args: argparse.Namespace) -> int:
    """Write the data dictionary."""
    from assayhouse.contracts.dictionary import dictionary as describe  # noqa: PLC0415 - slow

    out = out_file(args.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(describe(session.declarations()), encoding="utf-8")
    say(f"{out} written")
    return 0


def declarations(session: Session, _args: argparse.Namespace) -> int:
    """Check every declaration of the study and print what is active, in build order.

    Returns
    -------
    int
        1 when something active cannot be built or a rule names an unknown column.
    """
    import polars as pl  # noqa: PLC0415 - slow

    from assayhouse.validate.suites import suite_for  # noqa: PLC0415 - slow

    found = session.declarations()
    rows, problems = [], []
    for order, (name, spec) in enumerate(found.tables.items(), start=1):
        suite = suite_for(found, name)
        if suite is not None:
            problems += suite.problems(spec.columns)
        if spec.writer is None and found.sql_path(name) is None:
            problems.append(f"{name}: neither sql/{name.replace('.', '/')}.sql nor a writer.")
        rows.append(
            {
                "order": order,
                "relation": name,
                "side": found.side(name),
                "columns": len(spec.columns),
                "rules": 0 if suite is None else len(suite.rules),
                "built from": ", ".join(found.parents(name)),
            }
        )
    say(f"{found.study.study_id}: {found.study.title}")
    say(f"blinding {found.study.blinding}; intake order {', '.join(found.layout_order())}")
    print_table(pl.DataFrame(rows))
    for problem in problems:
        say(problem)
    return 1 if problems else 0


def simulate(_session: Session, args: argparse.Namespace) -> int:
    """Write the transfers of the simulated reference study, and its truth beside them."""
    from assayhouse.simulate.record import write_transfer, write_truth  # noqa: PLC0415 - slow
    from assayhouse.simulate.study import simulate_study  # noqa: PLC0415 - slow

    out = out_folder(args.out)
    with progress() as tell:
        tell("simulate subjects and results", 0, 1)
        study = simulate_study(seed=args.seed, faults=args.faults)
        for done, transfer in enumerate(study.transfers):
            tell(f"write {transfer.label}", done, len(study.transfers))
            write_transfer(transfer, out / transfer.label.replace(" ", "-") / "landing")
        write_truth(study, out / "truth")
    say(f"{len(study.transfers)} transfers of simulated data below {out}, one folder each:")
    say("copy the content of a folder's landing/ into <home>/landing/, then: assayhouse run")
    say(f"{len(study.faults)} planted faults; the truth is in {out / 'truth'}")
    return 0
