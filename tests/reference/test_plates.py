"""Plate exports: vendor concentrations met by inverting the printed curves; layouts read whole."""

import numpy as np
import polars as pl
import pytest

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import identify
from assayhouse.instruments.plates import read_plate
from assayhouse.stats.curves import fit_curve, from_bioplex

from support.shared import shared

pytestmark = pytest.mark.samples


def plate(*parts):
    return read_plate(shared("samples", "immunoassay", *parts))


def agreement(run):
    """Median relative gap of inverted signals to the reported concentrations, by analyte."""
    found = {}
    for curve in run.curves.iter_rows(named=True):
        wells = run.wells.filter(
            (pl.col("analyte") == curve["analyte"]) & pl.col("state").is_in(["ok", "extrapolated"])
        )
        model = from_bioplex(*(curve[name] for name in "abcdg"))
        net = (wells["signal"] - wells["background"].fill_null(0.0)).to_numpy()
        read = model.inverse(net, dilution=wells["dilution"].fill_null(1.0).to_numpy())
        truth = wells["reported_conc"].to_numpy()
        found[curve["analyte"]] = float(np.nanmedian(np.abs(read.values / truth - 1)))
    return found


@pytest.mark.parametrize(
    ("parts", "curves", "limit"),
    [
        (("bioplex", "02-14A22-IgA-Biotin.xls"), 6, 3e-5),
        (("bioplex", "WithBlankBead.xls"), 3, 1e-4),
        (("bioplex", "pnLINCO20070302A_4analytes.xlsx"), 4, 5e-3),
        (("drLumi", "plate1.csv"), 30, 1e-9),
    ],
)
def test_printed_curves_give_the_reported_concentrations(parts, curves, limit):
    found = agreement(plate(*parts))
    assert len(found) == curves
    assert max(found.values()) <= limit, found


def test_wells_of_a_workbook_are_those_exported_by_another_reader():
    truth = pl.read_csv(
        shared("samples", "drm", "bioplex_vendor_wells.csv"), infer_schema_length=None
    ).filter(pl.col("file") == "02-14A22-IgA-Biotin.xls")
    wells = plate("bioplex", "02-14A22-IgA-Biotin.xls").wells
    assert wells.height == truth.height
    assert wells["analyte"].to_list() == truth["analyte"].to_list()
    assert np.array_equal(wells["signal"].to_numpy(), truth["fi"].to_numpy())
    net = wells["signal"] - wells["background"]
    assert np.allclose(net.to_numpy(), truth["fi_bkgd"].to_numpy())
    ok = truth["vendor"].is_not_null().to_numpy()
    assert np.array_equal(wells["reported_conc"].to_numpy()[ok], truth["vendor"].to_numpy()[ok])


def test_msd_calibrators_fitted_from_the_export_give_the_vendor_s_medians():
    wells = plate("msd", "MSD_plates_1LK05A1071_1LK05AB112.csv").wells
    assert wells.height == 3024
    gaps = []
    for _, group in wells.filter(type="STD").group_by("plate", "analyte", maintain_order=True):
        fit = fit_curve(group["expected_conc"].to_numpy(), group["signal"].to_numpy())
        read = fit.inverse(group["signal"].to_numpy()).values
        gaps.append(np.nanmedian(np.abs(read / group["reported_conc"].to_numpy() - 1)))
    assert len(gaps) == 6
    assert max(gaps) <= 0.0145


def test_medians_of_an_export_are_those_its_owners_published():
    wells = plate("drLumi", "plate1.csv").wells
    published = pl.read_csv(shared("samples", "drm", "drLumi_mfidata.csv")).with_columns(
        pl.col("well").str.extract(r"_([A-H]\d+)$").str.replace(r"^([A-H])(\d)$", "${1}0${2}")
    )
    assert published.height == 2976
    # Total Events of the 96 wells is a column of the export, but no analyte.
    joined = published.join(wells, on=["well", "analyte", "sample"], validate="1:1")
    assert joined.height == wells.height == 2880
    assert (joined["mfi"] == joined["signal"]).all()


def test_expected_concentrations_are_the_published_ones_where_the_point_was_kept():
    """A spreadsheet took the point of 30 of 480 for one of thousands: the file says so, we too."""
    run = plate("drLumi", "plate1.csv")
    assert "resaved_by_spreadsheet" in run.flags
    expected = run.wells.filter(type="STD").unique(["sample", "analyte"])
    published = pl.read_csv(shared("samples", "drm", "drLumi_ecdata.csv"))
    joined = published.join(expected, on=["sample", "analyte"], validate="1:1")
    ratio = joined["expected_conc"] / joined["ec"]
    shifted = (ratio - 1000).abs() < 1e-9
    assert joined.height == expected.height
    assert ((ratio - 1).abs() < 1e-9).sum() + shifted.sum() == joined.height
    decimals = joined.filter(shifted)["ec"].cast(pl.String).str.split(".").list.last()
    assert shifted.sum() == 30
    assert (decimals.str.len_chars() == 3).all()


