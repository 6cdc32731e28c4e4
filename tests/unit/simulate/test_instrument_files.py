"""Instrument files of the synthetic study: the same bytes again, and readable by others."""

import io
import zipfile
from xml.etree import ElementTree as ET

import flowio
import numpy as np
import pytest

from assayhouse.simulate.instrument_cells import CHANNELS
from assayhouse.simulate.instrument_record import INSTRUMENT_LAYOUTS
from assayhouse.simulate.study import simulate_study

LAYOUTS = tuple(layout.full_name for layout in INSTRUMENT_LAYOUTS)


@pytest.fixture(scope="module")
def study():
    return simulate_study(seed=7, layouts=LAYOUTS)


def files(study, end):
    return {
        path.rpartition("/")[2]: content
        for transfer in study.transfers
        for path, content in transfer.files.items()
        if path.endswith(end)
    }


def test_the_same_seed_gives_the_same_bytes_whatever_else_is_made(study):
    again = simulate_study(seed=7, layouts=("covance_flow.fcs", "epiontis.runs"))
    for end in (".fcs", ".rdml"):
        assert files(again, end) == files(study, end)


def test_every_error_is_planted_somewhere_and_stays_out_of_the_files(study):
    errors = {item.error for item in study.instrument_values} - {""}
    assert errors == {"swapped wells", "wrong dilution", "wrong sex factor", "edited result"}
    for transfer in study.transfers:
        for content in transfer.files.values():
            assert not any(error.encode() in content for error in errors)


def test_tubes_are_read_by_another_library(study):
    for name, content in files(study, ".fcs").items():
        other = flowio.FlowData(io.BytesIO(content))
        events = np.reshape(other.events, (-1, other.channel_count))
        assert other.event_count == len(events) > 5000
        assert [other.channels[place]["pnn"] for place in sorted(other.channels)] == list(CHANNELS)
        assert other.text["tube name"] in name
        assert (events[:, :-1] > 0).all()


def test_traces_are_read_by_another_library(study):
    pytest.importorskip("Bio")
    from Bio import SeqIO

    for name, content in files(study, ".fsa").items():
        raw = SeqIO.read(io.BytesIO(content), "abi").annotations["abif_raw"]
        assert raw["SpNm1"].decode() in name
        assert len(raw["DATA9"]) == len(raw["DATA205"]) == 4600


def test_runs_hold_reacts_with_cq_and_points(study):
    for content in files(study, ".rdml").values():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            root = ET.fromstring(archive.read("rdml_data.xml"))  # noqa: S314
        names = {"r": "http://www.rdml.org"}
        reacts = root.findall(".//r:react", names)
        assert len(reacts) == len(root.findall(".//r:cq", names)) == 84
        assert len(root.findall(".//r:adp", names)) == 84 * 40


def test_truth_lies_beside_the_files(study, tmp_path):
    import polars as pl

    from assayhouse.simulate.record import write_truth

    write_truth(study, tmp_path)
    told = pl.read_csv(tmp_path / "instrument_values.csv")
    assert told.height == len(study.instrument_values)
    wrong = told.filter(pl.col("error").fill_null("") != "")
    assert wrong.height > 10
    assert (wrong["reported"] != wrong["true"]).all()
