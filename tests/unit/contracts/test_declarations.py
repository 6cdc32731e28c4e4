"""All declarations together: what is active, in which order, on which side, from which folder."""

import shutil
from dataclasses import replace

import pytest
import yaml

from assayhouse import paths
from assayhouse.contracts import declarations
from assayhouse.contracts.template import new_study
from assayhouse.errors import BlindingError, DeclarationError


@pytest.fixture(scope="module")
def shipped():
    return declarations.load()


@pytest.fixture
def study(tmp_path):
    new_study(tmp_path / "study")
    return tmp_path / "study"


def edit(path, **changes):
    document = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(document | changes))


def add_table(study, relation, **changes):
    layer, name = relation.split(".")
    path = study / "schemas" / "tables" / layer / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    table = {"relation": relation, "label": "Test", "grain": "one row"}
    table |= {"columns": ["USUBJID"], "key": ["USUBJID"], "writer": "a:b"}
    path.write_text(yaml.safe_dump(table | changes))


def test_every_relation_comes_after_its_parents(shipped):
    order = list(shipped.tables)
    for name in order:
        for parent in shipped.parents(name):
            assert order.index(parent) < order.index(name)
            assert name in shipped.children(parent)


def test_the_order_does_not_depend_on_the_order_of_the_files(shipped):
    turned = replace(
        shipped,
        layouts=dict(reversed(shipped.layouts.items())),
        declared_tables=dict(reversed(shipped.declared_tables.items())),
    )
    assert list(turned.tables) == list(shipped.tables)
    assert turned.layout_order() == shipped.layout_order()


def test_a_layout_comes_after_those_its_values_are_checked_against(shipped):
    order = shipped.layout_order()
    for name, layout in shipped.layouts.items():
        for other in layout.references:
            assert order.index(other) < order.index(name)


def test_a_domain_that_no_layout_feeds_is_not_active(study, shipped):
    assert "sdtm.vs" in shipped.tables
    assert "sdtm.vs" in declarations.load(study).declared_tables
    assert "sdtm.vs" not in declarations.load(study).tables
    assert "sdtm.lb" in declarations.load(study).tables
    edit(study / "study.yaml", layouts=["edc.dm", "edc.site"])
    assert "sdtm.lb" not in declarations.load(study).tables


def test_what_stands_on_a_sealed_relation_is_sealed(shipped):
    assert shipped.side("raw.irt_rand") == "sealed"
    assert "raw.irt_rand" in shipped.parents("adam.adsl")
    assert [shipped.side(name) for name in ("adam.adsl", "ard.effects")] == ["sealed", "sealed"]
    assert [shipped.side(name) for name in ("sdtm.dm", "adam.adbm")] == ["open", "open"]
    assert shipped.side("intake.quarantine") == "split"


def test_an_open_study_has_no_sealed_side(study):
    edit(study / "study.yaml", blinding="none")
    found = declarations.load(study)
    assert {found.side(name) for name in found.tables} == {"open", "split"}


def test_a_relation_declared_open_cannot_be_built_from_a_sealed_one(study):
    add_table(study, "adam.leak", parents=["adam.adsl"], side="open")
    found = declarations.load(study)
    with pytest.raises(BlindingError, match=r"adam\.leak is declared open but built from"):
        found.side("adam.leak")


def test_seals_reach_through_any_number_of_relations(study):
    add_table(study, "adam.one", parents=["adam.adsl"])
    add_table(study, "adam.two", parents=["adam.one"])
    add_table(study, "report.three", parents=["adam.two"], side="open")
    found = declarations.load(study)
    with pytest.raises(BlindingError, match=r"report\.three"):
        found.side("adam.adsl")


def test_relations_in_a_circle_are_refused(study):
    add_table(study, "adam.one", parents=["adam.two"])
    add_table(study, "adam.two", parents=["adam.one"])
    with pytest.raises(DeclarationError, match="in a circle"):
        _ = declarations.load(study).tables


