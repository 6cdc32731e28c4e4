"""EDC, PK and requisitions of the clean study, and the laws behind response and exposure."""

import csv
import math
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from assayhouse.simulate import simulate_study
from assayhouse.simulate.calibration import ARMS, SUBJECTS_PER_ARM, TRANSFER_DATES
from assayhouse.simulate.exposure import steady_state_concentration
from assayhouse.simulate.individuals import SUPER_HIGH, response_table, subject_table
from assayhouse.simulate.published import shares_above
from assayhouse.simulate.specimens import PREFIXES
from assayhouse.simulate.subjects import draw_subjects
from assayhouse.simulate.vendor_layouts import LAYOUT_NAMES
from assayhouse.simulate.world import World

from support.shared import shared
from support.simulated import LAYOUTS, keys, records

SEED = 20190304
CLINIC = [name for name in LAYOUT_NAMES if LAYOUTS[name].vendor in {"edc", "irt"}]
ACCESSIONS = {
    "covance_flow.results": "ACCNO",
    "epiontis.results": "ACCNO",
    "singulex.results": "ACCNO",
    "dxterity.expression": "ACCNO",
    "central_lab.lb": "LBREFID",
    "pk_lab.pc": "PCREFID",
}
DATES = {"edc.vs": "VSDTC", "edc.ec": "ECDTC", "edc.response": "RSDTC", "edc.requisition": "COLDTM"}


@pytest.fixture(scope="module")
def clean():
    return simulate_study(seed=SEED, faults=False)


@pytest.fixture(scope="module")
def last(clean):
    names = [*CLINIC[: len(CLINIC) - 2], *ACCESSIONS]
    return {name: records(clean.transfers[3], name) for name in names}


@pytest.fixture(scope="module")
def arms(clean):
    return {row["SUBJID"]: row["ARMCD"] for row in records(clean.transfers[0], "irt.rand")}


@pytest.fixture(scope="module")
def many():
    return World(7, draw_subjects(7, dict.fromkeys(ARMS, 8_000)))


def hours(later, earlier):
    difference = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return difference.total_seconds() / 3600


@pytest.mark.parametrize("name", [name for name in CLINIC if not name.startswith("irt")])
def test_keys_are_unique_and_nothing_lies_after_the_cut(clean, name):
    for transfer in clean.transfers:
        if name == "edc.ec" and transfer.number == 1:
            continue
        rows = records(transfer, name)
        found = keys(rows, name)
        assert len(set(found)) == len(found)
        if name in DATES:
            assert max(row[DATES[name]] for row in rows)[:10] <= TRANSFER_DATES[transfer.number - 1]


def test_every_specimen_that_arrived_was_requested_and_every_requested_one_arrived(clean):
    for transfer in clean.transfers:
        requested = {
            (row["VENDOR"], row["ACCNO"], row["SUBJID"], row["VISIT"], row["COLDTM"])
            for row in records(transfer, "edc.requisition")
        }
        arrived = set()
        for name, column in ACCESSIONS.items():
            if name == "pk_lab.pc" and transfer.number == 1:
                continue
            time = {"central_lab.lb": "LBDTC", "pk_lab.pc": "PCDTC"}.get(name, "COLDTM")
            arrived |= {
                (LAYOUTS[name].vendor, row[column], row["SUBJID"], row["VISIT"], row[time])
                for row in records(transfer, name)
            }
        assert requested == arrived
        numbers = [each[1] for each in requested]
        assert len(set(numbers)) == len(numbers)
        assert all(number.startswith(PREFIXES[vendor]) for vendor, number, *_ in requested)


def test_response_is_that_of_its_components(last):
    base = {row["SUBJID"]: row for row in last["edc.response"] if row["VISIT"] == "BASELINE"}
    assert len(base) == 288
    kinds = set()
    for row in last["edc.response"]:
        first = base[row["SUBJID"]]
        if row["SRI4"] == "":
            assert row["VISIT"] in {"BASELINE", "EARLY TERM"}
            continue
        fell = int(first["SLEDAI"]) - int(row["SLEDAI"]) >= 4
        no_rise = float(row["PGA"]) - float(first["PGA"]) < 0.3 - 1e-9
        responds = fell and row["BILAGWORS"] == "N" and no_rise
        assert (row["SRI4"] == "Y") == responds
        assert not (row["SRI4"] == "Y" and row["RESCUE"] == "Y")
        kinds.add((row["SRI4"], fell, row["BILAGWORS"], no_rise))
    assert len(kinds) == 4


