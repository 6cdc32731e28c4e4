"""A declaration is read strictly: known keys, right kinds, and errors that name file and key."""

import pytest

from assayhouse.contracts.documents import Document
from assayhouse.errors import DeclarationError


def document(**values):
    return Document(values, "file.yaml")


def test_an_unknown_key_is_named_with_those_that_are_known():
    with pytest.raises(DeclarationError, match=r"file\.yaml: unknown key colour.*label, unit"):
        document(colour="red").only("unit", "label")


def test_a_required_key_is_asked_for():
    with pytest.raises(DeclarationError, match=r"file\.yaml: label is required"):
        document().text("label")


def test_a_key_without_value_counts_as_absent():
    assert "label" not in document(label=None)
    assert document(label=None).text("label", "none") == "none"


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        (lambda d: d.text("k"), True, "text"),
        (lambda d: d.text("k"), ["a"], "text"),
        (lambda d: d.integer("k"), 1.5, "a whole number"),
        (lambda d: d.integer("k"), True, "a whole number"),
        (lambda d: d.integer("k"), "7", "a whole number"),
        (lambda d: d.number("k"), "7", "a number"),
        (lambda d: d.number("k"), False, "a number"),
        (lambda d: d.flag("k", default=False), "yes", "true or false"),
        (lambda d: d.texts("k"), 5, "a list"),
        (lambda d: d.mapping("k"), ["a"], "a mapping"),
        (lambda d: d.part("k"), "a", "a mapping"),
        (lambda d: d.parts("k"), {"a": 1}, "a list of mappings"),
        (lambda d: d.parts("k"), ["a"], "a list of mappings"),
        (lambda d: d.choice("k", ("a", "b")), "c", "one of a, b"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(read, value, words):
    with pytest.raises(DeclarationError, match=rf"file\.yaml: k must be {words}"):
        read(document(k=value))


def test_values_of_the_right_kind_come_back():
    found = document(t="x", i=3, n=2, f=True, one="a", many=["a", 1], m={"a": 1})
    assert (found.text("t"), found.integer("i"), found.number("n")) == ("x", 3, 2.0)
    assert found.flag("f", default=False) is True
    assert (found.texts("one"), found.texts("many")) == (("a",), ("a", "1"))
    assert found.mapping("m") == {"a": "1"}
    assert (found.number("absent"), found.optional_text("absent")) == (None, None)
    assert list(found) == ["t", "i", "n", "f", "one", "many", "m"]


def test_a_part_remembers_where_it_stands():
    outer = document(columns=[{"name": "A"}, {"nam": "B"}], dialect={"quot": "x"})
    _, second = outer.parts("columns")
    with pytest.raises(DeclarationError, match=r"file\.yaml, columns 2: unknown key nam"):
        second.only("name")
    with pytest.raises(DeclarationError, match=r"file\.yaml, dialect: unknown key quot"):
        outer.part("dialect").only("quote")


@pytest.mark.parametrize("text", ["a: [", "- a\n- b\n", "", "just words"])
def test_what_is_not_a_mapping_in_yaml_is_refused_with_its_name(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(DeclarationError, match=r"bad\.yaml"):
        Document.read(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", r"bad\.yaml: not readable as YAML \(line 3, column 1: a is given"),
        ("top: {x: 1, x: 2}\n", "line 1, column 13: x is given twice"),
        ("a: 1\n\tb: 2\n", r"bad\.yaml: not readable as YAML \(line 2, column 1: "),
        ("", r"bad\.yaml: nothing is in it"),
        ("- a\n", r"bad\.yaml: a mapping is expected at the top of the file"),
    ],
)
def test_a_fault_of_yaml_is_told_by_line_and_column(tmp_path, text, words):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(DeclarationError, match=words):
        Document.read(path)


def test_one_key_in_two_mappings_is_no_fault(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text("a: {x: 1}\nb: {x: 2}\nc: &same {y: 1}\nd: {<<: *same, z: 2}\n")
    assert Document.read(path).raw("d") == {"y": 1, "z": 2}


def test_a_declaration_that_is_not_there_or_may_not_be_read_is_said_to_be(tmp_path):
    with pytest.raises(DeclarationError, match=r"none\.yaml: no such file\. Looked for in "):
        Document.read(tmp_path / "none.yaml")
    with pytest.raises(DeclarationError, match="cannot be read"):
        Document.read(tmp_path)
