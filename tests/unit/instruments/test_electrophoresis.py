"""Fragment runs: restored off-scale scans, ladders that are found or given up, sizes, flags."""

import datetime as dt

import numpy as np
import pytest

from assayhouse.errors import InstrumentFileError, ModelDataError
from assayhouse.instruments import identify, inspect
from assayhouse.instruments.electrophoresis import (
    LADDERS,
    Ladder,
    Peaks,
    find_peaks,
    match_ladder,
    read_abif,
    size_fragments,
)
from assayhouse.instruments.ladders import ladder_sizes

from support.abif_files import abif, bell, run

SIZES = LADDERS["GS500LIZ"]


@pytest.fixture
def trace_of(tmp_path):
    def read(content):
        path = tmp_path / "run.txt"
        path.write_bytes(content)
        return read_abif(path)

    return read


def refused(trace_of, content):
    with pytest.raises(InstrumentFileError) as caught:
        trace_of(content)
    return caught.value.code


def ladder_peaks(trace):
    return find_peaks(trace.signal[:, -1])


def test_a_run_is_read_with_its_off_scale_scans_restored(trace_of):
    trace = trace_of(run(SIZES))
    assert trace.dyes == ("FAM", "LIZ")
    assert trace.signal.shape == trace.raw.shape == (3000, 2)
    assert trace.signal[800, 0] == 40_000
    assert trace.raw[800, 0] == 10_000
    assert trace.off_scale_scans.tolist() == [799, 800, 801]
    assert (trace.ladder_name, trace.sizing_quality) == ("GS500LIZ", 0.75)
    assert trace.flags == ("off_scale",)
    assert trace.metadata["run_datetime"].isoformat() == "2024-05-06T07:08:09"
    assert trace.metadata["polymer_expiry"] == dt.date(2024, 12, 31)


def test_embedded_peaks_carry_the_dye_s_name_and_no_size_of_minus_one(trace_of):
    peaks = trace_of(run(SIZES)).embedded_peaks
    assert peaks.rows() == [("FAM", 800, 100.0, 1000.0, None), ("LIZ", 1500, 200.0, 2000.0, 60.5)]


def test_a_single_value_and_a_list_of_values_are_both_read(trace_of):
    one = {("OvrI", 9): ("long", 800), ("OvrV", 9): ("long", 45_000)}
    assert trace_of(run(SIZES, changes=one)).signal[800, 0] == 45_000


def test_without_analysed_channels_the_raw_ones_are_the_signal(trace_of):
    trace = trace_of(run(SIZES, changes={("DATA", 9): None}))
    assert np.array_equal(trace.signal, trace.raw)


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({("StdF", 1): None}, "no_ladder"),
        ({("SamQ", 1): ("cstring", "SQ=0.1,SQLevel=3")}, "sizing_failed"),
        ({("SMED", 1): ("cstring", "Apr 30, 2024")}, "expired_reagent"),
    ],
)
def test_what_is_wrong_with_a_run_has_a_flag(trace_of, changes, flag):
    changes |= {("OfSc", 1): None, ("Satd", 1): None}
    assert trace_of(run(SIZES, changes=changes)).flags == (flag,)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({("PBAS", 1): ("char", "ACGT")}, "not_a_fragment_run"),
        ({("DATA", 1): None}, "damaged"),
        ({("DATA", 2): ("short", [1, 2, 3])}, "damaged"),
        ({("DATA", 9): ("char", "abcd")}, "damaged"),
        ({("Dye#", 1): ("short", 7)}, "damaged"),
        ({("OvrI", 9): ("long", 3000)}, "damaged"),
        ({("OvrI", 9): ("long", -1)}, "damaged"),
        ({("OvrV", 9): None}, "damaged"),
        ({("Satd", 1): ("long", 3000)}, "damaged"),
        ({("Peak", 2): ("long", [1])}, "damaged"),
    ],
)
def test_a_structure_that_contradicts_itself_is_refused(trace_of, changes, code):
    base = {("OvrI", 9): ("long", 800), ("OvrV", 9): ("long", 45_000)}
    assert refused(trace_of, run(SIZES, changes=base | changes)) == code


