"""The notes name interval, stars, method, counts, and every gap with its reason."""

import polars as pl

from assayhouse.report.footnotes import REASON_LENGTH, footnotes, gap_notes
from assayhouse.report.theme import arm_styles
from assayhouse.report.twin import time_course_twin

from support.report_inputs import (
    CYTOKINES,
    METHOD,
    demo_arms,
    demo_effects,
    demo_parameters,
    demo_visits,
    refuse,
)

STYLES = arm_styles(demo_arms())


def twin(effects, *, labels_drawn=True):
    frame = time_course_twin(
        effects,
        styles=STYLES,
        parameters=demo_parameters(),
        visits=demo_visits(),
        paramcds=tuple(CYTOKINES),
        figure_id="fig",
    )
    return frame.with_columns(label_drawn=pl.lit(labels_drawn) & pl.col("label").is_not_null())


def notes(effects, **options):
    return "\n".join(footnotes(twin(effects, **options), effects, styles=STYLES))


def test_interval_stars_and_multiplicity_are_in_words():
    text = notes(demo_effects())
    assert "adjusted mean ± one standard error (SE)" in text
    assert "* p ≤ 0.05, ** p ≤ 0.01, *** p ≤ 0.001 against Placebo" in text
    assert "No adjustment for multiplicity was made" in text
    assert "difference from Placebo in adjusted mean per cent change" in text


def test_the_method_is_printed_as_given():
    assert f"Method: {METHOD}." in notes(demo_effects())
    assert "Method: not stated." in notes(demo_effects().drop("method"))


def test_two_methods_in_one_figure_are_both_named():
    effects = demo_effects().with_columns(
        method=pl.when(pl.col("paramcd") == "IL2").then(pl.lit("A")).otherwise(pl.lit("B"))
    )
    assert "Method: A; B." in notes(effects)


def test_the_range_of_counts_is_that_of_the_drawn_models():
    effects = demo_effects()
    counts = effects.filter((pl.col("term") == "lsmean") & (pl.col("status") == "ok"))["n"]
    assert f"n = {counts.min()} to {counts.max()} subjects, all arms" in notes(effects)


def test_adjusted_p_values_change_the_sentence():
    text = notes(demo_effects().with_columns(p_adj=pl.col("p")))
    assert "No adjustment" not in text
    assert "without adjustment" in text


def test_labels_left_out_are_counted():
    labelled = twin(demo_effects())["label"].drop_nulls().len()
    assert f"{labelled} of {labelled} labels are left out" in notes(
        demo_effects(), labels_drawn=False
    )
    assert "left out" not in notes(demo_effects())


def test_one_gap_note_names_parameter_visit_arms_and_reason():
    (note,) = gap_notes(twin(demo_effects()))
    assert note.startswith("Gap, not estimated: Interleukin-21, Week 4 (Placebo, 0.15 mg, ")
    assert note.endswith(
        "(blq majority: more than half of the values lie below the limit; use rank_comparison)."
    )


def test_gaps_of_one_reason_share_one_note_and_visits_share_their_arms():
    effects = refuse(refuse(demo_effects(), "IL21", 12), "BLYS", 24)
    (note,) = gap_notes(twin(effects))
    assert "Week 12 and Week 4 (Placebo" in note or "Week 4 and Week 12 (Placebo" in note
    assert "; B lymphocyte stimulator (TNFSF13B), Week 24 (" in note


def test_a_figure_without_gaps_has_no_gap_note():
    assert gap_notes(twin(demo_effects(refused=False))) == ()


def test_a_missing_label_is_told_apart_from_a_missing_point():
    here = (pl.col("response") == "pchg") & (pl.col("paramcd") == "IL2") & (pl.col("avisitn") == 4)
    effects = demo_effects(refused=False).with_columns(
        status=pl.when(here).then(pl.lit("too_few")).otherwise("status")
    )
    (note,) = gap_notes(twin(effects))
    assert note == (
        "No label, not estimated: Interleukin-2, Week 4 (0.15 mg, 0.30 mg and 0.45 mg) (too few)."
    )


def test_a_long_reason_is_cut():
    effects = demo_effects().with_columns(
        reasons=pl.when(pl.col("status") != "ok").then(pl.lit("x" * 500)).otherwise("reasons")
    )
    (note,) = gap_notes(twin(effects))
    assert "x" * (REASON_LENGTH - 1) + "…" in note
    assert "x" * REASON_LENGTH not in note


def test_a_figure_in_which_nothing_was_fitted_says_so():
    effects = demo_effects().with_columns(status=pl.lit("too_few"))
    assert "No model was fitted." in notes(effects)


def test_panels_labelled_in_their_own_unit_are_named():
    effects = demo_effects().filter((pl.col("response") != "pchg") | (pl.col("paramcd") != "BLYS"))
    text = notes(effects)
    assert "Labels of B lymphocyte stimulator (TNFSF13B): difference from Placebo in" in text
    assert "per cent change is not defined on its scale" in text
    assert "Labels: difference from Placebo in adjusted mean per cent change" in text
