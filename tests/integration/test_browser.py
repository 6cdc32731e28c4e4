"""What a person sees in Dagster's pages: lineage, a delivery with a red check, the figure."""

import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from assayhouse.pipeline import delivery, publication
from assayhouse.warehouse.lake import Lake
from dagster_project.dev import HOST, server

from support import dagster_study as nights
from support.browser import browser, chromium
from support.deliveries import manifest_of
from support.laboratory import render

ROOT = Path(__file__).resolve().parents[2]
RESULTS, WELLS = "singulex.results", "singulex.wells"
PATIENCE = 120.0

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="Debian's package chromium is not installed"),
]


def served_rows(night, layout):
    """Text columns of the current rows of a layout, in the order of their lines."""
    lake = Lake(night.home, night.declarations)
    with lake.connect(visible=delivery.visible_receipts(night.home)) as connection:
        frame = connection.sql(f"select * from {layout.relation} order by source_line").pl()
    return frame.select([c.name for c in layout.columns]).fill_null("").to_dicts()


def send_faults(night):
    """Drop results of which one row has another unit, and wells that end inside a row."""
    results, wells = (night.declarations.layouts[name] for name in (RESULTS, WELLS))
    rows = served_rows(night, results)
    rows.append(rows[-1] | {"ANALYTE": "IL-2", "ORRESU": "10^9/L"})
    cut = served_rows(night, wells)[:2000]
    sent = {RESULTS: (render(results, rows), len(rows)), WELLS: (render(wells, cut)[:-30], 2000)}
    files = {
        f"DEMO-SLE-01_{name.replace('.', '-')}_T003_20190304.csv": (name, data, n)
        for name, (data, n) in sent.items()
    }
    for name, (_, data, _) in files.items():
        night.drop(name, data, vendor="singulex")
    sidecar = manifest_of(files, transfer=3, vendor="singulex")
    night.drop("DEMO-SLE-01_singulex_T003.manifest.json", sidecar, vendor="singulex")


def free_port():
    with socket.socket() as found:
        found.bind((HOST, 0))
        return found.getsockname()[1]


def wait_for(address, process):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/server_info").close()
        except OSError:
            time.sleep(0.3)
        else:
            return
    pytest.fail("the web server did not start")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home in which one delivery was rejected and the study is unblinded."""
    night = nights.copy_of_finished_night(tmp_path_factory.mktemp("browser") / "home")
    given = {"planned": "planned", "reason": "end of study", "at": nights.AT, "who": "anna"}
    publication.unblind(night.home, night.declarations, **given)
    send_faults(night)
    with nights.dagster_of(night.home) as instance:
        done = night.run(instance)
        assert done.published
    return night


@pytest.fixture(scope="module")
def address(home, tmp_path_factory):
    """Address of the web server over that home."""
    port = free_port()
    own = {"ASSAYHOUSE_HOME": str(home.home.root), "DAGSTER_HOME": str(home.home.dagster)}
    own["DAGSTER_DISABLE_TELEMETRY"] = "1"
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with log.open("w") as stream:
        command = server(port=str(port), read_only=True)
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | own, stdout=stream, stderr=stream
        )
        try:
            wait_for(f"http://{HOST}:{port}", process)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait(timeout=60)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


def test_the_lineage_shows_every_layer_from_delivery_to_result(page, address, tmp_path):
    query = "view=lineage&lineageScope=upstream&lineageDepth=9"
    page.open(f"{address}/assets/report/figures?{query}", "figure_values", "singulex_results")
    text = page.text()
    for layer in ("intake", "raw", "sdtm", "adam", "ard", "report"):
        assert layer in text
    page.picture(tmp_path / "lineage.png")
    assert (tmp_path / "lineage.png").stat().st_size > 20_000


def test_a_rejected_delivery_is_a_red_partition_with_a_failed_check(page, home, address, tmp_path):
    rejected = next(
        item.partition_key for item in delivery.receipts(home.home)[::-1] if item.layout == WELLS
    )
    page.open(f"{address}/assets/intake/singulex_wells?view=partitions", rejected)
    page.click(rejected)
    page.say("failed, and did not materialize this asset")
    page.say("Failed (1)")
    page.open(
        f"{address}/assets/intake/singulex_wells?view=checks&checkDetail=contract", "Overview"
    )
    page.say("Latest execution")
    page.click("Partitions")
    page.say(rejected)
    page.click(rejected)
    page.say("the file was cut off")
    page.say("Failed (1)")
    assert "Missing (0)" in page.text()
    page.picture(tmp_path / "red_check.png")
    assert (tmp_path / "red_check.png").stat().st_size > 20_000


def test_the_figure_is_on_the_page_of_its_asset(page, address, tmp_path):
    page.open(f"{address}/assets/report/figures", "content_hash", "SYNTHETIC")
    page.click("[Show Markdown]")
    image = "document.querySelector('img[src^=\"data:image/svg+xml\"]')"
    page.wait(f"!!{image} && {image}.naturalWidth > 100")
    page.picture(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 20_000


def test_columns_show_units(page, home, address):
    spec = home.declarations.tables["ref.visit_windows"]
    (with_unit, *_) = [field for field in spec.fields if field.unit]
    page.open(f"{address}/assets/ref/visit_windows", with_unit.name, f"unit: {with_unit.unit}")


def test_nobody_is_asked_to_join_anything(page, address):
    page.open(address, "Overview")
    assert "community" not in page.text().lower()


def test_the_server_is_for_this_machine_only():
    assert HOST == "127.0.0.1"
    assert server(port="1", read_only=True)[1:5] == ["-h", "127.0.0.1", "-p", "1"]


def walk_to(page, address, relation):
    """Two clicks from the first page: the catalogue, then the relation in its list."""
    page.open(f"{address}/", "Catalog")
    page.click("Catalog")
    page.say("Asset name")
    shown = " / ".join(relation.split("."))
    page.scroll_until(shown)
    page.click(shown)
    page.say("content_hash" if relation.startswith("report") else "rows_by_side")


def test_a_scientist_finds_a_figure_with_three_clicks(page, address):
    walk_to(page, address, "report.figures")
    page.click("[Show Markdown]")
    image = "document.querySelector('img[src^=\"data:image/svg+xml\"]')"
    page.wait(f"!!{image} && {image}.naturalWidth > 100")


def test_a_data_manager_finds_the_quarantined_rows_with_two_clicks(page, home, address, tmp_path):
    walk_to(page, address, "intake.quarantine")
    page.say("DEMO-SLE-01_singulex-results_T003_20190304.csv")
    page.say("source_line")
    page.say("the unit is not the one declared for this value")
    page.picture(tmp_path / "quarantine.png")
    specimen = served_rows(home, home.declarations.layouts[RESULTS])[-1]["ACCNO"]
    assert specimen not in page.text()
