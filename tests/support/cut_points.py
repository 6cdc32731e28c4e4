"""Reference data of cut points: simulated trials, stored resamples, results of R engines."""

import csv
import gzip

import numpy as np

from support.shared import shared

SETS = ("t164", "t164_ties", "t164_sep", "t164_null")


def read_numbers(*parts):
    """Columns of a reference table as float arrays; NA is NaN, words are left out."""
    path = shared("reference", "cutpoints", *parts)
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    rows = list(csv.DictReader(text.decode().splitlines()))
    columns = {}
    for name in rows[0]:
        values = [np.nan if row[name] in ("NA", "") else row[name] for row in rows]
        try:
            columns[name] = np.array(values, dtype=float)
        except ValueError:
            continue
    return columns


def read_trial(name):
    """One simulated trial."""
    return read_numbers("data", f"{name}.csv")


def read_resamples(name):
    """Stored rows of a trial's replicates, 0-based."""
    path = shared("reference", "cutpoints", "index", f"{name}.rows1-700.npy.gz")
    with gzip.open(path) as stream:
        return np.load(stream).astype(np.int64) - 1


def nearest(values, printed):
    """Data values that printed cuts stand for; NaN stays NaN."""
    known = np.unique(values)
    found = known[np.abs(known[:, None] - printed).argmin(axis=0)]
    return np.where(np.isnan(printed), np.nan, found)


def small_trial(seed, *, n=60, ties=False, missing=0.0):
    """A trial with a predictive marker: x, arm, response, and two strata."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    if ties:
        x = np.round(x, 1)
    arm = rng.permutation(np.arange(n) % 2)
    strata = rng.integers(0, 2, size=n)
    chance = 1 / (1 + np.exp(-(-0.3 + 1.5 * arm * (x > 0) + 0.3 * strata)))
    response = (rng.random(n) < chance).astype(int)
    x = np.where(rng.random(n) < missing, np.nan, x)
    return x, arm, response, strata
