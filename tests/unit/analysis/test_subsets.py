"""Response differences by subset: what does not exist is null, never NaN."""

import polars as pl

from assayhouse.analysis.subsets import subset_differences

CUT_OFFS = pl.DataFrame(
    {"cut_off": ["M"], "label": ["Marker"], "PARAMCD": ["MX"], "level_of_interest": ["high"]}
)


def differences(responses):
    names = [f"s{number}" for number in range(len(responses))]
    half = len(names) // 2
    frame = pl.DataFrame(
        {
            "usubjid": names,
            "arm": ["A"] * half + ["P"] * half,
            "endpoint": "R",
            "avisitn": 24,
            "response": responses,
        }
    )
    flags = pl.DataFrame({"USUBJID": names, "cut_off": "M", "level": ["high", "low"] * half})
    return subset_differences(frame, flags, CUT_OFFS, reference="P", arms=["P", "A"], strata=())


def test_where_nobody_responded_the_difference_is_zero_and_its_p_is_null():
    found = differences([0] * 12)
    assert found["diff_pct"].to_list() == [0.0] * found.height
    assert found["p"].to_list() == [None] * found.height
    assert set(found["status"]) == {"ok"}


def test_where_some_responded_there_is_a_p():
    found = differences([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1])
    assert found.filter(cut_off="all")["p"].is_not_null().all()
    assert not found["p"].is_nan().any()
