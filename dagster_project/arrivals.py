"""Which deliveries Dagster has to show: those that arrived, and those a person has decided on.

The register of receipts is the truth; runs carry a tag by which it is known what was shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from assayhouse.intake.receipt import APPROVED, REFUSED, Register
from assayhouse.pipeline import delivery
from assayhouse.trust.audit import AuditLog
from dagster_project.partitions import asset_name, deliveries, intake_key
from dagster_project.resources import StudyHome

TAG = "assayhouse/delivery"
PRIORITY = "dagster/priority"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One delivery to take in or to show again; ``news`` names the event for ever."""

    number: int
    layout: str
    partition_key: str
    news: str

    @property
    def tags(self) -> dict[str, str]:
        """Tags of its run; earlier arrivals go first."""
        return {TAG: self.news, PRIORITY: str(-self.number)}

    @property
    def request(self) -> dg.RunRequest:
        """Request of its run; the key is never used for another event."""
        return dg.RunRequest(
            run_key=self.news,
            partition_key=self.partition_key,
            asset_selection=[intake_key(self.layout)],
            tags=self.tags,
        )


def look(study: StudyHome, instance: dg.DagsterInstance) -> tuple[Arrival, ...]:
    """Scan landing; return what has news, in the order in which it must be taken in."""
    home, declarations = study.home, study.declarations
    delivery.scan(home, declarations, at=study.now, who=study.who, note_idle=False)
    shown = dict(instance.get_run_tags(tag_keys=[TAG])).get(TAG, set())
    unfinished = {receipt.number for receipt in delivery.pending(home, declarations)}
    return tuple(
        arrival
        for arrival in _events(study)
        if arrival.number in unfinished or arrival.news not in shown
    )


def _events(study: StudyHome) -> Iterator[Arrival]:
    """Last event of every receipt: its arrival, or what a person decided."""
    decided = {
        row.receipt: row.state
        for row in Register(AuditLog(study.home.audit_file)).states()
        if row.state in (APPROVED, REFUSED)
    }
    for receipt in delivery.receipts(study.home):
        if receipt.layout not in study.declarations.layouts:
            continue
        parts = [asset_name(receipt.layout), receipt.partition_key]
        parts += [decided[receipt.number]] if receipt.number in decided else []
        yield Arrival(
            number=receipt.number,
            layout=receipt.layout,
            partition_key=receipt.partition_key,
            news="/".join(parts),
        )


def new_partitions(
    arrivals: tuple[Arrival, ...], instance: dg.DagsterInstance
) -> list[dg.AddDynamicPartitionsRequest]:
    """Partitions that the arrivals need and the instance does not have."""
    wanted: dict[str, list[str]] = {}
    for arrival in arrivals:
        name = str(deliveries(arrival.layout).name)
        if not instance.has_dynamic_partition(name, arrival.partition_key):
            wanted.setdefault(name, []).append(arrival.partition_key)
    return [
        dg.AddDynamicPartitionsRequest(partitions_def_name=name, partition_keys=keys)
        for name, keys in wanted.items()
    ]


def register_partitions(arrivals: tuple[Arrival, ...], instance: dg.DagsterInstance) -> None:
    """Add the partitions at once, where no sensor does it."""
    for request in new_partitions(arrivals, instance):
        instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))


def _checked_against(declarations: Declarations, layout: str) -> frozenset[str]:
    """Layouts that a layout's values are checked against, directly or through others."""
    found: set[str] = set()
    ask = [layout]
    while ask:
        more = set(declarations.prior_layouts(ask.pop())) - found
        found |= more
        ask += sorted(more)
    return frozenset(found)


def waiting_before(study: StudyHome, number: int) -> tuple[int, ...]:
    """Deliveries without an outcome that must be taken in before the given one, in order."""
    waiting = delivery.pending(study.home, study.declarations)
    layouts = [receipt.layout for receipt in waiting if receipt.number == number]
    if not layouts:
        return ()
    first = _checked_against(study.declarations, layouts[0]) | set(layouts)
    return tuple(item.number for item in waiting if item.layout in first and item.number < number)
