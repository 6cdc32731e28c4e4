"""What a search over bootstrap replicates found, and how the replicates become one threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.batting_forms import STATISTICS, p_value
from assayhouse.stats.batting_optima import Optima
from assayhouse.stats.batting_plan import choose_engine
from assayhouse.stats.batting_rules import Rules
from assayhouse.stats.batting_scan import read_cuts, scan_cuts
from assayhouse.stats.batting_search import Draws, median_cut, run_search
from assayhouse.stats.batting_study import Study
from assayhouse.stats.frozen import Frozen, freeze

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class BattingResult(Frozen):
    """A threshold and the replicates it comes from.

    Parameters
    ----------
    threshold : float
        Median of the cuts; NaN where no replicate has one. A median exists under no effect too.
    direction : str
        higher: group 1 is above the threshold; lower: below.
    marker : str
        Name.
    cuts, statistics : (B,) arrays
        Best cut of each replicate and its statistic; NaN where there is none.
    n_used : (B,) array of int
        Subjects with complete data in the replicate.
    zero_cell : (B,) array of bool
        The cut rests on a cell without responders or without others.
    n_boot, n_failed, n_zero_cell : int
        Replicates, those without a cut, those whose cut rests on a zero cell.
    iqr, ci : (float, float)
        Quartiles of the cuts and their percentile interval.
    conf_level : float
        Of ``ci``.
    n, y : (2, 2) arrays
        Subjects and responders (sums, events) of the original data at the threshold, [arm, group].
    statistic_naive, p_naive : float
        Test of the original data at the threshold. **Not valid inference**: the threshold was
        chosen on the same data, and without any effect such a p is below 0.05 in a fifth to a
        third of trials. Use `adjusted_p`.
    seed : int, optional
        Of the replicates; None where they were given.
    rules : dict
        Every option.
    warnings : tuple of str
        What a reader must know.
    """

    threshold: float
    direction: str
    marker: str
    cuts: FloatArray
    statistics: FloatArray
    n_used: IntArray
    zero_cell: BoolArray
    n_boot: int
    n_failed: int
    n_zero_cell: int
    iqr: Pair
    ci: Pair
    conf_level: float
    n: IntArray
    y: NDArray[np.int64] | FloatArray
    statistic_naive: float
    p_naive: float
    seed: int | None
    rules: dict[str, Any]
    warnings: tuple[str, ...]

    def histogram(self, bins: int = 30) -> tuple[IntArray, FloatArray]:
        """Return how often cuts fall into bins.

        Parameters
        ----------
        bins : int
            Bins of equal width.

        Returns
        -------
        (counts, edges)
            Cuts that are NaN are left out; no cut at all gives zero counts on [0, 1].
        """
        found = self.cuts[~np.isnan(self.cuts)]
        counts, edges = np.histogram(found, bins=bins)
        return counts.astype(np.int64), edges


@dataclass(frozen=True, slots=True, kw_only=True)
class AtCut:
    """The original data at one cut.

    Parameters
    ----------
    n, y : (2, 2) arrays
        Subjects and responders (sums, events), [arm, group].
    statistic, p : float
        NaN where undefined.
    """

    n: IntArray
    y: NDArray[np.int64] | FloatArray
    statistic: float
    p: float


def measure_cut(study: Study, cut: float, *, direction: str, test: str) -> AtCut:
    """Return cells and test of the data as they are at one cut.

    Parameters
    ----------
    study : Study
        Records.
    cut : float
        NaN puts everybody in group 0.
    direction, test : str
        As `batting`.

    Returns
    -------
    AtCut
        No minimum size applies.
    """
    higher = direction == "higher"
    at = cut if not np.isnan(cut) else (np.inf if higher else -np.inf)
    if study.dense:
        return measure_cuts([study], [cut], directions=[direction], test=test)[0]
    found = read_cuts(
        study,
        study.original(),
        candidates="values",
        candidate_values=np.array([at]),
        higher=higher,
    )
    scanned = scan_cuts(found, tests=(test,), min_cell=0, min_share=0.0)
    return AtCut(
        n=freeze(scanned.n[0]),
        y=_freeze_sums(scanned.y[0]),
        statistic=float(scanned.statistic[test][0]),
        p=float(scanned.p[test][0]),
    )


def measure_cuts(
    studies: Sequence[Study], cuts: Sequence[float], *, directions: Sequence[str], test: str
) -> list[AtCut]:
    """Return `measure_cut` of several markers with dense records, from eight counts each.

    Parameters
    ----------
    studies, cuts, directions : sequences of Study, float and str
        One per marker.
    test : str
        As `batting`.

    Returns
    -------
    list of AtCut
        One per marker; the same bits as for the marker alone.
    """
    counted = [_count(*one) for one in zip(studies, cuts, directions, strict=True)]
    n, y = (np.stack(part, axis=1) for part in zip(*counted, strict=True))
    statistic = np.full(n.shape[1], np.nan)
    whole = (n > 0).all(axis=0)
    if whole.any():
        statistic[whole] = STATISTICS[test](n[:, whole], y[:, whole])
    p = p_value(statistic)
    return [
        AtCut(
            n=freeze(n[:, place].astype(np.int64).reshape(2, 2)),
            y=freeze(y[:, place].astype(np.int64).reshape(2, 2)),
            statistic=float(statistic[place]),
            p=float(p[place]),
        )
        for place in range(n.shape[1])
    ]


def _count(study: Study, cut: float, direction: str) -> tuple[FloatArray, FloatArray]:
    """Return subjects and responders of the four cells; NaN puts everybody in group 0."""
    columns, kept = study.columns, study.kept
    marker = study.marker[kept]
    inside = marker > cut if direction == "higher" else marker < cut
    cell = 2 * columns.arm[kept].astype(np.int64) + inside
    n = np.bincount(cell, minlength=4).astype(np.float64)
    return n, np.asarray(np.bincount(cell, weights=columns.response[kept], minlength=4), float)


def _freeze_sums(y: NDArray[np.int64] | FloatArray) -> NDArray[np.int64] | FloatArray:
    """Return a read-only copy of counts or sums."""
    copy = y.copy()
    copy.setflags(write=False)
    return copy


def search_replicates(
    study: Study, rules: Rules, draws: Draws, *, direction: str, marker: str
) -> BattingResult:
    """Return the threshold of one marker.

    Parameters
    ----------
    study, rules, draws : Study, Rules, Draws
        Data, options and replicates.
    direction : {"higher", "lower"}
        Group 1.
    marker : str
        Name.

    Returns
    -------
    BattingResult
        With the original data at the threshold.
    """
    optima = run_search(study, rules, draws, direction=direction)
    at = measure_cut(study, median_cut(optima.cuts), direction=direction, test=rules.test)
    return summarise(optima, at, rules, draws, direction=direction, marker=marker)


def summarise(
    optima: Optima, at: AtCut, rules: Rules, draws: Draws, *, direction: str, marker: str
) -> BattingResult:
    """Return the result for optima that have been found.

    Parameters
    ----------
    optima : Optima
        One entry per replicate.
    at : AtCut
        The original data at the median of the cuts.
    rules, draws, direction, marker
        As `search_replicates`.

    Returns
    -------
    BattingResult
        Frozen.
    """
    threshold = median_cut(optima.cuts)
    found = np.sort(optima.cuts[~np.isnan(optima.cuts)])
    tail = (1 - rules.conf_level) / 2
    n_failed = len(optima.cuts) - len(found)
    n_zero = int(optima.zero_cell.sum())
    return BattingResult(
        threshold=threshold,
        direction=direction,
        marker=marker,
        cuts=freeze(optima.cuts),
        statistics=freeze(optima.statistics),
        n_used=freeze(optima.n_used),
        zero_cell=freeze(optima.zero_cell),
        n_boot=len(optima.cuts),
        n_failed=n_failed,
        n_zero_cell=n_zero,
        iqr=quantile_pair(found, 0.25),
        ci=quantile_pair(found, tail),
        conf_level=rules.conf_level,
        n=at.n,
        y=at.y,
        statistic_naive=at.statistic,
        p_naive=at.p,
        seed=draws.seed,
        rules=stored_rules(rules, draws),
        warnings=_warn(rules, n_boot=len(optima.cuts), n_failed=n_failed, n_zero=n_zero),
    )


def quantile_pair(values: FloatArray, tail: float) -> Pair:
    """Return the two quantiles that leave a tail on either side, by linear interpolation.

    Parameters
    ----------
    values : (k,) array
        Ascending, no NaN.
    tail : float
        Share outside on each side.

    Returns
    -------
    (float, float)
        NaN where there are no values.
    """
    if not len(values):
        return (float("nan"), float("nan"))
    return (_quantile(values, tail), _quantile(values, 1 - tail))


def _quantile(values: FloatArray, share: float) -> float:
    """Return a quantile of ascending values as numpy.quantile does, bit for bit, but sooner."""
    place = share * (len(values) - 1)
    low = int(place)
    weight = place - low
    below, above = float(values[low]), float(values[min(low + 1, len(values) - 1)])
    if weight < 0.5:
        return below + (above - below) * weight
    return above - (above - below) * (1 - weight)


def stored_rules(rules: Rules, draws: Draws) -> dict[str, Any]:
    """Return the options as a result stores them.

    Parameters
    ----------
    rules : Rules
        Options.
    draws : Draws
        Replicates.

    Returns
    -------
    dict
        JSON-ready; workers and chunks, which change no number, are left out.
    """
    kept = rules.to_dict()
    for name in ("n_jobs", "chunk_size"):
        del kept[name]
    kept["n_boot"] = draws.n_boot
    kept["engine"] = choose_engine(rules)
    kept["aggregation"] = "median"
    kept["label"] = draws.label
    if draws.rows is not None:
        kept["resample"] = "given"
        kept["label"] = None
    return kept


def _warn(rules: Rules, *, n_boot: int, n_failed: int, n_zero: int) -> tuple[str, ...]:
    """Return what a reader of the threshold must know."""
    said = list(rules.assumptions)
    if n_failed == n_boot:
        said.append("No replicate has an admissible cut: there is no threshold.")
    elif n_failed:
        said.append(f"{n_failed} of {n_boot} replicates have no admissible cut.")
    if n_zero:
        said.append(
            f"In {n_zero} of {n_boot} replicates the best cut rests on a cell without "
            "responders or without others."
        )
    return tuple(said)
