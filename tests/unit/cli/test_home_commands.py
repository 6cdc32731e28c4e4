"""Commands on a home: questions read and never leak, the record is shown and checked."""

import sys
from types import SimpleNamespace

import duckdb
import polars as pl
import pytest
import yaml

from assayhouse import cli
from assayhouse.commands import effects as effects_command
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


def engine(monkeypatch, status):
    spec = SimpleNamespace(strata=("STRATA1",), subgroups=(), to_dict=lambda: {"reference": "PBO"})
    seen = {}

    def run_effects(long, given, *, tell):
        tell("CRP", 1, 1)
        seen.update(long=long, spec=given)
        return pl.DataFrame({"paramcd": ["CRP"], "status": [status]})

    module = SimpleNamespace(
        EffectSpec=SimpleNamespace(from_dict=lambda _options: spec),
        run_effects=run_effects,
    )
    monkeypatch.setitem(sys.modules, "assayhouse.analysis.effects", module)
    return seen


LONG = "usubjid,arm,paramcd,avisitn,aval,base,blq,lloq,STRATA1\n001,1,CRP,4,,2,false,0.2,01\n"


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("too_few", 1)])
def test_effects_writes_results_and_the_options_they_came_from(monkeypatch, tmp_path, status, code):
    seen = engine(monkeypatch, status)
    (tmp_path / "in.csv").write_text(LONG)
    (tmp_path / "spec.yaml").write_text("reference: PBO\n")
    out = tmp_path / "out"
    arguments = [str(tmp_path / "in.csv"), "--spec", str(tmp_path / "spec.yaml"), "--out", str(out)]
    assert cli.main(["effects", *arguments]) == code
    assert {path.name for path in out.iterdir()} == {"effects.parquet", "effects.csv", "spec.yaml"}
    assert yaml.safe_load((out / "spec.yaml").read_text()) == {"reference": "PBO"}
    assert pl.read_parquet(out / "effects.parquet")["status"].to_list() == [status]
    row = seen["long"].row(0, named=True)
    assert (row["usubjid"], row["arm"], row["STRATA1"], row["aval"]) == ("001", "1", "01", None)


def test_effects_reads_parquet_as_it_is(tmp_path):
    path = tmp_path / "in.parquet"
    frame = pl.DataFrame({"usubjid": ["1"], "aval": [1.0]})
    frame.write_parquet(path)
    assert effects_command._long(path, texts=()).equals(frame)


@pytest.mark.parametrize(
    "case",
    [
        ("in.csv", "- a\n", "a mapping of options"),
        ("in.csv", "a: [", "not readable as YAML"),
        ("in.csv", None, "not readable as YAML"),
        ("none.csv", "a: 1", "not readable as a table"),
        ("bad.csv", "a: 1", "column base is not a number in 1 lines: 2"),
    ],
)
def test_effects_refuses_what_it_cannot_read(monkeypatch, capsys, tmp_path, case):
    name, spec, words = case
    engine(monkeypatch, "ok")
    (tmp_path / "in.csv").write_text(LONG)
    (tmp_path / "bad.csv").write_text(LONG.replace(",2,", ",secret,"))
    if spec is not None:
        (tmp_path / "spec.yaml").write_text(spec)
    arguments = ["--spec", str(tmp_path / "spec.yaml"), "--out", str(tmp_path / "out")]
    assert cli.main(["effects", str(tmp_path / name), *arguments]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "secret" not in told
    assert not (tmp_path / "out").exists()
