"""Small pictures of instrument files: axes, layers, gates, and what a page shows of them."""

from xml.etree import ElementTree as ET

import numpy as np
import polars as pl

from assayhouse.report.instrument_section import QcPicture, instrument_section
from assayhouse.report.qc_picture import LOG, Layer, Panel, Region, draw_qc_picture

NAMES = {"s": "http://www.w3.org/2000/svg"}
X = np.array([1.0, 10.0, 100.0, 1000.0])
PANEL = Panel(
    title="a < b", x_label="x", y_label="y", x_scale=LOG,
    layers=(
        Layer(kind="line", x=X, y=X / 2, labels=("fitted",)),
        Layer(kind="points", x=X, y=np.array([1.0, np.nan, 50.0, 500.0]), colour=1),
        Layer(kind="marks", x=X[:1], y=X[:1], labels=("gene & co",)),
    ),
    regions=(Region(label="gate 4", corners=np.array([[10, 0], [np.inf, 0], [np.inf, 9e9]])),),
)  # fmt: skip


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter(f"{{{NAMES['s']}}}text")]  # noqa: S314


def test_a_picture_is_well_formed_marked_and_the_same_again():
    svg = draw_qc_picture("file.fcs", [PANEL] * 4, synthetic=True)
    told = texts(svg)
    assert {"SYNTHETIC DATA", "a < b", "gate 4", "gene & co", "fitted", "100"} <= set(told)
    assert svg == draw_qc_picture("file.fcs", [PANEL] * 4, synthetic=True)
    assert b"nan" not in svg
    assert b"inf" not in svg
    assert "SYNTHETIC DATA" not in texts(draw_qc_picture("f", [PANEL], synthetic=False))


def test_a_panel_without_a_point_keeps_its_frame():
    nothing = Layer(kind="dots", x=np.empty(0), y=np.empty(0))
    empty = Panel(title="none", x_label="x", y_label="y", layers=(nothing,))
    assert "none" in texts(draw_qc_picture("f", [empty], synthetic=False))


def test_the_section_counts_suspicions_and_plates_and_shows_pictures():
    recomputed = pl.DataFrame(
        {"layout": ["v.r", "v.r", "v.r", "v.f"],
         "basis": ["instrument", "instrument", "parts", "instrument"],
         "verdict": ["agree", "differ", "agree", "not_recomputable"],
         "reason": [None, None, None, "NO RESULT REPORTED"],
         "suspicion": [None, "wrong dilution", None, None],
         "instrument_file": ["a", "a", None, "b"], "n_values": [4, 2, 9, 1]}
    )  # fmt: skip
    quality = pl.DataFrame(
        {"source": ["delivered"] * 2, "check": ["cv"] * 2, "passed_fl": ["Y", None]}
    )
    picture = QcPicture(picture_id="p", title="file.fcs", svg=b"<svg></svg>")
    section = instrument_section(recomputed, quality, (picture,))
    for words in (
        "wrong dilution",
        "never a correction",
        "NO RESULT REPORTED",
        "<svg></svg>",
        "file.fcs",
        "cv",
    ):
        assert words in section
    assert instrument_section(None, None, ()) is None
    assert instrument_section(recomputed.filter(pl.col("basis") == "parts"), None, ()) is None
