"""Content hash: what changes it, what does not, and the canonical form of numbers."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from assayhouse.warehouse.content import (
    BLOCK_ROWS,
    ContentHasher,
    canonical_numbers,
    combine,
    content_hash,
    in_key_order,
)

from support.small_study import RAW, results, study, table

KINDS = table("report.kinds", "id n mean day seen ok", "id")
NOTES = table("intake.notes", "id text at", "id", unhashed=("at",))
ROW = {
    "id": "a",
    "n": 1,
    "mean": 0.5,
    "day": date(2020, 1, 2),
    "seen": datetime(2020, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001 - contract times have no zone
    "ok": True,
}


def kinds(**changes):
    return pl.DataFrame([ROW | changes], schema=KINDS.polars_schema)


def texts(*values):
    return pl.DataFrame(
        {"id": [str(n) for n in range(len(values))], "text": values, "at": [None] * len(values)},
        schema=NOTES.polars_schema,
    )


def test_the_form_is_the_documented_one():
    spec = table("intake.one", "id", "id")
    frame = pl.DataFrame({"id": ["é", None]})
    ordered = [None, "é".encode()]
    column = hashlib.sha256(b"\1" + bytes([0b01000000]))
    column.update(b"".join(len(v or b"").to_bytes(4, "little") for v in ordered) + ordered[1])
    whole = hashlib.sha256(b"assayhouse content 1\nid:text\n")
    whole.update((2).to_bytes(8, "little") + column.digest())
    assert content_hash(frame, spec) == whole.hexdigest()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "b"),
        ("n", 2),
        ("mean", 0.5 + 1e-11),
        ("day", date(2020, 1, 3)),
        ("seen", datetime(2020, 1, 2, 3, 4, 5, 7)),  # noqa: DTZ001 - as above
        ("ok", False),
        *((name, None) for name in ROW),
    ],
)
def test_every_value_counts(column, value):
    assert content_hash(kinds(**{column: value}), KINDS) != content_hash(kinds(), KINDS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"mean": 0.0}, {"mean": -0.0}),
        ({"mean": 0.1 + 0.2}, {"mean": 0.3}),
        ({"mean": 1e300 * (1 + 1e-15)}, {"mean": 1e300}),
        ({"mean": float("nan")}, {"mean": -float("nan")}),
    ],
)
def test_numbers_that_differ_by_the_last_digits_or_a_sign_of_zero_are_equal(one, other):
    assert content_hash(kinds(**one), KINDS) == content_hash(kinds(**other), KINDS)


def test_what_is_not_a_number_stays_apart_from_nothing_and_zero():
    values = [None, 0.0, float("nan"), float("inf"), -float("inf"), 1.0]
    assert len({content_hash(kinds(mean=value), KINDS) for value in values}) == len(values)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([None], [""]),
        (["ab", "c"], ["a", "bc"]),
        (["a", None], [None, "a"]),
        (["a"], ["a", ""]),
        (["a "], ["a"]),
        (["\u00e9"], ["e\u0301"]),
    ],
)
def test_texts_that_look_alike_when_joined_stay_apart(one, other):
    assert content_hash(texts(*one), NOTES) != content_hash(texts(*other), NOTES)


def test_clock_and_person_columns_do_not_count():
    frame = texts("x")
    later = frame.with_columns(pl.lit("2026-01-01").alias("at"))
    assert content_hash(frame, NOTES) == content_hash(later, NOTES)


def test_the_columns_of_the_contract_count_even_without_rows():
    other = table("report.kinds", "id n mean day seen", "id")
    assert content_hash(KINDS.empty(), KINDS) != content_hash(other.empty(), other)


def test_absent_values_hide_nothing_of_what_they_covered():
    shown = texts("secret", "b")
    hidden = shown.with_columns(
        pl.when(pl.col("text") == "secret").then(None).otherwise(pl.col("text")).alias("text")
    )
    assert content_hash(hidden, NOTES) == content_hash(texts(None, "b"), NOTES)


@pytest.mark.parametrize("size", [1, 7, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 200_001])
def test_frames_of_any_size_give_the_hash_of_the_whole(size):
    rows = 2 * BLOCK_ROWS + 5 if size > 7 else 50
    frame = texts(*(f"t{n}" if n % 3 else None for n in range(rows))).sort("id")
    hasher = ContentHasher(NOTES)
    for part in frame.iter_slices(size):
        hasher.update(part)
    assert hasher.hexdigest() == content_hash(frame, NOTES)


def test_asking_for_the_hash_does_not_end_it():
    hasher = ContentHasher(NOTES)
    hasher.update(texts("a"))
    early = hasher.hexdigest()
    assert early == hasher.hexdigest() == content_hash(texts("a"), NOTES)
    hasher.update(texts("a", "b").tail(1))
    assert hasher.hexdigest() == content_hash(texts("a", "b"), NOTES)


def test_arrow_tables_with_other_text_types_give_the_same_hash():
    frame = texts("a", None, "")
    arrow = frame.to_arrow()
    for source in (arrow, arrow.cast(arrow.schema), arrow.to_batches()[0]):
        hasher = ContentHasher(NOTES)
        hasher.update(source)
        assert hasher.hexdigest() == content_hash(frame, NOTES)


def test_rows_that_share_a_key_are_ordered_by_their_other_values():
    frame = texts("a", "b", "c").with_columns(pl.lit("same").alias("id"))
    assert in_key_order(frame.reverse(), NOTES).equals(in_key_order(frame, NOTES))
    assert content_hash(frame.reverse(), NOTES) == content_hash(frame, NOTES)


def test_a_key_of_clock_columns_alone_orders_by_what_counts():
    spec = replace(NOTES, key=("at",))
    frame = texts("a", "b").with_columns(pl.Series("at", ["2", "1"]))
    assert content_hash(frame, spec) == content_hash(frame.reverse(), spec)


def test_a_layouts_table_is_hashed_receipt_by_receipt(tmp_path):
    spec = study(tmp_path).tables[RAW]
    first = spec.conform(results(1, {("1", "T"): 1.0, ("2", "T"): 2.0}))
    second = spec.conform(results(7, {("1", "T"): 3.0}))
    digests = {}
    for receipt, frame in ((1, first), (7, second)):
        hasher = ContentHasher(spec)
        hasher.update(frame)
        digests[receipt] = hasher.hexdigest()
    assert combine(digests, spec) == content_hash(pl.concat([second, first]), spec)
    assert combine(digests, spec) != combine({1: digests[1]}, spec) != combine({}, spec)
    assert combine({2: digests[1]}, spec) != combine({1: digests[1]}, spec)


def test_another_process_gives_the_same_hash():
    code = (
        "import polars as pl; from assayhouse.contracts.table_spec import Field, TableSpec; "
        "from assayhouse.warehouse.content import content_hash; "
        "spec = TableSpec(relation='a.b', label='', grain='', key=('x',), fields=("
        "Field(name='x', label='', type='integer'), Field(name='y', label='', type='number'))); "
        "print(content_hash(pl.DataFrame({'x': range(100_000), 'y': 0.1}), spec))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            text=True,
            env={"POLARS_MAX_THREADS": threads, "PYTHONHASHSEED": threads},
        ).stdout
        for threads in ("1", "2")
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("value", "mantissa", "exponent"),
    [
        (1.0, 100_000_000_000, 0),
        (-1.0, -100_000_000_000, 0),
        (999_999_999_999.4, 999_999_999_999, 11),
        (999_999_999_999.6, 100_000_000_000, 12),
        (1e-5, 100_000_000_000, -5),
        (1000.0, 100_000_000_000, 3),
        (1e22, 100_000_000_000, 22),
        (1.7976931348623157e308, 179_769_313_486, 308),
        (2.2250738585072014e-308, 222_507_385_851, -308),
        (0.0, 0, 0),
    ],
)
def test_a_number_is_its_twelve_digits_and_its_exponent(value, mantissa, exponent):
    found = canonical_numbers(np.array([value]))
    assert (int(found[0][0]), int(found[1][0])) == (mantissa, exponent)


def test_the_smallest_numbers_have_a_form_and_differ_from_zero():
    mantissa, _ = canonical_numbers(np.array([5e-324, 1e-320, 0.0]))
    assert mantissa[0] > 0
    assert mantissa[1] > 0
    assert mantissa[2] == 0


def test_every_power_of_ten_has_the_same_mantissa():
    exponents = np.arange(-307, 309)
    mantissa, found = canonical_numbers(np.array([float(f"1e{e}") for e in exponents]))
    assert set(mantissa.tolist()) == {100_000_000_000}
    assert found.tolist() == exponents.tolist()