def test_a_cut_run_is_refused_wherever_the_cut_is(trace_of):
    content = run(SIZES, n=600, pace=0.9)
    assert {refused(trace_of, content[:cut]) for cut in range(4, len(content), 997)} == {
        "truncated"
    }
    assert refused(trace_of, b"<html>") == refused(trace_of, b"") == "not_abif"


def test_a_directory_that_is_none_is_damaged(trace_of):
    content = bytearray(run(SIZES))
    content[6:10] = b"xxxx"
    assert refused(trace_of, bytes(content)) == "damaged"


def test_a_date_that_no_calendar_has_is_no_date(trace_of):
    trace = trace_of(run(SIZES, changes={("RUND", 1): ("date", (2024, 13, 6))}))
    assert trace.metadata["run_datetime"] is None


def test_the_first_scan_of_a_flat_top_is_the_apex():
    signal = np.array([0, 10, 80, 100, 100, 100, 60, 0, 0, 90, 0.0])
    peaks = find_peaks(signal)
    assert peaks.scan.tolist() == [3, 9]
    assert peaks.height.tolist() == [100, 90]
    assert (peaks.begin.tolist(), peaks.end.tolist()) == ([0, 8], [7, 10])
    assert peaks.area.tolist() == [450, 90]


def test_noise_and_low_bumps_are_no_peaks():
    rng = np.random.default_rng(1)
    signal = bell(2000, (500, 2000), (1200, 40)) + rng.normal(0, 8, 2000)
    assert np.abs(find_peaks(signal).scan - 500).max() <= 2
    assert find_peaks(np.zeros(50)).scan.size == 0
    assert find_peaks(np.zeros(0)).scan.size == 0


@pytest.mark.parametrize("wrong", [np.zeros((3, 2)), [1.0, np.nan]])
def test_what_is_no_channel_is_refused(wrong):
    with pytest.raises(ModelDataError):
        find_peaks(wrong)


@pytest.mark.parametrize("name", sorted(LADDERS))
def test_every_ladder_is_found_among_bleed_through_and_missing_fragments(trace_of, name):
    sizes = np.array(LADDERS[name])
    n = int(500 + 5.5 * sizes[-1])
    truth = np.round(300.0 + 4.5 * sizes + 2e-4 * sizes**2)
    extra = [(150, 9000), (160, 4000), (210, 700), (round(300 + 4.5 * 66), 400), (n - 40, 900)]
    gone = len(sizes) // 2
    trace = trace_of(run(np.delete(sizes, gone), n=n, extra=extra))
    ladder = match_ladder(ladder_peaks(trace), sizes)
    assert np.array_equal(ladder.size_bp, np.delete(sizes, gone))
    assert np.abs(ladder.scan - np.delete(truth, gone)).max() <= 1
    assert ladder.flags == ()
    assert 0.6 < ladder.quality < 1.0


def test_a_weak_ladder_is_used_and_flagged(trace_of):
    ladder = match_ladder(ladder_peaks(trace_of(run(SIZES, height=150))), SIZES)
    assert len(ladder.scan) == len(SIZES)
    assert ladder.flags == ("low_signal",)


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_no_ladder(seed):
    rng = np.random.default_rng(seed)
    signal = np.abs(rng.normal(0, 400, 4000))
    ladder = match_ladder(find_peaks(signal), LADDERS["GS600LIZ"])
    assert (len(ladder.scan), ladder.quality, ladder.flags) == (0, 0.0, ("sizing_failed",))
    assert np.isnan(size_fragments([100, 200], ladder)).all()


def test_the_wrong_standard_is_given_up(trace_of):
    trace = trace_of(run(LADDERS["GS500LIZ"]))
    assert match_ladder(ladder_peaks(trace), LADDERS["GS600LIZ"]).flags == ("sizing_failed",)


@pytest.mark.parametrize("sizes", [[], [100.0], [np.nan, 50.0, 60.0]])
def test_too_few_fragments_or_peaks_never_raise(sizes):
    nothing = find_peaks(np.zeros(20))
    some = find_peaks(bell(500, (100, 900), (200, 900), (300, 900)))
    assert match_ladder(nothing, SIZES).flags == ("sizing_failed",)
    assert match_ladder(some, sizes).flags == ("sizing_failed",)
    assert match_ladder(some, SIZES).flags == ("sizing_failed",)


