"""The transfers: same bytes, true manifests, and the very values of ``draw_trial``."""

import csv
import hashlib
import json
import math
import re

import polars as pl
import pytest

from assayhouse.simulate import draw_trial, simulate_study
from assayhouse.simulate.calibration import CALIBRATIONS, SUBJECTS_PER_ARM
from assayhouse.simulate.laboratory import TRANSFER_DATES, reported_text
from assayhouse.simulate.layouts import (
    DM_COLUMNS,
    PLATES_COLUMNS,
    RAND_COLUMNS,
    RESULTS_COLUMNS,
    SITE_COLUMNS,
    STRATA_COLUMNS,
    WELLS_COLUMNS,
)
from assayhouse.simulate.plates import well_name
from assayhouse.simulate.vendor_layouts import CYTOKINE_LAYOUTS

SEED = 20190304
LABORATORY = {"results": RESULTS_COLUMNS, "wells": WELLS_COLUMNS, "plates": PLATES_COLUMNS}
OPEN_FILES = {"dm": DM_COLUMNS, "site": SITE_COLUMNS}
CYTOKINES = [calibration.assay.paramcd for calibration in CALIBRATIONS]
AT_RANDOMISATION = {"rand": RAND_COLUMNS, "strata": STRATA_COLUMNS}


@pytest.fixture(scope="module")
def clean():
    return simulate_study(seed=SEED, faults=False, layouts=CYTOKINE_LAYOUTS)


def content(transfer, layout):
    (path,) = (each for each in transfer.files if f"-{layout}_" in each and each.endswith(".csv"))
    return transfer.files[path]


def table(transfer, layout):
    lines = content(transfer, layout).decode().splitlines()
    if layout in LABORATORY:
        lines = lines[2:-1]
    return list(csv.DictReader(lines))


def manifests(transfer):
    return {
        path: json.loads(text) for path, text in transfer.files.items() if path.endswith(".json")
    }


def test_the_same_seed_gives_the_same_bytes(clean):
    again = simulate_study(seed=SEED, faults=False, layouts=CYTOKINE_LAYOUTS)
    assert [each.files for each in again.transfers] == [each.files for each in clean.transfers]


def test_the_known_seed_still_gives_the_known_bytes_within_one_process_and_another(clean):
    # Guards against anything that depends on hashing of str, the clock or set order.
    digest = hashlib.sha256(b"".join(clean.transfers[0].files.values())).hexdigest()
    again = simulate_study(seed=SEED, faults=True, layouts=CYTOKINE_LAYOUTS).transfers[0]
    assert hashlib.sha256(b"".join(again.files.values())).hexdigest() == digest


def test_another_seed_gives_other_bytes(clean):
    other = simulate_study(seed=1, faults=False, layouts=CYTOKINE_LAYOUTS)
    first, second = content(clean.transfers[3], "results"), content(other.transfers[3], "results")
    assert first != second


def test_clean_transfers_are_four_and_plant_nothing(clean):
    assert [each.label for each in clean.transfers] == ["T001", "T002", "T003", "T004"]
    assert [each.date for each in clean.transfers] == list(TRANSFER_DATES)
    assert clean.faults == ()


def test_every_transfer_has_its_layouts_in_their_folders(clean):
    for transfer in clean.transfers:
        files = [path for path in transfer.files if path.endswith(".csv")]
        folders = {
            re.sub(r"^(\w+)/DEMO-SLE-01_\1-(\w+)_T\d{3}_\d{8}\.csv$", r"\1.\2", path)
            for path in files
        }
        expected = {"singulex.results", "singulex.wells", "singulex.plates", "edc.dm", "edc.site"}
        if transfer.number == 1:
            expected |= {"irt.rand", "irt.strata"}
        assert folders == expected


def test_headers_are_the_declared_columns(clean):
    first = clean.transfers[0]
    for layout, columns in {**LABORATORY, **OPEN_FILES, **AT_RANDOMISATION}.items():
        assert tuple(table(first, layout)[0]) == columns
    assert len(RESULTS_COLUMNS) == 31


@pytest.mark.parametrize("layout", LABORATORY)
def test_laboratory_files_are_in_the_laboratory_dialect(clean, layout):
    for transfer in clean.transfers:
        text = content(transfer, layout).decode()
        lines = text.split("\r\n")
        assert lines[-1] == ""
        assert "\n" not in text.replace("\r\n", "")
        assert lines[0] == '"Study","DEMO-SLE-01"'
        assert lines[1] == f'"Report","{transfer.number}"'
        assert lines[-2] == f'"Rows","{len(lines) - 5}"'
        assert all(re.fullmatch(r'"[^"]*"(,"[^"]*")*', line) for line in lines[:-1])


@pytest.mark.parametrize("layout", [*OPEN_FILES, *AT_RANDOMISATION])
def test_clinic_files_are_plain_csv_with_lf(clean, layout):
    text = content(clean.transfers[0], layout)
    assert b"\r" not in text
    assert b'"' not in text
    assert text.endswith(b"\n")


