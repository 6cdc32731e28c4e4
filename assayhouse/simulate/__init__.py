"""The synthetic reference study DEMO-SLE-01 in its vendors' formats, its truth, and the faults.

Everything written here is synthetic: no row describes a person. The package does not read,
judge or analyse anything; it shares no code with the parts that do.
"""

from assayhouse.simulate.bulk import write_bulk_results
from assayhouse.simulate.record import write_transfer, write_truth
from assayhouse.simulate.study import SimulatedStudy, Transfer, simulate_study
from assayhouse.simulate.truth import draw_trial

__all__ = [
    "SimulatedStudy",
    "Transfer",
    "draw_trial",
    "simulate_study",
    "write_bulk_results",
    "write_transfer",
    "write_truth",
]
