"""Counter-based streams: a number depends on its address and on nothing else."""

import numpy as np
import pytest

from assayhouse.simulate.streams import choose, normals, permutation, uniforms


@pytest.mark.parametrize("draw", [uniforms, normals])
def test_a_row_does_not_depend_on_how_many_rows_are_drawn(draw):
    few, many = (draw(5, "purpose", rows=rows, columns=4) for rows in (3, 50))
    assert np.array_equal(few, many[:3])


@pytest.mark.parametrize("draw", [uniforms, normals])
def test_other_seed_or_other_word_gives_other_numbers(draw):
    first = draw(5, "purpose", "IL2", rows=4, columns=2)
    assert not np.array_equal(first, draw(6, "purpose", "IL2", rows=4, columns=2))
    assert not np.array_equal(first, draw(5, "purpose", "IL10", rows=4, columns=2))


def test_words_do_not_run_into_each_other():
    apart = uniforms(1, "ab", "c", rows=1, columns=1)
    assert not np.array_equal(apart, uniforms(1, "a", "bc", rows=1, columns=1))


def test_uniforms_never_reach_the_ends():
    table = uniforms(2, "ends", rows=200_000, columns=1)
    assert table.min() > 0.0
    assert table.max() < 1.0


def test_normals_have_the_moments_and_tails_of_a_normal():
    table = normals(3, "moments", rows=200_000, columns=1)[:, 0]
    assert abs(table.mean()) < 0.01
    assert abs(table.std() - 1.0) < 0.01
    assert abs(np.mean(table > 1.959964) - 0.025) < 0.002
    assert abs(np.mean(table**4) - 3.0) < 0.1


def test_columns_of_normals_are_independent():
    table = normals(4, "columns", rows=100_000, columns=3)
    correlation = np.corrcoef(table.T)
    assert np.abs(correlation - np.eye(3)).max() < 0.015


def test_a_permutation_holds_everything_once():
    assert sorted(permutation(1, "order", size=100).tolist()) == list(range(100))


def test_choose_returns_different_candidates_in_order():
    candidates = list(range(10, 60, 3))
    chosen = choose(1, "some", candidates=candidates, size=7)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == 7
    assert set(chosen) <= set(candidates)
