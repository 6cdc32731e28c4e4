"""Rank methods against R 4.2.2 (wilcox.test, quantile type 7) on the simulated trial."""

from functools import cache

import numpy as np

from assayhouse.stats.multiplicity import adjust_p
from assayhouse.stats.ranks import rank_comparison, signed_rank

from support.effects_reference import read_rows

MODULE = "TYPE_1_IFN_MODULE"


@cache
def changes():
    """Per cent changes of the observed cases by parameter, week, subset and arm."""
    rows = read_rows("sim/sim_trial_long.csv.gz")
    base = {
        (row["paramcd"], row["usubjid"]): float(row["aval"])
        for row in rows
        if row["week"] == "0" and row["aval"]
    }
    module = {subject: value for (name, subject), value in base.items() if name == MODULE}
    middle = float(np.median(list(module.values())))
    found = {}
    for row in rows:
        if row["week"] == "0" or not row["aval"]:
            continue
        before = base[row["paramcd"], row["usubjid"]]
        change = 100 * (float(row["aval"]) - before) / before
        side = "high" if module[row["usubjid"]] > middle else "low"
        for subset in ("all", side):
            found.setdefault((row["paramcd"], row["week"], subset, row["arm"]), []).append(change)
    return found


def compare(row):
    """Our two tests of one reference row."""
    key = (row["paramcd"], row["week"], row["subset"])
    active = changes()[(*key, row["arm"])]
    return rank_comparison(active, changes()[(*key, "PBO")]), signed_rank(active)


def relative(ours, theirs):
    return abs(ours - float(theirs)) / max(1.0, abs(float(theirs)))


def test_medians_tests_and_shifts_equal_r(capsys):
    exact = shift = 0.0
    rows = read_rows("nonparametric/median_pchg_wilcoxon_HL.csv")
    for row in rows:
        ours, within = compare(row)
        assert (ours.n_active, ours.n_control) == (int(row["n_arm"]), int(row["n_pbo"]))
        exact = max(
            exact,
            relative(ours.w, row["W"]),
            relative(ours.median_active, row["median_arm"]),
            relative(ours.median_control, row["median_pbo"]),
            relative(ours.quartiles_active[0], row["q1_arm"]),
            relative(ours.quartiles_active[1], row["q3_arm"]),
            abs(ours.p_value / float(row["p_wilcoxon_cc"]) - 1),
            abs(within.p_value / float(row["p_signed_rank_within_arm"]) - 1),
        )
        width = float(row["hl_hi"]) - float(row["hl_lo"])
        for mine, name in (
            (ours.hl_shift, "hl_shift"),
            (ours.ci_low, "hl_lo"),
            (ours.ci_high, "hl_hi"),
        ):
            shift = max(shift, abs(mine - float(row[name])) / width)
    with capsys.disabled():
        print(f"\n{len(rows)} comparisons: tests {exact:.1e}, shifts {shift:.1e} of the interval")
    assert len(rows) > 300
    assert exact <= 1e-10
    assert shift <= 0.02


ADJUSTED = {
    "holm": "p_holm",
    "hochberg": "p_hochberg",
    "bh": "p_BH",
    "by": "p_BY",
    "bonferroni": "p_bonferroni",
}


def test_adjusted_p_equal_r_over_the_whole_family(capsys):
    # The family is every parameter and arm within a week and subset: 81 tests, 42 of them printed.
    keys = [key for key in changes() if key[3] != "PBO"]
    p = [rank_comparison(changes()[key], changes()[(*key[:3], "PBO")]).p_value for key in keys]
    family = [f"{week} {subset}" for _, week, subset, _ in keys]
    assert {family.count(name) for name in family} == {81}
    rows = read_rows("nonparametric/median_pchg_wilcoxon_HL.csv")
    worst = 0.0
    for method, column in ADJUSTED.items():
        ours = dict(zip(keys, adjust_p(p, method=method, family=family), strict=True))
        for row in rows:
            mine = ours[row["paramcd"], row["week"], row["subset"], row["arm"]]
            worst = max(worst, abs(mine / float(row[column]) - 1))
    with capsys.disabled():
        print(f"\nadjusted p of {len(rows)} comparisons: {worst:.1e}")
    assert worst <= 1e-10
