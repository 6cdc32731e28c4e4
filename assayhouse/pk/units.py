"""Units of amounts, concentrations and time, and the factor between them. Nothing is guessed."""

from typing import Final

from assayhouse.pk.errors import UnitError
from assayhouse.pk.notes import Issue

AMOUNTS: Final = {"g": 1e9, "mg": 1e6, "ug": 1e3, "ng": 1.0}
"""Nanograms in one unit of amount."""

CONCENTRATIONS: Final = {
    "g/L": 1e9,
    "mg/L": 1e6,
    "ug/mL": 1e6,
    "ug/L": 1e3,
    "ng/mL": 1e3,
    "ng/L": 1.0,
    "pg/mL": 1.0,
}
"""Nanograms per litre in one unit of concentration."""

TIMES: Final = ("h", "day")
NONE: Final = "1"


def amount_per_litre(amt_unit: str, dv_unit: str) -> float:
    """Factor from amount per litre to the unit of the concentrations.

    Parameters
    ----------
    amt_unit : str
        Unit of the doses.
    dv_unit : str
        Unit of the concentrations.

    Returns
    -------
    float
        1000 for mg and ng/mL; 1 where neither has a unit.

    Raises
    ------
    UnitError
        A unit that is unknown, or missing on one side only.

    References
    ----------
    .. [1] BIPM (2019), The International System of Units, 9th edition, table 7 (prefixes).

    Examples
    --------
    >>> amount_per_litre("mg", "ng/mL")
    1000.0
    """
    require_units(amt_unit, dv_unit, "h")
    if amt_unit == NONE:
        return 1.0
    return AMOUNTS[amt_unit] / CONCENTRATIONS[dv_unit]


def require_units(amt_unit: object, dv_unit: object, time_unit: object) -> None:
    """Raise unless all three units are known and go together.

    Parameters
    ----------
    amt_unit, dv_unit, time_unit : str
        What the caller gave.

    Raises
    ------
    UnitError
        With one issue per unit.
    """
    issues = [
        *_unknown("amt_unit", amt_unit, (*AMOUNTS, NONE)),
        *_unknown("dv_unit", dv_unit, (*CONCENTRATIONS, NONE)),
        *_unknown("time_unit", time_unit, TIMES),
    ]
    if not issues and (amt_unit == NONE) != (dv_unit == NONE):
        issues.append(Issue("unit", "error", 'The unit "1" must stand on both sides or on none.'))
    if issues:
        raise UnitError(issues)


def _unknown(name: str, unit: object, known: tuple[str, ...]) -> list[Issue]:
    if isinstance(unit, str) and unit in known:
        return []
    message = f"{name}={unit!r} is not a unit known here; choose one of {', '.join(known)}."
    return [Issue("unit", "error", message)]
