"""Robust fits against MASS::rlm and an independent program with the exact constant (R 4.2.2)."""

from itertools import groupby

import numpy as np

from assayhouse.stats.robust import MASS_MAD, PHI75, m_regression

from support.effects_reference import model_of, numbers, read_rows

KEYS = ("dataset", "formula", "engine", "psi", "scale_est")
COVARIANCES = {
    "se_h1_ddof1": ("h1", 1),
    "se_h1_ddof0": ("h1", 0),
    "se_h2_ddof0": ("h2", 0),
    "se_h3_ddof0": ("h3", 0),
}
LIMIT = 1e-8


def fits():
    """Reference rows of one fit after the other."""
    for key, rows in groupby(
        read_rows("complete_rlm/fits.csv"), key=lambda row: tuple(row[name] for name in KEYS)
    ):
        yield dict(zip(KEYS, key, strict=True)), list(rows)


def fit_like(reference, rows, covariance, ddof):
    """Our fit of a reference fit's model and options, and where its terms stand."""
    terms, design, response = model_of(reference["dataset"], reference["formula"])
    fit = m_regression(
        design,
        response,
        psi=reference["psi"],
        tuning=float(rows[0]["k"]),
        scale="mad" if reference["scale_est"] == "MAD" else "proposal2",
        mad_constant=PHI75 if reference["engine"] == "exact-irls" else MASS_MAD,
        covariance=covariance,
        variance_ddof=ddof,
    )
    return fit, [terms.index(row["term"]) for row in rows]


def deviations():
    """Largest deviation of each number over all reference fits, and how many were compared."""
    worst = dict.fromkeys(("estimate", "scale", *COVARIANCES), 0.0)
    compared = 0
    for reference, rows in fits():
        for column, (covariance, ddof) in COVARIANCES.items():
            fit, places = fit_like(reference, rows, covariance, ddof)
            assert fit.status.tolist() == ["ok"], reference
            assert fit.df == int(rows[0]["rdf"])
            expected = numbers(rows, column)
            ours = fit.std_errors[0, places]
            worst[column] = max(worst[column], np.max(np.abs(ours / expected - 1)))
        expected = numbers(rows, "estimate")
        gap = np.abs(fit.coefficients[0, places] - expected) / np.maximum(1, np.abs(expected))
        worst["estimate"] = max(worst["estimate"], gap.max())
        scale = abs(fit.scale[0] / float(rows[0]["scale"]) - 1)
        worst["scale"] = max(worst["scale"], scale)
        compared += len(rows)
    return worst, compared


def test_fits_equal_rlm_and_the_exact_program_in_estimate_scale_and_every_covariance(capsys):
    worst, compared = deviations()
    with capsys.disabled():
        figures = ", ".join(f"{name} {value:.1e}" for name, value in worst.items())
        print(f"\n{compared} reference coefficients, largest deviation: {figures}")
    assert compared >= 600
    assert max(worst.values()) <= LIMIT
