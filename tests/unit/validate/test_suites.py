"""A suite says what is implausible; a batch gets back which of its rows are, and never a value."""

import json
import subprocess
import sys
from datetime import date

import polars as pl
import pytest

from assayhouse.contracts import declarations
from assayhouse.contracts.terminology import Parameter
from assayhouse.errors import DeclarationError
from assayhouse.validate import suites

BETWEEN = "expect_column_values_to_be_between"
GREATER = "expect_column_pair_values_a_to_be_greater_than_b"


def rule(identifier, kind=BETWEEN, *, severity="warning", when=None, **kwargs):
    meta = {"id": identifier, "why": "because"}
    if when is not None:
        meta["when"] = when
    return {"type": kind, "kwargs": kwargs, "severity": severity, "meta": meta}


def write(folder, *rules, **more):
    path = folder / "suite.json"
    path.write_text(json.dumps({"name": "test", "expectations": list(rules), **more}))
    return path


def load(folder, *rules, **more):
    return suites.load_suite(write(folder, *rules, **more))


def only(frame, folder, *rules):
    (result,) = suites.check_batch(frame, load(folder, *rules))
    return result


def crp(low=1.0, high=100.0):
    return Parameter(
        PARAMCD="CRP",
        PARAM="C-reactive protein",
        unit="mg/L",
        scale="linear",
        assay="immunoassay",
        lloq=None,
        uloq=None,
        low_plausible=low,
        high_plausible=high,
    )


def test_failing_rows_come_back_by_position(tmp_path):
    frame = pl.DataFrame({"A": [5.0, -1.0, None, 7.0, -2.0]})
    result = only(frame, tmp_path, rule("R1", severity="critical", column="A", min_value=0))
    assert (result.passed, result.rows, result.n_unexpected, result.n) == (False, (1, 4), 2, 4)
    assert (result.rule_id, result.severity, result.why) == ("R1", "critical", "because")


def test_every_failing_row_comes_back_however_many(tmp_path):
    frame = pl.DataFrame({"A": range(5000)})
    result = only(frame, tmp_path, rule("R1", column="A", min_value=4000))
    assert result.rows == tuple(range(4000))


def test_results_stand_in_the_order_of_the_suite(tmp_path):
    frame = pl.DataFrame({"A": [1.0], "B": ["x"], "C": [2.0]})
    suite = load(
        tmp_path,
        rule("R1", column="B", min_value=0),
        rule("R2", column="C", min_value=0),
        rule("R3", column="A", min_value=0, when={"B": ["x"]}),
        rule("R4", column="absent", min_value=0),
        rule("R5", column="A", min_value=5),
    )
    results = suites.check_batch(frame, suite)
    assert [item.rule_id for item in results] == ["R1", "R2", "R3", "R4", "R5"]
    assert [item.passed for item in results] == [None, True, True, None, False]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (rule("R1", column="B", min_value=0), "does not fit the columns"),
        (rule("R1", column="absent", min_value=0), "column absent is not there"),
        (rule("R1", "expect_column_values_to_be_splendid", column="A"), "is unknown"),
        (rule("R1", column="A", no_such_argument=1), "arguments are wrong"),
        (rule("R1", column="A", min_value=0, when={"absent": ["x"]}), "column absent is not there"),
    ],
)
def test_a_rule_that_raises_is_not_a_failure_of_the_data(tmp_path, broken, words):
    frame = pl.DataFrame({"A": [1.0], "B": ["secret"]})
    result = only(frame, tmp_path, broken)
    assert result.passed is None
    assert result.rows == ()
    assert "could not be evaluated" in result.message
    assert words in result.message
    assert "break" not in result.message


def test_a_rule_that_raises_leaves_its_neighbours_alone(tmp_path):
    frame = pl.DataFrame({"A": [1.0, -1.0], "B": ["x", "y"]})
    suite = load(tmp_path, rule("R1", column="B", min_value=0), rule("R2", column="A", min_value=0))
    broken, sound = suites.check_batch(frame, suite)
    assert (broken.passed, sound.passed, sound.rows) == (None, False, (1,))


def test_no_value_stands_in_a_message(tmp_path):
    frame = pl.DataFrame({"A": [987654.0, 1.0], "B": ["001-0007", "001-0008"]})
    suite = load(
        tmp_path,
        rule("R1", column="A", max_value=5),
        rule("R2", column="B", min_value=5),
        rule("R3", "expect_column_values_to_match_regex", column="B", regex="^X"),
    )
    told = " ".join(item.message for item in suites.check_batch(frame, suite))
    assert "987654" not in told
    assert "001-0007" not in told


