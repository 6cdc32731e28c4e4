"""Efficiency and amount of one amplification curve by its window of linearity, for tests only.

The product computes neither: it reads Cq and standard curves. The tests use it to hold the
fluorescence that the reader returns against results which others published for each well.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq


@dataclass(frozen=True)
class Window:
    efficiency: float  # fold per cycle
    start: float  # log10 of the fluorescence at cycle 0, at ``common_efficiency``


def measure_window(fluorescence, last, included, common_efficiency):
    """Measure the window of ``included`` cycles that ends at cycle ``last``.

    The baseline is the one for which the upper and the lower half of the window have the same
    slope on the log scale (Ramakers et al 2003, Ruijter et al 2009); the efficiency is that of the
    upper half.
    """
    window = fluorescence[last - included : last]
    half = (included + 1) // 2

    def bend(baseline):
        return log_slope(window[-half:] - baseline) - log_slope(window[:half] - baseline)

    span = window.max() - window.min()
    baseline = brentq(bend, window.min() - 1000 * span, window.min() - 1e-9 * span)
    upper = window[-half:] - baseline
    middle = last - (half - 1) / 2
    start = np.log10(upper).mean() - middle * np.log10(common_efficiency)
    return Window(efficiency=10 ** log_slope(upper), start=start)


def log_slope(values):
    cycles = np.arange(len(values)) - (len(values) - 1) / 2
    return (cycles @ np.log10(values)) / (cycles @ cycles)
