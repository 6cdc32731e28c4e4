"""From PC, EX, DM, LB and VS to an event table."""

import polars as pl
import pytest

from assayhouse.pk import EventTableError, UnitError, build_events


def pc(**changes):
    base = {
        "USUBJID": ["s1", "s1", "s1", "s2"],
        "PCTESTCD": ["DRUG", "DRUG", "DRUG", "DRUG"],
        "PCORRES": ["<0.05", "0.31", None, "0.5"],
        "PCSTRESN": [None, 0.31, None, 0.5],
        "PCSTRESU": ["ng/mL", "ng/mL", None, "ng/mL"],
        "PCSTAT": [None, None, "NOT DONE", None],
        "PCLLOQ": [0.05, 0.05, None, 0.05],
        "PCDTC": ["2020-01-08T08:00", "2020-01-09T10:30", "2020-01-10", "2020-02-03T08:00"],
    }
    return pl.DataFrame(base | changes, strict=False)


def ex(**changes):
    base = {
        "USUBJID": ["s1", "s2", "s3"],
        "EXDOSE": [0.3, 0.3, 0.0],
        "EXDOSU": ["mg", "mg", "mg"],
        "EXDOSFRQ": ["QD", "QD", "QD"],
        "EXSTDTC": ["2020-01-01T08:00", "2020-02-01", "2020-01-01"],
        "EXENDTC": ["2020-01-14", "2020-02-10", "2020-01-14"],
    }
    return pl.DataFrame(base | changes)


def dm():
    return pl.DataFrame(
        {
            "USUBJID": ["s1", "s2", "s3"],
            "AGE": [40, 50, 60],
            "SEX": ["F", "M", "F"],
            "RACE": ["A", "A", "B"],
            "ETHNIC": ["N", "N", "N"],
            "ARMCD": ["P", "Q", "R"],
        }
    )


def creatinine(unit="mg/dL", value=1.0):
    return pl.DataFrame(
        {
            "USUBJID": ["s1", "s1", "s2"],
            "LBTESTCD": ["CREAT"] * 3,
            "LBSTRESN": [9.0, value, value],
            "LBSTRESU": [unit] * 3,
            "LBBLFL": [None, "Y", "Y"],
        }
    )


def weight():
    return pl.DataFrame(
        {
            "USUBJID": ["s1", "s2"],
            "VSTESTCD": ["WEIGHT"] * 2,
            "VSSTRESN": [72.0, 90.0],
            "VSSTRESU": ["kg"] * 2,
        }
    )


def build(**tables):
    given = {"pc": pc(), "ex": ex(), "dm": dm(), "lb": creatinine(), "vs": weight()} | tables
    return build_events(**given, analyte="DRUG")


def test_doses_repeat_daily_until_the_last_date_and_times_are_hours_from_the_first():
    table = build()
    first = table.frame.filter(pl.col("ID") == "s1")
    assert first["TIME"].to_list() == [0.0, 168.0, 194.5]
    assert first.row(0, named=True)["ADDL"] == 13
    assert first.row(0, named=True)["II"] == 24.0
    assert first["BLQ"].to_list() == [0, 1, 0]
    assert (table.amt_unit, table.dv_unit, table.scale) == ("mg", "ng/mL", 1000.0)


def test_covariates_come_from_baseline_with_clearance_by_cockcroft_and_gault():
    row = build().frame.row(0, named=True)
    assert (row["AGE"], row["WT"], row["SEX"]) == (40.0, 72.0, "F")
    assert row["CRCL"] == pytest.approx((140 - 40) * 72 / 72 * 0.85)


def test_creatinine_in_umol_is_converted():
    row = build(lb=creatinine("umol/L", 88.4)).frame.row(0, named=True)
    assert row["CRCL"] == pytest.approx(85.0)


def test_a_record_of_one_daily_dose_still_says_how_often():
    once = ex(EXENDTC=["2020-01-01", "2020-02-01", "2020-01-01"])
    doses = build(ex=once).frame.filter(pl.col("EVID") == 1)
    assert doses["ADDL"].to_list() == [0, 0]
    assert doses["II"].to_list() == [24.0, 24.0]


def test_without_weight_there_is_no_weight_covariate():
    assert build(lb=None, vs=None).covariates == ("AGE", "RACE", "SEX", "ETHNIC")


def test_a_limit_may_be_given_where_the_file_has_none():
    table = build_events(pc().drop("PCLLOQ"), ex(), dm(), analyte="DRUG", lloq=0.1)
    assert set(table.frame.filter(pl.col("EVID") == 0)["LLOQ"]) == {0.1}
    with pytest.raises(EventTableError, match="blq_without_lloq"):
        build_events(pc().drop("PCLLOQ"), ex(), dm(), analyte="DRUG")


@pytest.mark.parametrize(
    "tables",
    [
        {"pc": pc(PCSTRESU=["ng/mL", "mg/L", None, "ng/mL"])},
        {"ex": ex(EXDOSU=["mg", "ug", "mg"])},
        {"ex": ex(EXDOSU=["TABLET"] * 3)},
        {"lb": creatinine("g/L")},
    ],
)
def test_mixed_or_unknown_units_are_refused(tables):
    with pytest.raises(UnitError):
        build(**tables)


@pytest.mark.parametrize(
    ("tables", "code"),
    [
        ({"pc": pc().drop("PCDTC")}, "missing_column"),
        ({"pc": pc(PCDTC=["x", "2020-01-09", "2020-01-10", "2020-02-03"])}, "bad_type"),
        ({"ex": ex(EXDOSFRQ=["QD", "PRN", "QD"])}, "bad_code"),
        ({"ex": ex(EXDOSE=[0.0, 0.0, 0.0])}, "no_subjects"),
        ({"pc": pc(PCTESTCD=["X"] * 4)}, "no_subjects"),
    ],
)
def test_what_cannot_be_read_is_said(tables, code):
    with pytest.raises(EventTableError) as caught:
        build(**tables)
    assert caught.value.issues[0].code == code
