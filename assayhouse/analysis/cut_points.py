"""The search for a predictive cut point as a plan runs it: chunks and their sum.

A chunk is a stretch of bootstrap samples. Every sample has its own counter-based stream, so that
chunks, their order and the processes that make them change no bit of the result.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from assayhouse.contracts.plan import CutPointSearch
from assayhouse.stats.batting import (
    adjusted_p,
    batting,
    optimism,
    scan,
)
from assayhouse.stats.batting_direction import find_direction
from assayhouse.stats.batting_rules import read_rules
from assayhouse.stats.batting_study import read_columns
from assayhouse.stats.proportions import risk_difference_counts
from assayhouse.stats.resampling import bootstrap_indices

DEFAULTS: Mapping[str, object] = {
    "test": "lrt",
    "candidates": "all",
    "direction": "higher",
    "min_cell": 5,
    "min_share": 0.0,
    "n_boot": 1000,
    "n_null": 999,
    "null": "parametric",
    "alpha": 0.05,
}
_PRESET = ("test", "candidates", "min_cell", "min_share")
_OWN = ("n_boot", "n_null", "null", "alpha")
CELLS = {"high": 1, "low": 0}
ARMS = {"active": 1, "control": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchData:
    """The subjects of the search, in the order of their identifiers."""

    x: npt.NDArray[np.float64]
    arm: npt.NDArray[np.int8]
    response: npt.NDArray[np.int8]

    @property
    def n(self) -> int:
        """Number of subjects."""
        return len(self.x)


def options_of(search: CutPointSearch) -> dict[str, object]:
    """Options of a search, every one filled in; a preset fills in before the defaults do."""
    given: dict[str, Any] = dict(search.options)
    if "preset" not in given:
        return {**DEFAULTS, **given}
    named = {name: given[name] for name in (*_PRESET, "preset") if name in given}
    rules = read_rules(**named)
    return {**DEFAULTS, **{name: getattr(rules, name) for name in _PRESET}, **given}


def _of_batting(options: Mapping[str, object]) -> dict[str, Any]:
    # Which options there are, and of which kind, the search itself checks and says.
    return {name: value for name, value in options.items() if name not in _OWN}


def search_data(subjects: pl.DataFrame, search: CutPointSearch) -> SearchData:
    """Take the two arms of the search; rows without marker or response are left out.

    Parameters
    ----------
    subjects : DataFrame
        usubjid, arm, value, response. Rows of any other arm are never looked at.
    search : CutPointSearch
        Names the arms.
    """
    pair = subjects.filter(
        pl.col("arm").is_in([search.active, search.control]),
        pl.col("value").is_not_null(),
        pl.col("response").is_not_null(),
    ).sort("usubjid")
    return SearchData(
        x=pair["value"].to_numpy().astype(np.float64),
        arm=(pair["arm"] == search.active).to_numpy().astype(np.int8),
        response=pair["response"].to_numpy().astype(np.int8),
    )


def chunk_bounds(n_boot: int, chunks: int, chunk: int) -> tuple[int, int]:
    """First sample and number of samples of a chunk, counted from 0; sizes differ by at most 1.

    Examples
    --------
    >>> [chunk_bounds(10, 4, chunk) for chunk in range(4)]
    [(0, 3), (3, 3), (6, 2), (8, 2)]
    """
    size, extra = divmod(n_boot, chunks)
    first = chunk * size + min(chunk, extra)
    return first, size + (chunk < extra)


def search_chunk(
    data: SearchData, search: CutPointSearch, *, marker: str, chunk: int, seed: int
) -> pl.DataFrame:
    """Find the cut of every bootstrap sample of one chunk.

    Returns
    -------
    DataFrame
        marker, chunk, replicate, cut (null where the sample has none), statistic, n_used,
        zero_cell_fl, seed.
    """
    options = options_of(search)
    first, count = chunk_bounds(int(str(options["n_boot"])), search.chunks, chunk)
    groups = data.arm if options.get("resample") == "arm" else None
    rows = bootstrap_indices(data.n, count, seed=seed, label=marker, start=first, groups=groups)
    found = batting(
        data.x, data.arm, data.response, marker=marker, resamples=rows, **_of_batting(options)
    )
    return pl.DataFrame(
        {
            "marker": marker,
            "chunk": chunk,
            "replicate": np.arange(first, first + count),
            "cut": found.cuts,
            "statistic": found.statistics,
            "n_used": found.n_used,
            "zero_cell_fl": np.where(found.zero_cell, "Y", "N"),
            "seed": seed,
        }
    ).with_columns(pl.col("cut", "statistic").fill_nan(None))


def direction_of(data: SearchData, options: Mapping[str, object]) -> str:
    """Return the direction of a search, found on the full data where it is left open."""
    declared = str(options["direction"])
    if declared != "auto":
        return declared
    columns = read_columns(data.arm, data.response)
    better = bool(options.get("larger_is_better", True))
    return find_direction(data.x, columns, larger_is_better=better)


def cells_of(n: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> dict[str, object]:
    """Name the counts by level and arm; arrays are (arm, group)."""
    return {
        f"{kind}_{level}_{arm}": int(table[a, g])
        for level, g in CELLS.items()
        for arm, a in ARMS.items()
        for kind, table in (("n", n), ("y", y))
    }


def _differences(n: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> dict[str, object]:
    """Name the differences active minus control of each level, with Newcombe's limits, in %."""
    row: dict[str, object] = {}
    for level, g in CELLS.items():
        found = risk_difference_counts(y[1, g], n[1, g], y[0, g], n[0, g])
        ends = (found.estimate, found.lower, found.upper)
        for name, value in zip(("pct", "lo", "hi"), ends, strict=True):
            row[f"diff_{level}_{name}"] = None if np.isnan(value) else 100.0 * value
    return row


