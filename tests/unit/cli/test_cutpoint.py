"""The command on a user's own table: files written, words told, and every malformed input."""

import json

import numpy as np
import polars as pl
import pytest
import yaml

from assayhouse import cli
from assayhouse.stats.batting import adjusted_p, batting, batting_many, optimism

FAST = ("--n-boot", "40", "--n-null", "199", "--n-outer", "3")
TRUE_CUT = 0.2


def table(*, effect=0.65, n=240, seed=5):
    """A trial with a planted cut in M1 and none in M2; arms by label, and a third one."""
    rng = np.random.Generator(np.random.Philox(seed))
    arm = np.array(["high", "placebo", "low"])[np.arange(n) % 3]
    first, second = rng.normal(size=(2, n))
    chance = 0.2 + effect * ((arm == "high") & (first > TRUE_CUT))
    return pl.DataFrame(
        {
            "id": [f"s{number}" for number in range(n)],
            "arm": arm,
            "trt": [{"high": "1", "placebo": "0", "low": ""}[one] for one in arm],
            "M1": first,
            "M2": second,
            "responder": (rng.random(n) < chance).astype(int),
            "score": chance + rng.normal(size=n),
            "weeks": rng.exponential(size=n),
            "ended": (rng.random(n) < 0.8).astype(int),
            "site": np.array(["north", "south"])[np.arange(n) % 2],
        }
    )


def run(tmp_path, *options, frame=None, edit=None, name="in.csv", fast=FAST, pictures=False):
    """The exit code of the command on a table."""
    if not pictures:
        options = (*options, "--no-pictures")
    source = tmp_path / name
    data = table() if frame is None else frame
    if name.endswith(".parquet"):
        data.write_parquet(source)
    else:
        text = data.write_csv()
        source.write_text(edit(text) if edit else text)
    return cli.main(["cutpoint", str(source), "--out", str(tmp_path / "out"), *fast, *options])


def read(tmp_path):
    return json.loads((tmp_path / "out" / "result.json").read_text())


BY_LABEL = ("--arm", "arm", "--control", "placebo", "--active", "high", "--response", "responder")
BY_NUMBER = ("--arm", "trt", "--response", "responder")


def two_arms(frame):
    pair = frame.filter(pl.col("arm") != "low")
    return pair, (pair["arm"] == "high").to_numpy().astype(int), pair["responder"].to_numpy()


def test_the_command_writes_what_the_library_finds(tmp_path, capsys):
    assert run(tmp_path, "--marker", "M1", *BY_LABEL, pictures=True) == 0
    result = read(tmp_path)
    told = result["markers"][0]
    pair, arm, y = two_arms(table())
    found = batting(pair["M1"], arm, y, marker="M1", n_boot=40, rng=1)
    p = adjusted_p(pair["M1"], arm, y, marker="M1", n_null=199, rng=1)
    corrected = optimism(pair["M1"], arm, y, marker="M1", n_outer=3, rng=1)
    assert told["threshold"] == found.threshold
    assert told["p_naive"] == found.p_naive
    assert told["p_adjusted"] == p.p
    assert told["optimism"]["corrected"] == corrected.corrected
    assert result["input"]["rows_of_other_arms"] == 80
    cuts = pl.read_csv(tmp_path / "out" / "bootstrap.csv")
    assert cuts["cut"].to_list() == pytest.approx(found.cuts.tolist(), rel=1e-15)
    assert told["ci"][0] <= TRUE_CUT <= told["ci"][1]
    assert "more than chance" in capsys.readouterr().out
    look_at_files(tmp_path / "out")


