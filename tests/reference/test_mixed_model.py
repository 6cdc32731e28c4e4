"""Mixed model and reference-based imputation against R (rbmi 1.5.2, mmrm 0.3.18)."""

from functools import cache

import numpy as np
import pytest

from assayhouse.stats.contrasts import contrast_matrix, least_squares_means
from assayhouse.stats.mmrm import fit_mmrm
from assayhouse.stats.pooling import pool_rubin
from assayhouse.stats.reference_based import impute_reference_based, jackknife
from assayhouse.stats.robust import m_regression

from support.effects_reference import read_rows

VISITS = ("4", "5", "6", "7")
REFERENCE = "PLACEBO"
NAMES = {"MAR": "MAR", "J2R": "JR", "CR": "CR", "CIR": "CIR"}
PARAMETERS = ("lsm_ref", "lsm_alt", "trt")


@cache
def trial():
    """Changes of the antidepressant data, one row per subject in sorted order."""
    rows = read_rows("data/antidepressant_data.csv")
    subjects = sorted({row["PATIENT"] for row in rows})
    number = {name: place for place, name in enumerate(subjects)}
    values = np.full((len(subjects), len(VISITS)), np.nan)
    arm, base = np.empty(len(subjects), "<U8"), np.zeros(len(subjects))
    for row in rows:
        place = number[row["PATIENT"]]
        arm[place], base[place] = row["THERAPY"], float(row["BASVAL"])
        if row["CHANGE"] not in {"", "NA"}:
            values[place, VISITS.index(row["VISIT"])] = float(row["CHANGE"])
    seen = ~np.isnan(values)
    event = np.where(seen, np.arange(1, 5), 0).max(axis=1)
    return {"values": values, "arm": arm, "base": base, "event": event, "subjects": number}


def data():
    """What the methods take."""
    return {name: trial()[name] for name in ("values", "arm", "base", "event")}


def impute(part, strategy, *, fit=None, **options):
    chosen = {"engine": "conditional_mean", "fit": fit} | options
    return impute_reference_based(
        part["values"], part["arm"], part["base"], {}, part["event"],
        strategy=strategy, reference=REFERENCE, **chosen,
    )  # fmt: skip


def ancova(completed, part):
    """Adjusted means and difference per visit: (visits, 3) in the order of PARAMETERS."""
    contrasts = contrast_matrix(part["arm"], part["base"], {}, reference=REFERENCE)
    return least_squares_means(m_regression(contrasts.design, completed.T, psi="ols"), contrasts)


def expected(name, **where):
    """Reference estimates and standard errors by visit and parameter."""
    rows = [r for r in read_rows(name) if all(r[k] == v for k, v in where.items())]
    found = {row["parameter"]: (float(row["est"]), float(row["se"])) for row in rows}
    return np.array([[found[f"{name}_{visit}"] for name in PARAMETERS] for visit in VISITS])


@cache
def fit():
    return fit_mmrm(trial()["values"], trial()["arm"], trial()["base"], {}, reference=REFERENCE)


def contrast_rows():
    """Differences and adjusted means per visit as combinations of coefficients."""
    columns = fit().columns
    rows = {}
    for visit in range(1, 5):
        row = np.zeros(len(columns))
        row[columns.index("arm:DRUG")] = 1.0
        if visit > 1:
            row[columns.index(f"visit:{visit}:arm:DRUG")] = 1.0
        rows[VISITS[visit - 1]] = row
    return rows


def test_the_mixed_model_equals_r(capsys):
    reference = {row["VISIT"]: row for row in read_rows("rbmi/mmrm_contrasts.csv")}
    worst = {"estimate": 0.0, "SE": 0.0, "df": 0.0}
    for visit, row in contrast_rows().items():
        ours = fit().contrast(row)
        theirs = reference[visit]
        worst["estimate"] = max(
            worst["estimate"], abs(ours.estimates[0] - float(theirs["estimate"]))
        )
        worst["SE"] = max(worst["SE"], abs(ours.std_errors[0] / float(theirs["SE"]) - 1))
        worst["df"] = max(worst["df"], abs(ours.df[0] / float(theirs["df"]) - 1))
        assert ours.p_values[0] == pytest.approx(float(theirs["p.value"]), rel=1e-3)
    sigma = [
        [float(row[f"V{k}"]) for k in range(1, 5)] for row in read_rows("rbmi/mmrm_sigma_DRUG.csv")
    ]
    gap = np.abs(fit().sigma / np.array(sigma) - 1).max()
    with capsys.disabled():
        print(f"\nmixed model: {worst}, sigma {gap:.1e} relative")
    assert worst["estimate"] <= 1e-4
    assert worst["SE"] <= 1e-4
    assert worst["df"] <= 1e-2
    assert gap <= 1e-3


