"""Views of a connection: current and earlier records, shapes, findings, sides, pinned versions."""

import duckdb
import polars as pl
import pytest

from assayhouse.contracts.vendor_file import Mapping
from assayhouse.errors import DeclarationError, WarehouseError
from assayhouse.warehouse import views

from support.small_study import LB, RAW, arms, codes, findings, results, small_lake


@pytest.fixture
def lake(tmp_path):
    return small_lake(tmp_path)


def ask(lake, sql, *visible, **options):
    with lake.connect(visible=frozenset(visible), **options) as connection:
        return connection.sql(sql).fetchall()


@pytest.fixture
def chained(lake):
    """Receipt 1 brings a, b, c; 3 corrects b; 5 drops c, corrects b again and adds d."""
    base = {("a", "T"): 1.0, ("b", "T"): 2.0, ("c", "T"): 3.0}
    lake.append_receipt(RAW, [results(1, base)], receipt=1)
    lake.append_receipt(RAW, [results(3, {("b", "T"): 20.0}, action="CHANGED")], receipt=3)
    fifth = [
        results(5, {("b", "T"): 200.0}, action="CHANGED"),
        results(5, {("d", "T"): 4.0}, first_line=3),
        results(5, {("c", "T"): 3.0}, action="VANISHED", first_line=4),
    ]
    lake.append_receipt(RAW, fifth, receipt=5)
    return lake


CURRENT = f"select SUBJID, VALUE_number, receipt from {RAW} order by 1"


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ((), []),
        ((1,), [("a", 1.0, 1), ("b", 2.0, 1), ("c", 3.0, 1)]),
        ((1, 3), [("a", 1.0, 1), ("b", 20.0, 3), ("c", 3.0, 1)]),
        ((1, 3, 5), [("a", 1.0, 1), ("b", 200.0, 5), ("d", 4.0, 5)]),
        ((1, 5), [("a", 1.0, 1), ("b", 200.0, 5), ("d", 4.0, 5)]),
        ((3,), [("b", 20.0, 3)]),
        ((5,), [("b", 200.0, 5), ("d", 4.0, 5)]),
        ((9,), []),
    ],
)
def test_the_latest_visible_version_of_each_record_is_current(chained, visible, expected):
    assert ask(chained, CURRENT, *visible) == expected


def test_a_vanished_record_that_comes_back_is_current_again(chained):
    chained.append_receipt(RAW, [results(7, {("c", "T"): 3.5})], receipt=7)
    assert ("c", 3.5, 7) in ask(chained, CURRENT, 1, 3, 5, 7)


def test_records_with_an_empty_key_column_are_chained_too(lake):
    lake.append_receipt(RAW, [results(1, {(None, "T"): 1.0, ("", "T"): 2.0})], receipt=1)
    lake.append_receipt(RAW, [results(2, {(None, "T"): 9.0}, action="CHANGED")], receipt=2)
    assert ask(lake, f"select SUBJID, VALUE_number from {RAW} order by 2", 1, 2) == [
        ("", 2.0),
        (None, 9.0),
    ]


def test_history_says_which_receipt_replaced_a_version(chained):
    found = ask(
        chained,
        "select SUBJID, receipt, replaced_by from history.lab_res order by 1, 2",
        *(1, 3, 5),
    )
    assert found == [
        ("a", 1, None),
        ("b", 1, 3),
        ("b", 3, 5),
        ("b", 5, None),
        ("c", 1, 5),
        ("c", 5, None),
        ("d", 5, None),
    ]


def test_history_of_fewer_receipts_knows_nothing_of_later_ones(chained):
    found = ask(chained, "select SUBJID, receipt, replaced_by from history.lab_res", 1)
    assert {row[2] for row in found} == {None}


def test_tables_without_a_version_and_inactive_relations_are_empty_views(lake):
    for spec in lake.declarations.declared_tables.values():
        with lake.connect(visible=frozenset(), sealed=True) as connection:
            found = connection.sql(f"select * from {spec.relation}").pl()
        assert found.columns == list(spec.columns)
        assert found.schema == spec.polars_schema
        assert found.height == 0


def test_a_sealed_relation_is_not_there_on_the_open_side(lake):
    lake.append_receipt("raw.irt_rand", [codes(1, {"1": "A"})], receipt=1)
    with lake.connect(visible=frozenset({1})) as connection:
        for name in ("raw.irt_rand", "history.irt_rand", "adam.arms"):
            with pytest.raises(duckdb.CatalogException):
                connection.sql(f"select * from {name}").fetchall()
    assert ask(lake, "select ARMCD from raw.irt_rand", 1, sealed=True) == [("A",)]


def test_an_open_study_has_nothing_sealed(tmp_path):
    lake = small_lake(tmp_path, blinding="none")
    assert lake.append_receipt("raw.irt_rand", [codes(1, {"1": "A"})], receipt=1).side == "open"
    assert ask(lake, "select ARMCD from raw.irt_rand", 1) == [("A",)]


def test_both_sides_of_a_split_relation_are_one_on_the_sealed_side(lake):
    for side, line in (("open", 2), ("sealed", 3)):
        frame = pl.DataFrame({"receipt": [1], "source_line": [line], "text": [side]})
        lake.publish("intake.kept", frame, side=side)
    sql = "select text from intake.kept order by 1"
    assert ask(lake, sql) == [("open",)]
    assert ask(lake, sql, sealed=True) == [("open",), ("sealed",)]


