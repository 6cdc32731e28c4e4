"""Where a command is told to write: a wrong place is told before anything is computed."""

import pytest

from assayhouse import cli
from assayhouse.commands.own_options import out_file, out_folder
from assayhouse.errors import DeclarationError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "taken"
    path.write_text("mine")
    return path


def test_a_new_folder_an_old_one_and_one_below_are_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for given in (str(tmp_path), str(tmp_path / "new" / "deep"), "new", "."):
        assert str(out_folder(given)) == given
    assert not (tmp_path / "new").exists()
    assert out_file("here.md").name == "here.md"


def test_a_file_is_no_folder_and_a_folder_no_file(tmp_path, file):
    for given in (file, file / "below"):
        with pytest.raises(DeclarationError, match="taken: a file, where --out needs a folder"):
            out_folder(str(given))
    with pytest.raises(DeclarationError, match="a folder, where a file is written"):
        out_file(str(tmp_path))
    with pytest.raises(DeclarationError, match="taken: a file, where --out needs a folder"):
        out_file(str(file / "below.md"))


def test_a_broken_link_is_in_the_way(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    with pytest.raises(DeclarationError, match="link: a file"):
        out_folder(str(link))


@pytest.mark.parametrize(
    "words",
    [
        ["simulate"],
        ["effects", "in.csv", "--spec", "spec.yaml"],
        ["poppk", "in.csv", "--model", "model.yaml"],
        ["cutpoint", "in.csv"],
    ],
)
def test_every_command_refuses_a_file_as_its_folder_first(words, file, capsys):
    assert cli.main([*words, "--out", str(file)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert f"{file}: a file, where --out needs a folder" in told.err
    assert file.read_text() == "mine"


def test_a_dictionary_and_a_picture_are_files(tmp_path, capsys):
    folder = tmp_path / "folder.svg"
    folder.mkdir()
    assert cli.main(["dictionary", "--out", str(folder)]) == 2
    assert cli.main(["inspect", "in.fcs", "--picture", str(folder)]) == 2
    assert capsys.readouterr().err.count("a folder, where a file is written") == 2