def test_a_condition_keeps_the_positions_of_the_whole_frame(tmp_path):
    frame = pl.DataFrame({"A": [-1.0, -1.0, 3.0, -1.0], "S": ["F", "C", "F", None]})
    result = only(frame, tmp_path, rule("R1", column="A", min_value=0, when={"S": ["F", None]}))
    assert (result.rows, result.n) == ((0, 3), 3)


def test_a_condition_no_row_meets_holds(tmp_path):
    frame = pl.DataFrame({"A": [-1.0], "S": ["F"]})
    result = only(frame, tmp_path, rule("R1", column="A", min_value=0, when={"S": ["C"]}))
    assert (result.passed, result.n) == (True, 0)


def test_a_comparison_with_nothing_is_no_comparison(tmp_path):
    frame = pl.DataFrame({"A": [1.0, None, 1.0], "B": [2.0, 2.0, None]})
    result = only(frame, tmp_path, rule("R1", GREATER, column_A="A", column_B="B"))
    assert (result.rows, result.passed) == ((0,), False)


def test_dates_are_compared_as_dates(tmp_path):
    days = [date(2020, 1, 1), date(2020, 3, 1), None]
    frame = pl.DataFrame({"A": days, "B": [date(2020, 2, 1)] * 3})
    result = only(frame, tmp_path, rule("R1", GREATER, column_A="A", column_B="B"))
    assert result.rows == (0,)


@pytest.mark.parametrize("kind", [pl.Float64, pl.Int64, pl.String])
def test_a_column_without_any_value_breaks_no_rule(tmp_path, kind):
    frame = pl.DataFrame({"A": [None, None]}, schema={"A": kind})
    result = only(frame, tmp_path, rule("R1", column="A", min_value=0))
    assert (result.passed, result.n_unexpected) == (True, 0)


def test_no_rows_break_no_rule_but_an_absent_column_is_said(tmp_path):
    frame = pl.DataFrame(schema={"A": pl.Float64})
    suite = load(tmp_path, rule("R1", column="A", min_value=0), rule("R2", column="B", min_value=0))
    assert [item.passed for item in suites.check_batch(frame, suite)] == [True, None]


def test_columns_no_rule_names_never_leave_polars(tmp_path):
    # pandas knows no Int128: naming the column would fail, not naming it must not.
    frame = pl.DataFrame({"A": [1.0], "huge": pl.Series([1], dtype=pl.Object)})
    assert only(frame, tmp_path, rule("R1", column="A", min_value=0)).passed is True


def test_batches_answer_like_the_whole(tmp_path):
    frame = pl.DataFrame({"A": [float(value % 7) for value in range(90)]})
    suite = load(tmp_path, rule("R1", column="A", max_value=5))
    (whole,) = suites.check_batch(frame, suite)
    parts = []
    for start in range(0, 90, 30):
        (part,) = suites.check_batch(frame[start : start + 30], suite)
        parts += [start + row for row in part.rows]
    assert tuple(parts) == whole.rows


LOOKUP = [{"on": {"CODE": "PARAMCD", "U": "unit"}, "columns": ["low_plausible", "high_plausible"]}]


def limits_suite(folder, parameters):
    high = rule("R1", GREATER, column_A="high_plausible", column_B="A", or_equal=True)
    return suites.load_suite(write(folder, high, lookups=LOOKUP), parameters=parameters)


def test_limits_come_from_the_parameters_of_the_study(tmp_path):
    frame = pl.DataFrame({"CODE": ["CRP"] * 3, "U": ["mg/L"] * 3, "A": [99.0, 101.0, None]})
    (result,) = suites.check_batch(frame, limits_suite(tmp_path, {"CRP": crp()}))
    assert result.rows == (1,)


def test_a_result_in_another_unit_or_of_another_parameter_is_not_held_to_the_limits(tmp_path):
    frame = pl.DataFrame({"CODE": ["CRP", "OTHER"], "U": ["mg/dL", "mg/L"], "A": [500.0, 500.0]})
    (result,) = suites.check_batch(frame, limits_suite(tmp_path, {"CRP": crp()}))
    assert (result.passed, result.n) == (True, 0)


def test_a_parameter_without_limits_breaks_none(tmp_path):
    frame = pl.DataFrame({"CODE": ["CRP"], "U": ["mg/L"], "A": [500.0]})
    (result,) = suites.check_batch(frame, limits_suite(tmp_path, {"CRP": crp(None, None)}))
    assert result.passed is True


