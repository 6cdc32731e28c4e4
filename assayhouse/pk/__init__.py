"""Population pharmacokinetics: event tables in, frozen results and frames out. No figures."""

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

__all__ = [
    "EVENT_COLUMNS",
    "STRUCTURES",
    "Category",
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
    "UnitError",
    "build_events",
    "dosing_from_events",
    "evaluate",
    "fit",
    "nca",
    "nca_table",
    "predict",
]
