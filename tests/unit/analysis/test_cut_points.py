"""The declared search on drawn trials: a planted cut is covered, no effect gives no finding."""

import numpy as np
import polars as pl
import pytest

from assayhouse.analysis.cut_point_looks import curves, validate_cut
from assayhouse.analysis.cut_points import (
    chunk_bounds,
    options_of,
    search_chunk,
    search_data,
    summarise_cuts,
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


def test_a_preset_fills_in_before_the_defaults_and_an_option_wins_over_both():
    named = CutPointSearch(markers=("M",), endpoint="R", visit=24, active="A", control="C",
                           validation=(), chunks=1,
                           options={"preset": "subgrpid", "min_cell": 3})  # fmt: skip
    found = options_of(named)
    assert (found["test"], found["candidates"]) == ("wald_glm", "grid19")
    assert (found["min_share"], found["min_cell"], found["n_boot"]) == (0.2, 3, 1000)


def test_an_open_direction_is_found_once_and_told_everywhere():
    subjects = trial(1, effect=0.6).with_columns(-pl.col("value"))
    plan = search(direction="auto")
    data = search_data(subjects, plan)
    chunks = [search_chunk(data, plan, marker="M", chunk=c, seed=1) for c in range(4)]
    row = summarise_cuts(pl.concat(chunks), data, plan, seed=1)
    assert row["direction"] == "lower"
    assert row["ci_lo"] <= -TRUE_CUT <= row["ci_hi"]
    checked = validate_cut(subjects, plan, threshold=row["threshold"], direction=row["direction"])
    assert checked["direction"].to_list() == ["lower"]
    below = curves(data, plan, seed=1).filter(pl.col("arm") == "A")
    largest = below.sort("threshold").row(-1, named=True)
    assert largest["n"] > 50, "below the largest threshold is nearly everybody"


def test_samples_are_drawn_within_arms_where_that_is_declared():
    subjects, plan = trial(1, effect=0.6), search(resample="arm")
    data = search_data(subjects, plan)
    simple = search_chunk(data, search(), marker="M", chunk=0, seed=1)
    within = search_chunk(data, plan, marker="M", chunk=0, seed=1)
    assert not within["statistic"].equals(simple["statistic"])
