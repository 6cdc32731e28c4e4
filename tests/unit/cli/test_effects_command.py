"""The command on a user's own table: imputation, files written, and every malformed input."""

import re

import numpy as np
import polars as pl
import pytest
import yaml

from assayhouse import cli
from assayhouse.analysis.effects import EffectSpec, ImputeSpec, estimate_effects

from support.effects_long import change, trial

SPEC = {
    "reference": "control",
    "responses": ["log"],
    "strata": ["site"],
    "subgroups": ["module"],
    "impute": {"m": 4},
}


def table():
    """A trial with missing values, strata that look like numbers."""
    frame = trial(per_arm=24)
    hidden = pl.Series(np.random.default_rng(1).random(len(frame)) < 0.2)
    return frame.with_columns(
        aval=pl.when(hidden).then(None).otherwise(pl.col("aval")),
        site=pl.col("site").replace_strict({"north": "01", "south": "02"}),
    )


def run(tmp_path, *, frame=None, spec=None, edit=None, name="in.csv"):
    """The exit code of the command on a table and a spec."""
    source = tmp_path / name
    data = table() if frame is None else frame
    if name.endswith(".parquet"):
        data.write_parquet(source)
    else:
        text = data.write_csv()
        source.write_text(edit(text) if edit else text)
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(SPEC if spec is None else spec))
    out = str(tmp_path / "out")
    return cli.main(["effects", str(source), "--spec", str(tmp_path / "spec.yaml"), "--out", out])


def expected():
    spec = EffectSpec.from_dict({**SPEC, "impute": ImputeSpec(m=4)})
    return estimate_effects(table(), spec)


@pytest.mark.parametrize("name", ["in.csv", "in.parquet"])
def test_imputation_runs_from_a_table_and_a_spec(tmp_path, name):
    assert run(tmp_path, name=name) == 0
    written = pl.read_parquet(tmp_path / "out" / "effects.parquet")
    assert written.equals(expected())
    assert pl.read_csv(tmp_path / "out" / "effects.csv").height == written.height
    again = EffectSpec.from_dict(yaml.safe_load((tmp_path / "out" / "spec.yaml").read_text()))
    assert set(written["spec_hash"]) == {again.spec_hash()}


def test_flags_and_missing_values_as_r_writes_them(tmp_path):
    def as_r(text):
        header, *lines = text.splitlines()
        place = header.split(",").index("aval")
        rows = [line.replace("false", "FALSE").split(",") for line in lines]
        for row in rows:
            row[place] = row[place] or "NA"
        return "\n".join([header, *(",".join(row) for row in rows)])

    assert run(tmp_path, edit=as_r) == 0
    assert pl.read_parquet(tmp_path / "out" / "effects.parquet").equals(expected())


def test_a_refused_row_is_exit_code_1(tmp_path):
    frame = table().with_columns(blq=pl.col("avisitn") == 8)
    assert run(tmp_path, frame=frame) == 1
    written = pl.read_parquet(tmp_path / "out" / "effects.parquet")
    assert set(written.filter(avisitn=8)["status"]) == {"blq_majority"}


