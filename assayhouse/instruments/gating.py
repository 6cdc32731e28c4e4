"""Gates of flow cytometry: Gating-ML 2.0 documents, FlowJo 10 workspaces, absolute counts.

The door of the package's gating; geometry, scales and file formats live in modules of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assayhouse.instruments.absolute_counts import AbsoluteCount, absolute_count
from assayhouse.instruments.fcs import FcsFile
from assayhouse.instruments.flowjo import Workspace, read_workspace
from assayhouse.instruments.gate_tree import EventAxes, evaluate, ordered
from assayhouse.instruments.gates import BoolArray, Gate, Matrix
from assayhouse.instruments.gating_ml import parse_gating_ml
from assayhouse.instruments.registry import PathLike

__all__ = [
    "AbsoluteCount",
    "GatingStrategy",
    "Workspace",
    "absolute_count",
    "read_gating_ml",
    "read_workspace",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatingStrategy:
    """Gates of one document.

    Parameters
    ----------
    gates : mapping of str to Gate
        By gate id; each quadrant by its own id.
    matrices : mapping of str to Matrix
        Compensations that gates refer to.
    """

    gates: Mapping[str, Gate]
    matrices: Mapping[str, Matrix] = field(default_factory=dict)

    @property
    def gate_ids(self) -> tuple[str, ...]:
        """Identifiers in file order."""
        return tuple(self.gates)

    def apply(self, fcs: FcsFile) -> dict[str, BoolArray]:
        """Say which events lie in which gate, parents applied.

        Parameters
        ----------
        fcs : FcsFile
            Decoded events; ``$PnG`` and ``$TIMESTEP`` are applied here.

        Returns
        -------
        dict of str to (n_events,) boolean array

        Raises
        ------
        InstrumentFileError
            ``damaged``: a gate uses a channel or compensation that is not there.
        """
        return evaluate(self.gates, EventAxes(fcs, self.matrices))


def read_gating_ml(path: PathLike) -> GatingStrategy:
    """Read a Gating-ML 2.0 document.

    Parameters
    ----------
    path : path
        The document.

    Raises
    ------
    InstrumentFileError
        It is no Gating-ML 2.0, or contradicts itself; ``code`` says which.
    """
    document = parse_gating_ml(Path(path).read_bytes())
    ordered(document.gates)
    return GatingStrategy(gates=document.gates, matrices=document.matrices)
