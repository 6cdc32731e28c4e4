"""Commands on a home: questions read and never leak, the record is shown and checked."""

import re
from dataclasses import replace

import duckdb
import pytest

from assayhouse import cli
from assayhouse.contracts import declarations
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


def test_show_tables_lists_every_schema_and_table(home, capsys):
    with duckdb.connect(str(home.warehouse_file("open"))) as connection:
        connection.execute("create schema adam")
        connection.execute("create table adam.adbm as select 1 as a")
        connection.execute("comment on table adam.adbm is 'Biomarkers'")
        connection.execute("create schema wide")
        for number in range(60):
            connection.execute(f"create view wide.v{number:02d} as select 1 as a")
    assert cli.main(["sql", "show tables", "--format", "csv"]) == 0
    first, *rows = capsys.readouterr().out.splitlines()
    assert (first, rows[0], len(rows)) == ("schema,name,label", "adam,adbm,Biomarkers", 62)
    assert cli.main(["sql", " SHOW  Tables; "]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("adbm", "v00", "v59"))
    assert "rows, the first" not in told


@pytest.mark.parametrize("size", [0, 100, 5000, -4096])
def test_a_damaged_warehouse_file_says_what_to_do(home, capsys, size):
    path = home.warehouse_file("open")
    content = path.read_bytes()
    path.write_bytes(content[:size])
    assert cli.main(["sql", "select side from side"]) == 2
    told = capsys.readouterr().err
    assert all(word in told for word in (str(path), "damaged", "remove the file", "assayhouse run"))
    assert "Error" not in told
    path.unlink()
    path.write_bytes(content)
    assert cli.main(["sql", "select side from nowhere"]) == 2
    assert "damaged" not in capsys.readouterr().err


def test_status_tells_the_next_step_of_every_held_delivery(home, capsys):
    arrived(home)
    register = Register(AuditLog(home.audit_file))
    base = register.receipt(1)
    for digest in "bcd":
        (item,) = register.arrive((replace(base, sha256=digest * 64),), at=AT, who="tester")
        state = "PUBLISHED" if digest == "c" else "HELD"
        register.record(item.number, state, why=f"reason {digest}", at=AT, who="tester")
    assert cli.main(["status"]) == 0
    told = capsys.readouterr().out
    assert "2 edc.dm is HELD: reason b" in told
    assert "4 edc.dm is HELD: reason d" in told
    for number in (2, 4):
        assert f"from intake.deltas where receipt = {number}" in told
        assert f"assayhouse refuse {number} --reason" in told
    assert "assayhouse approve 4 --reason" in told
    assert "approve 2" not in told
    assert "delivery 3 was published since" in told
    assert "1 REJECTED; why: assayhouse sql" in told


def test_status_tells_what_lies_in_landing_and_is_not_taken_in(home, capsys):
    name = "DEMO-SLE-01_edc-dm_T001_20190304.csv"
    assert re.search(declarations.load().layouts["edc.dm"].file_pattern, name)
    for place in (f"edc/{name}", "edc/notes.txt", "edc/other.txt", "edc/old/deep.csv", "loose.csv"):
        path = home.landing / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (home.landing / ".hidden").write_text("x")
    assert cli.main(["status"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("landing")]
    assert len(told) == 4
    assert all(re.search(r" since 20\d\d-\d\d-\d\dT\d\d:\d\d\+00:00: ", line) for line in told)
    text = "\n".join(told)
    assert "landing/edc: 1 file waits since" in text
    assert f"{name}: its manifest has not come yet. Put its manifest" in text
    assert "2 files wait" in text
    assert "notes.txt, other.txt: its name fits no layout" in text
    assert "landing/edc/old: 1 file waits" in text
    assert "loose.csv: only files directly in a vendor's folder are taken in" in text
    assert ".hidden" not in text


def test_the_usage_of_audit_is_what_can_be_typed(capsys):
    for words in (["audit"], ["audit", "verify", "more"]):
        with pytest.raises(SystemExit):
            cli.main(words)
        told = capsys.readouterr().err
        assert "..." not in told.split("COMMAND", 1)[0]
    with pytest.raises(SystemExit):
        cli.main(["audit", "verify", "--help"])
    assert capsys.readouterr().out.startswith("usage: assayhouse audit verify [-h]")
