"""Statistics at every candidate cut of the data as they are, admissible or not."""

from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.batting_adjusted import adjusted_fits
from assayhouse.stats.batting_cells import Cells, Splits, count_cells, find_splits, present_ties
from assayhouse.stats.batting_cox import cox_fits
from assayhouse.stats.batting_forms import ESTIMATES, STATISTICS, p_value
from assayhouse.stats.batting_linear import linear_estimate, linear_statistic, t_p_value
from assayhouse.stats.batting_numpy import zero_cells
from assayhouse.stats.batting_scan_result import CutScan
from assayhouse.stats.batting_study import Study
from assayhouse.stats.frozen import freeze


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Candidates of one data set with their cells.

    Parameters
    ----------
    study : Study
        Records.
    weights : (1, R) array of int
        Multiplicities.
    splits : Splits
        Candidates, (1, C).
    cells : Cells
        Their counts.
    higher : bool
        Group 1 lies above the cut.
    """

    study: Study
    weights: IntArray
    splits: Splits
    cells: Cells
    higher: bool

    def sums(self) -> FloatArray:
        """Return responders, events, or sums of the response as it was given, (4, C)."""
        y = self.cells.y[:, 0].astype(np.float64)
        columns = self.study.columns
        if columns.endpoint == "continuous":
            kept = columns.response[self.study.kept]
            y += self.cells.n[:, 0] * np.mean(np.sort(kept))
        return y


def read_cuts(
    study: Study,
    weights: IntArray,
    *,
    candidates: str,
    candidate_values: FloatArray | None,
    higher: bool,
) -> Candidates:
    """Return the candidates of one data set, without empty places.

    Parameters
    ----------
    study : Study
        Records.
    weights : (1, R) array of int
        Multiplicities.
    candidates, candidate_values
        As in the rules.
    higher : bool
        Group 1 lies above the cut.

    Returns
    -------
    Candidates
        Ascending.
    """
    found = find_splits(
        study,
        present_ties(study, weights),
        candidates=candidates,
        candidate_values=candidate_values,
        higher=higher,
    )
    valid = found.valid[0]
    splits = Splits(cuts=found.cuts[:, valid], low=found.low[:, valid], valid=found.valid[:, valid])
    cells = count_cells(study, weights, splits, higher=higher)
    return Candidates(study=study, weights=weights, splits=splits, cells=cells, higher=higher)


def scan_cuts(
    found: Candidates, *, tests: tuple[str, ...], min_cell: int, min_share: float
) -> CutScan:
    """Return the statistics of every candidate.

    Parameters
    ----------
    found : Candidates
        Candidates.
    tests : tuple of str
        As `scan`.
    min_cell, min_share
        As `scan`.

    Returns
    -------
    CutScan
        NaN where an arm x group cell is empty.
    """
    cells, study = found.cells, found.study
    n_cuts = found.splits.cuts.shape[1]
    wanted = np.asarray((cells.n > 0).all(axis=0))
    table = np.full((4, len(tests), n_cuts), np.nan)
    for place, test in enumerate(tests):
        if wanted.any():
            table[:, place, wanted[0]] = _one_test(found, test, wanted)
    by_name = [
        {test: freeze(table[what, place]) for place, test in enumerate(tests)} for what in range(4)
    ]
    sums = found.sums().T.reshape(-1, 2, 2)
    whole = study.columns.endpoint != "continuous"
    admissible = cells.admit(min_cell=min_cell, min_share=min_share)[0]
    return CutScan(
        cuts=freeze(found.splits.cuts[0]),
        direction="higher" if found.higher else "lower",
        n=freeze(cells.n[:, 0].T.reshape(-1, 2, 2)),
        y=freeze(sums.astype(np.int64)) if whole else freeze(sums),
        zero_cell=freeze(zero_cells(cells, endpoint=study.columns.endpoint)[0]),
        admissible=freeze(admissible),
        statistic=by_name[0],
        p=by_name[1],
        beta=by_name[2],
        se=by_name[3],
        n_used=int(found.weights.sum()),
    )


def _one_test(found: Candidates, test: str, wanted: BoolArray) -> FloatArray:
    """Return statistic, p, beta and se of wanted cuts, (4, number wanted)."""
    study = found.study
    at = wanted[0]
    if study.columns.endpoint == "survival":
        fits = cox_fits(study, found.weights, found.splits, wanted=wanted, higher=found.higher)
        return _model_test(fits.lrt[0], fits.wald[0], fits.beta[0], fits.se[0], test)[:, at]
    if study.columns.adjust.shape[1]:
        models = adjusted_fits(
            study, found.weights, found.splits, wanted=wanted, higher=found.higher
        )
        return _model_test(models.lrt[0], models.wald[0], models.beta[0], models.se[0], test)[:, at]
    n = found.cells.n[:, 0, at].astype(np.float64)
    y = found.cells.y[:, 0, at].astype(np.float64)
    if found.cells.squares is not None:
        return _linear_test(n, y, found.cells.squares[:, 0, at], test)
    out = np.full((4, n.shape[1]), np.nan)
    out[0] = STATISTICS[test](n, y)
    out[1] = p_value(out[0])
    if test in ESTIMATES:
        out[2], variance = ESTIMATES[test](n, y)
        out[3] = np.sqrt(variance)
    return out


def _model_test(
    lrt: FloatArray, wald: FloatArray, beta: FloatArray, se: FloatArray, test: str
) -> FloatArray:
    """Return the fields of one test of a fitted model; beta and se belong to Wald."""
    if test == "lrt":
        return np.stack([lrt, p_value(lrt), np.full_like(lrt, np.nan), np.full_like(lrt, np.nan)])
    return np.stack([wald, p_value(wald), beta, se])


def _linear_test(n: FloatArray, sums: FloatArray, squares: FloatArray, test: str) -> FloatArray:
    """Return the fields of one test of a continuous response."""
    statistic = linear_statistic(n, sums, squares, test=test)
    if test == "lrt":
        nothing = np.full_like(statistic, np.nan)
        return np.stack([statistic, p_value(statistic), nothing, nothing])
    beta, variance, _ = linear_estimate(n, sums, squares)
    return np.stack([statistic, t_p_value(statistic, n.sum(axis=0) - 4), beta, np.sqrt(variance)])
