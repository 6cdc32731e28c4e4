"""The command line: quick to answer, one line per error, exit codes that mean something."""

import getpass
import json
import subprocess
import sys
import time
from types import SimpleNamespace

import polars as pl
import pytest

from assayhouse import cli, pipeline
from assayhouse.commands.session import Session
from assayhouse.errors import (
    AssayhouseError,
    BlindingError,
    DeclarationError,
    DeliveryStateError,
    HomeError,
    OwnTableError,
    QueryError,
)
from assayhouse.warehouse import catalogue

COMMANDS = [
    "new-study",
    "declarations",
    "dictionary",
    "simulate",
    "run",
    "status",
    "approve",
    "refuse",
    "dry-run",
    "unblind",
    "audit",
    "sql",
    "effects",
    "poppk",
    "cutpoint",
    "inspect",
]


@pytest.fixture(autouse=True)
def _quiet(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("ASSAYHOUSE_HOME", "ASSAYHOUSE_STUDY", "ASSAYHOUSE_USER"):
        monkeypatch.delenv(name, raising=False)


def answer(monkeypatch, function):
    monkeypatch.setattr(cli, "_handler", lambda _name: function)


def stop(error):
    def handler(_session, _args):
        raise error

    return handler


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    told = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in told] == []
    assert "exit codes" in told


def test_every_command_has_its_function_and_help(capsys):
    subcommands = cli._parser()._subparsers._group_actions[0].choices
    assert list(subcommands) == COMMANDS
    for name, command in subcommands.items():
        with pytest.raises(SystemExit):
            cli.main([name, "--help"])
        assert name in capsys.readouterr().out
        handler = command.get_default("handler")
        assert name == "audit" or callable(cli._handler(handler))


def test_help_imports_nothing_heavy_and_is_quick():
    code = (
        "import sys\nfrom assayhouse import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'polars', 'duckdb', 'yaml', 'rich', 'numpy', 'pandas', 'deltalake', 'dagster'}\n"
        "sys.exit(','.join(heavy & set(sys.modules)) or 0)"
    )
    best = 9.0
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
        best = min(best, time.perf_counter() - start)
        assert (done.returncode, done.stderr) == (0, b"")
    assert best <= 0.5


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AssayhouseError("x"), 2),
        (DeclarationError("x"), 2),
        (HomeError("x"), 2),
        (QueryError("x"), 2),
        (DeliveryStateError("x"), 1),
        (BlindingError("x"), 1),
    ],
)
def test_an_error_is_one_line_and_says_refused_or_unusable(monkeypatch, capsys, error, code):
    answer(monkeypatch, stop(type(error)("first line\n  and a second")))
    assert cli.main(["status"]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "assayhouse: first line and a second\n"


def test_a_file_that_cannot_be_opened_is_one_line(monkeypatch, capsys):
    answer(monkeypatch, stop(PermissionError(13, "Permission denied", "out.md")))
    assert cli.main(["status"]) == 2
    assert capsys.readouterr().err == "assayhouse: out.md: Permission denied.\n"


def test_a_library_that_names_no_file_is_quoted(monkeypatch, capsys):
    answer(monkeypatch, stop(FileNotFoundError("No such file: x.csv\n(os error 2)")))
    assert cli.main(["status"]) == 2
    assert capsys.readouterr().err == "assayhouse: No such file: x.csv (os error 2).\n"


def test_several_faults_are_one_line_each(monkeypatch, capsys):
    faults = ("line 2: a\nb", "line 3: c")
    answer(monkeypatch, stop(OwnTableError("in.csv: faults.", details=faults)))
    assert cli.main(["status"]) == 2
    assert capsys.readouterr().err == "assayhouse: in.csv: faults.\n  line 2: a b\n  line 3: c\n"


def test_what_was_not_foreseen_keeps_its_traceback(monkeypatch):
    answer(monkeypatch, stop(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["status"])


def test_stopping_by_hand_says_that_it_can_be_repeated(monkeypatch, capsys):
    answer(monkeypatch, stop(KeyboardInterrupt()))
    assert cli.main(["status"]) == 2
    assert "again" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["approve", "three", "--reason", "x"],
        ["approve", "3"],
        ["refuse", "3"],
        ["unblind", "--reason", "x"],
        ["unblind", "--planned", "--unplanned", "--reason", "x"],
        ["sql"],
        ["sql", "select 1", "--format", "xml"],
        ["effects", "in.csv"],
        ["simulate"],
        ["audit"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def seen(monkeypatch, *arguments):
    kept = {}

    def handler(session, args):
        kept.update(session=session, args=args)
        return 0

    answer(monkeypatch, handler)
    assert cli.main(arguments) == 0
    return kept["session"], kept["args"]


def test_home_and_study_come_from_option_then_environment_then_default(monkeypatch):
    session, _ = seen(monkeypatch, "status")
    assert (str(session.home_path), session.study_path) == ("home", None)
    monkeypatch.setenv("ASSAYHOUSE_HOME", "/srv/home")
    monkeypatch.setenv("ASSAYHOUSE_STUDY", "/srv/study")
    session, _ = seen(monkeypatch, "status")
    assert (str(session.home_path), str(session.study_path)) == ("/srv/home", "/srv/study")
    session, _ = seen(monkeypatch, "--home", "a", "--study", "b", "status")
    assert (str(session.home_path), str(session.study_path)) == ("a", "b")


def test_the_time_is_in_utc_with_its_zone(monkeypatch):
    session, _ = seen(monkeypatch, "status")
    assert session.at.endswith("+00:00")
    assert len(session.at) == len("2026-01-01T00:00:00+00:00")


def test_options_reach_the_command(monkeypatch):
    _, args = seen(monkeypatch, "unblind", "--unplanned", "--reason", "safety")
    assert (args.planned, args.reason) == ("unplanned", "safety")
    _, args = seen(monkeypatch, "simulate", "--no-faults", "--seed", "7", "--out", "x")
    assert (args.faults, args.seed) == (False, 7)
    _, args = seen(monkeypatch, "audit", "verify")
    assert args.handler == "delivery:audit_verify"


def session(tmp_path, study=None):
    return Session(home_path=tmp_path / "home", study_path=study, at="2026-01-01T00:00:00+00:00")


def test_the_person_on_record_is_named_or_nothing_is_done(monkeypatch, tmp_path):
    monkeypatch.setattr(getpass, "getuser", lambda: "login")
    assert session(tmp_path).who == "login"
    monkeypatch.setenv("ASSAYHOUSE_USER", "monitor")
    assert session(tmp_path).who == "monitor"
    monkeypatch.setenv("ASSAYHOUSE_USER", " ")

    def nobody():
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", nobody)
    with pytest.raises(AssayhouseError, match="Set ASSAYHOUSE_USER"):
        _ = session(tmp_path).who


def test_new_study_then_declarations_then_dictionary(capsys, tmp_path):
    folder = str(tmp_path / "study")
    assert cli.main(["new-study", folder]) == 0
    assert cli.main(["new-study", folder]) == 2
    assert "Nothing was written" in capsys.readouterr().err
    assert cli.main(["--study", folder, "declarations"]) == 0
    told = capsys.readouterr().out
    assert "NEW-STUDY-01" in told
    assert "sealed" in told
    out = tmp_path / "docs" / "dictionary.md"
    assert cli.main(["--study", folder, "dictionary", "--out", str(out)]) == 0
    assert "raw.lab_results" in out.read_text(encoding="utf-8")


def test_declarations_finds_what_could_not_be_built(capsys, tmp_path):
    folder = tmp_path / "study"
    cli.main(["new-study", str(folder)])
    suite = folder / "expectations" / "adam" / "adsl.json"
    suite.parent.mkdir(parents=True)
    rule = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "AGEX"}}
    rule |= {"severity": "warning", "meta": {"id": "X1", "why": "because"}}
    suite.write_text(json.dumps({"name": "x", "expectations": [rule]}))
    table = folder / "schemas" / "tables" / "adam" / "adxx.yaml"
    table.parent.mkdir(parents=True)
    table.write_text("{relation: adam.adxx, label: x, grain: x, columns: [AGE], key: [AGE]}")
    assert cli.main(["--study", str(folder), "declarations"]) == 1
    told = capsys.readouterr().out
    assert "(X1): no column AGEX" in told
    assert "adam.adxx: neither sql/adam/adxx.sql nor a writer" in told


def test_a_question_without_a_home_says_how_to_make_one(capsys):
    assert cli.main(["audit", "verify"]) == 2
    assert "no home here" in capsys.readouterr().err


def test_every_decision_carries_time_person_and_reason(monkeypatch, tmp_path):
    delivery = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "assayhouse.pipeline.delivery", delivery)
    monkeypatch.setattr(pipeline, "delivery", delivery, raising=False)
    monkeypatch.setenv("ASSAYHOUSE_USER", "monitor")
    (tmp_path / "home").mkdir()
    for name in ("approve", "refuse"):
        calls = []
        setattr(delivery, name, lambda *a, calls=calls, **k: calls.append((a, k)))
        assert cli.main([name, "3", "--reason", "checked with the laboratory"]) == 0
        ((positional, named),) = calls
        assert positional[2] == 3
        assert (named["who"], named["reason"]) == ("monitor", "checked with the laboratory")
        assert named["at"].endswith("+00:00")


