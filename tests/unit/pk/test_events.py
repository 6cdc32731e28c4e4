"""Event tables: each code with exactly its rows, defaults, exclusions, units."""

import polars as pl
import pytest

from assayhouse.pk import (
    EventTable,
    EventTableError,
    SpecError,
    UnitError,
    dosing_from_events,
    pool_rare_levels,
)

UNITS = {"amt_unit": "mg", "dv_unit": "ng/mL"}


def rows(*events, **columns):
    """A frame of ID, TIME, EVID, AMT, DV, and further columns by name."""
    names = ("ID", "TIME", "EVID", "AMT", "DV")
    frame = pl.DataFrame(
        dict(zip(names, map(list, zip(*events, strict=True)), strict=True)), strict=False
    )
    return frame.with_columns(
        pl.Series(name, values, strict=False) for name, values in columns.items()
    )


DOSE = (1, 0.0, 1, 10.0, None)
SAMPLE = (1, 2.0, 0, 0.0, 3.5)


def codes(frame, **options):
    """Code and rows of every error."""
    with pytest.raises(EventTableError) as caught:
        EventTable.from_frame(frame, **(UNITS | options))
    return [(issue.code, issue.rows) for issue in caught.value.issues if issue.severity == "error"]


def warnings(table):
    return [(issue.code, issue.rows) for issue in table.issues]


def test_gaps_get_their_defaults():
    table = EventTable.from_frame(rows(DOSE, SAMPLE), **UNITS)
    first, second = table.frame.rows(named=True)
    assert (first["ID"], first["MDV"], first["CMT"], first["ADDL"], first["SS"]) == (
        "1",
        1,
        1,
        0,
        0,
    )
    assert (second["MDV"], second["BLQ"], second["LLOQ"], second["II"]) == (0, 0, None, 0.0)


def test_a_column_of_nothing_is_a_gap_whatever_its_type():
    table = EventTable.from_frame(rows(DOSE, SAMPLE, LLOQ=["", None], ADDL=[None, None]), **UNITS)
    assert table.frame["LLOQ"].null_count() == 2
    assert table.frame.schema["LLOQ"] == pl.Float64


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (rows(DOSE, SAMPLE).drop("EVID"), [("missing_column", ())]),
        (rows(DOSE, SAMPLE).with_columns(TIME=pl.Series(["0", "x"])), [("bad_type", (1,))]),
        (rows(DOSE, (1, None, 0, 0.0, 3.5)), [("bad_type", (1,))]),
        (rows(DOSE, (1, 2.0, 7, 0.0, 3.5)), [("bad_code", (1,))]),
        (rows(DOSE, SAMPLE, BLQ=[0, 0], CENS=[0, 0]), [("bad_code", ())]),
        (rows(DOSE, SAMPLE, ADDL=[-1, 0]), [("bad_code", (0,))]),
        (rows(DOSE, SAMPLE, ADDL=[1.5, 0], II=[24, 0]), [("bad_code", (0,))]),
        (rows(DOSE, SAMPLE, MDV=[0, 0]), [("bad_code", (0,))]),
        (rows(DOSE, SAMPLE, (2, 0.0, 1, 5.0, None), SAMPLE), [("id_not_contiguous", (3,))]),
        (rows(DOSE, SAMPLE, (1, 1.0, 0, 0.0, 2.0), (1, 1.5, 0, 0.0, 2.0)), [("time_order", (2,))]),
        (rows((1, 0.0, 1, None, None), SAMPLE), [("dose_without_amt", (0,))]),
        (rows((1, 0.0, 4, 0.0, None), SAMPLE), [("dose_without_amt", (0,))]),
        (rows(DOSE, (1, 2.0, 0, 5.0, 3.5)), [("obs_with_amt", (1,))]),
        (rows(DOSE, (1, 2.0, 0, 0.0, None)), [("dv_missing", (1,))]),
        (rows(DOSE, SAMPLE, BLQ=[0, 1]), [("blq_without_lloq", (1,))]),
        (rows(DOSE, SAMPLE, ADDL=[3, 0]), [("addl_without_ii", (0,))]),
        (rows(DOSE, SAMPLE, SS=[1, 0]), [("ss_without_ii", (0,))]),
        (rows(DOSE, SAMPLE, RATE=[-2, 0]), [("infusion", (0,))]),
        (rows(DOSE, SAMPLE, DUR=[None, 1.5]), [("infusion", (1,))]),
        (rows(DOSE, SAMPLE, CMT=[2, 2]), [("cmt_unsupported", (0,))]),
        (rows(DOSE, SAMPLE).clear(), [("no_subjects", ())]),
        (rows((1, 0.0, 1, 10.0, None)), [("no_subjects", ())]),
    ],
)
def test_an_error_names_its_code_and_exactly_its_rows(frame, expected):
    assert codes(frame) == expected


