"""One file, one SELECT, one relation: the grain is held, and errors name the file."""

import duckdb
import pytest

from assayhouse.errors import DeclarationError, QueryError
from assayhouse.warehouse import session, sql

from support.small_study import LB, findings, small_lake


@pytest.fixture
def lake(tmp_path):
    return small_lake(tmp_path)


def build(lake, text=None, relation="adam.counts"):
    if text is not None:
        lake.declarations.sql_path(relation).write_text(text)
    with lake.connect(visible=frozenset(), sealed=True) as connection:
        return sql.build(connection, lake.declarations, relation)


def test_a_relation_is_what_its_file_selects(lake):
    lake.publish(LB, findings({("S", 1): 1.0, ("S", 2): 2.0, ("T", 1): None}))
    assert build(lake).sort("USUBJID").rows() == [("S", 2, 1.5), ("T", 1, None)]


def test_the_result_is_in_contract_order_and_types(lake):
    found = build(lake, "select 1::tinyint as mean, 2::utinyint as n, 'S' as USUBJID, 'x' as more")
    assert found.schema == lake.spec("adam.counts").polars_schema
    assert found.row(0) == ("S", 2, 1.0)


def test_a_repeated_key_is_told_with_the_grain_and_no_value(lake):
    text = "select 'VALUE' as USUBJID, 1 as n, 1.0 as mean union all select 'VALUE', 2, 2.0"
    with pytest.raises(QueryError, match=r"one row per USUBJID, but 1 of 2 rows") as caught:
        build(lake, text)
    assert "VALUE" not in str(caught.value)
    assert "counts.sql" in str(caught.value)


def test_an_empty_key_is_told(lake):
    with pytest.raises(QueryError, match="empty in some rows: USUBJID"):
        build(lake, "select null as USUBJID, 1 as n, 1.0 as mean")


@pytest.mark.parametrize(
    "text", ["select 1; select 2", "create table x as select 1", "-- nothing", "drop view sdtm.lb"]
)
def test_a_file_is_one_select(lake, text):
    with pytest.raises(QueryError, match="exactly one statement"):
        build(lake, text)


def test_a_query_that_does_not_run_is_told_with_its_file_and_why(lake):
    with pytest.raises(QueryError, match=r"counts\.sql: .*no_such") as caught:
        build(lake, "select no_such from sdtm.lb")
    assert caught.value.__cause__ is None


def test_a_lacking_column_is_told(lake):
    with pytest.raises(DeclarationError, match="lacks the declared column n, mean"):
        build(lake, "select 'S' as USUBJID")


def test_a_relation_without_a_file_is_told(lake):
    with pytest.raises(QueryError, match=r"ref\.arms has no file in sql/"):
        build(lake, relation="ref.arms")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("select 'Smith-3'::integer", "Smith-3"),
        ("select '2020-99-77'::date", "2020-99-77"),
        ("select 12345678901::integer", "12345678901"),
        ("select strptime('Jones 7', '%Y')", "Jones 7"),
        ("select error('x') from (select 1)", "nothing"),
        ("select cast('19.75.3' as decimal(4, 2))", "19.75.3"),
    ],
)
def test_messages_about_values_do_not_hold_them(text, hidden):
    literal = text.split("'")[1] if "'" in text else hidden
    with duckdb.connect() as connection:
        connection.execute("create table t as select ? as v", [literal])
        asked = text.replace(f"'{literal}'", "v").replace("select 12345678901", "select v::bigint")
        if "from" not in asked:
            asked += " from t"
        with pytest.raises(QueryError) as caught, session.asked("here"):
            connection.sql(asked).fetchall()
    assert hidden not in str(caught.value)
    assert str(caught.value).startswith("here: ")


def test_messages_about_names_keep_them():
    with pytest.raises(QueryError, match="no_such_table"), session.asked("here"):
        duckdb.sql("select * from no_such_table")


@pytest.mark.parametrize(
    "call", ["error(who)", "strptime(who, '%Y')", "regexp_extract('a', who || '(')"]
)
def test_a_function_that_refuses_a_value_does_not_tell_it(call):
    connection = duckdb.connect()
    connection.execute("create table people as select 'S-ANNA' as who")
    with pytest.raises(QueryError) as caught, session.asked("query"):
        connection.execute(f"select {call} from people").fetchall()
    assert "ANNA" not in str(caught.value)
    assert "not shown" in str(caught.value)
