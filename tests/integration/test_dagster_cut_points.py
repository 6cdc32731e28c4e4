"""The cut-point search in Dagster: a run stopped after seven partitions goes on with thirteen."""

import warnings
from dataclasses import replace

import dagster as dg
import pytest

from assayhouse.pipeline.cut_points import run_chunks
from dagster_project.defs.cut_points import parts_of
from dagster_project.resources import StudyHome

from support import cut_point_process as process

pytestmark = pytest.mark.slow
STOPPED_AFTER = 7


def run_range(home, parts, loaded):
    """Partitions that one run over all of them materialised, and what it says of itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        result = dg.materialize(
            [parts.asset(loaded)],
            resources={"study": StudyHome(home_path=str(home.root))},
            tags=parts.whole_range,
        )
    assert result.success
    told = [event.step_materialization_data.materialization
            for event in result.get_asset_materialization_events()]  # fmt: skip
    return {one.partition for one in told}, told[0].metadata


def test_only_the_thirteen_partitions_that_are_missing_run(tmp_path):
    study = StudyHome(home_path=str(tmp_path / "home"))
    loaded = study.declarations
    home, _ = process.trial_home(tmp_path / "home", loaded=loaded)
    every = parts_of(loaded)
    parts = replace(every, keys=tuple(k for k in every.keys if k.startswith(process.MARKER)))
    assert len(parts.keys) == process.CHUNKS
    run_chunks(home, loaded, parts.keys[:STOPPED_AFTER])
    partitions, metadata = run_range(home, parts, loaded)
    assert partitions == set(parts.keys)
    told = {name: metadata[name].value for name in ("asked", "made", "kept")}
    print(f"{parts.key.to_user_string()}: {told}")
    assert told == {"asked": 20, "made": 13, "kept": 7}
