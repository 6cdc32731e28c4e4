"""Assay checks as declared: read strictly, and every shipped one can be asked."""

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from assayhouse.contracts import declarations as shipped
from assayhouse.contracts.assay_checks import OWN, read_assay_checks
from assayhouse.contracts.table_spec import raw_table
from assayhouse.contracts.vendor_file import read_layout
from assayhouse.errors import BlindingError, DeclarationError
from assayhouse.intake.assay_checks import ask
from assayhouse.validate.rules import read_suite

ROOT = Path(__file__).resolve().parents[3]
LAYOUTS = {path.stem: read_layout(path) for path in (ROOT / "schemas/vendors").glob("*.yaml")}
SUITES = {
    name: ROOT / "expectations" / (layout.relation.replace(".", "/") + ".json")
    for name, layout in LAYOUTS.items()
}
WITH_CHECKS = sorted(n for n, p in SUITES.items() if p.is_file() and read_assay_checks(p).checks)
CHECK = {
    "id": "X-A01",
    "rule": "F34",
    "disposition": "Q",
    "columns": ["ID"],
    "why": "because",
    "broken": "true",
}
COMPANION = {
    "name": "qc",
    "from": "acme.qc",
    "on": {"ID": "ID"},
    "columns": {"controls": "count(*)"},
}
LIST = {"name": "list", "from": "terms.genes", "on": {}, "columns": {"listed": "count(*)"}}


def written(folder, checks=(CHECK,), companions=(COMPANION,)):
    path = folder / "acme_results.json"
    path.write_text(
        json.dumps(
            {
                "name": "raw.acme_results",
                "expectations": [],
                "companions": list(companions),
                "assay_checks": list(checks),
            }
        )
    )
    return path


def test_a_check_and_its_companion_are_read(tmp_path):
    path = written(tmp_path, [CHECK | {"uses": ["qc"]}])
    declared = read_assay_checks(path)
    assert declared.layouts == ("acme.qc",)
    assert declared.companion("qc").columns == {"controls": "count(*)"}
    assert read_suite(path).rules == (), "the plausibility rules of the same file are unharmed"


def test_what_is_judged_and_what_must_have_come_is_read(tmp_path):
    change = {"uses": ["qc"], "absence_in": ["qc"], "over": ["ID"], "measures": {"n": "count(*)"}}
    (check,) = read_assay_checks(written(tmp_path, [CHECK | change])).checks
    assert (check.absence_in, check.over, check.measures) == (("qc",), ("ID",), {"n": "count(*)"})


@pytest.mark.parametrize("name", WITH_CHECKS)
def test_a_shipped_check_that_counts_absence_as_none_says_in_which_layout(name):
    declared = read_assay_checks(SUITES[name])
    for check in declared.checks:
        accused = {
            item.name
            for item in map(declared.companion, check.uses)
            if item.layout is not None
            and any(f"coalesce({column}, 0) = 0" in check.broken for column in item.columns)
        }
        assert accused == set(check.absence_in), check.check_id


def test_a_companion_that_no_check_uses_is_no_prior_layout(tmp_path):
    assert read_assay_checks(written(tmp_path)).layouts == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"disposition": "R"}, "disposition"),
        ({"rule": "f34"}, "catalogue"),
        ({"columns": []}, "column"),
        ({"uses": ["nobody"]}, "nobody"),
        ({"per": ["ID"]}, "one by one"),
        ({"disposition": "H"}, "per"),
        ({"unknown": 1}, "unknown"),
        ({"broken": None}, "broken is required"),
        ({"absence_in": ["qc"]}, "absence_in"),
        ({"uses": ["list"], "absence_in": ["list"]}, "absence_in"),
        ({"measures": {"n": "count(*)"}}, "measures go with over"),
        ({"over": ["ID"], "measures": {"N": "count(*)"}}, "lower case"),
    ],
)
def test_a_check_that_makes_no_sense_is_refused_by_name(tmp_path, change, message):
    with pytest.raises(DeclarationError, match=message):
        read_assay_checks(written(tmp_path, [CHECK | change], [COMPANION, LIST]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {}}, "at least one"),
        ({"columns": {"ID": "1"}}, "lower case"),
        ({"from": "x"}, "from"),
    ],
)
def test_a_companion_that_makes_no_sense_is_refused(tmp_path, change, message):
    with pytest.raises(DeclarationError, match=message):
        read_assay_checks(written(tmp_path, companions=[COMPANION | change]))


