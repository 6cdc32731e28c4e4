"""The whole cut-point search of anybody's table: thresholds, what they are worth, and in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from assayhouse.analysis.cut_point_spec import CutPointSpec
from assayhouse.analysis.cut_points import verdict
from assayhouse.errors import ModelDataError
from assayhouse.stats.batting import (
    AdjustedP,
    BattingResult,
    CutScan,
    Optimism,
    ResponseCurve,
    batting,
    batting_many,
    optimism,
    response_curve,
    scan,
)
from assayhouse.stats.batting_worth import watched_p

_Numbers: TypeAlias = npt.NDArray[np.float64]
Tell: TypeAlias = Callable[[str, int, int], None]
_STEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerSearch:
    """Everything about one marker.

    Parameters
    ----------
    found : BattingResult
        Threshold and the cuts of all replicates.
    scanned : CutScan
        Every cut of the data as they are.
    adjusted : AdjustedP
        p of the whole procedure.
    corrected : Optimism or None
        None for survival, and where it was not asked for.
    curve : ResponseCurve or None
        None unless the response is 0 or 1.
    p_max_t : float
        p of the choice among all markers too; NaN for a single marker.
    words : str
        Verdict.
    """

    found: BattingResult
    scanned: CutScan
    adjusted: AdjustedP
    corrected: Optimism | None
    curve: ResponseCurve | None
    p_max_t: float
    words: str

    @property
    def p(self) -> float:
        """The p that the verdict rests on: that of all markers where there are several."""
        return float(np.fmax(self.adjusted.p, self.p_max_t))


def search_table(table: pl.DataFrame, spec: CutPointSpec, tell: Tell) -> tuple[MarkerSearch, ...]:
    """Search every marker of a table.

    Parameters
    ----------
    table : DataFrame
        One row per subject; numbers, with 0 and 1 in the arm column; strata are text.
    spec : CutPointSpec
        Columns and options.
    tell : callable
        Given the step, the steps done and all steps.

    Returns
    -------
    tuple of MarkerSearch
        In the order of the spec.

    Raises
    ------
    ModelDataError
        Too few subjects with complete data for any cut.
    InputError
        The search refuses an option or a column.
    """
    for marker in spec.marker:
        _require_enough(table, spec, marker)
    everything = _max_t(table, spec, tell)
    return tuple(
        _search_marker(table, spec, marker, p_max_t, _Place(tell, place, len(spec.marker)))
        for place, (marker, p_max_t) in enumerate(zip(spec.marker, everything, strict=True))
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a marker's steps stand among all."""

    tell: Tell
    number: int
    of: int

    def at(self, step: int, words: str) -> None:
        self.tell(words, _STEPS * self.number + step, _STEPS * self.of)