@pytest.mark.parametrize(
    ("states", "code"),
    [(["PUBLISHED"], 0), ([], 0), (["PUBLISHED", "HELD"], 1), (["REJECTED"], 1)],
)
def test_a_night_with_something_to_decide_is_exit_code_1(
    monkeypatch, capsys, tmp_path, states, code
):
    published = SimpleNamespace(
        publication=SimpleNamespace(number=7), is_new=True, report_folder=tmp_path
    )
    result = SimpleNamespace(
        outcomes=[SimpleNamespace(state=state) for state in states],
        built=("adam.adbm",),
        published=published,
    )
    night = SimpleNamespace(run_night=lambda *_a, **_k: result)
    monkeypatch.setitem(sys.modules, "assayhouse.pipeline.night", night)
    assert cli.main(["run"]) == code
    assert "publication 7 (new)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--format", "csv"], "a,b\n1,x\n"),
        (["--format", "json"], '[{"a":1,"b":"x"}]\n'),
    ],
)
def test_sql_answers_in_the_format_asked_for(monkeypatch, capsys, tmp_path, options, expected):
    asked = {}

    def query(_home, text, **more):
        asked.update(text=text, **more)
        return pl.DataFrame({"a": [1], "b": ["x"]})

    monkeypatch.setattr(catalogue, "query", query)
    (tmp_path / "home").mkdir()
    assert cli.main(["sql", "select 1", "--as-of", "4", *options]) == 0
    assert capsys.readouterr().out == expected
    assert asked == {"text": "select 1", "sealed": False, "as_of": 4}


def test_simulated_files_are_written_by_transfer_and_the_truth_apart(capsys, tmp_path):
    out = tmp_path / "sim"
    assert cli.main(["simulate", "--no-faults", "--seed", "3", "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["T001", "T002", "T003", "T004", "truth"]
    assert list((out / "T001" / "landing").rglob("*.csv"))
    assert "simulated" in capsys.readouterr().out
