"""Faults of the other vendors: each at its lines, as the truth says, and nothing else differs."""

import csv
from collections import Counter

import numpy as np
import pytest

from assayhouse.simulate import simulate_study
from assayhouse.simulate.vendor_layouts import CYTOKINE_LAYOUTS, LAYOUT_NAMES

from support.simulated import LAYOUTS, keys, lines_of, records

ONCE = {"pk_pool.events"}
OTHERS = [name for name in LAYOUT_NAMES if name not in {*CYTOKINE_LAYOUTS, *ONCE}]
PLANNED = [
    ("T001", "STRATUM", "W", "edc.response", 1),
    ("T002", "STRATUM", "W", "edc.response", 1),
    ("T003", "UNREQUESTED", "W", "edc.requisition", 3),
    ("T003", "ABSENT", "W", "edc.requisition", 5),
    ("T003", "STRATUM", "W", "edc.response", 1),
    ("T003", "F34", "W", "covance_flow.results", 36),
    ("T003", "F34", "Q", "covance_flow.results", None),
    ("T003", "F24", "H", "covance_flow.results", 24),
    ("T003", "F32", "Q", "covance_flow.results", 10),
    ("T003", "F34", "Q", "epiontis.results", 4),
    ("T003", "F17", "Q", "dxterity.expression", 1),
    ("T003", "F37", "Q", "dxterity.expression", 21),
    ("T004", "UNREQUESTED", "W", "edc.requisition", 3),
    ("T004", "ABSENT", "W", "edc.requisition", 5),
    ("T004", "STRATUM", "W", "edc.response", 1),
    ("T004", "F34", "W", "covance_flow.results", 36),
    ("T004", "F27", "Q", "pk_lab.pc", 1),
]


@pytest.fixture(scope="module")
def study():
    return simulate_study(layouts=OTHERS)


@pytest.fixture(scope="module")
def clean():
    return simulate_study(faults=False, layouts=OTHERS)


def transfer_of(study, label):
    return next(each for each in study.transfers if each.label == label)


def faults_of(study, label, layout):
    return [each for each in study.faults if (each.transfer, each.layout) == (label, layout)]


def fault_of(study, fault, label, layout, disposition):
    (found,) = (
        each
        for each in faults_of(study, label, layout)
        if (each.fault, each.disposition) == (fault, disposition)
    )
    return found


def rows_at(study, fault):
    layout = LAYOUTS[fault.layout]
    lines = lines_of(transfer_of(study, fault.transfer), fault.layout)
    options = {"delimiter": layout.dialect.delimiter, "quoting": layout.dialect.quoting}
    rows = csv.reader([lines[number - 1] for number in fault.lines], **options)
    return [dict(zip(layout.columns, row, strict=True)) for row in rows]


def test_the_list_of_faults_is_the_planned_one(study):
    found = [
        (each.transfer, each.fault, each.disposition, each.layout, each.n_rows)
        for each in study.faults
    ]
    run = fault_of(study, "F34", "T003", "covance_flow.results", "Q").n_rows
    assert found == [(*plan[:4], plan[4] or run) for plan in PLANNED]
    assert run % 12 == 0
    assert 24 <= run <= 72


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("label", ["T001", "T002", "T003", "T004"])
def test_exactly_the_named_rows_differ_from_the_clean_study(study, clean, name, label):
    if (name, label) in {("pk_lab.pc", "T001"), ("edc.ec", "T001")}:
        return
    lines, right = (set(lines_of(transfer_of(each, label), name)) for each in (study, clean))
    layout = LAYOUTS[name]
    header = layout.first_data_line - 1
    delivered = lines_of(transfer_of(study, label), name)
    changed = {
        number
        for number, line in enumerate(delivered, start=1)
        if number > header and line not in right and not line.startswith("#END")
    }
    named = {number for each in faults_of(study, label, name) for number in each.lines}
    # The rest of a specimen without one gene, and the rows of a run without controls, are as sent.
    as_sent = {
        number
        for each in faults_of(study, label, name)
        if each.fault == "F37" or (each.fault, each.disposition) == ("F34", "Q")
        if name != "epiontis.results"
        for number in each.lines
    }
    assert changed == named - as_sent
    gone = [line for line in right - lines if line and not line.startswith("#END")]
    dropped = {"edc.requisition": 3}.get(name, 0) if label in {"T003", "T004"} else 0
    controls = 24 if (name, label) == ("covance_flow.qc", "T003") else 0
    replaced = len(changed) - (5 if dropped else 0)
    assert len(gone) == replaced + dropped + controls


