"""What Dagster asks for by itself: after a delivery or changed content, from landing, at night."""

import json

import dagster as dg
import pytest

from assayhouse.warehouse.home import Home
from dagster_project import metadata
from dagster_project.definitions import definitions
from dagster_project.night import NightRun
from dagster_project.partitions import deliveries, intake_key
from dagster_project.resources import StudyHome

from support import dagster_study as nights
from support.cytokine_study import cytokine_folder
from support.deliveries import manifest_of
from support.laboratory import demographics, render, sites

RAW, REF, DM, ADSL = "raw.edc_site", "ref.sites", "sdtm.dm", "adam.adsl"


class Watch:
    """Definitions over an instance in which contents are told, not made."""

    def __init__(self, folder, instance):
        self.study = StudyHome(
            home_path=str(folder / "home"),
            study_path=str(cytokine_folder()),
            at="2019-03-05T02:00:00+00:00",
        )
        self.declarations = self.study.declarations
        self.defs = definitions(self.study)
        self.instance = instance
        self.cursor = None

    def tell(self, relation, content):
        """Say that a relation was made and holds this content."""
        tags = {"dagster/data_version": content}
        key = metadata.asset_key(relation)
        event = dg.AssetMaterialization(asset_key=key, tags=tags)
        self.instance.report_runless_asset_event(event)

    def tell_everything(self):
        """Say that every asset was made once, every blocking rule passed, and nobody has asked."""
        for relation in self.declarations.tables:
            self.tell(relation, "first")
        graph = self.defs.resolve_asset_graph()
        for key in graph.asset_check_keys:
            if graph.get(key).blocking:
                self.tell_check(key, passed=True)
        self.tell("warehouse.publication", "first")
        self.requested()
        self.requested()

    def tell_check(self, key, *, passed):
        """Say what a check of a table answered."""
        evaluation = dg.AssetCheckEvaluation(
            asset_key=key.asset_key, check_name=key.name, passed=passed, metadata={}
        )
        self.instance.report_runless_asset_event(evaluation)

    def requested(self):
        """Relations that Dagster would make now."""
        result = dg.evaluate_automation_conditions(
            defs=self.defs,
            instance=self.instance,
            asset_selection=dg.AssetSelection.all(),
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        keys = self.defs.resolve_asset_graph().get_all_asset_keys()
        return {".".join(key.path) for key in keys if result.get_num_requested(key)}


@pytest.fixture
def watch(tmp_path):
    watch = Watch(tmp_path, dg.DagsterInstance.ephemeral())
    watch.tell_everything()
    return watch


@pytest.fixture
def ticking(tmp_path):
    """Definitions over an instance on disk, as sensors and schedules need it."""
    with nights.dagster_of(Home(tmp_path / "home")) as instance:
        yield Watch(tmp_path, instance)


def test_nothing_is_asked_for_when_nothing_happened(watch):
    assert watch.requested() == set()


def test_the_same_content_published_again_asks_for_nothing(watch):
    for relation in watch.declarations.tables:
        watch.tell(relation, "first")
    assert watch.requested() == set()
    assert watch.requested() == set()


def test_changed_content_asks_for_the_children_once(watch):
    watch.tell(RAW, "second")
    assert watch.requested() == set(watch.declarations.children(RAW))
    for relation in watch.declarations.children(RAW):
        watch.tell(relation, "first")
    assert watch.requested() == {"warehouse.publication"}
    watch.tell("warehouse.publication", "second")
    assert watch.requested() == set()


def test_a_change_that_comes_by_two_ways_is_taken_once(watch):
    watch.tell(DM, "second")
    assert watch.requested() == set(watch.declarations.children(DM))
    for relation in watch.declarations.children(DM):
        watch.tell(relation, "second")
    asked = watch.requested()
    assert {"ard.effects_imputed", "ard.effects_fits"} & asked == {"ard.effects_imputed"}
    assert "warehouse.publication" not in asked
    for relation in asked:
        watch.tell(relation, "first")
    # The same imputed values, but the fits also read what has changed; then the pooled stay.
    assert watch.requested() == {"ard.effects_fits"}
    watch.tell("ard.effects_fits", "first")
    assert watch.requested() == {"warehouse.publication"}


def test_a_broken_critical_rule_holds_its_children_back(watch):
    keys = watch.defs.resolve_asset_graph().get_check_keys_for_assets(
        [metadata.asset_key("ard.effects")]
    )
    blocking = [k for k in keys if watch.defs.resolve_asset_graph().get(k).blocking]
    watch.tell("ard.effects", "second")
    watch.tell_check(blocking[0], passed=False)
    assert watch.requested() == set()
    watch.tell("ard.effects", "third")
    for key in blocking:
        watch.tell_check(key, passed=True)
    assert "report.figure_values" in watch.requested()


def test_a_delivery_asks_for_its_rows_and_for_the_records_of_intake(watch):
    layout = watch.declarations.layout_of(RAW).layout
    watch.instance.add_dynamic_partitions(deliveries(layout).name, ["0001-abc"])
    event = dg.AssetMaterialization(asset_key=intake_key(layout), partition="0001-abc")
    watch.instance.report_runless_asset_event(event)
    records = {n for n, spec in watch.declarations.tables.items() if spec.layer == "intake"}
    assert watch.requested() == {RAW, *records}


def send(study, layout, rows, *, transfer):
    """Drop one file with its manifest."""
    data = render(study.declarations.layouts[layout], rows)
    vendor, _, kind = layout.partition(".")
    name = f"DEMO-SLE-01_{vendor}-{kind}_T{transfer:03d}_20190304.csv"
    folder = study.home.landing / vendor
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    sidecar = manifest_of({name: (layout, data, len(rows))}, transfer=transfer, vendor=vendor)
    (folder / f"{name}.manifest.json").write_bytes(sidecar)


def look(ticking, cursor=None):
    """One tick of the landing sensor."""
    sensor = ticking.defs.resolve_sensor_def("landing")
    # The context opens an instance of its own, which must not stay the current one.
    with dg.build_sensor_context(
        instance_ref=ticking.instance.get_ref(),
        cursor=cursor,
        resources={"study": ticking.study},
        definitions=ticking.defs,
    ) as context:
        return sensor.evaluate_tick(context)


def test_the_sensor_makes_a_partition_and_a_run_of_every_new_delivery(ticking):
    send(ticking.study, "edc.site", sites(), transfer=1)
    send(ticking.study, "edc.dm", demographics(), transfer=2)
    tick = look(ticking)
    asked = [(request.asset_selection[0], request.partition_key) for request in tick.run_requests]
    assert [key for key, _ in asked] == [intake_key("edc.site"), intake_key("edc.dm")]
    added = {
        (request.partitions_def_name, key)
        for request in tick.dynamic_partitions_requests
        for key in request.partition_keys
    }
    assert added == {
        (deliveries(".".join(key.path[-1].split("_", 1))).name, name) for key, name in asked
    }
    priorities = [int(request.tags["dagster/priority"]) for request in tick.run_requests]
    assert priorities == sorted(priorities, reverse=True)
    assert json.loads(tick.cursor) == [request.run_key for request in tick.run_requests]


def test_the_sensor_asks_for_a_delivery_once(ticking):
    assert look(ticking).skip_message == "no new content"
    send(ticking.study, "edc.site", sites(), transfer=1)
    tick = look(ticking)
    assert len(tick.run_requests) == 1
    assert look(ticking, tick.cursor).skip_message == "no new content"


def test_content_that_comes_back_is_a_delivery_of_its_own(ticking):
    first, second = sites(), sites()[1:]
    keys = []
    for transfer, rows in enumerate([first, second, first], start=1):
        send(ticking.study, "edc.site", rows, transfer=transfer)
        keys += [request.run_key for request in look(ticking, json.dumps(keys)).run_requests]
    assert len(set(keys)) == 3
    assert len({key.split("-")[1] for key in keys}) == 2


def test_the_nightly_schedule_says_when_there_is_no_new_content(ticking, monkeypatch):
    schedule = ticking.defs.resolve_schedule_def("nightly")
    for news, expected in ((False, "no new content"), (True, None)):
        monkeypatch.setattr(
            "dagster_project.defs.schedules.has_news", lambda _instance, _study, given=news: given
        )
        with dg.build_schedule_context(
            instance=ticking.instance, resources={"study": ticking.study}
        ) as context:
            tick = schedule.evaluate_tick(context)
        assert tick.skip_message == expected
        assert len(tick.run_requests or []) == int(news)


def test_the_nightly_job_runs_the_whole_night_and_tells_its_counts(ticking, monkeypatch):
    asked = []
    done = NightRun(deliveries=("a", "b", "c"))
    monkeypatch.setattr(
        "dagster_project.defs.schedules.run_night",
        lambda instance, study: asked.append((instance, study.home_path)) or done,
    )
    result = ticking.defs.resolve_job_def("night").execute_in_process(instance=ticking.instance)
    assert result.success
    assert [home for _, home in asked] == [ticking.study.home_path]
