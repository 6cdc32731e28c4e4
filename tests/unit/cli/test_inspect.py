"""`assayhouse inspect`: what a file is, what is wrong, a picture; the exit code says which."""

import numpy as np
import pytest

from assayhouse.cli import main
from assayhouse.instruments.registry import Picture, Series
from assayhouse.report.instrument_picture import draw_picture

from support.fcs_files import fcs_bytes
from support.qpcr_files import cfx

EVENTS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def inspected(tmp_path, capsys, content, *more):
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    code = main(["inspect", str(path), *more])
    return code, capsys.readouterr().out


def test_a_sound_file_says_who_and_when(tmp_path, capsys):
    content = fcs_bytes(EVENTS, CYT="LSR", DATE="02-MAR-2015", BTIM="13:22:33")
    code, out = inspected(tmp_path, capsys, content)
    assert code == 0
    assert "file.bin: fcs3.1, read" in out
    assert "instrument: LSR" in out
    assert "run_datetime: 2015-03-02 13:22:33" in out
    assert "FSC-A" in out


def test_what_is_wrong_is_said_in_words(tmp_path, capsys):
    code, out = inspected(tmp_path, capsys, fcs_bytes(EVENTS)[:-4])
    assert code == 1
    assert "fcs3.1, refused" in out
    assert "! data_truncated: the events end before the file says they do" in out
    assert "ask for the file as the instrument wrote it" in out


def test_an_unknown_file_is_said_to_be_unknown(tmp_path, capsys):
    code, out = inspected(tmp_path, capsys, b"\x00noise")
    assert (code, out) == (1, "file.bin: no known format\n")


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_a_picture_is_written_where_it_is_asked_for(tmp_path, capsys, kind):
    out = tmp_path / f"picture.{kind}"
    content = cfx(",A01,FAM,Gene,Unkn,P1,24.5,NaN").encode()
    code, told = inspected(tmp_path, capsys, content, "--picture", str(out))
    assert code == 0
    assert f"picture in {out}" in told
    marks = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
    assert out.read_bytes().startswith(marks[kind])


def test_a_picture_of_another_kind_is_refused_before_anything_is_read(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "none"), "--picture", "a.gif"]) == 2
    assert "Nothing was written" in capsys.readouterr().err


def test_a_file_without_a_picture_says_so(tmp_path, capsys):
    out = tmp_path / "picture.svg"
    content = fcs_bytes(np.empty((0, 2)), data=b"")
    _code, told = inspected(tmp_path, capsys, content, "--picture", str(out))
    assert "no picture" in told
    assert not out.exists()


@pytest.mark.parametrize(
    ("kind", "count", "size"), [("lines", 2, 5), ("lines", 20, 5), ("points", 3, 5),
                                ("density", 1, 50), ("bars", 4, 1)]
)  # fmt: skip
def test_every_kind_of_picture_is_drawn_the_same_twice(kind, count, size):
    series = tuple(
        Series(label=f"cost $x{n}$", x=np.arange(size) + 1.0 * n, y=np.arange(size) * 2.0 + n)
        for n in range(count)
    )
    picture = Picture(
        kind=kind, title="A $title$", x_label="x", y_label="y", series=series, y_scale="asinh",
        note="a note",
    )  # fmt: skip
    first = draw_picture(picture)
    assert first == draw_picture(picture)
    assert b"A $title$" in first.svg