def test_a_parent_that_nobody_declares_is_named(study):
    add_table(study, "adam.one", parents=["adam.nowhere"])
    with pytest.raises(DeclarationError, match=r"parent adam\.nowhere is not declared"):
        _ = declarations.load(study).tables


def test_findings_are_every_active_domain_whose_results_are_analysed(shipped, study):
    found = shipped.findings_relations()
    assert set(found) == {"sdtm.cp", "sdtm.lb", "sdtm.rs", "sdtm.vs", "adam.module_scores"}
    assert set(found) <= set(shipped.parents("adam.adbm"))
    assert shipped.tables["sdtm.pc"].domain == "PC"  # concentrations are analysed apart
    assert declarations.load(study).findings_relations() == ("sdtm.lb",)


def test_a_file_of_the_study_wins_by_its_path(study, shipped):
    assert list(declarations.load(study).parameters) == ["CRP"]
    own = study / "expectations" / "adam" / "adbm.json"
    own.parent.mkdir(parents=True)
    own.write_text('{"name": "own", "expectations": []}')
    found = declarations.load(study)
    assert found.suite_path("adam.adbm") == own
    assert found.suite_path("adam.adsl") == shipped.suite_path("adam.adsl")
    assert found.sql_path("adam.adsl") == shipped.sql_path("adam.adsl")


def test_a_study_adds_fields_to_those_shipped(study, shipped):
    path = study / "schemas" / "fields.yaml"
    path.write_text("MYFLD: {label: Mine}\nAGE: {label: Age at consent, type: integer}\n")
    found = declarations.load(study)
    assert found.fields["MYFLD"].label == "Mine"
    assert found.fields["AGE"].label == "Age at consent"
    assert set(shipped.fields) <= set(found.fields)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layouts": ["lab.results", "lab.nothing"]}, r"schemas/vendors/lab\.nothing\.yaml"),
        ({"parameters": ["CRP", "XYZ"]}, "no row for XYZ"),
    ],
)
def test_a_study_that_names_what_is_not_there_is_refused(study, changes, words):
    edit(study / "study.yaml", figures=[], **changes)
    with pytest.raises(DeclarationError, match=words):
        declarations.load(study)


def test_a_folder_without_a_study_says_how_to_start_one(tmp_path):
    with pytest.raises(DeclarationError, match="assayhouse new-study"):
        declarations.load(tmp_path)


def test_a_relation_of_no_layout_has_no_layout(shipped):
    assert shipped.layout_of("raw.edc_dm").layout == "edc.dm"
    with pytest.raises(DeclarationError, match=r"adam\.adsl"):
        shipped.layout_of("adam.adsl")


def test_code_lists_hold_every_spelling(shipped):
    own = {"visits", "units", "parameters", "arms"}
    assert set(shipped.terms) == own | {"genes", "copy_factors"}  # the others are terms/<list>.csv
    for layout in shipped.layouts.values():
        for column in layout.columns:
            assert column.terms is None or column.terms in shipped.terms


def test_overlay_lists_files_of_both_folders_once(tmp_path):
    own = tmp_path / "schemas" / "vendors"
    own.mkdir(parents=True)
    (own / "zzz.new.yaml").write_text("x: 1")
    (own / "edc.dm.yaml").write_text("x: 1")
    found = paths.overlay("schemas", "vendors/*.yaml", study_folder=tmp_path)
    assert found["vendors/zzz.new.yaml"] == own / "zzz.new.yaml"
    assert found["vendors/edc.dm.yaml"] == own / "edc.dm.yaml"
    assert found["vendors/edc.site.yaml"].is_relative_to(paths.shipped_root())
    assert list(found) == sorted(found)


def test_a_wheel_without_its_declarations_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "assayhouse")
    with pytest.raises(DeclarationError, match="install assayhouse anew"):
        paths.shipped_root()


def test_declarations_of_a_wheel_are_found_inside_it(tmp_path, monkeypatch):
    data = tmp_path / "assayhouse" / "_data"
    for kind in paths.KINDS:
        shutil.copytree(paths.shipped_root() / kind, data / kind)
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "assayhouse")
    assert paths.shipped_root() == data
    assert declarations.load().study.study_id
