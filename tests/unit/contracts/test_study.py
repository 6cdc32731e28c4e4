"""What study.yaml may say, and what contradicts itself."""

import pytest
import yaml

from assayhouse.contracts.study import read_study
from assayhouse.errors import DeclarationError

STUDY = {
    "study": "S1",
    "title": "Test",
    "layouts": ["lab.results"],
    "arms": [{"ARMCD": "P", "ARM": "Placebo", "reference": True}, {"ARMCD": "A", "ARM": "Active"}],
    "visits": [
        {"AVISITN": 0, "AVISIT": "Baseline", "target_day": 1, "baseline": True},
        {"AVISITN": 4, "AVISIT": "Week 4", "target_day": 29, "spellings": ["WEEK 4", "Wk4"]},
    ],
    "parameters": ["CRP"],
}


def read(folder, **changes):
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(STUDY | changes))
    return read_study(path, folder=folder)


def test_a_study_is_blinded_and_real_unless_it_says_otherwise(tmp_path):
    study = read(tmp_path)
    assert (study.blinding, study.synthetic, study.visit_rule) == ("codes", False, "name")
    assert study.reference_arm == "P"


def test_every_spelling_of_a_visit_leads_to_its_term(tmp_path):
    terms = read(tmp_path, other_visits=["UNSCHEDULED"]).visit_terms
    assert terms["Wk4"] == terms["WEEK 4"] == terms["Week 4"] == "Week 4"
    assert terms["UNSCHEDULED"] == "UNSCHEDULED"
    assert "WEEK 04" not in terms


def test_a_visit_without_window_is_its_day(tmp_path):
    week = read(tmp_path).visits[1]
    assert (week.first_day, week.target_day, week.last_day) == (29, 29, 29)


def test_options_of_an_analysis_are_kept_as_written(tmp_path):
    study = read(tmp_path, analyses={"effects": {"psi": "ols", "responses": ["abs"]}})
    assert study.plan.effects == {"psi": "ols", "responses": ["abs"]}


ARM = {"ARMCD": "P", "ARM": "Placebo", "reference": True}
VISIT = {"AVISITN": 0, "AVISIT": "Baseline", "target_day": 1, "baseline": True}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": 1}, "unknown key colour"),
        ({"arms": [{**ARM, "dose": 1}]}, "arms 1: unknown key dose"),
        ({"arms": [{**ARM, "reference": False}]}, "exactly one arm is the reference"),
        ({"arms": [ARM, {**ARM, "ARMCD": "Q"}]}, "exactly one arm is the reference"),
        ({"arms": [ARM, {**ARM, "reference": False}]}, "an ARMCD occurs twice"),
        ({"visits": [{**VISIT, "baseline": False}]}, "exactly one visit is the baseline"),
        ({"visits": [VISIT, {**VISIT, "baseline": False}]}, "an AVISITN occurs twice"),
        ({"visits": [{**VISIT, "target_day": "one"}]}, "target_day must be a whole number"),
        ({"visits": [{**VISIT, "windw": 1}]}, "visits 1: unknown key windw"),
        ({"layouts": []}, "at least one layout"),
        ({"blinding": "half"}, "blinding must be one of"),
        ({"blinding": "content"}, "not available yet"),
        ({"visit_rule": "guess"}, "visit_rule must be one of"),
        ({"baseline_rule": "first"}, "baseline_rule must be one of"),
        ({"analyses": {"effect": {}}}, "unknown key effect"),
        (
            {"figures": [{"id": "f", "kind": "time_course", "title": "t", "parameters": ["X"]}]},
            "a figure names a parameter not listed: X",
        ),
        ({"figures": [{"id": "f", "kind": "pie", "title": "t"}]}, "kind must be one of"),
        ({"tables": [{"id": "t", "kind": "forest", "title": "t"}]}, "kind must be one of"),
        (
            {"figures": [{"id": "f", "kind": "forest", "title": "t"}]},
            "needs subset_endpoint, cut_offs in the plan",
        ),
        (
            {"figures": [{"id": "f", "kind": "time_course", "title": "t", "options": {"arm": 1}}]},
            "unknown key arm",
        ),
        (
            {
                "figures": [{"id": "f", "kind": "time_course", "title": "t"}],
                "tables": [{"id": "f", "kind": "means", "title": "t"}],
            },
            "the id of a figure or table occurs twice",
        ),
    ],
)
def test_a_slip_in_a_study_is_told_with_its_file(tmp_path, changes, words):
    with pytest.raises(DeclarationError, match=words) as caught:
        read(tmp_path, **changes)
    assert "study.yaml" in str(caught.value)
