"""A trial of two arms in the analysis datasets, and a process that makes its bootstrap chunks."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.contracts import declarations
from assayhouse.pipeline.cut_point_chunks import declared_search, work_folder
from assayhouse.pipeline.cut_points import run_chunks
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

MARKER, CHUNKS, SAMPLES, TRUE_CUT = "IFNMODL", 20, 100, 0.3


def search_declarations(*, markers=(MARKER,), **options):
    """The shipped study with a short search over one marker."""
    loaded = declarations.load()
    search = declared_search(loaded)
    short = replace(
        search,
        markers=markers,
        chunks=CHUNKS,
        options={**search.options, "n_boot": SAMPLES, "n_null": 19, **options},
    )
    plan = replace(loaded.study.plan, cut_points=short)
    return replace(loaded, study=replace(loaded.study, plan=plan))


def _publish(lake, relation, **columns):
    """Publish rows of which only the named columns are known."""
    spec = lake.spec(relation)
    frame = pl.DataFrame(columns)
    absent = [pl.lit(None).alias(name) for name in spec.columns if name not in frame.columns]
    lake.publish(relation, spec.conform(frame.with_columns(absent)))


def trial(search, *, subjects=160, low=0.3, high=0.8, turned=()):
    """Subject, arm, marker and response; active arms respond more often above the cut.

    Responses of the arms in ``turned`` are exchanged, and their marker changes its sign.
    """
    rng = np.random.Generator(np.random.Philox(5))
    arms = np.array([search.active, search.control, *search.validation])
    arm = arms[np.arange(subjects) % len(arms)]
    value = rng.normal(size=subjects)
    chance = np.where((arm != search.control) & (value > TRUE_CUT), high, low)
    response = (rng.random(subjects) < chance).astype(float)
    other = np.isin(arm, turned)
    return pl.DataFrame(
        {
            "name": [f"S-{number:04d}" for number in range(subjects)],
            "arm": arm,
            "value": np.where(other, -value, value),
            "second": rng.normal(size=subjects),
            "response": np.where(other, 1 - response, response),
        }
    )


def trial_home(folder, *, loaded=None, order=None, **trial_options):
    """A home whose analysis datasets hold one or two markers and one response per subject."""
    loaded = loaded or search_declarations()
    home = Home(Path(folder)).create()
    lake, search = Lake(home, loaded), declared_search(loaded)
    people = trial(search, **trial_options)
    if order is not None:
        people = people[order]
    names, subjects = people["name"].to_list(), people.height
    _publish(lake, "adam.adsl", USUBJID=names, ARMCD=people["arm"], SAFFL=["Y"] * subjects)
    values = {name: "value" if name == MARKER else "second" for name in search.markers}
    _publish(
        lake,
        "adam.adbm",
        USUBJID=names * len(values),
        PARAMCD=[marker for marker in values for _ in names],
        AVAL=pl.concat([people[column].alias("AVAL") for column in values.values()]),
        ABLFL=["Y"] * subjects * len(values),
        SRCDOM=["GX"] * subjects * len(values),
        SRCSEQ=[1] * subjects * len(values),
    )
    _publish(
        lake,
        "adam.adrs",
        USUBJID=names,
        PARAMCD=[search.endpoint] * subjects,
        AVISITN=[search.visit] * subjects,
        AVAL=people["response"],
    )
    return home, loaded


def files(home, loaded):
    """Chunk files of a home with their bytes, by number."""
    found = sorted(work_folder(home, loaded).rglob("*.parquet"))
    return {int(path.stem): path.read_bytes() for path in found}


def keys(loaded):
    """Names of all chunks, in order."""
    return list(declared_search(loaded).parts)


def main(folder, order, stop):
    """Make all chunks; with ``stop`` die by SIGKILL when that many are made."""
    home, loaded = Home(Path(folder)), search_declarations()
    begun = []

    def tell(key):
        if len(begun) == stop:
            os.kill(os.getpid(), signal.SIGKILL)
        begun.append(key)
        sys.stdout.write(f"{key}\n")
        sys.stdout.flush()

    wanted = keys(loaded)
    made = run_chunks(home, loaded, wanted[::-1] if order == "backward" else wanted, tell=tell)
    sys.stdout.write(f"made {len(made)}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