def test_no_row_is_struck_twice(study):
    for label in ("T003", "T004"):
        for name in OTHERS:
            struck = Counter(
                number for each in faults_of(study, label, name) for number in each.lines
            )
            assert max(struck.values(), default=1) == 1


def test_aged_specimens_are_too_old_and_say_so(study):
    for label in ("T003", "T004"):
        for row in rows_at(study, fault_of(study, "F34", label, "covance_flow.results", "W")):
            taken, acquired = (np.datetime64(row[name], "m") for name in ("COLDTM", "ACQDTM"))
            age = (acquired - taken).astype(int) / 60
            assert age > 72
            assert float(row["AGE_H"]) == age
            assert row["TUBETYPE"] == "CYTO-CHEX"


def test_one_run_has_no_control_in_transfer_three_and_has_them_in_four(study):
    rows = rows_at(study, fault_of(study, "F34", "T003", "covance_flow.results", "Q"))
    (run,) = {row["RUNNO"] for row in rows}
    every = records(transfer_of(study, "T003"), "covance_flow.results")
    assert sum(row["RUNNO"] == run for row in every) == len(rows)
    for label, expected in (("T003", 0), ("T004", 24)):
        controls = records(transfer_of(study, label), "covance_flow.qc")
        assert sum(row["RUNNO"] == run for row in controls) == expected


def test_two_subjects_of_different_sex_are_exchanged_and_come_back(study):
    fault = fault_of(study, "F24", "T003", "covance_flow.results", "H")
    roster = simulate_study(layouts=["edc.dm"]).transfers[2]
    people = {row["SUBJID"]: row for row in records(roster, "edc.dm")}
    after = {
        row["ACCNO"]: row["SUBJID"]
        for row in records(transfer_of(study, "T004"), "covance_flow.results")
    }
    rows = rows_at(study, fault)
    pairs = {(row["SUBJID"], after[row["ACCNO"]]) for row in rows}
    assert len(pairs) == 2
    assert {pair[::-1] for pair in pairs} == pairs
    assert all(row["SEX"] != people[row["SUBJID"]]["SEX"] for row in rows)
    assert all(row["SITEID"] == row["SUBJID"][:3] for row in rows)


def test_counts_per_litre_are_a_thousandth(study, clean):
    right = {
        key: row
        for row in records(transfer_of(clean, "T003"), "covance_flow.results")
        for key in keys([row], "covance_flow.results")
    }
    for row in rows_at(study, fault_of(study, "F32", "T003", "covance_flow.results", "Q")):
        expected = right[keys([row], "covance_flow.results")[0]]
        assert row["ORRESU"] == "10^9/L"
        assert float(row["ORRES"]) * 1000 == pytest.approx(float(expected["ORRES"]))


def test_a_wrong_copy_factor_halves_the_percentage_and_agrees_with_itself(study, clean):
    right = dict(
        zip(
            keys(records(transfer_of(clean, "T003"), "epiontis.results"), "epiontis.results"),
            records(transfer_of(clean, "T003"), "epiontis.results"),
            strict=True,
        )
    )
    for row in rows_at(study, fault_of(study, "F34", "T003", "epiontis.results", "Q")):
        expected = right[keys([row], "epiontis.results")[0]]
        assert (row["PARAMCD"], row["XFACT"], expected["XFACT"]) == ("TREG", "1", "2")
        assert float(row["ORRES"]) * 2 == pytest.approx(float(expected["ORRES"]), rel=1e-3)


