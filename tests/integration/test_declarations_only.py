"""Another study is another folder: other columns, separator, decimal mark, visits and domains.

No code is changed: vital signs and laboratory results come in through layouts that this test
declares, and come out as adjusted differences and a figure.
"""

import numpy as np
import polars as pl
import pytest

from assayhouse.contracts import declarations
from assayhouse.pipeline.night import run_night
from assayhouse.warehouse.catalogue import query
from assayhouse.warehouse.home import Home

AT = "2026-06-01T02:00:00+00:00"
STUDY = """
study: TINY
title: A trial of three arms
synthetic: true
blinding: none
layouts: [clinic.people, clinic.signs, hospital.blood]
arms:
  - {ARMCD: C, ARM: Control, reference: true}
  - {ARMCD: L, ARM: Low dose, dose_mg: 1}
  - {ARMCD: H, ARM: High dose, dose_mg: 5}
visits:
  - {AVISITN: 0, AVISIT: Start, target_day: 1, first_day: -7, last_day: 1, baseline: true}
  - {AVISITN: 2, AVISIT: Week 2, target_day: 15, first_day: 10, last_day: 20}
  - {AVISITN: 8, AVISIT: Week 8, target_day: 57, first_day: 50, last_day: 64}
visit_rule: window
parameters: [SYSBP, HGB]
analyses: {effects: {responses: [chg, pchg]}}
figures:
  - {id: all, kind: time_course, title: Both, parameters: [SYSBP, HGB]}
"""
PARAMETERS = """PARAMCD,PARAM,unit,scale,assay,lloq,uloq,low_plausible,high_plausible
SYSBP,Systolic blood pressure,mmHg,linear,cuff,,,60,260
HGB,Haemoglobin,g/L,linear,analyser,,,30,250
"""
PEOPLE = """
layout: clinic.people
version: "1"
label: People
reader: delimited
file_pattern: '^people\\.txt$'
manifest: none
dialect: {delimiter: ";", quoting: none, line_end: lf}
key: [person]
columns:
  - {name: person, required: true, pattern: 'p\\d+'}
  - {name: group, required: true, type: code, terms: arms}
  - {name: first dose, type: date, date_format: '%d.%m.%Y', required: true}
  - {name: years, type: integer}
maps_to:
  - relation: dm
    columns:
      STUDYID: "'TINY'"
      USUBJID: person
      SUBJID: person
      AGE: years_integer
      RFSTDTC: '"first dose_date"::varchar'
  - relation: assignment
    columns: {USUBJID: person, ARMCD: group_term}
"""
SIGNS = """
layout: clinic.signs
version: "1"
label: Vital signs
reader: delimited
file_pattern: '^signs\\.txt$'
manifest: none
dialect: {delimiter: ";", quoting: none, line_end: lf, decimal: ","}
key: [person, taken, what]
columns:
  - {name: person, required: true, references: clinic.people.person}
  - {name: taken, type: date, date_format: '%d.%m.%Y', required: true}
  - {name: what, required: true}
  - {name: value, type: result, required: true}
maps_to:
  - relation: vs
    columns:
      STUDYID: "'TINY'"
      USUBJID: person
      TESTCD: what
      ORRES: value
      operator: value_operator
      number: value_number
      unit: "'mmHg'"
      DTC: 'taken_date::varchar'
"""
BLOOD = """
layout: hospital.blood
version: "1"
label: Blood counts
reader: delimited
file_pattern: '^blood\\.csv$'
manifest: none
dialect: {delimiter: ",", quoting: minimal, line_end: crlf}
key: [id, date, test]
columns:
  - {name: id, required: true, references: clinic.people.person}
  - {name: date, type: date, required: true}
  - {name: test, required: true, type: code, terms: parameters}
  - {name: result, type: result, required: true}
  - {name: unit, type: code, terms: units, required: true}
maps_to:
  - relation: lb
    columns:
      STUDYID: "'TINY'"
      USUBJID: id
      TESTCD: test_term
      ORRES: result
      ORRESU: unit
      operator: result_operator
      number: result_number
      unit: unit_term
      DTC: date
"""
DAYS = {"2026-03-02": 0.0, "2026-03-16": 1.0, "2026-04-27": 2.0}
SHIFT = {"C": 0.0, "L": -5.0, "H": -10.0}


