"""Module scores of real expression sets, and the cut of each: antimode, median, or refused.

What is expected is stated with the sets, measured by other tools on the same numbers.
"""

import csv
from functools import cache

import numpy as np
import polars as pl
import pytest

from assayhouse.derive.gene_modules import derive_module_scores
from assayhouse.stats.modes import antimode, cutpoint, dip_test
from assayhouse.stats.robust import m_regression

from support.shared import shared

INTERFERON = ("IFI27", "IFI44", "IFI44L", "RSAD2")
SIMULATED = 2_000  # draws of the dip's null: p within 0.01


def table(name):
    """Columns of a set by name; a name may stand over several columns."""
    with shared("samples", "ifn", name).open(newline="") as file:
        return list(csv.reader(file))


def long(rows):
    """Frame of the module functions from (specimen, gene, log2)."""
    return pl.DataFrame(
        [(specimen, specimen, gene, value, False) for specimen, gene, value in rows],
        schema=["USUBJID", "REFID", "gene", "log2_expression", "censored"],
        orient="row",
    )


def scores(name, genes):
    """Scores of one module over the specimens of a set, through the library."""
    header, *rows = table(name)
    places = {gene: header.index(gene) for gene in genes}
    told = [
        (f"{number}", gene, float(row[place]))
        for number, row in enumerate(rows)
        for gene, place in places.items()
    ]
    module = pl.DataFrame({"module": "M", "gene": list(genes)})
    found = derive_module_scores(long(told), module)
    assert found["score_log2"].null_count() == 0
    assert found["n_genes_used"].unique().to_list() == [len(genes)]
    return found.sort(pl.col("USUBJID").cast(pl.Int64))["score_log2"].to_numpy()


@cache
def by_numpy(name, genes):
    """The same by plain means of columns."""
    header, *rows = table(name)
    places = [header.index(gene) for gene in genes]
    return np.array([[float(row[place]) for place in places] for row in rows]).mean(axis=1)


SETS = {
    "lrcde_GSE65391_150x490.csv": ("IFI44L", "RSAD2"),
    "pathMED_dataset1.csv": INTERFERON,
    "pathMED_dataset4.csv": INTERFERON,
    "PLIER_dataWholeBlood_modulegenes.csv": INTERFERON,
}


@pytest.mark.parametrize(("name", "genes"), SETS.items())
def test_module_scores_are_the_means_of_the_log2_columns(name, genes):
    np.testing.assert_allclose(scores(name, genes), by_numpy(name, genes), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "value", "bandwidth", "p"),
    [
        ("lrcde_GSE65391_150x490.csv", 8.939, 0.63491, 0.0018),
        ("pathMED_dataset1.csv", 10.099, 0.48441, 0.018),
    ],
)
def test_bimodal_sets_are_cut_at_the_stated_antimode(name, value, bandwidth, p):
    values = scores(name, SETS[name])
    found = antimode(values, n_boot=0)
    dip = dip_test(values, n_sim=SIMULATED, rng=1)
    print(f"{name}: antimode {found.value:.4f} at {found.h_crit_2:.5f}, dip p {dip.p:.4f}")
    assert found.value == pytest.approx(value, abs=6e-4)
    assert found.h_crit_2 == pytest.approx(bandwidth, abs=6e-6)
    assert abs(dip.p - p) <= 4 * np.sqrt(p * (1 - p) / SIMULATED)


def test_a_bimodal_set_is_decided_so_and_cut_there():
    name = "lrcde_GSE65391_150x490.csv"
    made = cutpoint(scores(name, SETS[name]), n_sim=400, n_boot=20, rng=1)
    assert made.decision == "bimodal"
    assert made.rule == "antimode"
    assert made.value == pytest.approx(8.939, abs=6e-4)


@pytest.mark.parametrize("name", ["pathMED_dataset4.csv", "PLIER_dataWholeBlood_modulegenes.csv"])
def test_a_set_without_two_modes_gets_no_antimode(name):
    values = scores(name, SETS[name])
    made = cutpoint(values, n_sim=400, n_boot=20, rng=1)
    print(f"{name}: {made.decision}, {made.rule} {made.value:.4f}, dip p {made.dip.p:.3f}")
    assert made.decision in {"unimodal", "undecided"}
    assert made.rule != "antimode"
    assert made.value == np.median(values)


def test_the_median_of_the_set_without_two_modes_is_the_stated_one():
    assert np.median(scores("pathMED_dataset4.csv", INTERFERON)) == pytest.approx(9.545, abs=6e-4)


def test_a_gene_with_several_probes_counts_once():
    header, *rows = table("tmod_Egambia_modulegenes.csv")
    genes = [row[0] for row in rows]
    doubled = sorted(gene for gene in set(genes) if genes.count(gene) > 1)
    assert doubled == ["IFI27", "RSAD2"]
    told = [
        (f"{place}", row[0], float(row[place])) for row in rows for place in range(3, len(header))
    ]
    module = pl.DataFrame({"module": "M", "gene": list(INTERFERON)})
    found = derive_module_scores(long(told), module).sort(pl.col("USUBJID").cast(pl.Int64))
    assert found["n_genes"].unique().to_list() == [len(INTERFERON)]
    assert found["n_genes_used"].unique().to_list() == [len(INTERFERON)]
    probes = {gene: [] for gene in INTERFERON}
    for row in rows:
        if row[0] in probes:
            probes[row[0]].append([float(cell) for cell in row[3:]])
    once = [np.mean(values, axis=0) for values in probes.values()]
    np.testing.assert_allclose(found["score_log2"].to_numpy(), np.mean(once, axis=0), rtol=1e-12)
    every = np.mean([value for values in probes.values() for value in values], axis=0)
    assert np.abs(found["score_log2"].to_numpy() - every).max() > 0.1


def test_changes_of_module_scores_in_a_placebo_controlled_trial_are_the_stated_ones():
    """Change from baseline by patient, and its mean by group and day as adjusted means give it."""
    rows = pl.read_csv(
        shared("samples", "ifn", "multi-plier", "E-GEOD-39088_IFNk_Chiche_modules_change.tsv"),
        separator="\t",
    ).filter(pl.col("Module") == "M1.2")
    base = rows.filter(pl.col("Day") == "baseline").select("Patient", pl.col("Summary").alias("B"))
    later = rows.filter(pl.col("Day") != "baseline").join(base, on="Patient", validate="m:1")
    change = (later["Summary"] - later["B"]).to_numpy()
    assert change == pytest.approx(later["Change"].to_numpy(), abs=1e-12)
    stated = {
        ("day 112", "IFN-positive"): -0.0898, ("day 168", "IFN-positive"): -0.0917,
        ("day 112", "IFN-negative"): 0.0972, ("day 168", "IFN-negative"): 0.0706,
        ("day 112", "Placebo"): 0.0174, ("day 168", "Placebo"): -0.0220,
    }  # fmt: skip
    cells = list(later.select("Day", "IFN-level").iter_rows())
    design = np.array([[cell == wanted for wanted in stated] for cell in cells], dtype=np.float64)
    means = m_regression(design, change, psi="ols").coefficients[0]
    assert means == pytest.approx(list(stated.values()), abs=5.1e-5)
