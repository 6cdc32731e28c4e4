"""DAGSTER_HOME: where Dagster keeps runs and events, with our settings in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from assayhouse.errors import HomeError
from assayhouse.warehouse.home import Home

VARIABLE = "DAGSTER_HOME"
SETTINGS = "dagster.yaml"
SILENT = {"DAGSTER_DISABLE_TELEMETRY": "1", "GX_ANALYTICS_ENABLED": "false"}


def _template() -> Path:
    here = Path(__file__).resolve().parent
    for folder in (here, here.parent):
        if (folder / SETTINGS).is_file():
            return folder / SETTINGS
    message = f"{SETTINGS} is not beside the package: install assayhouse anew."
    raise HomeError(message)


def prepare(home: Home) -> Path:
    """Make Dagster's folder, with settings that call nobody, and name it to the environment.

    Settings that are there already stay as they are.
    """
    home.create()
    os.environ.update(SILENT)
    folder = Path(os.environ.setdefault(VARIABLE, str(home.dagster.resolve())))
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / SETTINGS).is_file():
        shutil.copyfile(_template(), folder / SETTINGS)
    return folder


@contextmanager
def instance_of(home: Home) -> Iterator[dg.DagsterInstance]:
    """Open the instance that Dagster's pages show."""
    prepare(home)
    with dg.DagsterInstance.get() as instance:
        yield instance
