"""Second opinions: emmeans, mice::pool, rbmi's own pooling, and the mixed model's means in R.

Numbers by other routes than the main reference files: adjusted means by emmeans, coefficients
pooled by mice, rbmi's draws pooled here, coefficients and adjusted means of mmrm.
"""

import numpy as np
import pytest

from assayhouse.stats.contrasts import contrast_matrix, least_squares_means
from assayhouse.stats.mmrm import fit_mmrm
from assayhouse.stats.pooling import pool_rubin
from assayhouse.stats.robust import MASS_MAD, m_regression

from support.effects_reference import numbers, read_rows, texts

CASE = "CD268_w24_abs_bisquare"
VISITS = ("4", "5", "6", "7")


@pytest.fixture(scope="module")
def sets():
    """Design of the 20 completed sets, and the fit of each: base and arms are the same in all."""
    rows = [
        row
        for row in read_rows("fixed_mi/completed_m20.csv.gz")
        if row["paramcd"] == "CD268_B_CELLS"
    ]
    m = max(int(row["imp"]) for row in rows)
    first = [row for row in rows if row["imp"] == "1"]
    contrasts = contrast_matrix(
        texts(first, "arm"),
        numbers(first, "y0"),
        {name: texts(first, name) for name in ("strat1", "strat2")},
        reference="PBO",
        weights="equal",
    )
    fit = m_regression(
        contrasts.design,
        numbers(rows, "y24").reshape(m, len(first)),
        psi="bisquare",
        mad_constant=MASS_MAD,
        variance_ddof=1,
        tolerance=1e-12,
    )
    assert m == 20
    assert set(fit.status) == {"ok"}
    return contrasts, fit


def test_adjusted_means_of_one_set_equal_emmeans(sets):
    contrasts, fit = sets
    means = least_squares_means(fit, contrasts)
    rows = read_rows(f"fixed_mi/emmeans_imp1_{CASE}.csv")
    assert len(rows) == 4
    for row in rows:
        place = contrasts.labels.index(f"lsmean:{row['arm']}")
        assert means.estimates[0, place] == pytest.approx(float(row["emmean"]), rel=1e-8)
        assert np.sqrt(means.variances[0, place]) == pytest.approx(float(row["SE"]), rel=1e-8)


def test_pooled_coefficients_equal_mice(sets):
    contrasts, fit = sets
    pooled = pool_rubin(fit.coefficients, fit.std_errors**2, df_complete=fit.df, lambda_floor=1e-4)
    names = {
        "(Intercept)": "intercept", "arm0.15": "arm:0.15", "arm0.30": "arm:0.30",
        "arm0.45": "arm:0.45", "y0": "base", "strat1": "strat1:1", "strat2": "strat2:1",
    }  # fmt: skip
    columns = {
        "estimate": "estimate", "std_error": "std.error", "statistic": "statistic", "df": "df",
        "p_value": "p.value", "ci_low": "2.5 %", "ci_high": "97.5 %",
    }  # fmt: skip
    rows = read_rows(f"fixed_mi/mice_pool_coefs_{CASE}.csv")
    assert {row["term"] for row in rows} == set(names)
    for row in rows:
        place = contrasts.columns.index(names[row["term"]])
        for ours, theirs in columns.items():
            value = getattr(pooled, ours)[place]
            assert value == pytest.approx(float(row[theirs]), rel=1e-7), (row["term"], ours)


@pytest.mark.parametrize("strategy", ["MAR", "JR"])
def test_rbmis_draws_pooled_here_are_rbmis_results(strategy):
    draws = read_rows(f"rbmi/per_imputation_approxbayes_m20_{strategy}.csv")
    expected = [
        row
        for row in read_rows("rbmi/pooled_approxbayes_m20.csv")
        if row["strategy"] == strategy and row["delta_drug"] == "0"
    ]
    assert len(expected) == 3 * len(VISITS)
    for row in expected:
        own = [draw for draw in draws if draw["parameter"] == row["parameter"]]
        pooled = pool_rubin(
            numbers(own, "est"), numbers(own, "se") ** 2, df_complete=numbers(own, "df")[0]
        )
        assert pooled.m == 20
        for ours, theirs in (
            ("estimate", "est"), ("std_error", "se"), ("ci_low", "lci"), ("ci_high", "uci"),
            ("p_value", "pval"),
        ):  # fmt: skip
            assert getattr(pooled, ours) == pytest.approx(float(row[theirs]), rel=1e-8), ours


@pytest.fixture(scope="module")
def mixed():
    """Mixed model of the antidepressant data, and the mean base of the records it was fitted to."""
    rows = read_rows("data/antidepressant_data.csv")
    subjects = sorted({row["PATIENT"] for row in rows})
    values = np.full((len(subjects), len(VISITS)), np.nan)
    arm, base = np.empty(len(subjects), "<U8"), np.zeros(len(subjects))
    seen = []
    for row in rows:
        place = subjects.index(row["PATIENT"])
        arm[place], base[place] = row["THERAPY"], float(row["BASVAL"])
        if row["CHANGE"] not in {"", "NA"}:
            values[place, VISITS.index(row["VISIT"])] = float(row["CHANGE"])
            seen.append(float(row["BASVAL"]))
    return fit_mmrm(values, arm, base, {}, reference="PLACEBO"), float(np.mean(seen))


def test_every_coefficient_of_the_mixed_model_equals_rbmi(mixed):
    fit, _ = mixed
    order = [
        "intercept", "arm:DRUG", *(f"visit:{k}" for k in (2, 3, 4)), "base",
        *(f"visit:{k}:base" for k in (2, 3, 4)), *(f"visit:{k}:arm:DRUG" for k in (2, 3, 4)),
    ]  # fmt: skip
    assert sorted(order) == sorted(fit.columns)
    ours = [fit.coefficients[fit.columns.index(name)] for name in order]
    assert ours == pytest.approx(numbers(read_rows("rbmi/mmrm_beta.csv"), "beta"), abs=1e-4)


def test_adjusted_means_of_the_mixed_model_equal_emmeans(mixed):
    fit, mean_base = mixed
    rows = read_rows("rbmi/mmrm_emmeans.csv")
    assert len(rows) == 2 * len(VISITS)
    for row in rows:
        visit = VISITS.index(row["VISIT"]) + 1
        drug = float(row["THERAPY"] == "DRUG")
        weights = {"intercept": 1.0, "arm:DRUG": drug, "base": mean_base}
        if visit > 1:
            weights |= {
                f"visit:{visit}": 1.0,
                f"visit:{visit}:arm:DRUG": drug,
                f"visit:{visit}:base": mean_base,
            }
        found = fit.contrast(np.array([weights.get(name, 0.0) for name in fit.columns]))
        assert found.estimates[0] == pytest.approx(float(row["emmean"]), abs=1e-4)
        assert found.std_errors[0] == pytest.approx(float(row["SE"]), rel=1e-4)
        assert found.df[0] == pytest.approx(float(row["df"]), rel=1e-2)
