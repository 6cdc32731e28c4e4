"""The twin holds what ard.effects holds: nothing moved, nothing invented, gaps kept."""

import polars as pl
import pytest

from assayhouse.report.errors import ReportInputError
from assayhouse.report.theme import arm_styles
from assayhouse.report.twin import TWIN_COLUMNS, effects_of, time_course_twin

from support.report_inputs import (
    CYTOKINES,
    SCHEMA,
    demo_arms,
    demo_effects,
    demo_parameters,
    demo_visits,
    parameter_table,
    refuse,
    row,
)

STYLES = arm_styles(demo_arms())


def twin(effects, *, paramcds=tuple(CYTOKINES), parameters=None, visits=None):
    return time_course_twin(
        effects,
        styles=STYLES,
        parameters=demo_parameters() if parameters is None else parameters,
        visits=demo_visits() if visits is None else visits,
        paramcds=paramcds,
        figure_id="fig",
    )


def small(*rows):
    return pl.DataFrame(list(rows), schema=SCHEMA)


def one_visit(arm="D015", **changes):
    return small(
        row("IL2", 4, "chg", "lsmean", "PBO", 0.1, 0.02),
        row("IL2", 4, "chg", "lsmean", arm, 0.3, 0.02),
        row("IL2", 4, "pchg", "diff", arm, 45.0, 12.0, **changes),
    )


def point(frame, arm, avisitn=4, panel="IL2"):
    return frame.row(
        by_predicate=(pl.col("arm") == arm)
        & (pl.col("avisitn") == avisitn)
        & (pl.col("panel") == panel),
        named=True,
    )


def test_every_estimate_error_and_count_is_the_input_bit_for_bit():
    effects = demo_effects()
    means = effects.filter((pl.col("response") == "chg") & (pl.col("term") == "lsmean"))
    drawn = twin(effects).filter(pl.col("status") == "ok")
    joined = drawn.join(
        means, left_on=["panel", "avisitn", "arm"], right_on=["paramcd", "avisitn", "arm"]
    )
    assert joined.height == drawn.height == means.filter(pl.col("status") == "ok").height
    for column in ("estimate", "se", "n", "method"):
        assert joined[column].to_list() == joined[f"{column}_right"].to_list()


def test_every_p_value_and_label_is_that_of_the_per_cent_difference():
    effects = demo_effects()
    differences = effects.filter((pl.col("response") == "pchg") & (pl.col("status") == "ok"))
    labelled = twin(effects).filter(pl.col("label").is_not_null())
    joined = labelled.join(
        differences, left_on=["panel", "avisitn", "arm"], right_on=["paramcd", "avisitn", "arm"]
    )
    assert joined.height == labelled.height == differences.height
    assert joined["difference"].to_list() == joined["estimate_right"].to_list()
    assert joined["p"].to_list() == joined["p_right"].to_list()


def test_columns_are_as_declared_and_rows_in_panel_arm_visit_order():
    frame = twin(demo_effects())
    assert tuple(frame.columns) == TWIN_COLUMNS
    assert frame["panel"].unique(maintain_order=True).to_list() == list(CYTOKINES)
    first = frame.head(8)
    assert first["arm"].to_list() == ["PBO"] * 4 + ["D015"] * 4
    assert first["avisitn"].to_list() == [0, 4, 12, 24] * 2


def test_row_order_of_the_inputs_changes_nothing():
    effects = demo_effects()
    shuffled = effects.sample(fraction=1.0, shuffle=True, seed=3)
    assert twin(shuffled).equals(twin(effects))


def test_bars_end_one_standard_error_away():
    mean = point(twin(one_visit()), "D015")
    assert (mean["lower"], mean["upper"]) == pytest.approx((0.28, 0.32))


def test_the_change_at_baseline_is_zero_without_error_count_or_label():
    start = point(twin(one_visit()), "D015", avisitn=0)
    assert (start["status"], start["estimate"], start["x"]) == ("baseline", 0.0, 0.0)
    assert [start[name] for name in ("se", "n", "p", "label", "lower")] == [None] * 5


def test_a_refused_row_is_a_gap_and_keeps_its_reason():
    gap = point(twin(refuse(one_visit(), "IL2", 4)), "D015")
    assert gap["status"] == "blq_majority"
    assert "rank_comparison" in gap["reasons"]
    assert [gap[name] for name in ("estimate", "se", "n", "lower", "label", "p")] == [None] * 6


def test_numbers_of_a_row_that_is_not_ok_are_not_drawn_even_if_present():
    effects = one_visit().with_columns(status=pl.lit("not_converged"))
    gap = point(twin(effects), "D015")
    assert (gap["estimate"], gap["difference"], gap["p"]) == (None, None, None)


