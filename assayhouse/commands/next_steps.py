"""What a person has to do next: held and rejected deliveries, files that wait in landing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assayhouse.intake.receipt import HELD, REJECTED, Register

if TYPE_CHECKING:
    from assayhouse.pipeline.delivery import Waiting

_NAMES_SHOWN = 3


def decision_lines(register: Register) -> Iterator[str]:
    """Say of every held delivery why it is held and which commands end that."""
    for item in register.in_state(HELD):
        number, served = item.number, register.base(item.layout)
        yield f"{number} {item.layout} is HELD: {register.why(number)}"
        yield f'  look:     assayhouse sql "select * from intake.deltas where receipt = {number}"'  # noqa: S608 - told, not run
        if served is not None and served.number > number:
            yield f"  (delivery {served.number} was published since: it can only be refused)"
        else:
            yield f'  let in:   assayhouse approve {number} --reason "WHY"'
        yield f'  keep out: assayhouse refuse {number} --reason "WHY"'
    rejected = register.in_state(REJECTED)
    if rejected:
        columns = "receipt, rule, source_line, message"
        yield (
            f'{len(rejected)} REJECTED; why: assayhouse sql "select {columns} '  # noqa: S608 - told
            "from intake.findings where disposition = 'R'\""
        )


def landing_lines(waiting: "tuple[Waiting, ...]") -> Iterator[str]:
    """Say what lies in landing and is not taken in: folder, how many, since when, what to do."""
    groups: dict[tuple[str, str, str], list[Waiting]] = {}
    for item in waiting:
        groups.setdefault((item.vendor, item.why, item.remedy), []).append(item)
    for (folder, why, remedy), items in groups.items():
        names = ", ".join(item.file_name for item in items[:_NAMES_SHOWN])
        more = len(items) - _NAMES_SHOWN
        listed = f"{names} and {more} more" if more > 0 else names
        since = min((item.since for item in items if item.since), default="")
        place = "landing" if folder == "." else f"landing/{folder}"
        number = f"{len(items)} file{'s wait' if len(items) > 1 else ' waits'}"
        told = f" since {since}" if since else ""
        yield f"{place}: {number}{told}: {listed}: {why.rstrip('.')}. {remedy}"
