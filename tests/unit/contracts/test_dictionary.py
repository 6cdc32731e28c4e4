"""The generated dictionary says of every column what the declarations say, and always the same."""

import pytest

from assayhouse.contracts import declarations
from assayhouse.contracts.dictionary import dictionary
from assayhouse.contracts.template import new_study


@pytest.fixture(scope="module")
def shipped():
    return declarations.load()


@pytest.fixture(scope="module")
def text(shipped):
    return dictionary(shipped)


def section(text, title):
    _, _, rest = text.partition(f"\n### {title}")
    return rest.partition("\n### ")[0]


def test_the_same_declarations_give_the_same_text(text):
    assert dictionary(declarations.load()) == text
    assert text.endswith("|\n")


def test_every_relation_and_column_is_described(shipped, text):
    for name, spec in shipped.tables.items():
        part = section(text, f"{name}\n")
        assert spec.label in part
        assert spec.grain in part
        for item in spec.fields:
            assert f"| `{item.name}` | {item.label} | {item.type} |" in part


def test_every_layout_and_its_rules_are_described(shipped, text):
    for name, layout in shipped.layouts.items():
        part = section(text, f"{name}, version {layout.version}")
        for column in layout.columns:
            assert f"| `{column.name}` | {column.label} | {column.type} |" in part
    results = section(text, "singulex.results, version")
    assert "known in `edc.dm.SUBJID`" in results
    assert "lines end crlf" in results
    assert "over 20 % quarantined of one `PARAMCD`" in results


def test_the_sealed_side_is_marked(shipped, text):
    for name in shipped.tables:
        assert f"* Side: {shipped.side(name)}" in section(text, f"{name}\n")


def test_a_relation_says_who_builds_it(text):
    assert "`sql/adam/adbm.sql`" in section(text, "adam.adbm\n")
    assert "`assayhouse.pipeline.effects:effects`" in section(text, "ard.effects\n")


def test_units_stand_beside_the_columns(text):
    assert "| `AGE` | Age | integer | years |" in section(text, "adam.adsl\n")


def test_tables_stay_tables_whatever_a_pattern_holds(tmp_path):
    folder = tmp_path / "study"
    new_study(folder)
    path = folder / "schemas" / "vendors" / "lab.results.yaml"
    path.write_text(path.read_text().replace(r"'\d{3}-\d{4}'", "'A|B'").replace('","', '"|"'))
    told = section(dictionary(declarations.load(folder)), "lab.results, version")
    assert r"matches `A\|B`" in told
    rows = [line for line in told.splitlines() if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in rows} == {5}


def test_links_lead_to_headings(shipped, text):
    for name in shipped.tables:
        assert f"[{name}](#{name.replace('.', '')})" in text
