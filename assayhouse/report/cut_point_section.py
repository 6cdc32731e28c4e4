"""Cut points as the report tells them: the verdict in plain words, then the numbers.

Takes results as they are; judges nothing itself.
"""

import json

import polars as pl

from assayhouse.report.frames import require_columns
from assayhouse.report.html import Column, Content, Markup, table, tag
from assayhouse.report.words import DASH, number, p_text

FOUND = ("marker", "endpoint", "avisitn", "direction", "threshold", "effect_difference_pct",
         "effect_difference_corrected_pct", "rules", "ci_lo", "ci_hi", "n", "n_boot", "n_failed",
         "p_naive", "p_adjusted", "p_method", "verdict")  # fmt: skip
CHECKED = ("marker", "arm", "direction", "row_order", "n_high_active", "y_high_active",
           "n_high_control", "y_high_control", "diff_high_pct", "diff_high_lo", "diff_high_hi",
           "diff_low_pct", "diff_low_lo", "diff_low_hi", "p", "status")  # fmt: skip
ORIGIN = ("cut_off", "label", "PARAMCD", "scale", "cut_off_rule", "cut_off_value",
          "level_of_interest", "source", "n", "decision", "trial_value")  # fmt: skip

MADE = ("cut_off", "label", "made_on", "n", "decision", "dip_p", "silverman_p", "cut_off_rule",
        "unrounded", "ci_lo", "ci_hi", "h_crit_2", "values_sha256")  # fmt: skip


def cut_point_section(
    found: pl.DataFrame | None,
    checked: pl.DataFrame | None,
    declared: pl.DataFrame | None,
    made: pl.DataFrame | None = None,
) -> Markup | None:
    """Return the section on cut-offs and cut points.

    Parameters
    ----------
    found, checked, declared, made : polars.DataFrame or None
        ``ard.cut_points``, ``ard.cut_point_validation``, ``ard.module_cutoffs``,
        ``ref.cut_off_rules``; None where the study does not declare them.

    Returns
    -------
    Markup or None
        None where there is nothing to tell.
    """
    parts: list[Content] = []
    if found is not None:
        parts += _search(found)
    if checked is not None:
        parts.append(_validation(checked))
    if declared is not None:
        parts.append(_origin(declared))
    if made is not None:
        parts.append(_made(made))
    if not parts:
        return None
    return tag("section", tag("h2", "Cut points"), *parts, attributes={"id": "cut-points"})


def _search(found: pl.DataFrame) -> list[Content]:
    require_columns(found, FOUND, name="ard.cut_points")
    rows = list(found.sort("marker").iter_rows(named=True))
    verdicts: list[Content] = [
        tag("p", tag("b", f"{row['marker']}: "), row["verdict"], _worth(row)) for row in rows
    ]
    options: list[Content] = [
        tag("p", f"Options of the search of {row['marker']}: {_options(row['rules'])}.")
        for row in rows
        if row["rules"] is not None
    ]
    heads = (
        Column(title="Marker"), Column(title="Endpoint, visit"),
        *(Column(title=name, numeric=True) for name in (
            "n", "Samples without a cut", "Threshold", "95 % of the cuts", "Group of interest",
            "p at the cut (no valid inference)", "p of the whole search")),
        Column(title="How"),
    )  # fmt: skip
    lines: list[list[Content]] = [
        [
            row["marker"], f"{row['endpoint']}, {row['avisitn']}", row["n"],
            f"{row['n_failed']} of {row['n_boot']}", number(row["threshold"], 3),
            _interval(row["ci_lo"], row["ci_hi"], 3), _side(row["direction"]),
            p_text(row["p_naive"]),
            p_text(row["p_adjusted"]), row["p_method"] or DASH,
        ]
        for row in rows
    ]  # fmt: skip
    caption = "Search for a predictive cut point over bootstrap samples."
    shown = table(heads, lines, caption=caption, empty="No search has results.")
    return [*verdicts, shown, *options]


def _side(direction: str | None) -> str:
    return {"higher": "above", "lower": "below"}.get(str(direction), DASH)


def _worth(row: dict[str, float | None]) -> str:
    """Say how far the effects lie apart, as found and corrected for the search."""
    apparent, honest = row["effect_difference_pct"], row["effect_difference_corrected_pct"]
    if apparent is None or honest is None:
        return ""
    return (
        f" The effect of treatment differs between the two groups by {number(apparent, 1)} "
        f"percentage points as found, and by {number(honest, 1)} corrected for the search."
    )