def test_one_gene_is_fused_and_its_specimen_incomplete(study):
    (fused,) = rows_at(study, fault_of(study, "F17", "T003", "dxterity.expression", "Q"))
    rest = rows_at(study, fault_of(study, "F37", "T003", "dxterity.expression", "Q"))
    assert fused["GENE"] == "RSAD218"
    assert {row["ACCNO"] for row in rest} == {fused["ACCNO"]}
    assert "RSAD2" not in {row["GENE"] for row in rest}
    assert "RSAD218" not in {
        row["GENE"] for row in records(transfer_of(study, "T004"), "dxterity.expression")
    }


def test_one_predose_sample_was_taken_after_the_dose(study):
    (row,) = rows_at(study, fault_of(study, "F27", "T004", "pk_lab.pc", "Q"))
    diary = records(transfer_of(study, "T004"), "edc.ec")
    doses = [each["ECDTC"] for each in diary if each["SUBJID"] == row["SUBJID"]]
    assert row["PCRFTDTC"] in doses
    assert row["PCDTC"] > row["PCRFTDTC"]
    assert row["PCDTC"][:10] == row["PCRFTDTC"][:10]


@pytest.mark.parametrize("label", ["T003", "T004"])
def test_requisitions_lack_three_specimens_and_name_five_that_never_came(study, label):
    transfer = transfer_of(study, label)
    requested = {row["ACCNO"]: row for row in records(transfer, "edc.requisition")}
    arrived = set()
    for name, column in (
        ("covance_flow.results", "ACCNO"),
        ("epiontis.results", "ACCNO"),
        ("dxterity.expression", "ACCNO"),
        ("central_lab.lb", "LBREFID"),
        ("pk_lab.pc", "PCREFID"),
    ):
        arrived |= {row[column] for row in records(transfer, name)}
    mine = {number for number, row in requested.items() if row["VENDOR"] != "singulex"}
    absent = fault_of(study, "ABSENT", label, "edc.requisition", "W").keys
    unrequested = fault_of(study, "UNREQUESTED", label, "edc.requisition", "W").keys
    assert mine - arrived == {number for number in absent if not number.startswith("SGX")}
    assert arrived - mine == {number for number in unrequested if not number.startswith("SGX")}
    limit = np.datetime64(transfer.date) - 14
    assert all(np.datetime64(requested[number]["COLDTM"][:10]) < limit for number in absent)
    # Concentrations are sealed while the study is blind, so none of them is reconciled.
    assert not any(number.startswith("PKL") for number in (*absent, *unrequested))


def test_one_stratum_contradicts_the_baseline_value(study):
    first = transfer_of(study, "T001")
    base = {
        row["SUBJID"]: int(row["SLEDAI"])
        for row in records(first, "edc.response")
        if row["VISIT"] == "BASELINE"
    }
    whole = simulate_study(layouts=["irt.strata"]).transfers[0]
    wrong = [
        row["SUBJID"]
        for row in records(whole, "irt.strata")
        if (row["STRATA2"] == "Y") != (base[row["SUBJID"]] >= 10)
    ]
    (row,) = rows_at(study, fault_of(study, "STRATUM", "T001", "edc.response", "W"))
    assert wrong == [row["SUBJID"]]


def test_quarantine_stays_far_from_the_stop_rule(study):
    for name, column in (
        ("covance_flow.results", "TESTCD"),
        ("epiontis.results", "PARAMCD"),
        ("dxterity.expression", "GENE"),
    ):
        rows = records(transfer_of(study, "T003"), name)
        struck = [
            row
            for each in faults_of(study, "T003", name)
            if each.disposition == "Q"
            for row in rows_at(study, each)
        ]
        assert len(struck) < 0.02 * len(rows)
        by_group, whole = (Counter(row[column] for row in each) for each in (struck, rows))
        assert all(count < 0.1 * max(whole[name], 100) for name, count in by_group.items())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_seed_has_rows_for_every_fault(seed):
    faults = simulate_study(seed=seed, layouts=OTHERS).faults
    assert len(faults) == len(PLANNED)
    assert all(each.n_rows > 0 for each in faults)
