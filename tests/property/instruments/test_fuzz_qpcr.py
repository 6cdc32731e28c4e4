"""Mutated qPCR files of every format: wells and cycles with flags, or a typed error."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assayhouse.instruments.qpcr import read_qpcr

from support.fuzz import (  # noqa: F401 - with a fixture
    CHANGES,
    bounded_memory,
    check,
    check_inspection,
    fuzzed,
    mutated,
)
from support.qpcr_files import (
    archive,
    cfx,
    data,
    experiment,
    lc480,
    quantstudio,
    rdml,
    react,
    run,
    sample,
    workbook,
)

DOCUMENT = rdml(
    sample("s1", "std", 1000)
    + experiment(run("r", react(1, "s1", data("t", 24.5, [(1, 0.1), (2, 0.5)]))))
)
HEAD = ["Well", "Well Position", "Omit", "Sample Name", "Target Name", "Task", "CT"]
BOOK = workbook(
    {
        "Sample Setup": [["Well", "Well Position"], [1, "A1"]],
        "Results": [["Experiment Name", "x"], [], HEAD, [1, "A1", "false", "S", "G", "NTC", 20.5]],
        "Amplification Data": [["Well", "Cycle", "Target Name", "Rn"], [1, 1, "G", 0.5]],
    }
)
TEXTS = [
    cfx(",A01,FAM,Gene,Unkn,P1,24.5,NaN", ",A02,FAM,Gene,Std-1,,NaN,1000").encode(),
    quantstudio("1\tA1\tfalse\tS1\tG\tUNKNOWN\t\t18.5\t", cycles="1\t1\tG\t0.5\t0").encode(),
    lc480("True\t255\tA1\tSample 1\t24.13\t\t0\t").encode(),
]
STATES = {"ok", "undetermined", "excluded"}


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


SEEDS = {"rdml": DOCUMENT, "quantstudio_book": BOOK}
SEEDS |= dict(zip(("cfx", "quantstudio", "lc480"), TEXTS, strict=True))
PACKED = {kind: members(SEEDS[kind]) for kind in ("rdml", "quantstudio_book")}
MEMBERS = {
    kind: [n for n in held if n.startswith(("rdml", "xl/work", "xl/shared", "xl/_rels"))]
    for kind, held in PACKED.items()
}


def checked(path, content):
    found = check(read_qpcr, path, content)
    if found is not None:
        assert set(found.wells["state"]) <= STATES
        assert found.wells["well"].null_count() == 0
        assert found.cycles["cycle"].null_count() == 0
    check_inspection(path)


# Halves: what packs its parts is damaged before and after it was packed.
@pytest.mark.parametrize("kind", PACKED)
@fuzzed(0.5)
@given(changes=CHANGES)
def test_any_bytes_of_an_archive_are_read_or_refused(tmp_path_factory, kind, changes):
    checked(tmp_path_factory.getbasetemp() / "fuzz.qpcr", mutated(SEEDS[kind], changes))


@pytest.mark.parametrize("kind", sorted(SEEDS.keys() - PACKED.keys()))
@fuzzed()
@given(changes=CHANGES)
def test_any_text_is_read_or_refused(tmp_path_factory, kind, changes):
    checked(tmp_path_factory.getbasetemp() / "fuzz.qpcr", mutated(SEEDS[kind], changes))


@pytest.mark.parametrize("kind", PACKED)
@fuzzed(0.5)
@given(place=st.floats(0, 1, exclude_max=True), changes=CHANGES)
def test_any_member_of_a_sound_archive_is_read_or_refused(tmp_path_factory, kind, place, changes):
    held, name = PACKED[kind], MEMBERS[kind][int(place * len(MEMBERS[kind]))]
    content = archive({**held, name: mutated(held[name], changes)})
    checked(tmp_path_factory.getbasetemp() / "fuzz.zip", content)


def test_the_seeds_themselves_are_read(tmp_path):
    for seed in SEEDS.values():
        assert check(read_qpcr, tmp_path / "f", seed) is not None
