"""Laboratory files of the clean study: dialects, keys, and parts that give the whole."""

import csv
import json
import math
from datetime import datetime

import numpy as np
import pytest

from assayhouse.simulate import draw_trial, simulate_study
from assayhouse.simulate.calibration import SUBJECTS_PER_ARM
from assayhouse.simulate.cells import planted_cell_means, populations
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.expression import MODULES, REFERENCE_GENES
from assayhouse.simulate.truth import parameters
from assayhouse.simulate.vendor_layouts import CYTOKINE_LAYOUTS, LAYOUT_NAMES

from support.simulated import LAYOUTS, keys, lines_of, records

SEED = 20190304
LABORATORIES = sorted(
    name
    for name in LAYOUT_NAMES
    if LAYOUTS[name].vendor not in {"edc", "irt", "singulex", "pk_pool"}
)
WEEKS = {"WEEK 4": 4, "WEEK 12": 12, "WEEK 24": 24}
CLINIC = tuple(name for name in LAYOUT_NAMES if LAYOUTS[name].vendor == "edc")


@pytest.fixture(scope="module")
def clean():
    return simulate_study(seed=SEED, faults=False)


@pytest.fixture(scope="module")
def last(clean):
    return {name: records(clean.transfers[3], name) for name in [*LABORATORIES, *CLINIC]}


@pytest.fixture(scope="module")
def drawn():
    long = draw_trial(seed=SEED, subjects_per_arm=SUBJECTS_PER_ARM, missing=True)
    return {
        (row["usubjid"][12:], row["paramcd"], row["avisitn"]): row
        for row in long.drop_nulls("aval").iter_rows(named=True)
    }


def minutes(text):
    return datetime.fromisoformat(text).timestamp() / 60


def test_every_layout_has_its_file_in_every_transfer_but_what_is_over_or_not_begun(clean):
    for transfer in clean.transfers:
        held = {
            entry["layout"]
            for path, text in transfer.files.items()
            if path.endswith(".manifest.json")
            for entry in json.loads(text)["files"]
        }
        missing = set(LAYOUT_NAMES) - held
        over = {"irt.rand", "irt.strata", "pk_pool.events"}
        expected = {"pk_lab.pc", "edc.ec"} if transfer.number == 1 else over
        assert missing == expected


def test_a_file_does_not_depend_on_the_others_that_are_made(clean):
    few = simulate_study(seed=SEED, faults=False, layouts=["epiontis.results", "edc.vs"])
    for transfer, whole in zip(few.transfers, clean.transfers, strict=True):
        for path, content in transfer.files.items():
            assert "manifest" in path or whole.files[path] == content
    assert sum("manifest" not in path for path in few.transfers[0].files) == 2


@pytest.mark.parametrize("wanted", [["singulex.blots"], []])
def test_a_layout_the_study_does_not_have_is_refused(wanted):
    with pytest.raises(SimulationError, match="Choose from"):
        simulate_study(layouts=wanted)


def test_cytokine_files_are_the_same_without_the_other_vendors(clean):
    few = simulate_study(seed=SEED, faults=False, layouts=CYTOKINE_LAYOUTS)
    for transfer, whole in zip(few.transfers, clean.transfers, strict=True):
        assert all(
            whole.files[path] == content
            for path, content in transfer.files.items()
            if "manifest" not in path
        )


@pytest.mark.parametrize("name", LABORATORIES)
def test_laboratory_files_are_cumulative_with_unique_keys(clean, name):
    before = {}
    for transfer in clean.transfers:
        if name == "pk_lab.pc" and transfer.number == 1:
            continue
        rows = records(transfer, name)
        now = dict(zip(keys(rows, name), rows, strict=True))
        assert len(now) == len(rows)
        assert before.items() <= now.items()
        assert len(now) > len(before)
        before = now


@pytest.mark.parametrize("name", ["covance_flow.results", "covance_flow.qc", "epiontis.results"])
def test_unquoted_files_keep_their_dialect(clean, name):
    lines, layout = lines_of(clean.transfers[3], name), LAYOUTS[name]
    body = lines[:-2] if layout.dialect.trailer else lines[:-1]
    widths = {line.count(layout.dialect.delimiter) for line in body}
    assert widths == {len(layout.columns) - 1}
    assert not any('"' in line for line in lines)
    assert layout.dialect.trailer == "" or lines[-2] == f"#END|{len(lines) - 3}"


