"""Baseline values against clinical measures and medication. Estimates; draws nothing."""

import math

import numpy as np
import polars as pl

from assayhouse.stats.ranks import rank_comparison

OK = "ok"
TOO_FEW = "too_few"
FEWEST = 5


def rank_correlation(x: pl.Series, y: pl.Series) -> dict[str, object]:
    """Spearman's rho with Fisher's interval, of pairs where both are known.

    The interval uses the variance 1.06 / (n - 3) of the transformed rho.

    References
    ----------
    .. [1] Fieller EC, Hartley HO, Pearson ES (1957), Biometrika 44, 470-481.
    """
    from scipy import stats  # noqa: PLC0415 - slow to import

    both = pl.DataFrame({"x": x, "y": y}).drop_nulls()
    n = both.height
    if n < FEWEST or both["x"].n_unique() < 2 or both["y"].n_unique() < 2:
        reason = f"{n} pairs" if n < FEWEST else "one of the two does not vary"
        return {"n": n, "status": TOO_FEW, "reasons": reason}
    found = stats.spearmanr(both["x"].to_numpy(), both["y"].to_numpy())
    rho = float(found.statistic)
    half = 1.959963984540054 * math.sqrt(1.06 / (n - 3))
    middle = math.atanh(max(min(rho, 1.0 - 1e-15), -1.0 + 1e-15))
    return {
        "n": n,
        "estimate": rho,
        "ci_lo": math.tanh(middle - half),
        "ci_hi": math.tanh(middle + half),
        "p": float(found.pvalue),
        "estimate_unit": "Spearman's rho",
        "status": OK,
        "reasons": "",
    }


def with_and_without(values: pl.Series, factor: pl.Series) -> dict[str, object]:
    """Hodges-Lehmann shift and rank-sum p of subjects with a factor against those without."""
    both = pl.DataFrame({"x": values, "f": factor}).drop_nulls()
    having = both.filter(pl.col("f"))["x"].to_numpy()
    lacking = both.filter(~pl.col("f"))["x"].to_numpy()
    counts: dict[str, object] = {
        "n": both.height,
        "n_with": len(having),
        "n_without": len(lacking),
    }
    if min(len(having), len(lacking)) < FEWEST:
        return {**counts, "status": TOO_FEW, "reasons": f"fewer than {FEWEST} in a group"}
    result = rank_comparison(having, lacking)
    return {
        **counts,
        "median_with": float(np.median(having)),
        "median_without": float(np.median(lacking)),
        "estimate": float(result.hl_shift),
        "ci_lo": float(result.ci_low),
        "ci_hi": float(result.ci_high),
        "p": float(result.p_value),
        "status": OK,
        "reasons": "",
    }
