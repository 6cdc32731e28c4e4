"""Continuous, survival and adjusted statistics against fits of statsmodels on whole subjects."""

import numpy as np
import pytest
import statsmodels.api as sm

from assayhouse.stats.batting import batting, scan

from support.cut_points import small_trial


def columns_at(x, arm, cut, *more):
    """Design without and with the interaction."""
    group = (x > cut).astype(float)
    small = np.column_stack([np.ones(len(x)), arm, group, *more])
    return small, np.column_stack([small, arm * group])


def chosen(found):
    """A few places where every cell has subjects and events."""
    usable = np.flatnonzero(found.admissible & ~found.zero_cell)
    return usable[:: max(len(usable) // 6, 1)]


def test_a_continuous_response_is_tested_as_in_least_squares():
    x, arm, _, strata = small_trial(3, n=70)
    y = 1e3 + x * arm + strata + np.sin(np.arange(70.0))
    found = scan(x, arm, y, endpoint="continuous", min_cell=4)
    for at in chosen(found):
        small, full = (sm.OLS(y, z).fit() for z in columns_at(x, arm, found.cuts[at]))
        assert found.beta["wald"][at] == pytest.approx(full.params[-1], rel=1e-9)
        assert found.se["wald"][at] == pytest.approx(full.bse[-1], rel=1e-9)
        assert found.p["wald"][at] == pytest.approx(full.pvalues[-1], abs=1e-9)
        assert found.statistic["wald"][at] == pytest.approx(full.tvalues[-1] ** 2, rel=1e-8)
        ratio = 70 * np.log(small.ssr / full.ssr)
        assert found.statistic["lrt"][at] == pytest.approx(ratio, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("tied", [False, True])
def test_a_survival_time_is_tested_as_in_cox_models_with_efrons_ties(tied):
    x, arm, event, _ = small_trial(5, n=80)
    event = np.where(np.arange(80) % 3 == 0, 1, event)
    time = np.random.default_rng(2).exponential(size=80) * np.exp(-0.5 * arm * x)
    time = np.ceil(5 * time) if tied else time
    found = scan(x, arm, time, endpoint="survival", event=event, min_cell=6)
    for at in chosen(found):
        fits = []
        for z in columns_at(x, arm, found.cuts[at]):
            model = sm.PHReg(time, z[:, 1:], status=event, ties="efron")
            fits.append(model.fit(maxiter=200, disp=False))
        small, full = fits
        assert found.beta["wald"][at] == pytest.approx(full.params[-1], abs=1e-6)
        assert found.se["wald"][at] == pytest.approx(full.bse[-1], rel=1e-5)
        assert found.statistic["lrt"][at] == pytest.approx(2 * (full.llf - small.llf), abs=1e-7)


def test_covariates_that_vary_between_subjects_enter_as_in_glm():
    x, arm, response, strata = small_trial(8, n=90)
    other = np.random.default_rng(8).normal(50, 10, size=90)
    found = scan(x, arm, response, adjust=np.column_stack([other, strata]), min_cell=6)
    assert len(chosen(found)) >= 4
    for at in chosen(found):
        designs = columns_at(x, arm, found.cuts[at], other, strata)
        small, full = (sm.GLM(response, z, family=sm.families.Binomial()).fit() for z in designs)
        assert found.beta["wald"][at] == pytest.approx(full.params[-1], abs=1e-6)
        assert found.se["wald"][at] == pytest.approx(full.bse[-1], rel=1e-5)
        assert found.statistic["lrt"][at] == pytest.approx(2 * (full.llf - small.llf), abs=1e-7)


def test_a_repeated_subject_counts_as_often_as_it_is_drawn():
    x, arm, event, _ = small_trial(5, n=60)
    time = np.random.default_rng(2).exponential(size=60)
    rows = np.random.default_rng(3).integers(0, 60, size=60)
    weights = np.bincount(rows, minlength=60)
    options = {"endpoint": "survival", "min_cell": 4}
    whole = scan(x, arm, time, event=event, weights=weights, **options)
    drawn = scan(x[rows], arm[rows], time[rows], event=event[rows], **options)
    assert np.array_equal(whole.cuts, drawn.cuts)
    assert whole.statistic["lrt"] == pytest.approx(drawn.statistic["lrt"], nan_ok=True)
    best = batting(
        x, arm, time, event=event, endpoint="survival", resamples=rows[None], min_cell=4,
        direction="higher",
    )  # fmt: skip
    allowed = np.where(whole.admissible, whole.statistic["lrt"], -np.inf)
    assert best.cuts[0] == whole.cuts[int(np.nanargmax(allowed))]
