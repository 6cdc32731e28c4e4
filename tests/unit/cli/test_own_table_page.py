"""The page on a table of one's own: its examples print what it prints, and it names every word."""

import inspect
import re
from pathlib import Path

import pytest

from assayhouse.analysis.cells import WHY
from assayhouse.pk import focei, status

from support.documents import assert_same_text, blocks, examples, run

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "own-table.md").read_text(encoding="utf-8")
EXIT_CODES = ([2], [0], [0], [0])


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Run all examples in the order of the page, as later ones use files of earlier ones."""
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COLUMNS", "80")
        return folder, [run(script) for script, _ in examples(PAGE)]


def test_every_command_of_the_page_is_followed_by_what_it_prints():
    scripts = [content for language, content in blocks(PAGE) if language == "sh"]
    assert [script for script, _ in examples(PAGE)] == scripts
    assert len(scripts) == len(EXIT_CODES)


@pytest.mark.parametrize("number", range(len(EXIT_CODES)))
def test_an_example_prints_what_the_page_says(page, number):
    codes, told = page[1][number]
    assert codes == EXIT_CODES[number]
    assert_same_text(told, examples(PAGE)[number][1])


@pytest.mark.parametrize("name", ["effects", "cutpoint", "poppk"])
def test_the_page_names_every_file_that_its_example_writes(page, name):
    written = {path.name for path in (page[0] / name).iterdir()}
    section = PAGE.split(f"\n## `{name}`")[1].split("\n## ")[0]
    # A picture is named once for its three forms.
    forms = {file for file in written if file.rsplit(".")[-1] in {"svg", "png", "pdf"}}
    pictures = {file for file in forms if f"`{file.rsplit('.')[0]}`" in section}
    pictures |= {file for file in forms if re.fullmatch(r"marker-(cuts|curve)\.\w+", file)}
    assert len(written) > 2
    assert [file for file in sorted(written - pictures) if f"`{file}`" not in section] == []


def test_the_page_explains_every_status_and_every_reason():
    source = inspect.getsource(status) + inspect.getsource(focei)
    reasons = set(re.findall(r'(?:_failed\(|_warn\(|code=)\s*"(\w+)"', source))
    assert len(reasons) >= 14
    assert [word for word in sorted({"ok", *WHY, *reasons}) if f"`{word}`" not in PAGE] == []
