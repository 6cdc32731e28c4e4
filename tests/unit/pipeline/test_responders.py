"""adam.adrs: which assessment a response stands on, and where that came from."""

from dataclasses import replace

import pytest

from assayhouse.contracts.plan import Endpoint
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.responders import responses

from support.tables import LOADED, database, day, fill

ENDPOINT = Endpoint(
    PARAMCD="BETTER",
    PARAM="Better",
    visits=(4,),
    components=("ACT",),
    reported=None,
    rederived="ACT < base_ACT",
    non_responder_if=None,
    missing_is_non_responder=False,
)
WINDOWS = (("Baseline", 0, 1, -28, 1), ("Week 4", 4, 29, 22, 36))


def decided(*scores, visit_rule="window"):
    """Rows of the relation for one subject dosed on 1 March and the given (date, visit, score)."""
    connection = database()
    fill(connection, "sdtm.dm", {"STUDYID": "S", "USUBJID": "s", "RFXSTDT": day("2018-03-01")})
    for name, number, target, first, last in WINDOWS:
        window = {"AVISIT": name, "AVISITN": number, "target_day": target, "first_day": first}
        more = {"last_day": last, "is_baseline": number == 0}
        fill(connection, "ref.visit_windows", window | more)
    for line, (when, visit, score) in enumerate(scores, start=2):
        given = {"USUBJID": "s", "RSSEQ": line, "RSTESTCD": "ACT", "VISIT": visit, "RSDTC": when}
        where = {"source_file": "r.csv", "source_line": line, "receipt": 1}
        value = {"RSSTRESN": score, "RSSTRESC": str(score)}
        fill(connection, "sdtm.rs", given | value | where)
    study = LOADED.study
    visits = tuple(
        replace(visit, AVISIT="Baseline" if visit.is_baseline else visit.AVISIT)
        for visit in study.visits
    )
    plan = replace(study.plan, endpoints=(ENDPOINT,))
    changed = replace(study, visit_rule=visit_rule, visits=visits, plan=plan)
    declared = replace(LOADED, study=changed)
    context = BuildContext(
        home=None,
        declarations=declared,
        spec=LOADED.declared_tables["adam.adrs"],
        connection=connection,
        inputs={},
    )
    return responses(context).rows(named=True)


BASE = ("2018-02-20", "Baseline", 10)


def test_under_a_window_the_day_decides_and_the_reported_name_does_not():
    (row,) = decided(BASE, ("2018-03-30", "Unscheduled", 4))
    assert (row["AVALC"], row["AVISIT"], row["ADT"]) == ("Y", "Week 4", day("2018-03-30"))
    assert (row["source_file"], row["source_line"]) == ("r.csv", 3)


def test_under_a_window_a_visit_named_so_but_far_off_is_no_assessment():
    (row,) = decided(BASE, ("2018-05-20", "Week 4", 4))
    assert (row["AVALC"], row["ADT"], row["reasons"]) == (None, None, "no assessment")


def test_of_two_assessments_in_a_window_the_nearest_counts_and_is_the_source():
    (row,) = decided(BASE, ("2018-03-23", "Week 4", 4), ("2018-03-28", "Unscheduled", 12))
    assert (row["AVALC"], row["ADT"], row["source_line"]) == ("N", day("2018-03-28"), 4)


@pytest.mark.parametrize("rule", ["name", "window"])
def test_the_baseline_is_the_last_assessment_not_after_the_first_dose(rule):
    early, last, late = ("2018-02-02", "Baseline", 3), ("2018-02-28", "Screening", 10), (
        "2018-03-03", "Baseline", 3,
    )  # fmt: skip
    (row,) = decided(early, last, late, ("2018-03-29", "Week 4", 5), visit_rule=rule)
    assert row["AVALC"] == "Y"


def test_by_name_the_reported_visit_decides():
    (row,) = decided(BASE, ("2018-05-20", "Week 4", 4), visit_rule="name")
    assert (row["AVALC"], row["ADT"]) == ("Y", day("2018-05-20"))
