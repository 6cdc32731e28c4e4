"""Warehouse files: what they hold, what they must not hold, and what a question may do."""

from dataclasses import replace

import duckdb
import polars as pl
import pytest

from assayhouse.contracts.study import Figure
from assayhouse.contracts.table_spec import Views
from assayhouse.errors import HomeError, QueryError, WarehouseError
from assayhouse.warehouse import catalogue
from assayhouse.warehouse.catalogue import build_warehouse, published_in, query
from assayhouse.warehouse.lake import Lake

from support.small_study import LB, RAW, arms, codes, findings, results, small_lake

AT = "2026-01-0{}T12:00:00+00:00"


def publish(lake, *visible, day=1, serve_sealed=False):
    publication = lake.bind(visible=frozenset(visible), reason="night", at=AT.format(day))
    build_warehouse(lake, publication, serve_sealed=serve_sealed)
    return publication


def fill(lake):
    """Two receipts of results, one of sealed codes, a derived table on each side."""
    first = results(1, {("1", "T"): 1.0, ("2", "T"): 2.0})
    lake.append_receipt(RAW, [first], receipt=1)
    lake.append_receipt(RAW, [results(2, {("2", "T"): 22.0}, action="CHANGED")], receipt=2)
    lake.append_receipt("raw.irt_rand", [codes(3, {"1": "SECRETARM"})], receipt=3)
    lake.publish("ref.arms", arms("A one"))
    seen = {RAW: lake.visible_hash(RAW, frozenset({1, 2}))}
    lake.publish(LB, findings({("S-1", 1): 1.0}), inputs=seen)
    frame = pl.DataFrame({"USUBJID": ["1"], "ARMCD": ["SECRETARM"]})
    inputs = {
        "raw.irt_rand": lake.visible_hash("raw.irt_rand", frozenset({3})),
        "ref.arms": lake.head("ref.arms").content_hash,
    }
    lake.publish("adam.arms", frame, inputs=inputs)
    for side in ("open", "sealed"):
        kept = pl.DataFrame({"receipt": [1], "source_line": [2], "text": [f"RAWTEXT {side}"]})
        lake.publish("intake.kept", kept, side=side)
    return lake


@pytest.fixture
def lake(tmp_path):
    return fill(small_lake(tmp_path))


@pytest.fixture
def served(lake):
    publish(lake, 1, 2, 3)
    return lake.home


def relations(home, **options):
    sql = (
        "select table_schema || '.' || table_name as name from information_schema.tables "
        "where table_schema not in ('main') order by 1"
    )
    return set(query(home, sql, **options)["name"])


def test_the_open_file_holds_open_relations_and_no_trace_of_sealed_ones(served):
    names = relations(served)
    assert {"raw.lab_res", "history.lab_res", "sdtm.lb", "ref.arms", "intake.kept"} <= names
    assert not names & {"raw.irt_rand", "history.irt_rand", "adam.arms"}
    content = served.warehouse_file("open").read_bytes()
    assert b"SECRETARM" not in content
    assert b"RAWTEXT sealed" not in content
    assert b"RAWTEXT open" in content


def test_the_sealed_file_holds_everything(served):
    assert {"raw.irt_rand", "adam.arms", "sdtm.lb"} <= relations(served, sealed=True)
    found = query(served, "select text from intake.kept order by 1", sealed=True)
    assert found["text"].to_list() == ["RAWTEXT open", "RAWTEXT sealed"]
    assert query(served, "select ARMCD from adam.arms", sealed=True).item() == "SECRETARM"


def test_after_the_unblinding_the_open_file_holds_everything_too(lake):
    publish(lake, 1, 2, 3, serve_sealed=True)
    assert relations(lake.home) == relations(lake.home, sealed=True)
    assert query(lake.home, "select ARMCD from adam.arms").item() == "SECRETARM"
    assert published_in(lake.home, "open") == (1, True)
    assert query(lake.home, "select ARMCD from adam.arms", as_of=1).item() == "SECRETARM"


def test_going_back_behind_the_seal_leaves_no_trace(lake):
    publication = publish(lake, 1, 2, 3, serve_sealed=True)
    build_warehouse(lake, publication, serve_sealed=False)
    assert b"SECRETARM" not in lake.home.warehouse_file("open").read_bytes()
    assert published_in(lake.home, "open") == (1, False)


def test_current_records_and_their_history_are_tables(served):
    found = query(served, f"select SUBJID, VALUE_number from {RAW} order by 1")
    assert found.rows() == [("1", 1.0), ("2", 22.0)]
    found = query(served, "select SUBJID, receipt, replaced_by from history.lab_res order by 1, 2")
    assert found.rows() == [("1", 1, None), ("2", 1, 2), ("2", 2, None)]


def test_every_column_says_its_label_and_unit(served):
    sql = "select table_name, column_name, comment from duckdb_columns() where not internal"
    without = [row[:2] for row in query(served, sql, sealed=True).rows() if not row[2]]
    assert without == []
    sql = (
        "select comment from duckdb_columns() where table_name = 'counts' and column_name = 'mean'"
    )
    assert query(served, sql).item() == "Label of mean [mg]"


