"""Critical bandwidths, antimodes and dips against polished numbers, multimode and diptest."""

import json
from functools import cache

import numpy as np
import pytest

from assayhouse.stats.modes import antimode, critical_bandwidth, cutpoint, dip_test, kde_modes

from support.shared import shared

SETS = ("faithful_eruptions", "acidity", "ifn_sim", "aiolos_sim", "unif_ties", "n4")


@cache
def sample(name):
    """Values of one set."""
    lines = shared("reference", "cutpoints", "modes", "modes_input.csv").read_text().splitlines()
    pairs = [line.split(",") for line in lines[1:]]
    return np.array([float(value) for label, value in pairs if label == name])


@cache
def reference(name):
    """Stored numbers of one set."""
    path = shared("reference", "cutpoints", "modes", "modes_reference.json")
    return json.loads(path.read_text())[name]


@pytest.mark.parametrize("name", SETS)
def test_critical_bandwidths_are_the_polished_ones_and_near_multimodes(name):
    theirs = reference(name)
    for k in (1, 2, 3):
        ours = critical_bandwidth(sample(name), k)
        assert ours == pytest.approx(theirs[f"mm_bwcrit_{k}"], rel=1e-4)
        if k < 3:
            assert ours == pytest.approx(theirs["polished"][f"h_crit_{k}"], rel=1e-8)


@pytest.mark.parametrize("name", SETS)
def test_the_antimode_is_the_polished_one(name):
    values, theirs = sample(name), reference(name)["polished"]
    ours = antimode(values, n_boot=0)
    within = 1e-8 * np.ptp(values)
    assert ours.value == pytest.approx(theirs["antimode"], abs=within)
    assert ours.modes == pytest.approx(theirs["modes"], abs=within)
    assert ours.density == pytest.approx(theirs["antimode_density"], rel=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_the_dip_is_that_of_diptest(name):
    theirs = reference(name)
    ours = dip_test(sample(name), n_sim=0)
    assert ours.statistic == pytest.approx(theirs["dip"], abs=1e-12)
    assert ours.modal_interval == pytest.approx(theirs["dip_modal_interval"], abs=1e-12)


@pytest.mark.parametrize("name", ["acidity", "aiolos_sim", "ifn_sim"])
def test_the_p_of_the_dip_agrees_within_simulation(name):
    theirs = reference(name)["dip_p_interp"]
    ours = dip_test(sample(name), n_sim=600, rng=5).p
    assert abs(ours - theirs) <= 4 * np.sqrt(theirs * (1 - theirs) / 600) + 1e-12


def test_turning_points_at_a_given_bandwidth_are_those_of_r():
    theirs = reference("acidity")
    found = kde_modes(sample("acidity"), theirs["bw.nrd0"])
    assert found.kinds == ("mode", "antimode", "mode")
    assert found.locations == pytest.approx(theirs["loc_bw.nrd0"], abs=1e-9)


def test_the_decisions_are_the_measured_ones():
    expected = {"ifn_sim": "bimodal", "aiolos_sim": "unimodal", "unif_ties": "undecided"}
    for name, decision in expected.items():
        made = cutpoint(sample(name), n_sim=400, n_boot=20, rng=1)
        assert made.decision == decision
        assert (made.antimode is None) == (decision == "unimodal")
