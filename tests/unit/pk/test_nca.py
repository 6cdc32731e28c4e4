"""Non-compartmental analysis: areas, BLQ, the terminal line, flags."""

import math

import polars as pl
import pytest

from assayhouse.pk import NCAError, nca, nca_table

TIMES = [0.0, 1.0, 2.0, 4.0, 6.0, 8.0]
FALLING = [0.0, 8.0, 4.0, 2.0, 1.0, 0.5]


def test_the_area_is_linear_up_and_logarithmic_down():
    assert nca([0.0, 1.0], [0.0, 2.0])["auclast"] == 1.0
    assert nca([0.0, 1.0], [4.0, 2.0])["auclast"] == pytest.approx(2 / math.log(2))


def test_the_terminal_line_leaves_the_peak_out():
    result = nca(TIMES, FALLING, dose=10.0, scale=1000.0)
    assert result["lambda_z_time_first"] == 2.0
    assert result["lambda_z_n_points"] == 4
    assert result["lambda_z"] == pytest.approx(math.log(2) / 2)
    assert result["aucinf_obs"] == pytest.approx(result["auclast"] + 0.5 / result["lambda_z"])
    assert result["cl_f"] == pytest.approx(1e4 / result["aucinf_obs"])
    assert result["vz_f"] == pytest.approx(result["cl_f"] / result["lambda_z"])
    assert result["flag"] == ""


def test_blq_is_zero_before_dropped_between_and_zero_after():
    dropped = nca([0, 1, 2, 3, 4], [0.0, 4.0, 0.0, 2.0, 0.0])
    assert dropped["auclast"] == pytest.approx(2.0 + 2 * 2 / math.log(2))
    assert dropped["tlast"] == 3.0


def test_a_blq_flag_overrules_the_value():
    flagged = nca([0, 1, 2, 3], [0.1, 4.0, 2.0, 0.1], blq=[True, False, False, True])
    assert (flagged["auclast"], flagged["tlast"]) == (pytest.approx(2 + 2 / math.log(2)), 2.0)


def test_a_missing_concentration_is_left_out():
    assert nca([0, 1, 2], [0.0, None, 2.0])["auclast"] == 2.0


def test_an_interval_ends_at_the_last_quantifiable_sample_inside_it():
    part = nca(TIMES, FALLING, interval=(0.0, 5.0))
    assert part["auclast"] == pytest.approx(4 + 4 / math.log(2) + 4 / math.log(2))
    assert part["tlast"] == 8.0
    assert part["aucinf_obs"] == nca(TIMES, FALLING)["aucinf_obs"]


def test_an_interval_may_begin_between_two_samples():
    parts = [nca(TIMES, FALLING, interval=span)["auclast"] for span in ((0, 4), (3, 8))]
    between = nca([3.0, 4.0], [math.sqrt(8), 2.0], interval=(3, 4))["auclast"]
    assert sum(parts) - between == pytest.approx(nca(TIMES, FALLING)["auclast"])


def test_a_rising_profile_has_no_terminal_phase():
    result = nca([0, 1, 2, 3], [1.0, 2.0, 3.0, 4.0], dose=1.0)
    assert (result["lambda_z"], result["cl_f"], result["flag"]) == (None, None, "no_lambda_z")


def test_doubts_are_flagged_and_the_values_kept():
    short = nca([0, 1, 2, 3, 4], [0.0, 8.0, 7.0, 6.0, 5.0])
    assert short["flag"] == "span extrapolation"
    assert short["lambda_z"] > 0
    noisy = nca([0, 1, 2, 30, 60], [0.0, 9.0, 2.0, 1.0, 1.9])
    assert "adj_r_squared" in noisy["flag"]


def test_a_profile_below_the_limit_has_no_area():
    result = nca([0, 1], [0.0, 0.0])
    assert (result["auclast"], result["tmax"]) == (0.0, None)
    assert result["flag"] == "no_quantifiable no_lambda_z"


def test_a_profile_that_starts_late_says_so():
    assert nca([1.0, 2.0], [4.0, 2.0])["flag"].startswith("start_not_sampled")


@pytest.mark.parametrize(
    ("time", "conc", "options"),
    [
        ([0, 1], [1.0], {}),
        ([1, 1], [1.0, 2.0], {}),
        ([0, "x"], [1.0, 2.0], {}),
        ([0, 1], [1.0, math.inf], {}),
        ([0, 1], [1.0, -2.0], {"blq": [False, False]}),
        ([0, 1], [None, None], {}),
        ([0, 1], [1.0, 2.0], {"dose": -1.0}),
        ([0, 1], [1.0, 2.0], {"scale": 0.0}),
        ([0, 1], [1.0, 2.0], {"interval": (2.0, 1.0)}),
        ([0, 1], [1.0, 2.0], {"min_points": 2}),
    ],
)
def test_what_is_no_profile_is_refused(time, conc, options):
    with pytest.raises(NCAError):
        nca(time, conc, **options)


def table():
    return pl.DataFrame(
        {
            "ID": ["b"] * 6 + ["a"] * 6,
            "TIME": TIMES * 2,
            "DV": FALLING + [2 * value for value in FALLING],
            "D": [1.0] * 6 + [2.0] * 6,
        }
    )


def test_a_table_has_one_row_per_group_in_their_order():
    result = nca_table(table(), dose="D")
    assert result["ID"].to_list() == ["b", "a"]
    assert result["cl_f"][0] == pytest.approx(result["cl_f"][1])
    assert result.schema["lambda_z_n_points"] == pl.Int64


def test_a_table_refuses_missing_columns_and_changing_doses():
    with pytest.raises(NCAError, match="needed"):
        nca_table(table(), by=["SITE"])
    with pytest.raises(NCAError, match="changes"):
        nca_table(table().with_columns(D=pl.col("TIME") + 1), dose="D")