def test_all_problems_are_raised_at_once():
    frame = rows((1, 0.0, 1, 0.0, None), (1, 2.0, 0, 0.0, None), RATE=[1, 0])
    assert codes(frame) == [("infusion", (0,)), ("dose_without_amt", (0,)), ("dv_missing", (1,))]


def test_covariates_must_be_there_and_constant():
    frame = rows(DOSE, SAMPLE, SAMPLE, WT=[70.0, 71.0, None])
    expected = [("covariate_missing", (2,)), ("covariate_varies", (1,))]
    assert codes(frame, covariates=["WT"]) == expected
    assert codes(frame, covariates=["AGE"]) == [("missing_column", ())]


def test_a_missing_covariate_is_filled_and_said():
    two = [(2, *DOSE[1:]), (2, *SAMPLE[1:])]
    three = [(3, *DOSE[1:]), (3, *SAMPLE[1:])]
    frame = rows(
        DOSE, SAMPLE, *two, *three, WT=[70.0, 70.0, None, None, 80.0, 80.0], SEX=[*"FFMMM", None]
    )
    table = EventTable.from_frame(
        frame, covariates=["WT", "SEX"], missing_covariates="impute", **UNITS
    )
    assert table.frame["WT"].to_list() == [70.0, 70.0, 75.0, 75.0, 80.0, 80.0]
    assert table.frame["SEX"].to_list() == list("FFMMMM")
    assert warnings(table) == [("covariate_imputed", (2, 3))]


def test_samples_before_the_first_dose_do_not_count():
    table = EventTable.from_frame(rows((1, -1.0, 0, 0.0, 9.0), DOSE, SAMPLE), **UNITS)
    assert (table.n_obs, warnings(table)) == (1, [("obs_before_dose", (0,))])


def test_a_sample_listed_before_the_dose_of_its_time_is_predose():
    frame = rows((1, 0.0, 0, 0.0, 9.0), DOSE, SAMPLE)
    assert EventTable.from_frame(frame, **UNITS).frame["MDV"].to_list() == [1, 1, 0]


def test_two_samples_at_one_time_are_both_kept():
    table = EventTable.from_frame(rows(DOSE, SAMPLE, SAMPLE), **UNITS)
    assert (table.n_obs, warnings(table)) == (2, [("duplicate_observation", (2,))])


def excluded_frame():
    return rows(
        DOSE,
        SAMPLE,
        ("a", 1.0, 0, 0.0, 1.0),
        ("b", 0.0, 1, 10.0, None),
        ("c", 0.0, 0, 0.0, 1.0),
        ("c", 0.0, 1, 20.0, None),
        ("d", 0.0, 1, 20.0, None),
        ("d", 1.0, 0, 0.0, None),
        BLQ=[0] * 7 + [1],
        LLOQ=[0.1] * 8,
    )


def test_a_subject_leaves_for_the_first_reason_that_holds():
    table = EventTable.from_frame(excluded_frame(), **UNITS)
    left = [
        ("a", "no_dose"),
        ("b", "no_observation"),
        ("c", "no_observation"),
        ("d", "no_quantifiable"),
    ]
    assert table.excluded.rows() == left
    assert table.ids == ("1",)
    assert table.excluded_by_dose == {10.0: 1, 20.0: 2}
    assert ("subject_excluded", (2, 3, 4, 5, 6, 7)) in warnings(table)


def test_the_observed_rule_keeps_a_subject_below_the_limit():
    table = EventTable.from_frame(excluded_frame(), subject_rule="observed", **UNITS)
    assert table.ids == ("1", "d")
    assert (table.n_subjects, table.n_obs, table.n_blq) == (2, 2, 1)