def owner_rows(name):
    text = shared("samples", "immunoassay", "msd_wangwei", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("spot", range(10))
def test_a_raw_plate_with_its_owner_s_layout_gives_the_owner_s_results(spot):
    """48 pairs of wells: readings found, his curve inverted as he did, our own fit near his.

    His fit is unweighted and his program's: ours is weighted, so 10 % in the median, and 25 % for
    spot 8, whose calibrator runs out at the fifth level. All his samples without a value are out of
    range here as well.
    """
    layout = {
        f"{row[0]}{column:02d}": row[column]
        for row in owner_rows("SP2_RP2_layout.txt")[1:]
        for column in range(1, 13)
    }
    standards = {row[0]: float(row[1 + spot]) for row in owner_rows("Standards_conc_K15659U.txt")}
    results = [
        (row[0], row[1 + 4 * spot], row[3 + 4 * spot]) for row in owner_rows("RP2_result.txt")[1:]
    ]
    signal, value = (np.array([float(row[place]) for row in results]) for place in (1, 2))
    wells = plate("msd_wangwei", "RP2_raw.txt").wells.filter(analyte=f"Spot {spot + 1}")
    named = wells.with_columns(pl.col("well").replace_strict(layout).alias("sample"))
    first = named.unique("sample", keep="first", maintain_order=True)
    readings = dict(first.select("sample", "signal").iter_rows())
    assert [readings[row[0]] for row in results] == signal.tolist()

    limits = [float(text) for text in owner_rows("RP2_parameters.txt")[1 + spot][1].split(",")]
    owner = from_bioplex(*limits).inverse(signal)
    assert np.array_equal(np.isnan(owner.values), np.isnan(value))
    seen = ~np.isnan(value)
    assert owner.values[seen] == pytest.approx(value[seen], rel=1e-6)

    calibrators = named.filter(pl.col("sample").is_in(list(standards)))
    amounts = calibrators["sample"].replace_strict(standards).to_numpy()
    ours = fit_curve(amounts, calibrators["signal"].to_numpy()).inverse(signal).values
    unknown = seen & np.array(["1:" in row[0] for row in results])
    gap = np.nanmedian(np.abs(ours[unknown] / value[unknown] - 1))
    assert gap < (0.25 if spot == 7 else 0.1)


def test_analytes_and_specimens_of_the_layout_are_as_listed():
    samples = {row[0] for row in owner_rows("samplelist_SP2_RP2.txt")}
    layout = {
        cell.split(" ")[0] for row in owner_rows("SP2_RP2_layout.txt")[1:] for cell in row[1:]
    }
    controls = {
        "Blank",
        *(f"Standard{n}" for n in range(1, 9)),
        *(f"P.Control1.{n}" for n in "123"),
    }
    assert layout - controls == samples
    analytes = plate("msd_wangwei", "RP2_raw.txt").wells["analyte"].n_unique()
    assert analytes == len(owner_rows("Analytes_K15659U.txt")) == 10


def test_a_re_saved_export_holds_the_same_wells():
    first, second = (
        plate("allotropy", f"luminex_xPONENT_example02{end}.csv") for end in ("", "_saved")
    )
    assert first.wells.equals(second.wells)
    assert second.flags == ("resaved_by_spreadsheet",)


@pytest.mark.parametrize(
    ("parts", "kind", "rows"),
    [
        (("allotropy", "luminex_xPONENT_example02.csv"), "xponent", 8),
        (("allotropy", "luminex_xPONENT_NaN_and_not_reported_values.csv"), "xponent", 288),
        (("drLumi", "plate1.csv"), "xponent", 2880),
        (("allotropy", "luminex_intelliflex_v2_2.csv"), "intelliflex", 140),
        (("bioplex", "Guide Set plate 1.xls"), "bioplex_xls", 32),
        (("bioplex", "PositivityThreshold.xls"), "bioplex_xls", 24),
        (("bioplex", "plate 3_IgA-Biot (Standard1).xlsx"), "bioplex_xlsx", 120),
        (("allotropy", "bio-rad_bio-plex_manager_example_01.xml"), "bioplex_xml", 1440),
        (("allotropy", "msd_workbench_test_1.csv"), "msd_csv", 4),
        (("allotropy", "test_msd_workbench_xlsx.xlsx"), "msd_csv", 24),
        (("allotropy", "methodical_test_1.txt"), "msd_txt", 192),
        (("msd_wangwei", "RP2_raw.txt"), "msd_txt", 960),
    ],
)
def test_public_exports_are_recognised_and_read_whole(parts, kind, rows):
    run = plate(*parts)
    assert identify(shared("samples", "immunoassay", *parts)) == run.format == kind
    assert run.wells.height == rows
    states = run.wells.filter(pl.col("state").is_in(["below", "above", "masked", "not_available"]))
    assert states["reported_conc"].null_count() == states.height


def test_a_reader_workbook_of_another_kind_is_refused():
    path = shared("samples", "immunoassay", "elisa", "biotek_01.xlsx")
    with pytest.raises(InstrumentFileError) as caught:
        read_plate(path)
    assert caught.value.code == "not_plate"
    assert identify(path) == "unknown"
