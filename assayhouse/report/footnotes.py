"""What stands under a time course: interval, labels, method, gaps, in words. Draws nothing."""

from collections.abc import Iterable, Sequence

import polars as pl

from assayhouse.report.theme import ArmStyle
from assayhouse.report.twin import BASELINE, effects_of
from assayhouse.report.words import (
    MANY_VISITS,
    NO_MULTIPLICITY,
    STAR_LIMITS,
    STAR_WORDS,
    methods_told,
    span,
    spoken_list,
)

REASON_LENGTH = 110
POINTS_NOTE = (
    "Points: adjusted mean change from baseline; bars: adjusted mean ± one standard error (SE). "
    "Points of one visit are set apart sideways; the change at baseline is 0 by definition."
)


def footnotes(
    twin: pl.DataFrame, effects: pl.DataFrame, *, styles: Sequence[ArmStyle]
) -> tuple[str, ...]:
    """Write the notes of a time course.

    Parameters
    ----------
    twin : polars.DataFrame
        From `assayhouse.report.twin.time_course_twin`, with ``label_drawn`` set.
    effects : polars.DataFrame
        ``ard.effects``; asked only whether adjusted p values exist.
    styles : sequence of ArmStyle
        The arms of the study.

    Returns
    -------
    tuple of str
        One string per note, unwrapped.
    """
    reference = next(style.label for style in styles if style.is_reference)
    notes = (
        POINTS_NOTE,
        _label_note(twin, reference),
        f"{STAR_WORDS} against {reference}. {multiplicity_note(effects, styles)}",
        f"{_method(twin)} {_counts(twin)}",
        *gap_notes(twin),
    )
    return tuple(note for note in notes if note)


def _label_note(twin: pl.DataFrame, reference: str) -> str:
    labelled = twin.filter(pl.col("label").is_not_null())
    kinds = set(labelled["difference_response"].to_list())
    parts = []
    if "pchg" in kinds:
        parts.append(
            f"Labels: difference from {reference} in adjusted mean per cent change from baseline."
        )
    if "chg" in kinds:
        own = labelled.filter(pl.col("difference_response") == "chg")
        panels = spoken_list(own["parameter"].unique(maintain_order=True).to_list())
        parts.append(
            f"Labels of {panels}: difference from {reference} in adjusted mean change, in the "
            f"panel's unit (per cent change is not defined on its scale)."
        )
    omitted = labelled.filter(~pl.col("label_drawn")).height
    if omitted:
        parts.append(
            f"{omitted} of {labelled.height} labels are left out where they would crowd the panel; "
            f"the last visit is always labelled, and the table holds all."
        )
    visits = labelled.group_by("panel").agg(pl.col("avisitn").n_unique())["avisitn"]
    if (visits > MANY_VISITS).any():
        parts.append(
            f"In a panel of more than {MANY_VISITS} visits the earlier ones are labelled only "
            f"where p ≤ {STAR_LIMITS[-1][0]}."
        )
    return " ".join(parts)


def multiplicity_note(effects: pl.DataFrame, styles: Sequence[ArmStyle]) -> str:
    """Say what the stars are not adjusted for.

    Parameters
    ----------
    effects : polars.DataFrame
        ``ard.effects``; an adjusted p value anywhere among the differences changes the sentence.
    styles : sequence of ArmStyle
        The arms of the study.

    Returns
    -------
    str
        One sentence.
    """
    adjusted = any(
        effects_of(effects, styles, response=response, term="diff")["p_adj"].is_not_null().any()
        for response in ("pchg", "chg")
    )
    if adjusted:
        return "Stars follow p values without adjustment for multiplicity."
    return NO_MULTIPLICITY


def _method(twin: pl.DataFrame) -> str:
    return f"Method: {methods_told(twin['method']) or 'not stated'}."


def _counts(twin: pl.DataFrame) -> str:
    counts = twin["n"].drop_nulls().to_list()
    if not counts:
        return "No model was fitted."
    return f"Each model was fitted to n = {span(min(counts), max(counts))} subjects, all arms."


def gap_notes(twin: pl.DataFrame) -> tuple[str, ...]:
    """Say which points and which labels are missing, and why.

    Parameters
    ----------
    twin : polars.DataFrame
        From `assayhouse.report.twin.time_course_twin`.

    Returns
    -------
    tuple of str
        One note per reason; empty where nothing is missing.
    """
    later = twin.filter(pl.col("status") != BASELINE)
    points = later.filter(pl.col("status") != "ok")
    labels = later.filter(
        (pl.col("status") == "ok")
        & pl.col("difference_status").is_not_null()
        & (pl.col("difference_status") != "ok")
    )
    return (
        *_by_reason(points, "status", "reasons", heading="Gap, not estimated"),
        *_by_reason(
            labels, "difference_status", "difference_reasons", heading="No label, not estimated"
        ),
    )


def _by_reason(rows: pl.DataFrame, status: str, reasons: str, *, heading: str) -> tuple[str, ...]:
    groups: dict[str, list[dict[str, object]]] = {}
    for row in rows.iter_rows(named=True):
        groups.setdefault(_why(str(row[status]), str(row[reasons] or "")), []).append(row)
    return tuple(f"{heading}: {_where(group)} ({why})." for why, group in groups.items())


def _why(status: str, reasons: str) -> str:
    words = status.replace("_", " ")
    text = reasons.strip().rstrip(".")
    if not text or text == status:
        return words
    shortened = text if len(text) <= REASON_LENGTH else text[: REASON_LENGTH - 1].rstrip() + "…"
    return f"{words}: {shortened}"


def _where(rows: Iterable[dict[str, object]]) -> str:
    places: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        visits = places.setdefault(str(row["parameter"]), {})
        visits.setdefault(str(row["visit"]), []).append(str(row["arm_label"]))
    return "; ".join(
        f"{parameter}, {_visits_and_arms(visits)}" for parameter, visits in places.items()
    )


def _visits_and_arms(visits: dict[str, list[str]]) -> str:
    by_arms: dict[tuple[str, ...], list[str]] = {}
    for visit, arms in sorted(visits.items(), key=lambda item: item[0]):
        by_arms.setdefault(tuple(arms), []).append(visit)
    return ", ".join(
        f"{spoken_list(names)} ({spoken_list(arms)})" for arms, names in by_arms.items()
    )
