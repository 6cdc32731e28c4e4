"""Sensors: new files in landing become partitions and runs; changed content becomes new tables."""

import json

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from dagster_project import arrivals
from dagster_project.partitions import layout_keys
from dagster_project.resources import StudyHome

RUNNING = dg.DefaultSensorStatus.RUNNING
NO_NEWS = "no new content"


def landing_sensor(declarations: Declarations) -> dg.SensorDefinition:
    """Sensor that watches landing and the decisions on held deliveries."""

    @dg.sensor(
        name="landing",
        asset_selection=dg.AssetSelection.assets(*layout_keys(declarations).values()),
        minimum_interval_seconds=30,
        default_status=RUNNING,
        description="Takes complete transfers from landing; one partition and run per delivery.",
    )
    def landing(
        context: dg.SensorEvaluationContext, study: StudyHome
    ) -> dg.SensorResult | dg.SkipReason:
        asked = set(json.loads(context.cursor or "[]"))
        found = arrivals.look(study, context.instance)
        news = [item for item in found if item.news not in asked]
        if not news:
            return dg.SkipReason(NO_NEWS)
        return dg.SensorResult(
            run_requests=[item.request for item in news],
            dynamic_partitions_requests=arrivals.new_partitions(found, context.instance),
            cursor=json.dumps([item.news for item in found]),
        )

    return landing


def automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """Sensor that asks every asset's automation condition."""
    return dg.AutomationConditionSensorDefinition(
        name="changed_content",
        target=dg.AssetSelection.all(),
        default_status=RUNNING,
        minimum_interval_seconds=15,
    )
