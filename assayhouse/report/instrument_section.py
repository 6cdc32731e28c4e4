"""Instrument files as the report tells them: verdicts by suspicion, plates judged, a few pictures.

Counts only in its tables; the pictures show what the instruments recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from assayhouse.report.frames import require_columns
from assayhouse.report.html import Column, Content, Markup, table, tag

PARTS, INSTRUMENT = "parts", "instrument"


@dataclass(frozen=True, slots=True, kw_only=True)
class QcPicture:
    """One drawn picture: a name for links, a title, and the SVG."""

    picture_id: str
    title: str
    svg: bytes


def instrument_section(
    recomputed: pl.DataFrame | None,
    plate_quality: pl.DataFrame | None,
    pictures: Sequence[QcPicture],
) -> Markup | None:
    """Return the section on instrument files.

    Parameters
    ----------
    recomputed, plate_quality : polars.DataFrame or None
        Values of ``recon.recomputed`` counted (n_values) by layout, basis, verdict, reason,
        suspicion and instrument_file; ``recon.plate_quality``; None where the study does not
        declare them.
    pictures : sequence of QcPicture
        Few.

    Returns
    -------
    Markup or None
        None where the study has no instrument file.
    """
    parts: list[Content] = []
    if recomputed is not None:
        parts += _compared(recomputed)
    if plate_quality is not None and plate_quality.height:
        parts.append(_plates(plate_quality))
    for picture in pictures:
        drawing = tag("div", Markup(picture.svg.decode()), attributes={"class": "plate"})
        parts.append(tag("figure", drawing, tag("figcaption", picture.title)))
    if not parts:
        return None
    heading = tag("h2", "From instrument files to results")
    return tag("section", heading, *parts, attributes={"id": "instruments"})


def _compared(recomputed: pl.DataFrame) -> list[Content]:
    wanted = ("layout", "basis", "verdict", "reason", "suspicion", "instrument_file")
    require_columns(recomputed, (*wanted, "n_values"), name="counts of recon.recomputed")
    own = recomputed.filter(pl.col("basis") == INSTRUMENT)
    if own.is_empty():
        return []
    counts = (
        own.group_by("layout", "verdict", pl.col("reason", "suspicion").fill_null(""))
        .agg(values=pl.col("n_values").sum(), files=pl.col("instrument_file").n_unique())
        .sort("layout", "verdict", "reason", "suspicion")
    )
    return [
        table(
            (
                Column(title="Layout"),
                Column(title="Verdict"),
                Column(title="Reason"),
                Column(title="Suspicion"),
                Column(title="Values", numeric=True),
                Column(title="Files", numeric=True),
            ),
            counts.iter_rows(),
            caption="Reported values against those computed from the instruments' own files. A "
            "suspicion is a question to the laboratory, never a correction. Rows of a layout of "
            "files are of specimens for which no value was reported.",
        )
    ]


def _plates(quality: pl.DataFrame) -> Markup:
    require_columns(quality, ("source", "check", "passed_fl"), name="recon.plate_quality")
    passed = pl.col("passed_fl")
    counts = (
        quality.group_by("source", "check")
        .agg(
            passed=(passed == "Y").sum(),
            failed=(passed == "N").sum(),
            nothing=passed.null_count(),
        )
        .sort("source", "check")
    )
    return table(
        (
            Column(title="Concentrations"),
            Column(title="Check"),
            *(Column(title=name, numeric=True) for name in ("Passed", "Failed", "Not judged")),
        ),
        counts.iter_rows(),
        caption="Standards, controls and blanks of the plates, as delivered and as read off curves "
        "fitted to the instrument files.",
    )
