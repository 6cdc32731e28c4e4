"""What Dagster is told of a study: assets, parents, columns, checks, sensor and schedule."""

import ast
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from assayhouse.contracts import declarations as loader
from dagster_project import checks, folder, metadata
from dagster_project.assets import assets
from dagster_project.definitions import definitions
from dagster_project.defs.collected import made_in_parts
from dagster_project.partitions import deliveries, intake_key
from dagster_project.resources import StudyHome

ROOT = Path(__file__).resolve().parents[2]
SLOW = ("great_expectations", "scipy", "matplotlib", "pyreadstat", "pandas")
LAYOUTS = {
    *("central_lab_lb", "covance_flow_fcs", "covance_flow_qc", "covance_flow_results"),
    *("dxterity_expression", "dxterity_fsa", "dxterity_sampleqc", "dxterity_scores"),
    *("epiontis_results", "epiontis_runs", "singulex_reader"),
    *("edc_cm", "edc_dm", "edc_ec", "edc_ex", "edc_requisition", "edc_response", "edc_site"),
    *("edc_vs", "irt_rand", "irt_strata", "pk_lab_pc", "pk_pool_events"),
    *("singulex_plates", "singulex_results", "singulex_wells"),
}
RECORDS = {
    *("delta_records", "deltas", "findings", "line_accounts"),
    *("quarantine", "receipts", "states"),
}
SHIPPED = {
    "intake": LAYOUTS | RECORDS,
    "raw": LAYOUTS,
    "recon": {
        *("flow_populations", "fragment_peaks", "plate_quality", "plate_wells", "qpcr_wells"),
        *("recomputed", "status"),
    },
    "ref": {
        *("arms", "cut_off_rules", "cut_offs", "layouts", "module_genes", "parameters", "sites"),
        "study",
        *("units", "visit_windows"),
    },
    "sdtm": {"be", "cm", "cp", "dm", "ec", "ex", "gf", "lb", "pc", "rs", "vs"},
    "adam": {"adbm", "adpc", "adppk", "adrs", "adsl", "module_scores", "subset_flags"},
    "ard": {
        *("baseline_associations", "baseline_means", "baseline_subsets", "cut_point_bootstrap"),
        "cut_point_chunks",
        *("cut_point_validation", "cut_points", "exposure", "exposure_response"),
        *("effects", "effects_fits", "effects_imputed", "effects_parts"),
        *("exposure_summary", "dose_proportionality", "covariate_forest", "population_fits"),
        *("population_pk", "population_predictions", "predictive_check"),
        *("median_changes", "module_cutoffs", "response_curves", "subsets"),
    },
    "report": {"figure_values", "figures", "table_values"},
    "warehouse": {"publication"},
}
STUDIES = {"shipped": None, "cdisc-pilot": ROOT / "studies" / "cdisc-pilot"}


def loaded(tmp_path, study=None):
    path = None if study is None else str(study)
    return definitions(StudyHome(home_path=str(tmp_path / "home"), study_path=path))


def graph_of(found):
    return found.resolve_asset_graph()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return loaded(tmp_path_factory.mktemp("definitions"))


def test_the_shipped_study_has_exactly_these_assets(shipped):
    expected = {dg.AssetKey([layer, name]) for layer, names in SHIPPED.items() for name in names}
    assert graph_of(shipped).get_all_asset_keys() == expected


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_assets_are_layouts_relations_and_the_publication(tmp_path, study):
    declared = loader.load(study)
    expected = {metadata.asset_key(relation) for relation in declared.tables}
    expected |= {intake_key(layout) for layout in declared.layouts}
    expected |= {dg.AssetKey(["warehouse", "publication"])}
    expected |= {parts.key for parts in made_in_parts(declared).values()}
    assert graph_of(loaded(tmp_path, study)).get_all_asset_keys() == expected


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_everything_can_be_loaded_as_dagster_loads_it(tmp_path, study):
    dg.Definitions.validate_loadable(loaded(tmp_path, study))


