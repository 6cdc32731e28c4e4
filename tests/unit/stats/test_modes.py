"""Modes of samples small enough to know the answer, and rules with their provenance."""

import hashlib
import json

import numpy as np
import pytest

from assayhouse.stats import modes_dip, modes_null
from assayhouse.stats.errors import InputError
from assayhouse.stats.modes import (
    antimode,
    critical_bandwidth,
    cutpoint,
    dip_test,
    kde_modes,
    silverman_test,
)

TWO = np.concatenate([np.linspace(0, 1, 30) ** 2, 5 + np.linspace(0, 1, 25) ** 3])


def test_two_equal_values_merge_when_they_are_two_bandwidths_apart():
    for distance in (2.0, 1e-6, 1e9):
        assert critical_bandwidth([0.0, distance]) == pytest.approx(distance / 2, rel=1e-9)


def test_far_values_do_not_invent_modes():
    found = kde_modes([0.0, 1e6, 1e6 + 1.0], 1.0)
    assert found.kinds == ("mode", "antimode", "mode")
    assert found.locations[[0, 2]] == pytest.approx([0.0, 1e6 + 0.5])


def test_a_critical_bandwidth_needs_more_values_than_modes():
    assert np.isnan(critical_bandwidth([1.0, 1.0, 1.0]))
    assert np.isnan(critical_bandwidth([1.0, 2.0, None], 2))


def test_turning_points_alternate_and_densities_match_them():
    found = kde_modes(TWO, 0.3)
    assert found.kinds == ("mode", "antimode", "mode")
    assert found.densities[1] < found.densities[[0, 2]].min()
    assert (np.diff(found.locations) > 0).all()


def test_the_dip_of_few_values_is_known():
    assert dip_test([1.0, 2.0], n_sim=0).statistic == 0.25
    assert dip_test(np.arange(10.0), n_sim=0).statistic == pytest.approx(0.05)
    # Two lumps of ten: the nearest unimodal distribution is a quarter away, nearly.
    lumps = np.concatenate([np.zeros(10), np.ones(10)])
    assert dip_test(lumps, n_sim=0).statistic == pytest.approx(0.25)


def test_a_dip_of_two_groups_is_rare_and_that_of_one_is_not():
    assert dip_test(TWO, n_sim=199, rng=1).p == 0.0
    assert dip_test(np.linspace(0, 1, 40), n_sim=99, rng=1).p == 1.0


def test_compiled_dips_have_the_bits_of_plain_ones():
    pytest.importorskip("numba")
    samples = np.sort(np.round(np.random.default_rng(1).random((50, 30)), 2), axis=1)
    plain, compiled = np.empty(50), np.empty(50)
    modes_dip.dip_rows(samples, plain)
    modes_null._compiled_rows()(samples, compiled)
    assert plain.tolist() == compiled.tolist()


def test_too_few_values_have_no_p():
    assert np.isnan(dip_test(np.arange(9.0), n_sim=9, rng=1).p)
    assert np.isnan(dip_test([1.0, 2.0, 3.0] * 10, n_sim=9, rng=1).p)
    assert np.isnan(silverman_test([1.0, 2.0, 3.0] * 10, n_boot=9, rng=1).p)
    assert np.isnan(dip_test([], n_sim=9, rng=1).statistic)


def test_silverman_rejects_one_mode_of_two_groups_but_not_two():
    assert silverman_test(TWO, 1, n_boot=99, rng=2).p <= 0.02
    assert silverman_test(TWO, 2, n_boot=99, rng=2).p > 0.1


def test_silvermans_test_of_the_chondrites_is_near_the_measured_share():
    # Silica of 22 chondrites (Ahrens 1965); the share by this definition was measured as 0.19.
    silica = [
        20.77, 22.56, 22.71, 22.99, 26.39, 27.08, 27.32, 27.33, 27.57, 27.81, 28.69,
        29.36, 30.25, 31.89, 32.88, 33.23, 33.28, 33.40, 33.52, 33.83, 33.95, 34.82,
    ]  # fmt: skip
    found = silverman_test(silica, n_boot=600, rng=1)
    assert abs(found.p - 0.19) <= 4 * np.sqrt(0.19 * 0.81 / 600)


