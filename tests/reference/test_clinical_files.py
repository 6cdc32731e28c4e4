"""Public clinical files: one data set in four containers is one table; a web page is told apart."""

import polars as pl
import pytest

from assayhouse.contracts.vendor_file import ColumnSpec
from assayhouse.errors import DeliveryRejectedError, InstrumentFileError
from assayhouse.instruments.clinical import read_clinical
from assayhouse.readers.clinical import ClinicalReading, read_table

from support.shared import shared
from support.small_study import layout

pytestmark = pytest.mark.samples


def sample(*parts):
    return shared("samples", "clinical", *parts)


def adsl(kind):
    path = sample("dataset_json", f"adsl.{kind}")
    return read_clinical(path.read_bytes(), kind="xpt" if kind == "xpt" else "dataset_json")


@pytest.mark.parametrize("kind", ["ndjson", "dsjc", "xpt"])
def test_one_data_set_is_the_same_table_in_every_container(kind):
    expected, found = adsl("json"), adsl(kind)
    assert found.frame.columns == expected.frame.columns
    assert found.frame.height == expected.frame.height > 0
    assert found.notes == expected.notes == ()
    different = [
        name
        for name in expected.frame.columns
        if not found.frame[name].equals(expected.frame[name])
    ]
    assert different == []


