"""Whatever goes into a page is escaped, tables are accessible, nothing refers outside."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assayhouse.report.html import Column, Markup, document, facts, join, safe, table, tag

COLUMNS = (Column(title="Visit"), Column(title="n", numeric=True))
EVIL = '<script>alert("x")</script>&\''


@given(text=st.text())
def test_no_text_can_open_an_element_or_leave_an_attribute(text):
    written = tag("p", text, attributes={"title": text})
    assert re.fullmatch(r'<p title="[^"<>]*">[^<>]*</p>', written, re.DOTALL)


def test_markup_is_put_in_as_it_is_and_only_once():
    assert tag("p", tag("b", "a & b")) == "<p><b>a &amp; b</b></p>"
    assert isinstance(join(["<", Markup("<br>")]), Markup)
    assert join(["<", Markup("<br>"), None, 3], " ") == "&lt; <br>  3"


def test_markup_joined_to_a_plain_string_is_no_longer_trusted():
    assert safe(Markup("<b>") + "<i>") == "&lt;b&gt;&lt;i&gt;"


def test_a_table_has_caption_and_scoped_headings():
    written = table(COLUMNS, [("Week 4", 12)], caption="By visit")
    assert "<caption>By visit</caption>" in written
    assert '<th scope="col">Visit</th><th scope="col" class="number">n</th>' in written
    assert '<th scope="row">Week 4</th><td class="number">12</td>' in written


def test_a_table_escapes_every_cell():
    written = table(COLUMNS, [(EVIL, EVIL)], caption=EVIL)
    assert "<script" not in written
    assert written.count("&lt;script&gt;") == 3


def test_an_empty_table_says_so_across_its_width():
    assert '<td colspan="2" class="empty">Nothing.</td>' in table(
        COLUMNS, [], caption="x", empty="Nothing."
    )


def test_a_row_of_the_wrong_width_is_an_error_not_a_shifted_table():
    with pytest.raises(ValueError, match="zip"):
        table(COLUMNS, [("Week 4", 1, 2)], caption="x")


def test_rows_are_marked_by_class():
    written = table(COLUMNS, [("a", 1), ("b", 2)], caption="x", marks=["", "alarm"])
    assert written.count('class="alarm"') == 1


def test_facts_are_a_description_list():
    assert facts([("Code", "<1>")]) == (
        '<dl class="facts"><div><dt>Code</dt><dd>&lt;1&gt;</dd></div></dl>'
    )


def test_a_document_is_complete_and_refers_to_nothing_outside():
    page = document(title=EVIL, body=["hello"]).decode()
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert page.endswith("</html>\n")
    assert not re.search(r"https?:|//[a-z]|\bsrc=|@import|url\(|<link", page)
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert "<script>alert" not in page
