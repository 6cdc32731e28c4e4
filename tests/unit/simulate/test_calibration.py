"""The planted numbers are the published ones, and the limits are kept."""

import csv
from pathlib import Path

import numpy as np
import pytest

from assayhouse.simulate.calibration import (
    ARMS,
    ASSAYS,
    CALIBRATIONS,
    LARGEST_LOG_SD,
    SUBJECTS_PER_ARM,
    TAIL_LIMIT,
    VISIT_NUMBERS,
    _published,
    bend,
    bent_sd,
    mean_of_exponential,
)

PAPER = Path(__file__).parents[3] / "../shared/paper/tables_s2_s4.csv"
LABELS = {"IL-2": "IL2", "IL-10": "IL10", "IL-17A": "IL17A", "IL-17F": "IL17F"}
LABELS |= {"IL-21": "IL21", "BLyS": "BLYS"}
DOSES = {"PBO": "PBO", "0.15": "IB015", "0.30": "IB030", "0.45": "IB045"}


def calibration_of(paramcd):
    return next(each for each in CALIBRATIONS if each.assay.paramcd == paramcd)


@pytest.fixture(scope="module")
def table_s3():
    if not PAPER.exists():
        pytest.skip("the published tables are not beside the checkout")
    with PAPER.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["table"] == "3"]
    return {
        (LABELS[row["biomarker"].split(" (")[0]], int(row["week"]), DOSES[row["arm"]]): row
        for row in rows
    }


def test_every_number_of_table_s3_is_as_published(table_s3):
    published, compared = _published(), 0
    for (paramcd, week, arm), row in table_s3.items():
        cells, place = published[paramcd, week], ARMS.index(arm)
        printed = [float(row["mean"])] + ([float(row["se"])] if week else [])
        held = cells[place : place + 1] if week == 0 else cells[2 * place : 2 * place + 2]
        assert held == printed
        compared += len(printed)
    assert compared == 6 * 4 * (1 + 3 * 2)


def test_arms_have_the_sizes_of_the_trial():
    assert list(SUBJECTS_PER_ARM.values()) == [83, 42, 82, 81]
    assert sum(SUBJECTS_PER_ARM.values()) == 288


def test_all_arms_share_one_baseline_distribution():
    for calibration in CALIBRATIONS:
        assert len(set(calibration.means[:, 0])) == 1


def test_the_shared_baseline_is_the_weighted_mean_of_the_printed_ones():
    expected = (83 * 0.277 + 42 * 0.229 + 82 * 0.311 + 81 * 0.282) / 288
    assert calibration_of("IL2").means[0, 0] == pytest.approx(expected)


def test_later_means_are_the_printed_adjusted_means():
    il2 = calibration_of("IL2")
    place, visit = ARMS.index("IB045"), VISIT_NUMBERS.index(24)
    assert il2.means[place, visit] == 0.622


def test_only_il21_has_a_lot_shift_and_it_is_large():
    factors = {each.assay.paramcd: each.lot_factor for each in CALIBRATIONS}
    assert factors.pop("IL21") > 2.5
    assert set(factors.values()) == {1.0}


def test_log_sd_follows_the_printed_se_of_a_quiet_analyte():
    il10 = calibration_of("IL10")
    cv_from_se = 0.139 * np.sqrt(83) / 2.151
    assert np.sqrt(np.expm1(il10.log_sd[0, 1] ** 2)) == pytest.approx(cv_from_se, rel=0.2)


def test_log_sd_is_capped():
    for calibration in CALIBRATIONS:
        assert calibration.log_sd.max() <= LARGEST_LOG_SD
    assert (calibration_of("IL21").log_sd[:, 1] == LARGEST_LOG_SD).all()


def test_limits_are_in_order_for_every_assay():
    for assay in ASSAYS:
        assert 0 < max(assay.lloq) < assay.uloq
        assert assay.dilution >= 1


def test_bending_keeps_the_middle_and_bounds_the_tails():
    assert bend(np.array([0.1]))[0] == pytest.approx(0.1, abs=1e-3)
    assert np.abs(bend(np.array([-50.0, 50.0]))).max() <= TAIL_LIMIT


def test_quadrature_agrees_with_simulation():
    latent = bend(np.random.default_rng(1).standard_normal(2_000_000))
    assert mean_of_exponential(0.9) == pytest.approx(np.exp(0.9 * latent).mean(), rel=2e-3)
    assert bent_sd() == pytest.approx(latent.std(), rel=2e-3)


def test_arms_share_one_spread_at_a_visit_as_the_printed_errors_do():
    il2 = calibration_of("IL2")
    spread = il2.means[:, 1] * np.sqrt(np.expm1(il2.log_sd[:, 1] ** 2))
    assert spread == pytest.approx(np.full(len(ARMS), spread[0]), rel=1e-9)
