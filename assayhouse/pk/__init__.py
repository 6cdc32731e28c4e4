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
from assayhouse.pk.nca import nca, nca_table

__all__ = [
    "EVENT_COLUMNS",
    "EventTable",
    "EventTableError",
    "FitFailedError",
    "Issue",
    "NCAError",
    "PKError",
    "SpecError",
    "UnitError",
    "build_events",
    "dosing_from_events",
    "nca",
    "nca_table",
]