def test_an_antimode_lies_between_its_modes_with_an_interval_around_it():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0, 1, 60), rng.normal(5, 1, 60)])
    found = antimode(values, n_boot=60, rng=3, path_points=5)
    assert found.modes[0] < found.value < found.modes[1]
    assert found.ci[0] <= found.value <= found.ci[1]
    assert found.path_h.shape == found.path_value.shape == (5,)
    assert found.path_value[0] == found.value
    assert found.h_crit_2 < found.path_h[-1] < found.h_crit_1


def test_given_rows_replace_drawn_ones_and_missing_values_drop_out_of_them():
    values = [*TWO.tolist(), None]
    rows = np.tile(np.arange(56), (3, 1))
    found = antimode(values, resamples=rows)
    assert found.seed is None
    assert found.ci == pytest.approx((found.value, found.value), rel=1e-9)
    with pytest.raises(InputError):
        antimode(values, resamples=rows + 1)
    with pytest.raises(InputError):
        antimode(values, resamples=rows[:, 1:])


def test_an_antimode_of_two_values_does_not_exist():
    found = antimode([1.0, 2.0], n_boot=5, rng=1)
    assert np.isnan([found.value, found.density, *found.ci, *found.modes]).all()
    assert found.n_failed == 5


def test_a_bimodal_training_set_gives_its_antimode():
    made = cutpoint(TWO, n_sim=199, n_boot=20, rng=1, dataset_id="train")
    assert (made.decision, made.rule, made.dataset_id) == ("bimodal", "antimode", "train")
    assert made.value == made.antimode.value
    little = np.sort(TWO).astype("<f8").tobytes()
    assert made.sha256 == hashlib.sha256(little).hexdigest()
    json.dumps(made.to_dict(), allow_nan=False)


def test_a_unimodal_training_set_gives_its_median_and_no_antimode():
    made = cutpoint(np.linspace(0, 1, 41), n_sim=99, n_boot=50, rng=1)
    assert (made.decision, made.rule, made.antimode) == ("unimodal", "median", None)
    assert made.value == made.median == 0.5
    assert made.median_ci[0] < 0.5 < made.median_ci[1]


def test_undecided_gives_the_median_and_asks_for_a_person():
    made = cutpoint([1.0, 2.0, 3.0, 4.0, None], n_boot=0, rng=1)
    assert (made.decision, made.value, made.n) == ("undecided", 2.5, 4)
    assert "a person must choose" in made.warnings[-1]
    assert np.isnan(made.median_ci).all()


def test_a_rule_that_was_asked_for_is_fixed_and_warned_about():
    made = cutpoint(np.linspace(0, 1, 41) ** 2, rule="antimode", n_sim=99, n_boot=0, rng=1)
    assert (made.decision, made.rule) == ("fixed", "antimode")
    assert "artefact" in made.warnings[0]


def test_a_rule_applied_to_a_trial_is_strictly_above_and_refuses_the_missing():
    made = cutpoint([1.0, 2.0, 3.0], rule="median", n_boot=0, rng=1)
    assert made.apply([2.0, 2.1]).tolist() == [False, True]
    with pytest.raises(InputError, match="1 values are missing"):
        made.apply([1.0, None])


@pytest.mark.parametrize(
    "call",
    [
        lambda: critical_bandwidth([1, 2], 0),
        lambda: critical_bandwidth([1, 2], rtol=0.0),
        lambda: critical_bandwidth(["a", "b"]),
        lambda: kde_modes([1, 2], 0.0),
        lambda: dip_test([1, np.inf], n_sim=0),
        lambda: dip_test([1, 2], n_sim=-1),
        lambda: silverman_test([1, 2], n_boot=0),
        lambda: antimode([1, 2], conf_level=0.0),
        lambda: cutpoint([1, 2], rule="mean"),
        lambda: cutpoint([1, 2], alpha=1.0),
    ],
)
def test_what_is_no_question_is_refused(call):
    with pytest.raises(InputError):
        call()
