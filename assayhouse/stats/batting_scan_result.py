"""The result of looking at every cut."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.frozen import Frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class CutScan(Frozen):
    """Every candidate with its cells and statistics; entry [c, a, g] is arm a, group g.

    Parameters
    ----------
    cuts : (C,) array
        Candidates, ascending.
    direction : str
        higher: group 1 is above the cut; lower: below.
    n : (C, 2, 2) array of int
        Subjects.
    y : (C, 2, 2) array
        Responders, sums of a continuous response, or events.
    zero_cell : (C,) array of bool
        A cell has no responder or nobody else.
    admissible : (C,) array of bool
        Enough subjects in every cell and in group 1.
    statistic, p, beta, se : dict of (C,) arrays
        By test; NaN where undefined. The statistic of a continuous Wald test is t^2.
    n_used : int
        Subjects with complete data, with multiplicity.
    """

    cuts: FloatArray
    direction: str
    n: IntArray
    y: NDArray[np.int64] | FloatArray
    zero_cell: BoolArray
    admissible: BoolArray
    statistic: dict[str, FloatArray]
    p: dict[str, FloatArray]
    beta: dict[str, FloatArray]
    se: dict[str, FloatArray]
    n_used: int
