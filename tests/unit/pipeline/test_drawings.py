"""Drawings are kept under what they were drawn from."""

import polars as pl
import pytest

from assayhouse.contracts.study import Figure
from assayhouse.pipeline.drawings import Drawings, key_of
from assayhouse.pipeline.figures import narrowed
from assayhouse.report.figure import DrawnFigure


class Pen:
    """Draws a figure, and counts how often it was asked to."""

    def __init__(self):
        self.drawn = 0

    def __call__(self):
        self.drawn += 1
        return DrawnFigure(
            figure_id="figure_9",
            title="Nine",
            svg=b"<svg/>",
            png=b"png",
            pdf=b"pdf",
            twin=pl.DataFrame({"estimate": [1.0, 2.0]}),
            tooltips={},
            thumbnail_svg=b"<svg width='1'/>",
        )


@pytest.fixture
def pen():
    return Pen()


def test_a_figure_is_drawn_once(tmp_path, pen):
    first = Drawings(tmp_path).rows("k", pen)
    assert Drawings(tmp_path).rows("k", pen) == first
    assert pen.drawn == 1
    assert [row["format"] for row in first] == ["svg", "png", "pdf", "csv", "thumbnail"]
    assert {row["n_values"] for row in first} == {2}


def test_another_key_draws_again(tmp_path, pen):
    Drawings(tmp_path).rows("k", pen)
    Drawings(tmp_path).rows("l", pen)
    assert pen.drawn == 2


@pytest.mark.parametrize("harm", ["gone", "changed", "note torn"])
def test_what_is_gone_or_changed_is_drawn_again(tmp_path, pen, harm):
    rows = Drawings(tmp_path).rows("k", pen)
    file = tmp_path / rows[1]["file_name"]
    if harm == "gone":
        file.unlink()
    elif harm == "changed":
        file.write_bytes(b"other")
    else:
        (tmp_path / "drawn" / "k.json").write_text("[{")
    assert Drawings(tmp_path).rows("k", pen) == rows
    assert pen.drawn == 2
    assert file.read_bytes() == b"png"


def test_the_key_covers_frames_and_declaration():
    keys = {
        key_of("figure", "marks", frames={"ard.effects": "1"}),
        key_of("figure", "marks", frames={"ard.effects": "2"}),
        key_of("figure", "other marks", frames={"ard.effects": "1"}),
        key_of("figure", "marks", frames={"ref.arms": "1"}),
    }
    assert len(keys) == 4


def test_a_figure_sees_its_parameters_and_not_what_they_were_made_from():
    frame = pl.DataFrame({"paramcd": ["A", "B"], "estimate": [1.0, 2.0], "inputs": ["x", "y"]})
    figure = Figure(figure_id="f", kind="time_course", title="F", parameters=("B",))
    other = frame.with_columns(inputs=pl.lit("z"))
    assert narrowed(figure, frame).rows() == [("B", 2.0, None)]
    assert narrowed(figure, frame).equals(narrowed(figure, other))
    every = Figure(figure_id="f", kind="forest", title="F", parameters=())
    assert narrowed(every, frame).height == 2
