"""One night through Dagster without its daemon: what arrived, what changed, the publication.

Compares what Dagster has shown with what the home holds, so it also shows what others have done.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import dagster as dg

from assayhouse.pipeline.delivery import visible_receipts
from assayhouse.pipeline.relations import derived, is_current
from assayhouse.warehouse.lake import Lake
from dagster_project import arrivals, metadata
from dagster_project.defs import warehouse
from dagster_project.defs.collected import made_in_parts
from dagster_project.defs.figures import holds_figures
from dagster_project.defs.intake import record_version
from dagster_project.defs.population import DIAGNOSTICS
from dagster_project.defs.raw import raw_version
from dagster_project.partitions import intake_key
from dagster_project.resources import StudyHome

VERSION_TAG = "dagster/data_version"
NIGHT_TAG = "assayhouse/night"
UNBLINDED_TAG = "assayhouse/unblinded"
# Every run keeps its own log; the console belongs to whoever called.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


Tell = Callable[[str], None]


def _silent(_what: str) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class NightRun:
    """What one night ran.

    Attributes
    ----------
    deliveries : tuple of str
        Deliveries shown, as ``<vendor>_<layout>/<partition key>``; with a decision, if any.
    built : tuple of str
        Relations made, or shown, in order.
    failed : tuple of str
        Of both, those whose run failed: a rejected delivery, or a relation that breaks a rule.
    published : bool
        Whether the publication was asked for and served.
    """

    deliveries: tuple[str, ...] = ()
    built: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    published: bool = False

    @property
    def ran(self) -> int:
        """Number of assets, or partitions of assets, that were materialised or tried."""
        return len(self.deliveries) + len(self.built) + self.published

    @property
    def counts(self) -> Mapping[str, int]:
        """What happened, in numbers."""
        return {
            "deliveries": len(self.deliveries),
            "relations": len(self.built),
            "failed": len(self.failed),
            "published": int(self.published),
        }


@dataclass(kw_only=True)
class _Night:
    """One night under way: where it runs, and what has run so far."""

    instance: dg.DagsterInstance
    study: StudyHome
    lake: Lake
    job: dg.JobDefinition
    tell: Tell
    failed: list[str] = field(default_factory=list)

    def run(
        self,
        keys: Sequence[dg.AssetKey],
        *,
        partition_key: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> frozenset[str]:
        """Run the assets in one go; returns the names of the steps that failed."""
        result = self.job.execute_in_process(
            run_config=_QUIET,
            instance=self.instance,
            asset_selection=list(keys),
            partition_key=partition_key,
            tags={NIGHT_TAG: "true", **(tags or {})},
            raise_on_error=False,
        )
        failures = (event for event in result.all_events if event.is_step_failure)
        return frozenset(str(event.step_key) for event in failures)

    def shown(self, keys: Sequence[dg.AssetKey]) -> dict[dg.AssetKey, str | None]:
        """Content that Dagster showed last, per asset; nothing for one it never showed."""
        found: dict[dg.AssetKey, str | None] = dict.fromkeys(keys)
        for record in self.instance.get_asset_records(keys):
            last = record.asset_entry.last_materialization
            found[record.asset_entry.asset_key] = (
                None if last is None else (last.tags or {}).get(VERSION_TAG)
            )
        return found

    def take_in(self, arrival: arrivals.Arrival) -> None:
        """Take in one delivery; a rejected one fails alone."""
        self.tell(f"delivery {arrival.news}")
        key = intake_key(arrival.layout)
        if self.run([key], partition_key=arrival.partition_key, tags=arrival.tags):
            self.failed.append(arrival.news)

    def unseen_records(self) -> list[str]:
        """Relations written by intake whose content Dagster has not shown."""
        versions = {"intake": record_version, "raw": raw_version}
        tables = self.lake.declarations.tables.items()
        keys = {name: metadata.asset_key(name) for name, spec in tables if spec.layer in versions}
        shown = self.shown([*keys.values()])
        return [
            name
            for name, key in keys.items()
            if shown[key] != versions[self.lake.declarations.tables[name].layer](self.lake, name)
        ]

    def due(self) -> list[str]:
        """Relations that are out of date, or whose content Dagster has not shown."""
        visible = visible_receipts(self.lake.home)
        keys = {name: metadata.asset_key(name) for name in derived(self.lake.declarations)}
        shown = self.shown([*keys.values()])
        found = []
        for name, key in keys.items():
            head = self.lake.head(name)
            seen = head is not None and shown[key] == head.content_hash
            if not (seen and is_current(self.lake, self.lake.declarations, name, visible=visible)):
                found.append(name)
        return found

    def ready(self) -> list[str]:
        """Those of the due relations that stand on none that is due or failed."""
        waiting = set(self.due()) | set(self.failed)
        found = []
        for name in derived(self.lake.declarations):
            if waiting & set(self.lake.declarations.parents(name)):
                waiting.add(name)
            elif name in waiting and name not in self.failed:
                found.append(name)
        return found

    def show(self, relations: Iterable[str], tags: Mapping[str, str] | None = None) -> None:
        """Make relations that do not stand on each other."""
        listed = list(relations)
        self.tell(", ".join(listed))
        for relation, parts in made_in_parts(self.lake.declarations).items():
            if relation in listed:
                self.run([parts.key], tags=parts.whole_range)
        steps = self.run([metadata.asset_key(name) for name in listed], tags=tags)
        self.failed += [name for name in listed if name.replace(".", "__") in steps]

    def refresh(self) -> Iterator[str]:
        """Make what is out of date, one generation after the other, until nothing is."""
        while ready := self.ready():
            self.show(ready)
            yield from ready

    def unshown_figures(self) -> list[str]:
        """Sealed figures and diagnostics that may be shown since the unblinding, and were not."""
        from assayhouse.pipeline.publication import is_unblinded  # noqa: PLC0415 - slow

        done = dict(self.instance.get_run_tags(tag_keys=[UNBLINDED_TAG]))
        if done or not is_unblinded(self.lake.home):
            return []
        tables = self.lake.declarations.tables
        return [name for name in tables if holds_figures(tables[name]) or name in DIAGNOSTICS]

    def publication_due(self) -> bool:
        """Whether Dagster has not shown what is served, or its files are missing or damaged."""
        from assayhouse.pipeline.publication import is_served  # noqa: PLC0415 - slow

        served = self.lake.publication()
        if served is None or self.shown([warehouse.KEY])[warehouse.KEY] != served.content_hash:
            return True
        return not is_served(self.lake.home, self.lake.declarations, served)


def _start(instance: dg.DagsterInstance, study: StudyHome, tell: Tell) -> _Night:
    from dagster_project.assets import asset_job  # noqa: PLC0415 - assets know the schedule

    lake = Lake(study.home, study.declarations)
    return _Night(instance=instance, study=study, lake=lake, job=asset_job(study), tell=tell)


def free_killed(instance: dg.DagsterInstance) -> None:
    """Close runs that a killed night left open, so that their pools are free again."""
    unfinished = dg.RunsFilter(
        tags={NIGHT_TAG: "true"},
        statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING],
    )
    for run in instance.get_runs(unfinished):
        instance.report_run_failed(run, "The night was stopped; the next one completes its work.")
        with suppress(NotImplementedError):
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def has_news(instance: dg.DagsterInstance, study: StudyHome) -> bool:
    """Whether a night would run anything."""
    night = _start(instance, study, _silent)
    waits = arrivals.look(study, instance) or night.unseen_records() or night.due()
    return bool(waits or night.unshown_figures() or night.publication_due())


def run_night(instance: dg.DagsterInstance, study: StudyHome, tell: Tell = _silent) -> NightRun:
    """Carry what has arrived to a publication; with nothing new, nothing runs.

    Parameters
    ----------
    instance : DagsterInstance
        Where runs are kept; the one of ``DAGSTER_HOME`` is what ``make dev`` shows.
    study : StudyHome
        Study, home, who acts and when.
    tell : callable
        Called with what is being done.
    """
    night = _start(instance, study, tell)
    free_killed(instance)
    arrived = arrivals.look(study, instance)
    arrivals.register_partitions(arrived, instance)
    for arrival in arrived:
        night.take_in(arrival)
    rejected = tuple(night.failed)
    night.failed.clear()
    built = night.unseen_records()
    if built:
        night.show(built)
    built += night.refresh()
    figures = night.unshown_figures()
    if figures and not night.failed:
        night.show(figures, {UNBLINDED_TAG: "true"})
    wanted = not night.failed and bool(built or figures or night.publication_due())
    if wanted and night.run([warehouse.KEY]):
        night.failed.append("warehouse.publication")
    return NightRun(
        deliveries=tuple(arrival.news for arrival in arrived),
        built=(*built, *figures),
        failed=(*rejected, *night.failed),
        published=wanted and "warehouse.publication" not in night.failed,
    )
