"""One public experiment told by five files: RDML, its owners' analysis, plate plan, dPCR, DNA.

The owners' table holds one row per react. Its efficiencies and copies come from the curves alone
(window of linearity, efficiency per target), the Cq of the RDML from the cycler's threshold: both
are answers to the same question by different methods, hence a plausibility truth. The tolerances
below are stated where they are used and in docs/methods/qpcr.md.
"""

import numpy as np
import polars as pl
import pytest

from assayhouse.instruments.qpcr import read_qpcr, standard_curve

from support.amplification_windows import measure_window
from support.shared import shared

pytestmark = pytest.mark.samples

WELL = ("run", "well", "target")
CYCLES_RUN = 50.0
WITH_CQ = "P10 - DNA Dilutions"


def file_of(ending):
    return shared("samples", "qpcr", "rdmlpython", f"large_DNA_dilutions{ending}")


def rows_of(ending):
    """Rows of a table that is no more than text in cells."""
    lines = file_of(ending).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


@pytest.fixture(scope="module")
def run():
    return read_qpcr(file_of(".rdml"))


@pytest.fixture(scope="module")
def joined(run):
    """Wells of the RDML beside the owners' rows, by run, well and target."""
    numbers = ("indiv PCR eff", "R2", "PCR eff", "Ncopy")
    table = pl.read_csv(file_of("_results.tsv"), separator="\t", infer_schema=False)
    published = table.select(
        pl.col("Run").alias("run"),
        pl.col("well").str.replace(r"^([A-P])(\d)$", "${1}0${2}"),
        "target",
        pl.col("sample").alias("published_sample"),
        *(pl.col(name).cast(pl.Float64) for name in numbers),
        *(pl.col(name).cast(pl.Int64) for name in ("n included", "last log cycle")),
        (pl.col("amplification") == "True").alias("amplified"),
        (pl.col("used for mean PCR efficiency") == "True").alias("used"),
    )
    assert run.wells.height == published.height == 582
    return run.wells.join(published, on=WELL, how="inner", validate="1:1", maintain_order="left")


@pytest.fixture(scope="module")
def windows(run, joined):
    """Our efficiency and start of every well whose window the owners published."""
    curves = {
        key: rows.sort("cycle")["fluorescence"].to_numpy()
        for key, rows in run.cycles.group_by(WELL)
    }
    rows = joined.filter(pl.col("R2") > 0)
    found = [
        measure_window(
            curves[tuple(row[name] for name in WELL)],
            row["last log cycle"],
            row["n included"],
            row["PCR eff"],
        )
        for row in rows.iter_rows(named=True)
    ]
    return rows.with_columns(
        pl.Series("efficiency", [each.efficiency for each in found]),
        pl.Series("start", [each.start for each in found]),
    )


def crossed(joined):
    """Wells whose curve crossed the cycler's threshold before the last cycle."""
    return joined.filter(pl.col("cq") < CYCLES_RUN)


def tenfold(joined):
    """Rows I to L of the plate: the series that was diluted with buffer alone."""
    return crossed(joined).filter(pl.col("well").str.contains("^[I-L]"), run=WITH_CQ)


def copies_by_cq(joined, target):
    """Read the wells of a target off its tenfold series."""
    standards = tenfold(joined).filter(target=target)
    curve = standard_curve(standards["quantity"].to_numpy(), standards["cq"].to_numpy())
    wells = crossed(joined).filter(target=target, run=WITH_CQ)
    return wells.with_columns(pl.Series("copies", curve.copies(wells["cq"].to_numpy())))


def test_melting_points_are_counted(run):
    assert run.metadata["melting_points"] == 81150


def test_every_react_meets_its_published_row(joined):
    assert joined.height == 582
    assert (joined["sample"] == joined["published_sample"]).all()


