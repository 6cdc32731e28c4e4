"""The command on a user's own table: imputation, files written, and every malformed input."""

import numpy as np
import polars as pl
import pytest
import yaml

from assayhouse import cli
from assayhouse.analysis.effects import EffectSpec, ImputeSpec, estimate_effects

from support.effects_long import trial

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
    ("change", "words"),
    [
        ({"edit": lambda t: t.replace("aval", "value", 1)}, "no column aval"),
        ({"edit": lambda t: t.replace("site", "place", 1)}, "no column site"),
        ({"edit": lambda t: t.replace(",false,", ",perhaps,", 1)}, "blq is not true or false"),
        ({"edit": lambda t: t.replace(",8,", ",eight,", 1)}, "avisitn is not a number"),
        ({"edit": lambda t: t.replace(",8,", ",8.5,", 1)}, "avisitn must be a whole number"),
        ({"edit": lambda t: t + t.splitlines()[1] + "\n"}, "more than one row"),
        ({"edit": lambda t: t + "a,b\n,,,,\x00"}, "."),
        ({"spec": {**SPEC, "reference": "nobody"}}, "reference arm"),
        ({"spec": {**SPEC, "psi": "hampel"}}, "psi"),
        ({"spec": {**SPEC, "impute": {"m": 1}}}, "at least two"),
        ({"spec": {**SPEC, "colour": "red"}}, "colour"),
        ({"spec": {"strata": []}}, "no reference arm"),
        ({"spec": {**SPEC, "impute": {"strategy": "J2R", "method": "monotone"}}}, "goes with"),
        ({"spec": {**SPEC, "multiplicity": "holm"}}, "declared family"),
    ],
)  # fmt: skip
def test_malformed_input_is_told_readably_and_writes_nothing(tmp_path, capsys, change, words):
    assert run(tmp_path, **change) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert not (tmp_path / "out").exists()


def test_infinite_values_are_refused_by_row(tmp_path, capsys):
    first = pl.int_range(pl.len()) == 0
    frame = table().with_columns(base=pl.when(first).then(float("inf")).otherwise(pl.col("base")))
    assert run(tmp_path, frame=frame) == 2
    assert "base is not finite" in capsys.readouterr().err
