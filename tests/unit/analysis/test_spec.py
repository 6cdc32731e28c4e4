"""Analysis specs: frozen, hashable, the same after a trip through a file, checked when made."""

import json
from dataclasses import FrozenInstanceError, replace

import pytest
import yaml

from assayhouse.analysis.effects import EffectSpec, ImputeSpec, preset
from assayhouse.errors import ModelDataError
from assayhouse.stats.psi import MASS_MAD, PHI75

OBSERVED = {"population": "observed_at_visit", "impute": ImputeSpec(method="none")}


def test_defaults_are_those_of_the_description():
    spec = EffectSpec("P")
    assert spec.responses == ("abs", "chg", "pchg", "log")
    assert (spec.psi, spec.scale, spec.covariance, spec.variance_ddof) == ("huber", "mad", "h1", 0)
    assert (spec.tuning, spec.mad_constant) == (None, PHI75)
    assert (spec.tolerance, spec.max_iterations, spec.conf_level) == (1e-10, 2000, 0.95)
    assert (spec.blq_rule, spec.blq_limit, spec.multiplicity) == ("lloq/2", 0.5, "none")
    assert (spec.df_method, spec.lambda_floor, spec.weights) == ("barnard_rubin", 0.0, "om")
    assert spec.population == "baseline_observed"
    assert spec.impute == ImputeSpec(
        method="fcs_norm", scale="log", m=100, sweeps=5, by_arm=True, strategy="MAR", seed=1
    )


def test_a_spec_is_frozen_and_hashable():
    spec = EffectSpec("P", strata=("site",))
    with pytest.raises(FrozenInstanceError):
        spec.psi = "ols"
    assert len({spec, EffectSpec("P", strata=["site"])}) == 1


@pytest.mark.parametrize(
    "spec",
    [
        EffectSpec("P"),
        EffectSpec("P", visits=(4, 12), strata=("a", "b"), subgroups=("c",), **OBSERVED),
        EffectSpec("P", multiplicity="holm", family=("avisitn", "response"), tuning=2),
        preset("mass", "P", weights="equal"),
        preset("sas-like", "P"),
    ],
)
def test_a_spec_survives_dict_json_and_yaml(spec):
    assert EffectSpec.from_dict(spec.to_dict()) == spec
    for text, read in (
        (json.dumps(spec.to_dict()), json.loads),
        (yaml.safe_dump(spec.to_dict()), yaml.safe_load),
    ):
        again = EffectSpec.from_dict(read(text))
        assert again == spec
        assert again.spec_hash() == spec.spec_hash()


def test_from_dict_fills_in_defaults():
    assert EffectSpec.from_dict({"reference": "P"}) == EffectSpec("P")
    assert EffectSpec.from_dict({"reference": "P", "impute": {"m": 20}}).impute.m == 20


def test_an_imputation_survives_its_dict():
    spec = ImputeSpec(method="monotone", m=7, delta=1)
    assert ImputeSpec.from_dict(spec.to_dict()) == spec


def test_equal_options_written_differently_have_one_hash():
    one = EffectSpec("P", blq_limit=1, max_iterations=50.0, visits=[4.0])
    two = EffectSpec("P", blq_limit=1.0, max_iterations=50, visits=(4,))
    assert one.spec_hash() == two.spec_hash()


def test_every_option_changes_the_hash():
    spec = EffectSpec("P", **OBSERVED)
    changes = [
        {"reference": "Q"}, {"responses": ("log",)}, {"visits": (4,)}, {"strata": ("s",)},
        {"psi": "ols"}, {"tuning": 1.5}, {"scale": "proposal2"}, {"mad_constant": MASS_MAD},
        {"covariance": "h2"}, {"variance_ddof": 1}, {"tolerance": 1e-9}, {"max_iterations": 9},
        {"weights": "equal"}, {"df_method": "rubin1987"}, {"lambda_floor": 1e-4},
        {"conf_level": 0.9}, {"multiplicity": "bh", "family": ("avisitn",)},
        {"blq_rule": "lloq/sqrt2"}, {"blq_limit": 0.4}, {"subgroups": ("g",)},
        {"impute": ImputeSpec(method="none", seed=2)},
    ]  # fmt: skip
    hashes = {replace(spec, **change).spec_hash() for change in changes} | {spec.spec_hash()}
    assert len(hashes) == len(changes) + 1


