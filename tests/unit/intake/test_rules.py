"""Row rules: what a contract makes of a row, one rule each. No fault repeats a value of the row."""

import dataclasses
import datetime as dt

import polars as pl
import pytest

from assayhouse.contracts.vendor_file import ColumnSpec, Dialect
from assayhouse.errors import DeclarationError
from assayhouse.intake.rules import RULES, RuleContext, compile_rules, escalate

from support.small_study import layout

TERMS = {
    "units": {"pg/mL": "pg/mL", "PG/ML": "pg/mL", "ng/L": "ng/L", "mg": "mg"},
    "visits": {"WEEK 4": "Week 4", "Wk4": "Week 4"},
}
CONTEXT = RuleContext(
    study_id="DEMO-01",
    terms=TERMS,
    parameter_units={"IL2": "pg/mL", "CRP": "mg/L"},
    today=dt.date(2019, 3, 2),
)


def column(name="X", kind="text", **more):
    return ColumnSpec(name=name, label=name, type=kind, **more)


def check(columns, rows, *, dialect=None, **context):
    """Check rows, each a tuple in the order of the columns."""
    spec = layout("lab.res", columns, columns[0].name)
    spec = dataclasses.replace(spec, dialect=dialect or Dialect())
    frame = pl.DataFrame(
        rows, schema={item.name: pl.String for item in columns}, orient="row"
    ).with_columns(
        source_line=pl.int_range(2, len(rows) + 2, dtype=pl.Int64),
        line_span=pl.lit(1, dtype=pl.Int64),
    )
    checked = compile_rules(spec, dataclasses.replace(CONTEXT, **context)).check(frame)
    told = checked.faults.select("reason", "expected").rows()
    values = {text for row in rows for text in row if text and len(text) > 3}
    declared = {"pg/mL", "DEMO-01"}
    for value in values - declared:
        assert not any(value in (text or "") for pair in told for text in pair)
    return checked


def faults(columns, rows, **more):
    """Rule and disposition by line and column."""
    return (
        check(columns, rows, **more)
        .faults.select("source_line", "column", "rule", "disposition")
        .rows()
    )


def only(spec, *texts, **more):
    """(rule, disposition) of every fault of one column's texts; all must be the same."""
    found = faults([spec], [(text,) for text in texts], **more)
    assert [line for line, *_ in found] == list(range(2, len(texts) + 2))
    (kind,) = {(rule, disposition) for _, _, rule, disposition in found}
    return kind


def typed(spec, *texts, **more):
    """Typed values of one column's accepted texts."""
    checked = check([spec], [(text,) for text in texts], **more)
    assert checked.faults.is_empty()
    return checked.accepted.select(spec.typed_columns).rows()


def test_a_row_without_fault_keeps_its_text_beside_typed_columns():
    columns = [column("ID"), column("N", "number"), column("ON", "date")]
    checked = check(columns, [("a", "1.50", "2018-03-05")])
    assert checked.faults.is_empty()
    assert checked.faults.columns == [
        "source_line", "column", "rule", "disposition", "reason", "expected",
    ]  # fmt: skip
    assert checked.accepted.columns == [
        "ID", "N", "ON", "source_line", "line_span", "N_number", "ON_date",
    ]  # fmt: skip
    assert checked.accepted.row(0) == ("a", "1.50", "2018-03-05", 2, 1, 1.5, dt.date(2018, 3, 5))


def test_an_empty_batch_has_the_columns_of_a_full_one():
    columns = [column("ID"), column("R", "result")]
    full, empty = check(columns, [("a", "1")]), check(columns, [])
    assert empty.accepted.schema == full.accepted.schema
    assert empty.faults.schema == full.faults.schema


def test_a_quarantined_row_is_out_and_a_warned_one_stays():
    columns = [column("ID"), column("N", "number")]
    checked = check(columns, [("a", "1"), ("b", "x"), (" c ", "3")])
    assert checked.accepted["ID"].to_list() == ["a", " c "]
    assert checked.accepted["source_line"].to_list() == [2, 4]
    assert checked.faults["source_line"].to_list() == [3, 4]


def test_every_fault_of_a_row_is_told_in_order():
    columns = [column("B", "number"), column("A", codes=("Q",), required=True)]
    assert faults(columns, [("y", "z"), ("1", None), ("x", "Q")]) == [
        (2, "A", "CODE", "Q"),
        (2, "B", "F13", "Q"),
        (3, "A", "REQUIRED", "Q"),
        (4, "B", "F13", "Q"),
    ]


