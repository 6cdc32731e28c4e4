"""Responses: rederived from components, reported kept, non-response by rule, differences marked."""

import polars as pl
import pytest

from assayhouse.contracts.plan import Endpoint
from assayhouse.derive.responses import derive_responses, widen
from assayhouse.errors import DeclarationError

RULE = "base_ACT - ACT >= 4 and WORSE = 'N'"


def endpoint(**changes):
    given = {
        "PARAMCD": "RESP",
        "PARAM": "Response",
        "visits": (12, 24),
        "components": ("ACT", "WORSE", "RESCUE"),
        "reported": "RESP",
        "rederived": RULE,
        "non_responder_if": "RESCUE = 'Y'",
        "missing_is_non_responder": True,
    }
    return Endpoint(**(given | changes))


def scores(*rows):
    """Rows of subject, visit, test and value, number or text."""
    return pl.DataFrame(
        [
            {
                "USUBJID": subject,
                "AVISIT": visit,
                "TESTCD": test,
                "number": float(value) if isinstance(value, int | float) else None,
                "text": str(value),
            }
            for subject, visit, test, value in rows
        ],
        schema_overrides={"number": pl.Float64},
    )


def decide(*rows, **changes):
    wide = widen(scores(*rows), baseline="Base")
    expected = pl.DataFrame({"USUBJID": ["s", "s"], "AVISIT": ["W12", "W24"], "AVISITN": [12, 24]})
    return derive_responses(wide, expected, endpoint(**changes))


BASE = [("s", "Base", "ACT", 10), ("s", "Base", "WORSE", "N"), ("s", "Base", "RESCUE", "N")]


def visit(name, act, *, worse="N", rescue="N", reported=None):
    rows = [("s", name, "ACT", act), ("s", name, "WORSE", worse), ("s", name, "RESCUE", rescue)]
    return [*rows, *([("s", name, "RESP", reported)] if reported else [])]


def test_a_response_is_derived_from_its_components_and_the_baseline():
    found = decide(*BASE, *visit("W12", 7), *visit("W24", 6), reported=None)
    assert found["rederived_response"].to_list() == ["N", "Y"]
    assert found["AVALC"].to_list() == ["N", "Y"]
    assert found["AVAL"].to_list() == [0.0, 1.0]


def test_the_reported_response_is_used_and_a_difference_is_marked():
    found = decide(*BASE, *visit("W12", 9, reported="Y"), *visit("W24", 6, reported="Y"))
    assert found["AVALC"].to_list() == ["Y", "Y"]
    assert found["response_differs_fl"].to_list() == ["Y", "N"]


def test_a_missing_visit_is_a_non_response_and_says_so():
    found = decide(*BASE, *visit("W12", 6, reported="Y"))
    assert found["AVALC"].to_list() == ["Y", "N"]
    assert found["imputed_fl"].to_list() == [None, "Y"]
    assert found["reasons"].to_list() == [None, "no assessment"]


def test_a_missing_visit_stays_missing_where_the_endpoint_does_not_impute():
    found = decide(*BASE, *visit("W12", 6, reported="Y"), missing_is_non_responder=False)
    assert found["AVALC"].to_list() == ["Y", None]


def test_rescue_makes_every_later_visit_a_non_response():
    found = decide(
        *BASE, *visit("W12", 6, rescue="Y", reported="Y"), *visit("W24", 5, reported="Y")
    )
    assert found["AVALC"].to_list() == ["N", "N"]
    assert found["reported_response"].to_list() == ["Y", "Y"]
    assert found["imputed_fl"].to_list() == ["Y", "Y"]


def test_a_component_that_nobody_has_delivered_yet_leaves_the_response_unknown():
    found = decide(("s", "Base", "ACT", 10), ("s", "W12", "ACT", 4), missing_is_non_responder=False)
    assert found["AVALC"].to_list() == [None, None]


def test_an_expression_over_an_absent_score_is_an_error_that_names_it():
    with pytest.raises(DeclarationError, match="endpoint RESP: the expression `NOPE > 1`"):
        decide(*BASE, *visit("W12", 6), rederived="NOPE > 1")


@pytest.mark.parametrize(("base", "now"), [(0.9, 1.2), (0.7, 1.0), (1.8, 2.1)])
def test_a_difference_of_decimals_is_the_decimal_difference(base, now):
    """1.2 less 0.9 is 0.3: not below it, though the difference of the binary fractions is."""
    wide = pl.DataFrame({"USUBJID": ["s"], "AVISIT": ["W"], "P": [now], "base_P": [base]})
    expected = pl.DataFrame({"USUBJID": ["s"], "AVISIT": ["W"], "AVISITN": [1]})
    endpoint = Endpoint(
        PARAMCD="R",
        PARAM="Response",
        visits=(1,),
        components=("P",),
        reported=None,
        rederived="P - base_P < 0.3",
        non_responder_if=None,
        missing_is_non_responder=False,
    )
    found = derive_responses(wide, expected, endpoint)
    assert found["rederived_response"].to_list() == ["N"]