def test_the_clinical_file_says_how_many_records_it_has(clean):
    lines = lines_of(clean.transfers[3], "central_lab.lb")
    metadata = json.loads(lines[0])
    assert metadata["records"] == len(lines) - 2
    assert [column["name"] for column in metadata["columns"]] == list(
        LAYOUTS["central_lab.lb"].columns
    )
    assert metadata["datasetJSONVersion"] == "1.1.0"


def test_no_open_file_speaks_of_treatment(clean):
    words = [b"PBO", b"IB0", b"lacebo", b"berdomide", b"0.45 mg", b"0.3 mg", b"0.15 mg"]
    sealed = ("-rand_", "-ex_", "-pc_")
    # Numbers of two and four bytes spell any three letters sooner or later.
    sealed += (".fcs", ".fsa", ".rdml")
    for transfer in clean.transfers:
        for path, held in transfer.files.items():
            if not any(part in path for part in sealed):
                assert not any(word in held for word in words), path


def test_counts_follow_from_events_beads_volume_and_dilution(last):
    compared = 0
    for row in last["covance_flow.results"]:
        if row["METHOD"] != "SINGLE" or row["STATUS"] == "C" or row["BLQFL"] == "Y":
            continue
        count = int(row["EVT"]) / int(row["BEADEVT"]) * int(row["BEADCNT"])
        count *= int(row["DIL"]) / int(row["SAMPVOL"])
        assert float(row["ORRES"]) == pytest.approx(count, rel=6e-4)
        share = 100 * int(row["EVT"]) / int(row["EVTPAR"])
        assert float(row["PCTPAR"]) == pytest.approx(share, abs=1e-4)
        compared += 1
    assert compared > 9_000


def test_dual_platform_counts_follow_from_the_lymphocytes_of_the_same_visit(last):
    lymphocytes = {
        (row["SUBJID"], row["VISIT"]): row["LBSTRESN"]
        for row in last["central_lab.lb"]
        if row["LBTESTCD"] == "LYM"
    }
    without = 0
    for row in last["covance_flow.results"]:
        if row["METHOD"] != "DUAL":
            continue
        whole = lymphocytes.get((row["SUBJID"], row["VISIT"]), "")
        without += whole == ""
        if whole == "":
            assert row["ORRES"] in {"NO CBC", "QNS"}
        elif row["STATUS"] == "F":
            count = float(row["PCTPAR"]) / 100 * float(whole)
            assert float(row["ORRES"]) == pytest.approx(count, rel=6e-4)
    assert 5 < without < 60


def test_no_population_exceeds_the_one_it_is_part_of(last):
    counts = {}
    for row in last["covance_flow.results"]:
        if row["STATUS"] == "F" and row["BLQFL"] == "N":
            counts.setdefault(row["ACCNO"], {})[row["TESTCD"]] = float(row["ORRES"])
    for found in counts.values():
        if {"CD3T", "CD4T", "CD8T"} <= set(found):
            assert found["CD4T"] + found["CD8T"] <= 1.002 * found["CD3T"]
        for child in ("CD20B", "CD268B", "SWMEMB", "PLASMABL"):
            if {child, "CD19B"} <= set(found):
                assert found[child] <= 1.002 * found["CD19B"]


def test_specimens_are_acquired_in_time_in_runs_that_have_controls(last):
    limit = {"CYTO-CHEX": 72, "EDTA": 48}
    for row in last["covance_flow.results"]:
        age = (minutes(row["ACQDTM"]) - minutes(row["COLDTM"])) / 60
        assert float(row["AGE_H"]) == pytest.approx(age, abs=0.0501)
        assert age <= limit[row["TUBETYPE"]]
        assert row["COLDTM"] < row["RECDTM"] < row["ACQDTM"]
        assert float(row["VIABPCT"]) >= 80
        assert row["BEADEVT"] == "" or int(row["BEADEVT"]) >= 1000
    runs = {row["RUNNO"] for row in last["covance_flow.results"]}
    controls = {}
    for row in last["covance_flow.qc"]:
        controls.setdefault(row["RUNNO"], set()).add((row["LEVEL"], row["TESTCD"]))
        off = abs(float(row["OBSERVED"]) - float(row["MEAN"]))
        assert off < 3 * float(row["SD"])
    assert set(controls) == runs
    assert {len(found) for found in controls.values()} == {24}


