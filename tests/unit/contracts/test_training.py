"""Training sets as declared: what is read, and every way of naming one wrongly."""

import math
from dataclasses import replace
from datetime import date

import pytest

from assayhouse.contracts import declarations
from assayhouse.contracts.documents import Document
from assayhouse.contracts.training import read_training_set, read_training_table
from assayhouse.errors import DeclarationError

from support import training_set

GIVEN = {"id": "T", "label": "people", "file": "t.csv", "made_on": "2018-02-01"}


def table(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    return read_training_table(path)


def test_the_shipped_set_is_what_its_script_makes():
    loaded = declarations.load()
    found = loaded.training["SLE96"]
    assert len(found.people) == 96
    for name, values in training_set.scores().items():
        assert found.values[name] == tuple(values.tolist())


def test_people_and_columns_are_read_and_gaps_stay_gaps(tmp_path):
    found = table(tmp_path, "who,A,B\np1,1.5,NA\np2,,-2\n")
    assert found.people == ("p1", "p2")
    assert found.values["A"][0] == 1.5
    assert math.isnan(found.values["A"][1])
    assert math.isnan(found.values["B"][0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a header is expected"),
        ("who,A\n", "a header is expected"),
        ("who,A,A\np1,1,2\n", "a header is expected"),
        ("who,A\np1,1\np1,2\n", "nobody is named twice"),
        ("who,A\n,1\n", "every line names one person"),
        ("who,A\np1,high\n", "line 2: column A is no number"),
        ("who,A\np1,1\np2,inf\n", "line 3: column A is no number"),
    ],
)
def test_a_malformed_file_is_refused_by_line(tmp_path, text, words):
    with pytest.raises(DeclarationError, match=words) as caught:
        table(tmp_path, text)
    assert "high" not in str(caught.value)


def test_a_set_has_a_day_and_defaults():
    found = read_training_set(Document(GIVEN, "here"))
    assert (found.made_on, found.n_boot, found.alpha) == (date(2018, 2, 1), 1000, 0.05)


@pytest.mark.parametrize(
    "change", [{"made_on": "spring"}, {"made_on": None}, {"alpha": 2.0}, {"n_boot": 0}, {"x": 1}]
)
def test_a_set_declared_wrongly_is_refused(change):
    with pytest.raises(DeclarationError):
        read_training_set(Document({**GIVEN, **change}, "here"))


def checked(**changes):
    """The checks of the loader on the shipped study with other cut-offs or sets."""
    study = declarations.load().study
    plan = replace(study.plan, **changes)
    return declarations._training(replace(study, plan=plan))


def test_a_cut_off_needs_a_declared_set_with_its_column_and_version():
    plan = declarations.load().study.plan
    cut, training = plan.cut_offs[0], plan.training_sets[0]
    assert set(checked()) == {"SLE96"}
    for changes in (
        {"cut_offs": (replace(cut, training="OTHER"),)},
        {"cut_offs": (replace(cut, parameter="ADSDNA"),)},
        {"cut_offs": (replace(cut, set_version="DEMO-2"),)},
        {"training_sets": (replace(training, file="absent.csv"),)},
    ):
        with pytest.raises(DeclarationError):
            checked(**changes)
