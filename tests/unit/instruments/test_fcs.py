"""Every quirk of an FCS file is read right and named, or refused by name."""

import numpy as np
import pytest

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import identify, inspect
from assayhouse.instruments.fcs import read_fcs

from support.fcs_files import fcs_bytes, header, keywords_of, packed, text_segment

EVENTS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def read(tmp_path, content, **options):
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    return read_fcs(path, **options)


def refusal(tmp_path, content, **options):
    with pytest.raises(InstrumentFileError) as caught:
        read(tmp_path, content, **options)
    return caught.value.code


@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1", "3.2"])
def test_a_plain_file_is_read_without_flags(tmp_path, version):
    fcs = read(tmp_path, fcs_bytes(EVENTS, version=version, P1S=" CD3 ", VOL=" 50000 "))
    assert fcs.version == version
    assert fcs.channels == ("FSC-A", "SSC-A")
    assert fcs.markers == ("CD3", None)
    assert (fcs.n_events, fcs.n_data_sets, fcs.flags) == (3, 1, ())
    assert fcs.volume_nl == 50000.0
    assert fcs.spillover is None
    assert fcs.events.dtype == np.float64
    np.testing.assert_array_equal(fcs.events, EVENTS)


@pytest.mark.parametrize(
    ("version", "more", "flags"),
    [
        ("3.1", {"header_pair": lambda _b, _e: (0, 0)}, ()),
        ("3.1", {"header_pair": lambda b, e: (b - 8, e)}, ("offset_discrepancy",)),
        ("3.1", {"text_pair": lambda b, e: (b, e + 10**7)}, ("offset_discrepancy",)),
        (
            "3.1",
            {
                "header_pair": lambda b, e: (b, e + 1),
                "text_pair": lambda b, e: (b, e + 1),
                "tail": b"00000000",
            },
            ("offset_off_by_one",),
        ),
        ("2.0", {"header_pair": lambda b, e: (b, e + 1)}, ("offset_off_by_one",)),
        ("2.0", {"text_pair": lambda b, _e: (f"{b:>12}I", "x")}, ()),
    ],
)
def test_data_are_found_by_the_offsets_that_fit(tmp_path, version, more, flags):
    fcs = read(tmp_path, fcs_bytes(EVENTS, version=version, **more))
    assert fcs.flags == flags
    np.testing.assert_array_equal(fcs.events, EVENTS)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"<!DOCTYPE html><html><body>not found</body></html>" * 9, "not_fcs"),
        (b"oi21j08cn\n", "not_fcs"),
        (b"FCS3.1", "truncated"),
        (header("3.1", 58, 500, 600, 700), "empty_file"),
        (header("3.1", 58, 500, 600, 700) + b"/$PAR/2/", "truncated"),
        (header("3.1", 58, 70, 600, 700) + b"/$TOT/2/$X/1/ ", "damaged"),
        (header("3.1", 5, 70, 600, 700) + b" " * 99, "damaged"),
        (header("4.0", 58, 70, 600, 700) + b" " * 99, "unsupported_version"),
        (fcs_bytes(EVENTS)[:1100], "empty_file"),
        (fcs_bytes(EVENTS)[:-4], "data_truncated"),
        (fcs_bytes(EVENTS, version="2.0")[:-4], "data_truncated"),
        (fcs_bytes(EVENTS, TOT=4), "tot_mismatch"),
        (fcs_bytes(EVENTS, TOT=2), "tot_mismatch"),
        (fcs_bytes(EVENTS, TOT="three"), "damaged"),
        (fcs_bytes(EVENTS, version="2.0", TOT=None, data=b"12345"), "tot_mismatch"),
        (
            fcs_bytes(
                EVENTS, header_pair=lambda b, e: (b - 9, e), text_pair=lambda b, e: (b + 3, e)
            ),
            "offset_discrepancy",
        ),
        (fcs_bytes(EVENTS, PAR=0), "damaged"),
        (fcs_bytes(EVENTS, PAR=99999), "damaged"),
        (fcs_bytes(EVENTS, P1B=16), "damaged"),
        (fcs_bytes(EVENTS, P1B=None), "damaged"),
        (fcs_bytes(EVENTS, P1E="a,b"), "damaged"),
        (fcs_bytes(EVENTS, datatype="I", BYTEORD=None), "damaged"),
        (fcs_bytes(EVENTS, datatype="I", P2R="x"), "damaged"),
        (fcs_bytes(EVENTS, datatype="A"), "unsupported_feature"),
        (fcs_bytes(EVENTS, MODE="C"), "unsupported_feature"),
        (fcs_bytes(EVENTS, datatype="I", order="3,4,1,2"), "unsupported_feature"),
        (fcs_bytes(EVENTS, datatype="I", bits=10), "unsupported_feature"),
        (fcs_bytes(EVENTS, P1DATATYPE="I"), "unsupported_feature"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_by_name(tmp_path, content, code):
    assert refusal(tmp_path, content) == code


def test_the_refusal_of_bit_packed_integers_names_the_width(tmp_path):
    with pytest.raises(InstrumentFileError, match=r"\$P1B of 10 bits"):
        read(tmp_path, fcs_bytes(EVENTS, datatype="I", bits=10))


def test_a_file_that_went_through_a_text_conversion_is_refused(tmp_path):
    damaged = fcs_bytes(
        data=np.linspace(-9, 9, 64).astype("<f4").tobytes(), events=np.ones((32, 2))
    )
    head, data = damaged[:1152], damaged[1152:]
    converted = data.decode("utf-8", errors="replace").encode()
    assert converted.count(b"\xef\xbf\xbd") > 4
    assert refusal(tmp_path, head + converted) == "text_conversion_damage"


def test_no_events_are_an_empty_table(tmp_path):
    fcs = read(tmp_path, fcs_bytes(np.empty((0, 2)), data=b""))
    assert fcs.flags == ("zero_events",)
    assert fcs.events.shape == (0, 2)


def test_events_are_counted_from_data_where_fcs_2_does_not_say(tmp_path):
    np.testing.assert_array_equal(
        read(tmp_path, fcs_bytes(EVENTS, version="2.0", TOT=None)).events, EVENTS
    )


def test_repeated_names_get_the_next_free_suffix(tmp_path):
    channels = ("FL1", "FL1", "FL1_2", "FL1")
    fcs = read(tmp_path, fcs_bytes(np.ones((1, 4)), channels))
    assert fcs.channels == ("FL1", "FL1_3", "FL1_2", "FL1_4")
    assert fcs.flags == ("duplicate_channel_names",)
    assert read(tmp_path, fcs_bytes(np.ones((1, 3)), ("A", "A", "A"))).channels == (
        "A",
        "A_2",
        "A_3",
    )


def test_padding_zeros_and_blanks_in_keywords_are_accepted(tmp_path):
    fcs = read(tmp_path, fcs_bytes(EVENTS, TOT="000003   ", PAR=" 2"))
    assert (fcs.n_events, fcs.keywords["$TOT"], fcs.flags) == (3, "000003", ())


def test_a_doubled_delimiter_is_one_and_an_empty_value_is_empty(tmp_path):
    assert read(tmp_path, fcs_bytes(EVENTS, P1S="GFP/FITC")).markers[0] == "GFP/FITC"
    words = keywords_of(3, ("FSC-A", "SSC-A"), P1S="X") | {"$BEGINDATA": 1152, "$ENDDATA": 1175}
    empty = text_segment(words).replace(b"/$P1S/X/", b"/$P1S//")
    fcs = read(tmp_path, fcs_bytes(EVENTS, text=empty))
    assert fcs.markers == (None, None)
    np.testing.assert_array_equal(fcs.events, EVENTS)


def test_supplemental_text_adds_keywords_and_a_cut_one_is_told(tmp_path):
    extra = b"/$CYT/Cytometer/"
    whole = fcs_bytes(EVENTS, BEGINSTEXT=1176, ENDSTEXT=1191, tail=extra)
    assert read(tmp_path, whole).keywords["$CYT"] == "Cytometer"
    assert read(tmp_path, whole[:-3]).flags == ("truncated",)


def integers(values, letters, *, order="<", version="3.1", **more):
    bits = {"B": 8, "H": 16, "3": 24, "I": 32, "Q": 64, "f": 32, "d": 64}
    channels = tuple(f"FL{place}" for place in range(1, len(letters) + 1))
    widths = {f"P{place}B": bits[letter] for place, letter in enumerate(letters, start=1)}
    return fcs_bytes(
        values,
        channels,
        version=version,
        data=packed(values, letters, order),
        datatype=more.pop("datatype", "I"),
        order="1,2,3,4" if order == "<" else "4,3,2,1",
        **widths,
        **more,
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("letters", ["HH", "II", "BB", "33", "H3", "BQ"])
def test_integers_of_every_width_and_order(tmp_path, letters, order):
    values = [[1, 200], [77, 13]]
    fcs = read(tmp_path, integers(values, letters, order=order))
    assert fcs.flags == ()
    np.testing.assert_array_equal(fcs.events, values)


@pytest.mark.parametrize("letters", ["HH", "H3"])
def test_bits_above_the_range_are_masked_and_told(tmp_path, letters):
    values = [[1023, 500], [1024 + 7, 2048 + 3]]
    fcs = read(tmp_path, integers(values, letters, P2R=1000))
    assert fcs.flags == ("masked_bits",)
    np.testing.assert_array_equal(fcs.events, [[1023, 500], [7, 3]])


def test_a_logarithmic_channel_is_decoded_and_offset_zero_is_one(tmp_path):
    content = integers([[256, 512]], "HH", P1E="4,0", P2E="4,0.1")
    fcs = read(tmp_path, content)
    assert fcs.flags == ("pne_zero_offset",)
    np.testing.assert_allclose(fcs.events, [[10.0, 10.0]])
    np.testing.assert_array_equal(read(tmp_path, content, decode=False).events, [[256, 512]])


def test_types_by_channel_are_honoured_in_3_2(tmp_path):
    values = [[1.5, 300, 2.25]]
    content = integers(values, "fHd", version="3.2", datatype="F", P2DATATYPE="I", P3DATATYPE="D")
    np.testing.assert_array_equal(read(tmp_path, content).events, values)


def test_several_data_sets_must_be_named(tmp_path):
    first = fcs_bytes(EVENTS)
    first = fcs_bytes(EVENTS, NEXTDATA=len(first))
    both = first + fcs_bytes(EVENTS + 1, version="3.0")
    assert refusal(tmp_path, both) == "multiple_data_sets"
    assert refusal(tmp_path, both, data_set=3) == "multiple_data_sets"
    second = read(tmp_path, both, data_set=2)
    assert (second.n_data_sets, second.version) == (2, "3.0")
    assert second.flags == ("multiple_data_sets",)
    np.testing.assert_array_equal(second.events, EVENTS + 1)
    assert read(tmp_path, first).flags == ("truncated",)
    assert read(tmp_path, first + b"no data set").flags == ("damaged",)


def test_the_spillover_matrix_is_read_whole_or_not_at_all(tmp_path):
    fcs = read(tmp_path, fcs_bytes(EVENTS, SPILLOVER="2,FSC-A,SSC-A,1,0.1,0.2,1"))
    assert fcs.spillover_channels == ("FSC-A", "SSC-A")
    np.testing.assert_array_equal(fcs.spillover, [[1, 0.1], [0.2, 1]])
    short = read(tmp_path, fcs_bytes(EVENTS, SPILLOVER="2,FSC-A,SSC-A,1,0.1"))
    assert (short.spillover, short.flags) == (None, ("damaged",))
    names = read(tmp_path, fcs_bytes(EVENTS, SPILLOVER="2,FSC-A,SSC-A"))
    assert (names.spillover, names.spillover_channels, names.flags) == (
        None,
        ("FSC-A", "SSC-A"),
        (),
    )
    numbered = read(tmp_path, fcs_bytes(EVENTS, SPILLOVER="2,1,2,1,0,0,1"))
    assert numbered.spillover_channels == ("FSC-A", "SSC-A")


def test_inspection_tells_who_when_and_what(tmp_path):
    path = tmp_path / "file.bin"
    more = {"CYT": "LSR", "OP": "JD", "DATE": "02-MAR-2015", "BTIM": "13:22:33"}
    path.write_bytes(fcs_bytes(EVENTS, **more))
    found = inspect(path)
    assert identify(path) == found.format == "fcs3.1"
    assert found.metadata["instrument"] == "LSR"
    assert found.metadata["operator"] == "JD"
    assert found.metadata["run_datetime"].isoformat() == "2015-03-02T13:22:33"
    assert found.tables["channels"]["median"].to_list() == [3.0, 4.0]
    assert found.picture.title == "SSC-A against FSC-A"


@pytest.mark.parametrize(
    ("content", "flags"),
    [
        (fcs_bytes(EVENTS)[:-4], ("data_truncated",)),
        (fcs_bytes(EVENTS, datatype="I", bits=10), ("unsupported_feature",)),
        (fcs_bytes(np.empty((0, 2)), data=b""), ("zero_events",)),
        (header("3.0", 58, 500, 600, 700), ("empty_file",)),
    ],
)
def test_inspection_never_raises_for_a_quirk(tmp_path, content, flags):
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    found = inspect(path)
    assert found.flags == flags
    assert found.picture is None