def verdict(p: float, alpha: float) -> str:
    """Say in plain words what the p-value of the whole procedure means.

    Parameters
    ----------
    p, alpha : float
        From `assayhouse.stats.batting.adjusted_p`, and the level; p is NaN where the data
        themselves have no admissible cut, whatever their samples have.
    """
    if np.isnan(p):
        return "No evidence of a cut: the data themselves have no admissible cut."
    if p <= alpha:
        return (
            f"The whole procedure finds more than chance would (p = {p:.3g}): a cut to be "
            "confirmed in subjects that had no part in finding it."
        )
    return (
        f"No evidence of a cut: searching data without any effect finds as much (p = {p:.3g}). "
        "The median of the bootstrap cuts always exists and is no finding by itself."
    )


def summarise_cuts(
    samples: pl.DataFrame, data: SearchData, search: CutPointSearch, *, seed: int
) -> dict[str, object]:
    """Sum up the cuts of all samples, with the p-value of the whole procedure.

    Raises
    ------
    ModelDataError
        The samples are not those of the search.
    """
    options = options_of(search)
    cuts = samples.sort("replicate")["cut"].to_numpy()
    known = cuts[~np.isnan(cuts)]
    if len(known) == 0:
        return {
            "n_boot": len(cuts),
            "n_failed": len(cuts),
            "n": data.n,
            "verdict": "No admissible cut in any bootstrap sample.",
            "status": "no_cut",
            "reasons": "every candidate leaves a group smaller than min_cell",
        }
    threshold = float(np.median(known))
    level = 0.025
    low, q1, q3, high = np.quantile(known, [level, 0.25, 0.75, 1 - level])
    at = _at_threshold(data, threshold, options)
    adjusted = adjusted_p(
        data.x,
        data.arm,
        data.response,
        null=str(options["null"]),
        n_null=int(str(options["n_null"])),
        rng=seed,
        **_of_batting(options),
    )
    return {
        "threshold": threshold,
        "ci_lo": low,
        "ci_hi": high,
        "iqr_lo": q1,
        "iqr_hi": q3,
        "n_boot": len(cuts),
        "n_failed": len(cuts) - len(known),
        "n_zero_cell": int((samples["zero_cell_fl"] == "Y").sum()),
        "n": data.n,
        **at,
        **_optimism(data, options, seed=seed),
        "p_adjusted": None if np.isnan(adjusted.p) else adjusted.p,
        "p_method": f"largest statistic over cuts, {adjusted.method} null, {adjusted.n_null} draws",
        "verdict": verdict(adjusted.p, float(str(options["alpha"]))),
        "rules": json.dumps(options, sort_keys=True),
        "status": "ok",
        "reasons": "",
    }


def _optimism(data: SearchData, options: Mapping[str, object], *, seed: int) -> dict[str, object]:
    """Return how far the effects of treatment lie apart, as found and corrected, in %."""
    found = optimism(data.x, data.arm, data.response, rng=seed, **_of_batting(options))
    told = {
        "effect_difference_pct": found.apparent["rd_difference"],
        "effect_difference_corrected_pct": found.corrected["rd_difference"],
    }
    return {name: None if np.isnan(value) else 100.0 * value for name, value in told.items()}


def _at_threshold(
    data: SearchData, threshold: float, options: Mapping[str, object]
) -> dict[str, object]:
    """Count the original data at one cut, with the naive statistic."""
    found = scan(
        data.x,
        data.arm,
        data.response,
        tests=(str(options["test"]),),
        candidates=np.array([threshold]),
        direction=direction_of(data, options),
    )
    n, y = found.n[0], found.y[0].astype(np.int64)
    statistic, p = (float(told[str(options["test"])][0]) for told in (found.statistic, found.p))
    return {
        "direction": found.direction,
        **cells_of(n, y),
        **_differences(n, y),
        "statistic": None if np.isnan(statistic) else statistic,
        "p_naive": None if np.isnan(p) else p,
    }