def test_loading_takes_under_three_seconds_of_cpu_and_leaves_slow_libraries_alone(tmp_path):
    program = (
        "import sys, time, dagster_project.definitions\n"
        f"print(time.process_time(), [name for name in {SLOW!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "ASSAYHOUSE_HOME": str(tmp_path / "home")},
    )
    seconds, _, slow = done.stdout.strip().partition(" ")
    assert slow == "[]"
    assert float(seconds) <= 3.0
    assert done.stderr == ""


def test_parents_of_an_asset_are_the_parents_declared(shipped):
    declared, graph = loader.load(), graph_of(shipped)
    collected = made_in_parts(declared)
    for relation, spec in declared.tables.items():
        if spec.layer not in ("raw", "intake"):
            parents = graph.get(metadata.asset_key(relation)).parent_keys
            wanted = set(map(metadata.asset_key, declared.parents(relation)))
            wanted |= {p.key for name, p in collected.items() if name == relation and p.awaited}
            assert parents == wanted, relation


def test_the_bootstrap_is_partitioned_by_marker_and_chunk_and_backfills_in_one_run(shipped):
    search = loader.load().study.plan.cut_points
    node = graph_of(shipped).get(dg.AssetKey(["ard", "cut_point_chunks"]))
    keys = node.partitions_def.get_partition_keys()
    assert len(keys) == len(search.markers) * search.chunks
    assert node.backfill_policy == dg.BackfillPolicy.single_run()


def test_the_effects_are_partitioned_by_assay_and_backfill_in_one_run(shipped):
    declared = loader.load()
    node = graph_of(shipped).get(dg.AssetKey(["ard", "effects_parts"]))
    assays = {declared.parameters[name].assay for name in declared.study.plan.effect_parameters}
    keys = node.partitions_def.get_partition_keys()
    assert keys == sorted(assay.replace(" ", "_") for assay in assays)
    assert len(keys) > 2
    assert node.backfill_policy == dg.BackfillPolicy.single_run()


def test_raw_rows_stand_on_their_deliveries_and_carry_no_partitions(shipped):
    declared, graph = loader.load(), graph_of(shipped)
    for layout, spec in declared.layouts.items():
        raw = graph.get(metadata.asset_key(spec.relation))
        assert raw.parent_keys == {intake_key(layout)}
        assert raw.partitions_def is None
        assert graph.get(intake_key(layout)).partitions_def == deliveries(layout)


def test_the_publication_stands_on_every_relation(shipped):
    declared = loader.load()
    node = graph_of(shipped).get(dg.AssetKey(["warehouse", "publication"]))
    assert node.parent_keys == set(map(metadata.asset_key, declared.tables))
    assert node.pools == {"duckdb_writer"}


def test_groups_are_layers(shipped):
    graph = graph_of(shipped)
    for key in graph.get_all_asset_keys():
        assert graph.get(key).group_name == key.path[0]


def test_columns_carry_label_unit_and_key(shipped):
    schema = graph_of(shipped).get(dg.AssetKey(["adam", "adbm"])).metadata["dagster/column_schema"]
    spec = loader.load().tables["adam.adbm"]
    assert [column.name for column in schema.columns] == list(spec.columns)
    by_name = {column.name: column for column in schema.columns}
    for field in spec.fields:
        assert by_name[field.name].tags.get("unit") == field.unit
        assert by_name[field.name].description.startswith(field.label)
    assert {column.name for column in schema.columns if "key" in column.tags} == set(spec.key)


def test_some_column_has_a_unit():
    schemas = map(metadata.column_schema, loader.load().tables.values())
    assert any("unit" in column.tags for schema in schemas for column in schema.columns)


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_column_lineage_names_columns_that_exist_on_both_ends(study):
    declared = loader.load(study)
    found = 0
    for relation, spec in declared.tables.items():
        lineage = metadata.column_lineage(declared, relation)
        for column, sources in (lineage.deps_by_column if lineage else {}).items():
            assert column in spec.columns
            for source in sources:
                parent = ".".join(source.asset_key.path)
                assert parent in declared.parents(relation)
                assert source.column_name in declared.tables[parent].columns
                found += 1
    assert found > 10


