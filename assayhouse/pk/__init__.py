"""Population pharmacokinetics: event tables in, frozen results and frames out. No figures."""

from assayhouse.pk.covariates import covariate_forest, covariate_screen
from assayhouse.pk.diagnose import bootstrap, gof, importance_sampling, vpc
from assayhouse.pk.errors import (
    EventTableError,
    FitFailedError,
    NCAError,
    PKError,
    SpecError,
    UnitError,
)
from assayhouse.pk.events import (
    EVENT_COLUMNS,
    EventTable,
    Issue,
    build_events,
    dosing_from_events,
)
from assayhouse.pk.exposure import (
    DoseProportionality,
    dose_proportionality,
    exposure,
    exposure_response,
    exposure_summary,
    join_response,
)
from assayhouse.pk.fit import Evaluation, FitOptions, FitResult, Reason, evaluate, fit
from assayhouse.pk.model import (
    STRUCTURES,
    Category,
    Exponential,
    ModelSpec,
    Power,
    predict,
)
from assayhouse.pk.nca import nca, nca_table
from assayhouse.pk.simulate import TrialDesign, simulate, simulate_trial
from assayhouse.pk.subjects import pool_rare_levels

__all__ = [
    "EVENT_COLUMNS",
    "STRUCTURES",
    "Category",
    "DoseProportionality",
    "Evaluation",
    "EventTable",
    "EventTableError",
    "Exponential",
    "FitFailedError",
    "FitOptions",
    "FitResult",
    "Issue",
    "ModelSpec",
    "NCAError",
    "PKError",
    "Power",
    "Reason",
    "SpecError",
    "TrialDesign",
    "UnitError",
    "bootstrap",
    "build_events",
    "covariate_forest",
    "covariate_screen",
    "dose_proportionality",
    "dosing_from_events",
    "evaluate",
    "exposure",
    "exposure_response",
    "exposure_summary",
    "fit",
    "gof",
    "importance_sampling",
    "join_response",
    "nca",
    "nca_table",
    "pool_rare_levels",
    "predict",
    "simulate",
    "simulate_trial",
    "vpc",
]
