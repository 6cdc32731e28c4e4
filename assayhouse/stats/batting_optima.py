"""The chosen cuts of replicates, whichever engine chose them."""

from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray

NEAR = 1 - 1e-10
"""A statistic this close to the largest counts as a tie, and the lowest cut wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optima:
    """The chosen cut of each of b replicates.

    Parameters
    ----------
    cuts, statistics : (b,) arrays
        NaN where no candidate can be used.
    n_used : (b,) array of int
        Subjects with complete data, with multiplicity.
    zero_cell : (b,) array of bool
        The optimum rests on a cell without responders or without others.
    """

    cuts: FloatArray
    statistics: FloatArray
    n_used: IntArray
    zero_cell: BoolArray

    def first(self, number: int) -> "Optima":
        """Return the optima of the first replicates."""
        return Optima(
            cuts=self.cuts[:number],
            statistics=self.statistics[:number],
            n_used=self.n_used[:number],
            zero_cell=self.zero_cell[:number],
        )

    @staticmethod
    def join(parts: "list[Optima]") -> "Optima":
        """Return chunks as one."""
        return Optima(
            cuts=np.concatenate([part.cuts for part in parts]),
            statistics=np.concatenate([part.statistics for part in parts]),
            n_used=np.concatenate([part.n_used for part in parts]),
            zero_cell=np.concatenate([part.zero_cell for part in parts]),
        )
