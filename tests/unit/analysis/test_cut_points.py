"""The declared search on drawn trials: a planted cut is covered, no effect gives no finding."""

import numpy as np
import polars as pl
import pytest

from assayhouse.analysis.cut_points import (
    chunk_bounds,
    search_chunk,
    search_data,
    summarise_cuts,
    validate_cut,
)
from assayhouse.contracts.plan import CutPointSearch

TRUE_CUT = 0.3
OPTIONS = {"test": "lrt", "direction": "higher", "min_cell": 5, "n_boot": 120, "n_null": 99}


def search(**options):
    return CutPointSearch(
        markers=("M",),
        endpoint="R",
        visit=24,
        active="A",
        control="C",
        validation=("B",),
        chunks=4,
        options={**OPTIONS, **options},
    )


def trial(seed, *, effect, n=300):
    """Marker, arm and response; above the cut the active arms gain ``effect``."""
    rng = np.random.Generator(np.random.Philox(seed))
    arm = np.array(["A", "C", "B"])[np.arange(n) % 3]
    value = rng.normal(size=n)
    chance = 0.3 + effect * ((arm != "C") & (value > TRUE_CUT))
    response = (rng.random(n) < chance).astype(float)
    names = [f"s{number:04d}" for number in range(n)]
    return pl.DataFrame({"usubjid": names, "arm": arm, "value": value, "response": response})


def found(subjects, seed=1):
    """Summary of the whole search."""
    plan = search()
    data = search_data(subjects, plan)
    chunks = [search_chunk(data, plan, marker="M", chunk=c, seed=seed) for c in range(4)]
    return summarise_cuts(pl.concat(chunks), data, plan, seed=seed)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_planted_cut_lies_in_the_interval_and_is_found(seed):
    result = found(trial(seed, effect=0.6))
    print(f"cut {result['threshold']:.2f} ({result['ci_lo']:.2f} to {result['ci_hi']:.2f})")
    assert result["ci_lo"] <= TRUE_CUT <= result["ci_hi"]
    assert abs(result["threshold"] - TRUE_CUT) < 0.35
    assert result["p_adjusted"] <= 0.05
    assert "more than chance" in result["verdict"]


def test_trials_without_an_effect_give_no_finding_though_always_a_median():
    """Ten trials: at 5 % each, more than two findings have a chance of about 1 %."""
    results = [found(trial(100 + seed, effect=0.0)) for seed in range(10)]
    p = [result["p_adjusted"] for result in results]
    print("p of the whole search without an effect:", *(f"{value:.2f}" for value in p))
    assert all(result["threshold"] is not None for result in results)
    assert sum(value <= 0.05 for value in p) <= 2
    told = [result["verdict"] for result in results if result["p_adjusted"] > 0.05]
    assert all(verdict.startswith("No evidence of a cut") for verdict in told)


def test_the_naive_p_without_an_effect_is_smaller_than_that_of_the_search():
    results = [found(trial(200 + seed, effect=0.0)) for seed in range(4)]
    naive = np.mean([result["p_naive"] for result in results])
    assert naive < np.mean([result["p_adjusted"] for result in results])


def test_samples_do_not_depend_on_how_they_are_cut_into_chunks():
    subjects, plan = trial(1, effect=0.6), search()
    data = search_data(subjects, plan)
    whole = pl.concat(search_chunk(data, plan, marker="M", chunk=c, seed=1) for c in (3, 1, 0, 2))
    assert whole.sort("replicate")["replicate"].to_list() == list(range(120))
    again = search_chunk(data, plan, marker="M", chunk=2, seed=1)
    assert again.equals(whole.filter(pl.col("chunk") == 2))
    first, count = chunk_bounds(120, 4, 2)
    assert (first, count) == (60, 30)


def test_the_cut_holds_in_a_dose_that_had_no_part_in_it():
    subjects = trial(1, effect=0.6, n=600)
    result = found(subjects)
    checked = validate_cut(
        subjects, search(), threshold=result["threshold"], direction=result["direction"]
    )
    (row,) = checked.iter_rows(named=True)
    assert row["arm"] == "B"
    assert row["p"] <= 0.05
    assert row["diff_high_lo"] > 0
    assert row["shared_control_fl"] == "Y"
