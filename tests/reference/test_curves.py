"""Curves against other software: R's drc, NIST's certified values, Bio-Plex and MSD workbooks."""

import json
import re

import numpy as np
import polars as pl
import pytest

from assayhouse.stats.curves import fit_curve, fit_nonlinear, from_bioplex, from_drc

from support.shared import SHARED, shared

pytestmark = pytest.mark.samples
DRM = SHARED / "samples" / "drm"
FITS = json.loads((DRM / "drc_reference_fits.json").read_text()) if DRM.exists() else {}


def drc_case(name):
    reference = FITS[name]
    table = pl.read_csv(shared("samples", "drm", f"{reference['dataset']}.csv"), null_values="NA")
    x, y = (table[reference[axis]].to_numpy().astype(float) for axis in "xy")
    coefficients = list(reference["coef"].values())
    if reference["model"].startswith("LL2"):
        coefficients[3] = np.exp(coefficients[3])
    return x, y, coefficients, reference


@pytest.mark.parametrize("name", [k for k in FITS if "LL" in FITS[k]["model"]])
def test_a_fit_is_not_worse_than_that_of_drc_and_says_the_same(name):
    x, y, coefficients, reference = drc_case(name)
    theirs = from_drc(*coefficients).predict(x)
    assert np.sum((theirs - y) ** 2) == pytest.approx(reference["rss"], rel=1e-9)
    model = "5pl" if len(coefficients) == 5 else "4pl"
    fit = fit_curve(x, y, model=model, weights="none")
    assert fit.rss <= reference["rss"] * (1 + 1e-9)
    if fit.rss > reference["rss"] * (1 - 1e-6):
        assert np.abs(fit.fitted - theirs).max() <= 1e-3 * np.ptp(y)


@pytest.mark.parametrize("name", [k for k in FITS if FITS[k]["model"].startswith("W1")])
def test_a_weibull_curve_of_drc_is_found_by_the_free_optimiser(name):
    x, y, (b, c, d, e), reference = drc_case(name)

    def model(x, p):
        return p[0] + (p[1] - p[0]) * np.exp(-((x / np.exp(p[3])) ** p[2]))

    fit = fit_nonlinear(model, x, y, [y.min(), y.max(), 1.0, np.log(np.median(x))])
    assert fit.status == "ok"
    assert fit.rss <= reference["rss"] * (1 + 1e-9)
    assert fit.parameters == pytest.approx([c, d, b, np.log(e)], rel=1e-4)


NIST = {
    "DanWood": lambda x, b: b[0] * x ** b[1],
    "Misra1a": lambda x, b: b[0] * (1 - np.exp(-b[1] * x)),
    "Rat42": lambda x, b: b[0] / (1 + np.exp(b[1] - b[2] * x)),
    "MGH09": lambda x, b: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "Kirby2": lambda x, b: (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2),
}


def certified(name):
    lines = shared("samples", "drm", "NIST", f"{name}.dat").read_text().splitlines()
    rows = [line.split("=")[1].split() for line in lines if re.match(r"\s*b\d\s*=", line)]
    begin = max(k for k, line in enumerate(lines) if line.startswith("Data:"))
    data = np.array([line.split() for line in lines[begin + 1 :] if line.strip()], dtype=float)
    return np.array(rows, dtype=float), data[:, 1], data[:, 0]


def digits(found, true):
    with np.errstate(divide="ignore"):
        return float(np.min(-np.log10(np.abs(found - true) / np.abs(true))))


@pytest.mark.parametrize("name", NIST)
def test_certified_values_are_reached_from_both_starts(name):
    table, x, y = certified(name)
    near = fit_nonlinear(NIST[name], x, y, table[:, 1])
    assert near.status == "ok"
    assert digits(near.parameters, table[:, 2]) >= 6
    assert digits(near.std_errors, table[:, 3]) >= 6
    far = fit_nonlinear(NIST[name], x, y, table[:, 0])
    assert far.status == "failed" or digits(far.parameters, table[:, 2]) >= 4


# StRD MGH17: exponentials whose far start misleads most programs; data in the public domain.
MGH17 = (
    *(0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751),
    *(0.718, 0.685, 0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490),
    *(0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406),
)


@pytest.mark.parametrize("start", [[50, 150, -100, 1, 2], [0.5, 1.5, -1, 0.01, 0.02]])
def test_two_exponentials_are_told_apart_or_given_up(start):
    fit = fit_nonlinear(
        lambda x, b: b[0] + b[1] * np.exp(-x * b[3]) + b[2] * np.exp(-x * b[4]),
        10.0 * np.arange(33),
        MGH17,
        start,
    )
    true = np.array([0.37541005211, 1.9358469127, -1.4646871366, 0.01286753464, 0.022122699662])
    assert fit.status == "failed" or digits(fit.parameters, true) >= 6


AGREEMENT = {"02-14A22-IgA-Biotin.xls": 3e-5, "WithBlankBead.xls": 1e-4, "pnLINCO": 5e-3}


def test_inverses_of_vendor_equations_are_the_vendor_s_concentrations():
    curves = pl.read_csv(shared("samples", "drm", "bioplex_vendor_curves.csv"))
    wells = pl.read_csv(
        shared("samples", "drm", "bioplex_vendor_wells.csv"), infer_schema_length=None
    ).filter(pl.col("vendor").is_not_null())
    seen = 0
    for row in curves.iter_rows(named=True):
        agreement = [limit for name, limit in AGREEMENT.items() if row["file"].startswith(name)]
        of_curve = wells.filter(file=row["file"], analyte=row["analyte"])
        if not agreement or of_curve.is_empty():
            continue
        curve = from_bioplex(row["top"], row["b"], row["c"], row["bottom"], row["g"])
        read = curve.inverse(
            of_curve["fi_bkgd"].to_numpy(), dilution=of_curve["dilution"].to_numpy()
        )
        gap = np.abs(read.values / of_curve["vendor"].to_numpy() - 1)
        assert np.nanmedian(gap) <= agreement[0], row["analyte"]
        seen += 1
    assert seen >= 9


@pytest.mark.parametrize("path", sorted(DRM.glob("MSD_*.csv")), ids=lambda p: p.stem)
def test_msd_concentrations_are_reproduced_with_weights_of_inverse_squares(path):
    table = pl.read_csv(path, null_values="NA")
    fit = fit_curve(table["conc"].to_numpy(), table["signal"].to_numpy())
    read = fit.inverse(table["signal"].to_numpy())
    gap = np.abs(read.values / table["vendor_calc_conc"].to_numpy() - 1)
    assert np.nanmedian(gap) <= 0.0145
    assert np.nanmax(gap[table["conc"].to_numpy() > 0.02]) <= 0.09