def test_ids_companions_and_their_columns_occur_once(tmp_path):
    for arguments in ({"checks": [CHECK, CHECK]}, {"companions": [COMPANION, COMPANION]}):
        with pytest.raises(DeclarationError, match="twice"):
            read_assay_checks(written(tmp_path, **arguments))


def test_what_is_no_json_object_is_refused(tmp_path):
    for text in ("[]", "{"):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(DeclarationError, match=r"x\.json"):
            read_assay_checks(tmp_path / "x.json")


@pytest.fixture(scope="module")
def empty_tables():
    """Every layout's relation and every code list without rows, with their declared types."""
    connection = duckdb.connect()
    connection.execute("create schema raw")
    for layout in LAYOUTS.values():
        connection.execute(raw_table(layout).ddl())
    lists = {name: list(rows[0]) for name, rows in shipped.load().term_tables.items()}
    for name, columns in lists.items():
        connection.execute(
            f"create table terms_{name} ({', '.join(f'{column} varchar' for column in columns)})"
        )
    connection.execute("create table terms_module_genes (GENE varchar, GENEROLE varchar)")
    connection.execute(
        "create table terms_units (from_unit varchar, to_unit varchar, factor double)"
    )
    connection.execute(
        "create table terms_parameters (PARAMCD varchar, unit varchar, scale varchar, "
        "lloq double, uloq double, low_plausible double, high_plausible double)"
    )
    return connection


@pytest.mark.parametrize("name", WITH_CHECKS)
def test_a_shipped_check_can_be_asked_and_finds_nothing_in_nothing(name, empty_tables):
    declared = read_assay_checks(SUITES[name])
    sources = {
        item.name: item.source.replace(".", "_")
        if item.layout is None
        else LAYOUTS[item.layout].relation
        for item in declared.companions
    }
    own = [item.name for item in declared.companions if item.source == OWN]
    sources |= dict.fromkeys(own, LAYOUTS[name].relation)
    answers = ask(
        empty_tables, declared, declared.checks, sources=sources, draft=LAYOUTS[name].relation
    )
    assert [(answer.hindrance, answer.count) for answer in answers] == [(None, 0)] * len(answers)
    columns = set(raw_table(LAYOUTS[name]).columns)
    assert {column for check in declared.checks for column in check.columns} <= columns


@pytest.mark.parametrize("name", sorted(n for n, p in SUITES.items() if p.is_file()))
def test_a_shipped_rule_names_columns_of_its_layout(name):
    assert read_suite(SUITES[name]).problems(raw_table(LAYOUTS[name]).columns) == []


def whole_study():
    study = shipped.load()
    return replace(study, study=replace(study.study, layouts=tuple(LAYOUTS)), layouts=LAYOUTS)


def test_intake_takes_controls_and_wells_before_the_results_that_need_them():
    order = whole_study().layout_order()
    for first, then in (
        ("covance_flow.qc", "covance_flow.results"),
        ("central_lab.lb", "covance_flow.results"),
        ("singulex.wells", "singulex.results"),
        ("singulex.plates", "singulex.results"),
        ("dxterity.sampleqc", "dxterity.expression"),
        ("edc.ec", "pk_lab.pc"),
        ("edc.dm", "epiontis.results"),
    ):
        assert order.index(first) < order.index(then)


def test_an_open_layout_must_not_look_at_a_sealed_one(tmp_path):
    folder = tmp_path / "expectations" / "raw"
    folder.mkdir(parents=True)
    (folder / "edc_ec.json").write_text(
        written(tmp_path, [CHECK | {"uses": ["qc"]}], [COMPANION | {"from": "edc.ex"}]).read_text()
    )
    study = whole_study()
    leaking = replace(study, study=replace(study.study, folder=tmp_path, blinding="codes"))
    with pytest.raises(BlindingError, match=r"edc\.ex"):
        leaking.layout_order()
    assert replace(leaking, study=replace(leaking.study, blinding="none")).layout_order()