def look_at_files(out):
    """Pictures, tables and words are there."""
    for name in ("M1-cuts", "M1-curve"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (out / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert b"</svg>" in (out / f"{name}.svg").read_bytes()
    curve = pl.read_csv(out / "curve.csv")
    assert set(curve["arm"]) == {"active", "control"}
    every = pl.read_csv(out / "cuts.csv")
    cells = ("n_active_in", "n_active_out", "n_control_in", "n_control_out")
    assert every.filter("admissible").select(pl.min_horizontal(cells)).min().item() == 5
    words = (out / "verdict.txt").read_text()
    assert "no valid inference" in words
    assert "0 of 40 samples" in words


def test_without_an_effect_the_words_say_there_is_no_evidence(tmp_path, capsys):
    assert run(tmp_path, "--marker", "M2", *BY_LABEL, frame=table(effect=0.0, seed=9)) == 0
    assert "No evidence of a cut" in capsys.readouterr().out
    assert not list((tmp_path / "out").glob("*.png"))
    assert "No evidence of a cut" in (tmp_path / "out" / "verdict.txt").read_text()


def test_several_markers_are_paid_for_in_the_p(tmp_path):
    assert run(tmp_path, "--marker", "M2", "--marker", "M1", *BY_NUMBER) == 0
    rows = pl.read_csv(tmp_path / "out" / "markers.csv")
    pair, arm, y = two_arms(table())
    together = batting_many(
        {name: pair[name] for name in ("M2", "M1")}, arm, y, n_boot=1, n_null=199, rng=1
    )
    # Rows without an arm are part of the input there, so the permutations are not the same.
    assert rows["p_max_t"].to_list() == pytest.approx(together.p_max_t.tolist(), abs=0.1)
    assert (rows["p_max_t"] >= 1 / 200).all()
    alone = tmp_path / "alone"
    alone.mkdir()
    assert run(alone, "--marker", "M1", *BY_NUMBER) == 0
    one = pl.read_csv(alone / "out" / "markers.csv")
    columns = [name for name in one.columns if name != "p_max_t"]
    assert one.select(columns).rows() == rows.filter(marker="M1").select(columns).rows()


def test_options_come_from_a_spec_and_the_command_line_wins(tmp_path):
    spec = {"marker": "M1", "arm": "trt", "response": "responder", "preset": "subgrpid", "seed": 7}
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec))
    assert run(tmp_path, "--spec", str(tmp_path / "spec.yaml"), "--seed", "8") == 0
    told = read(tmp_path)["markers"][0]
    assert told["seed"] == 8
    assert told["rules"]["test"] == "wald_glm"
    assert told["rules"]["candidates"] == "grid19"


@pytest.mark.parametrize(
    "options",
    [
        ("--response", "score", "--endpoint", "continuous"),
        ("--response", "weeks", "--endpoint", "survival", "--event", "ended"),
        ("--response", "responder", "--adjust", "ended", "--candidates", "grid19"),
        ("--response", "responder", "--strata", "site", "--resample", "arm_stratum"),
        ("--response", "responder", "--direction", "lower", "--null", "parametric"),
    ],
)
def test_every_endpoint_runs_from_the_command_line(tmp_path, options):
    few = ("--n-boot", "12", "--n-null", "19", "--n-outer", "2")
    assert run(tmp_path, "--marker", "M1", "--arm", "trt", *options, fast=few) == 0
    told = read(tmp_path)["markers"][0]
    assert 0 < told["p_adjusted"] <= 1
    assert (told["optimism"] is None) == ("survival" in options)
    assert (tmp_path / "out" / "curve.csv").exists() == ("responder" in options)


def test_a_parquet_table_with_real_types_gives_the_same(tmp_path):
    as_text, typed = tmp_path / "a", tmp_path / "b"
    as_text.mkdir()
    typed.mkdir()
    frame = table().with_columns(pl.col("responder").cast(pl.Boolean))
    assert run(as_text, "--marker", "M1", *BY_LABEL) == 0
    assert run(typed, "--marker", "M1", *BY_LABEL, frame=frame, name="in.parquet") == 0
    read = [(where / "out" / "markers.csv").read_text() for where in (as_text, typed)]
    assert read[0] == read[1]


