"""Every relation has its places, files keep their size, and nothing of a study is named in code."""

import ast
import importlib
import re
import statistics
from pathlib import Path

import pytest

from assayhouse.contracts import declarations

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "assayhouse"
CODE = [*LIBRARY.rglob("*.py"), *(ROOT / "dagster_project").rglob("*.py")]
LOADED = declarations.load()
# Words of a study that a module may say all the same: word to reason, by module.
ALLOWED_WORDS = {
    "assayhouse/pk/sdtm.py": {
        "CREAT": "CDISC test code of LB from which the events builder takes creatinine",
    },
}


def study_free_code():
    """Code that must work for any study: everything but the simulated one."""
    return [path for path in CODE if "simulate" not in path.parts and "_data" not in path.parts]


@pytest.mark.parametrize("relation", sorted(LOADED.declared_tables))
def test_a_relation_is_built_by_one_query_or_one_function_never_both(relation):
    spec = LOADED.declared_tables[relation]
    has_sql = LOADED.sql_path(relation) is not None
    assert has_sql != (spec.writer is not None), f"{relation}: exactly one of sql/ and writer"


@pytest.mark.parametrize(
    "writer", sorted({s.writer for s in LOADED.declared_tables.values() if s.writer})
)
def test_a_named_writer_is_a_function(writer):
    module, name = writer.split(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_every_query_belongs_to_a_declared_relation():
    queries = {
        p.relative_to(ROOT / "sql").as_posix()[:-4].replace("/", ".")
        for p in (ROOT / "sql").rglob("*.sql")
    }
    assert queries <= set(LOADED.declared_tables)


def test_every_suite_belongs_to_a_relation_and_every_rule_says_why():
    import json

    known = set(LOADED.declared_tables) | set(LOADED.tables)
    known |= {"raw." + p.stem.replace(".", "_") for p in (ROOT / "schemas/vendors").glob("*.yaml")}
    for path in (ROOT / "expectations").rglob("*.json"):
        relation = path.relative_to(ROOT / "expectations").as_posix()[:-5].replace("/", ".")
        assert relation in known, f"{path} has no relation"
        for rule in json.loads(path.read_text())["expectations"]:
            assert rule["meta"]["id"], path
            assert rule["meta"]["why"], path
        for check in json.loads(path.read_text()).get("assay_checks", []):
            assert check["id"], path
            assert check["why"], path


@pytest.mark.parametrize(
    "relation", sorted(r for r in LOADED.declared_tables if LOADED.sql_path(r) is not None)
)
def test_a_query_is_one_select_with_a_header(relation):
    text = LOADED.sql_path(relation).read_text()
    header = [line for line in text.splitlines() if line.startswith("--")]
    assert header[0].startswith(f"-- {relation}: "), "the header names the relation"
    for word in ("-- Grain:", "-- From:", "-- Method:"):
        assert any(line.startswith(word) for line in header), f"{relation}: header lacks {word}"
    query = "\n".join(line.split("--")[0] for line in text.splitlines())
    assert ";" not in query
    assert not re.search(r"\b(create|insert|update|delete|copy|attach)\b", query.lower())


@pytest.mark.parametrize(
    "relation", sorted(r for r in LOADED.declared_tables if LOADED.sql_path(r) is not None)
)
def test_a_query_built_relation_has_a_test_of_its_own(relation):
    name = relation.split(".")[1]
    assert (ROOT / "tests" / "sql" / f"test_{name}.py").is_file()


def forbidden_words():
    study = LOADED.study
    words = {arm.ARMCD for arm in study.arms} | set(LOADED.parameters)
    words |= {layout.vendor for layout in LOADED.layouts.values()}
    words |= {visit.AVISIT for visit in study.visits if not visit.is_baseline}
    return sorted(words)


def strings_and_names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.Name):
            yield node.id


def docstrings(tree):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    return {ast.get_docstring(n, clean=False) for n in ast.walk(tree) if isinstance(n, kinds)}


@pytest.mark.parametrize("path", study_free_code(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_arm_visit_analyte_or_vendor_is_named_in_code(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = docstrings(tree)
    texts = [text for text in strings_and_names(tree) if text not in said]
    allowed = ALLOWED_WORDS.get(path.relative_to(ROOT).as_posix(), {})
    for word in sorted(set(forbidden_words()) - set(allowed)):
        pattern = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])")
        found = [text for text in texts if pattern.search(text)]
        assert not found, f"{path}: names {word}"


@pytest.mark.parametrize("module", sorted(ALLOWED_WORDS))
def test_an_allowed_word_is_still_said_and_still_of_the_study(module):
    texts = set(strings_and_names(ast.parse((ROOT / module).read_text(encoding="utf-8"))))
    assert set(ALLOWED_WORDS[module]) <= texts & set(forbidden_words())
    assert all(ALLOWED_WORDS[module].values())


def test_files_stay_small_enough_to_read():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    longest = max(lengths, key=lengths.get)
    print(
        f"median {statistics.median(lengths.values())}, longest {longest.name} {lengths[longest]}"
    )
    assert lengths[longest] <= 500, longest
    assert statistics.median(lengths.values()) <= 150


def test_nothing_in_the_tree_names_a_machine_path_or_a_registry():
    for path in [*CODE, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "Makefile"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(^|[^A-Za-z0-9_.])/(work|farm|root)/", text), path
    assert "http" not in re.sub(
        r"httptools|httpx|httpcore", "", (ROOT / "requirements.lock").read_text()
    )
