"""The demonstration adds what is missing, nothing twice; pages are served to this machine only."""

import functools
import os
import shutil
from types import SimpleNamespace

import pytest

from assayhouse.pipeline import delivery, publication
from assayhouse.warehouse.home import Home
from dagster_project import demo, dev
from dagster_project.night import NightRun
from dagster_project.resources import StudyHome

from support import dagster_study as nights
from support.cytokine_study import cytokine_folder


@pytest.fixture
def empty(tmp_path):
    return Home(tmp_path / "home").create()


def landed(home):
    return {path.relative_to(home.landing).as_posix() for path in home.landing.glob("*/*")}


def scan(home):
    night = nights.Night(home)
    return delivery.scan(home, night.declarations, at=nights.AT, who="test")


def test_a_transfer_is_dropped_until_it_has_been_received(empty):
    first = nights.first_transfers()[0]
    assert demo.drop(empty, first)
    assert landed(empty) == set(first.files)
    assert demo.drop(empty, first)  # not received yet: the same bytes again
    scan(empty)
    assert landed(empty) == set()
    assert not demo.drop(empty, first)
    assert landed(empty) == set()


def test_only_the_vendors_that_were_not_received_are_dropped_again(empty):
    first = nights.first_transfers()[0]
    demo.drop(empty, first)
    vendors = sorted({path.split("/")[0] for path in first.files})
    for vendor in vendors[1:]:
        shutil.rmtree(empty.landing / vendor)
    scan(empty)
    assert demo.drop(empty, first)
    assert {path.split("/")[0] for path in landed(empty)} == set(vendors[1:])


def test_a_night_is_told_in_one_sentence():
    quiet = demo.Step(name="T001", night=NightRun())
    assert demo.sentence(quiet) == "T001: nothing new"
    busy = NightRun(deliveries=("a/1", "a/2"), built=("x.y",), failed=("a/2",), published=True)
    told = demo.sentence(demo.Step(name="T002", night=busy))
    assert told == "T002: 2 deliveries, 1 relations, rejected or failed: a/2, published"


@pytest.mark.slow
def test_what_a_stopped_demonstration_left_is_completed_and_then_nothing_is_new(
    tmp_path, monkeypatch
):
    of_cytokines = functools.partial(StudyHome, study_path=str(cytokine_folder()))
    monkeypatch.setattr(demo, "StudyHome", of_cytokines)
    night = nights.copy_of_finished_night(tmp_path / "home")
    simulated = SimpleNamespace(transfers=nights.first_transfers())
    told = []
    with nights.dagster_of(night.home) as instance:
        first = list(demo.nights(instance, night.home, simulated, told.append))
        again = list(demo.nights(instance, night.home, simulated, told.append))
    assert [step.night.ran for step in first[:-1]] == [0, 0, 0]
    assert first[-1].night.built == ("report.figures",)
    assert publication.is_unblinded(night.home)
    assert [step.night.ran for step in again] == [0, 0, 0, 0]
    rehearsal = "dry run with dummy arms"
    assert told == [rehearsal, "report.figures", rehearsal]
    places = "\n".join(demo.places(night.home))
    for part in ("warehouse.duckdb", "index.html", ".svg", "truth", " sql "):
        assert part in places


def test_the_pages_are_served_over_the_demonstrations_home(empty, monkeypatch):
    asked = []
    daemon = SimpleNamespace(terminate=lambda: asked.append("stop"), wait=lambda **_: None)
    monkeypatch.setenv("ASSAYHOUSE_HOME", str(empty.root))
    monkeypatch.delenv("ASSAYHOUSE_STUDY", raising=False)
    monkeypatch.setenv("DAGSTER_HOME", "set, so that it is restored")
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.setattr(dev.demo, "main", lambda: asked.append("demo"))
    monkeypatch.setattr(dev.subprocess, "Popen", lambda line: asked.append(line) or daemon)
    monkeypatch.setattr(dev.subprocess, "call", lambda line: asked.append(line) or 0)
    assert dev.main() == 0
    assert [item if isinstance(item, str) else item[0].rpartition("/")[2] for item in asked] == [
        "demo",
        "dagster-daemon",
        "dagster-webserver",
        "stop",
    ]
    assert os.environ["DAGSTER_HOME"] == str(empty.dagster)
    assert os.environ["DAGSTER_DISABLE_TELEMETRY"] == "1"
    assert asked[2][1:3] == ["-h", "127.0.0.1"]
