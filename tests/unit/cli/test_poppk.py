"""`assayhouse poppk`: what it writes, what it says, and its exit codes."""

import inspect
import json
import re
from types import SimpleNamespace

import polars as pl
import pytest
import yaml

from assayhouse import cli
from assayhouse.commands import poppk_words
from assayhouse.commands.poppk_input import read_events
from assayhouse.pk import EventTable, FitResult, TrialDesign, focei, simulate_trial, status
from assayhouse.pk.event_rules import RULES

MODEL = {
    "units": {"amt": "mg", "dv": "ng/mL"},
    "subject_rule": "observed",
    "options": {"starts": 1},
    "model": {
        "structure": "oral2",
        "iiv": ["CL", "V1"],
        "error": "combined",
        "init": {"CL": 18, "V1": 100, "Q": 10, "V2": 140, "KA": 1, "sigma_add": 0.02},
        "covariates": [{"form": "power", "parameter": "CL", "column": "WT", "reference": 70}],
    },
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("pk") / "events.csv"
    simulate_trial(TrialDesign(n=(8, 8, 8), rich=12), seed=5)[0].frame.write_csv(path)
    return path


def run(table, tmp_path, model=MODEL, *more, pictures=False):
    declared = tmp_path / "model.yaml"
    declared.write_text(yaml.safe_dump(model))
    out = tmp_path / "out"
    asked = ["poppk", str(table), "--model", str(declared), "--out", str(out), *more]
    return cli.main([*asked, *([] if pictures else ["--no-pictures"])]), out


def test_a_fit_is_written_as_json_and_tables(table, tmp_path, capsys):
    code, out = run(table, tmp_path, pictures=True)
    assert code == 0
    drawn = {"goodness_of_fit", "predictive_check", "covariate_forest"}
    assert {path.stem for path in out.glob("*.png")} == drawn
    assert {path.stem for path in out.glob("*.svg")} == drawn
    result = FitResult.from_json((out / "result.json").read_text())
    assert pl.read_csv(out / "parameters.csv")["parameter"].to_list() == list(result.params)
    assert pl.read_csv(out / "exposure.csv").height == 36
    assert "TAD" in pl.read_csv(out / "predictions.csv").columns
    assert pl.read_csv(out / "covariate_forest.csv")["COVARIATE"].to_list() == ["WT", "WT"]
    assert json.loads((out / "dose_proportionality.json").read_text())["level"] == 0.9
    assert "36 subjects" in capsys.readouterr().out


def test_a_failed_fit_is_a_finding_with_its_reasons(table, tmp_path, capsys):
    poor = pl.read_csv(table).filter(pl.col("SLE") == 1)
    path = tmp_path / "sparse.csv"
    poor.write_csv(path)
    code, out = run(path, tmp_path)
    assert code == 1
    told = capsys.readouterr().out
    assert "not to be used" in told
    assert "FAILED hessian_not_pd" in told
    assert "Ask less of the data" in told
    assert "Not written, because nothing may be derived from this fit: ebe.csv, " in told
    assert not (out / "ebe.csv").exists()
    assert (out / "result.json").exists()


def test_what_an_earlier_fit_left_does_not_stay_beside_one_that_failed(table, tmp_path):
    poor = pl.read_csv(table).filter(pl.col("SLE") == 1)
    path = tmp_path / "sparse.csv"
    poor.write_csv(path)
    out = tmp_path / "out"
    out.mkdir()
    for name in ("ebe.csv", "exposure.csv", "dose_proportionality.json",
                 "goodness_of_fit.png", "mine.csv"):  # fmt: skip
        (out / name).write_text("of an earlier fit")
    assert run(path, tmp_path, pictures=True)[0] == 1
    assert {item.name for item in out.iterdir()} == {
        "mine.csv", "result.json", "parameters.csv", "starts.csv", "excluded.csv",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"units": {"amt": "mg", "dv": "ng/ml"}}, "units: dv_unit='ng/ml' is not a unit"),
        ({"units": {"amt": "mg"}}, "units names amt, dv"),
        ({"model": {**MODEL["model"], "structure": "oral9"}}, "oral9"),
        ({"model": {**MODEL["model"], "iiv": []}}, "iiv"),
        ({"model": None}, "A specification is a mapping"),
        ({"options": {"nonsense": 1}}, "known in it are starts, start_sd"),
        ({"options": {"starts": 0}}, "starts must be 1 or more"),
        ({"options": {"starts": "many"}},  "starts='many' is not a whole number"),
        ({"options": {"gtol": "1e-3"}}, "gtol='1e-3' is not a number"),
        ({"model": {**MODEL["model"], "iiv": "CL"}}, "iiv is a list; a single one is a list too"),
        ({"model": {"structure": "oral2", "error": "combined"}}, "key iiv is missing; known"),
        ({"model": {**MODEL["model"], "colour": 1}}, "model: key colour is unknown; known are"),
        ({"model": {**MODEL["model"], "covariates": ["WT"]}}, "A covariate is a mapping, as"),
        ({"model": {**MODEL["model"], "init": [1]}}, "A value of the model has a wrong type"),
        ({"model": {**MODEL["model"], "covariates": [{"form": "power", "parameter": "CL"}]}},
         "power covariate: key column, reference is missing; known are parameter, column"),
        ({"covariates": "WT"}, "covariates is a list of columns"),
        ({"subject_rule": "all"}, "subject_rule='all' is unknown"),
        ({"extra": 1}, "known"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_in_one_line(table, tmp_path, capsys, change, word):
    code, out = run(table, tmp_path, MODEL | change)
    told = capsys.readouterr().err
    assert code == 2
    assert word in told
    assert told.startswith(f"assayhouse: {tmp_path / 'model.yaml'}: ")
    assert "Nothing was written." in told
    assert told.count("\n") == 1
    assert not out.exists()


def edited(table, tmp_path, change):
    path = tmp_path / "wrong.csv"
    frame = pl.read_csv(table, infer_schema=False)
    change(frame.with_row_index("line", offset=2)).drop("line").write_csv(path)
    return path


def at(line, column, value):
    changed = pl.when(line=line).then(pl.lit(value)).otherwise(pl.col(column))
    return changed.alias(column)


def test_a_table_with_faults_names_file_codes_lines_and_remedies(table, tmp_path, capsys):
    """Lines are those of the file: the header is line 1, the first row line 2."""

    def change(frame):
        return frame.with_columns(pl.lit("0").alias("RATE")).with_columns(
            at(2, "RATE", "5"), at(3, "AMT", "9"), at(4, "DV", "high")
        )

    code, out = run(edited(table, tmp_path, change), tmp_path)
    head, *faults = capsys.readouterr().err.splitlines()
    assert code == 2
    assert head == (
        f"assayhouse: {tmp_path / 'wrong.csv'}: not an event table that can be used, for 2 "
        "reasons. Nothing was written."
    )
    assert faults[0] == (
        "  bad_type in line 4: Column DV must hold finite numbers. Write numbers with a decimal "
        "point, and leave what is missing empty; of a sample below the limit write BLQ 1 and "
        "LLOQ, not <."
    )
    assert faults[1].startswith("  infusion in line 2: RATE and DUR must be 0")
    assert len(faults) == 2
    assert not out.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (at(3, "AMT", "9"), "obs_with_amt in line 3: "),
        (at(2, "AMT", ""), "dose_without_amt in line 2: "),
        (at(4, "TIME", "0"), "time_order in line 4: "),
        (at(3, "ID", "x"), "id_not_contiguous in line 4: "),
        (at(3, "WT", "NA"), "covariate_missing in line 3: "),
        (at(3, "WT", "61"), "covariate_varies in line 3: "),
        (at(3, "EVID", "7"), "bad_code in line 3: "),
        (at(2, "CMT", "3"), "cmt_unsupported in line 2: "),
    ],
)  # fmt: skip
def test_every_fault_of_a_row_is_told_by_its_line(table, tmp_path, capsys, change, words):
    code, _ = run(edited(table, tmp_path, lambda frame: frame.with_columns(change)), tmp_path)
    told = capsys.readouterr().err
    assert code == 2
    assert f"  {words}" in told


