"""Analysis visits of records outside ADBM: the same rules and choices as those of its query."""

import random
from datetime import date, timedelta

import polars as pl
import pytest

from assayhouse.derive.visits import analysed_records

from support.tables import ask, database, day, fill

FIRST_DOSE = date(2018, 3, 1)
WINDOWS = pl.DataFrame(
    [("Baseline", 0, 1, -28, 1), ("Week 4", 4, 29, 22, 36), ("Week 12", 12, 85, 78, 92)],
    schema=["AVISIT", "AVISITN", "target_day", "first_day", "last_day"],
    orient="row",
).with_columns(is_baseline=pl.col("AVISITN") == 0)
DOSES = pl.DataFrame({"USUBJID": ["s"], "first_dose": [FIRST_DOSE]})


def record(when, number, *, visit=None, seq=1, flag=None, subject="s", test="T"):
    """One record; ``when`` is a date as text or a day of the study without day 0."""
    if isinstance(when, int):
        when = str(FIRST_DOSE + timedelta(days=when - (when > 0)))
    return {
        "USUBJID": subject, "TESTCD": test, "SEQ": seq, "VISIT": visit, "DTC": when,
        "BLFL": flag, "number": None if number is None else float(number),
        "text": None if number is None else str(number),
    }  # fmt: skip


def chosen(*records, visit_rule="window", baseline_rule="last_before_first_dose"):
    """Visit to value."""
    kinds = {"number": pl.Float64, "SEQ": pl.Int64}
    kinds |= dict.fromkeys(("VISIT", "BLFL", "DTC", "text"), pl.String)
    found = analysed_records(
        pl.DataFrame(list(records), schema_overrides=kinds),
        DOSES,
        WINDOWS,
        visit_rule=visit_rule,
        baseline_rule=baseline_rule,
    )
    return dict(found.select("AVISIT", "number").rows())


def test_the_window_decides_and_not_the_name_where_the_study_says_so():
    rows = (record(30, 5, visit="Week 12"), record(80, 7, visit="Unscheduled"))
    assert chosen(*rows) == {"Week 4": 5.0, "Week 12": 7.0}
    assert chosen(*rows, visit_rule="name") == {"Week 12": 5.0}


def test_a_record_outside_every_window_stands_for_no_visit():
    assert chosen(record(60, 5, visit="Week 4")) == {}


def test_the_nearest_to_the_target_stands_then_the_later_then_the_higher_number():
    assert chosen(record(24, 1), record(31, 2, seq=2)) == {"Week 4": 2.0}
    assert chosen(record(27, 1), record(31, 2, seq=2)) == {"Week 4": 2.0}
    assert chosen(record(31, 2), record(27, 1, seq=2)) == {"Week 4": 2.0}
    assert chosen(record(30, 1, seq=7), record(30, 2, seq=3)) == {"Week 4": 1.0}


def test_the_baseline_is_the_last_record_not_after_the_first_dose_whatever_its_visit():
    rows = (record(-20, 1, visit="Baseline"), record(1, 2, seq=2), record(2, 3, seq=3))
    assert chosen(*rows) == {"Baseline": 2.0}
    assert chosen(record(-90, 4)) == {"Baseline": 4.0}
    assert chosen(record(2, 3, visit="Baseline"), visit_rule="name") == {}


def test_a_delivered_flag_is_the_baseline_where_the_study_says_so():
    rows = (record(-20, 1, flag="Y"), record(1, 2, seq=2))
    assert chosen(*rows, baseline_rule="reported_flag") == {"Baseline": 1.0}


def test_a_record_without_a_value_stands_for_nothing():
    assert chosen(record(29, None), record(24, 3, seq=2)) == {"Week 4": 3.0}


def test_a_record_without_a_date_has_no_day_and_still_a_name():
    assert chosen(record(None, 3, visit="Week 4")) == {}
    assert chosen(record(None, 3, visit="Week 4"), visit_rule="name") == {"Week 4": 3.0}


def random_records(rng, subjects=8, each=14):
    visits = ("Baseline", "Week 4", "Week 12", "Unscheduled", None)
    rows = []
    for place in range(subjects):
        for seq in range(1, each + 1):
            when = rng.choice([rng.randint(-40, 100) or 1, rng.randint(20, 38)])
            number = rng.choice([None, rng.randint(1, 9), rng.randint(1, 9)])
            options = {"seq": seq, "subject": f"s{place}", "test": rng.choice("XY")}
            flag = "Y" if rng.random() < 0.1 else None
            rows.append(record(when, number, visit=rng.choice(visits), flag=flag, **options))
    return rows


def by_the_query(rows, visit_rule, baseline_rule):
    """Visit's value, and the baseline, of every subject and test, as adam.adbm has them."""
    connection = database()
    connection.execute(
        "create table findings (domain varchar, STUDYID varchar, USUBJID varchar, SEQ bigint, "
        "TESTCD varchar, CAT varchar, VISIT varchar, DTC varchar, value_operator varchar, "
        "STRESC varchar, STRESN double, LLOQ double, ULOQ double, BLFL varchar, REFID varchar, "
        "source_file varchar, source_line bigint, sha256 varchar, receipt bigint)"
    )
    fill(connection, "ref.study", {"visit_rule": visit_rule, "baseline_rule": baseline_rule})
    fill(connection, "ref.visit_windows", *WINDOWS.iter_rows(named=True))
    for test in "XY":
        fill(connection, "ref.parameters", {"PARAMCD": test, "PARAM": test, "scale": "linear"})
    for subject in sorted({row["USUBJID"] for row in rows}):
        fill(connection, "sdtm.dm", {"USUBJID": subject, "RFXSTDT": day(str(FIRST_DOSE))})
    renamed = {"number": "STRESN", "text": "STRESC"}
    fill(
        connection,
        "findings",
        *({"domain": "RS"} | {renamed.get(k, k): v for k, v in row.items()} for row in rows),
    )
    found = ask(connection, "adam.adbm")
    key = ["USUBJID", "PARAMCD"]
    at_visits = found.filter(pl.col("ANL01FL") == "Y", pl.col("AVISIT") != "Baseline")
    base = found.filter(pl.col("BASE").is_not_null()).select(*key, "BASE").unique()
    return {
        **{(*row[:2], row[2]): row[3] for row in at_visits.select(*key, "AVISIT", "AVAL").rows()},
        **{(*row[:2], "Baseline"): row[2] for row in base.rows()},
    }


@pytest.mark.parametrize("baseline_rule", ["last_before_first_dose", "reported_flag"])
@pytest.mark.parametrize("visit_rule", ["name", "window"])
def test_the_choices_are_those_of_adbm(visit_rule, baseline_rule):
    rows = random_records(random.Random(f"{visit_rule} {baseline_rule}"))  # noqa: S311 - made-up rows
    found = analysed_records(
        pl.DataFrame(rows, schema_overrides={"number": pl.Float64, "BLFL": pl.String}),
        pl.DataFrame([{"USUBJID": f"s{n}", "first_dose": FIRST_DOSE} for n in range(8)]),
        WINDOWS,
        visit_rule=visit_rule,
        baseline_rule=baseline_rule,
    )
    ours = {
        tuple(row[:3]): row[3]
        for row in found.select("USUBJID", "TESTCD", "AVISIT", "number").rows()
    }
    expected = by_the_query(rows, visit_rule, baseline_rule)
    assert len(expected) > 20
    assert ours == expected