def test_every_fault_carries_the_reason_of_its_rule():
    checked = check([column("N", "number"), column("C", codes=("F", "P"))], [("x", "y")])
    assert dict(checked.faults.select("rule", "reason").rows()) == {
        "F13": RULES["F13"], "CODE": RULES["CODE"],
    }  # fmt: skip
    assert "F, P" in checked.faults["expected"].to_list()


@pytest.mark.parametrize("text", [None, "", "  ", "\t"])
def test_a_required_value_may_not_be_missing(text):
    found = faults([column(required=True)], [(text,)])
    assert (2, "X", "REQUIRED", "Q") in found
    assert not faults([column(required=False)], [(None,)])


def test_a_row_of_another_study_is_quarantined_f07():
    assert only(column(equals_study=True), "DEMO-02", "demo-01") == ("F07", "Q")
    assert not faults([column(equals_study=True)], [("DEMO-01",), (" DEMO-01",)][:1])


@pytest.mark.parametrize(
    "text",
    ["1,5", "1,234.5", "1 234", "1'234", "1.2.3", "5.", ".5", "abc", "0x1F", "1e999", "inf",
     "1_000", "٣", "--1", "1e", "1 e5"],
)  # fmt: skip
def test_what_is_no_number_in_the_declared_notation_is_quarantined_f13(text):
    assert only(column(kind="number"), text) == ("F13", "Q")


@pytest.mark.parametrize("text", ["1,5", "<1,5", "> 1.234,5", "1 234", "1'234.5", "1.2.3"])
def test_a_result_in_another_notation_is_told_as_such_f13(text):
    assert only(column(kind="result"), text) == ("F13", "Q")


@pytest.mark.parametrize("text", [".", "-", "n/a", "NA", "NaN", "NULL", "-999", "-9999.0"])
def test_what_stands_for_no_value_is_no_number_f33(text):
    assert only(column(kind="number"), text) == ("F33", "Q")


def test_a_count_of_minus_999_stands_for_no_value_and_minus_99_is_a_number():
    assert only(column(kind="integer"), "-999") == ("F33", "Q")
    assert typed(column(kind="number"), "-99") == [(-99.0,)]


def test_numbers_with_decimals_and_those_refused_could_have_broken_the_notation():
    rows = [("1.5",), ("2",), ("1,5",), ("x",), (None,)]
    for kind, count in (("number", 3), ("result", 2), ("integer", 4)):
        chances = check([column(kind=kind)], rows).chances
        assert chances == {("X", "F13"): count}
    assert check([column()], [("1.5",)]).chances == {}


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0.0), ("-1.5", -1.5), ("+2", 2.0), ("1.5E-3", 0.0015), ("007", 7.0)]
)
def test_a_number_with_a_decimal_point_is_read(text, value):
    assert typed(column(kind="number"), text) == [(value,)]


def test_a_declared_decimal_comma_is_read_and_a_point_is_refused():
    comma = Dialect(decimal=",", delimiter=";")
    assert typed(column(kind="number"), "1,5", "2", dialect=comma) == [(1.5,), (2.0,)]
    assert typed(column(kind="result"), "<1,5", dialect=comma) == [("<", 1.5, None)]
    assert only(column(kind="number"), "1.5", "1.234,5", dialect=comma) == ("F13", "Q")


def test_an_integer_may_be_written_with_zeros_after_the_point():
    assert typed(column(kind="integer"), "3", "3.0", "-4", "+5") == [(3,), (3,), (-4,), (5,)]
    wrong = ("3.5", "3,0", "1e3", "9" * 16, "three")
    assert only(column(kind="integer"), *wrong) == ("F13", "Q")


def test_an_identifier_that_lost_its_zeros_is_quarantined_f14():
    spec = column(pattern=r"\d{3}-\d{4}")
    assert only(spec, "1-42", "101-42", "101-00420", "x101-0042", "101-0042\n7") == ("F14", "Q")
    assert not faults([spec], [("101-0042",), (None,)])


def test_a_pattern_that_cannot_be_used_is_told_before_any_row_is_read():
    with pytest.raises(DeclarationError, match="look-around"):
        check([column(pattern="(?=x)x")], [("x",)])


def test_digits_of_other_scripts_are_no_digits_of_a_pattern():
    assert only(column(pattern=r"\d{2}"), "٣٣") == ("F14", "Q")


def test_alternatives_of_a_pattern_are_taken_as_a_whole():
    assert only(column(pattern="AB|CD"), "ABx", "xCD") == ("F14", "Q")