@pytest.mark.parametrize(
    ("altered", "words"),
    [
        ({"edit": lambda t: t.replace("aval", "value", 1)}, "no column aval"),
        ({"edit": lambda t: t.replace("site", "place", 1)}, "no column site"),
        ({"edit": lambda t: t.replace(",false,", ",perhaps,", 1)}, "blq is not true or false"),
        ({"edit": lambda t: t.replace(",8,", ",eight,", 1)},
         "in.csv: column avisitn is not a finite number in line 3."),
        ({"edit": lambda t: t.replace(",8,", ",8.5,", 1)},
         "in.csv: avisitn must be a whole number in every row. See line 3."),
        ({"edit": lambda t: t + t.splitlines()[1] + "\n"},
         "more than one row for a subject, parameter and visit; keep one. See lines 2, 146."),
        ({"edit": lambda t: t.replace("control,", ",", 1)}, "arm is missing; fill it or leave the"),
        ({"edit": lambda t: t + "a,b\n,,,,\x00"}, "line 147 holds a NUL byte"),
        ({"frame": table().filter(arm="control")}, "in.csv: column arm holds control alone"),
        ({"frame": table().clear()}, "a header and no row below it"),
        ({"spec": {**SPEC, "reference": "nobody"}}, "in.csv: The reference arm"),
        ({"spec": {**SPEC, "psi": "hampel"}}, "spec.yaml: psi"),
        ({"frame": change(table(), pl.int_range(pl.len()) == 4, aval=-1.0)},
         "in.csv: column aval is at or below zero, where response log has no value, in line 6."),
        ({"spec": {**SPEC, "reference": 1}}, "a number stands in quotes"),
        ({"spec": {**SPEC, "impute": "none"}}, "in a file a mapping"),
        ({"spec": {**SPEC, "impute": {"m": "many"}}}, "m='many' cannot be; a number is needed."),
        ({"spec": {**SPEC, "visits": 4}}, "visits=4 cannot be; a list is needed."),
        ({"spec": ["control"]}, "spec.yaml: a mapping is expected"),
        ({"spec": {**SPEC, "impute": {"m": 1}}}, "at least two"),
        ({"spec": {**SPEC, "colour": "red"}}, "colour"),
        ({"spec": {"strata": []}}, "no reference arm"),
        ({"spec": {**SPEC, "impute": {"strategy": "J2R", "method": "monotone"}}}, "goes with"),
        ({"spec": {**SPEC, "multiplicity": "holm"}}, "declared family"),
    ],
)  # fmt: skip
def test_malformed_input_is_told_readably_and_writes_nothing(tmp_path, capsys, altered, words):
    assert run(tmp_path, **altered) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("in.csv", "in.csv: column base is not a finite number in line 2."),
        ("in.parquet", "in.parquet: base is not finite; a missing value is null. See row 1."),
    ],
)
def test_infinite_values_are_refused_where_they_stand(tmp_path, capsys, name, words):
    first = pl.int_range(pl.len()) == 0
    frame = table().with_columns(base=pl.when(first).then(float("inf")).otherwise(pl.col("base")))
    assert run(tmp_path, frame=frame, name=name) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "spec.yaml: no such file. Looked for in"),
        ("", "spec.yaml: nothing is in it."),
        ("a: [", "spec.yaml: not readable as YAML (line "),
        ("reference: control\n\tstrata: [site]\n", "not readable as YAML (line 2, column 1: "),
        ("reference,responses\ncontrol,log\n", "a mapping is expected at the top of the file."),
        (b"reference: pl\xe1cebo\n", "spec.yaml: not text in UTF-8."),
    ],
)
def test_a_spec_that_cannot_be_read_is_told_with_its_fault(tmp_path, capsys, text, words):
    (tmp_path / "in.csv").write_text(table().write_csv())
    path = tmp_path / "spec.yaml"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    out = tmp_path / "out"
    asked = ["effects", str(tmp_path / "in.csv"), "--spec", str(path), "--out", str(out)]
    assert cli.main(asked) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Nothing was written." in told
    assert not out.exists()


def test_the_screen_shows_every_difference_and_why_rows_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    nobody = pl.col("usubjid") == "S000"
    frame = table().with_columns(
        blq=pl.col("avisitn") == 8, base=pl.when(~nobody).then(pl.col("base"))
    )
    assert run(tmp_path, frame=frame, spec={**SPEC, "subgroups": []}) == 1
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(len(line) for line in lines if line.startswith(" A ")) <= 80
    told = "\n".join(lines)
    assert "in.csv: differences from control" in told
    assert "95 % interval" in told
    assert told.count("blq_majority") == 3
    assert "A: 1 of 72 subjects left out, because they have no base." in told
    assert re.search(r"^A: missing values imputed: \d+ at visit 4\.$", told, re.MULTILINE)
    refused = next(line for line in lines if line.startswith("5 rows refused"))
    assert "A visit 8 log): blq_majority: " in refused
    assert "% of all arms' values at the visit are below the limit" in refused
    assert lines[-1].startswith("10 rows, 5 refused with a reason, in ")


def test_subjects_without_a_value_are_counted_where_nothing_is_imputed(tmp_path, capsys):
    late, nobody = pl.col("avisitn") == 8, pl.col("usubjid") == "S001"
    frame = trial().with_columns(
        aval=pl.when(~(late & pl.col("usubjid").is_in(["S002", "S003"]))).then(pl.col("aval")),
        base=pl.when(~nobody).then(pl.col("base")),
    )
    spec = {
        "reference": "control",
        "responses": ["abs"],
        "population": "observed_at_visit",
        "impute": {"method": "none"},
    }
    assert run(tmp_path, frame=frame, spec=spec) == 0
    told = capsys.readouterr().out
    assert "A: 1 of 36 subjects left out, because they have no base." in told
    assert "A: subjects with a base left out for want of a value: 2 at visit 8." in told


def test_names_that_look_like_numbers_stay_text(tmp_path):
    frame = table().with_columns(
        usubjid=pl.col("usubjid").str.replace("S", "0"),
        arm=pl.col("arm").replace_strict({"control": "01", "active": "02", "double": "03"}),
    )
    spec = {**SPEC, "reference": "01", "subgroups": []}
    assert run(tmp_path, frame=frame, spec=spec) == 0
    written = pl.read_parquet(tmp_path / "out" / "effects.parquet")
    assert set(written["arm"]) == {"01", "02", "03"}
