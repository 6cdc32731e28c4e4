"""Counted random numbers: published answers, streams that go on, groups that keep their size."""

import hashlib

import numpy as np
import pytest

from assayhouse.stats.errors import InputError
from assayhouse.stats.resampling import (
    bootstrap_indices,
    permuted_rows,
    philox4x32,
    resolve_seed,
    stream_key,
    stream_words,
    uniforms,
)

ANSWERS = [
    ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ([2**32 - 1] * 4, [2**32 - 1] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), ANSWERS)
def test_philox_gives_the_published_answers(counter, key, answer):
    words = philox4x32(counter, key)
    assert words.dtype == np.uint32
    assert " ".join(f"{word:08x}" for word in words.tolist()) == answer


def test_philox_takes_many_counters_at_once():
    counters = np.array([answer[0] for answer in ANSWERS[:1] * 3], dtype=np.uint32)
    assert philox4x32(counters.reshape(3, 1, 4), [0, 0]).shape == (3, 1, 4)


def test_a_key_is_the_hash_of_seed_and_label():
    digest = hashlib.blake2b(b"7|ifn", digest_size=8).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    assert stream_key(7, "ifn") == tuple(words)


def test_word_i_is_output_i_mod_4_of_block_i_div_4():
    words = stream_words(5, "m", replicate=3, count=10, purpose=2, sub=4)
    key = stream_key(5, "m")
    blocks = philox4x32([[block, 3, 4, 2] for block in range(3)], key)
    assert words.tolist() == blocks.ravel()[:10].tolist()


def test_a_row_is_the_high_word_of_word_times_n():
    words = stream_words(5, "m", replicate=1, count=7).astype(object)
    rows = bootstrap_indices(7, 2, seed=5, label="m")
    assert rows.dtype == np.uint32
    assert rows[1].tolist() == [int(word) * 7 >> 32 for word in words]


def test_a_row_is_replaced_by_a_member_of_its_own_group():
    groups = np.array(["b", "a", "b", "a", "a", None], dtype=object)
    rows = bootstrap_indices(6, 200, seed=1, groups=groups)
    for row in range(6):
        drawn = set(groups[rows[:, row]].tolist())
        assert drawn == {groups[row]}
    words = stream_words(1, "x", replicate=0, count=6).astype(object)
    members = [0, 2]
    assert rows[0, 2] == members[int(words[2]) * 2 >> 32]


def test_later_replicates_do_not_depend_on_earlier_ones():
    rows = bootstrap_indices(11, 9, seed=3)
    assert np.array_equal(bootstrap_indices(11, 4, seed=3, start=5), rows[5:])


def test_a_permutation_orders_members_by_their_words():
    words = np.array([[9, 1, 5, 7, 0]], dtype=np.uint32)
    groups = np.array([0, 1, 0, 0, -1])
    assert permuted_rows(words, groups).tolist() == [[2, 1, 3, 0, 4]]


def test_uniforms_lie_strictly_inside():
    assert uniforms(np.array([0, 2**32 - 1], dtype=np.uint32)).tolist() == [
        0.5 / 2**32,
        1 - 0.5 / 2**32,
    ]


def test_a_generator_is_asked_once_and_entropy_is_recorded():
    generator = np.random.default_rng(4)
    assert resolve_seed(generator) == int(np.random.default_rng(4).integers(2**63))
    assert resolve_seed(12) == 12
    assert 0 <= resolve_seed(None) < 2**63


@pytest.mark.parametrize(
    "call",
    [
        lambda: resolve_seed(-1),
        lambda: resolve_seed(1.5),
        lambda: stream_key(-1, "x"),
        lambda: philox4x32([0, 0, 0], [0, 0]),
        lambda: philox4x32([0, 0, 0, -1], [0, 0]),
        lambda: bootstrap_indices(0, 1, seed=1),
        lambda: bootstrap_indices(3, 1, seed=1, groups=[1, 2]),
        lambda: stream_words(1, "x", replicate=2**32, count=1),
    ],
)
def test_what_is_no_stream_is_refused(call):
    with pytest.raises(InputError):
        call()
