"""Result tables under a figure: adjusted means and differences by visit. Computes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from assayhouse.report.html import Column, Content, Markup, table, tag
from assayhouse.report.theme import ArmStyle
from assayhouse.report.twin import KEYS, effects_of
from assayhouse.report.words import DASH, decimals_for, number, p_text, stars

_Row = Mapping[str, object]
_Key = tuple[str, int, str]
PARTS = {"mean": ("chg", "lsmean"), "difference": ("chg", "diff"), "percent": ("pchg", "diff")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Rows of ``ard.effects`` by parameter, visit and arm code.

    Parameters
    ----------
    mean, difference, percent : mapping
        Adjusted mean change, its difference from the reference arm, and the difference in per
        cent change.
    """

    mean: Mapping[_Key, _Row]
    difference: Mapping[_Key, _Row]
    percent: Mapping[_Key, _Row]


def index_results(effects: pl.DataFrame, styles: Sequence[ArmStyle]) -> Results:
    """Sort the rows of ``ard.effects`` into what the table shows.

    Parameters
    ----------
    effects : polars.DataFrame
        ``ard.effects``, with ``ci_lo`` and ``ci_hi``.
    styles : sequence of ArmStyle
        The arms of the study.

    Returns
    -------
    Results
        Rows by key.
    """
    found = {
        part: {
            (str(row["paramcd"]), int(row["avisitn"]), str(row["arm"])): row
            for row in effects_of(effects, styles, response=response, term=term)
            .sort(KEYS)
            .iter_rows(named=True)
        }
        for part, (response, term) in PARTS.items()
    }
    return Results(mean=found["mean"], difference=found["difference"], percent=found["percent"])


def result_table(
    results: Results, *, parameter: _Row, visits: Mapping[int, str], styles: Sequence[ArmStyle]
) -> Markup:
    """Return the table of one parameter.

    Parameters
    ----------
    results : Results
        From `index_results`.
    parameter : mapping
        A row of ``ref.parameters``.
    visits : mapping of int to str
        AVISIT by AVISITN.
    styles : sequence of ArmStyle
        The arms, in dose order.

    Returns
    -------
    Markup
        One row per visit and arm.
    """
    code = str(parameter["PARAMCD"])
    weeks = sorted({week for paramcd, week, _ in results.mean if paramcd == code})
    errors = [_value(row, "se") for key, row in results.mean.items() if key[0] == code]
    decimals = decimals_for(errors)
    unit = f" ({parameter['unit']})" if parameter["unit"] else ""
    reference = next(style.label for style in styles if style.is_reference)
    columns = (
        Column(title="Visit"),
        Column(title="Arm"),
        Column(title="n (model, all arms)", numeric=True),
        Column(title="Adjusted mean change (SE)", numeric=True),
        Column(title="95 % CI", numeric=True),
        Column(title=f"Difference from {reference}", numeric=True),
        Column(title="95 % CI", numeric=True),
        Column(title="p", numeric=True),
        Column(title="Difference in % change", numeric=True),
        Column(title="95 % CI", numeric=True),
        Column(title="p", numeric=True),
        Column(title="Status"),
    )
    rows: list[list[Content]] = []
    marks: list[str] = []
    for week in weeks:
        for style in styles:
            cells = _cells(results, (code, week, style.armcd), decimals)
            visit = visits.get(week, f"Week {week}")
            rows.append([visit, _arm(style), *cells])
            marks.append("first" if style.order == 0 else "")
    return table(
        columns,
        rows,
        caption=f"Change from baseline{unit} by visit and arm",
        marks=marks,
        empty="No results.",
    )


def _arm(style: ArmStyle) -> Markup:
    swatch = tag("span", attributes={"class": "swatch", "style": f"background:{style.colour}"})
    return tag("span", swatch, style.label, attributes={"class": "arm"})


def _cells(results: Results, key: _Key, decimals: int) -> Iterator[Content]:
    mean = results.mean.get(key)
    yield _whole(mean)
    estimate = number(_value(mean, "estimate"), decimals)
    error = number(_value(mean, "se"), decimals)
    yield estimate if estimate == DASH else f"{estimate} ({error})"
    yield _interval(mean, decimals)
    for row, places in ((results.difference.get(key), decimals), (results.percent.get(key), 1)):
        p = _value(row, "p")
        yield "" if row is None else number(_value(row, "estimate"), places)
        yield "" if row is None else _interval(row, places)
        yield "" if row is None else f"{p_text(p)} {stars(p)}".strip()
    yield _status(mean, results.difference.get(key), results.percent.get(key))


def _whole(row: _Row | None) -> str:
    return DASH if row is None or row["n"] is None else str(row["n"])


def _interval(row: _Row | None, decimals: int) -> str:
    low, high = _value(row, "ci_lo"), _value(row, "ci_hi")
    if low is None or high is None:
        return DASH
    return f"{number(low, decimals)} to {number(high, decimals)}"


def _status(mean: _Row | None, *comparisons: _Row | None) -> str:
    if mean is None:
        return "absent"
    said = [mean["status"], *(row["status"] for row in comparisons if row is not None)]
    refused = sorted({str(status) for status in said if status != "ok"})
    return ", ".join(refused).replace("_", " ") or "ok"


def _value(row: _Row | None, column: str) -> float | None:
    value = None if row is None else row[column]
    return float(value) if isinstance(value, int | float) else None
