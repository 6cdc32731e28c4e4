"""The mixed model on small trials: its special cases, its laws, its refusals."""

import numpy as np
import pytest

from assayhouse.errors import ModelDataError
from assayhouse.stats.contrasts import contrast_matrix
from assayhouse.stats.errors import InputError
from assayhouse.stats.mmrm import fit_mmrm
from assayhouse.stats.robust import m_regression


def trial(*, n=60, visits=3, seed=5, missing=0.2):
    """Correlated visits, two arms, one factor."""
    rng = np.random.default_rng(seed)
    arm = np.tile(["act", "ctl"], n // 2)
    site = np.where(rng.random(n) < 0.4, "x", "y")
    base = rng.normal(20, 3, n)
    values = 2.0 + 0.5 * base[:, None] + (arm == "act")[:, None] * np.arange(1, visits + 1)
    values = values + rng.normal(0, 1, (n, 1)) + rng.normal(0, 1, (n, visits))
    values[rng.random((n, visits)) < missing] = np.nan
    return values, arm, base, {"site": site}


def fitted(change=None, **options):
    values, arm, base, factors = trial()
    data = {"values": values, "arm": arm, "base": base, "factors": factors} | (change or {})
    return fit_mmrm(*data.values(), reference="ctl", **options)


def test_one_visit_is_least_squares_with_its_degrees_of_freedom():
    values, arm, base, factors = trial(visits=1, missing=0)
    fit = fit_mmrm(values, arm, base, factors, reference="ctl")
    built = contrast_matrix(arm, base, factors, reference="ctl")
    ols = m_regression(built.design, values[:, 0], psi="ols")
    assert fit.columns == built.columns
    assert fit.coefficients == pytest.approx(ols.coefficients[0], rel=1e-10)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(ols.std_errors[0], rel=1e-10)
    assert fit.sigma[0, 0] == pytest.approx(ols.scale[0] ** 2, rel=1e-10)
    assert fit.contrast(np.eye(4)).df == pytest.approx([56.0] * 4, rel=1e-8)


def test_complete_data_have_the_estimates_of_each_visit_alone():
    values, arm, base, _ = trial(missing=0)
    fit = fit_mmrm(values, arm, base, {}, reference="ctl")
    built = contrast_matrix(arm, base, {}, reference="ctl")
    for visit in range(3):
        ols = m_regression(built.design, values[:, visit], psi="ols")
        row = np.zeros(9)
        row[1] = 1
        if visit:
            row[fit.columns.index(f"visit:{visit + 1}:arm:act")] = 1
        ours = fit.contrast(row)
        assert ours.estimates[0] == pytest.approx(ols.coefficients[0, 1], rel=1e-9)
        assert ours.std_errors[0] == pytest.approx(ols.std_errors[0, 1], rel=1e-9)
        assert fit.sigma[visit, visit] == pytest.approx(ols.scale[0] ** 2, rel=1e-9)


def restricted(fit, values, arm, base, factors, sigma):  # noqa: PLR0917
    """Restricted log-likelihood, subject by subject."""
    built = contrast_matrix(arm, base, factors, reference="ctl")
    width = 1 + built.columns.index("base")
    gram, right, total, count = 0.0, 0.0, 0.0, 0
    parts = []
    for x, y in zip(built.design, values, strict=True):
        seen = np.flatnonzero(np.isfinite(y))
        if not len(seen):
            continue
        rows = np.zeros((len(seen), len(fit.columns)))
        rows[:, : len(x)] = x
        for place, visit in enumerate(seen):
            if visit:
                start = len(x) + (visit - 1) * width
                rows[place, start : start + width] = x[:width]
        inverse = np.linalg.inv(sigma[np.ix_(seen, seen)])
        gram = gram + rows.T @ inverse @ rows
        right = right + rows.T @ inverse @ y[seen]
        total += np.linalg.slogdet(sigma[np.ix_(seen, seen)])[1]
        parts.append((rows, y[seen], inverse))
        count += len(seen)
    beta = np.linalg.solve(gram, right)
    total += np.linalg.slogdet(gram)[1]
    total += sum((y - x @ beta) @ w @ (y - x @ beta) for x, y, w in parts)
    return beta, -0.5 * (total + (count - len(beta)) * np.log(2 * np.pi))


def test_the_fit_is_the_maximum_of_the_likelihood_written_out():
    values, arm, base, factors = trial()
    fit = fit_mmrm(values, arm, base, factors, reference="ctl")
    beta, top = restricted(fit, values, arm, base, factors, fit.sigma)
    assert fit.coefficients == pytest.approx(beta, rel=1e-8)
    assert fit.log_likelihood == pytest.approx(top, rel=1e-12)
    rng = np.random.default_rng(1)
    for _ in range(8):
        step = rng.normal(0, 1e-3, (3, 3))
        _, other = restricted(fit, values, arm, base, factors, fit.sigma + step + step.T)
        assert other < top


def test_a_covariance_per_arm_is_named_by_arm_and_fits_better():
    shared, own = fitted(), fitted(covariance="by_arm")
    assert set(own.sigma) == {"act", "ctl"}
    assert own.log_likelihood > shared.log_likelihood
    assert (shared.status, own.status) == ("ok", "ok")


@pytest.mark.parametrize(("scale", "shift"), [(1e-9, 0.0), (1e9, 0.0), (2.0, -50.0)])
def test_another_unit_of_the_values_moves_everything_with_it(scale, shift):
    values, *_ = trial()
    before, after = fitted(), fitted({"values": values * scale + shift})
    rows = np.eye(len(before.columns))[1:3]
    one, other = before.contrast(rows), after.contrast(rows)
    assert other.estimates == pytest.approx(one.estimates * scale, rel=1e-6)
    assert other.std_errors == pytest.approx(one.std_errors * scale, rel=1e-6)
    assert other.df == pytest.approx(one.df, rel=1e-6)


def test_order_of_rows_and_subjects_without_values_change_nothing():
    values, arm, base, factors = trial()
    order = np.random.default_rng(2).permutation(60)
    mixed = fit_mmrm(
        values[order], arm[order], base[order], {"site": factors["site"][order]}, reference="ctl"
    )
    assert mixed.coefficients == pytest.approx(fitted().coefficients, rel=1e-8)
    values[:3] = np.nan
    fit = fit_mmrm(values, arm, base, factors, reference="ctl")
    less = fit_mmrm(values[3:], arm[3:], base[3:], {"site": factors["site"][3:]}, reference="ctl")
    assert fit.coefficients == pytest.approx(less.coefficients, rel=1e-8)
    assert fit.df_residual == less.df_residual


def test_data_that_do_not_carry_the_model_have_a_status():
    values, arm, base, factors = trial()
    apart = values.copy()
    apart[:30, 0] = np.nan
    apart[30:, 1] = np.nan
    assert fit_mmrm(apart, arm, base, factors, reference="ctl").status == "rank_deficient"
    gone = values.copy()
    gone[arm == "act", 2] = np.nan
    assert fit_mmrm(gone, arm, base, factors, reference="ctl").status == "rank_deficient"
    refused = fit_mmrm(gone, arm, base, factors, reference="ctl").contrast(np.eye(10)[0])
    assert np.isnan(refused.df).all()
    few = slice(0, 6)
    small = fit_mmrm(values[few], arm[few], base[few], {}, reference="ctl")
    assert small.status in {"too_few", "rank_deficient"}


def test_values_that_the_columns_fit_exactly_are_rank_deficient():
    values, arm, base, factors = trial(missing=0)
    values[:, 1] = 3.0 + base
    assert fit_mmrm(values, arm, base, {}, reference="ctl").status == "rank_deficient"
    assert fit_mmrm(values, arm, base, factors, reference="ctl").status == "not_converged"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.full((60, 3), np.nan)}, "values"),
        ({"values": np.full((60, 3), np.inf)}, "values"),
        ({"values": [["a"]]}, "numbers"),
        ({"values": np.ones((59, 3))}, "59 rows"),
        ({"base": np.full(60, np.nan)}, "base"),
    ],
)
def test_malformed_data_are_an_error(change, message):
    with pytest.raises(ModelDataError, match=message):
        fitted(change)


def test_unknown_options_and_contrasts_of_another_size_are_errors():
    with pytest.raises(InputError, match="reml"):
        fitted(method="ml")
    with pytest.raises(InputError, match="by_arm"):
        fitted(covariance="toeplitz")
    with pytest.raises(ModelDataError, match="columns"):
        fitted().contrast(np.eye(3))
