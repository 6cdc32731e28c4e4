"""Headings of figures under test: synthetic and without a watermark unless said."""

from assayhouse.report.heading import Heading


def heading(figure_id, title="Title", *, synthetic=True, watermark=None):
    return Heading(figure_id=figure_id, title=title, synthetic=synthetic, watermark=watermark)