def test_efficiencies_of_wells_follow_from_the_fluorescence(windows):
    """530 of 582 wells have a window; published to 4 decimals, reproduced within 1e-4."""
    assert windows.height == 530
    assert (windows["efficiency"] - windows["indiv PCR eff"]).abs().max() < 1e-4


def test_mean_efficiencies_of_targets_follow_from_the_wells(windows):
    """Within 0.02; seven of ten within 1e-4 (the others leave out more than the table says)."""
    means = (
        windows.filter("used")
        .group_by("run", "target")
        .agg(pl.col("efficiency").mean(), pl.col("PCR eff").first())
    )
    gaps = (means["efficiency"] - means["PCR eff"]).abs()
    assert means.height == 10
    assert gaps.max() < 0.02
    assert (gaps < 1e-4).sum() == 7


def test_starts_of_curves_are_proportional_to_published_copies(windows):
    """Eight decades of copies, both runs: r above 0.995, no well off by more than 0.6 log10."""
    counted = windows.filter(pl.col("Ncopy") > 0).with_columns(pl.col("Ncopy").log10())
    for _key, rows in counted.group_by("run", "target"):
        gap = (rows["start"] - rows["Ncopy"]).to_numpy()
        assert np.corrcoef(rows["start"], rows["Ncopy"])[0, 1] > 0.995
        assert np.abs(gap - np.median(gap)).max() < 0.6


def test_the_cycler_writes_the_number_of_cycles_where_a_curve_did_not_cross(run, joined):
    """Why Cq and copies seem not to compare: 30 placeholders, none of an amplified well."""
    assert run.cycles["cycle"].max() == CYCLES_RUN
    placed = joined.filter(pl.col("cq") == CYCLES_RUN)
    assert placed.height == 30
    assert not placed["amplified"].any()
    # Most of them had too many copies, not too few: the curve was over the threshold at once.
    assert placed["sample"].str.ends_with("10e9").sum() == 24
    whole = joined.filter(pl.col("Ncopy") > 0, pl.col("cq").is_not_null())
    clean = crossed(whole)
    assert abs(np.corrcoef(whole["cq"], np.log10(whole["Ncopy"]))[0, 1]) < 0.7
    assert np.corrcoef(clean["cq"], np.log10(clean["Ncopy"]))[0, 1] < -0.97


def test_cq_order_the_wells_as_the_published_copies_do(joined):
    """By target, over all its wells that crossed: r of Cq and log10 copies below -0.99."""
    rows = crossed(joined)
    assert rows.height == 264
    for _key, wells in rows.group_by("target"):
        assert np.corrcoef(wells["cq"], np.log10(wells["Ncopy"]))[0, 1] < -0.99


def test_standard_curves_over_published_copies_have_the_published_efficiency(joined):
    """Slope of Cq against copies, mean of the curves: two ways to one efficiency, within 0.15."""
    for _key, wells in crossed(joined).group_by("target"):
        curve = standard_curve(wells["Ncopy"].to_numpy(), wells["cq"].to_numpy())
        assert curve.r_squared > 0.98
        assert 1 + curve.efficiency == pytest.approx(wells["PCR eff"][0], abs=0.15)


def test_a_tenfold_series_gives_the_published_copies_up_to_one_factor(joined):
    """Seven tenfold steps of four targets: status ok, copies within 0.4 log10 of the owners'."""
    groups = list(tenfold(joined).group_by("target"))
    assert len(groups) == 4
    for _key, wells in groups:
        curve = standard_curve(wells["quantity"].to_numpy(), wells["cq"].to_numpy())
        assert curve.status == "ok"
        assert curve.r_squared > 0.998
        gap = np.log10(curve.copies(wells["cq"].to_numpy()) / wells["Ncopy"].to_numpy())
        assert np.abs(gap - np.median(gap)).max() < 0.4