def test_every_code_of_a_table_has_a_remedy():
    """An error without a word on what to do is half an error."""
    known = {code for code, _, _ in RULES} | {
        "missing_column", "bad_type", "bad_code", "id_not_contiguous", "infusion",
        "covariate_missing", "covariate_varies", "no_subjects",
    }  # fmt: skip
    assert known == set(poppk_words._TABLE)


def test_every_way_to_fail_has_a_remedy():
    source = inspect.getsource(status) + inspect.getsource(focei)
    codes = set(re.findall(r'(?:_failed\(|code=)\s*"(\w+)"', source))
    assert len(codes) >= 6
    assert codes == set(poppk_words._FIT)


def test_a_missing_column_or_file_is_told_by_name(table, tmp_path, capsys):
    named = edited(table, tmp_path, lambda frame: frame.rename({"ID": "#ID"}))
    assert run(named, tmp_path)[0] == 2
    assert "no column ID. Nothing was written. Is ID what the header calls #ID?" in (
        capsys.readouterr().err
    )
    assert run(tmp_path / "nofile.csv", tmp_path)[0] == 2
    assert "nofile.csv: no such file." in capsys.readouterr().err
    (tmp_path / "model.yaml").unlink()
    asked = ["poppk", str(table), "--model", str(tmp_path / "model.yaml"), "--out", str(tmp_path)]
    assert cli.main(asked) == 2
    assert "model.yaml: no such file. Looked for in" in capsys.readouterr().err


def test_the_command_reads_a_table_as_the_library_does(table, tmp_path):
    extra = "subject 7 has a name of digits, and a covariate of words"
    path = tmp_path / "events.csv"
    frame = pl.read_csv(table, infer_schema=False).with_columns(
        ID="00" + pl.col("ID"), SITE=pl.lit(extra), DV=pl.col("DV").fill_null(".")
    )
    frame.write_csv(path)
    named = ["WT", "SLE", "SITE"]
    declared = SimpleNamespace(
        path=path, units={"amt": "mg", "dv": "ng/mL", "time": "h"}, covariates=named,
        subject_rule="observed", missing_covariates="error",
    )  # fmt: skip
    _, found = read_events(path, declared)
    known = EventTable.read_csv(
        path, amt_unit="mg", dv_unit="ng/mL", covariates=named, subject_rule="observed"
    )
    assert found.frame.equals(known.frame)
    assert found.content_hash == known.content_hash


def test_what_was_put_right_is_told_by_its_line(table, tmp_path, capsys):
    last = pl.col("ID") == pl.col("ID").last()

    def change(frame):
        return frame.with_columns(WT=pl.when(~last).then(pl.col("WT")))

    lines = pl.read_csv(table).with_row_index("line", offset=2).filter(last)["line"].to_list()
    model = {**MODEL, "missing_covariates": "impute", "options": {"starts": 1, "max_iter": 1}}
    run(edited(table, tmp_path, change), tmp_path, model)
    told = capsys.readouterr().out
    shown = ", ".join(map(str, lines[:5]))
    assert f"wrong.csv: covariate_imputed in lines {shown} and {len(lines) - 5} more: " in told