def test_manifests_tell_the_truth_about_every_file(clean):
    for transfer in clean.transfers:
        named = []
        for path, manifest in manifests(transfer).items():
            folder, _, sidecar = path.partition("/")
            assert sidecar == manifest["files"][0]["name"] + ".manifest.json"
            assert manifest["vendor"] == folder
            assert manifest["transfer_no"] == transfer.number
            assert manifest["transfer_date"] == transfer.date
            assert (manifest["mode"], manifest["environment"]) == ("cumulative", "production")
            assert manifest["supersedes"] is None
            for entry in manifest["files"]:
                held = transfer.files[f"{folder}/{entry['name']}"]
                layout = entry["layout"].partition(".")[2]
                assert entry["sha256"] == hashlib.sha256(held).hexdigest()
                assert entry["bytes"] == len(held)
                assert entry["rows"] == len(table(transfer, layout))
                assert entry["layout_version"] == "1.0"
                named.append(f"{folder}/{entry['name']}")
        assert sorted(named) == sorted(path for path in transfer.files if path.endswith(".csv"))


@pytest.mark.parametrize(
    ("layout", "key"),
    [
        ("results", ("ACCNO", "PARAMCD", "REPORTNO")),
        ("wells", ("PLATEID", "PARAMCD", "WELL")),
        ("plates", ("PLATEID", "PARAMCD")),
    ],
)
def test_transfers_are_cumulative_and_keys_unique(clean, layout, key):
    before = {}
    for transfer in clean.transfers:
        rows = table(transfer, layout)
        now = {tuple(row[column] for column in key): row for row in rows}
        assert len(now) == len(rows)
        assert before.items() <= now.items()
        assert len(now) > len(before)
        before = now


def test_results_of_the_last_transfer_are_the_values_of_draw_trial(clean):
    long = draw_trial(seed=SEED, subjects_per_arm=SUBJECTS_PER_ARM, missing=True, wanted=CYTOKINES)
    drawn = {
        (row["usubjid"], row["paramcd"], row["avisitn"]): row
        for row in long.drop_nulls("aval").iter_rows(named=True)
    }
    compared = 0
    for row in table(clean.transfers[3], "results"):
        visit = {"WEEK 4": 4, "WEEK 12": 12, "WEEK 24": 24}.get(row["VISIT"])
        key = (f"DEMO-SLE-01-{row['SUBJID']}", row["PARAMCD"], visit)
        if key not in drawn:
            continue
        expected = drawn[key]
        assert (row["BLQFL"] == "Y") == expected["blq"]
        assert float(row["LLOQ"]) == expected["lloq"]
        if expected["blq"]:
            assert row["ORRES"] == f"<{row['LLOQ']}"
        else:
            assert float(row["ORRES"]) == expected["aval"]
        compared += 1
    assert compared == len(drawn)


def test_a_lost_result_has_a_reason_and_no_number(clean):
    lost = [row for row in table(clean.transfers[3], "results") if row["ORRES"] == "QNS"]
    assert 5 < len(lost) < 60
    for row in lost:
        assert (row["STATUS"], row["REASND"], row["MEANCONC"]) == ("C", "QNS", "")


def test_size_of_the_last_transfer(clean):
    last = clean.transfers[3]
    assert 5_900 < len(table(last, "results")) < 6_912
    assert 20_000 < len(table(last, "wells")) < 25_000


def test_wells_average_to_the_reported_result(clean):
    first = clean.transfers[0]
    wells = {}
    for well in table(first, "wells"):
        if well["TYPE"] == "UNK" and well["MASKED"] != "Y":
            wells.setdefault((well["ACCNO"], well["PARAMCD"]), []).append(float(well["CONC"]))
    checked = 0
    for row in table(first, "results"):
        if row["MEANCONC"] == "":
            continue
        replicates = wells[row["ACCNO"], row["PARAMCD"]]
        assert len(replicates) == int(row["NREP"])
        mean = sum(replicates) / len(replicates) * float(row["DILUTION"])
        assert mean == pytest.approx(float(row["ORRES"]), rel=6e-4)
        checked += 1
    assert checked > 1_500


def test_wells_read_off_the_plates_curves(clean):
    first = clean.transfers[0]
    plates = {(row["PLATEID"], row["PARAMCD"]): row for row in table(first, "plates")}
    for well in table(first, "wells")[::97]:
        if well["CONC"] == "":
            continue
        plate = plates[well["PLATEID"], well["PARAMCD"]]
        for signal in ("DE", "EP", "TP"):
            a, b, c, d = (float(plate[f"{signal}_{letter}"]) for letter in "ABCD")
            expected = d + (a - d) / (1 + (float(well["CONC"]) / c) ** b)
            assert math.isclose(float(well[signal]), expected, rel_tol=1e-4, abs_tol=0.6)


