"""One small simulated trial with its fit, shared by the tests of what hangs on a fit."""

import pytest

from assayhouse.pk import Category, FitOptions, ModelSpec, Power, TrialDesign, fit, simulate_trial

SPEC = ModelSpec(
    "oral2",
    ("CL", "V1"),
    "combined",
    init={"CL": 18.0, "V1": 100.0, "Q": 10.0, "V2": 140.0, "KA": 1.0, "sigma_add": 0.02},
    covariates=(Power("CL", "WT", 70.0), Category("CL", "SLE", 1)),
)


@pytest.fixture(scope="session")
def trial():
    """Events and truth of 36 subjects on three doses and 15 with rich samples."""
    return simulate_trial(TrialDesign(n=(12, 12, 12), rich=15), seed=7)


@pytest.fixture(scope="session")
def fitted(trial):
    return fit(SPEC, trial[0], FitOptions(starts=1))
