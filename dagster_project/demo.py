"""The demonstration: the SYNTHETIC reference study, night by night, from landing to figure.

Running it again adds nothing. Simulated days stand in the records, not the clock.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from assayhouse.errors import HomeError
from assayhouse.intake.receipt import HELD, Register
from assayhouse.pipeline import delivery
from assayhouse.simulate.record import write_transfer, write_truth
from assayhouse.simulate.study import SimulatedStudy, Transfer, simulate_study
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.home import Home
from dagster_project.folder import instance_of
from dagster_project.night import NightRun, Tell, run_night
from dagster_project.resources import StudyHome, home_from_environment

TRUTH = Path("build/truth")
WHO = "demo"
APPROVAL = "Demonstration: the vendor confirmed that the missing records were withdrawn."
REFUSAL = "Demonstration: the vendor has sent a corrected delivery since."
UNBLINDING = "Demonstration: planned unblinding after the last transfer."
QUERY = (
    "select paramcd, arm, estimate, ci_lo, ci_hi, p from ard.effects "
    "where term = 'diff' and response = 'pchg' and avisitn = 24 order by paramcd, arm"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One night of the demonstration: its name, and what it ran."""

    name: str
    night: NightRun


def _study(home: Home, *, at: str) -> StudyHome:
    return StudyHome(home_path=str(home.root), who=WHO, at=at)


def drop(home: Home, transfer: Transfer) -> bool:
    """Put a transfer's files into landing unless they have been received; says whether it did."""
    known = {(item.file_name, item.sha256) for item in delivery.receipts(home)}
    names = {name for name, _ in known}
    # A vendor's files come with one manifest: they were all received, or none.
    vendors = {Path(path).parent.name for path in transfer.files if Path(path).name in names}
    files = {
        path: content
        for path, content in transfer.files.items()
        if Path(path).parent.name not in vendors
    }
    left = Transfer(number=transfer.number, label=transfer.label, date=transfer.date, files=files)
    if files:
        write_transfer(left, home.landing)
    return bool(files)


def settle_held(study: StudyHome) -> None:
    """Approve what is held, on the record; refuse what a later delivery has put right."""
    register = Register(AuditLog(study.home.audit_file))
    for receipt in register.in_state(HELD):
        served = register.base(receipt.layout)
        corrected = served is not None and served.number > receipt.number
        decide = delivery.refuse if corrected else delivery.approve
        decide(
            study.home,
            study.declarations,
            receipt.number,
            reason=REFUSAL if corrected else APPROVAL,
            at=study.now,
            who=study.who,
        )


def rehearse(home: Home) -> None:
    """Run the whole analysis with dummy arms, while nothing sealed may be read."""
    from assayhouse.pipeline.dry_run import dry_run  # noqa: PLC0415 - slow

    study = _study(home, at="")
    if not (home.root / "dummy").is_dir():
        dry_run(home, study.declarations)


def record_unblinding(study: StudyHome) -> None:
    """Record the planned unblinding, once."""
    from assayhouse.pipeline import publication  # noqa: PLC0415 - slow

    if not publication.is_unblinded(study.home):
        publication.unblind(
            study.home,
            study.declarations,
            planned="planned",
            reason=UNBLINDING,
            at=study.now,
            who=study.who,
        )


def nights(
    instance: dg.DagsterInstance, home: Home, simulated: SimulatedStudy, tell: Tell
) -> Iterator[Step]:
    """Run one night per transfer, one after the approval, one after the unblinding."""
    for transfer in simulated.transfers:
        drop(home, transfer)
        study = _study(home, at=f"{transfer.date}T02:00:00+00:00")
        yield Step(name=f"{transfer.label} {transfer.date}", night=run_night(instance, study, tell))
    last = simulated.transfers[-1].date
    day = _study(home, at=f"{last}T09:00:00+00:00")
    settle_held(day)
    yield Step(name="held delivery approved", night=run_night(instance, day, tell))
    tell("dry run with dummy arms")
    rehearse(home)
    later = _study(home, at=f"{last}T16:00:00+00:00")
    record_unblinding(later)
    yield Step(name="planned unblinding", night=run_night(instance, later, tell))


@contextmanager
def searches_compiled() -> Iterator[None]:
    """Compile the searches for cuts in another process, while the first files come in."""
    command = [sys.executable, "-m", "assayhouse.stats.warm"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own command line
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def sentence(step: Step) -> str:
    """Say what one night did."""
    night = step.night
    if not night.ran:
        return f"{step.name}: nothing new"
    parts = [f"{len(night.deliveries)} deliveries", f"{len(night.built)} relations"]
    parts += [f"rejected or failed: {', '.join(night.failed)}"] if night.failed else []
    parts += ["published"] if night.published else []
    return f"{step.name}: {', '.join(parts)}"


def places(home: Home) -> list[str]:
    """Say where everything is."""
    reports = sorted(home.reports("open").glob("[0-9]*"))
    report = reports[-1] if reports else home.reports("open")
    command = Path(sys.executable).with_name("assayhouse")
    return [
        f"warehouse  {home.warehouse_file('open')}",
        f"report     {report / 'index.html'}",
        *(f"figure     {path}" for path in sorted(report.glob("*.svg"))),
        f"dry run    {home.root / 'dummy'} (the same with DUMMY arms, before the unblinding)",
        f"truth      {TRUTH.resolve()} (the pipeline never reads it)",
        f'ask        {command} --home {home.root} sql "{QUERY}"',
        "look       make dev, then http://127.0.0.1:3000",
    ]


def relations_failed(step: Step) -> list[str]:
    """Relations that failed in a step; a rejected delivery is planted, a relation never."""
    return [name for name in step.night.failed if "/" not in name]


def main() -> int:
    """Run the demonstration and return its exit code."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    study = _study(Home(home_from_environment()), at="")
    try:
        home, declared = study.home, study.declarations.study.layouts
    except HomeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    simulated = simulate_study(layouts=declared)
    write_truth(simulated, TRUTH)
    console.print("SYNTHETIC data: a simulated trial; no number here comes from a person.")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with (
        searches_compiled(),
        instance_of(home) as instance,
        Progress(*columns, console=console, transient=True) as bar,
    ):
        task = bar.add_task("", total=len(simulated.transfers) + 2)

        def tell(what: str) -> None:
            bar.update(task, description=what)

        incomplete: list[str] = []
        for step in nights(instance, home, simulated, tell):
            bar.advance(task)
            console.print(sentence(step))
            incomplete += relations_failed(step)
    if incomplete:
        console.print(f"incomplete: {', '.join(incomplete)} failed. Run the same command again.")
        return 1
    console.print("\n".join(places(home)))
    console.print("SYNTHETIC data throughout.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