def test_meta_says_which_publication_and_which_tables_are_held(served):
    found = query(served, "select * from meta.publication").row(0, named=True)
    assert (found["number"], found["at"], found["receipts"]) == (1, AT.format(1), 3)
    assert found["serves_sealed"] is False
    held = query(served, "select relation, side, version, rows from meta.relations order by 1, 2")
    assert held.rows() == [
        ("intake.kept", "open", 0, 1),
        (RAW, "open", 1, 3),
        ("ref.arms", "open", 0, 1),
        (LB, "open", 0, 1),
    ]
    sealed = query(served, "select relation from meta.relations where side = 'sealed'", sealed=True)
    assert set(sealed["relation"]) == {"adam.arms", "intake.kept", "raw.irt_rand"}


def test_active_relations_without_a_version_are_empty_tables(served):
    assert query(served, "select * from adam.counts").columns == ["USUBJID", "n", "mean"]


def test_a_former_publication_is_asked_by_number_and_time(lake):
    publish(lake, 1, 2, 3, day=1)
    lake.append_receipt(RAW, [results(5, {("1", "T"): 111.0}, action="CHANGED")], receipt=5)
    seen = {RAW: lake.visible_hash(RAW, frozenset({1, 2, 5}))}
    lake.publish(LB, findings({("S-1", 1): 111.0}), inputs=seen)
    publish(lake, 1, 2, 3, 5, day=3)
    sql = f"select max(VALUE_number) as v from {RAW}"
    assert query(lake.home, sql).item() == 111.0
    assert query(lake.home, sql, as_of=1).item() == 22.0
    assert query(lake.home, sql, as_of="2026-01-02").item() == 22.0
    assert query(lake.home, sql, as_of="2026-01-03").item() == 111.0
    assert query(lake.home, "select LBSTRESN from sdtm.lb", as_of=1).item() == 1.0
    assert query(lake.home, "select number from meta.publication", as_of=1).item() == 1
    with pytest.raises(WarehouseError, match="no publication as of"):
        query(lake.home, sql, as_of=3)


def test_the_past_of_the_sealed_side_is_sealed(served):
    with pytest.raises(QueryError, match="irt_rand"):
        query(served, "select * from raw.irt_rand", as_of=1)
    assert query(served, "select ARMCD from raw.irt_rand", as_of=1, sealed=True).height == 1
    kept = query(served, "select text from intake.kept", as_of=1)
    assert kept["text"].to_list() == ["RAWTEXT open"]


WRITES = [
    "create table ref.more (a int)",
    "create temp table more as select 1",
    "insert into ref.arms values ('B', 'two')",
    "delete from ref.arms",
    "drop table ref.arms",
    "copy ref.arms to 'stolen.csv'",
    "copy (pivot ref.arms on ARMCD using count(*)) to 'stolen.csv'",
    "explain analyze copy ref.arms to 'stolen.csv'",
    "attach 'other.duckdb'",
    "set enable_external_access = true",
    "install httpfs",
    "export database 'stolen'",
    "checkpoint",
    "select 1; drop table ref.arms",
    "",
    "-- nothing",
]


@pytest.mark.parametrize("sql", WRITES)
@pytest.mark.parametrize("as_of", [None, 1])
def test_a_question_only_reads(served, tmp_path, monkeypatch, sql, as_of):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QueryError):
        query(served, sql, as_of=as_of)
    assert not list(tmp_path.glob("stolen*"))
    assert query(served, "select count(*) from ref.arms", as_of=as_of).item() == 1


@pytest.mark.parametrize("as_of", [None, 1])
def test_a_question_reads_no_other_file(served, tmp_path, as_of):
    (tmp_path / "other.csv").write_text("a\n1\n")
    (sealed,) = (served.root / "sealed" / "lake" / "adam" / "arms").glob("*.parquet")
    for path in (tmp_path / "other.csv", sealed, served.warehouse_file("sealed")):
        for function in ("read_csv", "read_parquet", "read_text", "read_blob", "glob"):
            sql = f"select * from {function}('{path}')"
            with pytest.raises(QueryError, match=r"Permission|[Dd]oes not exist|disabled"):
                query(served, sql, as_of=as_of)
        with pytest.raises(QueryError):
            query(served, f"select * from '{path}'", as_of=as_of)


@pytest.mark.parametrize("as_of", [None, 1])
@pytest.mark.parametrize(
    "sql",
    [
        "with a as (select 1 as x) select * from a",
        "from ref.arms",
        "describe ref.arms",
        "summarize ref.arms",
        "show all tables",
        "values (1)",
    ],
)
def test_every_form_of_reading_is_answered(served, sql, as_of):
    assert query(served, sql, as_of=as_of).height