def test_limits_without_parameters_cannot_be_evaluated(tmp_path):
    frame = pl.DataFrame({"CODE": ["CRP"], "U": ["mg/L"], "A": [500.0]})
    (result,) = suites.check_batch(frame, limits_suite(tmp_path, None))
    assert result.passed is None
    assert "high_plausible" in result.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"severity": "fatal"}, "severity must be one of"),
        ({"kwargs": {"min_value": 0}}, "must name a column"),
        ({"kwargs": {"column": "A", "mostly": 0.9}}, "mostly"),
        ({"kwargs": {"column": "A", "row_condition": "A > 0"}}, "meta.when"),
        ({"type": "expect_column_values_to_be_unique"}, "batch by batch"),
        ({"type": "expect_column_mean_to_be_between"}, "batch by batch"),
        ({"meta": {"id": "R1"}}, "why is required"),
        ({"meta": {"why": "because"}}, "id is required"),
        ({"meta": {"id": "R1", "why": "b", "on": "aggregate"}}, "meta.aggregate"),
        ({"meta": {"id": "R1", "why": "b", "on": "columns"}}, "on must be one of"),
        ({"notes": "x"}, "unknown key notes"),
    ],
)
def test_a_suite_that_says_something_else_is_refused(tmp_path, change, words):
    with pytest.raises(DeclarationError, match=words) as caught:
        load(tmp_path, {**rule("R1", column="A", min_value=0), **change})
    assert "suite.json" in str(caught.value)


def test_an_id_belongs_to_one_rule(tmp_path):
    with pytest.raises(DeclarationError, match="R1 occurs twice"):
        load(tmp_path, rule("R1", column="A"), rule("R1", column="B"))


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_what_is_not_an_object_is_no_suite(tmp_path, text):
    path = tmp_path / "suite.json"
    path.write_text(text)
    with pytest.raises(DeclarationError, match=r"suite\.json"):
        suites.load_suite(path)


def test_a_lookup_takes_only_columns_of_the_parameters(tmp_path):
    with pytest.raises(DeclarationError, match="name columns of the parameters"):
        load(tmp_path, lookups=[{"on": {"CODE": "PARAMCD"}, "columns": ["colour"]}])


def test_a_rule_on_a_column_the_relation_lacks_is_told_before_any_data(tmp_path):
    suite = load(tmp_path, rule("R1", column="A", when={"S": ["F"]}), rule("R2", column="B"))
    (problem,) = suite.problems(("A", "S"))
    assert "(R2): no column B" in problem


def test_loading_a_suite_costs_no_rule_engine():
    code = (
        "import sys\n"
        "from assayhouse.contracts import declarations\n"
        "from assayhouse.validate.suites import suite_for\n"
        "found = declarations.load()\n"
        "assert any(suite_for(found, name) for name in found.tables)\n"
        "assert 'great_expectations' not in sys.modules and 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_checking_opens_no_connection_and_writes_no_file(tmp_path):
    path = write(tmp_path, rule("R1", column="A", min_value=0))
    work = tmp_path / "work"
    work.mkdir()
    code = (
        "import socket, sys, pathlib\n"
        "def refuse(*_args, **_more):\n"
        "    raise RuntimeError('a connection was opened')\n"
        "socket.socket.connect = refuse\n"
        "import polars as pl\n"
        "from assayhouse.validate import suites\n"
        f"suite = suites.load_suite(pathlib.Path({str(path)!r}))\n"
        "(result,) = suites.check_batch(pl.DataFrame({'A': [-1.0]}), suite)\n"
        "assert result.rows == (0,)\n"
        "import os\n"
        "assert os.environ['GX_ANALYTICS_ENABLED'] == 'false'\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=True,
        cwd=work,
        capture_output=True,
        text=True,
    )
    assert list(work.iterdir()) == []
    assert done.stdout == ""  # no progress bars


def shipped():
    found = declarations.load()
    return [(name, suites.suite_for(found, name)) for name in found.tables]


def test_every_shipped_suite_names_columns_that_exist():
    found = declarations.load()
    named = {name: suite for name, suite in shipped() if suite is not None}
    assert len(named) >= 6
    problems = [
        problem
        for name, suite in named.items()
        for problem in suite.problems(found.tables[name].columns)
    ]
    assert problems == []


def test_every_shipped_rule_has_its_own_id_and_a_reason():
    rules = [rule for _, suite in shipped() if suite is not None for rule in suite.rules]
    identifiers = [item.rule_id for item in rules]
    assert len(set(identifiers)) == len(identifiers)
    assert all(len(item.why) > 20 for item in rules)


def test_every_shipped_rule_can_be_evaluated_on_the_types_of_its_relation():
    found = declarations.load()
    for name, suite in shipped():
        if suite is None:
            continue
        row = pl.DataFrame({column: [None] for column in found.tables[name].columns})
        frame = found.tables[name].conform(row)
        results = suites.check_table(frame, suite)
        assert [item.message for item in results if item.passed is None] == []


def test_a_relation_without_rules_has_no_suite():
    assert suites.suite_for(declarations.load(), "ref.arms") is None
