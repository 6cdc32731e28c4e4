"""Cut-offs made from a training set: rule, provenance, refusals, and what the trial takes."""

from dataclasses import replace

import numpy as np
import pytest

from assayhouse.analysis.training_rules import make_rule
from assayhouse.contracts import declarations
from assayhouse.contracts.training import TrainingTable
from assayhouse.errors import DeclarationError
from assayhouse.pipeline.relations import build_relation, is_current
from assayhouse.pipeline.subsets import _reused
from assayhouse.stats.modes import cutpoint
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

RNG = np.random.Generator(np.random.Philox(3))
ONE = RNG.normal(size=60)
TWO = np.concatenate([RNG.normal(-3, 0.6, 30), RNG.normal(2, 0.6, 30)])
LOADED = declarations.load()
TRAINING = replace(LOADED.study.plan.training_sets[0], n_boot=20)


def table(values, name="IFNMODL"):
    people = tuple(f"p{number}" for number in range(len(values)))
    return TrainingTable(sha256="abc", people=people, values={name: tuple(values.tolist())})


def cut(**changes):
    given = LOADED.study.plan.cut_off("IFNMOD")
    return replace(given, **({"value": None, "decimals": None} | changes))


def made(values, **changes):
    return make_rule(cut(**changes), TRAINING, table(values), seed=1)


def test_two_humps_give_the_antimode_and_one_the_median():
    two, one = made(TWO), made(ONE)
    assert (two.rule, two.found.decision) == ("antimode", "bimodal")
    assert -2 < two.value < 1
    assert two.interval[0] <= two.value <= two.interval[1]
    assert (one.rule, one.found.decision, one.value) == ("median", "unimodal", np.median(ONE))


def test_a_declared_rule_stands_and_the_tests_are_told_beside():
    found = made(TWO, rule="median")
    assert (found.rule, found.value) == ("median", np.median(TWO))
    assert "the tests say bimodal" in found.remarks
    forced = made(ONE, rule="antimode")
    assert forced.rule == "antimode"
    assert forced.value != np.median(ONE)


def test_an_undecided_set_needs_a_person():
    heaped = np.round(1.2 * np.random.Generator(np.random.Philox(1)).normal(size=80))
    decision = cutpoint(heaped, n_boot=1, rng=1).decision
    assert decision == "undecided", "the case must be one"
    with pytest.raises(DeclarationError, match="A person must"):
        made(heaped)
    assert made(heaped, rule="median").rule == "median"


def test_a_value_is_rounded_as_declared_and_must_then_be_the_declared_one():
    found = made(ONE, decimals=2)
    assert found.value == round(float(np.median(ONE)), 2)
    assert made(ONE, decimals=2, value=found.value).value == found.value
    with pytest.raises(DeclarationError, match="is declared"):
        made(ONE, decimals=2, value=found.value + 0.01)


def test_too_few_values_are_no_rule():
    with pytest.raises(DeclarationError, match="0 values"):
        made(np.full(12, np.nan), rule="median")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A home in which one cut-off has no declared value but that of its training set."""
    plan = replace(
        LOADED.study.plan, training_sets=(TRAINING,), cut_offs=(cut(rule="auto", value=None),)
    )
    loaded = replace(LOADED, study=replace(LOADED.study, plan=plan), training={"SLE96": table(TWO)})
    home = Home(tmp_path_factory.mktemp("rules") / "home").create()
    for relation in ("ref.cut_off_rules", "ref.cut_offs"):
        build_relation(home, loaded, relation)
    return home, loaded


def test_the_rule_is_stored_with_all_it_needs_to_be_made_again(built):
    row = Lake(*built).scan("ref.cut_off_rules").collect().row(0, named=True)
    again = cutpoint(TWO, n_boot=20, rng=row["seed"], dataset_id=row["training_set"])
    assert row["unrounded"] == again.value
    assert (row["ci_lo"], row["ci_hi"]) == again.antimode.ci
    assert (row["dip_p"], row["silverman_p"]) == (again.dip.p, again.silverman.p)
    assert row["h_crit_2"] == again.antimode.h_crit_2
    assert row["values_sha256"] == again.sha256
    assert (row["n"], row["decision"], row["file_sha256"]) == (60, "bimodal", "abc")
    assert row["made_on"].isoformat() == "2018-02-01"


def test_the_trial_takes_the_value_from_there(built):
    lake = Lake(*built)
    rule = lake.scan("ref.cut_off_rules").collect().row(0, named=True)
    used = lake.scan("ref.cut_offs").collect().row(0, named=True)
    assert (used["cut_off_rule"], used["cut_off_value"]) == ("antimode", rule["cut_off_value"])


def test_another_training_file_puts_the_rule_out_of_date(built):
    home, loaded = built
    assert is_current(Lake(home, loaded), loaded, "ref.cut_off_rules")
    other = replace(loaded, training={"SLE96": replace(table(TWO), sha256="def")})
    assert not is_current(Lake(home, other), other, "ref.cut_off_rules")


class Trial:
    """As much of a build as the warning asks for."""

    declarations = replace(LOADED, training={"SLE96": table(TWO)})


@pytest.mark.parametrize(
    ("people", "sha256", "words"),
    [
        (["X-p1", "X-p2", "X-q9"], "", "2 people of the training set SLE96 are in the trial"),
        (["X-q9"], cutpoint(TWO, n_boot=1, rng=1).sha256, "the trial's own values"),
        (["X-q9"], "", ""),
    ],
)
def test_trial_subjects_used_again_raise_a_warning(people, sha256, words):
    import polars as pl

    said = _reused(Trial(), cut(), pl.DataFrame({"USUBJID": people}), sha256)
    assert (words in said[0]) if words else (said == [])
