"""Cases of the population-PK reference data: specification, table, and what other engines found."""

import json
from functools import cache

from assayhouse.pk import EventTable, ModelSpec

from support.shared import shared


@cache
def expected():
    """All cases by name."""
    return json.loads(shared("reference", "pk", "expected.json").read_text())["cases"]


@cache
def load_case(name):
    """A case with its specification and its event table."""
    case = expected()[name]
    columns = sorted({effect["column"] for effect in case["spec"].get("covariates", ())})
    events = EventTable.read_csv(
        shared("reference", "pk", case["file"]),
        amt_unit=case["amt_unit"],
        dv_unit=case["dv_unit"],
        subject_rule=case["subject_rule"],
        covariates=columns,
    )
    return case, ModelSpec.from_dict(case["spec"]), events
