"""Commands on a home: questions read and never leak, the record is shown and checked."""

import duckdb
import pytest

from assayhouse import cli
from assayhouse.intake.receipt import Receipt, Register
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.home import Home

AT = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("ASSAYHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ASSAYHOUSE_USER", "tester")
    monkeypatch.delenv("ASSAYHOUSE_STUDY", raising=False)
    home = Home(tmp_path / "home")
    home.create()
    for side in ("open", "sealed"):
        with duckdb.connect(str(home.warehouse_file(side))) as connection:
            connection.execute(f"create table side as select '{side}' as side")
    return home


def test_a_question_is_answered_from_the_open_side_unless_the_sealed_is_asked(home, capsys):
    assert cli.main(["sql", "select side from side", "--format", "csv"]) == 0
    assert cli.main(["sql", "select side from side", "--format", "csv", "--sealed"]) == 0
    assert capsys.readouterr().out == "side\nopen\nside\nsealed\n"
    assert home.root.is_dir()


@pytest.mark.parametrize(
    "question",
    [
        "select * from read_text('{sealed}')",
        "select * from '{sealed}'",
        "attach '{sealed}' as other",
        "copy (select 1) to '{out}'",
        "create table more as select 1",
        "drop table side",
        "insert into side values ('x')",
        "select 1; attach '{sealed}' as other",
        "select * from read_csv('/etc/hostname')",
        "load httpfs",
        "selec 1",
    ],
)
def test_a_question_cannot_write_nor_reach_another_file(home, capsys, tmp_path, question):
    out = tmp_path / "out.csv"
    asked = question.format(sealed=home.warehouse_file("sealed"), out=out)
    assert cli.main(["sql", asked]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("assayhouse: ")
    assert told.err.count("\n") == 1
    assert not out.exists()


def arrived(home):
    register = Register(AuditLog(home.audit_file))
    receipt = Receipt(
        number=0,
        vendor="edc",
        layout="edc.dm",
        file_name="dm.csv",
        sha256="a" * 64,
        bytes=10,
        side="open",
        received_at="",
    )
    (numbered,) = register.arrive((receipt,), at=AT, who="tester")
    register.record(numbered.number, "REJECTED", why="empty", at=AT, who="tester")


def test_status_lists_deliveries_with_their_state(home, capsys):
    assert cli.main(["status"]) == 0
    assert "no delivery yet" in capsys.readouterr().out
    arrived(home)
    assert cli.main(["status"]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("edc.dm", "REJECTED", "dm.csv", "accepted", "balanced"))


def test_the_audit_chain_is_checked_row_by_row(home, capsys):
    arrived(home)
    assert cli.main(["audit", "verify"]) == 0
    path = home.audit_file
    path.write_text(path.read_text().replace("empty", "emptY"))
    assert cli.main(["audit", "verify"]) == 1
    assert "broken at row" in capsys.readouterr().out


@pytest.mark.parametrize("question", ["show tables", "SHOW TABLES;"])
def test_tables_of_every_schema_are_listed(home, capsys, question):
    with duckdb.connect(str(home.warehouse_file("open"))) as connection:
        connection.execute("create schema adam; create view adam.adsl as select 1 as one")
    assert cli.main(["sql", question, "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["adam,adsl,", "main,side,"]


def test_a_damaged_warehouse_is_told_with_what_builds_it_anew(home, capsys):
    home.warehouse_file("open").write_bytes(b"no warehouse")
    assert cli.main(["sql", "select 1"]) == 2
    told = capsys.readouterr().err
    assert "is damaged" in told
    assert "`assayhouse run` builds it anew" in told


def test_what_stays_in_landing_is_told_with_the_reason(home, capsys):
    folder = home.landing / "singulex"
    folder.mkdir()
    for number in range(12):
        (folder / f"nobody-{number:02d}.csv").write_text("x")
    (home.landing / "stray.csv").write_text("x")
    assert cli.main(["status"]) == 0
    told = capsys.readouterr().out
    assert "landing/stray.csv: it lies in no vendor's folder" in told
    assert "landing/singulex/nobody-00.csv: its name fits no layout" in told
    assert "and 3 more files" in told
    assert "new-vendor.md" in told
    (folder / "nobody-00.csv").unlink()


def test_a_held_delivery_is_told_with_both_commands(home, capsys):
    register = Register(AuditLog(home.audit_file))
    (item,) = register.arrive(
        [
            Receipt(
                number=0, vendor="singulex", layout="singulex.results", file_name="a.csv",
                sha256="0" * 64, bytes=1, side="open", received_at="", manifest=None, marks=(),
            )
        ],
        at=AT, who="tester",
    )  # fmt: skip
    register.record(item.number, "HELD", why="12 % of the records vanished", at=AT, who="tester")
    assert cli.main(["status"]) == 0
    told = capsys.readouterr().out
    assert f"{item.number} is HELD: 12 % of the records vanished" in told
    assert f"assayhouse approve {item.number} --reason TEXT" in told
    assert f"assayhouse refuse {item.number} --reason TEXT" in told
