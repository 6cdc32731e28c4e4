"""Concentrations of an immunoassay read off the plate's own curves, well by well, then combined.

Uses the curves as the laboratory reports them; fits none.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from assayhouse.stats.arrays import FloatArray
from assayhouse.stats.curves import CurveFit
from assayhouse.stats.signal_combination import combine_signals

PLATE = ("PLATE", "TESTCD")
NO_CURVE, OUT_OF_RANGE = "NO CURVE", "OUT OF RANGE"
_LEAST_CV = 1e-3  # signals are whole counts: replicates may agree by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateCurves:
    """Curves of one plate and analyte, one per signal, in the order of the signals."""

    curves: tuple[CurveFit, ...]

    def concentrations(self, signals: FloatArray, cvs: FloatArray) -> FloatArray:
        """Concentration on the plate of each well.

        Parameters
        ----------
        signals : (k, n) array
            One row per signal; NaN where a signal is missing.
        cvs : (k,) array
            Coefficient of variation of each signal, as a fraction.

        Returns
        -------
        (n,) array
            Slope-weighted mean on the log scale; NaN where no signal was in range.
        """
        values = np.full(signals.shape, np.nan)
        slopes = np.full(signals.shape, np.nan)
        for k, curve in enumerate(self.curves):
            there = np.isfinite(signals[k])
            if there.any():
                values[k, there] = curve.inverse(signals[k, there]).values
            ok = np.isfinite(values[k]) & (values[k] > 0)
            slopes[k, ok] = curve.log_slope(values[k, ok])
        return combine_signals(values, slopes, cvs).value


def signal_cvs(signals: FloatArray, groups: FloatArray) -> FloatArray:
    """Pool the coefficient of variation of each signal over replicate wells.

    Parameters
    ----------
    signals : (k, n) array
        Signals of the wells that count.
    groups : (n,) array
        Number of the specimen or standard in each well; wells of one number are replicates.

    Returns
    -------
    (k,) array
        Fractions, at least 0.001; 1 for every signal where there are no replicates at all, which
        gives the signals equal errors.
    """
    logs = np.log(np.where(signals > 0, signals, np.nan))
    sums, degrees = np.zeros(len(signals)), np.zeros(len(signals))
    for group in np.unique(groups):
        part = logs[:, groups == group]
        count = np.isfinite(part).sum(axis=1)
        enough = count > 1
        if enough.any():
            centred = part[enough] - np.nanmean(part[enough], axis=1, keepdims=True)
            sums[enough] += np.nansum(centred**2, axis=1)
            degrees[enough] += count[enough] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = np.sqrt(sums / degrees)
    return np.where(np.isfinite(pooled), np.maximum(pooled, _LEAST_CV), 1.0)


def _curves_of(rows: pl.DataFrame) -> PlateCurves:
    parts = rows.sort("signal").select("a", "b", "c", "d", "g").iter_rows(named=True)
    return PlateCurves(curves=tuple(CurveFit(**part) for part in parts))


def derive_well_concentrations(wells: pl.DataFrame, curves: pl.DataFrame) -> pl.DataFrame:
    """Read every well off the curves of its plate.

    Parameters
    ----------
    wells : DataFrame
        PLATE, TESTCD, REFID, signal_1, signal_2 ..., one row per well that counts.
    curves : DataFrame
        PLATE, TESTCD, signal (1 ...), a, b, c, d, g: the plate's curve of each signal.

    Returns
    -------
    DataFrame
        The wells with ``concentration`` as the plate saw it (after dilution), and ``why`` where
        there is none.
    """
    names = sorted(name for name in wells.columns if name.startswith("signal_"))
    by_plate = curves.drop_nulls(["a", "b", "c", "d"]).partition_by(PLATE, as_dict=True)
    parts = []
    for key, part in wells.partition_by(PLATE, as_dict=True, maintain_order=True).items():
        known = by_plate.get(key)
        if known is None or known.height != len(names):
            value, why = np.full(part.height, np.nan), NO_CURVE
        else:
            signals = part.select(names).cast(pl.Float64).fill_null(float("nan")).to_numpy().T
            groups = part["REFID"].rank("dense").to_numpy()
            cvs = signal_cvs(signals, groups)
            value, why = _curves_of(known).concentrations(signals, cvs), OUT_OF_RANGE
        found = pl.Series("concentration", value).fill_nan(None)
        parts.append(
            part.with_columns(found).with_columns(
                pl.when(pl.col("concentration").is_null()).then(pl.lit(why)).alias("why")
            )
        )
    if parts:
        return pl.concat(parts)
    nothing = pl.lit(None, dtype=pl.Float64).alias("concentration")
    return wells.with_columns(nothing, pl.lit(None, dtype=pl.String).alias("why"))


def derive_results(wells: pl.DataFrame) -> pl.DataFrame:
    """Combine the replicate wells of each specimen after interpolation.

    Parameters
    ----------
    wells : DataFrame
        From :func:`derive_well_concentrations`.

    Returns
    -------
    DataFrame
        PLATE, TESTCD, REFID, ``concentration`` (mean on the plate), ``sd``, ``wells``, ``why``.
    """
    return (
        wells.group_by("PLATE", "TESTCD", "REFID")
        .agg(
            pl.col("concentration").mean(),
            pl.col("concentration").std().alias("sd"),
            pl.col("concentration").count().alias("wells"),
            pl.col("why").drop_nulls().first(),
        )
        .with_columns(pl.when(pl.col("concentration").is_null()).then(pl.col("why")).alias("why"))
        .sort("PLATE", "TESTCD", "REFID")
    )