@pytest.mark.parametrize(
    "text",
    ["2018-03", "2018", "18-03-05", "2018-3-5", "05MAR2018", "2018-02-30", "2018-13-01",
     "2018-03-05T08:00", "2018-03-UN", "03/05/18"],
)  # fmt: skip
def test_a_date_that_is_not_complete_or_not_possible_is_quarantined_f19(text):
    assert only(column(kind="date", required=True), text) == ("F19", "Q")


@pytest.mark.parametrize(
    "text",
    ["2018-03-05T24:00", "2018-03-05", "2018-03-05T08", "2018-03-05 08:00", "2018-03-05T08:60",
     "2018-02-29T08:00", "18-03-05T08:00"],
)  # fmt: skip
def test_a_moment_that_does_not_exist_is_quarantined_f19(text):
    assert only(column(kind="datetime", required=True), text) == ("F19", "Q")


@pytest.mark.parametrize("text", ["03/05/2018", "3.5.2018", "31-12-2018", "05/03/2018T08:10"])
@pytest.mark.parametrize("required", [True, False])
def test_a_date_that_may_be_another_day_is_never_accepted_f18(text, required):
    assert only(column(kind="date", required=required), text) == ("F18", "Q")
    assert only(column(kind="datetime", required=required), text) == ("F18", "Q")


def test_a_moment_is_read_to_the_minute_or_the_second():
    rows = typed(column(kind="datetime"), "2018-03-05T08:10", "2018-03-05T23:59:58")
    assert [value.isoformat() for (value,) in rows] == [
        "2018-03-05T08:10:00", "2018-03-05T23:59:58",
    ]  # fmt: skip


def test_a_bad_date_that_is_not_required_is_a_warning_and_null():
    checked = check([column("ID"), column("D", "date")], [("a", "2018-03")])
    assert checked.faults.select("rule", "disposition").rows() == [("F19", "W")]
    assert checked.accepted.row(0)[:2] == ("a", "2018-03")
    assert checked.accepted["D_date"].to_list() == [None]


def test_a_declared_date_format_is_read_and_two_digits_of_a_year_are_refused():
    day = column(kind="date", date_format="%d%b%Y", required=True)
    assert typed(day, "05MAR2018", "05Mar2018") == [(dt.date(2018, 3, 5),)] * 2
    assert only(day, "05MAR18", "2018-03-05", "31FEB2018", "MAR2018") == ("F19", "Q")
    moment = column(kind="datetime", date_format="%d/%m/%Y %H:%M", required=True)
    assert typed(moment, "05/03/2018 08:10")[0][0].isoformat() == "2018-03-05T08:10:00"
    assert only(moment, "05/03/18 08:10", "05/03/2018 24:00") == ("F19", "Q")


def test_a_value_unknown_to_the_delivery_it_refers_to_is_quarantined_f21():
    spec = column(references="edc.dm.SUBJID")
    roster = {"edc.dm.SUBJID": frozenset({"101-0001", "101-0002"})}
    assert not faults([spec], [("101-0001",), (None,)], rosters=roster)
    assert only(spec, "101-0003", "101-00011", rosters=roster) == ("F21", "Q")
    assert only(spec, "101-0001", rosters={"edc.dm.SUBJID": frozenset()}) == ("F21", "Q")


def test_a_roster_that_is_absent_is_skipped_and_said_so():
    spec = layout("lab.res", [column(references="edc.dm.SUBJID")], "X")
    assert compile_rules(spec, CONTEXT).skipped == ("needs edc.dm.SUBJID",)
    known = dataclasses.replace(CONTEXT, rosters={"edc.dm.SUBJID": frozenset({"a"})})
    assert compile_rules(spec, known).skipped == ()
    assert not faults([column(references="edc.dm.SUBJID")], [("anyone",)])


def test_a_term_outside_the_list_of_spellings_is_quarantined_f25():
    spec = column(kind="code", terms="visits")
    assert typed(spec, "WEEK 4", "Wk4") == [("Week 4",), ("Week 4",)]
    assert only(spec, "WEEK 5", "week 4", "Unscheduled") == ("F25", "Q")
    assert only(column(kind="code", terms="nowhere"), "WEEK 4") == ("F25", "Q")


def test_a_date_before_the_one_it_must_follow_is_quarantined_f28():
    columns = [column("DRAWN", "datetime"), column("RUN", "date", not_before="DRAWN")]
    rows = [
        ("2018-03-05T08:00", "2018-03-05"),
        ("2018-03-05T08:00", "2018-03-04"),
        (None, "2018-03-04"),
        ("2018-03-05T08:00", None),
    ]
    assert faults(columns, rows) == [(3, "RUN", "F28", "Q")]


