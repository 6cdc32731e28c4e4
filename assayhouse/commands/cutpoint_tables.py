"""Results of a cut-point search as the command writes them: one JSON document and flat tables."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import polars.selectors as cs

from assayhouse.stats.frozen import jsonable

if TYPE_CHECKING:
    from assayhouse.analysis.own_cut_points import MarkerSearch

NAIVE = "at the chosen cut; no valid inference, the cut was chosen on the same data"
_LONG = ("cuts", "statistics", "n_used", "zero_cell", "null_statistics")
_CELLS = tuple((arm, group) for arm in (1, 0) for group in (1, 0))


def result_of(
    searches: "Sequence[MarkerSearch]", *, about: Mapping[str, Any], spec: Mapping[str, Any]
) -> dict[str, Any]:
    """Return everything but the long arrays, ready for JSON.

    Parameters
    ----------
    searches : sequence of MarkerSearch
        One per marker.
    about, spec : mapping
        The input file, and what was asked.
    """
    return {"input": dict(about), "spec": dict(spec), "markers": [_one(item) for item in searches]}


def _one(search: "MarkerSearch") -> dict[str, Any]:
    found, adjusted = search.found.to_dict(), search.adjusted.to_dict()
    short = {name: value for name, value in found.items() if name not in _LONG}
    return {
        "marker": short.pop("marker"),
        "verdict": search.words,
        **short,
        "share_failed": search.found.n_failed / search.found.n_boot,
        "p_naive_is": NAIVE,
        "p_adjusted": adjusted["p"],
        "adjusted": {name: value for name, value in adjusted.items() if name not in _LONG},
        "p_max_t": jsonable(search.p_max_t),
        "optimism": None if search.corrected is None else search.corrected.to_dict(),
    }


def tables_of(searches: "Sequence[MarkerSearch]") -> dict[str, pl.DataFrame]:
    """Return the flat tables: markers, cuts, bootstrap, and curve where there is one.

    Parameters
    ----------
    searches : sequence of MarkerSearch
        One per marker.
    """
    curves = [_curve(item) for item in searches if item.curve is not None]
    tables = {
        "markers": pl.concat([_marker(item) for item in searches]),
        "cuts": pl.concat([_cuts(item) for item in searches]),
        "bootstrap": pl.concat([_bootstrap(item) for item in searches]),
    }
    if curves:
        tables["curve"] = pl.concat(curves)
    return {name: table.with_columns(cs.float().fill_nan(None)) for name, table in tables.items()}


def _marker(search: "MarkerSearch") -> pl.DataFrame:
    found, corrected = search.found, search.corrected
    apparent = corrected.apparent["rd_difference"] if corrected else np.nan
    honest = corrected.corrected["rd_difference"] if corrected else np.nan
    return pl.DataFrame(
        {
            "marker": found.marker,
            "threshold": found.threshold,
            "direction": found.direction,
            "ci_low": found.ci[0],
            "ci_high": found.ci[1],
            "p_adjusted": search.adjusted.p,
            "p_naive": found.p_naive,
            "p_max_t": search.p_max_t,
            "difference_apparent": apparent,
            "difference_corrected": honest,
            "n_failed": found.n_failed,
            "n_boot": found.n_boot,
            "n_zero_cell": found.n_zero_cell,
            "iqr_low": found.iqr[0],
            "iqr_high": found.iqr[1],
            "n": int(found.n.sum()),
        }
    )


def _cuts(search: "MarkerSearch") -> pl.DataFrame:
    scanned, test = search.scanned, search.found.rules["test"]
    cells = {
        f"{kind}_{'active' if arm else 'control'}_{'in' if group else 'out'}": table[:, arm, group]
        for arm, group in _CELLS
        for kind, table in (("n", scanned.n), ("y", scanned.y))
    }
    return pl.DataFrame(
        {
            "cut": scanned.cuts,
            "admissible": scanned.admissible,
            "zero_cell": scanned.zero_cell,
            **cells,
            "statistic": scanned.statistic[test],
            "p_naive": scanned.p[test],
        }
    ).select(pl.lit(search.found.marker).alias("marker"), pl.all())


def _bootstrap(search: "MarkerSearch") -> pl.DataFrame:
    found = search.found
    return pl.DataFrame(
        {
            "replicate": np.arange(found.n_boot),
            "cut": found.cuts,
            "statistic": found.statistics,
            "n_used": found.n_used,
            "zero_cell": found.zero_cell,
        }
    ).select(pl.lit(found.marker).alias("marker"), pl.all())


def _curve(search: "MarkerSearch") -> pl.DataFrame:
    """Long form; the columns that the picture takes, rates in per cent."""
    curve = search.curve
    if curve is None:
        return pl.DataFrame()
    rates = {
        "rate_pct": curve.rate,
        "rate_lo": curve.lower,
        "rate_hi": curve.upper,
        "band_lo": curve.band_lower,
        "band_hi": curve.band_upper,
    }
    parts = [
        pl.DataFrame(
            {
                "arm": arm,
                "threshold": curve.thresholds,
                "n": curve.n[place],
                "y": curve.y[place],
                **{name: 100 * values[place] for name, values in rates.items()},
            }
        )
        for place, arm in enumerate(("control", "active"))
    ]
    return pl.concat(parts).select(pl.lit(search.found.marker).alias("marker"), pl.all())
