"""Laws of the simulated trial for any seed and any arms."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from assayhouse.simulate import draw_trial
from assayhouse.simulate.calibration import ARMS

SIZES = st.dictionaries(st.sampled_from(ARMS), st.integers(1, 12), min_size=1)
FEW = settings(max_examples=25, deadline=None)


@FEW
@given(seed=st.integers(0, 2**40), sizes=SIZES)
def test_without_missing_data_every_subject_has_every_row(seed, sizes):
    trial = draw_trial(seed=seed, subjects_per_arm=sizes, missing=False)
    assert trial.height == sum(sizes.values()) * 28 * 3
    assert trial["aval"].min() > 0
    per_arm = trial.group_by("arm").agg(pl.col("usubjid").n_unique())
    assert dict(per_arm.iter_rows()) == sizes


@FEW
@given(seed=st.integers(0, 2**40), sizes=SIZES)
def test_order_of_the_arms_asked_for_does_not_matter(seed, sizes):
    backwards = dict(reversed(sizes.items()))
    first, second = (
        draw_trial(seed=seed, subjects_per_arm=each, missing=True) for each in (sizes, backwards)
    )
    assert first.equals(second)


@FEW
@given(seed=st.integers(0, 2**40), extra=st.integers(1, 20))
def test_more_subjects_in_one_arm_change_no_value_of_another(seed, extra):
    small, large = (
        draw_trial(seed=seed, subjects_per_arm={"PBO": size, "IB045": 4}, missing=False)
        for size in (6, 6 + extra)
    )
    order = ["paramcd", "avisitn", "base", "aval"]
    first, second = (
        trial.filter(arm="IB045").select(order).sort(order) for trial in (small, large)
    )
    assert first.equals(second)