def test_a_date_in_the_future_is_quarantined_unless_the_day_is_unknown_f28():
    spec = column(kind="date")
    assert only(spec, "2019-03-03", "2999-01-01") == ("F28", "Q")
    assert not faults([spec], [("2019-03-02",)])
    assert not faults([spec], [("2999-01-01",)], today=None)
    assert only(column(kind="datetime"), "2019-03-03T00:00") == ("F28", "Q")


def test_the_unit_must_be_the_one_declared_for_the_parameter_f32():
    columns = [column("CODE"), column("U", "code", terms="units", unit_of="CODE")]
    rows = [("IL2", "pg/mL"), ("IL2", "PG/ML"), ("IL2", "ng/L"), ("IL2", "zz/mL"), ("NEW", "mg")]
    checked = check(columns, rows)
    assert checked.faults.select("source_line", "rule", "expected").rows() == [
        (4, "F32", "pg/mL"),
        (5, "F32", "pg/mL"),
    ]
    assert checked.accepted["U_term"].to_list() == ["pg/mL", "pg/mL", "mg"]


def test_a_fixed_unit_or_any_known_unit_may_be_declared_f32():
    fixed = column(kind="code", terms="units", unit="mg")
    assert typed(fixed, "mg") == [("mg",)]
    assert only(fixed, "pg/mL", "grams") == ("F32", "Q")
    known = column(kind="code", terms="units")
    assert typed(known, "PG/ML") == [("pg/mL",)]
    assert only(known, "grams") == ("F32", "Q")
    needed = column("U", "code", terms="units", required=True)
    assert faults([needed], [(None,)]) == [(2, "U", "F32", "Q")]


@pytest.mark.parametrize(
    "text",
    ["-999", "-99", "-9999", "-999.0", "-99.00", "-9.99e2", ".", "n/a", "N/A", "<", "> ",
     "<x", ">>5", "<-999", "≤5", "5 pg/mL", "blq", "1.2 L", "~5"],
)  # fmt: skip
def test_a_result_that_is_no_number_limit_or_reason_is_quarantined_f33(text):
    assert (2, "X", "F33", "Q") in faults([column(kind="result")], [(text,)])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.52", ("", 0.52, None)),
        ("-1.5", ("", -1.5, None)),
        ("<0.1", ("<", 0.1, None)),
        ("< 0.1", ("<", 0.1, None)),
        (">500", (">", 500.0, None)),
        ("BLQ", ("<", None, "BLQ")),
        ("ALQ", (">", None, "ALQ")),
        ("QNS", ("", None, "QNS")),
        ("NOT DONE", ("", None, "NOT DONE")),
        (None, ("", None, None)),
    ],
)
def test_a_result_is_operator_number_and_reason(text, values):
    assert typed(column(kind="result"), text) == [values]


def test_declared_reasons_take_the_place_of_the_usual_ones():
    spec = column(kind="result", reasons=("SPOILT",))
    assert typed(spec, "SPOILT") == [("", None, "SPOILT")]
    assert only(spec, "QNS", "BLQ") == ("F33", "Q")


LIMITED = [
    column("R", "result", limit_column="LLOQ", flag_column="FL"),
    column("LLOQ", "number"),
    column("FL", "flag"),
]


@pytest.mark.parametrize(
    ("row", "operator", "warned"),
    [
        (("0.05", "0.1", "Y"), "<", False),
        (("0.05", "0.1", "N"), "<", True),
        (("0.05", "0.1", None), "<", True),
        (("0.1", "0.1", None), "", False),
        (("0.05", None, None), "", False),
        (("0.5", "0.1", "Y"), "<", False),
        (("<0.1", "0.2", None), "<", False),
        (("BLQ", "0.1", None), "<", False),
        ((">500", "0.1", "Y"), ">", False),
        (("QNS", "0.1", None), "", False),
    ],
)
def test_a_number_below_its_limit_without_the_flag_is_taken_as_below_f33_limit(
    row, operator, warned
):
    checked = check(LIMITED, [row])
    assert checked.accepted["R_operator"].to_list() == [operator]
    expected = [("F33-LIMIT", "W", "FL = Y")] if warned else []
    assert checked.faults.select("rule", "disposition", "expected").rows() == expected


WORDS = ("Placebo", "0.45 mg", "45 mg")


