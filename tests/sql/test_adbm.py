"""adam.adbm: study day, visit, baseline, change, percent change, limits, and where it came from."""

import pytest

from support.tables import ask, column, database, day, fill

FINDING = (
    "create table findings (domain varchar, STUDYID varchar, USUBJID varchar, SEQ bigint, "
    "TESTCD varchar, CAT varchar, VISIT varchar, DTC varchar, value_operator varchar, "
    "STRESC varchar, STRESN double, LLOQ double, ULOQ double, BLFL varchar, REFID varchar, "
    "source_file varchar, source_line bigint, sha256 varchar, receipt bigint)"
)


def study(*, visit_rule="name", baseline_rule="last_before_first_dose", scale="linear"):
    connection = database()
    connection.execute(FINDING)
    fill(connection, "ref.study", {"visit_rule": visit_rule, "baseline_rule": baseline_rule})
    fill(
        connection,
        "ref.parameters",
        {"PARAMCD": "X", "PARAM": "X (u)", "unit": "u", "scale": scale},
    )
    fill(connection, "sdtm.dm", {"USUBJID": "A", "RFXSTDT": day("2018-03-01")})
    windows = (("Baseline", 0, 1, -28, 1), ("Week 4", 4, 29, 22, 36), ("Week 12", 12, 85, 78, 92))
    for name, number, target, first, last in windows:
        fill(
            connection,
            "ref.visit_windows",
            {
                "AVISIT": name,
                "AVISITN": number,
                "target_day": target,
                "first_day": first,
                "last_day": last,
                "is_baseline": number == 0,
            },
        )
    return connection


def adbm(connection, *results):
    for sequence, result in enumerate(results, start=1):
        given = {
            "domain": "LB",
            "USUBJID": "A",
            "SEQ": sequence,
            "TESTCD": "X",
            "value_operator": "",
            "source_line": 10 + sequence,
        }
        fill(connection, "findings", given | result)
    return ask(connection, "adam.adbm").sort("SRCSEQ")


def value(when, number, visit=None, **more):
    return {"DTC": when, "STRESN": number, "STRESC": str(number), "VISIT": visit} | more


def test_change_and_percent_change_are_from_the_baseline():
    table = adbm(
        study(), value("2018-03-01", 50.0, "Baseline"), value("2018-03-29", 75.0, "Week 4")
    )
    assert column(table, "BASE") == [50.0, 50.0]
    assert column(table, "CHG") == [None, 25.0]
    assert column(table, "PCHG") == [None, 50.0]
    assert column(table, "chg_reason") == ["baseline record", None]
    assert column(table, "ABLFL") == ["Y", None]


def test_there_is_no_study_day_0():
    table = adbm(
        study(), value("2018-02-28", 1.0), value("2018-03-01", 1.0), value("2018-03-02", 1.0)
    )
    assert column(table, "ADY") == [-1, 1, 2]


def test_baseline_is_the_last_value_not_after_the_first_dose():
    table = adbm(
        study(),
        value("2018-02-01", 10.0, "Baseline"),
        value("2018-02-20", 20.0, "Baseline"),
        value("2018-02-25", None, "Baseline"),
        value("2018-03-05", 30.0, "Week 4"),
    )
    assert column(table, "ABLFL") == [None, "Y", None, None]
    assert column(table, "CHG") == [-10.0, None, None, 10.0]
    assert column(table, "chg_reason") == [
        None,
        "baseline record",
        "no value",
        None,
    ]


def test_a_reported_flag_is_the_baseline_where_the_study_says_so():
    table = adbm(
        study(baseline_rule="reported_flag"),
        value("2018-02-01", 10.0, "Baseline", BLFL="Y"),
        value("2018-02-20", 20.0),
    )
    assert column(table, "BASE") == [10.0, 10.0]
    assert column(table, "CHG") == [None, 10.0]


def test_without_a_baseline_there_is_no_change_and_the_reason_says_so():
    table = adbm(study(), value("2018-03-29", 75.0, "Week 4"))
    assert column(table, "CHG") == [None]
    assert column(table, "chg_reason") == ["no baseline"]
    assert column(table, "pchg_reason") == ["no baseline"]


