"""What every DuckDB connection has."""

from assayhouse.warehouse.session import in_memory, read_only


def settings(connection):
    asked = "select current_setting('TimeZone'), current_setting('enable_progress_bar')"
    return connection.execute(asked).fetchone()


def test_times_are_utc_and_nothing_is_printed_while_a_question_runs(tmp_path):
    """Where a program has no file, DuckDB would draw a bar into what the program prints."""
    with in_memory(tmp_path / "spill") as connection:
        assert settings(connection) == ("UTC", False)
        connection.execute(f"attach '{tmp_path}/a.duckdb'")
    with read_only(tmp_path / "a.duckdb") as connection:
        assert settings(connection) == ("UTC", False)