def test_layouts_are_mapped_to_a_shape_with_their_source(lake):
    values = {("1", "T"): 1.5, ("2", "SKIP"): 9.0, ("3", "T"): None}
    lake.append_receipt(RAW, [results(1, values)], receipt=1)
    with lake.connect(visible=frozenset({1})) as connection:
        found = connection.sql("select * from mapped.lb order by source_line").pl()
    assert found.columns == [
        *("USUBJID", "TESTCD", "STRESN", "VISIT", "EXTRA"),
        *("layout", "source_file", "source_line", "sha256", "receipt"),
    ]
    assert found["USUBJID"].to_list() == ["S-1", "S-3"]
    assert found["STRESN"].to_list() == [1.5, None]
    assert found["STRESN"].dtype == pl.Float64
    assert found["EXTRA"].null_count() == 2
    assert found["layout"].unique().to_list() == ["lab.res"]
    assert found["source_line"].to_list() == [2, 4]


def test_only_current_records_are_mapped(chained):
    found = ask(chained, "select USUBJID, STRESN from mapped.lb order by 1", 1, 3, 5)
    assert found == [("S-a", 1.0), ("S-b", 200.0), ("S-d", 4.0)]


def test_a_shape_no_layout_maps_to_is_empty_with_its_columns(lake):
    with lake.connect(visible=frozenset()) as connection:
        found = connection.sql("select * from mapped.vs").pl()
    assert found.height == 0
    assert found.columns[:2] == ["USUBJID", "TESTCD"]


def test_a_mapping_to_a_column_the_shape_lacks_is_told(lake):
    layout = lake.declarations.layouts["lab.res"]
    wrong = Mapping(relation="lb", columns={"USUBJID": "SUBJID", "STRAY": "TEST"})
    with pytest.raises(DeclarationError, match="gives STRAY"):
        views._one_mapping(layout, wrong, views.shapes(lake.declarations)["lb"])


def test_an_expression_that_does_not_parse_is_told_with_the_home(lake):
    layout = lake.declarations.layouts["lab.res"]
    layout.maps_to[0].columns["VISIT"] = "no_such_column"
    try:
        with pytest.raises(WarehouseError, match="no_such_column"):
            lake.connect(visible=frozenset())
    finally:
        del layout.maps_to[0].columns["VISIT"]


def test_findings_lose_their_domains_letters_and_keep_the_domain(lake):
    lake.publish(LB, findings({("S", 1): 1.5}))
    with lake.connect(visible=frozenset()) as connection:
        found = connection.sql("select * from findings").pl()
    assert found.columns == [
        *("domain", "USUBJID", "SEQ", "TESTCD", "STRESN", "VISIT", "receipt", "EXTRA"),
    ]
    assert found.row(0) == ("LB", "S", 1, "T", 1.5, None, 1, None)
    assert found.schema["STRESN"] == pl.Float64


def test_a_connection_does_not_see_later_commits(lake):
    lake.publish("ref.arms", arms("A one"))
    with lake.connect(visible=frozenset()) as connection:
        lake.publish("ref.arms", arms("A two"))
        assert connection.sql("select ARM from ref.arms").fetchall() == [("A one",)]


def test_a_publication_pins_what_its_connection_shows(chained):
    chained.publish("ref.arms", arms("A one"))
    former = chained.bind(visible=frozenset({1, 3}), reason="r", at="2026-01-01T00:00:00Z")
    chained.publish("ref.arms", arms("A two"))
    chained.append_receipt(RAW, [results(7, {("a", "T"): 70.0}, action="CHANGED")], receipt=7)
    seen = frozenset(former.visible)
    assert ask(chained, "select ARM from ref.arms", *seen, publication=former) == [("A one",)]
    assert ask(chained, CURRENT, *seen, publication=former)[0] == ("a", 1.0, 1)


def test_a_relation_newer_than_the_publication_is_empty_in_it(lake):
    former = lake.bind(visible=frozenset(), reason="r", at="2026-01-01T00:00:00Z")
    lake.publish("ref.arms", arms("A one"))
    assert ask(lake, "select * from ref.arms", publication=former) == []


def test_a_connection_has_settings_that_make_sums_repeatable(lake):
    found = ask(
        lake,
        "select current_setting('threads'), current_setting('TimeZone'), "
        "current_setting('temp_directory')",
    )
    threads, zone, temporary = found[0]
    assert (threads, zone) == (1, "UTC")
    assert temporary.startswith(str(lake.home.root / "draft"))


def test_a_sealed_connection_spills_to_the_sealed_side_only(lake):
    ((temporary,),) = ask(lake, "select current_setting('temp_directory')", sealed=True)
    assert temporary.startswith(str(lake.home.root / "sealed"))


@pytest.mark.parametrize("name", ['a"b', "a'b", "a b"])
def test_names_and_texts_are_quoted_as_sql_needs_it(name):
    sql = f"select {views.quoted(name)} as {views.named(name)}"
    found = duckdb.sql(sql).pl()
    assert found.columns == [name]
    assert found.item() == name


def test_names_are_tables_never_variables_of_the_program(lake):
    hidden = pl.DataFrame({"a": [1]})
    with (
        lake.connect(visible=frozenset()) as connection,
        pytest.raises(duckdb.CatalogException),
    ):
        connection.sql("select * from hidden").fetchall()
    assert hidden.height == 1
