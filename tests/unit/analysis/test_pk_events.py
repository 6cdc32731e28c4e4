"""Event rows of trial and earlier studies: units, covariates, sources, and what is refused."""

import polars as pl
import pytest

from assayhouse.analysis.pk_events import event_table, require_planned_doses
from assayhouse.pk.errors import EventTableError, UnitError

from support import pk_trial


def both(**changes):
    return pl.concat([pk_trial.trial(**changes), pk_trial.earlier()], how="diagonal_relaxed")


def test_a_trial_s_dose_and_sample_have_times_of_the_diary_and_their_source():
    rows = pk_trial.trial().filter(pl.col("USUBJID") == "A")
    assert rows["EVID"].to_list() == [1, 1, 0, 1]
    # From the first dose at 08:00 the sample is 28 days and half an hour later.
    assert rows["AFRLT"].to_list() == [0.0, 648.0, 672.5, 672.75]
    sample = rows.row(2, named=True)
    assert (sample["SPECREF"], sample["source_line"], sample["DV"]) == ("S1", 2, 0.4)
    assert rows["SPECREF"].null_count() == 3


def test_placebo_has_no_event_and_a_sample_below_the_limit_no_value():
    rows = pk_trial.trial()
    assert set(rows["USUBJID"]) == {"A", "B"}
    low = rows.filter((pl.col("USUBJID") == "B") & (pl.col("EVID") == 0)).row(0, named=True)
    assert (low["BLQFN"], low["DV"], low["ALLOQ"]) == (1, None, 0.05)


def test_covariates_are_those_before_the_first_dose():
    rows = pk_trial.trial().filter(pl.col("USUBJID") == "A")
    assert rows["WTBL"].unique().to_list() == [70.0]
    assert rows["CRCLBL"].round(6).unique().to_list() == [round(0.85 * 100 * 70 / 72, 6)]
    assert rows["DISEASE"].unique().to_list() == ["ILL"]


def test_a_trial_without_creatinine_and_weight_has_neither():
    rows = pk_trial.trial(lb=None, vs=None)
    assert rows["WTBL"].null_count() == rows["CRCLBL"].null_count() == rows.height
    assert "WT" not in event_table(rows, subject_rule="observed").covariates


def test_an_earlier_study_comes_in_event_form_with_creatinine_in_either_unit():
    rows = pk_trial.earlier()
    assert rows["AFRLT"].to_list() == [0.0, 2.0, 60.0]
    assert rows["dose_mg"].unique().to_list() == [0.6]
    assert rows["pk_source"].unique().to_list() == ["earlier"]
    other = pk_trial.earlier(creatinine="88.4", creatinine_unit="umol/L")
    assert other["CRCLBL"].round(9).to_list() == rows["CRCLBL"].round(9).to_list()


def test_the_two_make_one_table_and_the_rule_chooses_the_subjects():
    table = event_table(both(), subject_rule="quantifiable")
    assert table.ids == ("A", "E-1")
    assert (table.amt_unit, table.dv_unit, table.scale) == ("mg", "ng/mL", 1000.0)
    assert table.excluded.rows() == [("B", "no_quantifiable")]
    assert event_table(both(), subject_rule="observed").ids == ("A", "B", "E-1")


@pytest.mark.parametrize(
    ("name", "value"),
    [("AMTU", "ug"), ("AMTU", None), ("DVU", "ug/mL"), ("DVU", "pg/mL"), ("DVU", None)],
)
def test_trial_and_earlier_studies_must_agree_in_every_unit(name, value):
    """A factor of 1000 is an error, even where it could be computed; so is no unit."""
    if value is None:
        with pytest.raises(UnitError, match=name):
            pk_trial.earlier(**{name: value})
        return
    rows = pl.concat([pk_trial.trial(), pk_trial.earlier(**{name: value})], how="diagonal_relaxed")
    with pytest.raises(UnitError, match=name):
        event_table(rows, subject_rule="observed")


@pytest.mark.parametrize(
    ("table", "column", "unit"),
    [
        ("pc", "PCSTRESU", "furlong"),
        ("pc", "PCSTRESU", None),
        ("ex", "EXDOSU", "mg/kg"),
        ("vs", "VSSTRESU", "lb"),
        ("lb", "LBSTRESU", "g/L"),
    ],
)
def test_a_unit_that_is_missing_or_unknown_is_an_error(table, column, unit):
    wrong = getattr(pk_trial.tables(), table).with_columns(
        pl.lit(unit, dtype=pl.String).alias(column)
    )
    with pytest.raises(UnitError):
        pk_trial.trial(**{table: wrong})


def test_one_row_in_another_unit_is_an_error():
    pc = pk_trial.tables().pc.with_columns(pl.Series("PCSTRESU", ["ng/mL", "pg/mL", "ng/mL"]))
    with pytest.raises(UnitError, match="PCSTRESU"):
        pk_trial.trial(pc=pc)


def test_a_dose_that_no_arm_has_is_an_error_unless_it_was_adjusted():
    ex = pk_trial.tables().ex
    planned = list(pk_trial.DOSES.values())
    require_planned_doses(ex, planned)
    for wrong in (
        ex.with_columns(pl.lit("ug").alias("EXDOSU")),
        ex.with_columns(pl.lit("g").alias("EXDOSU")),
        ex.with_columns((pl.col("EXDOSE") * 1000).alias("EXDOSE")),
    ):
        with pytest.raises(UnitError, match="2 exposure records"):
            require_planned_doses(wrong, planned)
        require_planned_doses(wrong.with_columns(pl.lit("AE").alias("EXADJ")), planned)


def test_micrograms_said_as_such_are_the_same_doses():
    ex = pk_trial.tables().ex.with_columns(pl.col("EXDOSE") * 1000, pl.lit("ug").alias("EXDOSU"))
    require_planned_doses(ex, list(pk_trial.DOSES.values()))


def test_nobody_left_is_said_as_such():
    rows = pk_trial.trial().filter(pl.col("USUBJID") == "B")
    with pytest.raises(EventTableError) as caught:
        event_table(rows, subject_rule="quantifiable")
    assert {issue.code for issue in caught.value.issues} == {"no_subjects"}
