"""The simulated study in the form of tables S1 and S5, beside the published ones.

Each row's z is the difference over the SE of both sides, the published study and the simulated
one, each with binomial sampling error (S5: the half width of the published interval over 1.96, and
unpooled binomial variances by arm of the simulation). Rows share subjects, so that their z are not
independent; the bounds allow for it.
"""

import csv

import numpy as np
import polars as pl
import pytest

from support.clean_study import clean_home, rows_of
from support.shared import shared

pytestmark = pytest.mark.slow
LAYOUTS = ("dxterity.expression", "edc.dm", "edc.site", "edc.ex", "edc.response")
SEALED = ("irt.rand", "irt.strata")
ARMS = {"PBO": "PBO", "0.15": "IB015", "0.30": "IB030", "0.45": "IB045"}
LARGEST, MEAN_SQUARE = 3.5, 1.6


def published(name):
    """Rows of a published table."""
    with shared("paper", name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    shared("paper", "table_s1.csv")
    folder = tmp_path_factory.mktemp("published") / "home"
    wanted = ["ard.baseline_subsets", "ard.subsets"]
    home, _, loaded = clean_home(folder, wanted, layouts=(*LAYOUTS, *SEALED))
    return [rows_of(home, loaded, relation) for relation in wanted]


def judge(rows, what):
    """Print z of every row, and hold the whole against its sampling error."""
    for label, ours, theirs, z in rows:
        print(f"{what} {label:34} simulated {ours:6.1f} published {theirs:6.1f} z {z:+.2f}")
    z = np.array([row[3] for row in rows])
    print(f"{what}: largest |z| {np.abs(z).max():.2f}, mean z^2 {np.mean(z**2):.2f}")
    assert np.abs(z).max() < LARGEST
    assert np.mean(z**2) < MEAN_SQUARE


def test_shares_at_baseline_are_those_of_table_s1(simulated):
    ours = {(row["PARAMCD"], row["arm"]): row for row in simulated[0].iter_rows(named=True)}
    rows = []
    for row in published("table_s1.csv"):
        mine = ours[f"{row['paramcd']}L", ARMS[row["arm"]]]
        assert (mine["level"], mine["cut_off_value"]) == (row["level"], float(row["cutoff"]))
        n, m = int(row["n_arm"]), mine["n_arm"]
        assert mine["n_arm"] + mine["n_missing"] == n
        both = (int(row["n"]) + mine["n"]) / (n + m)
        theirs, share = int(row["n"]) / n, mine["n"] / m
        z = (share - theirs) / np.sqrt(both * (1 - both) * (1 / n + 1 / m))
        rows.append((f"{row['printed_row']} {row['arm']}", 100 * share, 100 * theirs, z))
    assert len(rows) == len(simulated[0]) == 24
    judge(rows, "S1")


def test_response_differences_are_those_of_table_s5(simulated):
    at_end = simulated[1].filter(pl.col("avisitn") == 24, pl.col("active_arm") == "IB045")
    ours = {(row["cut_off"], row["level"]): row for row in at_end.iter_rows(named=True)}
    rows = []
    for row in published("table_s5.csv"):
        name = row["paramcd"] if row["paramcd"] != "OVERALL" else "all"
        mine = ours[name, row["level"]]
        rates = [
            (mine[f"y_{arm}"] / mine[f"n_{arm}"], mine[f"n_{arm}"])
            for arm in ("active", "reference")
        ]
        own = sum(rate * (1 - rate) / n for rate, n in rates)
        theirs = (float(row["ci_high_pct"]) - float(row["ci_low_pct"])) / 2 / 1.96
        difference = mine["diff_pct"] - float(row["diff_pct"])
        z = difference / np.sqrt(1e4 * own + theirs**2)
        rows.append((row["printed_row"], mine["diff_pct"], float(row["diff_pct"]), z))
    assert len(rows) == len(at_end) == 13
    judge(rows, "S5")
