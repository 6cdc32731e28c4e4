"""Laws of the content hash for any table: order, chunks and storage do not count, content does."""

import io
import itertools
import string

import numpy as np
import polars as pl
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assayhouse.warehouse.content import (
    ContentHasher,
    canonical_numbers,
    content_hash,
    in_key_order,
)

from support.small_study import table

SPEC = table("report.kinds", "id n mean day seen ok", "id n")
TEXT = st.none() | st.text(alphabet=string.ascii_letters + "\x00é✓ ", max_size=6)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": TEXT,
            "n": st.none() | st.integers(-(2**63), 2**63 - 1),
            "mean": st.none() | st.floats(),
            "day": st.none() | st.dates(),
            "seen": st.none() | st.datetimes(),
            "ok": st.none() | st.booleans(),
        }
    ),
    max_size=12,
)
NUMBER = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e290, max_value=1e290)


def frame_of(rows):
    return pl.DataFrame(rows, schema=SPEC.polars_schema)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 1000))
def test_the_order_of_rows_does_not_count(rows, seed):
    frame = frame_of(rows)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed)
    assert content_hash(shuffled, SPEC) == content_hash(frame, SPEC)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(0, 12), max_size=4))
def test_how_rows_are_cut_into_frames_does_not_count(rows, cuts):
    frame = in_key_order(frame_of(rows), SPEC)
    edges = sorted({0, frame.height, *(cut for cut in cuts if cut < frame.height)})
    hasher = ContentHasher(SPEC)
    for start, end in itertools.pairwise(edges):
        hasher.update(frame[start:end])
    assert hasher.hexdigest() == content_hash(frame, SPEC)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_a_round_trip_through_a_file_does_not_count(rows):
    frame = frame_of(rows)
    stored = io.BytesIO()
    frame.write_parquet(stored)
    stored.seek(0)
    assert content_hash(pl.read_parquet(stored), SPEC) == content_hash(frame, SPEC)


@settings(max_examples=80, deadline=None)
@given(rows=ROWS, other=ROWS)
def test_tables_with_other_texts_or_counts_have_another_hash(rows, other):
    one, two = frame_of(rows), frame_of(other)
    columns = ["id", "n", "day", "seen", "ok"]
    differ = (
        not in_key_order(one, SPEC).select(columns).equals(in_key_order(two, SPEC).select(columns))
    )
    assume(differ)
    assert content_hash(one, SPEC) != content_hash(two, SPEC)


@given(value=NUMBER)
def test_rounding_to_twelve_digits_first_changes_nothing(value):
    digits = f"{value:.30e}".split("e")[0].replace(".", "").lstrip("-")
    assume(not digits[12:].startswith(("4999", "5000")))  # a tie: either neighbour is right
    rounded = float(f"{value:.11e}")
    found = canonical_numbers(np.array([value, rounded]))
    assert found[0][0] == found[0][1]
    assert found[1][0] == found[1][1]


@given(value=NUMBER)
def test_the_mantissa_and_exponent_give_the_number_back(value):
    assume(abs(value) > 1e-290)
    mantissa, exponent = canonical_numbers(np.array([value]))
    again = float(f"{int(mantissa[0])}e{int(exponent[0]) - 11}")
    assert abs(again - value) <= 1.0001 * 0.5e-11 * abs(value)
    assert 10**11 <= abs(int(mantissa[0])) < 10**12