def test_peaks_may_be_built_from_a_vendor_s_table():
    scans = np.round(300.0 + 4.5 * np.array(SIZES)).astype(np.int64)
    heights = np.full(len(scans), 900.0)
    peaks = Peaks(scan=scans, height=heights, area=heights, begin=scans - 3, end=scans + 3)
    assert match_ladder(peaks, SIZES).scan.tolist() == scans.tolist()


def southern(m, points):
    """L = a / (m - m0) + c through three points, by the published formula."""
    (m1, l1), (m2, l2), (m3, l3) = points
    ratio = (l1 - l2) / (l2 - l3) * (m3 - m2) / (m2 - m1)
    m0 = (m3 - m1 * ratio) / (1 - ratio)
    a = (l1 - l2) / (1 / (m1 - m0) - 1 / (m2 - m0))
    return a / (m - m0) + l1 - a / (m1 - m0)


def test_a_size_is_the_mean_of_two_local_curves():
    points = [(100, 50.0), (200, 75.0), (310, 100.0), (430, 125.0)]
    ladder = Ladder([p[0] for p in points], [p[1] for p in points])
    expected = (southern(250, points[:3]) + southern(250, points[1:])) / 2
    assert size_fragments([250], ladder) == pytest.approx([expected])
    assert size_fragments([150], ladder) == pytest.approx([southern(150, points[:3])])
    assert size_fragments([400], ladder) == pytest.approx([southern(400, points[1:])])


def test_ladder_points_have_their_own_size_and_outside_there_is_none():
    ladder = Ladder(np.array([100, 200, 310, 430]), np.array([50.0, 75.0, 100.0, 125.0]))
    assert size_fragments([100, 200, 310, 430], ladder).tolist() == [50, 75, 100, 125]
    assert np.isnan(size_fragments([99, 431, np.nan], ladder)).all()


def test_equal_spacing_is_a_straight_line():
    ladder = Ladder([100, 200, 300], [50.0, 75.0, 100.0])
    assert size_fragments([120, 250.0], ladder) == pytest.approx([55.0, 87.5])


def test_a_ladder_of_two_points_gives_no_size_and_a_crooked_one_is_refused():
    assert np.isnan(size_fragments([150], Ladder([100, 200], [50.0, 75.0]))).all()
    with pytest.raises(ModelDataError):
        size_fragments([150], Ladder([100, 200, 150], [50.0, 75.0, 100.0]))
    with pytest.raises(ModelDataError):
        size_fragments([150], Ladder([100, 200, 300], [50.0, 75.0, 100.0]), method="spline")


def test_the_name_of_a_standard_in_a_file_gives_its_fragments():
    assert ladder_sizes("GS600LIZ(60-600)+Normalization") == LADDERS["GS600LIZ"]
    assert ladder_sizes("GS500LIZ") == LADDERS["GS500LIZ"]
    assert ladder_sizes("GS500(-250)LIZ") is None
    assert ladder_sizes("my own") is None


def test_inspection_names_run_ladder_and_picture(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(run(SIZES, changes={("SMED", 1): ("cstring", "2024-01-01")}))
    assert identify(path) == "abif"
    found = inspect(path)
    assert found.flags == ("off_scale", "expired_reagent")
    assert found.tables["ladder"].height == len(SIZES)
    assert found.tables["dyes"]["dye"].to_list() == ["FAM", "LIZ"]
    assert found.metadata["instrument"] == "3500"
    assert [series.label for series in found.picture.series] == ["FAM", "LIZ"]
    assert len(found.picture.series[0].x) <= 2000


def test_inspection_of_a_sequencing_run_says_so_and_who_ran_it(tmp_path):
    path = tmp_path / "x.ab1"
    path.write_bytes(abif([("PBAS", 1, "char", "ACGT"), ("MODL", 1, "char", "3730")]))
    found = inspect(path)
    assert found.flags == ("not_a_fragment_run",)
    assert found.metadata["instrument"] == "3730"


def test_inspection_of_a_run_with_an_unknown_ladder_leaves_it_out(tmp_path):
    path = tmp_path / "x.fsa"
    content = run(SIZES, changes={("StdF", 1): None, ("Peak", 1): None, ("RUND", 1): None})
    path.write_bytes(content)
    found = inspect(path)
    assert found.flags == ("off_scale", "no_ladder")
    assert set(found.tables) == {"dyes"}