def test_epigenetic_percents_follow_from_the_copies(last):
    for row in last["epiontis.results"]:
        if row["STATUS"] == "C":
            continue
        target, whole = float(row["COPTMEAN"]), float(row["COPREFMEAN"])
        percent = 100 * float(row["EF"]) * float(row["XFACT"]) * target / whole
        assert float(row["ORRES"]) == pytest.approx(percent, rel=6e-4)
        wells = [float(row[f"COPT{well}"]) for well in (1, 2, 3)]
        assert sum(wells) / 3 == pytest.approx(target, abs=0.01)
        cycles = [float(row[f"CQ{well}"]) for well in (1, 2, 3)]
        assert max(cycles) - min(cycles) < 0.5


@pytest.mark.parametrize("paramcd", ["TREG", "TFH", "TH17"])
def test_cycles_lie_on_one_curve_of_an_accepted_efficiency(last, paramcd):
    rows = [row for row in last["epiontis.results"] if row["PARAMCD"] == paramcd and row["CQ1"]]
    copies = np.log10([float(row["COPT1"]) for row in rows])
    cycles = np.array([float(row["CQ1"]) for row in rows])
    slope, start = np.polyfit(copies, cycles, 1)
    assert 0.90 < 10 ** (-1 / slope) - 1 < 1.10
    assert np.abs(cycles - start - slope * copies).max() < 0.002


def test_the_copy_factor_is_2_for_the_x_chromosome_and_sex_is_that_of_demographics(last):
    sexes = {row["SUBJID"]: row["SEX"] for row in last["edc.dm"]}
    for row in last["epiontis.results"]:
        assert row["XFACT"] == ("2" if row["PARAMCD"] == "TREG" else "1")
        assert row["SEXUSED"] == sexes[row["SUBJID"]]
    years = {row["SUBJID"]: 2018 - int(row["AGE"]) for row in last["edc.dm"]}
    for row in last["covance_flow.results"]:
        assert row["SEX"] == sexes[row["SUBJID"]]
        assert int(row["BRTHYR"]) == years[row["SUBJID"]]


def test_expression_is_the_area_over_the_mean_of_the_references_and_scores_are_its_mean(last):
    areas = {}
    for row in last["dxterity.expression"]:
        areas.setdefault(row["ACCNO"], {})[row["GENE"]] = row
    panel = {gene for genes in MODULES.values() for gene in genes} | set(REFERENCE_GENES)
    assert len(panel) == 22
    scores = {
        (row["ACCNO"], row["PARAMCD"]): float(row["SCORE"]) for row in last["dxterity.scores"]
    }
    for accession, genes in areas.items():
        assert set(genes) == panel
        logs = [math.log2(float(genes[gene]["AREA"])) for gene in REFERENCE_GENES]
        for paramcd, members in MODULES.items():
            values = []
            for gene in members:
                value = math.log2(float(genes[gene]["AREA"])) - sum(logs) / 3
                assert float(genes[gene]["NORMVAL"]) == pytest.approx(value, abs=6e-5)
                values.append(value)
            mean = sum(values) / len(values)
            assert scores[accession, f"{paramcd}L"] == pytest.approx(mean, abs=2e-4)
        assert all(genes[gene]["NORMVAL"] == "" for gene in REFERENCE_GENES)
    quality = {row["ACCNO"]: row for row in last["dxterity.sampleqc"]}
    assert set(quality) == set(areas)
    for accession, row in quality.items():
        total = sum(float(gene["AREA"]) for gene in areas[accession].values())
        assert float(row["TOTALSIG"]) == pytest.approx(total, abs=0.2)
        assert row["BATCHID"] == areas[accession]["MX1"]["BATCHID"]


