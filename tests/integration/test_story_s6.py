"""The biostatistician's cut-point run: what is stored, what it may read, what it says.

That a run stopped after seven of twenty partitions resumes to the same bits is in
`test_cut_point_partitions.py`; how often the p of the whole procedure errs, in `bench`.
"""

import json

import numpy as np
import pytest

from assayhouse.pipeline.cut_point_chunks import RELATION
from assayhouse.pipeline.relations import build_relation
from assayhouse.report.cut_point_section import cut_point_section
from assayhouse.warehouse.lake import Lake

from support import cut_point_process as process

pytestmark = pytest.mark.slow
BUILT = (RELATION, "ard.cut_points", "ard.cut_point_validation")
OPTIONS = {"test", "candidates", "direction", "min_cell", "min_share", "n_boot", "n_null", "null"}


def run(folder, *, markers=(process.MARKER,), order=None, subjects=240, options=None, **trial):
    """The three relations of a search, by name, and their content hashes."""
    loaded = process.search_declarations(markers=markers, **({"n_null": 199} | (options or {})))
    home, _ = process.trial_home(
        folder / "home", loaded=loaded, order=order, subjects=subjects, **trial
    )
    for relation in BUILT:
        build_relation(home, loaded, relation)
    lake = Lake(home, loaded)
    tables = {name: lake.scan(name).collect() for name in BUILT}
    return tables, process.files(home, loaded)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return run(tmp_path_factory.mktemp("planted"))


def found(tables):
    return tables["ard.cut_points"].row(0, named=True)


def test_the_cuts_of_all_resamples_are_stored_with_median_interval_and_quartiles(planted):
    tables, _ = planted
    row = found(tables)
    cuts = tables[RELATION].sort("replicate")["cut"]
    assert tables[RELATION]["replicate"].sort().to_list() == list(range(process.SAMPLES))
    known = cuts.drop_nulls().to_numpy()
    assert row["threshold"] == np.median(known)
    quantiles = np.quantile(known, [0.025, 0.25, 0.75, 0.975]).tolist()
    assert [row[name] for name in ("ci_lo", "iqr_lo", "iqr_hi", "ci_hi")] == quantiles
    assert row["n_failed"] == cuts.null_count()


def test_every_option_is_explicit_and_printed_with_the_result(planted):
    rules = json.loads(found(planted[0])["rules"])
    assert set(rules) >= OPTIONS
    assert rules["test"] == "lrt"


@pytest.mark.parametrize("test", ["wald", "firth"])
def test_another_test_is_another_result_and_says_so(planted, tmp_path, test):
    row = found(run(tmp_path, options={"test": test})[0])
    assert json.loads(row["rules"])["test"] == test
    assert row["statistic"] != found(planted[0])["statistic"]


def test_groups_of_which_all_or_none_respond_are_handled_not_skipped(tmp_path):
    tables, _ = run(tmp_path, low=0.3, high=1.0)
    row = found(tables)
    print(f"{row['n_zero_cell']} of {row['n_boot']} cuts rest on a cell where all or none respond")
    assert row["n_zero_cell"] > 10
    assert row["n_failed"] == 0
    assert row["statistic"] is not None
    assert row["ci_lo"] <= process.TRUE_CUT <= row["ci_hi"]
    assert row["p_adjusted"] == 1 / 200


def test_the_p_reported_is_that_of_the_whole_procedure_and_the_other_is_labelled(planted):
    tables, _ = planted
    row = found(tables)
    assert "null, 199 draws" in row["p_method"]
    assert "p_naive is the p at the chosen cut and no valid inference" in row["method"]
    page = cut_point_section(tables["ard.cut_points"], tables["ard.cut_point_validation"], None)
    assert "no valid inference" in str(page)
    assert "p of the whole search" in str(page)


def test_the_search_cannot_read_the_arms_that_check_it(planted, tmp_path):
    """Other markers and responses in those arms: every chunk and the cut are the same bits."""
    loaded = process.search_declarations()
    others = process.declared_search(loaded).validation
    tables, files = run(tmp_path, turned=others)
    assert files == planted[1]
    columns = [name for name in planted[0]["ard.cut_points"].columns if name != "inputs"]
    search = [one["ard.cut_points"].select(columns) for one in (tables, planted[0])]
    assert search[0].equals(search[1])
    checks = [one["ard.cut_point_validation"]["p"].to_list() for one in (tables, planted[0])]
    assert checks[0] != checks[1]
    assert set(tables["ard.cut_point_validation"]["arm"]) == set(others)


def test_a_planted_cut_is_covered_and_found(planted):
    row = found(planted[0])
    print(f"planted 0.3, found {row['threshold']:.3f} ({row['ci_lo']:.3f} to {row['ci_hi']:.3f})")
    assert row["ci_lo"] <= process.TRUE_CUT <= row["ci_hi"]
    assert row["p_adjusted"] <= 0.05
    assert "more than chance" in row["verdict"]


def test_without_a_cut_the_report_says_that_there_is_none(tmp_path):
    tables, _ = run(tmp_path, low=0.45, high=0.45)
    row = found(tables)
    assert row["threshold"] is not None, "a median always exists"
    assert row["p_adjusted"] > 0.05
    page = cut_point_section(tables["ard.cut_points"], tables["ard.cut_point_validation"], None)
    assert "No evidence of a cut" in str(page)


def test_the_order_of_rows_and_markers_and_the_engine_change_nothing(planted, tmp_path):
    turned = np.random.Generator(np.random.Philox(1)).permutation(240)
    tables, files = run(tmp_path / "a", order=turned)
    assert files == planted[1]
    both = []
    for markers in (("IKZF3L", process.MARKER), (process.MARKER, "IKZF3L")):
        made, _ = run(tmp_path / markers[0], markers=markers)
        both.append(made["ard.cut_points"].sort("marker").drop("spec_hash", "inputs"))
    assert both[0].equals(both[1])
    alone = planted[0]["ard.cut_points"].drop("spec_hash", "inputs")
    assert both[0].filter(marker=process.MARKER).equals(alone)
    by_numpy, _ = run(tmp_path / "numpy", options={"engine": "numpy"})
    ours, theirs = (one[RELATION].sort("replicate") for one in (tables, by_numpy))
    for name in ("cut", "n_used", "zero_cell_fl"):
        assert ours[name].equals(theirs[name])
    np.testing.assert_allclose(ours["statistic"], theirs["statistic"], rtol=1e-12)