def test_the_table_of_samples_repeats_the_mean_copies(joined):
    """The DNA table's copies are the means of the wells of that name, cut after one decimal."""
    table = rows_of("_quantify.tsv")
    targets = {4: "FSTL_1_F_109", 7: "FSTL_1_H_201"}
    compared = 0
    for cells in table[3:13]:
        sample = {"genomic DNA 20ng - AMC": "genomic DNA 20ng"}.get(cells[0], cells[0])
        for column, target in targets.items():
            wells = joined.filter(run=WITH_CQ, target=target, sample=sample)
            assert wells.height == 3
            assert wells["Ncopy"].mean() == pytest.approx(float(cells[column]), abs=0.1)
            compared += 1
    assert compared == 20


@pytest.mark.parametrize("target", ["FSTL_1_F_109", "FSTL_1_H_201"])
@pytest.mark.parametrize(("kinds", "samples", "factor"), [("Buccal", 6, 1.6), ("B", 8, 4.0)])
def test_copies_by_cq_follow_the_fluorometer(joined, target, kinds, samples, factor):
    """Copies per ng of Qubit: alike within a factor of 1.6 for swabs, of 4 with blood.

    By the owners' copies blood lies among the swabs: its curves cross the threshold early.
    """
    ng = {
        cells[0]: float(cells[1])
        for cells in rows_of("_quantify.tsv")[3:11]
        if cells[0].startswith(kinds)
    }
    wells = copies_by_cq(joined, target).filter(pl.col("sample").is_in(list(ng)))
    ratios = wells["copies"].to_numpy() / wells["sample"].replace_strict(ng).to_numpy()
    assert wells.height == 3 * samples
    assert np.abs(np.log(ratios / np.median(ratios))).max() < np.log(factor)


def test_digital_pcr_counts_the_same_dilutions(joined):
    """Genomic DNA of 20, 7, 2 and 0.7 ng per uL: copies by Cq over droplets alike within 40 %."""
    droplets = {cells[1]: float(cells[4]) for cells in rows_of("_res_dpcr_probe.tsv")[4:8]}
    assert list(droplets) == ["20", "7", "2", "0.7"]
    amount = pl.col("sample").str.extract(r"^genomic DNA ([0-9.]+)ng$").alias("amount")
    genomic = copies_by_cq(joined, "FSTL_1_F_109").with_columns(amount).drop_nulls("amount")
    means = dict(genomic.group_by("amount").agg(pl.col("copies").mean()).iter_rows())
    ratios = [means[amount] / count for amount, count in droplets.items()]
    assert max(ratios) / min(ratios) < 1.4


def planned(plan, well):
    """Sample and target that the plate plan gives a well; the first rows have targets by column."""
    row, column = well[0], 2 + int(well[1:])
    cells = plan[row]
    if row in "ABCDEF":
        known = {"20": "genomic DNA 20ng - EMBL", "G7": "Blood 7", "G8": "Blood 8"}
        sample = known.get(cells[column], cells[column].replace("G", "Buccal Swap "))
        return sample, ("FSTL_1_F_109", "FSTL_1_H_201")[(int(well[1:]) - 1) // 3 % 2]
    if row in "GH":
        return f"genomic DNA {cells[column]}ng", cells[1]
    series = cells[2].replace("Dil", "").strip()
    return f"Dil {series} - 10e{round(np.log10(float(cells[column])))}", cells[1]


def test_the_plate_plan_names_the_same_samples(joined):
    """All but eight of 294 wells: there the RDML and the owners' table name the other series."""
    plan = {cells[0]: cells for cells in rows_of("_pipett_genomic_dna.tsv") if cells[0]}
    wells = joined.filter(run=WITH_CQ)
    other = []
    for row in wells.iter_rows(named=True):
        sample, target = planned(plan, row["well"])
        assert row["target"].removesuffix(" APS") == target
        if row["sample"] != sample:
            other.append(row["well"])
    assert wells.height == 294
    assert other == [row + column for row in "MNOP" for column in ("05", "06")]