def declared(folder):
    vendors = folder / "schemas" / "vendors"
    terms = folder / "schemas" / "terms"
    vendors.mkdir(parents=True)
    terms.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    (terms / "parameters.csv").write_text(PARAMETERS)
    for name, text in (
        ("clinic.people", PEOPLE),
        ("clinic.signs", SIGNS),
        ("hospital.blood", BLOOD),
    ):
        (vendors / f"{name}.yaml").write_text(text)
    return declarations.load(folder)


def german(day):
    year, month, date = day.split("-")
    return f"{date}.{month}.{year}"


def files():
    rng = np.random.Generator(np.random.Philox(7))
    people, signs, blood = ["person;group;first dose;years"], ["person;taken;what;value"], []
    for number in range(60):
        arm = "CLH"[number % 3]
        people.append(f"p{number};{arm};{german('2026-03-02')};{30 + number % 40}")
        pressure, iron = rng.normal(140, 10), rng.normal(13, 1)
        for day, step in DAYS.items():
            value = pressure + SHIFT[arm] * (step > 0) + rng.normal(0, 3)
            written = f"{value:.1f}".replace(".", ",")
            signs.append(f"p{number};{german(day)};SYSBP;{written}")
            blood.append(f"p{number},{day},HGB,{iron + 0.5 * step + rng.normal(0, 0.2):.2f},g/dL")
    return {
        "clinic/people.txt": "\n".join(people) + "\n",
        "clinic/signs.txt": "\n".join(signs) + "\n",
        "hospital/blood.csv": "\r\n".join(["id,date,test,result,unit", *blood]) + "\r\n",
    }


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    loaded = declared(tmp_path_factory.mktemp("study"))
    home = Home(tmp_path_factory.mktemp("home") / "home").create()
    for name, text in files().items():
        target = home.landing / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    return home, run_night(home, loaded, at=AT, who="test")


def test_every_layout_of_the_new_study_is_published(night):
    assert [outcome.state for outcome in night[1].outcomes] == ["PUBLISHED"] * 3


def test_two_domains_stand_in_one_analysis_dataset(night):
    rows = query(
        night[0], "select SRCDOM, PARAMCD, count(*) n from adam.adbm group by all order by 1"
    )
    assert rows.rows() == [("LB", "HGB", 180), ("VS", "SYSBP", 180)]


def test_units_are_converted_by_table_and_decimal_commas_read(night):
    rows = query(
        night[0], "select PARAMCD, unit, min(AVAL) lo, max(AVAL) hi from adam.adbm group by all"
    )
    limits = {code: (unit, low, high) for code, unit, low, high in rows.rows()}
    assert limits["HGB"][0] == "g/L"
    assert 80 < limits["HGB"][1] < limits["HGB"][2] < 200
    assert 90 < limits["SYSBP"][1] < limits["SYSBP"][2] < 200


def test_visits_come_from_windows(night):
    rows = query(night[0], "select distinct AVISITN, AVISIT from adam.adbm order by 1")
    assert rows.rows() == [(0, "Start"), (2, "Week 2"), (8, "Week 8")]


def test_differences_of_both_doses_are_those_that_were_planted(night):
    rows = query(
        night[0],
        "select arm, avisitn, estimate, se from ard.effects "
        "where paramcd = 'SYSBP' and response = 'chg' and term = 'diff'",
    )
    assert rows.height == 4
    for arm, _, estimate, error in rows.rows():
        assert abs(estimate - SHIFT[arm]) < 4 * error


def test_the_figure_of_the_new_study_is_drawn(night):
    home, result = night
    assert (result.published.report_folder / "all.svg").is_file()
    twin = pl.read_csv(result.published.report_folder / "all.csv")
    assert set(twin["panel"]) == {"SYSBP", "HGB"}
    assert home.warehouse_file("open").is_file()
