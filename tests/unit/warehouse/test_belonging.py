"""A home holds one study: recorded at its first look at landing, asked by every reader."""

import dataclasses
import json

import pytest

from assayhouse.errors import HomeError
from assayhouse.pipeline import delivery
from assayhouse.pipeline.relations import build_relation
from assayhouse.warehouse.belonging import STUDY, claim, study_of
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

from support.cytokine_study import cytokine_declarations

AT = "2026-01-01T00:00:00+00:00"


def named(study_id):
    declared = cytokine_declarations()
    return dataclasses.replace(
        declared, study=dataclasses.replace(declared.study, study_id=study_id)
    )


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").create()


def test_the_first_scan_records_the_study_and_others_are_refused(home):
    assert study_of(home) is None
    Lake(home, named("FIRST"))
    assert study_of(home) is None, "who looks claims nothing"
    delivery.scan(home, named("FIRST"), at=AT, who="anna")
    assert study_of(home) == "FIRST"
    before = sorted(path.name for path in home.root.rglob("*") if path.is_file())
    for attempt in (
        lambda: delivery.scan(home, named("SECOND"), at=AT, who="anna"),
        lambda: Lake(home, named("SECOND")),
        lambda: build_relation(home, named("SECOND"), STUDY),
    ):
        with pytest.raises(HomeError, match=r"holds study FIRST.*declares SECOND") as caught:
            attempt()
        assert "--home" in str(caught.value)
    assert sorted(path.name for path in home.root.rglob("*") if path.is_file()) == before
    delivery.scan(home, named("FIRST"), at=AT, who="anna")


def test_a_home_without_a_record_says_by_its_tables_whose_it_is(home):
    build_relation(home, named("OLDER"), STUDY)
    home.study_file.unlink(missing_ok=True)
    with pytest.raises(HomeError, match="holds study OLDER"):
        claim(home, "NEWER")
    assert study_of(home) == "OLDER"
    claim(home, "OLDER")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"form": 1}', "null"])
def test_a_record_that_cannot_be_read_is_an_error_with_a_way_out(home, text):
    home.study_file.write_text(text)
    with pytest.raises(HomeError, match=r"study\.json: which study this home holds cannot be read"):
        Lake(home, named("FIRST"))


def test_the_record_is_small_and_plain(home):
    claim(home, "FIRST")
    assert json.loads(home.study_file.read_text()) == {"form": 1, "study": "FIRST"}
