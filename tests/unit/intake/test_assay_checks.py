"""Assay checks over rows taken together: which rows break them, and how that is told."""

from dataclasses import replace

import duckdb
import polars as pl
import pytest

from assayhouse.contracts.assay_checks import AssayCheck, AssayChecks, Companion
from assayhouse.intake.assay_checks import ask
from assayhouse.intake.assay_findings import grouped_faults, line_ranges, row_faults

ROWS = pl.DataFrame(
    {
        "source_line": [2, 3, 4, 5, 6, 7],
        "RUN": ["a", "a", "a", "b", "b", None],
        "X": [1.0, 2.0, 30.0, 4.0, None, 6.0],
    }
)
QC = Companion(
    name="qc", source="acme.qc", on={"RUN": "RUN"}, columns={"controls": "count(*)"}, where="OK"
)
EVERY = Companion(name="whole", source="acme.qc", on={}, columns={"all_controls": "count(*)"})


def check(name="C1", *, broken, disposition="Q", uses=(), where=None, per=None, **grouped):
    return AssayCheck(
        check_id=name,
        rule="F34",
        disposition=disposition,
        columns=("RUN",),
        why="because of it",
        broken=broken,
        where=where,
        uses=uses,
        per=per,
        **grouped,
    )


def asked(*checks, companions=(QC, EVERY)):
    connection = duckdb.connect()
    connection.register("draft", ROWS.to_arrow())
    qc = pl.DataFrame({"RUN": ["a", "a", "b", "c"], "OK": [True, True, False, True]})
    connection.register("acme_qc", qc.to_arrow())
    declared = AssayChecks(companions=companions, checks=checks)
    sources = {item.name: "acme_qc" for item in companions}
    return ask(connection, declared, checks, sources=sources, draft="draft")


def lines(answer):
    return answer.rows["source_line"].to_list()


def test_a_run_without_a_control_that_counts_is_found_with_all_of_its_rows():
    (answer,) = asked(check(broken="coalesce(controls, 0) = 0", uses=("qc",)))
    assert lines(answer) == [5, 6, 7], "b has only a control that does not count, null has none"


def test_a_companion_never_multiplies_rows_and_one_without_a_key_belongs_to_every_row():
    (answer,) = asked(check(broken="controls = 2 and all_controls = 4", uses=("qc", "whole")))
    assert lines(answer) == [2, 3, 4]


def test_windows_see_only_the_rows_that_are_looked_at():
    broken = "X > 5 * median(X) over ()"
    everything, small = asked(check(broken=broken), check("C2", broken=broken, where="X < 30"))
    assert lines(everything) == [4]
    assert lines(small) == []


def test_what_is_not_known_is_not_broken():
    (answer,) = asked(check(broken="X > 3"))
    assert lines(answer) == [4, 5, 7], "line 6 has no X"


def test_combinations_are_judged_once_and_all_of_their_rows_are_found():
    most = {"highest": "max(X)", "n": "count(*)"}
    above, short, unnamed = asked(
        check(broken="highest > 5", over=("RUN",), measures=most),
        check("C2", broken="n < 3 and controls = 1", over=("RUN",), measures=most, uses=("qc",)),
        check("C3", broken="RUN is null", over=("RUN",)),
        companions=(replace(QC, where=None), EVERY),
    )
    assert lines(above) == [2, 3, 4, 7], "the run a, and the rows that name none"
    assert lines(short) == [5, 6]
    assert lines(unnamed) == [7]


def test_combinations_are_of_the_rows_looked_at_and_so_are_the_rows_found():
    (answer,) = asked(
        check(broken="n = 2", over=("RUN",), measures={"n": "count(X)"}, where="X < 9")
    )
    assert lines(answer) == [2, 3], "line 4 is not looked at"


def test_windows_over_combinations_find_what_windows_over_rows_find():
    broken = "min(RUN) over () <> max(RUN) over () and RUN = max(RUN) over ()"
    rows, combined = asked(
        check(broken=broken, disposition="W", per=("RUN",)),
        check("C2", broken=broken, over=("RUN",), disposition="W", per=("RUN",)),
    )
    assert lines(rows) == lines(combined) == [5, 6]
    assert [f.message.replace("C1", "C2") for f in grouped_faults(rows)] == [
        f.message for f in grouped_faults(combined)
    ]


def test_combinations_that_cannot_be_evaluated_are_told_as_rows_are():
    good, bad = asked(
        check(broken="n > 2", over=("RUN",), measures={"n": "count(*)"}),
        check("C2", broken="X > 2", over=("RUN",), measures={"n": "count(*)"}),
    )
    assert lines(good) == [2, 3, 4]
    assert (bad.rows, bad.pending) == (None, True), "a combination has no X of its own"


def test_a_check_that_cannot_be_evaluated_has_no_answer_and_the_others_have_theirs():
    good, bad = asked(check(broken="X > 5"), check("C2", broken="NOSUCH > 5"))
    assert lines(good) == [4, 7]
    assert bad.rows is None
    assert "BinderException" in bad.hindrance
    assert bad.pending


def test_an_error_about_a_value_is_told_without_the_value():
    (answer,) = asked(check(broken="cast(RUN as integer) > 1"))
    assert answer.hindrance == "its expression could not be evaluated (ConversionException)"


def test_rows_told_one_by_one_carry_rule_reason_and_identifier():
    faults = row_faults(asked(check(broken="X > 5"), check("C2", broken="X > 20")))
    assert faults.select("source_line", "rule", "disposition", "reason").rows() == [
        (4, "F34", "Q", "because of it (C1)"),
        (4, "F34", "Q", "because of it (C2)"),
        (7, "F34", "Q", "because of it (C1)"),
    ]
    assert row_faults(()).is_empty()


def test_groups_are_told_with_their_lines_and_counts():
    (answer,) = asked(check(broken="true", disposition="W", per=("RUN",)))
    told = [(f.source_line, f.n_rows, f.message) for f in grouped_faults(answer)]
    assert told == [
        (2, 3, "because of it (C1); 3 rows, lines 2-4"),
        (5, 2, "because of it (C1); 2 rows, lines 5-6"),
        (7, 1, "because of it (C1); 1 rows, line 7"),
    ]
    assert row_faults([answer]).is_empty(), "they are not told one by one as well"


def test_one_finding_for_all_names_every_row():
    (answer,) = asked(check(broken="X in (1, 30, 4)", disposition="H", per=()))
    (fault,) = grouped_faults(answer)
    assert (fault.disposition, fault.n_rows) == ("H", 3)
    assert fault.message.endswith("3 rows, lines 2, 4-5")


@pytest.mark.parametrize("count", [1, 12, 40])
def test_the_message_stays_short_however_many_rows_there_are(count):
    text = line_ranges(range(2, 2 + 2 * count, 2))
    assert text.count(",") <= 11
    assert ("more ranges" in text) == (count > 12)
