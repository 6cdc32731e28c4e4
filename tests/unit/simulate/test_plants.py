"""Planted faults of the study: each is where the truth says, and nowhere else."""

import csv
import hashlib
import json
from collections import Counter

import pytest

from assayhouse.simulate import simulate_study
from assayhouse.simulate.layouts import RESULTS, RESULTS_COLUMNS
from assayhouse.simulate.vendor_layouts import CYTOKINE_LAYOUTS

KEY = RESULTS.key


@pytest.fixture(scope="module")
def study():
    return simulate_study(layouts=CYTOKINE_LAYOUTS)


@pytest.fixture(scope="module")
def clean():
    return simulate_study(faults=False, layouts=CYTOKINE_LAYOUTS)


def transfer_of(study, label):
    return next(each for each in study.transfers if each.label == label)


def fault_of(study, fault, label):
    (found,) = (each for each in study.faults if (each.fault, each.transfer) == (fault, label))
    return found


def path_of(transfer, layout):
    (path,) = (each for each in transfer.files if f"-{layout}_" in each and each.endswith(".csv"))
    return path


def physical_lines(transfer, layout):
    return transfer.files[path_of(transfer, layout)].decode().split("\r\n")


def rows_at(study, fault):
    lines = physical_lines(transfer_of(study, fault.transfer), "results")
    texts = [lines[number - 1] for number in fault.lines]
    return [dict(zip(RESULTS_COLUMNS, row, strict=True)) for row in csv.reader(texts)]


def records(transfer):
    rows = csv.DictReader(physical_lines(transfer, "results")[2:-2])
    return {tuple(row[column] for column in KEY): row for row in rows}


def test_five_drops_in_order(study):
    labels = [each.label for each in study.transfers]
    assert labels == ["T001", "T002", "T002 resend", "T003", "T004"]
    assert [each.number for each in study.transfers] == [1, 2, 2, 3, 4]
    assert [each.date for each in study.transfers] == sorted(each.date for each in study.transfers)


def test_the_list_of_faults_is_the_planned_one(study):
    found = [(each.transfer, each.fault, each.disposition, each.n_rows) for each in study.faults]
    assert found == [
        ("T002", "F01", "R", 1),
        ("T003", "F32", "Q", 12),
        ("T003", "F19", "Q", 1),
        ("T003", "F21", "Q", 1),
        ("T003", "F33", "W", 2),
        ("T003", "F06", "ignore", 0),
        ("T004", "F30", "W", 9),
        ("T004", "F32", "W", 3),
        ("T004", "F33", "W", 2),
        ("T004", "F31", "H", 4),
    ]


def test_every_fault_names_a_file_of_its_transfer(study):
    for fault in study.faults:
        files = {path.rpartition("/")[2] for path in transfer_of(study, fault.transfer).files}
        assert fault.file in files
        assert len(fault.lines) in {fault.n_rows, 0}


def test_wells_are_cut_inside_the_named_row_and_come_whole_again(study, clean):
    fault = fault_of(study, "F01", "T002")
    cut = physical_lines(transfer_of(study, "T002"), "wells")
    resend = transfer_of(study, "T002 resend")
    whole = physical_lines(resend, "wells")
    (line,) = fault.lines
    assert len(cut) == line
    assert cut[:-1] == whole[: line - 1]
    assert whole[line - 1].startswith(cut[-1])
    assert cut[-1].count(",") < whole[line - 1].count(",")
    wanted = transfer_of(clean, "T002")
    assert resend.files[path_of(resend, "wells")] == wanted.files[path_of(wanted, "wells")]


def test_the_manifest_of_the_cut_file_is_about_the_whole_one(study):
    transfer, resend = transfer_of(study, "T002"), transfer_of(study, "T002 resend")
    path, again = path_of(transfer, "wells"), path_of(resend, "wells")
    sidecar = next(each for each in transfer.files if "singulex" in each and each.endswith(".json"))
    entry = next(
        each
        for each in json.loads(transfer.files[sidecar])["files"]
        if each["layout"] == "singulex.wells"
    )
    assert entry["sha256"] == hashlib.sha256(resend.files[again]).hexdigest()
    assert entry["sha256"] != hashlib.sha256(transfer.files[path]).hexdigest()
    assert entry["bytes"] > len(transfer.files[path])
    second = json.loads(resend.files[f"{again}.manifest.json"])
    assert second["supersedes"] == path.rpartition("/")[2]
    assert second["transfer_no"] == 2
    assert [each["rows"] for each in second["files"]] == [entry["rows"]]


def test_other_files_of_transfer_two_are_whole(study):
    transfer = transfer_of(study, "T002")
    for path, text in transfer.files.items():
        if not path.endswith(".json"):
            continue
        for entry in json.loads(text)["files"]:
            held = transfer.files[f"{path.partition('/')[0]}/{entry['name']}"]
            whole = hashlib.sha256(held).hexdigest() == entry["sha256"]
            assert whole == (entry["layout"] != "singulex.wells")


