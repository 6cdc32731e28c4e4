"""A cut fixed beforehand, tested on other doses in a fixed order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray, IntArray, require_word
from assayhouse.stats.batting_forms import STATISTICS, p_value
from assayhouse.stats.batting_result import BattingResult
from assayhouse.stats.batting_rules import TESTS
from assayhouse.stats.columns import as_binary, as_column, keep_complete
from assayhouse.stats.errors import InputError
from assayhouse.stats.factors import factorise
from assayhouse.stats.frozen import Frozen, freeze
from assayhouse.stats.proportions import RiskDifference, risk_difference

_SHARED = (
    "The control subjects helped to make the cut: the validation is not independent of the search."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRow(Frozen):
    """One dose against control at the cut.

    Parameters
    ----------
    dose : str
        Label.
    n, y : (2, 2) arrays of int
        Subjects and responders, [arm, group]; arm 1 is the dose.
    statistic, p : float
        Interaction of arm and group; NaN where undefined.
    high, low : RiskDifference
        In group 1 and in group 0.
    rd_difference : float
        High minus low.
    confirmatory : bool
        Every dose before it was rejected.
    rejected : bool
        Confirmatory, and p at most alpha.
    """

    dose: str
    n: IntArray
    y: IntArray
    statistic: float
    p: float
    high: RiskDifference
    low: RiskDifference
    rd_difference: float
    confirmatory: bool
    rejected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation(Frozen):
    """Every dose against control at a fixed cut.

    Parameters
    ----------
    cut, direction : float, str
        What was validated.
    rows : tuple of DoseRow
        In the order of the fixed sequence.
    shared_control : bool
        The control subjects made the cut.
    warnings : tuple of str
        What a reader must know.
    """

    cut: float
    direction: str
    rows: tuple[DoseRow, ...]
    shared_control: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """Complete rows with their group."""

    group: IntArray
    dose: IntArray
    response: FloatArray
    stratum: FloatArray | None


def validate(
    cut: float | BattingResult,
    x: ArrayLike,
    dose: ArrayLike,
    response: ArrayLike,
    *,
    control: object,
    doses: Sequence[object] | None = None,
    direction: str = "higher",
    strata: ArrayLike | None = None,
    test: str = "lrt",
    alpha: float = 0.05,
    conf_level: float = 0.95,
    ci_method: str = "newcombe",
    shared_control: bool = True,
    missing: str = "drop",
) -> Validation:
    """Return how a cut that is fixed beforehand does at each dose.

    Parameters
    ----------
    cut : float or BattingResult
        The direction of a result is used.
    x, response : (n,) array_like
        Marker, and 0 or 1.
    dose : (n,) array_like
        Labels; no row of the training data belongs here, except control where that is declared.
    control : label
        The control among the labels.
    doses : sequence of labels, optional
        Order of the fixed sequence; default ascending.
    direction : {"higher", "lower"}
        Group 1 is x > cut or x < cut.
    strata : (n,) or (n, k) array_like, optional
        For the differences of rates.
    test : {"lrt", "wald", "firth", "firth_wald", "rd", "wald_glm"}
        Interaction test.
    alpha : float
        Level of each step.
    conf_level, ci_method
        Of the differences, as `risk_difference`.
    shared_control : bool
        The control subjects made the cut.
    missing : {"drop", "error"}
        What to do about rows with a missing value.

    Returns
    -------
    Validation
        One row per dose.

    Raises
    ------
    InputError
        A rule of the door is broken, or a label does not occur.

    References
    ----------
    .. [1] Maurer W, Hothorn LA, Lehmacher W (1995), Biometrie in der chemisch-pharmazeutischen
       Industrie 6, 3-18 (fixed sequence).

    Examples
    --------
    >>> marker = [1, 2, 3, 4] * 3
    >>> dose = ["none"] * 4 + ["low"] * 4 + ["top"] * 4
    >>> better = [0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 1]
    >>> found = validate(2.5, marker, dose, better, control="none", doses=["top", "low"])
    >>> [(row.dose, row.confirmatory) for row in found.rows]
    [('top', True), ('low', False)]
    """
    require_word(direction, name="direction", known=("higher", "lower"))
    require_word(test, name="test", known=TESTS)
    if not 0 < alpha < 1:
        message = f"alpha={alpha!r} must lie strictly between 0 and 1."
        raise InputError(message)
    value = cut.threshold if isinstance(cut, BattingResult) else float(cut)
    if isinstance(cut, BattingResult):
        direction = cut.direction
    trial, levels = _read_trial(
        x, dose, response, strata=strata, cut=value, direction=direction, missing=missing
    )
    order = _order_doses(levels, control, doses)
    rows: list[DoseRow] = []
    for label in order:
        confirmatory = all(row.rejected for row in rows)
        pair = (levels.index(control), levels.index(label))
        rows.append(
            _one_dose(
                trial,
                pair,
                str(label),
                test=test,
                alpha=alpha if confirmatory else 0.0,
                method=ci_method,
                conf_level=conf_level,
                confirmatory=confirmatory,
            )
        )
    said = (_SHARED,) if shared_control else ()
    if np.isnan(value):
        said = (*said, "There is no cut: nobody is in group 1.")
    return Validation(
        cut=value,
        direction=direction,
        rows=tuple(rows),
        shared_control=bool(shared_control),
        warnings=said,
    )


def _read_trial(
    x: ArrayLike,
    dose: ArrayLike,
    response: ArrayLike,
    *,
    strata: ArrayLike | None,
    cut: float,
    direction: str,
    missing: str,
) -> tuple[_Trial, list[object]]:
    """Return complete rows, and the labels of the doses."""
    marker = as_column(x, name="x")
    n = len(marker)
    factor = factorise(dose, n=n, name="dose")
    y = as_binary(response, name="response", n=n)
    stratum = np.zeros(n, dtype=np.int64)
    if strata is not None:
        stratum = factorise(strata, n=n, name="strata").codes
    present = ~np.isnan(marker) & ~np.isnan(y) & (factor.codes >= 0) & (stratum >= 0)
    kept = keep_complete(present, missing=missing)
    above = marker[kept] > cut if direction == "higher" else marker[kept] < cut
    trial = _Trial(
        group=above.astype(np.int64),
        dose=factor.codes[kept],
        response=y[kept],
        stratum=None if strata is None else stratum[kept].astype(np.float64),
    )
    return trial, list(factor.levels)


def _order_doses(
    levels: list[object], control: object, doses: Sequence[object] | None
) -> list[object]:
    """Return the doses in the order of the fixed sequence."""
    order = [level for level in levels if level != control] if doses is None else list(doses)
    if control not in levels or any(label not in levels for label in order) or control in order:
        message = "control and every one of doses must be labels of dose, and differ."
        raise InputError(message)
    if not order or len(set(order)) < len(order):
        message = "doses must name at least one dose, and none twice."
        raise InputError(message)
    return order


def _one_dose(
    trial: _Trial,
    pair: tuple[int, int],
    label: str,
    *,
    test: str,
    alpha: float,
    method: str,
    conf_level: float,
    confirmatory: bool,
) -> DoseRow:
    """Return one dose against control."""
    n, y = np.zeros((2, 2), dtype=np.int64), np.zeros((2, 2), dtype=np.int64)
    differences = []
    for group in (0, 1):
        inside = trial.group == group
        rows = inside & ((trial.dose == pair[0]) | (trial.dose == pair[1]))
        active = (trial.dose[rows] == pair[1]).astype(np.float64)
        response = trial.response[rows]
        for arm in (0, 1):
            n[arm, group] = int((active == arm).sum())
            y[arm, group] = int(response[active == arm].sum())
        differences.append(
            risk_difference(
                response,
                active,
                None if trial.stratum is None else trial.stratum[rows],
                method=method,
                conf_level=conf_level,
            )
        )
    statistic = _interaction(n, y, test)
    p = float(p_value(np.array([statistic]))[0])
    low, high = differences
    return DoseRow(
        dose=label,
        n=freeze(n),
        y=freeze(y),
        statistic=statistic,
        p=p,
        high=high,
        low=low,
        rd_difference=high.estimate - low.estimate,
        confirmatory=confirmatory,
        rejected=confirmatory and p <= alpha,
    )


def _interaction(n: IntArray, y: IntArray, test: str) -> float:
    """Return the statistic of one table; NaN with an empty cell."""
    if (n == 0).any():
        return float("nan")
    cells = n.reshape(4, 1).astype(np.float64), y.reshape(4, 1).astype(np.float64)
    return float(STATISTICS[test](*cells)[0])
