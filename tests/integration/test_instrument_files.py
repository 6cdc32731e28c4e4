"""From instrument files in landing to compared values: truth recovered, planted errors named."""

import base64
import shutil
from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest

from assayhouse.contracts import declarations as shipped
from assayhouse.contracts.vendor_file import read_layout
from assayhouse.derive.flow_populations import panel_gates
from assayhouse.instruments.fcs import read_fcs
from assayhouse.pipeline import delivery
from assayhouse.pipeline.instrument_pictures import pictures_of
from assayhouse.pipeline.instrument_values import files_of
from assayhouse.pipeline.relations import build_relation, reading
from assayhouse.simulate.study import simulate_study
from assayhouse.warehouse import parts, slices
from assayhouse.warehouse.lake import Lake
from dagster_project.defs.instrument_pictures import instrument_metadata
from dagster_project.defs.verdicts import verdict_metadata

from support.deliveries import Bench, manifest_of
from support.gating_files import axis, flowjo_gate, population, sample, scale, vertices, workspace

LAYOUTS = (
    *("edc.site", "edc.dm", "central_lab.lb", "covance_flow.results", "epiontis.results"),
    *("singulex.results", "singulex.wells", "singulex.plates", "dxterity.expression"),
    *("covance_flow.fcs", "dxterity.fsa", "singulex.reader", "epiontis.runs"),
)
INSTRUMENT = tuple(name for name in LAYOUTS if name in {*LAYOUTS[-4:]})
BUILT = (
    *("sdtm.dm", "recon.flow_populations", "recon.fragment_peaks", "recon.plate_wells"),
    *("recon.qpcr_wells", "recon.plate_quality", "recon.recomputed"),
)


def study():
    base = shipped.load()
    own = replace(base.study, layouts=LAYOUTS)
    return replace(base, study=own, layouts={name: base.layouts[name] for name in LAYOUTS})


@pytest.fixture(scope="module")
def simulated():
    return simulate_study(seed=20190304, faults=False, layouts=LAYOUTS)


@pytest.fixture(scope="module")
def bench(tmp_path_factory, simulated):
    made = Bench(tmp_path_factory.mktemp("instruments") / "home", study())
    for transfer in simulated.transfers[:2]:
        for path, content in transfer.files.items():
            vendor, _, name = path.partition("/")
            made.drop(name, content, vendor=vendor)
        made.scan()
        for outcome in made.ingest_all():
            assert outcome.state == "PUBLISHED", (outcome.layout, outcome.why, outcome.findings)
    for relation in BUILT:
        build_relation(made.home, made.declarations, relation)
    return made


@pytest.fixture(scope="module")
def compared(bench, simulated):
    """Every value of an instrument file, beside what was planted in it."""
    truth = pl.DataFrame([
        {"REFID": item.refid, "TESTCD": item.testcd, "planted": item.true, "scale": item.scale,
         "error": item.error, "instrument_file": item.file}
        for item in simulated.instrument_values
    ])  # fmt: skip
    told = bench.table("recon.recomputed").filter(pl.col("basis") == "instrument")
    return told.join(truth, on=["REFID", "TESTCD", "instrument_file"], how="full", coalesce=True)


def test_recomputed_values_are_the_planted_truth(compared):
    known = compared.filter(pl.col("recomputed").is_not_null())
    gap = pl.when(pl.col("scale") == "log2").then(
        pl.lit(2.0).pow(pl.col("recomputed") - pl.col("planted"))
    ).otherwise(pl.col("recomputed") / pl.col("planted"))  # fmt: skip
    off = known.with_columns((100.0 * (gap - 1.0)).abs().alias("off"))
    told = off.group_by("layout").agg(pl.len(), pl.col("off").max(), pl.col("tolerance_pct").max())
    print(told.sort("layout"))
    print(compared.filter(pl.col("recomputed").is_null()).select("layout", "TESTCD", "reason"))
    assert (off["off"] <= off["tolerance_pct"]).all()
    assert known.height > 0.9 * compared.height