def test_the_hash_is_a_sha_256_of_the_canonical_text():
    digest = EffectSpec("P").spec_hash()
    assert len(digest) == 64
    assert (
        digest
        == EffectSpec.from_dict(json.loads(json.dumps(EffectSpec("P").to_dict()))).spec_hash()
    )


def test_presets_hold_the_options_of_their_table():
    paper, mass = preset("paper", "P"), preset("mass", "P")
    sas, best = preset("sas-like", "P"), preset("recommended", "P")
    assert paper.responses == ("abs", "chg", "pchg")
    assert (paper.psi, paper.mad_constant, paper.variance_ddof, paper.impute.m) == (
        "huber",
        PHI75,
        0,
        100,
    )
    assert (mass.mad_constant, mass.variance_ddof, mass.lambda_floor) == (MASS_MAD, 1, 1e-4)
    assert (sas.psi, sas.df_method, sas.impute.method) == ("bisquare", "rubin1987", "monotone")
    assert (best.responses, best.blq_rule, best.impute.by_arm) == (("log",), "censored", True)


def test_changes_to_a_preset_replace_its_options_and_keep_the_rest():
    spec = preset("mass", "P", strata=("s",), **OBSERVED)
    assert (spec.strata, spec.variance_ddof, spec.impute.method) == (("s",), 1, "none")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"psi": "hampel"}, "psi='hampel'"),
        ({"weights": "cells"}, "weights"),
        ({"population": "everybody"}, "population"),
        ({"blq_rule": "zero"}, "blq_rule"),
        ({"responses": ("ratio",)}, "responses"),
        ({"responses": ()}, "responses"),
        ({"responses": ("abs", "abs")}, "more than once"),
        ({"strata": "site"}, "list of names"),
        ({"strata": ("arm",)}, "meaning of its own"),
        ({"subgroups": ("base",)}, "meaning of its own"),
        ({"visits": ("four",)}, "visits"),
        ({"conf_level": 1.0}, "conf_level"),
        ({"conf_level": "high"}, "conf_level"),
        ({"blq_limit": 1.5}, "blq_limit"),
        ({"lambda_floor": -1}, "lambda_floor"),
        ({"tuning": -1}, "tuning"),
        ({"tolerance": float("nan")}, "tolerance"),
        ({"max_iterations": 1.5}, "whole number"),
        ({"variance_ddof": 3}, "variance_ddof"),
        ({"multiplicity": "holm"}, "declared family"),
        ({"family": ("nothing",)}, "family"),
        ({"impute": "none"}, "ImputeSpec"),
        ({"population": "observed_at_visit"}, "goes with"),
        ({"impute": ImputeSpec(method="none")}, "goes with"),
        ({"reference": ""}, "name of an arm"),
    ],
)
def test_an_option_that_cannot_be_is_an_error_when_the_spec_is_made(options, message):
    with pytest.raises(ModelDataError, match=message):
        EffectSpec(**({"reference": "P"} | options))


@pytest.mark.parametrize(
    "options",
    [
        {"method": "forest"},
        {"scale": "sqrt"},
        {"strategy": "LOCF"},
        {"m": 0},
        {"sweeps": 0},
        {"m": 2.5},
    ],
)
def test_an_imputation_that_cannot_be_is_an_error(options):
    with pytest.raises(ModelDataError, match=next(iter(options))):
        ImputeSpec(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reference": "P", "psy": "ols"}, "psy"),
        ({"reference": "P", "_": 1}, "_"),
        ({}, "no reference arm"),
        ({"reference": "P", "impute": {"n": 3}}, "impute"),
    ],
)
def test_a_file_with_an_unknown_or_missing_option_is_an_error(options, message):
    with pytest.raises(ModelDataError, match=message):
        EffectSpec.from_dict(options)


def test_an_unknown_preset_or_option_of_it_is_an_error():
    with pytest.raises(ModelDataError, match="choose one of mass, paper"):
        preset("stata", "P")
    with pytest.raises(ModelDataError, match="seeds"):
        preset("paper", "P", seeds=3)