def _column(table: pl.DataFrame, name: str) -> _Numbers:
    return table[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _passed(table: pl.DataFrame, spec: CutPointSpec) -> dict[str, Any]:
    passed = dict(spec.options)
    if spec.event:
        passed["event"] = _column(table, spec.event)
    if spec.adjust:
        passed["adjust"] = np.column_stack([_column(table, name) for name in spec.adjust])
    if spec.strata:
        strata = [table[name].cast(pl.String).to_numpy() for name in spec.strata]
        passed["strata"] = np.column_stack(strata)
    return passed


def _require_enough(table: pl.DataFrame, spec: CutPointSpec, marker: str) -> None:
    least = 2 * max(int(spec.options.get("min_cell", 5)), 1)
    if spec.options.get("preset") == "subgrpid" and "min_cell" not in spec.options:
        least = 2
    names = [marker, *(name for name in spec.columns if name not in spec.marker)]
    complete = table.select(names).drop_nulls()
    arms = [int((complete[spec.arm] == arm).sum()) for arm in (1, 0)]
    if min(arms) < least:
        message = (
            f"{marker}: {arms[0]} active and {arms[1]} control subjects with complete data; "
            f"every cut needs {least // 2} of each arm on either side, so each arm needs "
            f"{least} at the least. Nothing was written."
        )
        raise ModelDataError(message)
    if complete[marker].n_unique() < 2:
        message = f"{marker}: all {complete.height} subjects have the same value. There is no cut."
        raise ModelDataError(message)


def _max_t(table: pl.DataFrame, spec: CutPointSpec, tell: Tell) -> list[float]:
    """Return the p of every marker adjusted for the choice among all."""
    if len(spec.marker) == 1:
        return [float("nan")]
    tell("all markers: null data", 0, 0)
    markers = {name: _column(table, name) for name in spec.marker}
    found = batting_many(
        markers,
        _column(table, spec.arm),
        _column(table, spec.response),
        n_null=spec.null_sets,
        rng=spec.seed,
        # One replicate: only the statistics of the data themselves and of the null data count.
        **_passed(table, spec) | {"n_boot": 1},
    )
    return [float(value) for value in found.p_max_t]


def _search_marker(
    table: pl.DataFrame, spec: CutPointSpec, marker: str, p_max_t: float, place: _Place
) -> MarkerSearch:
    x, arm, response = (_column(table, name) for name in (marker, spec.arm, spec.response))
    passed: dict[str, Any] = {**_passed(table, spec), "marker": marker}
    place.at(0, f"{marker}: bootstrap")
    found = batting(x, arm, response, rng=spec.seed, **passed)
    within = {name: value for name, value in passed.items() if name != "n_boot"}
    place.at(1, f"{marker}: {spec.null_sets} null data sets")

    def told(done: int, total: int) -> None:
        place.at(1, f"{marker}: null data set {done} of {total}")

    adjusted = watched_p(
        x, arm, response, tell=told, null=spec.null, n_null=spec.null_sets, rng=spec.seed, **within
    )
    place.at(2, f"{marker}: optimism")
    corrected = None
    if spec.n_outer and spec.endpoint != "survival" and np.isfinite(found.threshold):
        corrected = optimism(x, arm, response, n_outer=spec.n_outer, rng=spec.seed, **within)
    place.at(3, f"{marker}: every cut")
    return MarkerSearch(
        found=found,
        scanned=_scan(x, arm, response, found, within),
        adjusted=adjusted,
        corrected=corrected,
        curve=_curve(x, arm, response, spec, found),
        p_max_t=p_max_t,
        words=_words(found, adjusted, corrected, spec, p_max_t),
    )


def _scan(
    x: _Numbers, arm: _Numbers, response: _Numbers, found: BattingResult, passed: dict[str, Any]
) -> CutScan:
    known = ("endpoint", "event", "adjust", "missing")
    rules = found.rules
    candidates = rules["candidates"]
    return scan(
        x,
        arm,
        response,
        tests=(rules["test"],),
        candidates=rules["candidate_values"] if candidates == "values" else candidates,
        direction=found.direction,
        min_cell=rules["min_cell"],
        min_share=rules["min_share"],
        **{name: passed[name] for name in known if name in passed},
    )


def _curve(
    x: _Numbers, arm: _Numbers, response: _Numbers, spec: CutPointSpec, found: BattingResult
) -> ResponseCurve | None:
    if spec.endpoint != "binary":
        return None
    return response_curve(x, arm, response, direction=found.direction, rng=spec.seed)


def _words(
    found: BattingResult,
    adjusted: AdjustedP,
    corrected: Optimism | None,
    spec: CutPointSpec,
    p_max_t: float,
) -> str:
    """Say what the cut is worth, for a reader who asks nothing else."""
    if not np.isfinite(found.threshold):
        return "No cut: in no bootstrap sample does any value leave enough subjects on either side."
    told = [verdict(float(np.fmax(adjusted.p, p_max_t)), spec.alpha)]
    if np.isfinite(p_max_t):
        told.append(f"This p also counts that {len(spec.marker)} markers were searched.")
    side = "above" if found.direction == "higher" else "below"
    told.append(
        f"Median cut {found.threshold:.4g}, {100 * found.conf_level:g} % of the cuts "
        f"{found.ci[0]:.4g} to {found.ci[1]:.4g}; the group of interest is {side} it."
    )
    if np.isfinite(found.p_naive):
        told.append(
            f"The p at the chosen cut, {found.p_naive:.3g}, is no valid inference: the cut was "
            "chosen on the same data."
        )
    if corrected is not None:
        told.append(_optimism_words(corrected, spec))
    share = 100 * found.n_failed / found.n_boot
    told.append(f"{found.n_failed} of {found.n_boot} samples ({share:.1f} %) have no cut.")
    return " ".join(told)


def _optimism_words(corrected: Optimism, spec: CutPointSpec) -> str:
    scale, unit = (100, " percentage points") if spec.endpoint == "binary" else (1, "")
    apparent = scale * corrected.apparent["rd_difference"]
    honest = scale * corrected.corrected["rd_difference"]
    return (
        f"The effect of treatment differs between the two groups by {apparent:.3g}{unit} as "
        f"found, and by {honest:.3g}{unit} corrected for the search (optimism)."
    )
