"""A wrong unit in a delivery of doses, concentrations or earlier studies never gets in unseen."""

import hashlib
import json

import polars as pl
import pytest

from assayhouse.contracts import declarations
from assayhouse.pipeline import delivery
from assayhouse.simulate.study import MANIFEST_SUFFIX, simulate_study
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

from support.clean_study import AT, land

LAYOUTS = ("edc.dm", "edc.ex", "pk_lab.pc", "pk_pool.events")
FILES = {
    "edc.ex": ("edc-ex", ",mg,QD", ",{},QD"),
    "pk_lab.pc": ("pk-lab-pc", ",ng/mL,", ",{},"),
    "pk_pool.events": ("pk-pool-events", ",mg,13", ",{},13"),
}


@pytest.fixture(scope="module")
def transfers():
    return simulate_study(faults=False, layouts=LAYOUTS).transfers


@pytest.fixture(scope="module")
def loaded():
    return declarations.load()


def remade(files, layout, unit, *, lines):
    """The files with a layout's first lines in another unit, their manifest in keeping."""
    word, former, wanted = FILES[layout]
    changed = dict(files)
    path = next(name for name in files if word in name and not name.endswith(MANIFEST_SUFFIX))
    head, *rest = files[path].decode().split("\n")
    struck = [place for place, line in enumerate(rest) if former in line][:lines]
    for place in struck:
        rest[place] = rest[place].replace(former, wanted.format(unit))
    changed[path] = "\n".join([head, *rest]).encode()
    for name in files:
        if name.startswith(path.split("/")[0]) and name.endswith(MANIFEST_SUFFIX):
            document = json.loads(files[name])
            for entry in document["files"]:
                if path.endswith(entry["name"]):
                    entry["sha256"] = hashlib.sha256(changed[path]).hexdigest()
                    entry["bytes"] = len(changed[path])
            changed[name] = json.dumps(document).encode()
    return changed, len(struck)


def taken_in(home, loaded, files):
    land(home, files)
    delivery.scan(home, loaded, at=AT, who="test")
    return {
        outcome.layout: outcome
        for outcome in (
            delivery.ingest(home, loaded, receipt.number, at=AT, who="test")
            for receipt in delivery.pending(home, loaded)
        )
    }


def quarantined(home, loaded, layout):
    """Columns and lines of the quarantined rows of a layout."""
    rows = Lake(home, loaded).scan("intake.quarantine", side=loaded.layout_side(layout)).collect()
    own = rows.filter(pl.col("layout") == layout)
    return set(own["column"]), sorted(set(own["source_line"]))


def test_a_few_rows_in_another_unit_are_quarantined_with_file_and_line(tmp_path, transfers, loaded):
    files, _ = remade(transfers[1].files, "edc.ex", "ug", lines=3)
    files, struck = remade(files, "pk_lab.pc", "mg/L", lines=10_000)
    home = Home(tmp_path / "home").create()
    outcomes = taken_in(home, loaded, files)
    assert outcomes["edc.ex"].quarantined_rows == 3
    assert quarantined(home, loaded, "edc.ex") == ({"EXDOSU"}, [2, 3, 4])
    # A whole file in another unit waits for a person.
    assert outcomes["pk_lab.pc"].state == "HELD"
    assert outcomes["pk_lab.pc"].quarantined_rows == struck > 200


def test_a_whole_file_of_doses_or_of_earlier_studies_in_another_unit_waits_for_a_person(
    tmp_path, transfers, loaded
):
    earlier, struck = remade(transfers[0].files, "pk_pool.events", "ug", lines=10_000)
    doses, given = remade(earlier, "edc.ex", "g", lines=10_000)
    outcomes = taken_in(Home(tmp_path / "home").create(), loaded, doses)
    assert outcomes["edc.ex"].state == "HELD"
    assert outcomes["edc.ex"].quarantined_rows == given > 200
    # One dose record per subject stands among its samples.
    assert outcomes["pk_pool.events"].quarantined_rows == struck == 60