def test_every_plate_has_all_kinds_of_wells_in_different_places(clean):
    by_plate = {}
    for well in table(clean.transfers[3], "wells"):
        by_plate.setdefault(well["PLATEID"], []).append(well)
    for wells in by_plate.values():
        assert len({well["WELL"] for well in wells}) == len(wells) <= 96
        kinds = [well["TYPE"] for well in wells]
        assert (kinds.count("STD"), kinds.count("BLANK"), kinds.count("CTRL")) == (14, 2, 4)
        assert {well["LEVEL"] for well in wells if well["TYPE"] == "CTRL"} == {"LOW", "HIGH"}


def test_some_wells_are_masked_and_replicates_agree_otherwise(clean):
    last = clean.transfers[3]
    masked = [well for well in table(last, "wells") if well["MASKED"] == "Y"]
    assert 5 < len(masked) < 80
    assert all(well["REASND"] for well in masked)
    cv = [float(row["CVPCT"]) for row in table(last, "results") if row["CVPCT"]]
    assert max(cv) < 20


def test_the_calibrator_lot_changes_after_baseline_only(clean):
    rows = table(clean.transfers[3], "results")
    lots = {(row["VISIT"] == "BASELINE", row["CALLOT"]) for row in rows}
    codes = [each.assay.paramcd for each in CALIBRATIONS]
    first, second = ({(lot == 1, f"{code}-C{lot}") for code in codes} for lot in (1, 2))
    assert lots == first | second


def test_specimens_are_collected_before_they_are_run(clean):
    for row in table(clean.transfers[3], "results"):
        assert row["COLDTM"][:10] < row["RUNDT"] < TRANSFER_DATES[int(row["REPORTNO"]) - 1]


def test_demographics_hold_screen_failures_and_no_arm(clean):
    rows = table(clean.transfers[0], "dm")
    assert len(rows) == 318
    assert sum(row["RFSTDTC"] == "" for row in rows) == 30
    assert not any("ARM" in column for column in DM_COLUMNS)
    assert 0.85 < sum(row["SEX"] == "F" for row in rows) / len(rows) < 0.97
    assert all(row["USUBJID"] == f"DEMO-SLE-01-{row['SUBJID']}" for row in rows)
    assert all(18 <= int(row["AGE"]) <= 72 for row in rows)


def test_dates_of_participation_are_in_order_and_never_after_the_cut(clean):
    for transfer in clean.transfers:
        for row in table(transfer, "dm"):
            if row["RFSTDTC"]:
                assert row["RFICDTC"] < row["RFSTDTC"]
            if row["RFENDTC"]:
                assert row["RFSTDTC"] <= row["RFENDTC"] <= transfer.date
    assert sum(row["RFENDTC"] != "" for row in table(clean.transfers[3], "dm")) == 288


def test_results_name_randomised_subjects_at_known_sites_only(clean):
    last = clean.transfers[3]
    roster = {row["SUBJID"] for row in table(last, "dm") if row["RFSTDTC"]}
    sites = {row["SITEID"] for row in table(last, "site")}
    assert len(sites) == 40
    for row in table(last, "results"):
        assert row["SUBJID"] in roster
        assert row["SITEID"] in sites


def test_randomisation_agrees_with_the_strata_file_which_has_no_arm(clean):
    first = clean.transfers[0]
    rand = {row["USUBJID"]: row for row in table(first, "rand")}
    strata = table(first, "strata")
    assert len(rand) == len(strata) == 288
    for row in strata:
        sealed = rand[row["USUBJID"]]
        assert (row["STRATA1"], row["STRATA2"]) == (sealed["STRATA1"], sealed["STRATA2"])
    counts = pl.Series([row["ARMCD"] for row in rand.values()]).value_counts()
    assert dict(counts.iter_rows()) == SUBJECTS_PER_ARM
    assert len({row["RANDNO"] for row in rand.values()}) == 288
    assert not any("ARM" in column for column in STRATA_COLUMNS)


def test_no_open_file_speaks_of_treatment(clean):
    words = [b"PBO", b"IB0", b"lacebo", b"berdomide", b" mg"]
    for transfer in clean.transfers:
        for path, held in transfer.files.items():
            if "-rand_" not in path:
                assert not any(word in held for word in words)


def test_clean_site_files_all_differ(clean):
    assert len({content(transfer, "site") for transfer in clean.transfers}) == 4


@pytest.mark.parametrize(
    ("value", "digits", "text"), [(0.1, 4, "0.1000"), (12340.0, -1, "12340"), (1.5, 3, "1.500")]
)
def test_numbers_are_printed_without_exponent(value, digits, text):
    assert reported_text(value, digits) == text


def test_wells_are_numbered_row_by_row():
    assert [well_name(place) for place in (0, 11, 12, 95)] == ["A01", "A12", "B01", "H12"]