def test_coefficients_and_their_degrees_of_freedom_equal_r():
    reference = read_rows("rbmi/mmrm_satterthwaite_coef.csv")
    names = {
        "(Intercept)": "intercept", "THERAPYDRUG": "arm:DRUG", "BASVAL": "base",
        "VISIT6": "visit:3", "THERAPYDRUG:VISIT7": "visit:4:arm:DRUG",
        "VISIT5:BASVAL": "visit:2:base",
    }  # fmt: skip
    ours = fit().contrast(np.eye(len(fit().columns)))
    checked = 0
    for row in reference:
        if row["term"] not in names:
            continue
        place = fit().columns.index(names[row["term"]])
        assert ours.estimates[place] == pytest.approx(float(row["Estimate"]), abs=1e-4)
        assert ours.std_errors[place] == pytest.approx(float(row["Std. Error"]), rel=1e-4)
        assert ours.df[place] == pytest.approx(float(row["df"]), rel=1e-2)
        checked += 1
    assert checked == 6


def test_conditional_mean_under_mar_equals_the_mixed_model():
    means = ancova(impute(data(), "MAR", fit=fit())[0], data())
    for place, row in enumerate(contrast_rows().values()):
        assert means.estimates[place, 2] == pytest.approx(
            fit().contrast(row).estimates[0], abs=1e-8
        )


@pytest.mark.parametrize("strategy", list(NAMES))
def test_single_imputed_values_equal_r(strategy):
    ours = impute(data(), strategy, fit=fit())[0]
    worst = max(
        abs(
            ours[trial()["subjects"][row["PATIENT0"]], VISITS.index(row["VISIT"])]
            - float(row["CHANGE"])
        )
        for row in read_rows(f"rbmi/condmean_imputed_{NAMES[strategy]}.csv")
    )
    assert worst <= 5e-3


def test_delta_moves_the_difference_as_in_r():
    shift = np.where(trial()["arm"] == "DRUG", 1.0, 0.0)[:, None] * np.ones(4)
    for delta in (1, 3, 5):
        reference = expected(
            "rbmi/pooled_condmean_jackknife.csv", strategy="MAR", delta_drug=str(delta)
        )
        means = ancova(impute(data(), "MAR", fit=fit(), delta=delta * shift)[0], data())
        assert np.abs(means.estimates - reference[..., 0]).max() <= 1e-4


def test_conditional_means_with_the_jackknife_equal_r(capsys):
    strategies = ("MAR", "J2R", "CR")

    def estimator(part):
        shared = fit_mmrm(part["values"], part["arm"], part["base"], {}, reference=REFERENCE)
        sets = [impute(part, strategy, fit=shared)[0] for strategy in strategies]
        return np.concatenate([ancova(one, part).estimates.ravel() for one in sets])

    found = jackknife(estimator, data())
    reference = np.concatenate(
        [
            expected(
                "rbmi/pooled_condmean_jackknife.csv", strategy=NAMES[name], delta_drug="0"
            ).reshape(-1, 2)
            for name in strategies
        ]
    )
    point = np.abs(found.estimate - reference[:, 0]).max()
    error = np.abs(found.std_error / reference[:, 1] - 1).max()
    with capsys.disabled():
        print(f"\nconditional means: estimates {point:.1e}, jackknife SE {error:.1e} relative")
    assert point <= 1e-4
    assert error <= 1e-3


@pytest.mark.parametrize("strategy", list(NAMES))
def test_draws_differ_from_r_by_monte_carlo_error_only(strategy):
    sets = impute(data(), strategy, engine="draws", n_imputations=100, seed=1, key="HAMD")
    reference = expected(
        "rbmi/pooled_approxbayes_m20.csv", strategy=NAMES[strategy], delta_drug="0"
    )
    for visit in range(1, 4):
        means = ancova(sets[:, :, visit].T, data())
        pooled = pool_rubin(means.estimates, means.variances, df_complete=169)
        between = pooled.between
        z = (pooled.estimate - reference[visit, :, 0]) / np.sqrt(between / 100 + between / 20)
        assert np.abs(z).max() < 4
        assert pooled.std_error == pytest.approx(reference[visit, :, 1], rel=0.1)