def test_an_exit_code_of_1_says_that_there_is_no_cut_at_all(tmp_path):
    # Half of a group without variance: no cut ever leaves five of each arm on either side.
    frame = table().with_columns(M1=pl.when(pl.int_range(pl.len()) < 2).then(0.0).otherwise(1.0))
    assert run(tmp_path, "--marker", "M1", *BY_LABEL, frame=frame) == 1
    assert "No cut" in (tmp_path / "out" / "verdict.txt").read_text()
    assert (
        json.loads((tmp_path / "out" / "result.json").read_text())["markers"][0]["n_failed"] == 40
    )


def hide_all_but(marker, kept):
    shown = pl.when(pl.int_range(pl.len()) < kept).then(pl.col(marker))
    return table().with_columns(shown.alias(marker))


def infinite():
    first = pl.int_range(pl.len()) == 0
    return table().with_columns(M1=pl.when(first).then(float("inf")).otherwise(pl.col("M1")))


@pytest.mark.parametrize(
    ("options", "change", "words"),
    [
        (("--marker", "M3", *BY_LABEL), {}, "no column M3"),
        (("--marker", "M1", "--arm", "group", "--response", "responder"), {}, "no column group"),
        (("--marker", "M1", "--arm", "arm", "--response", "responder"), {}, "arm is not 0 or 1"),
        (("--marker", "M1", "--arm", "trt", "--response", "score"), {}, "score is not 0 or 1"),
        (("--marker", "site", *BY_LABEL), {},
         "in.csv: column site is not a finite number in lines 2, 3, 5, 6, 8 and 155 more."),
        (("--marker", "M1", *BY_LABEL[:5], "huge", *BY_LABEL[6:]), {},
         "no row of column arm is huge. Nothing was written. It holds high, low, placebo."),
        (("--marker", "M1", "--arm", "ended", "--response", "responder"),
         {"frame": table().with_columns(ended=pl.lit(1))}, "no row of the control arm"),
        (("--marker", "M1", *BY_LABEL), {"frame": hide_all_but("M1", 12)}, "4 active and 4"),
        (("--marker", "M1", *BY_LABEL), {"frame": table().with_columns(M1=pl.lit(2.0))},
         "the same value"),
        (("--marker", "M1", *BY_LABEL), {"frame": infinite()},
         "in.csv: column M1 is not a finite number in line 2."),
        (("--marker", "M1", *BY_LABEL), {"edit": lambda _: ""}, "is empty"),
        (("--marker", "M1", *BY_LABEL), {"edit": lambda _: "\x00\x01"}, "a NUL byte"),
        (("--marker", "M1", *BY_LABEL), {"edit": lambda text: text.splitlines()[0]},
         "a header and no row"),
        (("--marker", "M1", *BY_LABEL), {"edit": lambda text: text.replace("M2", "M1", 1)},
         "columns 4, 5 of the header have the same name, M1"),
        (("--marker", "M1", *BY_LABEL), {"edit": lambda text: text.replace("\ns4,", "\ns3,")},
         "column id names a subject more than once in lines 5, 6."),
        (("--marker", "M1", *BY_LABEL, "--subject", "site"), {},
         "column site names a subject more than once in lines 2, 3, 5, 6, 8 and 155 more."),
        (("--marker", "M1", *BY_LABEL, "--subject", "M1"), {}, "named twice"),
        (("--marker", "M1", *BY_LABEL), {"edit": lambda text: text.replace("\ns4,", "\n,")},
         "column id names no subject in line 6. Nothing was written. Fill it;"),
        (("--marker", "M1", "--arm", "trt", "--response", "weeks", "--endpoint", "survival",
          "--event", "ended"),
         {"frame": table().with_columns(weeks=pl.when(id="s1").then(-1.0).otherwise("weeks"))},
         "column weeks holds a time below zero in line 3."),
        (BY_LABEL, {}, "no marker is named"),
        (("--marker", "responder", *BY_LABEL), {}, "named twice"),
        (("--marker", "M1", *BY_LABEL, "--test", "chi"), {}, "test"),
        (("--marker", "M1", *BY_LABEL, "--n-null", "0"), {}, "n_null is at least 1"),
        (("--marker", "M1", *BY_LABEL, "--endpoint", "survival"), {}, "event belongs to"),
        (("--marker", "M1", "--arm", "arm", "--control", "placebo", "--response", "responder"),
         {}, "two labels"),
        (("--marker", "M1", *BY_LABEL, "--spec", "absent.yaml"), {}, "no such file"),
    ],
)  # fmt: skip
def test_malformed_input_is_told_readably_and_writes_nothing(
    tmp_path, capsys, options, change, words
):
    assert run(tmp_path, *options, **change) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert not (tmp_path / "out").exists()