def test_every_planted_error_is_found_and_named(compared):
    known = compared.filter(pl.col("recomputed").is_not_null())
    print(known.group_by("error", "verdict", "suspicion").len().sort("error"))
    wrong = known.filter(pl.col("error") != "")
    assert wrong.filter(pl.col("suspicion") != pl.col("error")).is_empty()
    assert set(wrong["error"]) == {
        *("swapped wells", "wrong dilution", "wrong sex factor", "edited result")
    }
    assert (wrong["verdict"] == "differ").all()
    sound = known.filter(pl.col("error") == "")
    assert (sound["verdict"] == "agree").all()
    assert sound["suspicion"].null_count() == sound.height


def test_the_page_of_the_relation_counts_verdicts_and_reasons(bench, compared):
    lake = Lake(bench.home, bench.declarations)
    told = verdict_metadata(lake, "recon.recomputed")["verdicts"].value
    assert sum(told.values()) == bench.table("recon.recomputed").height
    swapped = compared.filter(pl.col("suspicion") == "swapped wells").height
    assert told["instrument: differ, swapped wells"] == swapped > 0
    assert told["instrument: agree"] == compared.filter(pl.col("verdict") == "agree").height
    assert "parts: differ" not in " ".join(told)
    assert verdict_metadata(lake, "recon.plate_wells") == {}


def test_values_without_a_file_keep_the_verdict_of_their_parts(bench):
    told = bench.table("recon.recomputed").filter(pl.col("basis") == "parts")
    assert told.height > 1000
    assert "differ" not in told["verdict"]
    assert told["suspicion"].null_count() == told.height


def test_sizes_counts_and_copies_stand_between_file_and_result(bench):
    peaks = bench.table("recon.fragment_peaks")
    assert peaks["status"].null_count() == peaks.height
    assert ((peaks["size_bp"] - peaks["expected_bp"]).abs() < 0.25).all()
    counted = bench.table("recon.flow_populations")
    assert set(counted["panel"]) == {"B", "T-NK"}
    assert (counted["count_cv_pct"] > 0).all()
    copies = bench.table("recon.qpcr_wells")
    assert copies["efficiency"].is_between(0.9, 1.1).all()


def test_plates_are_judged_as_delivered_and_as_read_again(bench):
    quality = bench.table("recon.plate_quality")
    print(quality.group_by("source", "check", "passed_fl").len().sort("source", "check"))
    assert set(quality["source"]) == {"delivered", "instrument"}
    own = quality.filter(pl.col("source") == "instrument")
    assert set(own["check"]) >= {"recovery", "cv", "lloq", "blank"}
    assert (own.filter(pl.col("check") == "recovery")["passed_fl"] == "Y").all()
    charts = quality.filter(pl.col("check") == "control_chart_3sd")
    assert charts["passed_fl"].drop_nulls().len() > 50


def test_pictures_of_the_last_files_stand_on_the_page_of_their_relation(bench):
    study = SimpleNamespace(home=bench.home, declarations=bench.declarations)
    wanted = {
        "recon.flow_populations": (2, "LYMPH"), "recon.fragment_peaks": (2, "peaks called"),
        "recon.plate_wells": (1, "unknowns"), "recon.qpcr_wells": (1, "amplification curves"),
    }  # fmt: skip
    for relation, (count, words) in wanted.items():
        found = instrument_metadata(study, relation)
        assert len(found) == count, relation
        for picture in found.values():
            encoded = picture.value.partition("base64,")[2].rstrip(")")
            svg = base64.b64decode(encoded)
            assert len(svg) < 50_000
            assert words in svg.decode()
    assert instrument_metadata(study, "recon.plate_quality") == {}
    assert instrument_metadata(study, "sdtm.dm") == {}


