"""What is looked at once a cut is found: other doses, and response rates beyond every threshold."""

import numpy as np
import polars as pl
import polars.selectors as cs

from assayhouse.analysis.cut_points import SearchData, cells_of, direction_of, options_of
from assayhouse.contracts.plan import CutPointSearch
from assayhouse.stats.batting import response_curve, validate


def validate_cut(
    subjects: pl.DataFrame, search: CutPointSearch, *, threshold: float, direction: str
) -> pl.DataFrame:
    """Look at a cut found elsewhere in the doses that had no part in finding it.

    Parameters
    ----------
    subjects : DataFrame
        usubjid, arm, value, response, of every arm.
    search : CutPointSearch
        ``validation`` is the order of the fixed sequence; the control made the cut and serves
        again, which every row says.
    threshold, direction : float, str
        The cut, as found.
    """
    wanted = [*search.validation, search.control]
    rows = subjects.filter(
        pl.col("arm").is_in(wanted),
        pl.col("value").is_not_null(),
        pl.col("response").is_not_null(),
    ).sort("usubjid")
    found = validate(
        threshold,
        rows["value"].to_numpy(),
        rows["arm"].to_list(),
        rows["response"].to_numpy().astype(np.int8),
        control=search.control,
        doses=list(search.validation),
        direction=direction,
        test=str(options_of(search)["test"]),
    )
    return pl.DataFrame(
        [
            {
                "arm": item.dose,
                "row_order": order,
                "threshold": threshold,
                "direction": direction,
                **cells_of(item.n, item.y),
                "statistic": item.statistic,
                "p": item.p,
                "diff_high_pct": 100.0 * item.high.estimate,
                "diff_high_lo": 100.0 * item.high.lower,
                "diff_high_hi": 100.0 * item.high.upper,
                "diff_low_pct": 100.0 * item.low.estimate,
                "diff_low_lo": 100.0 * item.low.lower,
                "diff_low_hi": 100.0 * item.low.upper,
                "confirmatory_fl": "Y" if item.confirmatory else "N",
                "shared_control_fl": "Y" if found.shared_control else "N",
                "status": "ok",
                "reasons": "; ".join(found.warnings),
            }
            for order, item in enumerate(found.rows, start=1)
        ]
    ).with_columns(cs.float().fill_nan(None))


def curves(data: SearchData, search: CutPointSearch, *, seed: int) -> pl.DataFrame:
    """Response rates of subjects above each threshold, by arm, with pointwise and wide bands.

    Returns
    -------
    DataFrame
        arm, threshold, n, y, rate_pct and its limits, difference (active minus control,
        percentage points).
    """
    found = response_curve(
        data.x,
        data.arm,
        data.response,
        direction=direction_of(data, options_of(search)),
        rng=seed,
    )
    parts = [
        pl.DataFrame(
            {
                "arm": code,
                "threshold": found.thresholds,
                "n": found.n[place],
                "y": found.y[place],
                "rate_pct": 100.0 * found.rate[place],
                "rate_lo": 100.0 * found.lower[place],
                "rate_hi": 100.0 * found.upper[place],
                "band_lo": 100.0 * found.band_lower[place],
                "band_hi": 100.0 * found.band_upper[place],
                "difference": 100.0 * found.difference,
            }
        )
        for place, code in ((1, search.active), (0, search.control))
    ]
    return pl.concat(parts).with_columns(cs.float().fill_nan(None))
