"""The command `assayhouse`: what can be asked, where it is answered, and what the exit code says.

Reads the clock, once, for everything below it. Composes nothing: each command is a function in
`assayhouse.commands`, imported when it is called.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from assayhouse.errors import (
    AssayhouseError,
    BlindingError,
    DeliveryRejectedError,
    DeliveryStateError,
)

if TYPE_CHECKING:
    from assayhouse.commands.session import Session

OK, FINDINGS, UNUSABLE = 0, 1, 2
_REFUSED = (BlindingError, DeliveryRejectedError, DeliveryStateError)
_EPILOG = """exit codes: 0 done; 1 done with findings, or refused; 2 wrong usage, or unreadable
environment: ASSAYHOUSE_HOME, ASSAYHOUSE_STUDY, ASSAYHOUSE_USER (who is on record)"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default those of the process.
    """
    args = _parser().parse_args(argv)
    try:
        return _handler(args.handler)(_session(args), args)
    except AssayhouseError as error:
        _complain(error)
        return FINDINGS if isinstance(error, _REFUSED) else UNUSABLE
    except BrokenPipeError:
        # The reader of our output has gone, as `| head` does: nothing is left to say to it.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open until exit
        return OK
    except OSError as error:
        # A library's own error may carry neither name nor reason, and says both in its text.
        told = f"{error.filename or 'a file'}: {error.strerror}" if error.strerror else str(error)
        sys.stderr.write(f"assayhouse: {' '.join(told.split())}.\n")
        return UNUSABLE
    except KeyboardInterrupt:
        sys.stderr.write("assayhouse: stopped; running the command again completes it.\n")
        return UNUSABLE


def _complain(error: AssayhouseError) -> None:
    from assayhouse.commands.lines import write_line  # noqa: PLC0415 - where there is an error

    write_line(sys.stderr, f"assayhouse: {' '.join(str(error).split())}")
    for detail in error.details:
        write_line(sys.stderr, " ".join(detail.split()), indent="  ")


def _handler(name: str) -> "Callable[[Session, argparse.Namespace], int]":
    module, function = name.split(":")
    found = getattr(importlib.import_module(f"assayhouse.commands.{module}"), function)
    return cast("Callable[[Session, argparse.Namespace], int]", found)


def _session(args: argparse.Namespace) -> "Session":
    from assayhouse.commands.session import Session  # noqa: PLC0415 - after --help

    now = datetime.now(tz=UTC)  # noqa: TID251 - the one clock; everything below is given the time
    return Session(
        home_path=Path(args.home),
        study_path=Path(args.study) if args.study else None,
        at=now.isoformat(timespec="seconds"),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="assayhouse",
        description="From laboratory file to figure, every number traceable.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--home",
        metavar="DIR",
        default=os.environ.get("ASSAYHOUSE_HOME") or "home",
        help="where everything is kept (default: ./home)",
    )
    parser.add_argument(
        "--study",
        metavar="DIR",
        default=os.environ.get("ASSAYHOUSE_STUDY"),
        help="study folder (default: the shipped reference study)",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_study(commands)
    _add_deliveries(commands)
    _add_questions(commands)
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    *,
    handler: str,
    text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(handler=handler)
    return command


def _add_study(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = _add(
        commands, "new-study", handler="study:new_study", text="write a commented study folder"
    )
    command.add_argument("folder", metavar="DIR", help="absent or empty")
    _add(
        commands,
        "declarations",
        handler="study:declarations",
        text="check the study's declarations and print what is active",
    )
    command = _add(
        commands, "dictionary", handler="study:dictionary", text="write the data dictionary"
    )
    command.add_argument("--out", metavar="FILE", required=True, help="Markdown file to write")
    command = _add(
        commands, "simulate", handler="study:simulate", text="simulate the reference study's files"
    )
    command.add_argument("--out", metavar="DIR", required=True, help="where transfers and truth go")
    command.add_argument("--seed", type=int, default=20190304, help="same seed, same bytes")
    command.add_argument(
        "--faults",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="plant the catalogued faults",
    )


def _add_deliveries(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _add(commands, "run", handler="delivery:run", text="receive, check, rebuild, publish")
    _add(commands, "status", handler="delivery:status", text="deliveries and their states")
    for name, text in (
        ("approve", "let a held delivery in"),
        ("refuse", "keep a held delivery out"),
    ):
        command = _add(commands, name, handler=f"delivery:{name}", text=text)
        command.add_argument("receipt", type=int, help="arrival number, see status")
        command.add_argument("--reason", required=True, help="goes on record")
    _add(
        commands,
        "dry-run",
        handler="dry_run:dry_run",
        text="run the whole analysis with dummy arms, before unblinding",
    )
    command = _add(
        commands, "unblind", handler="delivery:unblind", text="record the study's unblinding"
    )
    kind = command.add_mutually_exclusive_group(required=True)
    for name in ("planned", "unplanned"):
        kind.add_argument(f"--{name}", dest="planned", action="store_const", const=name)
    command.add_argument("--reason", required=True, help="goes on record")
    audit = commands.add_parser(
        "audit", help="the audit chain", usage="assayhouse audit [-h] verify"
    ).add_subparsers(prog="assayhouse audit", metavar="verify", required=True)
    _add(audit, "verify", handler="delivery:audit_verify", text="recompute the audit chain")


def _add_questions(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = _add(
        commands, "sql", handler="warehouse:sql", text="ask the published tables, read-only"
    )
    command.add_argument("query", metavar="QUERY", help="one SQL query")
    command.add_argument("--sealed", action="store_true", help="ask the sealed side")
    command.add_argument("--as-of", metavar="N|TIME", help="publication number or ISO time")
    command.add_argument("--format", choices=("table", "csv", "json"), default="table")
    command = _add(
        commands, "effects", handler="effects:effects", text="adjusted means and differences"
    )
    command.add_argument("input", metavar="INPUT", help="csv or parquet in the long form")
    command.add_argument("--spec", metavar="FILE", required=True, help="options as YAML")
    command.add_argument("--out", metavar="DIR", required=True, help="where results are written")
    command = _add(commands, "poppk", handler="poppk:poppk", text="population pharmacokinetic fit")
    command.add_argument("events", metavar="EVENTS", help="csv: one row per dose or sample")
    command.add_argument("--model", metavar="FILE", required=True, help="units and model as YAML")
    command.add_argument("--out", metavar="DIR", required=True, help="where results are written")
    command.add_argument("--starts", type=int, metavar="N", help="in place of options.starts")
    _add_pictures(command, "goodness of fit, predictive check and covariates")
    _add_cutpoint(commands)
    command = _add(
        commands, "inspect", handler="inspect:inspect_file", text="what an instrument's file is"
    )
    command.add_argument("file", metavar="FILE", help="known by its content, not by its name")
    command.add_argument("--picture", metavar="OUT", help="write a picture: .svg, .png or .pdf")


def _add_cutpoint(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "predictive cut point of a marker, and what it is worth"
    command = _add(commands, "cutpoint", handler="cutpoint:cutpoint", text=text)
    command.add_argument("input", metavar="INPUT", help="csv or parquet: one row per subject")
    command.add_argument("--out", metavar="DIR", required=True, help="where results are written")
    command.add_argument("--spec", metavar="FILE", help="the options below as YAML; these win")
    for name, told in (
        ("marker", "column of a marker; may be repeated"),
        ("strata", "column of strata; may be repeated"),
        ("adjust", "column of a covariate; may be repeated"),
    ):
        command.add_argument(f"--{name}", metavar="COLUMN", action="append", help=told)
    for name, told in (
        ("arm", "column of the arm: 1 active, 0 control"),
        ("response", "column of the response: 0 or 1, a number, or a time"),
        ("event", "column of a time's event, 0 or 1"),
        ("subject", "column of the subjects, to check that each has one row"),
    ):
        command.add_argument(f"--{name}", metavar="COLUMN", help=told)
    for name in ("control", "active"):
        command.add_argument(f"--{name}", metavar="LABEL", help=f"label of the {name} arm")
    for name, told in (
        ("endpoint", "binary, continuous or survival"),
        ("test", "lrt, wald, firth, firth_wald, rd or wald_glm"),
        ("candidates", "all or grid19"),
        ("direction", "auto, higher or lower: where the group of interest lies"),
        ("resample", "simple, arm or arm_stratum"),
        ("preset", "subgrpid or lipsky2022"),
        ("null", "permutation, or parametric for a prognostic marker"),
    ):
        command.add_argument(f"--{name}", metavar="WORD", help=told)
    for name, told in (
        ("n-boot", "bootstrap samples (1000)"),
        ("n-null", "null data sets (9999; 999 where models are fitted)"),
        ("n-outer", "outer samples of the correction for optimism (40)"),
        ("min-cell", "subjects that each arm needs on either side (5)"),
        ("seed", "of every random number (1)"),
    ):
        command.add_argument(f"--{name}", metavar="N", type=int, help=told)
    for name, told in (
        ("min-share", "share of the group of interest to exceed (0)"),
        ("alpha", "level of the verdict (0.05)"),
    ):
        command.add_argument(f"--{name}", metavar="X", type=float, help=told)
    _add_pictures(command, "the cuts and the response curve")


def _add_pictures(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument(
        "--pictures", action=argparse.BooleanOptionalAction, default=True, help=f"draw {what}"
    )


if __name__ == "__main__":
    sys.exit(main())
