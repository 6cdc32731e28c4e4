"""Homes in which Dagster has run a night, and what tests ask Dagster about them."""

import atexit
import functools
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from assayhouse.simulate.record import write_transfer
from assayhouse.warehouse.home import Home
from dagster_project.folder import instance_of
from dagster_project.night import run_night
from dagster_project.partitions import asset_name, deliveries, intake_key
from dagster_project.resources import StudyHome

from support.cytokine_study import cytokine_folder, cytokine_transfers

AT = "2019-03-05T02:00:00+00:00"
WHO = "night"


@contextmanager
def dagster_of(home):
    """Instance of a home; the environment is as before when it is closed."""
    before = os.environ.copy()
    os.environ.pop("DAGSTER_HOME", None)
    try:
        with instance_of(home) as instance:
            yield instance
    finally:
        os.environ.clear()
        os.environ.update(before)


def first_transfers():
    """First two transfers of the study, without faults."""
    return cytokine_transfers()[:2]


@functools.cache
def _finished():
    folder = Path(tempfile.mkdtemp(prefix="assayhouse-night-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    bench = Night(Home(folder / "home").create())
    for transfer in first_transfers():
        write_transfer(transfer, bench.home.landing)
    with dagster_of(bench.home) as instance:
        return bench.home.root, bench.run(instance)


def first_night():
    """What the night ran that every copy has behind it."""
    return _finished()[1]


def copy_of_finished_night(folder):
    """A home of its own in which two transfers have been taken in and published."""
    shutil.copytree(_finished()[0], folder)
    return Night(Home(folder))


class Night:
    """A home, the cytokine part of the shipped study or another one, and Dagster over both."""

    def __init__(self, home, study_path=None):
        self.home = home
        self.study = StudyHome(
            home_path=str(home.root),
            study_path=str(study_path or cytokine_folder()),
            who=WHO,
            at=AT,
        )
        self.declarations = self.study.declarations

    def run(self, instance):
        """Run one night."""
        return run_night(instance, self.study)

    def drop(self, name, data, *, vendor):
        """Put one file into landing."""
        path = self.home.landing / vendor / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)


def checks_of(instance, layout, partition_key):
    """Whether each check of one delivery passed, by name."""
    found = {}
    for name in check_names():
        key = dg.AssetCheckKey(intake_key(layout), name)
        for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=99):
            evaluation = record.event.dagster_event.asset_check_evaluation_data
            if evaluation.partition == partition_key:
                found.setdefault(name, evaluation)
    return found


def check_names():
    """Names of the checks of a delivery."""
    from dagster_project.checks import DELIVERY_CHECKS

    return list(DELIVERY_CHECKS)


def partitions(instance, layout):
    """Partition keys of a layout in order of arrival."""
    return sorted(instance.get_dynamic_partitions(deliveries(layout).name))


def materialised(instance, layout):
    """Partition keys of a layout that were materialised."""
    return sorted(instance.get_materialized_partitions(intake_key(layout)))


def news_of(layout, key):
    """Name of a delivery in the result of a night."""
    return f"{asset_name(layout)}/{key}"