def test_strata_are_those_of_sledai_and_steroid_dose(clean, last):
    steroid = {
        row["SUBJID"]: float(row["CMDOSE"]) for row in last["edc.cm"] if row["CMCLAS"] == "STEROID"
    }
    base = {row["SUBJID"]: row for row in last["edc.response"] if row["VISIT"] == "BASELINE"}
    for row in records(clean.transfers[0], "irt.strata"):
        assert (row["STRATA1"] == "Y") == (steroid.get(row["SUBJID"], 0) >= 10)
        assert (row["STRATA2"] == "Y") == (int(base[row["SUBJID"]]["SLEDAI"]) >= 10)
    assert len(steroid) > 200


def test_who_leaves_has_a_reason_and_a_last_line_on_the_day_demographics_say(last):
    ends = {row["SUBJID"]: row["RFENDTC"] for row in last["edc.dm"]}
    left = [row for row in last["edc.response"] if row["DISCONT"] == "Y"]
    assert 15 < len(left) < 60
    for row in left:
        assert (row["VISIT"], row["SRI4"]) == ("EARLY TERM", "")
        assert row["REASON"]
        assert row["RSDTC"] == ends[row["SUBJID"]]
    at_end = {row["SUBJID"] for row in last["edc.response"] if row["VISIT"] == "WEEK 24"}
    assert at_end.isdisjoint(row["SUBJID"] for row in left)
    assert len(at_end) + len(left) == 288


def test_the_dose_is_that_of_the_arm_and_known_for_everybody(last, arms):
    doses = {"PBO": "0", "IB015": "0.15", "IB030": "0.3", "IB045": "0.45"}
    assert len(last["edc.ex"]) == 288
    for row in last["edc.ex"]:
        assert row["EXDOSE"] == doses[arms[row["SUBJID"]]]
        assert row["EXTRT"] == "STUDY DRUG"
        assert row["EXSTDTC"] < row["EXENDTC"]


def test_predose_samples_lie_between_the_doses_of_the_diary(last):
    diary = {}
    for row in last["edc.ec"]:
        diary.setdefault((row["SUBJID"], row["ECDTC"][:10]), row["ECDTC"])
    for row in last["pk_lab.pc"]:
        today = diary[row["SUBJID"], row["PCDTC"][:10]]
        before = date.fromordinal(date.fromisoformat(today[:10]).toordinal() - 1)
        earlier = diary[row["SUBJID"], before.isoformat()]
        assert earlier < row["PCDTC"] < today == row["PCRFTDTC"]
        assert 18 < hours(row["PCDTC"], earlier) <= 30


def test_placebo_is_never_quantified_and_concentrations_rise_with_dose(last, arms):
    found = {arm: [] for arm in ARMS}
    for row in last["pk_lab.pc"]:
        low = row["PCORRES"] == "<0.05"
        assert (row["PCSTRESN"] == "") == low
        found[arms[row["SUBJID"]]].append(0.0 if low else float(row["PCORRES"]))
    medians = [float(np.median(found[arm])) for arm in ARMS]
    assert max(found["PBO"]) == 0
    assert medians == sorted(medians)
    assert medians[1] == pytest.approx(0.09, abs=0.05)
    assert medians[3] == pytest.approx(0.25, abs=0.12)


def test_three_times_the_dose_gives_two_and_a_half_times_the_exposure(many):
    auc, arm = many.exposure.auc_ss, many.subjects.arm
    low, high = (float(np.exp(np.log(auc[arm == place]).mean())) for place in (1, 3))
    assert high / low == pytest.approx(2.5, rel=0.03)
    spread = np.log(many.exposure.clearance[arm == 3]).std()
    assert spread == pytest.approx(math.sqrt(math.log1p(0.09)), rel=0.1)