@pytest.mark.parametrize("name", ["adsl.xpt", "dm.xpt", "ex.xpt", "adqscibc.xpt"])
def test_pilot_data_sets_are_read_whole_and_a_cut_is_told(name):
    content = sample("cdisc_pilot", name).read_bytes()
    assert read_clinical(content, kind="xpt").frame.height > 0
    with pytest.raises(InstrumentFileError) as caught:
        read_clinical(content[: len(content) // 2 // 80 * 80 + 17], kind="xpt")
    assert caught.value.code == "truncated"


def test_the_same_subjects_stand_in_transport_and_json():
    xpt = read_clinical(sample("dataset_json", "dm.xpt").read_bytes(), kind="xpt").frame
    json = read_clinical(sample("dataset_json", "dm.json").read_bytes(), kind="dataset_json").frame
    assert xpt["USUBJID"].to_list() == json["USUBJID"].to_list()


def reading(path, names=("USUBJID",)):
    columns = tuple(ColumnSpec(name=name, label=name) for name in names)
    return ClinicalReading(path, declared(columns), file="adsl.xpt")


def declared(columns):
    spec = layout("edc.adsl", columns, "USUBJID")
    return type(spec)(
        **{name: getattr(spec, name) for name in spec.__slots__ if name != "reader"}, reader="xpt"
    )


def test_a_web_page_saved_as_transport_is_a_typed_error():
    path = sample("cdisc_pilot", "lab1_0_1refrangesampledata.xpt")
    with pytest.raises(InstrumentFileError) as caught:
        read_clinical(path.read_bytes(), kind="xpt")
    assert caught.value.code == "not_xpt"
    with pytest.raises(DeliveryRejectedError) as refused:
        next(reading(path).batches())
    assert refused.value.rule == "F07"


def test_an_undeclared_arm_in_a_data_set_keeps_it_out():
    with pytest.raises(DeliveryRejectedError) as refused:
        next(reading(sample("cdisc_pilot", "dm.xpt")).batches())
    assert refused.value.rule == "F35"


def test_records_of_a_data_set_count_as_lines():
    path = sample("cdisc_pilot", "dm.xpt")
    names = read_clinical(path.read_bytes(), kind="xpt").frame.columns
    found = reading(path, names)
    first, *others = found.batches()
    assert others == []
    height = first.frame.height
    assert first.frame.columns == [*names, "source_line", "line_span"]
    assert first.frame["source_line"].to_list() == list(range(1, height + 1))
    assert found.account.balanced
    assert found.account.data_rows == found.account.physical_lines == height
    assert found.findings == ()
    (raw,) = first.raw_text([3])
    assert raw.split("\t") == [text or "" for text in first.frame.row(3)[: len(names)]]


@pytest.mark.parametrize("kind", ["ndjson", "dsjc", "xpt"])
def test_one_data_set_is_the_same_typed_frame_in_every_container(kind):
    expected, found = (
        read_table(sample("dataset_json", f"adsl.{name}")).frame for name in ("json", kind)
    )
    assert found.schema == expected.schema
    assert found.equals(expected)


@pytest.mark.parametrize(
    ("parts", "shape"),
    [
        (("cdisc_pilot", "adsl.xpt"), (254, 48)),
        (("cdisc_pilot", "dm.xpt"), (306, 25)),
        (("cdisc_pilot", "ex.xpt"), (591, 17)),
        (("cdisc_pilot", "adqscibc.xpt"), (730, 36)),
        (("dataset_json", "ex.json"), (1583, 17)),
        (("phuse_cber", "dm.xpt"), (4, 14)),
        (("phuse_cber", "is.xpt"), (80, 23)),
        (("pharmaversesdtm", "dm.csv"), (306, 28)),
        (("pharmaversesdtm", "pc.csv"), (4572, 21)),
        (("pharmaversesdtm", "ex.csv"), (591, 17)),
        (("pharmaverseadam", "adpc_first40subj.csv"), (1067, 128)),
        (("dataset_json", "adlbc.dsjc"), (37132, 46)),
    ],
)
def test_public_data_sets_have_the_published_shape(parts, shape):
    assert read_table(sample(*parts)).frame.shape == shape


def test_concentrations_below_the_limit_are_read_in_every_form_they_have():
    """`<BLQ` as text, with a standard result of 0 or none; half the limit and copies beside it."""
    samples = read_table(sample("pharmaversesdtm", "pc.csv")).frame
    below = samples.filter(pl.col("PCORRES") == "<BLQ")
    assert below.height == 2179
    assert below["PCSTRESN"].drop_nulls().unique().to_list() == [0.0]
    assert below["PCSTRESN"].null_count() == samples["PCSTRESN"].null_count() == 1925
    analysis = read_table(sample("pharmaverseadam", "adpc_first40subj.csv")).frame
    assert analysis["USUBJID"].n_unique() == 40
    half = analysis.filter(pl.col("DTYPE").str.contains("HALFLLOQ"))
    assert (half["AVAL"] == half["ALLOQ"] / 2).all()
    kinds = dict(analysis["DTYPE"].value_counts().iter_rows())
    assert kinds == {None: 839, "HALFLLOQ": 110, "COPY": 79, "COPY/HALFLLOQ": 39}


def test_subjects_of_an_analysis_csv_are_those_of_the_tabulation_and_of_the_transport_file():
    """Three files of one trial by different makers: common columns equal, row by row."""
    analysis, tabulation, transport = (
        read_table(shared("samples", "clinical", *parts)).frame
        for parts in (
            ("pharmaverseadam", "adsl.csv"),
            ("pharmaversesdtm", "dm.csv"),
            ("cdisc_pilot", "adsl.xpt"),
        )
    )
    assert analysis.shape == (306, 51)
    joined = analysis.join(tabulation, on="USUBJID", validate="1:1", suffix="_other")
    common = [name.removesuffix("_other") for name in joined.columns if name.endswith("_other")]
    assert (joined.height, len(common)) == (306, 23)
    assert all(joined[name].eq_missing(joined[f"{name}_other"]).all() for name in common)
    randomised = analysis.join(transport, on="USUBJID", validate="1:1", suffix="_other")
    assert randomised.height == 254
    for name in ("AGE", "SEX", "TRT01P", "ARM"):
        assert (randomised[name] == randomised[f"{name}_other"]).all()
    assert (randomised["TRTSDT"] == randomised["TRTSDT_other"].cast(pl.String)).all()


def test_a_web_page_named_xpt_is_no_clinical_file():
    with pytest.raises(InstrumentFileError) as caught:
        read_table(sample("cdisc_pilot", "lab1_0_1refrangesampledata.xpt"))
    assert caught.value.code == "not_clinical"
