"""recon.status: the union of specimens requested and delivered, in four classes."""

import pytest

from support.tables import ask, column, database, day, fill

MATCH = {"REFID": "X1", "USUBJID": "A", "VISIT": "Week 4"}


def status(requested=(), delivered=(), *, last="2018-04-30", overdue_days=14):
    connection = database()
    fill(connection, "ref.study", {"overdue_days": overdue_days})
    fill(
        connection,
        "ref.layouts",
        {"layout": "v.a", "vendor": "v", "reconciled": True},
        {"layout": "v.b", "vendor": "v", "reconciled": True},
        {"layout": "sealed.c", "vendor": "sealed", "reconciled": False},
    )
    fill(
        connection,
        "intake.receipts",
        {"receipt": 1, "received_at": "2018-03-05T02:00:00+00:00"},
        {"receipt": 2, "received_at": f"{last}T02:00:00+00:00"},
    )
    given = {"VENDOR": "v", "DTC": "2018-04-10"}
    for one in requested:
        fill(connection, "mapped.requisition", given | one)
    for one in delivered:
        named = {"vendor": "v", "BEREFID": one["REFID"]} | one
        fill(connection, "sdtm.be", {k: v for k, v in named.items() if k != "REFID"})
    return ask(connection, "recon.status").sort("vendor", "SPECREF")


def test_both_lists_are_in_it_once():
    table = status(
        [MATCH, {"REFID": "X2", "USUBJID": "A"}], [MATCH, {"REFID": "X3", "USUBJID": "B"}]
    )
    assert column(table, "SPECREF") == ["X1", "X2", "X3"]
    assert column(table, "recon_class") == ["MATCHED", "EXPECTED-MISSING", "UNEXPECTED"]
    assert column(table, "reasons") == [
        None,
        "requested, not delivered",
        "delivered, never requested",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"USUBJID": "B"}, "another subject than requested"),
        ({"VISIT": "Week 12"}, "another visit than requested"),
        ({"VISIT": None}, "another visit than requested"),
    ],
)
def test_another_subject_or_visit_is_a_mismatch(change, reason):
    (row,) = status([MATCH], [MATCH | change]).rows(named=True)
    assert (row["recon_class"], row["reasons"]) == ("MISMATCH", reason)
    assert (row["requested_usubjid"], row["requested_visit"]) == ("A", "Week 4")
    assert row["crossed_with"] is None


@pytest.mark.parametrize(
    ("last", "age", "flag"),
    [("2018-04-12", 2, "N"), ("2018-04-24", 14, "N"), ("2018-04-25", 15, "Y")],
)
def test_what_is_missing_is_overdue_after_14_days(last, age, flag):
    (row,) = status([MATCH], last=last).rows(named=True)
    assert (row["age_days"], row["overdue_fl"]) == (age, flag)
    assert row["as_of"] == day(last)


def test_the_study_says_after_how_many_days():
    assert column(status([MATCH], last="2018-04-12", overdue_days=1), "overdue_fl") == ["Y"]


def test_only_what_is_missing_has_an_age():
    table = status([MATCH], [MATCH, {"REFID": "X3", "USUBJID": "B"}])
    assert column(table, "age_days") == [None, None]
    assert column(table, "overdue_fl") == [None, None]


def test_a_crossed_pair_points_at_each_other():
    other = {"REFID": "X2", "USUBJID": "B", "VISIT": "Week 12"}
    swapped = [MATCH | {"REFID": "X2"}, other | {"REFID": "X1"}]
    table = status([MATCH, other], swapped)
    assert column(table, "recon_class") == ["MISMATCH", "MISMATCH"]
    assert column(table, "crossed_with") == ["X2", "X1"]
    assert set(column(table, "reasons")) == {"crossed over with another specimen"}


def test_two_mismatches_that_do_not_carry_each_other_are_no_exchange():
    other = {"REFID": "X2", "USUBJID": "B", "VISIT": "Week 12"}
    table = status([MATCH, other], [MATCH | {"USUBJID": "B"}, other | {"USUBJID": "C"}])
    assert column(table, "recon_class") == ["MISMATCH", "MISMATCH"]
    assert column(table, "crossed_with") == [None, None]


def test_one_accession_of_two_vendors_is_not_one_specimen():
    table = status([MATCH], [MATCH | {"vendor": "w"}])
    assert column(table, "recon_class") == ["EXPECTED-MISSING", "UNEXPECTED"]


def test_a_vendor_whose_deliveries_are_sealed_is_not_expected():
    assert status([MATCH | {"VENDOR": "sealed"}]).height == 0
