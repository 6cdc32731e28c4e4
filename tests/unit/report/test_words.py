"""Stars, p values and numbers as they are printed."""

import math

import pytest

from assayhouse.report.words import (
    DASH,
    MINUS,
    decimals_for,
    number,
    p_text,
    signed,
    slug,
    span,
    spoken_list,
    stars,
)


@pytest.mark.parametrize(
    ("p", "mark"),
    [
        (0.0, "***"),
        (0.001, "***"),
        (math.nextafter(0.001, 1), "**"),
        (0.01, "**"),
        (math.nextafter(0.01, 1), "*"),
        (0.05, "*"),
        (math.nextafter(0.05, 1), ""),
        (1.0, ""),
        (None, ""),
        (math.nan, ""),
    ],
)
def test_stars_include_their_limits(p, mark):
    assert stars(p) == mark


def test_a_p_value_that_prints_as_the_limit_but_lies_above_it_gets_no_star():
    assert (p_text(0.0502), stars(0.0502)) == ("0.050", "")


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0009999, "<0.001"), (0.001, "0.001"), (0.05, "0.050"), (1.0, ">0.999"), (None, DASH)],
)
def test_p_values_have_three_decimals_and_honest_ends(p, text):
    assert p_text(p) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-0.004, 2, "0.00"),
        (-0.005001, 2, f"{MINUS}0.01"),
        (-12.0, 0, f"{MINUS}12"),
        (0.0, 1, "0.0"),
        (math.inf, 1, DASH),
        (math.nan, 1, DASH),
        (None, 0, DASH),
    ],
)
def test_numbers_have_a_true_minus_and_no_negative_zero(value, decimals, text):
    assert number(value, decimals) == text


def test_a_difference_carries_its_sign_unless_it_prints_as_zero():
    assert signed(0.04, 1) == "0.0"
    assert signed(0.05001, 1) == "+0.1"
    assert signed(-0.04, 1) == "0.0"
    assert signed(1000.4, 0) == "+1000"


def test_decimals_show_two_digits_of_a_typical_error():
    assert decimals_for([0.0031, 0.0029, 5.0]) == 4
    assert decimals_for([99.0]) == 0
    assert decimals_for([1e-12]) == 6
    assert decimals_for([None, 0.0, math.inf]) == 2


def test_lists_and_ranges_read_as_sentences():
    assert spoken_list([]) == ""
    assert spoken_list(["one", "two"]) == "one and two"
    assert span(4, 4) == "4"
    assert span(4, 9) == "4 to 9"


def test_a_slug_is_safe_inside_an_identifier():
    assert slug('a"b<c>é 1') == "a-b-c---1"