def test_twelve_rows_are_in_nanograms_at_the_named_lines_and_nowhere_else(study, clean):
    fault = fault_of(study, "F32", "T003")
    right = records(transfer_of(clean, "T003"))
    for row in rows_at(study, fault):
        expected = right[tuple(row[column] for column in KEY)]
        assert row["ORRESU"] == "ng/mL"
        assert float(row["ORRES"]) * 1000 == pytest.approx(float(expected["ORRES"]))
        assert float(row["LLOQ"]) * 1000 == pytest.approx(float(expected["LLOQ"]))
    text = transfer_of(study, "T003").files
    assert text[path_of(transfer_of(study, "T003"), "results")].count(b"ng/mL") == 12


def test_the_bad_date_and_the_stranger_are_at_their_lines(study):
    (dated,) = rows_at(study, fault_of(study, "F19", "T003"))
    assert dated["COLDTM"] == "2018-13-45T09:10"
    (stranger,) = rows_at(study, fault_of(study, "F21", "T003"))
    assert stranger["SUBJID"] == "131-9001"
    assert stranger["SUBJID"] not in study.subjects.subjid


@pytest.mark.parametrize("label", ["T003", "T004"])
def test_two_numbers_below_the_limit_carry_no_flag(study, label):
    rows = rows_at(study, fault_of(study, "F33", label))
    for row in rows:
        assert float(row["ORRES"]) < float(row["LLOQ"])
        assert row["BLQFL"] == "N"
    unflagged = [
        row
        for row in records(transfer_of(study, label)).values()
        if row["ORRES"][0].isdigit() and float(row["ORRES"]) < float(row["LLOQ"])
    ]
    assert len(unflagged) == len(rows) == 2


def test_the_site_file_of_transfer_three_is_that_of_transfer_two(study):
    second, third = transfer_of(study, "T002"), transfer_of(study, "T003")
    assert second.files[path_of(second, "site")] == third.files[path_of(third, "site")]
    assert path_of(second, "site") != path_of(third, "site")


def delta_of(study):
    third = [each for each in study.faults if each.transfer == "T003"]
    bad = {key for each in third if each.disposition == "Q" for key in each.keys}
    before = {
        key: row
        for key, row in records(transfer_of(study, "T003")).items()
        if " | ".join(key) not in bad
    }
    after = records(transfer_of(study, "T004"))
    classes = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            classes[key] = "NEW" if old is None else "VANISHED"
            continue
        differ = [name for name in RESULTS_COLUMNS if old[name] != new[name]]
        cosmetic = all(old[name].lower() == new[name].lower() for name in differ)
        classes[key] = "SAME" if not differ else "COSMETIC" if cosmetic else "CHANGED"
    return classes


def test_the_delta_of_transfer_four_is_the_planned_one(study):
    classes = delta_of(study)
    counts = Counter(classes.values())
    assert (counts["CHANGED"], counts["COSMETIC"], counts["VANISHED"]) == (9, 3, 4)
    # 12 rows in ng/mL and the bad date were not accepted before: new now, beside week 24.
    week_24 = sum(1 for key in classes if key[2] == "4")
    assert counts["NEW"] == week_24 + 13


@pytest.mark.parametrize(
    ("fault", "name"), [("F30", "CHANGED"), ("F32", "COSMETIC"), ("F31", "VANISHED")]
)
def test_the_delta_records_are_those_the_truth_names(study, fault, name):
    expected = set(fault_of(study, fault, "T004").keys)
    found = {" | ".join(key) for key, each in delta_of(study).items() if each == name}
    assert found == expected


def test_after_transfer_four_all_values_but_the_unflagged_are_right(study, clean):
    now, right = records(transfer_of(study, "T004")), records(transfer_of(clean, "T004"))
    differ = {" | ".join(key) for key in now if now[key] != right[key]}
    planted = [fault_of(study, fault, "T004") for fault in ("F32", "F33")]
    assert differ == {key for fault in planted for key in fault.keys}
    gone = {" | ".join(key) for key in right.keys() - now.keys()}
    assert gone == set(fault_of(study, "F31", "T004").keys)


def test_no_row_is_struck_twice(study):
    for label in ("T003", "T004"):
        keys = [key for each in study.faults if each.transfer == label for key in each.keys]
        assert len(keys) == len(set(keys))


def test_quarantine_stays_far_from_the_stop_rule(study):
    lost = sum(each.n_rows for each in study.faults if each.disposition == "Q")
    rows = records(transfer_of(study, "T003"))
    assert lost == 14
    assert lost < 0.01 * len(rows)
    assert 0.05 * sum(row["PARAMCD"] == "IL10" for row in rows.values()) > 12


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_seed_has_rows_for_every_fault(seed):
    assert len(simulate_study(seed=seed, layouts=CYTOKINE_LAYOUTS).faults) == 10
