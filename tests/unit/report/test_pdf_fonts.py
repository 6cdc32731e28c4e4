"""Fonts of a PDF are embedded without the tables that lay out text."""

import io

from fontTools.subset import Options
from matplotlib.figure import Figure

from assayhouse.report.pdf_fonts import LAYOUT_TABLES, outlines_only
from assayhouse.report.theme import drawing_settings


def pdf():
    with drawing_settings("fonts"):
        figure = Figure(figsize=(2, 1))
        figure.text(0.1, 0.5, "AVATAR ± 0.05 ≤")
        stream = io.BytesIO()
        figure.savefig(stream, format="pdf", metadata={"CreationDate": None})
    return stream.getvalue()


def test_defaults_are_as_before_when_the_block_ends():
    before = list(Options().drop_tables)
    with outlines_only():
        assert set(Options().drop_tables) >= set(LAYOUT_TABLES)
    assert Options().drop_tables == before


def test_faces_are_smaller_and_glyphs_stand_where_they_stood():
    whole = pdf()
    with outlines_only():
        lean = pdf()
    assert len(lean) < len(whole)
    assert lean.count(b"/FontFile2") == whole.count(b"/FontFile2") > 0