def test_a_panel_gated_in_flowjo_has_its_picture(bench, tmp_path):
    """The workspace's box and, within it, its ellipse: named by their last part, with counts."""
    foci = f"<gating:foci>{vertices((40, 60), (80, 60))}</gating:foci>"
    edge = f"<gating:edge>{vertices((10, 60), (110, 60))}</gating:edge>"
    ring = flowjo_gate("EllipsoidGate", axis("FSC-A") + axis("SSC-A") + foci + edge)
    box = flowjo_gate("RectangleGate", axis("FSC-A", low=0) + axis("SSC-A", low=0))
    scales = "".join(scale("linear", name, minRange=0, maxRange=262144)
                     for name in ("FSC-A", "SSC-A"))  # fmt: skip
    tree = population("Cells/all", box, inside=[population("Ring", ring)])
    path = tmp_path / "panel.wsp"
    path.write_bytes(workspace(sample("any", tree, scales=scales)))
    layout = bench.declarations.layouts["covance_flow.fcs"]
    flow = layout.instrument.flow
    flow = replace(flow, panels=tuple(replace(panel, gates=path) for panel in flow.panels))
    layout = replace(layout, instrument=replace(layout.instrument, flow=flow))
    declared = replace(
        bench.declarations, layouts={**bench.declarations.layouts, layout.layout: layout}
    )
    with reading(bench.home, declared, "recon.flow_populations") as context:
        pictures = pictures_of(bench.home, declared, context.mapped, ("flow_files",))
        files = list(files_of(context, "flow_files"))[-2:]
    assert len(pictures) == 2
    for picture, file in zip(pictures, files, strict=True):
        fcs = read_fcs(file.path)
        inside = panel_gates(fcs, flow.panels[0]).inside()
        drawn = picture.svg.decode()
        assert 0 < inside["Cells%2Fall/Ring"].sum() < inside["Cells%2Fall"].sum()
        assert f"all events: {fcs.n_events} events" in drawn
        assert f"Cells/all {int(inside['Cells%2Fall'].sum())}" in drawn
        assert f"Ring {int(inside['Cells%2Fall/Ring'].sum())}" in drawn
        assert f"Cells/all: {int(inside['Cells%2Fall'].sum())} events" in drawn


def damaged(bench, name, content, layout):
    """Send one more file and say what became of it."""
    vendor = layout.split(".")[0]
    bench.drop(name, content, vendor=vendor)
    sidecar = manifest_of(
        {name: (layout, content, 1)}, transfer=2, vendor=vendor, mode="incremental"
    )
    bench.drop(name + ".manifest.json", sidecar, vendor=vendor)
    (receipt,) = bench.scan()
    return bench.ingest(receipt.number)


@pytest.fixture
def again(bench, tmp_path):
    """A copy of the home, to send bad files to."""
    shutil.copytree(bench.home.root, tmp_path / "home", symlinks=True)
    return Bench(tmp_path / "home", bench.declarations)


def file_like(simulated, end):
    return next(
        content
        for transfer in simulated.transfers
        for path, content in transfer.files.items()
        if path.endswith(end)
    )


BAD = {
    rule: (layout, end, change)
    for layout, end, change, rule in [
        ("covance_flow.fcs", ".fcs", lambda data: data[:-4000], "INSTRUMENT-DATA-TRUNCATED"),
        ("covance_flow.fcs", ".fsa", lambda data: data, "INSTRUMENT-FORMAT"),
        ("dxterity.fsa", ".fsa", lambda data: data[:9000], "INSTRUMENT-TRUNCATED"),
        ("epiontis.runs", ".rdml", lambda _data: b"", "INSTRUMENT-EMPTY-FILE"),
        ("singulex.reader", "BLYS-101.csv", lambda data: data[:3000], "INSTRUMENT-TRUNCATED CSV"),
    ]
}


@pytest.mark.parametrize("rule", BAD)
def test_a_bad_file_is_a_rejected_delivery_with_its_typed_error(again, simulated, rule):
    layout, end, change = BAD[rule]
    rule = rule.removesuffix(" CSV")
    outcome = damaged(again, f"bad_{end}", change(file_like(simulated, end)), layout)
    assert outcome.state == "REJECTED"
    assert rule in {finding.rule for finding in outcome.findings}
    assert delivery.pending(again.home, again.declarations) == ()


