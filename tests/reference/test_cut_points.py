"""Cuts and statistics against SubgrpID, glm and logistf (R 4.2.2) on stored replicates."""

import numpy as np
import pytest

from assayhouse.stats.batting import batting, scan

from support.cut_points import SETS, nearest, read_numbers, read_resamples, read_trial

SUBGRPID = [
    ("t164", "subgrpid_minsig0.2", "higher", {}),
    ("t164", "subgrpid_minsig0.05", "higher", {"min_share": 0.05}),
    ("t164", "subgrpid_lower_minsig0.2", "lower", {}),
    ("t164_ties", "subgrpid_minsig0.2", "higher", {}),
    ("t164_sep", "subgrpid_minsig0.2", "higher", {}),
    ("t164_sep", "subgrpid_zerocell_rows", "higher", {}),
    ("t164_null", "subgrpid_minsig0.2", "higher", {}),
]
ENGINES = ["numpy", "numba"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "table", "direction", "options"), SUBGRPID)
def test_preset_subgrpid_chooses_the_cuts_of_subgrpid(name, table, direction, options, engine):
    trial, theirs = read_trial(name), read_numbers("cuts", f"{name}.{table}.csv")
    rows = read_resamples(name)[theirs["boot"].astype(int) - 1]
    ours = batting(
        trial["ifn"],
        trial["trt"],
        trial["resp"],
        resamples=rows,
        preset="subgrpid",
        direction=direction,
        engine=engine,
        **options,
    )
    assert np.array_equal(ours.cuts, nearest(trial["ifn"], theirs["cut"]), equal_nan=True)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("test", ["lrt", "wald", "firth"])
@pytest.mark.parametrize("name", SETS)
def test_the_best_of_all_cuts_is_that_of_patient_level_fits(name, test, engine):
    trial, theirs = read_trial(name), read_numbers("cuts", f"{name}.optcuts_min5.csv")
    rows = read_resamples(name)[theirs["boot"].astype(int) - 1]
    options = {"test": test, "direction": "higher", "resamples": rows, "engine": engine}
    ours = batting(trial["ifn"], trial["trt"], trial["resp"], **options)
    assert np.array_equal(ours.cuts, nearest(trial["ifn"], theirs[f"cut_{test}"]))
    assert ours.statistics == pytest.approx(theirs[f"stat_{test}"], rel=1e-9)
    assert np.array_equal(ours.n_used, theirs["n_used"])


PER_CUT = [
    ("t164", "original", "all"),
    ("t164", "boot1-40.allcuts", "all"),
    ("t164", "boot1-700.grid19", "grid19"),
    *((name, "original", "all") for name in SETS[1:]),
    *((name, "boot1-10.allcuts", "all") for name in SETS[1:]),
    *((name, "boot1-60.grid19", "grid19") for name in SETS[1:]),
]


def scans(name, table, candidates, **options):
    """Our scan beside the rows of a reference table, one replicate after the other."""
    trial, theirs = read_trial(name), read_numbers("percut", f"{name}.{table}.csv.gz")
    rows = np.vstack([np.arange(len(trial["ifn"])), read_resamples(name)])
    for replicate in np.unique(theirs["boot"]).astype(int):
        mine = scan(
            trial["ifn"],
            trial["trt"],
            trial["resp"],
            weights=np.bincount(rows[replicate], minlength=rows.shape[1]),
            candidates=candidates(replicate) if callable(candidates) else candidates,
            **options,
        )
        part = {key: values[theirs["boot"] == replicate] for key, values in theirs.items()}
        yield mine, part, nearest(trial["ifn"], part["cut"])


def same(ours, theirs, within):
    """Equal within a tolerance, and undefined at the same places."""
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    assert np.nanmax(np.abs(ours - theirs), initial=0.0) <= within


@pytest.mark.parametrize(("name", "table", "candidates"), PER_CUT)
def test_cells_and_statistics_of_every_cut_are_those_of_glm(name, table, candidates):
    tests = ("lrt", "wald", "wald_glm")
    for ours, theirs, cuts in scans(name, table, candidates, tests=tests):
        assert np.array_equal(ours.cuts, cuts)
        for cell in ("00", "01", "10", "11"):
            assert np.array_equal(ours.n[:, int(cell[0]), int(cell[1])], theirs[f"n{cell}"])
            assert np.array_equal(ours.y[:, int(cell[0]), int(cell[1])], theirs[f"y{cell}"])
        zero = theirs["zero_cell"] == 1
        assert np.array_equal(ours.zero_cell, zero)
        same(ours.p["wald"], theirs["wald_p"], 1e-9)
        same(ours.beta["wald"], theirs["beta"], 1e-9)
        same(ours.se["wald"], theirs["se"], 1e-9)
        same(ours.p["lrt"][~zero], theirs["lrt_p"][~zero], 1e-9)
        # With a zero cell R stops at a deviance that still moves by 1e-8.
        same(ours.statistic["lrt"][zero], theirs["lrt"][zero], 1e-5)
        same(ours.p["wald_glm"][~zero], theirs["wald_p_glm_default"][~zero], 1e-9)
        same(ours.p["wald_glm"][zero], theirs["wald_p_glm_default"][zero], 1e-8)


def test_statistics_adjusted_for_two_covariates_are_those_of_glm():
    trial = read_trial("t164")
    adjust = np.column_stack([trial["steroid"], trial["sledai"]])
    kinds = {"tests": ("lrt", "wald"), "adjust": adjust}
    for ours, theirs, cuts in scans(
        "t164", "stratified", lambda replicate: "grid19" if replicate else "all", **kinds
    ):
        zero = theirs["zero_cell"] == 1
        assert np.array_equal(ours.cuts, cuts)
        same(ours.p["wald"][~zero], theirs["wald_p"][~zero], 1e-9)
        same(ours.p["lrt"][~zero], theirs["lrt_p"][~zero], 1e-9)
        same(ours.statistic["lrt"][zero], theirs["lrt"][zero], 1e-5)


def test_firth_is_logistf_with_zero_cells_and_without():
    trial = read_trial("t164_sep")
    theirs = read_numbers("percut", "t164_sep.firth_logistf.csv")
    cuts = nearest(trial["ifn"], theirs["cut"])
    ours = scan(trial["ifn"], trial["trt"], trial["resp"], tests=("firth",), candidates=cuts)
    assert ours.zero_cell.sum() == 15
    assert ours.p["firth"] == pytest.approx(theirs["plrt_p"], abs=1e-8)
    assert ours.beta["firth"] == pytest.approx(theirs["beta"], abs=1e-8)
    assert ours.se["firth"] == pytest.approx(theirs["se"], abs=1e-7)


@pytest.mark.parametrize(
    ("options", "threshold"),
    [({"preset": "subgrpid"}, -0.0678), ({"preset": "lipsky2022"}, -0.7095)],
)
def test_wald_on_a_grid_and_likelihood_ratio_on_every_cut_disagree_as_measured(options, threshold):
    trial = read_trial("t164")
    rows = read_resamples("t164")
    found = batting(
        trial["ifn"], trial["trt"], trial["resp"], resamples=rows, direction="higher", **options
    )
    assert found.threshold == pytest.approx(threshold, abs=5e-5)