def _options(rules: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(json.loads(rules).items()))


def _interval(low: float | None, high: float | None, decimals: int) -> str:
    if low is None or high is None:
        return DASH
    return f"{number(low, decimals)} to {number(high, decimals)}"


def _difference(row: dict[str, float | None], level: str) -> str:
    estimate = row[f"diff_{level}_pct"]
    if estimate is None:
        return DASH
    interval = _interval(row[f"diff_{level}_lo"], row[f"diff_{level}_hi"], 1)
    return f"{number(estimate, 1)} ({interval})"


def _validation(checked: pl.DataFrame) -> Markup:
    require_columns(checked, CHECKED, name="ard.cut_point_validation")
    lines: list[list[Content]] = [
        [
            row["marker"], row["arm"], f"{row['y_high_active']}/{row['n_high_active']}",
            f"{row['y_high_control']}/{row['n_high_control']}", _difference(row, "high"),
            _difference(row, "low"), p_text(row["p"]), row["status"],
        ]
        for row in checked.sort("marker", "row_order").iter_rows(named=True)
    ]  # fmt: skip
    sides = {_side(direction) for direction in checked["direction"].to_list()}
    inside, outside = "in the group of interest", "outside it"
    if sides == {"above"}:
        inside, outside = "above", "at or below"
    heads = (
        Column(title="Marker"), Column(title="Arm"),
        *(Column(title=name, numeric=True) for name in (
            f"Responders/n {inside}, arm", f"Responders/n {inside}, control",
            f"Difference {inside}, % (95 % CI)", f"Difference {outside}, % (95 % CI)",
            "p of the interaction")),
        Column(title="Status"),
    )  # fmt: skip
    caption = "The cut in the doses that had no part in finding it; the control arm is the same."
    return table(heads, lines, caption=caption, empty="No cut was looked at in other doses.")


def _origin(declared: pl.DataFrame) -> Markup:
    require_columns(declared, ORIGIN, name="ard.module_cutoffs")
    lines: list[list[Content]] = [
        [
            row["label"], row["PARAMCD"], row["scale"], number(row["cut_off_value"], 2),
            row["cut_off_rule"], row["level_of_interest"], row["source"],
            f"{row['decision'] or DASH}, {number(row['trial_value'], 2)} (n = {row['n']})",
        ]
        for row in declared.sort("cut_off").iter_rows(named=True)
    ]  # fmt: skip
    heads = (
        Column(title="Cut-off"), Column(title="Parameter"), Column(title="Scale"),
        Column(title="Value", numeric=True), Column(title="Rule"),
        Column(title="Level of interest"), Column(title="Source"),
        Column(title="The trial's own baseline: shape, value by its rule"),
    )  # fmt: skip
    caption = "Cut-offs set before the trial. Low is at or below the value, high is above it."
    return table(heads, lines, caption=caption, empty="No cut-off is declared.")


def _made(made: pl.DataFrame) -> Markup:
    require_columns(made, MADE, name="ref.cut_off_rules")
    lines: list[list[Content]] = [
        [
            row["cut_off"], row["label"], f"{row['made_on']}", row["n"], row["decision"],
            p_text(row["dip_p"]), p_text(row["silverman_p"]), row["cut_off_rule"],
            f"{number(row['unrounded'], 3)} ({_interval(row['ci_lo'], row['ci_hi'], 3)})",
            number(row["h_crit_2"], 3), row["values_sha256"][:12],
        ]
        for row in made.sort("cut_off").iter_rows(named=True)
    ]  # fmt: skip
    heads = (
        Column(title="Cut-off"), Column(title="Training set"), Column(title="Made on"),
        Column(title="n", numeric=True), Column(title="Shape"),
        Column(title="Dip p", numeric=True), Column(title="Silverman p", numeric=True),
        Column(title="Rule"), Column(title="Value (95 % interval)", numeric=True),
        Column(title="Bandwidth", numeric=True), Column(title="Values, SHA-256"),
    )  # fmt: skip
    caption = "How the cut-offs were made, on people outside the trial; the trial estimates none."
    return table(heads, lines, caption=caption, empty="No cut-off names a training set.")
