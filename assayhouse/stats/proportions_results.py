"""Results of comparisons of response rates."""

from dataclasses import dataclass
from typing import Any

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.frozen import Frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskDifference(Frozen):
    """A difference of response rates, active minus control, as a fraction.

    Parameters
    ----------
    estimate, lower, upper : float
        Weighted difference and its limits; NaN where no stratum has both arms.
    conf_level : float
        Coverage aimed at.
    method : str
        newcombe, mn, sato or wald.
    weights : (K,) array
        Normalised weights of the strata; 0 where an arm is empty.
    y1, n1, y0, n0 : (K,) arrays of int
        Responders and subjects of the active arm and of control.
    n_strata_used : int
        Strata with subjects in both arms.
    p_cmh : float
        Cochran-Mantel-Haenszel test without continuity correction.
    warnings : tuple of str
        What a reader must know.
    """

    estimate: float
    lower: float
    upper: float
    conf_level: float
    method: str
    weights: FloatArray
    y1: IntArray
    n1: IntArray
    y0: IntArray
    n0: IntArray
    n_strata_used: int
    p_cmh: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsetRow(Frozen):
    """One line of the subset table.

    Parameters
    ----------
    label : str
        Name of the subset.
    n1, y1, n0, y0 : int
        Subjects and responders of the active arm and of control.
    result : RiskDifference
        Difference with its limits.
    """

    label: str
    n1: int
    y1: int
    n0: int
    y0: int
    result: RiskDifference


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsetTable(Frozen):
    """Differences in all subjects and in subsets of them.

    Parameters
    ----------
    rows : tuple of SubsetRow
        "Overall" first, then the subsets in the order given.
    """

    rows: tuple[SubsetRow, ...]

    def to_records(self) -> list[dict[str, Any]]:
        """Return one flat record per row, differences in percent.

        Returns
        -------
        list of dict
            Keys label, n1, y1, n0, y0, estimate_pct, lower_pct, upper_pct, method.
        """
        return [
            {
                "label": row.label,
                "n1": row.n1,
                "y1": row.y1,
                "n0": row.n0,
                "y0": row.y0,
                "estimate_pct": 100 * row.result.estimate,
                "lower_pct": 100 * row.result.lower,
                "upper_pct": 100 * row.result.upper,
                "method": row.result.method,
            }
            for row in self.rows
        ]
