"""What can go wrong while making synthetic data. Nothing about judging data."""

from assayhouse.errors import AssayhouseError


class SimulationError(AssayhouseError):
    """A synthetic study was asked for in a way that has no meaning."""


class FaultNotApplicableError(SimulationError):
    """A fault of the catalogue has no place in this file: the reason says why."""

    def __init__(self, *, fault: str, reason: str) -> None:
        super().__init__(
            f"Fault {fault} does not apply to this file: {reason}. Nothing was changed. "
            f"List the pair as not applicable with this reason."
        )
