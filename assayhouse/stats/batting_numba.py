"""The search in compiled code, one replicate at a time; nobody imports it before use.

Same streams, candidates, margins and formulas as the NumPy engine. A replicate is a number of
draws per row; rows in marker order give running counts, packed as subjects and responders of one
arm in one word, at every value that occurs. Loops over candidates are free of branches, so that
they run on several candidates at once; they bound the statistics from above, and only what
reaches the best found is computed.
"""
# ruff: noqa: ANN401, PLR0917 - compiled code takes arrays of several types, and by position only

from typing import Any

import numpy as np

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.batting_numba_forms import (
    FIRTH,
    FIRTH_WALD,
    LRT,
    RD,
    WALD_GLM,
    bound_ratios,
    bound_walds,
    loosen_glm,
    risk,
    settle,
)
from assayhouse.stats.compiled import compiled

NEAR = 1 - 1e-10
# Kept compiled code is known by this file alone, and holds the forms within it. The stamp changes
# with the forms' file, and so this file does: code of former forms never runs.
FORMS_STAMP = "4cbf04ec5eee3a44"


@compiled
def _round(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> tuple[Any, Any, Any, Any]:
    """Return the counter after one round of the cipher."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    p0, p1 = (c0 & low) * np.uint64(0xD2511F53), (c2 & low) * np.uint64(0xCD9E8D57)
    return (p1 >> half) ^ c1 ^ k0, p1 & low, (p0 >> half) ^ c3 ^ k1, p0 & low


@compiled
def _fill_words(replicate: int, sub: int, purpose: int, keys: Any, words: Any) -> None:
    """Write the words of one replicate: word i stands at [i % 4, i // 4].

    ``keys`` holds both words of the ten rounds. The rounds are written out: only then does the
    loop over blocks run on several of them at once.
    """
    w0, w1, w2, w3 = words[0], words[1], words[2], words[3]
    k, m = keys[:, 0], keys[:, 1]
    a0, a1, a2, a3, a4 = k[0], k[1], k[2], k[3], k[4]
    a5, a6, a7, a8, a9 = k[5], k[6], k[7], k[8], k[9]
    b0, b1, b2, b3, b4 = m[0], m[1], m[2], m[3], m[4]
    b5, b6, b7, b8, b9 = m[5], m[6], m[7], m[8], m[9]
    for block in range(words.shape[1]):
        c0, c1 = np.uint64(block), np.uint64(replicate)
        c2, c3 = np.uint64(sub), np.uint64(purpose)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a0, b0)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a1, b1)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a2, b2)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a3, b3)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a4, b4)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a5, b5)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a6, b6)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a7, b7)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a8, b8)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a9, b9)
        w0[block], w1[block], w2[block], w3[block] = c0, c1, c2, c3


@compiled
def _draw_rows(words: Any, groups: Any, draws: Any) -> None:
    """Write how often each row is drawn; no ``groups`` is one group of all rows."""
    draws[:] = 0
    n, half = len(draws), np.uint64(32)
    if not groups.shape[1]:
        size = np.uint64(n)
        for part in range(4):
            column = words[part]
            for block in range((n - part + 3) // 4):
                draws[(column[block] * size) >> half] += 1
        return
    for draw in range(n):
        number = (words[draw & 3, draw >> 2] * np.uint64(groups[2, draw])) >> half
        draws[groups[0, groups[1, draw] + np.int64(number)]] += 1


@compiled
def _add_up(draws: Any, layout: Any, every: int, scratch: Any) -> tuple[Any, Any, Any]:
    """Write running counts at every value that occurs; return how many, and the totals.

    ``layout`` holds the rows in marker order, what each adds to the words of arms 0 and 1, whether
    it is the last of its value, and that value's number. ``every`` keeps values that do not occur.
    """
    rows, adds0, adds1, ends, values = layout
    ties, s0, s1 = scratch[0], scratch[1], scratch[2]
    one, always = np.uint64(1), np.uint64(every)
    kept = sum0 = sum1 = seen = np.uint64(0)
    s0[0], s1[0] = sum0, sum1
    # Which values occur is as random as can be: no branch may depend on it.
    for place in range(len(rows)):
        times = np.uint64(draws[rows[place]])
        sum0 += times * adds0[place]
        sum1 += times * adds1[place]
        seen |= times
        ties[kept] = values[place]
        s0[kept + one], s1[kept + one] = sum0, sum1
        kept += ends[place] & (np.uint64(seen != 0) | always)
        seen &= ends[place] - one
    return np.int64(kept), sum0, sum1


@compiled
def _list_candidates(number: int, plan: Any, grid: Any, given: Any, scratch: Any) -> int:
    """Write value and counts below the split of each candidate that is not every value."""
    ties, s0, s1 = scratch[0], scratch[1], scratch[2]
    chosen, c0, c1 = scratch[3], scratch[4], scratch[5]
    if plan[1] == 2:
        for place in range(len(given)):
            chosen[place], c0[place], c1[place] = place, s0[given[place]], s1[given[place]]
        return len(given)
    ranks, kept = grid[number], 0
    for place in range(19 if number > 0 else 0):
        if place == 0 or ranks[place] != ranks[place - 1]:
            at = ranks[place] - 1
            chosen[kept] = ties[at]
            c0[kept], c1[kept] = s0[at + plan[2]], s1[at + plan[2]]
            kept += 1
    return kept


@compiled
def _unpack(c0: Any, c1: Any, counts: Any) -> None:
    """Write subjects and responders below each split, of arm 0 and arm 1, as numbers."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    n0, y0, n1, y1 = counts[0], counts[1], counts[2], counts[3]
    for place in range(len(c0)):
        n0[place] = np.float64(np.int64(c0[place] & low))
        y0[place] = np.float64(np.int64(c0[place] >> half))
        n1[place] = np.float64(np.int64(c1[place] & low))
        y1[place] = np.float64(np.int64(c1[place] >> half))


@compiled
def _read_cells(counts: Any, place: int, whole: Any, higher: int, w: Any) -> None:
    """Write the cells of one split."""
    for arm in range(2):
        below, hit = counts[2 * arm, place], counts[2 * arm + 1, place]
        rest, rest_hit = whole[2 * arm] - below, whole[2 * arm + 1] - hit
        inside, outside = 2 * arm + 1, 2 * arm
        if higher == 0:
            inside, outside = outside, inside
        w[outside], w[4 + outside], w[8 + outside] = below, hit, below - hit
        w[inside], w[4 + inside], w[8 + inside] = rest, rest_hit, rest - rest_hit


@compiled
def _keep_shares(counts: Any, whole: Any, higher: int, min_share: float, values: Any) -> None:
    """Take away candidates whose group 1 is too small a share."""
    for place in range(len(values)):
        inside = counts[0, place] + counts[2, place]
        if higher:
            inside = whole[0] + whole[2] - inside
        if not inside / (whole[0] + whole[2]) > min_share:
            values[place] = np.nan


@compiled
def _score(
    c0: Any, c1: Any, plan: Any, min_share: float, whole: Any, scratch: Any, values: Any
) -> None:
    """Write a statistic or a bound for each candidate, NaN where it is not admissible."""
    counts, w, logs = scratch[6], scratch[8], scratch[9]
    test, least = plan[3], float(plan[4])
    _unpack(c0, c1, counts)
    if test in (LRT, FIRTH):
        bound_ratios(counts, whole, least, 0.5 if test == FIRTH else 0.0, values)
    elif test == RD:
        for place in range(len(values)):
            _read_cells(counts, place, whole, plan[2], w)
            small = min(w[0], w[1], w[2], w[3]) < least
            values[place] = np.nan if small else risk(w)
    else:
        half = 0.5 if test == FIRTH_WALD else 0.0
        bound_walds(c0, c1, counts, whole, least, half, logs, values)
        if test == WALD_GLM:
            loosen_glm(counts, whole, least, values)
    if min_share > 0:
        _keep_shares(counts, whole, plan[2], min_share, values)


@compiled
def _largest(values: Any) -> float:
    """Return the largest value, -1 where all are NaN."""
    first = second = third = fourth = -1.0
    whole = len(values) // 4 * 4
    # Four at a time, as each comparison waits for the one before.
    for place in range(0, whole, 4):
        first = max(first, values[place])
        second = max(second, values[place + 1])
        third = max(third, values[place + 2])
        fourth = max(fourth, values[place + 3])
    for place in range(whole, len(values)):
        first = max(first, values[place])
    return max(first, second, third, fourth)


@compiled
def _first_of(values: Any, best: float) -> int:
    """Return the place of the first value that ties with the largest; -1 without any."""
    if not best >= 0:
        return -1
    limit = best * NEAR if best > 0 else best
    for place in range(len(values)):
        if values[place] >= limit:
            return place
    return -1


@compiled
def _choose(counts: Any, plan: Any, whole: Any, scratch: Any, values: Any) -> int:
    """Return the lowest candidate whose statistic ties with the largest; -1 without any.

    The statistic of the largest bound is computed, then those whose bound reaches it.
    """
    w, near, exact = scratch[8], scratch[11], scratch[12]
    top = _largest(values)
    first = _first_of(values, top)
    if top < 0 or plan[3] == RD:
        return first
    _read_cells(counts, first, whole, plan[2], w)
    best = settle(plan[3], w)
    found = best
    # A bound is exact to its rounding only, which the margins cover.
    needed = best * NEAR * (1 - 1e-9) - 1e-9 if best > 0 else 0.0
    number = 0
    for place in range(len(values)):
        near[number] = place
        number += int(values[place] >= needed)
    for turn in range(number):
        if near[turn] == first:
            exact[turn] = found
            continue
        _read_cells(counts, near[turn], whole, plan[2], w)
        exact[turn] = settle(plan[3], w)
        best = max(best, exact[turn]) if best >= 0 else exact[turn]
    turn = _first_of(exact[:number], best)
    if turn < 0:
        return -1
    values[near[turn]] = exact[turn]
    return int(near[turn])


@compiled
def _search_one(
    draws: Any,
    layout: Any,
    plan: Any,
    min_share: float,
    grid: Any,
    given: Any,
    scratch: Any,
    out: Any,
) -> None:
    """Write value, statistic, subjects and zero cell of the best cut of one replicate."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    whole, w = scratch[7], scratch[8]
    number, all0, all1 = _add_up(draws, layout, int(plan[1] == 2), scratch)
    whole[0], whole[1] = np.float64(np.int64(all0 & low)), np.float64(np.int64(all0 >> half))
    whole[2], whole[3] = np.float64(np.int64(all1 & low)), np.float64(np.int64(all1 >> half))
    chosen, c0, c1 = scratch[0], scratch[1][plan[2] :], scratch[2][plan[2] :]
    if plan[1] != 0:
        number = _list_candidates(number, plan, grid, given, scratch)
        chosen, c0, c1 = scratch[3], scratch[4], scratch[5]
    values = scratch[10][:number]
    _score(c0[:number], c1[:number], plan, min_share, whole, scratch, values)
    place = _choose(scratch[6], plan, whole, scratch, values)
    out[0], out[1], out[2], out[3] = -1.0, np.nan, whole[0] + whole[2], 0.0
    if place >= 0:
        _read_cells(scratch[6], place, whole, plan[2], w)
        out[0], out[1] = chosen[place], values[place]
        for cell in range(4):
            if w[4 + cell] == 0 or w[8 + cell] == 0:
                out[3] = 1.0


@compiled
def _scratch(plan: Any, n_given: int, n_most: int) -> Any:
    """Return working memory for one worker, for at most so many subjects."""
    size = max(plan[0], n_given, 19) + 2
    logs = np.zeros(1)
    if plan[3] > LRT and plan[3] not in (FIRTH, RD):
        logs = np.log(np.arange(n_most + 1) + (0.5 if plan[3] == FIRTH_WALD else 0.0))
    return (
        np.zeros(size, dtype=np.int64),
        np.zeros(size, dtype=np.uint64),
        np.zeros(size, dtype=np.uint64),
        np.zeros(size, dtype=np.int64),
        np.zeros(size, dtype=np.uint64),
        np.zeros(size, dtype=np.uint64),
        np.zeros((4, size)),
        np.zeros(4),
        np.zeros(20),
        logs,
        np.zeros(size),
        np.zeros(size, dtype=np.int64),
        np.zeros(size),
    )


@compiled
def search_weights(
    weights: IntArray,
    layout: Any,
    plan: IntArray,
    min_share: float,
    grid: IntArray,
    given: IntArray,
) -> FloatArray:
    """Return value, statistic, subjects and zero cell for given multiplicities, (b, 4).

    Parameters
    ----------
    weights : (b, r) array of int
        Multiplicities of the rows of the layout.
    layout : tuple of (r,) arrays
        Rows in marker order, what each adds to the packed counts of arms 0 and 1, 1 where it is
        the last of its value, number of its value.
    plan : (5,) array of int
        Values, kind of candidates, direction, test, smallest cell.
    min_share : float
        Share of group 1 to exceed.
    grid, given : arrays of int
        Ranks of the grid by number of distinct values; splits of given cuts.

    Returns
    -------
    (b, 4) array
        Value -1 without a cut.
    """
    out = np.zeros((len(weights), 4))
    most = 0
    for row in range(len(weights)):
        most = max(most, weights[row].sum())
    scratch = _scratch(plan, len(given), most)
    for row in range(len(weights)):
        _search_one(weights[row], layout, plan, min_share, grid, given, scratch, out[row])
    return out


@compiled
def search_rows(
    rows: IntArray,
    layout: Any,
    plan: IntArray,
    min_share: float,
    grid: IntArray,
    given: IntArray,
) -> FloatArray:
    """Return the same for rows of replicates, (b, n)."""
    n = rows.shape[1]
    out = np.zeros((len(rows), 4))
    scratch = _scratch(plan, len(given), n)
    draws = np.zeros(n, dtype=np.int32)
    for row in range(len(rows)):
        draws[:] = 0
        for draw in range(n):
            draws[np.uint64(rows[row, draw])] += 1
        _search_one(draws, layout, plan, min_share, grid, given, scratch, out[row])
    return out


@compiled
def search_stream(
    bounds: IntArray,
    keys: Any,
    groups: IntArray,
    n: int,
    layout: Any,
    plan: IntArray,
    min_share: float,
    grid: IntArray,
    given: IntArray,
) -> FloatArray:
    """Return the same for replicates of a stream over ``n`` rows.

    ``bounds`` holds first replicate, last, sub and purpose; ``groups`` the members of groups in
    row 0, and each row's first member and number of members in rows 1 and 2, or nothing.
    """
    out = np.zeros((bounds[1] - bounds[0], 4))
    scratch = _scratch(plan, len(given), n)
    draws = np.zeros(n, dtype=np.int32)
    words = np.zeros((4, (n + 3) // 4), dtype=np.uint64)
    for row in range(len(out)):
        _fill_words(bounds[0] + row, bounds[2], bounds[3], keys, words)
        _draw_rows(words, groups, draws)
        _search_one(draws, layout, plan, min_share, grid, given, scratch, out[row])
    return out


@compiled
def search_permuted(
    bounds: IntArray,
    keys: Any,
    members: IntArray,
    starts: IntArray,
    tie: IntArray,
    cell: IntArray,
    n: int,
    plan: IntArray,
    min_share: float,
    grid: IntArray,
    given: IntArray,
) -> FloatArray:
    """Return the same where rows trade markers within groups.

    ``members`` holds the rows of group after group, ``starts`` where each begins; ``tie`` is the
    number of the marker's value (-1 missing) and ``cell`` 2 arm + response of every row.
    """
    out = np.zeros((bounds[1] - bounds[0], 4))
    scratch = _scratch(plan, len(given), n)
    adds = np.zeros((2, plan[0]), dtype=np.uint64)
    ones = np.ones(plan[0], dtype=np.uint64)
    every = np.arange(plan[0])
    layout = (every.astype(np.uint32), adds[0], adds[1], ones, every)
    words = np.zeros((4, (n + 3) // 4), dtype=np.uint64)
    order = np.zeros(len(members), dtype=np.uint64)
    half, low, one = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(1)
    for row in range(len(out)):
        adds[:] = 0
        _fill_words(bounds[0] + row, bounds[2], bounds[3], keys, words)
        for place in range(len(members)):
            word = words[members[place] & 3, members[place] >> 2]
            order[place] = (word << half) | np.uint64(place)
        for group in range(len(starts) - 1):
            order[starts[group] : starts[group + 1]].sort()
        for place in range(len(members)):
            at = tie[members[np.int64(order[place] & low)]]
            what = cell[members[place]]
            if at >= 0:
                adds[what >> 1, at] += one + (np.uint64(what & 1) << half)
        _search_one(ones, layout, plan, min_share, grid, given, scratch, out[row])
    return out
