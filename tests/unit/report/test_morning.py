"""The morning page counts every delivery once, names every finding, and shows no subject."""

import csv
import io
import re

import polars as pl
import pytest

from assayhouse.report.deliveries import OUTCOMES
from assayhouse.report.errors import ReportInputError
from assayhouse.report.morning import COUNTS, SHOWN, render_morning

from support import report_intake as intake


def morning(**changes):
    frames = {
        "receipts": intake.receipts(),
        "states": intake.states(),
        "line_accounts": intake.line_accounts(),
        "findings": intake.findings(),
        "expected": intake.expected(),
        "synthetic": True,
        "night": "2019-03-02",
    } | changes
    positional = [frames.pop(name) for name in ("receipts", "states", "line_accounts", "findings")]
    return render_morning(*positional, study="DEMO-SLE-01", **frames)


def rows(page, section):
    lines = csv.DictReader(io.StringIO(page.csv.decode()))
    return [line for line in lines if line["section"] == section]


def counts(page, vendor):
    (line,) = (line for line in rows(page, "vendor") if line["vendor"] == vendor)
    return {name: int(line[name]) for name in COUNTS}


def test_each_outcome_is_counted_with_its_vendor():
    page = morning()
    assert counts(page, "flow") == dict.fromkeys(COUNTS, 0) | {
        "arrived": 1,
        "accepted": 1,
        "accepted_rows": 8064,
    }
    assert counts(page, "singulex") == dict.fromkeys(COUNTS, 0) | {
        "arrived": 3,
        "accepted": 1,
        "held": 1,
        "duplicate": 1,
        "accepted_rows": 6900,
        "quarantined_rows": 13,
        "findings_new": 12,
    }
    assert counts(page, "dxterity") == dict.fromkeys(COUNTS, 0) | {
        "arrived": 1,
        "rejected": 1,
        "findings_new": 1,
    }


def test_arrived_is_the_sum_of_the_outcomes_for_every_vendor():
    page = morning()
    for line in rows(page, "vendor"):
        assert int(line["arrived"]) == sum(int(line[outcome]) for outcome in OUTCOMES)


def test_the_page_shows_the_numbers_of_its_twin():
    page = morning()
    table = page.html.decode().split("By vendor")[1].split("</table>")[0]
    for line in rows(page, "vendor"):
        found = re.search(rf'<th scope="row">{line["vendor"]}</th>(.*?)</tr>', table)[1]
        shown = [cell.replace(",", "") for cell in re.findall(r">([\d,]+)<", found)]
        assert shown == [line[name] for name in COUNTS]


def test_the_last_row_adds_up_the_vendors():
    page = morning()
    table = page.html.decode().split("By vendor")[1].split("</table>")[0]
    shown = re.findall(r">([\d,]+)<", table.split("All vendors")[1])
    sums = [sum(int(line[name]) for line in rows(page, "vendor")) for name in COUNTS]
    assert [int(cell.replace(",", "")) for cell in shown] == sums


def test_overdue_is_what_was_due_and_did_not_arrive():
    page = morning()
    assert [(line["vendor"], line["layout"], line["due"]) for line in rows(page, "overdue")] == [
        ("covance", "covance.lb", "2019-03-01")
    ]
    assert counts(page, "covance")["overdue"] == 1


def test_a_later_date_or_none_is_not_overdue():
    page = morning()
    assert (counts(page, "pk")["overdue"], counts(page, "edc")["overdue"]) == (0, 0)


def test_the_day_itself_is_overdue_by_the_night_after():
    assert len(rows(morning(night="2019-04-01"), "overdue")) == 2
    assert len(rows(morning(night="2019-03-31"), "overdue")) == 1


def test_every_finding_is_listed_with_id_rule_layout_line_and_message():
    listed = rows(morning(), "finding")
    assert [line["finding_id"] for line in listed] == [
        "DXT-2019-0001",
        *(f"SGX-2019-{number:04d}" for number in range(1, 13)),
    ]
    first = listed[0]
    assert (first["rule"], first["layout"], first["source_line"], first["disposition"]) == (
        "F05", "dxterity.results", "5213", "R",
    )  # fmt: skip
    page = morning().html.decode()
    for line in listed:
        assert line["finding_id"] in page
        assert line["message"] in page


def test_a_page_of_many_findings_shows_the_first_and_the_twin_all():
    many = pl.concat([intake.findings()] * 60).with_row_index("serial")
    many = many.with_columns(finding_id=pl.format("F-{}", "serial")).drop("serial")
    page = morning(findings=many)
    assert f"The first {SHOWN} of {many.height}" in page.html.decode()
    assert page.html.count(b"<code>F-") == SHOWN
    assert len(rows(page, "finding")) == many.height


def test_why_a_delivery_was_not_published_is_told():
    page = morning().html.decode()
    assert "line 5213 ends in the middle of a record" in page
    assert "duplicate of receipt 3, ignored" in page


def test_an_unbalanced_account_is_told():
    assert morning().html.count(b"NOT BALANCED") == 1


def test_a_quiet_night_says_so():
    page = morning(
        receipts=intake.receipts().clear(),
        states=intake.states().clear(),
        line_accounts=intake.line_accounts().clear(),
        findings=intake.findings().clear(),
        expected=intake.expected().clear(),
    )
    text = page.html.decode()
    assert "Nothing was expected and nothing arrived." in text
    assert "No new finding." in text
    assert "<dt>New content</dt><dd>none</dd>" in text
    assert rows(page, "vendor") == []


def test_synthetic_data_are_marked_and_real_ones_not():
    assert b"SYNTHETIC DATA" in morning().html
    assert b"SYNTHETIC DATA" not in morning(synthetic=False).html


def test_equal_inputs_in_any_order_give_equal_bytes():
    def shuffled(frame):
        return frame.sample(fraction=1.0, shuffle=True, seed=5)

    other = morning(
        receipts=shuffled(intake.receipts()),
        states=shuffled(intake.states()),
        line_accounts=shuffled(intake.line_accounts()),
        findings=shuffled(intake.findings()),
        expected=shuffled(intake.expected()),
    )
    assert other == morning()


def test_neither_time_nor_person_reaches_the_page():
    later = intake.receipts().with_columns(received_at=pl.lit("2031-01-01T00:00:00"))
    other = intake.states().with_columns(at=pl.lit("2031"), who=pl.lit("someone"))
    assert morning(receipts=later, states=other) == morning()


def test_text_from_a_vendor_is_escaped():
    evil = intake.receipts().with_columns(file_name=pl.lit("<img src=x>.csv"))
    message = intake.findings().with_columns(message=pl.lit("<b>"))
    page = morning(receipts=evil, findings=message).html
    assert b"<img" not in page
    assert b"<b>\n" not in page
    assert b"&lt;img src=x&gt;.csv" in page


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_of_the_csv_is_a_formula(start):
    message = intake.findings().with_columns(message=pl.lit(f"{start}1+1"))
    assert {line["message"] for line in rows(morning(findings=message), "finding")} == {
        f"'{start}1+1"
    }


def test_the_page_refers_to_nothing_outside():
    assert not re.search(rb"https?:|\bsrc=|<link|@import", morning().html)


def test_a_missing_column_is_refused():
    with pytest.raises(ReportInputError, match=r"intake\.findings lacks the column\(s\) rule"):
        morning(findings=intake.findings().drop("rule"))
    with pytest.raises(ReportInputError, match="expected deliveries lacks"):
        morning(expected=intake.expected().drop("due"))
