"""The search in compiled code, one replicate at a time; nobody imports it before use.

Same streams, candidates, margins and formulas as the NumPy engine. The dear statistics are first
bounded from above, and computed only where the bound reaches the best found.
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
    WALD,
    WALD_GLM,
    bound_far,
    bound_near,
    risk,
    settle,
)
from assayhouse.stats.compiled import compiled

NEAR = 1 - 1e-10


@compiled
def _philox(block: int, replicate: int, sub: int, purpose: int, keys: Any, out: Any) -> None:
    """Write the four words of one counter; ``keys`` holds both words of the ten rounds."""
    c0, c1 = np.uint64(block), np.uint64(replicate)
    c2, c3 = np.uint64(sub), np.uint64(purpose)
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    m0, m1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
    for turn in range(10):
        p0, p1 = c0 * m0, c2 * m1
        c0 = (p1 >> half) ^ c1 ^ keys[turn, 0]
        c2 = (p0 >> half) ^ c3 ^ keys[turn, 1]
        c1, c3 = p1 & low, p0 & low
    out[0], out[1], out[2], out[3] = c0, c1, c2, c3


@compiled
def _fill_words(replicate: int, sub: int, purpose: int, keys: Any, words: Any) -> None:
    """Write the words of one replicate; the array's length is a multiple of four."""
    for block in range(len(words) // 4):
        _philox(block, replicate, sub, purpose, keys, words[4 * block : 4 * block + 4])


@compiled
def _list_candidates(hist: Any, plan: Any, grid: Any, given: Any, ties: Any, lows: Any) -> int:
    """Write tie (or place among given cuts) and split of each candidate; return how many."""
    if plan[1] == 2:
        for place in range(len(given)):
            ties[place], lows[place] = place, given[place]
        return len(given)
    number = 0
    for tie in range(plan[0]):
        at = 4 * tie
        if hist[at] + hist[at + 1] + hist[at + 2] + hist[at + 3] > 0:
            ties[number] = tie
            number += 1
    if plan[1] == 1:
        number = _thin_to_grid(grid[number], number, ties, lows)
    for place in range(number):
        lows[place] = ties[place] + plan[2]
    return number


@compiled
def _thin_to_grid(ranks: Any, number: int, ties: Any, lows: Any) -> int:
    """Keep the ties of distinct grid ranks, and return how many."""
    kept = 0
    if number > 0:
        for place in range(19):
            if place == 0 or ranks[place] != ranks[place - 1]:
                lows[kept] = ties[ranks[place] - 1]
                kept += 1
    for place in range(kept):
        ties[place] = lows[place]
    return kept


@compiled
def _prefix(hist: Any, n_ties: int, prefix: Any) -> None:
    """Write running counts over ties: arm 0 subjects, responders, arm 1 subjects, responders."""
    for what in range(4):
        prefix[0, what] = 0
    for tie in range(n_ties):
        at = 4 * tie
        prefix[tie + 1, 0] = prefix[tie, 0] + hist[at] + hist[at + 1]
        prefix[tie + 1, 1] = prefix[tie, 1] + hist[at + 1]
        prefix[tie + 1, 2] = prefix[tie, 2] + hist[at + 2] + hist[at + 3]
        prefix[tie + 1, 3] = prefix[tie, 3] + hist[at + 3]


@compiled
def _read_cells(prefix: Any, n_ties: int, low: int, higher: int, w: Any) -> None:
    """Write the cells of one split."""
    for arm in range(2):
        below = prefix[low, 2 * arm]
        hit = prefix[low, 2 * arm + 1]
        rest = prefix[n_ties, 2 * arm] - below
        rest_hit = prefix[n_ties, 2 * arm + 1] - hit
        inside, outside = 2 * arm + 1, 2 * arm
        if higher == 0:
            inside, outside = outside, inside
        w[outside], w[4 + outside], w[8 + outside] = below, hit, below - hit
        w[inside], w[4 + inside], w[8 + inside] = rest, rest_hit, rest - rest_hit


@compiled
def _bound_split(
    test: int, n0: int, y0: int, n1: int, y1: int, m0: int, x0: int, m1: int, x1: int, tables: Any
) -> float:
    """Return an upper bound of a statistic from the two sides of a split, or -1 for another way.

    ``n`` and ``y`` are subjects and responders below, ``m`` and ``x`` above, of arms 0 and 1.
    No statistic depends on which side is group 1.
    """
    if test in (LRT, FIRTH):
        half = 0.5 if test == FIRTH else 0.0
        return bound_near(
            x1 + half,
            n1 - y1 + half,
            m0 - x0 + half,
            y0 + half,
            m1 - x1 + half,
            y1 + half,
            x0 + half,
            n0 - y0 + half,
        )
    if test == RD:
        return -1.0
    f0, f1, g0, g1 = n0 - y0, n1 - y1, m0 - x0, m1 - x1
    beta = (tables[0, x1] - tables[0, g1]) - (tables[0, y1] - tables[0, f1])
    beta -= (tables[0, x0] - tables[0, g0]) - (tables[0, y0] - tables[0, f0])
    variance = (tables[1, x1] + tables[1, g1]) + (tables[1, y1] + tables[1, f1])
    variance += (tables[1, x0] + tables[1, g0]) + (tables[1, y0] + tables[1, f0])
    bound = float(beta * beta / variance * (1 + 1e-9) + 1e-12)
    if test != WALD_GLM:
        return bound
    # The iterated fit stops within a percent of convergence; with a zero cell its statistic is
    # the stopping rule's share of the deviance, and the deviance is at most 1.4 per subject.
    return 1.05 * bound if bound >= 0 else 1e-3 * (n0 + n1 + m0 + m1)


@compiled
def _score_candidates(
    prefix: Any, plan: Any, min_share: float, number: int, lows: Any, scratch: Any
) -> int:
    """Write a statistic or a bound for each candidate; return the place of the largest, or -1."""
    values, w, tables = scratch[3], scratch[4], scratch[5]
    n_ties, higher, test, least = plan[0], plan[2], plan[3], plan[4]
    all0, hit0, all1, hit1 = (
        prefix[n_ties, 0],
        prefix[n_ties, 1],
        prefix[n_ties, 2],
        prefix[n_ties, 3],
    )
    best, top = -1, -1.0
    for place in range(number):
        low = lows[place]
        n0, y0, n1, y1 = prefix[low, 0], prefix[low, 1], prefix[low, 2], prefix[low, 3]
        m0, m1 = all0 - n0, all1 - n1
        values[place] = np.nan
        if n0 < least or n1 < least or m0 < least or m1 < least:
            continue
        inside = m0 + m1 if higher else n0 + n1
        if min_share > 0 and not inside / (all0 + all1) > min_share:
            continue
        value = _bound_split(test, n0, y0, n1, y1, m0, hit0 - y0, m1, hit1 - y1, tables)
        if value == -1.0:
            _read_cells(prefix, n_ties, low, higher, w)
            value = risk(w) if test == RD else bound_far(w, 0.5 if test == FIRTH else 0.0)
        values[place] = value
        if value > top:
            best, top = place, value
    return best


@compiled
def _settle_bounds(
    prefix: Any, plan: Any, number: int, first: int, lows: Any, scratch: Any
) -> None:
    """Replace bounds by statistics where they can matter, and by NaN elsewhere."""
    values, w = scratch[3], scratch[4]
    best = -1.0
    for turn in range(-1, number):
        place = first if turn < 0 else turn
        # The bound is exact to its rounding only, which the margins cover.
        if turn == first or not values[place] + 1e-9 >= best * NEAR * (1 - 1e-9):
            if turn != first:
                values[place] = np.nan
            continue
        _read_cells(prefix, plan[0], lows[place], plan[2], w)
        values[place] = settle(plan[3], w)
        best = max(best, values[place])


@compiled
def _choose(values: Any, number: int) -> int:
    """Return the lowest candidate whose statistic ties with the largest; -1 without any."""
    top = -1.0
    for place in range(number):
        top = max(top, values[place])
    if top < 0:
        return -1
    limit = top * NEAR if top > 0 else top
    for place in range(number):
        if values[place] >= limit:
            return place
    return -1


@compiled
def _search_one(
    hist: Any, plan: Any, min_share: float, grid: Any, given: Any, scratch: Any, out: Any
) -> None:
    """Write tie, statistic, subjects and zero cell of the best cut of one histogram."""
    prefix, ties, lows, values, w = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    n_ties, test = plan[0], plan[3]
    _prefix(hist, n_ties, prefix)
    number = _list_candidates(hist, plan, grid, given, ties, lows)
    first = _score_candidates(prefix, plan, min_share, number, lows, scratch)
    if first >= 0 and test != RD:
        _settle_bounds(prefix, plan, number, first, lows, scratch)
    place = _choose(values, number)
    out[2] = prefix[n_ties, 0] + prefix[n_ties, 2]
    out[0], out[1], out[3] = -1.0, np.nan, 0.0
    if place >= 0:
        _read_cells(prefix, n_ties, lows[place], plan[2], w)
        out[0], out[1] = ties[place], values[place]
        for cell in range(4):
            if w[4 + cell] == 0 or w[8 + cell] == 0:
                out[3] = 1.0


@compiled
def _scratch(plan: Any, n_given: int, n_most: int) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Return working memory for one worker, for at most so many subjects."""
    size = max(plan[0], n_given, 19) + 1
    tables = np.zeros((2, n_most + 1))
    if plan[3] in (WALD, FIRTH_WALD, WALD_GLM):
        for count in range(n_most + 1):
            amount = count + (0.5 if plan[3] == FIRTH_WALD else 0.0)
            tables[0, count], tables[1, count] = np.log(amount), 1 / amount
    return (
        np.zeros((plan[0] + 1, 4), dtype=np.int64),
        np.zeros(size, dtype=np.int64),
        np.zeros(size, dtype=np.int64),
        np.zeros(size),
        np.zeros(20),
        tables,
    )


@compiled
def search_weights(
    weights: IntArray, plan: IntArray, min_share: float, grid: IntArray, given: IntArray
) -> FloatArray:
    """Return tie, statistic, subjects and zero cell for given histograms, (b, 4).

    Parameters
    ----------
    weights : (b, 4 U) array of int
        Multiplicities of dense records.
    plan : (5,) array of int
        Ties, kind of candidates, direction, test, smallest cell.
    min_share : float
        Share of group 1 to exceed.
    grid, given : arrays of int
        Ranks of the grid by number of distinct values; splits of given cuts.

    Returns
    -------
    (b, 4) array
        Tie -1 without a cut.
    """
    out = np.zeros((len(weights), 4))
    most = 0
    for row in range(len(weights)):
        most = max(most, weights[row].sum())
    scratch = _scratch(plan, len(given), most)
    for row in range(len(weights)):
        _search_one(weights[row], plan, min_share, grid, given, scratch, out[row])
    return out


@compiled
def search_rows(
    rows: IntArray,
    record: IntArray,
    plan: IntArray,
    min_share: float,
    grid: IntArray,
    given: IntArray,
) -> FloatArray:
    """Return the same for rows of replicates, (b, n); ``record`` is the record of each row."""
    out = np.zeros((len(rows), 4))
    scratch = _scratch(plan, len(given), rows.shape[1])
    hist = np.zeros(4 * plan[0] + 1, dtype=np.int32)
    for row in range(len(rows)):
        hist[:] = 0
        for draw in range(rows.shape[1]):
            hist[record[rows[row, draw]]] += 1
        _search_one(hist, plan, min_share, grid, given, scratch, out[row])
    return out


@compiled
def search_stream(
    bounds: IntArray,
    keys: Any,
    groups: IntArray,
    record: IntArray,
    plan: IntArray,
    min_share: float,
    grid: IntArray,
    given: IntArray,
) -> FloatArray:
    """Return the same for replicates of a stream.

    ``bounds`` holds first replicate, last, sub and purpose; ``groups`` the members of groups in
    row 0, and each row's first member and number of members in rows 1 and 2.
    """
    n = groups.shape[1]
    out = np.zeros((bounds[1] - bounds[0], 4))
    scratch = _scratch(plan, len(given), n)
    hist = np.zeros(4 * plan[0] + 1, dtype=np.int32)
    words = np.zeros(4 * ((n + 3) // 4), dtype=np.uint64)
    half = np.uint64(32)
    for row in range(len(out)):
        hist[:] = 0
        _fill_words(bounds[0] + row, bounds[2], bounds[3], keys, words)
        for draw in range(n):
            number = (words[draw] * np.uint64(groups[2, draw])) >> half
            member = groups[0, groups[1, draw] + np.int64(number)]
            hist[record[member]] += 1
        _search_one(hist, plan, min_share, grid, given, scratch, out[row])
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
    marker's place (-1 missing) and ``cell`` 2 arm + response of every row.
    """
    out = np.zeros((bounds[1] - bounds[0], 4))
    scratch = _scratch(plan, len(given), n)
    hist = np.zeros(4 * plan[0], dtype=np.int32)
    words = np.zeros(4 * ((n + 3) // 4), dtype=np.uint64)
    order = np.zeros(len(members), dtype=np.uint64)
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    for row in range(len(out)):
        hist[:] = 0
        _fill_words(bounds[0] + row, bounds[2], bounds[3], keys, words)
        for place in range(len(members)):
            order[place] = (words[members[place]] << half) | np.uint64(place)
        for group in range(len(starts) - 1):
            order[starts[group] : starts[group + 1]].sort()
        for place in range(len(members)):
            source = members[np.int64(order[place] & low)]
            if tie[source] >= 0:
                hist[4 * tie[source] + cell[members[place]]] += 1
        _search_one(hist, plan, min_share, grid, given, scratch, out[row])
    return out