@pytest.mark.parametrize(
    ("amount", "concentration", "scale"),
    [
        ("mg", "ng/mL", 1000),
        ("mg", "mg/L", 1),
        ("ug", "ng/mL", 1),
        ("g", "pg/mL", 1e9),
        ("1", "1", 1),
    ],
)
def test_scale_is_amount_per_litre_in_the_unit_of_the_concentrations(amount, concentration, scale):
    table = EventTable.from_frame(rows(DOSE, SAMPLE), amt_unit=amount, dv_unit=concentration)
    assert table.scale == scale


@pytest.mark.parametrize(
    "wrong",
    [
        {"amt_unit": "kg"},
        {"amt_unit": None},
        {"amt_unit": "1"},
        {"dv_unit": "1"},
        {"dv_unit": "ng/ml"},
        {"time_unit": "hours"},
    ],
)
def test_a_wrong_unit_is_an_error_never_a_factor(wrong):
    with pytest.raises(UnitError):
        EventTable.from_frame(rows(DOSE, SAMPLE), **(UNITS | wrong))


def test_an_unknown_rule_is_refused():
    with pytest.raises(SpecError, match="subject_rule"):
        EventTable.from_frame(rows(DOSE, SAMPLE), subject_rule="all", **UNITS)


def test_the_hash_is_of_rows_and_units():
    one = EventTable.from_frame(rows(DOSE, SAMPLE), **UNITS)
    same = EventTable.from_frame(rows(DOSE, SAMPLE), **UNITS)
    other = EventTable.from_frame(rows(DOSE, SAMPLE), amt_unit="ug", dv_unit="ng/mL")
    assert one.content_hash == same.content_hash != other.content_hash


def test_dosing_is_the_last_regular_dose():
    frame = rows(DOSE, SAMPLE, (1, 24.0, 1, 20.0, None), (1, 48.0, 1, 5.0, None), II=[24, 0, 12, 0])
    table = EventTable.from_frame(frame, **UNITS)
    assert dosing_from_events(table).rows() == [("1", 20.0, 12.0)]


def test_messages_hold_no_value_of_a_subject():
    frame = rows(("S-1234", 0.0, 1, None, None), ("S-1234", 2.0, 0, 0.0, 77.125))
    with pytest.raises(EventTableError) as caught:
        EventTable.from_frame(frame, **UNITS)
    assert "S-1234" not in str(caught.value)
    assert "77.125" not in str(caught.value)


def test_a_file_is_read_like_a_frame(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("ID,TIME,EVID,AMT,DV,LLOQ\nx,0,1,10,.,\nx,2,0,.,3.5,\n")
    table = EventTable.read_csv(path, **UNITS)
    assert (table.ids, table.n_obs) == (("x",), 1)


def test_a_subject_keeps_its_name_from_a_file(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("ID,TIME,EVID,AMT,DV\n007,0,1,10,\n007,2,0,,3.5\n")
    assert EventTable.read_csv(path, **UNITS).ids == ("007",)


def test_rows_that_are_neither_dose_nor_sample_are_passed_over():
    table = EventTable.from_frame(
        rows(DOSE, (1, 1.0, 2, 0.0, None), SAMPLE, MDV=[1, 0, 0]), **UNITS
    )
    assert table.n_obs == 1


def test_levels_of_few_subjects_are_pooled_and_said():
    pairs = [(n, *row[1:]) for n in range(7) for row in (DOSE, SAMPLE)]
    levels = [level for level in "AAAAABC" for _ in range(2)]
    table = EventTable.from_frame(rows(*pairs, RACE=levels), covariates=["RACE"], **UNITS)
    pooled = pool_rare_levels(table)
    assert pooled.frame["RACE"].to_list() == ["A"] * 10 + ["OTHER"] * 4
    assert pooled.issues[-1].code == "levels_pooled"
    assert pool_rare_levels(table, fewest=1).issues == ()


def test_a_file_that_is_no_table_is_refused(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("")
    with pytest.raises(EventTableError, match="comma-separated"):
        EventTable.read_csv(path, **UNITS)