@pytest.mark.parametrize(
    ("base", "scale", "reason"),
    [
        (0.0, "linear", "baseline not above zero"),
        (-2.0, "linear", "baseline not above zero"),
        (3.0, "log2", "no percentage on this scale"),
        (3.0, "ordinal", "no percentage on this scale"),
    ],
)
def test_percent_change_is_missing_with_a_reason(base, scale, reason):
    table = adbm(
        study(scale=scale),
        value("2018-03-01", base, "Baseline"),
        value("2018-03-29", 7.0, "Week 4"),
    )
    assert column(table, "PCHG")[1] is None
    assert column(table, "pchg_reason")[1] == reason
    assert column(table, "CHG")[1] == 7.0 - base


def test_below_the_limit_the_value_is_half_the_limit_and_says_so():
    table = adbm(
        study(),
        value("2018-03-01", None, "Baseline", value_operator="<", LLOQ=0.5, STRESC="<0.5"),
        value("2018-03-29", 1.0, "Week 4", LLOQ=0.5),
    )
    assert column(table, "AVAL") == [0.25, 1.0]
    assert column(table, "DTYPE") == ["HALFLLOQ", None]
    assert column(table, "AVALC") == ["<0.5", "1.0"]
    assert column(table, "blq_fl") == ["Y", "N"]
    assert column(table, "CHG") == [None, 0.75]
    assert column(table, "pchg_reason")[1] == "baseline below the limit of quantification"


def test_above_the_upper_limit_the_value_is_the_limit():
    table = adbm(study(), value("2018-03-01", None, "Baseline", value_operator=">", ULOQ=90.0))
    assert table.select("AVAL", "DTYPE", "blq_fl").rows() == [(90.0, "ULOQ", "N")]


def test_one_value_per_visit_is_analysed_the_nearest_to_the_target():
    table = adbm(
        study(),
        value("2018-03-01", 1.0, "Baseline"),
        value("2018-03-26", 2.0, "Week 4"),
        value("2018-03-30", 3.0, "Week 4"),
    )
    assert column(table, "ANL01FL") == ["Y", None, "Y"]


def test_later_sequence_number_wins_a_tie():
    table = adbm(study(), value("2018-03-29", 2.0, "Week 4"), value("2018-03-29", 3.0, "Week 4"))
    assert column(table, "ANL01FL") == [None, "Y"]


def test_a_window_decides_the_visit_where_the_study_says_so():
    table = adbm(
        study(visit_rule="window"),
        value("2018-03-22", 1.0, "Unscheduled"),
        value("2018-04-10", 1.0, "Week 4"),
    )
    assert column(table, "AVISIT") == ["Week 4", None]
    assert column(table, "VISIT") == ["Unscheduled", "Week 4"]


def test_a_result_outside_every_visit_is_kept_but_not_analysed():
    table = adbm(
        study(), value("2018-03-01", 1.0, "Baseline"), value("2018-03-10", 4.0, "UNSCHEDULED")
    )
    assert column(table, "AVISITN") == [0, None]
    assert column(table, "ANL01FL") == ["Y", None]
    assert column(table, "CHG") == [None, 3.0]


def test_a_result_of_no_listed_parameter_does_not_enter():
    table = adbm(study(), value("2018-03-01", 1.0, "Baseline", TESTCD="Y"))
    assert table.is_empty()


def test_every_row_leads_to_file_and_line():
    table = adbm(
        study(), value("2018-03-01", 1.0, "Baseline", source_file="f.csv", sha256="ab", receipt=7)
    )
    assert table.select("source_file", "source_line", "sha256", "receipt").rows() == [
        ("f.csv", 11, "ab", 7)
    ]


def test_the_order_of_the_rows_changes_nothing():
    forward, backward = study(), study()
    rows = [
        value("2018-03-01", 1.0, "Baseline", SEQ=1),
        value("2018-03-29", 2.0, "Week 4", SEQ=2),
        value("2018-03-29", 3.0, "Week 4", SEQ=3),
    ]
    left = adbm(forward, *rows).drop("source_line")
    right = adbm(backward, *rows[::-1]).drop("source_line")
    assert left.equals(right)