def test_a_quirk_is_a_warning_and_the_file_is_served(again, simulated):
    content = file_like(simulated, "_T-NK.fcs")
    content = content.replace(b"|$P4N|PE-A", b"|$P4N|FITC", 1)
    content = content.replace(b"|$P3N|FITC-A", b"|$P3N|FITC  ", 1)
    outcome = damaged(again, "quirk.fcs", content, "covance_flow.fcs")
    assert outcome.state == "PUBLISHED"
    assert [finding.rule for finding in outcome.findings] == ["INSTRUMENT-DUPLICATE-CHANNEL-NAMES"]
    build_relation(again.home, again.declarations, "recon.flow_populations")
    told = again.table("recon.flow_populations").filter(pl.col("source_file") == "quirk.fcs")
    assert told.select("status", "flags").rows() == [("DAMAGED", "duplicate_channel_names")]


def test_the_same_file_again_changes_nothing_and_another_of_its_name_replaces_it(again, simulated):
    before = again.table("recon.flow_populations")
    name, content = next(
        (path.rpartition("/")[2], data)
        for path, data in simulated.transfers[0].files.items()
        if path.endswith("_B.fcs")
    )
    assert damaged(again, name, content, "covance_flow.fcs").why.endswith("nothing new")
    build_relation(again.home, again.declarations, "recon.flow_populations")
    assert again.table("recon.flow_populations").equals(before)


OTHER = """layout: acme.luminex
version: "1.0"
label: Plates of another laboratory
reader: instrument
file_pattern: '^.+[.]csv$'
manifest: required
mode: incremental
key: [FILE]
columns:
  - {name: FILE, label: File, required: true}
  - {name: INSTRUMENT, label: Instrument}
  - {name: FLAGS, label: Quirks}
instrument:
  technology: immunoassay
  formats: [xponent]
  immunoassay: {signals: [Median], analytes: {a: TESTA}, dilutions: {TESTA: 4}}
maps_to:
  - relation: plate_files
    columns: {flags: FLAGS}
"""


def xponent():
    """An export of another maker: eight standards and one specimen of two analytes."""
    lines = ['"Program","xPONENT","","FlexMAP 3D"', '"SN","F1"', '"Batch","B1"', '"Results"', ""]
    head = '"Location","Sample","a","b","Total Events"'
    levels = [2.0**step for step in range(8)]
    signals = [20_000 - 19_900 / (1 + level / 20) for level in [*levels, 10.0]]
    names = [*(f"Standard{n}" for n in range(1, 9)), "ACC1"]
    lines += ['"DataType:","Median"', head]
    lines += [
        f'"{n}(1,A{n})","{name}","{signal:.2f}","{signal / 2:.2f}","9"'
        for n, (name, signal) in enumerate(zip(names, signals, strict=True), start=1)
    ]
    lines += ["", '"DataType:","Standard Expected Concentration"', '"Reagent","a","b"']
    lines += [f'"Standard{n}","{level}","{level}"' for n, level in enumerate(levels, start=1)]
    return "\n".join([*lines, "", "-- CRC --", "CRC32: 0", ""]).encode()


def test_a_plate_of_another_maker_needs_its_declaration_only(tmp_path):
    (tmp_path / "acme.luminex.yaml").write_text(OTHER)
    layout = read_layout(tmp_path / "acme.luminex.yaml")
    base = shipped.load()
    other = replace(base, layouts={layout.layout: layout}, study=replace(
        base.study, layouts=(layout.layout,)))  # fmt: skip
    bench = Bench(tmp_path / "home", other)
    bench.drop("one.csv", xponent(), vendor="acme")
    sidecar = manifest_of(
        {"one.csv": (layout.layout, xponent(), 1)}, vendor="acme", mode="incremental"
    )
    bench.drop("one.csv.manifest.json", sidecar, vendor="acme")
    bench.scan()
    assert [outcome.state for outcome in bench.ingest_all()] == ["PUBLISHED"]
    build_relation(bench.home, other, "recon.plate_wells")
    build_relation(bench.home, other, "recon.plate_quality")
    quality = bench.table("recon.plate_quality")
    assert set(quality["source"]) == {"instrument"}
    assert (quality.filter(pl.col("check") == "recovery")["passed_fl"] == "Y").all()
    found = bench.table("recon.plate_wells").filter(pl.col("REFID") == "ACC1")
    assert found["TESTCD"].to_list() == ["TESTA", "b"]
    assert found["dilution"].to_list() == [4.0, 1.0]
    assert (found["concentration"] - 10.0).abs().max() < 0.01