def test_every_delivery_keeps_its_own_check_results(shipped):
    graph = graph_of(shipped)
    for layout in loader.load().layouts:
        for name in checks.DELIVERY_CHECKS:
            node = graph.get(dg.AssetCheckKey(intake_key(layout), name))
            assert node.partitions_def == deliveries(layout)


def test_critical_rules_of_a_table_block_what_stands_on_it_and_warnings_do_not():
    declared, asked = loader.load(), 0
    for relation, spec in declared.tables.items():
        if spec.layer in ("raw", "intake"):
            continue
        rules = checks.suite_for(declared, relation)
        specs = {spec.name: spec for spec in checks.table_specs(declared, relation)}
        for rule in rules.rules if rules else ():
            assert specs[checks.check_name(rule.rule_id)].blocking == (rule.severity == "critical")
            asked += 1
    assert asked > 10


def test_synthetic_data_are_called_so_on_every_relation(shipped):
    graph = graph_of(shipped)
    for relation in loader.load().tables:
        assert "SYNTHETIC" in graph.get(metadata.asset_key(relation)).description


def test_a_real_study_is_not_called_synthetic(tmp_path):
    graph = graph_of(loaded(tmp_path, STUDIES["cdisc-pilot"]))
    assert "SYNTHETIC" not in graph.get(dg.AssetKey(["adam", "adbm"])).description


def test_every_relation_is_made_again_by_itself_and_deliveries_are_not(shipped):
    graph, declared = graph_of(shipped), loader.load()
    for relation in declared.tables:
        assert graph.get(metadata.asset_key(relation)).automation_condition is not None
    for layout in declared.layouts:
        assert graph.get(intake_key(layout)).automation_condition is None


def test_the_night_begins_at_two_in_the_zone_of_the_study(shipped):
    schedule = shipped.resolve_schedule_def("nightly")
    assert schedule.cron_schedule == "0 2 * * *"
    assert schedule.execution_timezone == loader.load().study.time_zone


def test_steps_share_one_process(shipped):
    assert shipped.executor is dg.in_process_executor


def test_assets_of_two_studies_can_stand_in_one_process():
    both = [assets(loader.load(study)) for study in STUDIES.values()]
    assert len(both[0]) != len(both[1])


def test_dagsters_own_settings_call_nobody(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "set, so that it is restored")
    monkeypatch.delenv("DAGSTER_HOME")
    settings = folder.prepare(folder.Home(tmp_path / "home")) / "dagster.yaml"
    assert "telemetry: {enabled: false}" in settings.read_text()
    assert "nux: {enabled: false}" in settings.read_text()


def test_settings_that_are_there_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "own"))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert folder.prepare(folder.Home(tmp_path / "home")) == tmp_path / "own"
    assert (tmp_path / "own" / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def decorated(module):
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and any(
            "dg." in ast.unparse(decorator) for decorator in node.decorator_list
        ):
            yield node


def test_bodies_of_assets_sensors_and_schedules_are_thin():
    seen = 0
    for module in (ROOT / "dagster_project" / "defs").glob("*.py"):
        for function in decorated(module):
            statements = [node for node in ast.walk(function) if isinstance(node, ast.stmt)]
            assert len(statements) - 1 <= 10, f"{module.name}: {function.name}"
            seen += 1
    assert seen >= 8


def test_dagsters_part_holds_no_sql():
    for module in (ROOT / "dagster_project").rglob("*.py"):
        text = module.read_text("utf-8").lower()
        if module.name != "demo.py":
            assert "select " not in text.replace("selection", ""), module