@pytest.mark.parametrize(
    "text",
    ["got placebo today", "PLACEBO", "(Placebo)", "see note.Placebo", "given 0.45 mg",
     "x45 mg;45 mg", "placebo."],
)  # fmt: skip
def test_a_treatment_word_keeps_the_row_out_without_telling_it_f35(text):
    checked = check([column()], [(text,)], treatment_words=WORDS)
    assert checked.accepted.is_empty()
    ((rule, disposition, reason, expected),) = checked.faults.select(
        "rule", "disposition", "reason", "expected"
    ).rows()
    assert (rule, disposition, expected) == ("F35", "R", None)
    assert not any(word.lower() in reason.lower() for word in WORDS)


@pytest.mark.parametrize("text", ["placebos", "1.45 mg", "145 mg", "0.45 mgs", "aplacebo", None])
def test_a_treatment_word_inside_another_word_or_number_is_none(text):
    assert not faults([column()], [(text,)], treatment_words=WORDS)


def test_no_word_is_looked_for_where_treatment_is_no_secret():
    assert not faults([column()], [("placebo",)])


def test_blanks_around_a_value_are_ignored_and_its_text_is_kept_f41():
    spec = column("N", "number", required=True)
    checked = check([spec], [(" 1.5 ",), ("2.5\t",), ("\u00a03",)])
    assert checked.faults.select("rule", "disposition").rows() == [("F41", "W")] * 3
    assert checked.accepted["N"].to_list() == [" 1.5 ", "2.5\t", "\u00a03"]
    assert checked.accepted["N_number"].to_list() == [1.5, 2.5, 3.0]


def test_a_code_outside_the_declared_ones_is_quarantined():
    assert only(column(codes=("F", "M")), "f", "U", "F,M") == ("CODE", "Q")
    assert only(column(kind="flag"), "y", "Yes", "1") == ("CODE", "Q")
    assert not faults([column(kind="flag")], [("Y",), ("N",), (None,)])


def test_a_value_outside_the_declared_range_is_quarantined():
    spec = column(kind="number", minimum=0, maximum=4)
    checked = check([spec], [("-0.1",), ("0",), ("4",), ("4.1",), (None,)])
    assert checked.faults.select("source_line", "rule", "expected").rows() == [
        (2, "RANGE", "at least 0"),
        (5, "RANGE", "at most 4"),
    ]
    assert only(column(kind="integer", minimum=1), "0") == ("RANGE", "Q")


def test_rules_give_the_same_for_one_batch_and_for_many():
    columns = [column("ID", required=True), column("N", "number"), column("R", "result")]
    rows = [("a", "1", "<2"), (None, "x", "QNS"), (" c", "3", "."), ("d", None, None)]
    whole = check(columns, rows)
    spec = layout("lab.res", columns, "ID")
    rules = compile_rules(spec, CONTEXT)
    frame = pl.DataFrame(rows, schema={c.name: pl.String for c in columns}, orient="row")
    frame = frame.with_columns(source_line=pl.int_range(2, 6, dtype=pl.Int64), line_span=1)
    parts = [rules.check(frame[place]) for place in range(4)]
    accepted = pl.concat([part.accepted for part in parts])
    assert accepted.rows() == whole.accepted.rows()
    assert pl.concat([part.faults for part in parts]).equals(whole.faults)


def test_a_rule_nearly_every_row_breaks_condemns_the_column():
    found = escalate({("A", "F13"): 3, ("U", "F14"): 19}, rows=20)
    assert (found.column, found.rule, found.n_rows) == ("U", "F14", 19)


@pytest.mark.parametrize("rule", ["REQUIRED", "F18", "F21", "F25", "F28", "F32", "F33"])
def test_what_is_wrong_with_rows_condemns_no_column_however_many_they_are(rule):
    assert escalate({("U", rule): 1000}, rows=1000) is None


def test_a_notation_is_judged_by_the_numbers_alone():
    counts, chances = {("U", "F13"): 40}, {("U", "F13"): 41, ("A", "F13"): 900}
    assert escalate(counts, rows=1000) is None
    assert escalate(counts, rows=1000, chances=chances).column == "U"
    assert escalate({("U", "F13"): 19}, rows=1000, chances={("U", "F13"): 19}) is None


def test_one_row_of_another_study_condemns_a_file_of_one_row():
    assert escalate({("S", "F07"): 1}, rows=1).rule == "F07"
    assert escalate({("S", "F07"): 1}, rows=2) is None


@pytest.mark.parametrize(("broken", "rows"), [(18, 20), (19, 19), (94, 100), (0, 100)])
def test_a_few_rows_or_a_small_file_condemn_no_column(broken, rows):
    assert escalate({("U", "F14"): broken}, rows=rows) is None
    assert escalate({}, rows=rows) is None