def test_an_arm_without_a_row_is_a_gap_called_absent():
    gap = point(twin(one_visit()), "D045")
    assert (gap["status"], gap["estimate"]) == ("absent", None)


def test_a_refused_difference_leaves_the_point_and_drops_the_label():
    effects = one_visit(status="too_few", reasons="3 subjects")
    mean = point(twin(effects), "D015")
    assert (mean["status"], mean["label"]) == ("ok", None)
    assert (mean["difference_status"], mean["difference_reasons"]) == ("too_few", "3 subjects")


def test_the_reference_arm_has_no_label():
    reference = twin(demo_effects()).filter(pl.col("arm") == "PBO")
    assert reference["label"].is_null().all()


def test_a_label_has_sign_one_decimal_and_stars():
    assert point(twin(one_visit()), "D015")["label"] == "+45.0%***"


def test_a_per_cent_beyond_a_thousand_loses_its_decimal():
    effects = one_visit().with_columns(
        estimate=pl.when(pl.col("response") == "pchg").then(2345.6).otherwise("estimate")
    )
    assert point(twin(effects), "D015")["label"] == "+2346%***"


def test_a_scale_without_per_cent_change_is_labelled_in_its_own_unit():
    effects = small(
        row("MOD", 4, "chg", "lsmean", "D015", -0.5, 0.081),
        row("MOD", 4, "chg", "diff", "D015", -0.4567, 0.1),
    )
    frame = twin(
        effects, paramcds=("MOD",), parameters=parameter_table({"MOD": "Module"}, "", "log2")
    )
    mean = point(frame, "D015", panel="MOD")
    assert mean["difference_response"] == "chg"
    assert mean["label"] == "\N{MINUS SIGN}0.457***"


def test_subgroup_rows_are_not_drawn():
    subgroup = demo_effects().with_columns(subgroup=pl.lit("SEX=F"), estimate=pl.lit(99.0))
    assert twin(pl.concat([demo_effects(), subgroup])).equals(twin(demo_effects()))


def test_arms_given_by_name_are_drawn_as_their_codes():
    assert point(twin(one_visit(arm="0.15 mg")), "D015")["estimate"] == 0.3


def test_visits_that_are_not_declared_are_called_by_their_week():
    frame = twin(one_visit(), visits=demo_visits().filter(pl.col("AVISITN") == 0))
    assert point(frame, "D015")["visit"] == "Week 4"


def test_points_of_one_visit_are_set_apart_in_dose_order_around_it():
    shown = twin(demo_effects()).filter((pl.col("panel") == "IL2") & (pl.col("avisitn") == 12))
    spots = shown.sort("arm_order")["x"].to_list()
    assert spots == sorted(spots)
    assert sum(spots) / 4 == pytest.approx(12.0)
    assert max(spots) - min(spots) < 1.0


def test_a_point_has_an_identifier_of_its_own():
    frame = twin(demo_effects())
    assert frame["point_id"].n_unique() == frame.height
    assert frame["point_id"].str.contains(r"^pt-fig-[A-Z0-9]+-\d+-\d$").all()


def test_an_undeclared_arm_is_refused_by_name():
    with pytest.raises(ReportInputError, match=r"arm\(s\) D999, which ref\.arms does not"):
        twin(one_visit(arm="D999"))


def test_an_undeclared_parameter_is_refused():
    with pytest.raises(ReportInputError, match="does not declare NOPE"):
        twin(demo_effects(), paramcds=("IL2", "NOPE"))


@pytest.mark.parametrize("paramcds", [(), ("IL2", "IL2")])
def test_no_panel_and_a_panel_twice_are_refused(paramcds):
    with pytest.raises(ReportInputError, match="each declared parameter once"):
        twin(demo_effects(), paramcds=paramcds)


def test_results_of_two_methods_are_not_mixed_silently():
    doubled = pl.concat([demo_effects(), demo_effects().with_columns(method=pl.lit("other"))])
    with pytest.raises(ReportInputError, match="more than one row"):
        twin(doubled)


def test_a_missing_effect_column_is_refused():
    with pytest.raises(ReportInputError, match=r"ard\.effects lacks the column\(s\) se"):
        twin(demo_effects().drop("se"))


def test_optional_columns_may_be_absent():
    plain = demo_effects().drop("method", "p_adj")
    rows = effects_of(plain, STYLES, response="chg", term="lsmean")
    assert rows["method"].is_null().all()
    assert rows["p_adj"].is_null().all()


def test_codes_that_would_share_identifiers_are_refused():
    names = parameter_table({"IL-2": "One", "IL/2": "Other"}, "pg/mL")
    with pytest.raises(ReportInputError, match="the time course holds more than one row"):
        twin(small(), paramcds=("IL-2", "IL/2"), parameters=names)