def test_an_error_says_what_is_wrong_with_the_question(served):
    with pytest.raises(QueryError, match=r"query: .*armz"):
        query(served, "select * from ref.armz")
    with pytest.raises(QueryError, match="syntax error"):
        query(served, "selct 1")


def test_an_error_tells_no_value(served):
    with pytest.raises(QueryError, match="Could not convert string") as caught:
        query(served, "select ARM::integer from ref.arms")
    assert "A one" not in str(caught.value)


def test_there_is_no_answer_before_the_first_publication(tmp_path):
    home = small_lake(tmp_path).home
    assert published_in(home, "open") is None
    with pytest.raises(QueryError, match="no warehouse yet"):
        query(home, "select 1")
    with pytest.raises(HomeError, match="no home here"):
        query(type(home)(tmp_path / "nothing"), "select 1")


def test_a_file_that_is_no_warehouse_holds_no_publication(served):
    served.warehouse_file("open").write_bytes(b"not a database")
    assert published_in(served, "open") is None


def test_a_reader_that_holds_the_former_file_goes_on(lake):
    publish(lake, 1, 2, 3)
    with duckdb.connect(str(lake.home.warehouse_file("open")), read_only=True) as reader:
        lake.publish("ref.arms", arms("A one", "B two"))
        frame = pl.DataFrame({"USUBJID": ["1"], "ARMCD": ["SECRETARM"]})
        inputs = {
            "raw.irt_rand": lake.visible_hash("raw.irt_rand", frozenset({3})),
            "ref.arms": lake.head("ref.arms").content_hash,
        }
        lake.publish("adam.arms", frame, inputs=inputs)
        publish(lake, 1, 2, 3, day=2)
        assert reader.sql("select count(*) from ref.arms").fetchall() == [(1,)]
    assert query(lake.home, "select count(*) from ref.arms").item() == 2


def test_a_build_that_fails_leaves_the_former_files(lake, monkeypatch):
    publish(lake, 1, 2, 3)
    before = [lake.home.warehouse_file(side).read_bytes() for side in ("open", "sealed")]

    def broken(*_arguments, **_options):
        raise duckdb.IOException

    monkeypatch.setattr(catalogue.tables, "describe", broken)
    with pytest.raises(WarehouseError, match="former one stays"):
        publish(lake, 1, 2, 3)
    assert before == [lake.home.warehouse_file(side).read_bytes() for side in ("open", "sealed")]


def test_what_a_killed_build_left_is_built_over(lake):
    for side in ("open", "sealed"):
        path = lake.home.warehouse_file(side)
        path.with_name("warehouse.duckdb.new").write_bytes(b"half a file")
        path.with_name("warehouse.duckdb.new.wal").write_bytes(b"half a log")
    publish(lake, 1, 2, 3)
    assert query(lake.home, "select count(*) from ref.arms").item() == 1
    assert not list(lake.home.root.rglob("*.new*"))


def test_only_the_owner_reads_the_sealed_file(served):
    assert served.warehouse_file("sealed").parent.stat().st_mode & 0o077 == 0


def test_a_file_can_be_copied_away_and_read_alone(served, tmp_path):
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(served.warehouse_file("open").read_bytes())
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.sql(f"select count(*) from {RAW}").fetchall() == [(2,)]


def with_views(lake):
    """The small study with a figure whose values stand in a sealed relation's column."""
    declared = dict(lake.declarations.declared_tables)
    shown = Views(of="figures", by="ARMCD", columns={"plain": ("USUBJID",)})
    declared["adam.arms"] = replace(declared["adam.arms"], views=shown)
    drawn = (
        Figure(figure_id="SECRETARM", kind="plain", title="Who's who", parameters=()),
        Figure(figure_id="none", kind="other", title="Nobody", parameters=()),
    )
    study = replace(lake.declarations.study, figures=drawn)
    return Lake(lake.home, replace(lake.declarations, declared_tables=declared, study=study))


def test_a_declared_figure_is_a_view_of_its_rows_with_title_and_comments(lake):
    lake = with_views(lake)
    publish(lake, 1, 2, 3)
    assert query(lake.home, "from figures.SECRETARM", sealed=True).rows() == [("1",)]
    assert query(lake.home, "from figures.none", sealed=True).columns == ["USUBJID", "ARMCD"]
    told = query(
        lake.home,
        "select v.comment, c.comment from duckdb_views() as v join duckdb_columns() as c "
        "on v.view_name = c.table_name and v.schema_name = c.schema_name "
        "where v.view_name = 'SECRETARM'",
        sealed=True,
    )
    assert told.rows() == [("Who's who: one row per USUBJID", "Label of USUBJID")]


def test_a_view_of_what_is_sealed_is_not_in_the_open_file(lake):
    lake = with_views(lake)
    publish(lake, 1, 2, 3)
    assert not {name for name in relations(lake.home) if name.startswith("figures.")}
    publish(lake, 1, 2, 3, serve_sealed=True)
    assert "figures.SECRETARM" in relations(lake.home)
