"""A trial of four arms in the analysis datasets, for the stages of the effects."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.contracts import declarations
from assayhouse.pipeline.relations import build_relation
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

STAGES = ("ard.effects_imputed", "ard.effects_fits", "ard.effects")
PARAMETERS = ("CD19B", "PDC", "TREG")
SUBJECTS = 120


def with_effects(loaded, **options):
    """The same study with other options of its effects."""
    chosen = dict(loaded.study.plan.effects) | options
    plan = replace(loaded.study.plan, effects=chosen)
    return replace(loaded, study=replace(loaded.study, plan=plan))


def with_imputation(loaded, **options):
    """The same study with other options of its imputation."""
    return with_effects(loaded, impute=dict(loaded.study.plan.effects["impute"]) | options)


def effects_declarations():
    """The shipped study with a short analysis of three parameters of two assays."""
    loaded = declarations.load()
    plan = replace(loaded.study.plan, effect_parameters=PARAMETERS, subgroups=("IFNMOD",))
    few = replace(loaded, study=replace(loaded.study, plan=plan))
    return with_imputation(with_effects(few, responses=["abs", "chg", "log"]), m=3)


def publish(lake, relation, **columns):
    """Publish rows of which only the named columns are known."""
    spec = lake.spec(relation)
    frame = pl.DataFrame(columns)
    absent = [pl.lit(None).alias(name) for name in spec.columns if name not in frame.columns]
    lake.publish(relation, spec.conform(frame.with_columns(absent)))


def publish_values(lake, *, moved=()):
    """Values of every parameter, some of them missing; those of ``moved`` parameters doubled."""
    study = lake.declarations.study
    names = [f"S-{number:04d}" for number in range(SUBJECTS)]
    rows = []
    for position, paramcd in enumerate(PARAMETERS):
        rng = np.random.Generator(np.random.Philox(position))
        base = np.exp(rng.normal(2, 0.4, SUBJECTS))
        for visit in study.visits:
            value = base * np.exp(rng.normal(-0.1, 0.3, SUBJECTS)) * (1 + (paramcd in moved))
            lost = rng.random(SUBJECTS) < 0.1
            here = base if visit.is_baseline else value
            rows += [
                (name, paramcd, visit.AVISITN, here[at], base[at])
                for at, name in enumerate(names)
                if visit.is_baseline or not lost[at]
            ]
    names = ("USUBJID", "PARAMCD", "AVISITN", "AVAL", "BASE")
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    flags = {"ANL01FL": ["Y"] * len(rows), "blq_fl": ["N"] * len(rows)}
    publish(lake, "adam.adbm", **columns, **flags)


def effects_home(folder):
    """A home in which the stages of the effects can be built."""
    loaded, home = effects_declarations(), Home(Path(folder)).create()
    lake = Lake(home, loaded)
    names = [f"S-{number:04d}" for number in range(SUBJECTS)]
    arms = [arm.ARMCD for arm in loaded.study.arms]
    strata = {
        name: ["Y" if number % (5 + at) < 2 else "N" for number in range(SUBJECTS)]
        for at, name in enumerate(loaded.study.strata)
    }
    of = [arms[number % len(arms)] for number in range(SUBJECTS)]
    publish(lake, "adam.adsl", USUBJID=names, ARMCD=of, SAFFL=["Y"] * SUBJECTS, **strata)
    level = ["high" if number % 3 else "low" for number in range(SUBJECTS)]
    cut = ["IFNMOD"] * SUBJECTS
    publish(lake, "adam.subset_flags", USUBJID=names, cut_off=cut, level=level)
    publish_values(lake)
    for relation in ("ref.study", "ref.arms", "ref.visit_windows", "ref.parameters"):
        build_relation(home, loaded, relation)
    return home, loaded


def build_stages(home, loaded):
    """Build the stages one after the other; those whose content has changed."""
    return [name for name in STAGES if build_relation(home, loaded, name).changed]
