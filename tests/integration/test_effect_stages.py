"""Effects in stages: what an edited option or a new delivery makes anew, and what it does not."""

from dataclasses import replace

import polars as pl
import pytest

from assayhouse.analysis.effects import estimate_effects
from assayhouse.pipeline.convergence import convergence, tells_convergence
from assayhouse.pipeline.effect_stages import run_groups
from assayhouse.pipeline.effects import data_of_fits, effect_spec
from assayhouse.pipeline.relations import (
    derived,
    is_current,
    reading,
    recipe,
)
from assayhouse.warehouse.lake import Lake
from dagster_project.defs.convergence import convergence_metadata

from support.effects_home import (
    PARAMETERS,
    STAGES,
    build_stages,
    effects_home,
    publish_values,
    with_effects,
    with_imputation,
)

IMPUTED, FITS, POOLED = STAGES
POOLING = [
    {"df_method": "rubin1987"},
    {"conf_level": 0.9},
    {"multiplicity": "holm", "family": ["avisitn", "response"]},
    {"lambda_floor": 1e-4},
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A home with every stage built."""
    home, loaded = effects_home(tmp_path_factory.mktemp("effects") / "home")
    assert build_stages(home, loaded) == list(STAGES)
    return home, loaded


def recipes(loaded):
    return {name: recipe(loaded, name) for name in derived(loaded)}


def outdated(home, loaded):
    """Stages that are out of date before anything is built again."""
    lake = Lake(home, loaded)
    return [name for name in STAGES if not is_current(lake, loaded, name)]


@pytest.mark.parametrize("option", POOLING, ids=lambda option: next(iter(option)))
def test_an_option_of_pooling_makes_the_pooled_relation_alone_anew(built, option):
    home, loaded = built
    edited = with_effects(loaded, **option)
    before, after = recipes(loaded), recipes(edited)
    assert [name for name in before if before[name] != after[name]] == [POOLED]
    assert outdated(home, edited) == [POOLED]


def test_an_option_of_the_fit_leaves_the_imputed_values_alone(built):
    home, loaded = built
    edited = with_effects(loaded, psi="ols")
    assert outdated(home, edited) == [FITS, POOLED]
    before, after = recipes(loaded), recipes(edited)
    assert [name for name in before if before[name] != after[name]] == [FITS, POOLED]


@pytest.mark.parametrize("option", [{"m": 4}, {"seed": 5}, {"by_arm": False}])
def test_an_option_of_the_imputation_makes_all_of_them_anew(tmp_path, option):
    home, loaded = effects_home(tmp_path / "home")
    build_stages(home, loaded)
    edited = with_imputation(loaded, **option)
    assert outdated(home, edited) == list(STAGES)
    assert build_stages(home, edited) == list(STAGES)


def test_another_figure_makes_no_stage_anew(built):
    home, loaded = built
    assert outdated(home, loaded) == []
    bare = replace(loaded, study=replace(loaded.study, figures=()))
    assert recipes(bare) != recipes(loaded)
    assert outdated(home, bare) == []


def test_the_stages_end_in_what_one_call_gives(built):
    home, loaded = built
    spec = effect_spec(loaded.study)
    with reading(home, loaded, FITS) as context:
        long = data_of_fits(context)
    whole = estimate_effects(long, spec)
    rows = Lake(home, loaded).scan(POOLED).collect()
    assert rows.height > 100
    assert rows.select(whole.columns).sort(whole.columns[:6]).equals(whole.sort(whole.columns[:6]))
    assert set(rows["inputs"].str.json_decode(pl.Struct({FITS: pl.String})).struct.field(FITS)) == {
        Lake(home, loaded).head(FITS).content_hash
    }


def test_a_delivery_that_changes_one_parameter_costs_one(tmp_path):
    home, loaded = effects_home(tmp_path / "home")
    groups = loaded.effect_groups
    assert [len(members) for members in groups.values()] == [1, 2]
    assert run_groups(home, loaded, groups) == {
        group: (len(members), len(members)) for group, members in groups.items()
    }
    assert build_stages(home, loaded) == list(STAGES)
    assert sum(made for _, made in run_groups(home, loaded, groups).values()) == 0
    publish_values(Lake(home, loaded), moved=("PDC",))
    touched = {group: made for group, (_, made) in run_groups(home, loaded, groups).items()}
    assert [group for group, made in touched.items() if made] == [
        group for group, members in groups.items() if "PDC" in members
    ]
    assert sum(touched.values()) == 1
    before = Lake(home, loaded).scan(FITS).collect()
    build_stages(home, loaded)
    after = Lake(home, loaded).scan(FITS).collect()
    for paramcd in PARAMETERS:
        same = before.filter(paramcd=paramcd).equals(after.filter(paramcd=paramcd))
        assert same == (paramcd != "PDC")


def test_a_lost_part_is_made_again_to_the_same_bits(built):
    home, loaded = built
    files = sorted(home.work("sealed").glob("effects/*/*/*.parquet"))
    assert len(files) == 2 * len(PARAMETERS)
    content = {path: path.read_bytes() for path in files}
    files[0].unlink()
    files[-1].unlink()
    run_groups(home, loaded, loaded.effect_groups)
    assert {path: path.read_bytes() for path in files} == content


def test_the_imputed_relation_has_a_row_for_every_value_that_is_missing(built):
    home, loaded = built
    rows = Lake(home, loaded).scan(IMPUTED).collect()
    with reading(home, loaded, FITS) as context:
        long = data_of_fits(context)
    seen = long.filter(pl.col("aval").is_not_null()).height
    whole = len(PARAMETERS) * 120 * 3
    assert rows.height == whole - seen > 50
    assert set(rows["draws"].list.len()) == {3}
    assert (rows["draws"].list.min() > 0).all()


def test_pages_tell_counts_while_blinded_and_ranges_and_a_picture_after(built):
    home, loaded = built
    lake = Lake(home, loaded)
    told = {name: convergence_metadata(lake, name) for name in (*STAGES, "ref.arms")}
    assert told["ref.arms"] == {}
    assert told[IMPUTED]["imputations"] == 3
    assert told[FITS]["rows_ok"] == told[POOLED]["rows_ok"] > 100
    assert not [name for name in told[POOLED] if "fmi" in name or "convergence" in name]
    rows = lake.scan(POOLED).collect()
    open_facts = convergence(rows, synthetic=True, counts_only=False)
    assert open_facts.counts["imputations"] == 3
    assert open_facts.numbers["fmi_max"] == rows["fmi"].max()
    assert open_facts.numbers["mc_error_pct_of_se_median"] == pytest.approx(
        (100 * rows["mc_error"] / rows["se"]).median()
    )
    assert open_facts.picture.startswith(b"<svg")
    assert b"SYNTHETIC" in open_facts.picture
    assert [name for name in loaded.tables if tells_convergence(loaded.tables[name])] == [
        *STAGES,
    ]


def test_lists_of_numbers_keep_their_content_through_the_lake(built):
    home, loaded = built
    lake = Lake(home, loaded)
    rows = lake.scan(FITS).collect()
    again = lake.publish(
        FITS, rows.sample(fraction=1.0, shuffle=True, seed=1), inputs=lake.head(FITS).inputs,
        code_version=lake.head(FITS).code_version,
    )  # fmt: skip
    assert not again.changed
    with lake.connect(visible=frozenset(), sealed=True, only=frozenset({FITS})) as connection:
        asked = connection.sql(f"select avg(list_avg(estimates)) from {FITS} where status = 'ok'")
        mean = rows.filter(status="ok")["estimates"].list.mean().mean()
        assert asked.fetchall()[0][0] == pytest.approx(mean)
