"""The six expression scores: shares of table S1, means of table S4, two humps where printed."""

import csv

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from assayhouse.simulate.calibration import ARMS, SUBJECTS_PER_ARM
from assayhouse.simulate.disease import draw_disease
from assayhouse.simulate.published import TABLE_S4, printed_rows, shares_above
from assayhouse.simulate.scores import PARAMCDS, draw_scores, plan, planted_score_means
from assayhouse.simulate.subjects import draw_subjects

from support.shared import shared

LARGE = dict.fromkeys(ARMS, 6_000)
TWO_HUMPED = ("IFNMOD", "EQTLMOD")


@pytest.fixture(scope="module")
def many():
    return draw_subjects(5, LARGE)


@pytest.fixture(scope="module")
def disease(many):
    return draw_disease(5, many)


@pytest.fixture(scope="module")
def scores(many, disease):
    return draw_scores(5, many, disease)


@pytest.mark.parametrize("paramcd", PARAMCDS)
def test_the_share_above_the_cut_is_that_of_table_s1_in_every_arm(many, scores, paramcd):
    cut, counts = shares_above()[paramcd]
    for place, arm in enumerate(ARMS):
        share = (scores[paramcd][many.arm == place, 0] > cut).mean()
        wanted = counts[place] / SUBJECTS_PER_ARM[arm]
        assert abs(share - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / LARGE[arm])


@pytest.mark.parametrize("paramcd", PARAMCDS)
def test_large_sample_means_on_the_ratio_scale_are_the_planted_ones(many, scores, paramcd):
    planted = planted_score_means(paramcd)
    for place in range(len(ARMS)):
        ratio = 2.0 ** scores[paramcd][many.arm == place]
        z = (ratio.mean(axis=0) - planted[place]) / (ratio.std(axis=0) / np.sqrt(len(ratio)))
        assert np.abs(z).max() < 4.5


@pytest.mark.parametrize(
    ("paramcd", "tolerance"),
    [("IFNMOD", 0.02), ("EQTLMOD", 0.02), ("BMOD", 0.08), ("IKZF1", 0.02), ("IKZF3", 0.02)],
)
def test_the_shared_baseline_mean_is_that_of_table_s4(paramcd, tolerance):
    printed, sizes = printed_rows(TABLE_S4)[paramcd, 0], list(SUBJECTS_PER_ARM.values())
    planted = planted_score_means(paramcd)[:, 0]
    assert np.average(planted, weights=sizes) == pytest.approx(
        np.average(printed, weights=sizes), rel=tolerance
    )


@pytest.mark.parametrize("paramcd", PARAMCDS)
def test_effects_against_placebo_are_those_of_table_s4(paramcd):
    means, rows = planted_score_means(paramcd), printed_rows(TABLE_S4)
    for visit, week in enumerate((4, 12, 24), start=1):
        printed = np.array(rows[paramcd, week][::2])
        course = means[:, visit] / means[:, 0]
        assert course[1:] / course[0] == pytest.approx(printed[1:] / printed[0], rel=0.13)


def lowest_between_modes(values):
    grid = np.linspace(values.min(), values.max(), 800)
    density = gaussian_kde(values, bw_method=0.12)(grid)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(density)))) + 1
    modes = [turn for turn in turns if density[turn] > density[turn - 1]]
    modes = sorted(sorted(modes, key=lambda turn: -density[turn])[:2])
    between = np.arange(modes[0], modes[1] + 1)
    return grid[between[np.argmin(density[between])]]


@pytest.mark.parametrize("paramcd", TWO_HUMPED)
def test_the_antimode_of_all_arms_lies_at_the_cut(many, scores, paramcd):
    in_trial = [
        scores[paramcd][many.arm == place, 0][: 70 * size]
        for place, size in enumerate(SUBJECTS_PER_ARM.values())
    ]
    assert lowest_between_modes(np.concatenate(in_trial)) == pytest.approx(
        plan(paramcd).cut, abs=0.15
    )


@pytest.mark.parametrize("paramcd", sorted(set(PARAMCDS) - set(TWO_HUMPED)))
def test_the_other_scores_have_one_mode(many, scores, paramcd):
    values = scores[paramcd][many.arm == 0, 0]
    grid = np.linspace(*np.quantile(values, [0.02, 0.98]), 60)
    density = gaussian_kde(values, bw_method=0.25)(grid)
    turns = np.diff(np.sign(np.diff(density)))
    assert np.count_nonzero(turns) == 1


def test_interferon_falls_in_the_high_and_stays_in_the_low(many, scores):
    score, treated = scores["IFNMOD"], many.arm == ARMS.index("IB045")
    high = score[:, 0] > plan("IFNMOD").cut
    fall = 1 - np.median(2.0 ** score[treated & high, 3]) / np.median(
        2.0 ** score[treated & high, 0]
    )
    assert 0.72 < fall < 0.85
    low = treated & ~high
    assert abs(np.median(score[low, 3] - score[low, 0])) < 0.12


def test_three_in_ten_are_super_high(many, scores):
    weights = [SUBJECTS_PER_ARM[arm] for arm in ARMS]
    shares = [(scores["IFNMOD"][many.arm == place, 0] > 0.615).mean() for place in range(len(ARMS))]
    assert np.average(shares, weights=weights) == pytest.approx(0.31, abs=0.02)


def test_interferon_follows_severity_steroids_and_azathioprine_and_aiolos_does_not(disease, scores):
    interferon, aiolos = scores["IFNMOD"][:, 0], scores["IKZF3"][:, 0]
    assert np.corrcoef(interferon, disease.sledai)[0, 1] > 0.2
    assert np.corrcoef(interferon, disease.steroid_mg)[0, 1] > 0.1
    takes = disease.azathioprine
    assert interferon[takes].mean() > interferon[~takes].mean() + 0.3
    for trait in (disease.sledai, disease.steroid_mg, takes):
        assert abs(np.corrcoef(aiolos, trait)[0, 1]) < 0.04


def test_strata_and_values_agree(many, disease):
    assert np.array_equal(disease.sledai >= 10, many.strata[:, 1])
    assert np.array_equal(disease.steroid_mg >= 10, many.strata[:, 0])
    assert disease.sledai.min() >= 6
    assert disease.steroid_mg.max() <= 20
    assert disease.sledai.mean() == pytest.approx(10, abs=0.4)


def test_shares_and_cuts_are_the_published_ones():
    path = shared("paper", "table_s1.csv")
    doses = {"PBO": "PBO", "0.15": "IB015", "0.30": "IB030", "0.45": "IB045"}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            cut, counts = shares_above()[row["paramcd"]]
            arm, said = doses[row["arm"]], int(row["n"])
            held = counts[ARMS.index(arm)]
            above = held if row["level"] == "high" else SUBJECTS_PER_ARM[arm] - held
            assert (cut, above) == (float(row["cutoff"]), said)
