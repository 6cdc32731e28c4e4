"""Intake: one asset per layout, partitioned by delivery, and the records that intake keeps."""

from collections.abc import Iterator

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from assayhouse.intake.receipt import REJECTED
from assayhouse.pipeline import delivery
from assayhouse.pipeline.delivery import Outcome
from assayhouse.warehouse.lake import Lake
from dagster_project import automation, checks, metadata
from dagster_project.arrivals import waiting_before
from dagster_project.partitions import deliveries, intake_key, layout_keys
from dagster_project.resources import StudyHome

GROUP = "intake"
# What says where a row stands and why it was kept out; none of it is a value of the row.
PLACE = ("receipt", "layout", "file_name", "source_line", "column", "rule", "reason")
MAX_PLACES = 100
Result = dg.MaterializeResult | dg.AssetCheckResult


def receipt_number(partition_key: str) -> int:
    """Arrival number in a partition key."""
    return int(partition_key.split("-", 1)[0])


def _metadata(outcome: Outcome) -> metadata.Metadata:
    return {
        "state": outcome.state,
        "why": outcome.why,
        "file": outcome.file_name,
        "lines": "the file was not read" if outcome.account is None else str(outcome.account),
        "accepted_rows": outcome.accepted_rows,
        "quarantined_rows": outcome.quarantined_rows,
        "records": metadata.counted({} if outcome.delta is None else outcome.delta.by_class()),
    }


def take(study: StudyHome, number: int) -> Outcome:
    """Take in a delivery, after those that it must be compared with or checked against."""
    for earlier in waiting_before(study, number):
        delivery.ingest(study.home, study.declarations, earlier, at=study.now, who=study.who)
    return delivery.ingest(study.home, study.declarations, number, at=study.now, who=study.who)


def layout_asset(declarations: Declarations, layout: str) -> dg.AssetsDefinition:
    """Asset that takes in the deliveries of one layout."""
    spec = declarations.layouts[layout]

    @dg.asset(
        key=intake_key(layout),
        partitions_def=deliveries(layout),
        group_name=GROUP,
        kinds={"python", "file"},
        code_version=spec.version,
        description=f"{spec.label}: deliveries, checked row by row, one partition each.",
        metadata={"layout": layout, "side": declarations.layout_side(layout)},
        check_specs=checks.delivery_specs(layout),
    )
    def take_in(context: dg.AssetExecutionContext, study: StudyHome) -> Iterator[Result]:
        outcome = take(study, receipt_number(context.partition_key))
        results = checks.delivery_results(study.declarations, outcome)
        if outcome.state == REJECTED:
            yield from results
            raise checks.failure(outcome)
        # Results that come before the materialisation would count as those of a former one.
        yield dg.MaterializeResult(
            metadata=_metadata(outcome),
            data_version=dg.DataVersion(f"{context.partition_key}:{outcome.state}"),
            check_results=list(results),
        )

    return take_in


def _record_spec(declarations: Declarations, relation: str) -> dg.AssetSpec:
    table, study = declarations.tables[relation], declarations.study
    return dg.AssetSpec(
        key=metadata.asset_key(relation),
        deps=list(layout_keys(declarations).values()),
        group_name=GROUP,
        kinds={"deltalake"},
        code_version=table.code_version,
        description=metadata.described(table, study=study.study_id, synthetic=study.synthetic),
        metadata=metadata.declared(declarations, relation),
        automation_condition=automation.on_delivery(),
    )


def record_version(lake: Lake, relation: str) -> str:
    """Content of an intake relation, of both sides where it has two."""
    return "+".join(head.content_hash for head in lake.heads(relation)) or "none"


def _places(lake: Lake, relation: str) -> metadata.Metadata:
    """Where the rows that were kept out stand and why; of the open side, without their text."""
    if not set(lake.spec(relation).columns) >= set(PLACE):
        return {}
    rows = lake.scan(relation, side="open").select(PLACE).sort(PLACE).collect()
    last = rows.tail(MAX_PLACES)
    if last.is_empty():
        return {}
    records = [
        dg.TableRecord({name: "" if value is None else value for name, value in row.items()})
        for row in last.iter_rows(named=True)
    ]
    shown = (
        f"last {last.height} of {rows.height}"
        if rows.height > last.height
        else f"all {rows.height}"
    )
    return {
        "rows": dg.MetadataValue.table(records),
        "rows_shown": f"{shown}; `assayhouse sql` shows {relation} with the text as sent",
    }


def _record(lake: Lake, relation: str) -> dg.MaterializeResult:
    heads = lake.heads(relation)
    return dg.MaterializeResult(
        asset_key=metadata.asset_key(relation),
        data_version=dg.DataVersion(record_version(lake, relation)),
        metadata={
            "dagster/row_count": sum(head.rows for head in heads),
            "rows_by_side": metadata.counted({head.side: head.rows for head in heads}),
            **_places(lake, relation),
        },
    )


def records_asset(declarations: Declarations) -> dg.AssetsDefinition:
    """Assets of the intake relations, written during intake and shown as they are."""
    relations = [name for name, spec in declarations.tables.items() if spec.layer == "intake"]

    @dg.multi_asset(
        name="intake_records",
        specs=[_record_spec(declarations, relation) for relation in relations],
        can_subset=True,
    )
    def records(
        context: dg.AssetExecutionContext, study: StudyHome
    ) -> Iterator[dg.MaterializeResult]:
        """Show what intake has recorded."""
        lake = Lake(study.home, study.declarations)
        for relation in relations:
            if metadata.asset_key(relation) in context.selected_asset_keys:
                yield _record(lake, relation)

    return records