def test_no_two_specimens_share_a_well(last):
    wells = {}
    for row in last["dxterity.expression"]:
        wells.setdefault((row["PLATEID"], row["WELL"]), set()).add(row["ACCNO"])
    assert {len(found) for found in wells.values()} == {1}


def laboratory_values(last):
    """Every reported result: parameter, subject, week, text, whether below the limit."""
    for row in last["covance_flow.results"]:
        yield row["TESTCD"], row["SUBJID"], row["VISIT"], row["ORRES"], row["BLQFL"]
    for row in last["epiontis.results"]:
        yield row["PARAMCD"], row["SUBJID"], row["VISIT"], row["ORRES"], row["BLQFL"]
    for row in last["central_lab.lb"]:
        if row["LBTESTCD"] == "ADSDNA" and row["LBORRES"]:
            low = "Y" if row["LBORRES"].startswith("<") else "N"
            yield "ADSDNA", row["SUBJID"], row["VISIT"], row["LBORRES"], low


def test_laboratory_values_are_those_of_draw_trial(last, drawn):
    compared = 0
    for paramcd, subjid, visit, text, low in laboratory_values(last):
        row = drawn.get((subjid, paramcd, WEEKS.get(visit)))
        if row is None:
            continue
        assert row["blq"] == (low == "Y")
        if low == "Y":
            assert text == f"<{row['lloq']:g}"
        else:
            assert float(text) == row["aval"]
        compared += 1
    others = {paramcd for paramcd, *_ in laboratory_values(last)}
    assert compared == sum(key[1] in others for key in drawn)
    assert len(others) == 16


def test_module_scores_of_draw_trial_are_the_mean_of_the_printed_genes(last, drawn):
    genes = {}
    for row in last["dxterity.expression"]:
        if row["VISIT"] in WEEKS and row["GENEROLE"] == "TARGET":
            key = (row["SUBJID"], WEEKS[row["VISIT"]])
            genes.setdefault(key, {})[row["GENE"]] = float(row["NORMVAL"])
    compared = 0
    for (subjid, paramcd, week), row in drawn.items():
        if paramcd in MODULES:
            found = [genes[subjid, week][gene] for gene in MODULES[paramcd]]
            assert row["aval"] == pytest.approx(2 ** (sum(found) / len(found)), rel=1e-9)
            assert row["lloq"] is None
            compared += 1
    assert compared > 4_000


def test_28_parameters_can_be_drawn_and_no_other(drawn):
    assert len(parameters()) == len(set(parameters())) == 28
    assert {key[1] for key in drawn} == set(parameters())
    with pytest.raises(SimulationError, match="Choose from"):
        draw_trial(seed=1, subjects_per_arm={"PBO": 3}, missing=False, wanted=["CRP"])


def test_reported_means_are_the_planted_ones_within_sampling_error():
    sizes = dict.fromkeys(SUBJECTS_PER_ARM, 4_000)
    wanted = sorted(set(populations()))
    trial = draw_trial(seed=3, subjects_per_arm=sizes, missing=False, wanted=wanted)
    worst = 0.0
    for (paramcd, arm, week), rows in trial.group_by("paramcd", "arm", "avisitn"):
        place, visit = list(SUBJECTS_PER_ARM).index(arm), [0, 4, 12, 24].index(week)
        planted = planted_cell_means(paramcd)[place, visit]
        # Half the limit stands for what lies below it: leave populations near theirs out.
        if rows["blq"].mean() > 0.002:
            continue
        z = (rows["aval"].mean() - planted) / (rows["aval"].std() / math.sqrt(rows.height))
        worst = max(worst, abs(z))
    assert worst < 4.5


def test_every_number_of_tables_s2_and_s4_is_as_published():
    from assayhouse.simulate.published import TABLE_S2, TABLE_S4, printed_rows

    from support.shared import shared

    held = sorted(
        cell
        for table in (TABLE_S2, TABLE_S4)
        for cells in printed_rows(table).values()
        for cell in cells
    )
    with shared("paper", "tables_s2_s4.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["table"] != "3"]
    said = sorted(float(row[name]) for row in rows for name in ("mean", "se") if row[name])
    assert held == said
    assert len(held) == 21 * 4 * 7