def test_no_value_of_a_subject_is_in_a_message(tmp_path, capsys):
    frame = table().with_columns(M1=pl.lit("secret 4711"))
    assert run(tmp_path, "--marker", "M1", *BY_LABEL, frame=frame) == 2
    assert "4711" not in capsys.readouterr().err


def test_an_unknown_word_of_a_spec_is_refused(tmp_path, capsys):
    (tmp_path / "spec.yaml").write_text("marker: M1\ncolour: red\n")
    assert run(tmp_path, *BY_LABEL, "--spec", str(tmp_path / "spec.yaml")) == 2
    assert "unknown options colour" in capsys.readouterr().err


def test_what_was_left_out_is_told_on_screen_and_in_the_record(tmp_path, capsys):
    frame = table()
    row = pl.int_range(pl.len())
    # Rows 1 and 3 are of the two arms; row 4 loses its arm, row 6 has two gaps and counts once.
    frame = frame.with_columns(
        M1=pl.when(~row.is_in([1, 6])).then(pl.col("M1")),
        responder=pl.when(~row.is_in([3, 6])).then(pl.col("responder")),
        arm=pl.when(row != 4).then(pl.col("arm")),
    ).rename({"id": "tube"})
    assert run(tmp_path, "--marker", "M1", "--marker", "M2", *BY_LABEL, frame=frame) == 0
    told = capsys.readouterr().out
    assert "240 rows; left out: 80 of other arms (low 80), 1 without an arm." in told
    assert "M1: 156 rows used; left out: M1 empty in 2, responder empty in 1." in told
    assert "M2: 157 rows used; left out: responder empty in 2." in told
    assert "Whether each subject has one row was not checked: no --subject was named." in told
    counts = read(tmp_path)["input"]
    assert counts["rows_of_other_arms"] == 80
    assert counts["rows_without_arm"] == 1
    assert counts["rows_used"] == {"M1": 156, "M2": 157}
    assert [one["n"] for one in pl.read_csv(tmp_path / "out" / "markers.csv").to_dicts()] == [
        156,
        157,
    ]


def test_a_subject_twice_in_an_arm_that_is_not_searched_does_no_harm(tmp_path, capsys):
    def twice(text):
        return text.replace("\ns5,", "\ns2,")

    assert run(tmp_path, "--marker", "M1", *BY_LABEL, edit=twice) == 0
    assert "Each subject has one row (column id)." in capsys.readouterr().out
    assert read(tmp_path)["input"]["subject_column"] == "id"


def test_an_empty_column_is_not_taken_for_that_of_the_subjects(tmp_path, capsys):
    frame = table().with_columns(id=pl.lit(None, dtype=pl.String))
    assert run(tmp_path, "--marker", "M1", *BY_LABEL, frame=frame) == 0
    assert "was not checked: no --subject was named." in capsys.readouterr().out


def test_the_curve_of_an_earlier_search_does_not_stay(tmp_path):
    assert run(tmp_path, "--marker", "M1", *BY_LABEL) == 0
    assert (tmp_path / "out" / "curve.csv").exists()
    options = ("--arm", "trt", "--response", "score", "--endpoint", "continuous")
    assert run(tmp_path, "--marker", "M1", *options) == 0
    assert not (tmp_path / "out" / "curve.csv").exists()