def test_steady_state_equals_doses_added_one_by_one():
    one = {
        name: np.array([value])
        for name, value in {
            "dose_mg": 0.3,
            "clearance": 20.0,
            "central": 110.0,
            "absorption": 1.1,
        }.items()
    }
    steady = steady_state_concentration(**one, hours=np.array([22.5]))[0]
    # Numerical solution of the three compartments, 30 days of doses, steps of half a minute.
    gut, blood, tissue, step, lag = 0.0, 0.0, 0.0, 1 / 120, 0.3
    rates = {"out": 20 / 110, "there": 12 / 110, "back": 12 / 150}
    for count in range(round((29 * 24 + 22.5) / step)):
        if (
            abs((count * step - lag) % 24) < step / 2
            or abs((count * step - lag) % 24 - 24) < step / 2
        ):
            gut += 0.3
        flow = 1.1 * gut
        to_tissue = rates["there"] * blood - rates["back"] * tissue
        gut -= step * flow
        blood += step * (flow - rates["out"] * blood - to_tissue)
        tissue += step * to_tissue
    assert steady == pytest.approx(1000 * blood / 110, rel=0.01)


def rate(table, subset, arm):
    return table.filter(subset=subset, arm=arm)["expected_rate"].item()


def test_expected_response_rates_are_those_of_the_paper(many):
    table = response_table(many)
    assert rate(table, "all", "PBO") == pytest.approx(29 / 83, abs=0.015)
    assert rate(table, "all", "IB045") == pytest.approx(44 / 81, abs=0.015)
    assert rate(table, "interferon high", "IB045") == pytest.approx(0.60, abs=0.02)
    assert rate(table, "interferon high", "PBO") == pytest.approx(0.33, abs=0.02)
    assert rate(table, "aiolos high", "IB045") == pytest.approx(0.64, abs=0.02)
    assert rate(table, "aiolos high", "PBO") == pytest.approx(0.33, abs=0.02)
    super_high = "interferon super-high"
    difference = rate(table, super_high, "IB045") - rate(table, super_high, "PBO")
    assert difference == pytest.approx(0.54, abs=0.04)
    between = rate(table, "all", "PBO"), rate(table, "all", "IB045")
    assert all(between[0] < rate(table, "all", arm) < between[1] for arm in ("IB015", "IB030"))


def test_response_rises_to_all_on_the_high_dose_and_falls_on_placebo(many):
    interferon, chance = many.scores["IFNMOD"][:, 0], many.efficacy.probability
    treated, placebo = (many.subjects.arm == place for place in (3, 0))
    steps = [-1.38, SUPER_HIGH, 1.3, 2.0]
    high = [chance[treated & (interferon > step)].mean() for step in steps]
    low = [chance[placebo & (interferon > step)].mean() for step in steps]
    assert high == sorted(high)
    assert high[-1] > 0.96
    assert low == sorted(low, reverse=True)


def test_responders_follow_their_chance_and_are_counted_without_imputing(many):
    table = subject_table(many)
    share = table.group_by("arm").agg(
        found=pl.col("responder_week_24").mean(),
        wanted=pl.col("response_probability").mean(),
        nri=pl.col("responder_nri").mean(),
    )
    for row in share.iter_rows(named=True):
        assert row["found"] == pytest.approx(row["wanted"], abs=0.02)
        assert row["nri"] == row["found"]


def test_the_study_itself_agrees_with_table_s5_within_sampling_error(last, arms):
    world = World(SEED, draw_subjects(SEED, SUBJECTS_PER_ARM))
    names = [usubjid[12:] for usubjid in world.subjects.usubjid]
    yes = {
        row["SUBJID"]
        for row in last["edc.response"]
        if row["VISIT"] == "WEEK 24" and row["SRI4"] == "Y"
    }
    worst = 0.0
    with shared("paper", "table_s5.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        members = np.ones(len(names), dtype=bool)
        if row["paramcd"] != "OVERALL":
            above = world.expressed.scores[row["paramcd"]][:, 0] > shares_above()[row["paramcd"]][0]
            members = above if row["level"] == "high" else ~above
        shares, variance = [], 0.0
        for arm in ("IB045", "PBO"):
            own = [
                name
                for name, is_in in zip(names, members, strict=True)
                if is_in and arms[name] == arm
            ]
            share = sum(name in yes for name in own) / len(own)
            shares.append(share)
            variance += max(share * (1 - share), 0.09) / len(own)
        z = (100 * (shares[0] - shares[1]) - float(row["diff_pct"])) / (100 * math.sqrt(variance))
        worst = max(worst, abs(z))
        print(
            f"{row['printed_row']}: {100 * (shares[0] - shares[1]):.1f} {row['diff_pct']} z {z:.2f}"
        )
    assert worst < 3
