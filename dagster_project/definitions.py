"""Everything Dagster knows of one study in one home, generated from the study's declarations."""

import dagster as dg

from dagster_project.assets import assets
from dagster_project.defs.schedules import night_job, nightly_schedule
from dagster_project.defs.sensors import automation_sensor, landing_sensor
from dagster_project.resources import StudyHome, study_from_environment


def definitions(study: StudyHome) -> dg.Definitions:
    """Definitions of one study in one home; steps share one process, which uses every core."""
    declarations = study.declarations
    return dg.Definitions(
        assets=assets(declarations),
        jobs=[night_job],
        sensors=[landing_sensor(declarations), automation_sensor()],
        schedules=[nightly_schedule(declarations)],
        resources={"study": study},
        executor=dg.in_process_executor,
    )


defs = definitions(study_from_environment())
