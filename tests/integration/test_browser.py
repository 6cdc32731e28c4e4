"""Dagster's pages in a real headless browser: lineage, a rejected delivery, the figure.

Needs Debian's Chromium; where it is absent the tests are skipped and say so. Screenshots are
written below build/screenshots, to be looked at.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from assayhouse.pipeline.publication import unblind
from assayhouse.simulate.study import simulate_study
from dagster_project.night import run_night

from support.dagster_study import copy_of_finished_night, dagster_of

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's Chromium is not installed"),
]
ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "screenshots"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--window-size=1600,1000",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=60000",
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, process):
    for _ in range(240):
        assert process.poll() is None, "the web server ended"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail("the web server did not answer within two minutes")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Address of a web server over a home with a rejected delivery, unblinded."""
    night = copy_of_finished_night(tmp_path_factory.mktemp("browser") / "home")
    cut = simulate_study().transfers[1]
    name = next(name for name in cut.files if "-wells_" in name and name.endswith(".csv"))
    manifest = next(name for name in cut.files if "singulex" in name and name.endswith(".json"))
    for path in (name, manifest, *(n for n in cut.files if n.startswith("singulex/"))):
        target = night.home.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(cut.files[path])
    unblind(
        night.home,
        night.declarations,
        planned="planned",
        reason="test",
        at="2019-03-06T02:00:00+00:00",
        who="test",
    )
    with dagster_of(night.home) as instance:
        run_night(instance, night.study)
    port = free_port()
    environment = os.environ | {
        "DAGSTER_HOME": str(night.home.dagster),
        "ASSAYHOUSE_HOME": str(night.home.root),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    server = Path(sys.executable).with_name("dagster-webserver")
    process = subprocess.Popen(
        [server, "-w", ROOT / "workspace.yaml", "-h", "127.0.0.1", "-p", str(port), "--read-only"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/server_info", process)
        yield f"http://127.0.0.1:{port}", name
    finally:
        process.terminate()
        process.wait(30)


def visit(address, name, tmp_path):
    """Text of a page as the browser holds it, and a picture of it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"{name}.png"
    common = [CHROMIUM, *FLAGS]
    for extra in (f"--screenshot={picture}", "--dump-dom"):
        done = subprocess.run(
            [*common, f"--user-data-dir={tmp_path / extra[2:6]}", extra, address],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
    assert picture.stat().st_size > 20_000, "an empty page"
    return done.stdout


def test_the_lineage_shows_relations_with_their_parents_and_checks(pages, tmp_path):
    page = visit(f"{pages[0]}/locations/assayhouse/asset-groups/adam/lineage", "lineage", tmp_path)
    for word in ("adbm", "adsl", "effects", "Asset checks", "Materialized"):
        assert word in page


def test_a_rejected_delivery_is_red_and_the_others_are_not(pages, tmp_path):
    page = visit(f"{pages[0]}/assets/intake/singulex_wells?view=partitions", "partitions", tmp_path)
    assert "Failed (1)" in page
    assert "Materialized (2)" in page


def test_the_figure_is_in_the_metadata(pages, tmp_path):
    page = visit(f"{pages[0]}/assets/report/figures", "figure", tmp_path)
    assert "data:image/svg+xml" in page or "figure" in page
    assert "SYNTHETIC" in page
