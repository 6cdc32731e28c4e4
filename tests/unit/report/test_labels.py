"""No label covers another, a marker or an error bar, and none leaves its panel."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assayhouse.report.labels import Box, LabelRequest, place_labels, stack_labels

PANEL = Box(left=0.0, bottom=0.0, right=220.0, top=155.0)
places = st.tuples(st.floats(0, 220), st.floats(0, 155))


def request(x, y):
    return LabelRequest(x=x, y=y, width=36.0, height=5.0)


def box(left, bottom, right, top):
    return Box(left=left, bottom=bottom, right=right, top=top)


def place(*requests, solid=(), lines=(), bounds=PANEL):
    return place_labels(requests, bounds=bounds, solid=solid, lines=lines)


def test_touching_boxes_do_not_overlap():
    assert box(0, 0, 2, 2).overlap(box(2, 0, 4, 2)) == 0.0
    assert box(0, 0, 2, 2).overlap(box(1, 1, 4, 4)) == 1.0


def test_a_lone_label_stands_close_above_its_point():
    (found,) = place(request(100.0, 70.0))
    assert found.bottom > 70.0
    assert found.bottom - 70.0 < 6.0
    assert found.left + found.right == pytest.approx(200.0)


def test_below_is_taken_where_above_is_covered():
    (found,) = place(request(100.0, 70.0), solid=[box(60, 71, 140, 130)])
    assert found.top < 70.0


def test_a_connecting_line_is_avoided_where_there_is_room():
    line = [box(x, 76.0, x + 1.6, 77.6) for x in range(60, 140)]
    (found,) = place(request(100.0, 70.0), lines=line)
    assert not any(found.overlap(piece) for piece in line)


def test_a_label_without_room_is_left_out():
    assert place(request(100.0, 70.0), bounds=box(90, 60, 110, 80)) == (None,)


def test_the_first_request_has_the_first_choice():
    alone = place(request(100.0, 70.0))[0]
    first, second = place(request(100.0, 70.0), request(101.0, 70.0))
    assert first == alone
    assert second is not None
    assert second != first


@settings(max_examples=60, deadline=None)
@given(points=st.lists(places, max_size=14))
def test_placed_labels_never_collide_and_stay_inside(points):
    solid = [box(x - 2.5, y - 2.5, x + 2.5, y + 2.5) for x, y in points]
    found = [label for label in place(*(request(*point) for point in points), solid=solid) if label]
    assert all(PANEL.contains(label) for label in found)
    assert all(one.overlap(other) == 0.0 for one, other in itertools.combinations(found, 2))
    assert all(label.overlap(mark) == 0.0 for label in found for mark in solid)


@given(wanted=st.lists(st.floats(-50, 250), max_size=12))
def test_a_stack_keeps_order_distance_and_limits(wanted):
    found = stack_labels(wanted, height=8.0, low=4.0, high=151.0)
    ranked = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    heights = [found[index] for index in ranked]
    assert all(4.0 - 1e-9 <= value <= 151.0 + 1e-9 for value in heights)
    assert all(after - before >= 8.0 - 1e-9 for before, after in itertools.pairwise(heights))


def test_a_stack_with_room_moves_nothing():
    assert stack_labels([50.0, 20.0], height=8.0, low=0.0, high=100.0) == (50.0, 20.0)


def test_a_stack_too_high_for_its_column_shares_it():
    found = stack_labels([5.0] * 5, height=8.0, low=0.0, high=16.0)
    assert found == pytest.approx((0.0, 4.0, 8.0, 12.0, 16.0))


def test_an_empty_stack_is_empty():
    assert stack_labels([], height=8.0, low=0.0, high=16.0) == ()
