"""What the analysis plan of study.yaml may say, and which relations it brings into being."""

import pytest
import yaml

from assayhouse.contracts.documents import Document
from assayhouse.contracts.plan import Plan, read_plan
from assayhouse.errors import DeclarationError

PLAN = """
modules:
  expression: {version: v1, references: [R1, R2], signal: height}
  scores:
    - {PARAMCD: AMOD, log2: AMODL, genes: [G1, G2]}
cut_offs:
  - {id: A, label: Module A, parameter: AMODL, scale: log2, rule: median, value: -0.5, source: here}
endpoints:
  - {PARAMCD: RESP, PARAM: Response, visits: [24], reported: RESP, missing: non_responder}
analyses:
  effects: {psi: ols, parameters: [AMOD], subgroups: [A]}
  subsets: {endpoint: RESP}
"""


def plan(text=PLAN):
    return read_plan(Document(yaml.safe_load(text), "study.yaml"))


def test_options_of_the_effects_are_apart_from_what_they_are_asked_about():
    read = plan()
    assert read.effects == {"psi": "ols"}
    assert (read.effect_parameters, read.subgroups) == (("AMOD",), ("A",))


def test_a_cut_off_knows_its_scale_rule_and_source():
    cut = plan().cut_off("A")
    assert (cut.parameter, cut.scale, cut.rule, cut.value) == ("AMODL", "log2", "median", -0.5)
    assert cut.level_of_interest == "high"


def test_a_plan_has_the_parts_it_declares_and_no_other():
    read = plan()
    assert read.has("modules")
    assert read.has("subset_endpoint")
    assert not read.has("cut_points")
    assert not Plan().has("modules")
    with pytest.raises(DeclarationError, match="nothing_of_this is neither"):
        read.has("nothing_of_this")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("value: -0.5, ", ""), "cut_offs 1: value is required"),
        (("rule: median", "rule: guess"), "rule must be one of antimode, median, fixed"),
        (("missing: non_responder", "missing: maybe"), "missing must be one of"),
        (("signal: height", "sginal: height"), "unknown key sginal"),
    ],
)
def test_a_plan_that_contradicts_itself_says_where(change, words):
    with pytest.raises(DeclarationError, match=words):
        plan(PLAN.replace(*change))
