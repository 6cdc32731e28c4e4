"""adam.adpc: predose or not, hours since the dose, dose in force, and what keeps a value out."""

import pytest

from support.tables import ask, database, fill

WEEK_4 = "2018-03-29T08:30"
FORMER = {"ECDTC": "2018-03-28T08:00", "ECOCCUR": "Y"}


def adpc(*, sample=None, diary=(FORMER,), exposure=(), longest=30.0, visit_rule="name"):
    """The row of one concentration, drawn at week 4, 24.5 hours after the former dose."""
    connection = database()
    fill(connection, "ref.study", {"predose_max_hours": longest, "visit_rule": visit_rule})
    fill(connection, "sdtm.dm", {"USUBJID": "A", "RFXSTDT": "2018-03-01"})
    fill(connection, "ref.parameters", {"PARAMCD": "DRUG", "PARAM": "Drug (u)", "unit": "u"})
    window = {"AVISIT": "Week 4", "AVISITN": 4, "first_day": 22, "last_day": 36}
    fill(connection, "ref.visit_windows", window)
    given = {"USUBJID": "A", "PCSEQ": 1, "PCTESTCD": "DRUG", "PCDTC": WEEK_4, "VISIT": "Week 4"}
    given |= {"PCSTRESN": 1.5, "PCSTRESC": "1.5", "value_operator": "", "PCLLOQ": 0.1}
    fill(connection, "sdtm.pc", given | (sample or {}))
    for dose in diary:
        fill(connection, "sdtm.ec", {"USUBJID": "A"} | dose)
    for record in exposure:
        fill(connection, "sdtm.ex", {"USUBJID": "A"} | record)
    (row,) = ask(connection, "adam.adpc").rows(named=True)
    return row


def test_a_sample_before_the_dose_of_the_day_is_predose():
    row = adpc(diary=(FORMER, {"ECDTC": "2018-03-29T08:45", "ECOCCUR": "Y"}))
    assert (row["predose_fl"], row["ANL01FL"], row["reasons"]) == ("Y", "Y", None)
    assert row["hours_since_dose"] == 24.5
    assert (row["AVAL"], row["PARAM"], row["unit"]) == (1.5, "Drug (u)", "u")
    assert (row["AVISIT"], row["AVISITN"]) == ("Week 4", 4)


def test_a_sample_after_the_dose_of_the_day_is_kept_and_not_analysed():
    row = adpc(diary=(FORMER, {"ECDTC": "2018-03-29T07:30", "ECOCCUR": "Y"}))
    assert (row["predose_fl"], row["ANL01FL"]) == ("N", None)
    assert row["reasons"] == "taken after the dose of the day"
    assert row["hours_since_dose"] == 1.0


@pytest.mark.parametrize(
    ("hours", "analysed", "reason"),
    [(24.5, "Y", None), (24.4, None, "too long after the former dose")],
)
def test_too_long_after_the_former_dose_is_not_analysed(hours, analysed, reason):
    row = adpc(longest=hours)
    assert (row["predose_fl"], row["ANL01FL"], row["reasons"]) == ("Y", analysed, reason)


def test_a_dose_that_was_not_taken_is_no_dose():
    missed = {"ECDTC": "2018-03-29T07:30", "ECOCCUR": "N"}
    assert adpc(diary=(FORMER, missed))["hours_since_dose"] == 24.5
    row = adpc(diary=(missed,))
    assert (row["hours_since_dose"], row["predose_fl"], row["ANL01FL"]) == (None, None, None)
    assert row["reasons"] == "no dose in the diary"


def test_an_entry_without_a_time_is_no_dose():
    row = adpc(diary=({"ECDTC": "2018-03", "ECOCCUR": "Y"},))
    assert row["reasons"] == "no dose in the diary"


def test_doses_of_another_subject_do_not_count():
    assert adpc(diary=({"USUBJID": "B"} | FORMER,))["reasons"] == "no dose in the diary"


def test_the_dose_in_force_is_that_of_the_record_around_the_sample():
    first = {"EXDOSE": 0.15, "EXSTDTC": "2018-03-01", "EXENDTC": "2018-03-20"}
    second = {"EXDOSE": 0.45, "EXSTDTC": "2018-03-21", "EXENDTC": None}
    later = {"EXDOSE": 0.3, "EXSTDTC": "2018-03-30", "EXENDTC": None}
    assert adpc(exposure=(first, second, later))["nominal_dose_mg"] == 0.45
    assert adpc(exposure=(first, later))["nominal_dose_mg"] is None


def test_a_record_that_ends_on_the_day_of_the_sample_is_in_force():
    record = {"EXDOSE": 0.3, "EXSTDTC": "2018-03-29", "EXENDTC": "2018-03-29T23:00"}
    assert adpc(exposure=(record,))["nominal_dose_mg"] == 0.3


def test_below_the_limit_is_a_value_and_says_so():
    row = adpc(sample={"PCSTRESN": None, "PCSTRESC": "<0.1", "value_operator": "<"})
    assert (row["blq_fl"], row["AVAL"], row["AVALC"], row["lloq"]) == ("Y", None, "<0.1", 0.1)
    assert (row["ANL01FL"], row["reasons"]) == ("Y", None)


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        ({"PCSTAT": "NOT DONE", "PCSTRESN": None}, "not done"),
        ({"PCSTRESN": None, "PCSTRESC": None}, "no value"),
    ],
)
def test_what_has_no_value_is_not_analysed(sample, reason):
    row = adpc(sample=sample)
    assert (row["blq_fl"], row["ANL01FL"], row["reasons"]) == ("N", None, reason)


def test_a_visit_that_is_not_analysed_keeps_its_name():
    row = adpc(sample={"VISIT": "EARLY TERM"})
    assert (row["AVISIT"], row["AVISITN"]) == ("EARLY TERM", None)


@pytest.mark.parametrize(
    ("when", "reported", "rule", "found"),
    [
        ("2018-03-29T08:30", "Unscheduled", "window", ("Week 4", 4)),
        ("2018-05-20T08:30", "Week 4", "window", (None, None)),
        ("2018-05-20T08:30", "Week 4", "name", ("Week 4", 4)),
        ("2018-03-29T08:30", "Unscheduled", "name", ("Unscheduled", None)),
    ],
)
def test_the_visit_of_a_sample_is_found_by_the_studys_rule(when, reported, rule, found):
    row = adpc(sample={"PCDTC": when, "VISIT": reported}, visit_rule=rule)
    assert (row["AVISIT"], row["AVISITN"]) == found