def test_what_a_file_does_not_give_is_not_recomputable_with_its_reason(again, simulated):
    content = file_like(simulated, "_G03.fsa").replace(b"GS600LIZ", b"GS500LIZ")
    assert damaged(again, "again.fsa", content, "dxterity.fsa").state == "PUBLISHED"
    for relation in ("recon.fragment_peaks", "recon.recomputed"):
        build_relation(again.home, again.declarations, relation)
    told = again.table("recon.recomputed").filter(pl.col("instrument_file") == "again.fsa")
    assert told.height == 19
    assert set(told.select("verdict", "reason", "suspicion").rows()) == {
        ("not_recomputable", "SIZING FAILED", None)
    }


def other_specimen(simulated, end):
    """A file of the study, of a specimen that nobody reported a value of."""
    content = file_like(simulated, end)
    refid = next(item.refid for item in simulated.instrument_values if item.file.endswith(end))
    assert refid.encode() in content
    return content.replace(refid.encode(), (refid[:3] + "9" * len(refid[3:])).encode())


def test_a_file_without_a_reported_value_has_rows_that_say_so(again, simulated):
    tube = other_specimen(simulated, "_B.fcs")
    trace = other_specimen(simulated, "_G03.fsa").replace(b"GS600LIZ", b"GS500LIZ")
    assert damaged(again, "lone.fcs", tube, "covance_flow.fcs").state == "PUBLISHED"
    assert damaged(again, "lone.fsa", trace, "dxterity.fsa").state == "PUBLISHED"
    for relation in ("recon.flow_populations", "recon.fragment_peaks", "recon.recomputed"):
        build_relation(again.home, again.declarations, relation)
    table = again.table("recon.recomputed")
    told = table.filter(pl.col("source_file").str.starts_with("lone"))
    assert set(told.select("layout", "basis", "verdict", "reason", "suspicion").rows()) == {
        ("covance_flow.fcs", "instrument", "not_recomputable", "NO RESULT REPORTED", None),
        ("dxterity.fsa", "instrument", "not_recomputable", "NO RESULT REPORTED; SIZING FAILED",
         None),
    }  # fmt: skip
    page = verdict_metadata(Lake(again.home, again.declarations), "recon.recomputed")["verdicts"]
    why = "instrument: not_recomputable, NO RESULT REPORTED"
    assert page.value[f"{why}; SIZING FAILED"] + page.value[why] == told.height
    assert told["recomputed"].null_count() == told.height
    assert (told["instrument_file"] == told["source_file"]).all()
    assert dict(told.group_by("vendor").len().iter_rows())["dxterity"] == 19
    assert table.filter(pl.col("reason") == "NO RESULT REPORTED").height + 19 == told.height


@pytest.mark.parametrize("rows", [20_000, 1_500])
def test_a_large_study_s_rows_are_made_in_parts_and_are_the_same(
    again, simulated, monkeypatch, rows
):
    """Planted errors named, a specimen without a value told: as made at once, in parts."""
    tube = other_specimen(simulated, "_B.fcs")
    assert damaged(again, "lone.fcs", tube, "covance_flow.fcs").state == "PUBLISHED"
    build_relation(again.home, again.declarations, "recon.flow_populations")
    once = build_relation(again.home, again.declarations, "recon.recomputed")
    frames = []

    def counted(root, written, spec):
        return parts_write(root, (frames.append(frame.height) or frame for frame in written), spec)

    parts_write = parts.write
    monkeypatch.setattr(parts, "write", counted)
    monkeypatch.setattr(slices, "SLICE_ROWS", rows)
    told = build_relation(again.home, again.declarations, "recon.recomputed")
    assert not told.changed
    assert told.content_hash == once.content_hash
    assert sum(frames) == told.rows > 5_000
    assert max(frames) <= rows
    assert not list((again.home.root / "draft").iterdir())
