"""`assayhouse poppk`: what it writes, what it says, and its exit codes."""

import json

import polars as pl
import pytest
import yaml

from assayhouse import cli
from assayhouse.pk import FitResult, TrialDesign, simulate_trial

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


def run(table, tmp_path, model=MODEL, *more):
    declared = tmp_path / "model.yaml"
    declared.write_text(yaml.safe_dump(model))
    out = tmp_path / "out"
    return cli.main(["poppk", str(table), "--model", str(declared), "--out", str(out), *more]), out


def test_a_fit_is_written_as_json_and_tables(table, tmp_path, capsys):
    code, out = run(table, tmp_path)
    assert code == 0
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
    assert "FAILED hessian_not_pd" in capsys.readouterr().out
    assert not (out / "ebe.csv").exists()
    assert (out / "result.json").exists()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"units": {"amt": "mg", "dv": "ng/ml"}}, "ng/ml"),
        ({"units": {"amt": "mg"}}, "units"),
        ({"model": {**MODEL["model"], "structure": "oral9"}}, "oral9"),
        ({"options": {"nonsense": 1}}, "nonsense"),
        ({"extra": 1}, "known"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(table, tmp_path, capsys, change, word):
    code, out = run(table, tmp_path, MODEL | change)
    told = capsys.readouterr().err
    assert code == 2
    assert word in told
    assert told.count("\n") == 1
    assert not out.exists()


def test_a_table_with_faults_names_codes_and_rows(table, tmp_path, capsys):
    wrong = pl.read_csv(table).with_columns(RATE=pl.lit(1.0)).head(30)
    path = tmp_path / "wrong.csv"
    wrong.write_csv(path)
    code, _ = run(path, tmp_path)
    assert code == 2
    assert "infusion" in capsys.readouterr().err
