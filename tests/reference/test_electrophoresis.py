"""Fragment runs against Peak Scanner: heights after restoration, sizes with our own ladder."""

import functools

import numpy as np
import polars as pl
import pytest

from assayhouse.instruments.electrophoresis import (
    LADDERS,
    find_peaks,
    match_ladder,
    read_abif,
    read_peak_table,
    size_fragments,
)

from support.shared import SHARED, shared

pytestmark = pytest.mark.samples
CE = SHARED / "samples" / "ce"
RUNS = sorted(CE.glob("abif_3500/*.fsa"))
GS600 = [*RUNS, *sorted(CE.glob("fraggler/*.fsa"))]
GS500 = sorted(CE.glob("trace/*.fsa"))
LETTERS = "BGYRO"


@functools.cache
def read(path):
    return read_abif(path)


def ladder_of(path, name):
    return match_ladder(find_peaks(read(path).signal[:, -1]), LADDERS[name])


def printed(path):
    table = read_peak_table(shared("samples", "ce", "abif_3500", "peakscanner_K1-K3.csv"))
    return table.filter(pl.col("sample") == path.name)


@pytest.mark.parametrize("path", RUNS, ids=lambda p: p.stem[:8])
def test_heights_are_those_of_peak_scanner(path):
    truth, signal = printed(path), read(path).signal
    columns = [LETTERS.index(letter) for letter in truth["dye"]]
    ours = signal[truth["scan"].to_numpy(), columns]
    assert truth.height > 100
    assert np.mean(ours == truth["height"].to_numpy()) >= 0.99


@pytest.mark.parametrize("path", RUNS, ids=lambda p: p.stem[:8])
def test_sizes_are_those_of_peak_scanner_with_our_own_ladder(path):
    truth, ladder = printed(path), ladder_of(path, "GS600LIZ")
    own = truth.filter("is_ladder")
    assert np.array_equal(ladder.scan, own.sort("scan")["scan"].to_numpy())
    assert ladder.size_bp.tolist() == sorted(own["size_bp"].to_list())
    ours = size_fragments(truth["scan"].to_numpy(), ladder)
    gap = np.abs(ours - truth["size_bp"].to_numpy())
    inside = truth["size_bp"].is_between(60, 600).to_numpy()
    assert np.isfinite(ours[inside]).all()
    assert gap[inside].max() <= 0.0051


@pytest.mark.parametrize("path", GS600, ids=lambda p: p.stem[:8])
def test_sizes_embedded_in_the_file_are_met(path):
    ladder, peaks = ladder_of(path, "GS600LIZ"), read(path).embedded_peaks.drop_nulls()
    assert len(ladder.scan) == 34
    ours = size_fragments(peaks["scan"].to_numpy(), ladder)
    assert np.nanmax(np.abs(ours - peaks["size_bp"].to_numpy())) < 1e-4


@pytest.mark.parametrize("path", RUNS, ids=lambda p: p.stem[:8])
def test_peaks_of_peak_scanner_are_found(path):
    truth, signal = printed(path), read(path).signal
    found = [set(find_peaks(column).scan.tolist()) for column in signal.T]
    hits = [scan in found[LETTERS.index(dye)] for dye, scan in truth.select("dye", "scan").rows()]
    assert np.mean(hits) >= 0.97


@pytest.mark.parametrize("path", GS500, ids=lambda p: p.stem)
def test_the_ladder_of_a_raw_run_is_found_whole(path):
    trace = read(path)
    assert trace.flags == ("off_scale", "no_ladder")
    ladder = ladder_of(path, "GS500LIZ")
    assert ladder.size_bp.tolist() == list(LADDERS["GS500LIZ"])
    assert ladder_of(path, "GS600LIZ").flags == ("sizing_failed",)


def test_a_run_of_four_dyes_without_a_ladder_name_is_read():
    trace = read(shared("samples", "ce", "biopython", "test.fsa"))
    assert (trace.dyes, trace.signal.shape) == (("5-FAM", "JOE", "NED", "ROX"), (8531, 4))
    assert "no_ladder" in trace.flags


@pytest.mark.parametrize("path", [*GS600, *GS500], ids=lambda p: p.stem[:12])
def test_channels_are_those_of_biopython(path):
    from Bio import SeqIO

    with path.open("rb") as file:
        tags = SeqIO.read(file, "abi").annotations["abif_raw"]
    for place, number in enumerate((1, 2, 3, 4, 105)):
        assert np.array_equal(read(path).raw[:, place], tags[f"DATA{number}"])


@pytest.mark.parametrize(
    ("parts", "rows"),
    [
        (("TRAMPR", "demo_samples_abi.txt"), 1802),
        (("polysat", "GeneMapperCBA15.txt"), 65),
        (("polysat", "GeneMapperCBA28.txt"), 81),
        (("polysat", "GeneMapperExample.txt"), 2166),
    ],
)
def test_public_tables_are_read_whole(parts, rows):
    assert read_peak_table(shared("samples", "ce", *parts)).height == rows


def test_a_run_named_an_error_by_its_owner_is_read_with_its_flag():
    trace = read(shared("samples", "ce", "fraggler", "error.fsa"))
    assert "off_scale" in trace.flags
    assert len(trace.off_scale_scans) > 0
