"""Schedules: every night at 02:00 in the study's time zone, everything in order, in one run."""

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from dagster_project.defs.sensors import NO_NEWS
from dagster_project.night import has_news, run_night
from dagster_project.resources import StudyHome

NIGHTLY = "0 2 * * *"
JOB = "night"


@dg.op
def whole_night(context: dg.OpExecutionContext, study: StudyHome) -> None:
    """Take in what waits, make again what changed, publish; each step is a run of its own."""
    context.add_output_metadata(run_night(context.instance, study).counts)


@dg.job(name=JOB, description="One night from landing to publication.")
def night_job() -> None:
    """Carry out the whole night in one run."""
    whole_night()


def nightly_schedule(declarations: Declarations) -> dg.ScheduleDefinition:
    """Schedule that takes in whatever waits, also what an earlier run left unfinished."""

    @dg.schedule(
        name="nightly",
        job=night_job,
        cron_schedule=NIGHTLY,
        execution_timezone=declarations.study.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Takes in every delivery that waits and publishes what follows from it.",
    )
    def nightly(
        context: dg.ScheduleEvaluationContext, study: StudyHome
    ) -> dg.RunRequest | dg.SkipReason:
        return dg.RunRequest() if has_news(context.instance, study) else dg.SkipReason(NO_NEWS)

    return nightly
