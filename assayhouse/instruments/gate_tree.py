"""A tree of gates applied to the events of one file: scale values, compensation, parents."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.fcs import FcsFile
from assayhouse.instruments.gates import (
    BY_FILE,
    UNCOMPENSATED,
    BoolArray,
    Combination,
    Dimension,
    Gate,
    Matrix,
    Ratio,
    Shape,
    Unsupported,
    inverted,
)
from assayhouse.instruments.scales import FloatArray


@dataclass(slots=True)
class EventAxes:
    """Values of one file's events along the axes of gates; each is computed once.

    Scale values are decoded events divided by ``$PnG``; the channel Time times ``$TIMESTEP``.
    """

    fcs: FcsFile
    matrices: Mapping[str, Matrix] = field(default_factory=dict)
    _known: dict[object, FloatArray] = field(default_factory=dict)

    def values(self, dimension: Dimension) -> FloatArray:
        """Values (n_events,) along one axis, on its scale."""
        if isinstance(dimension.channel, Ratio):
            ratio = dimension.channel
            x, y = (self._compensated(name, dimension.compensation) for name in ratio.channels)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                found = ratio.A * (x - ratio.B) / (y - ratio.C)
        else:
            found = self._compensated(dimension.channel, dimension.compensation)
        if dimension.scale is None:
            return found
        key = (dimension.channel, dimension.compensation, dimension.scale)
        if key not in self._known:
            self._known[key] = dimension.scale.apply(found)
        return self._known[key]

    def scaled(self, channel: str) -> FloatArray:
        """Scale values (n_events,) of one channel as the file has it."""
        if channel not in self._known:
            self._known[channel] = _scale_values(self.fcs, channel)
        return self._known[channel]

    def _compensated(self, name: str, compensation: str) -> FloatArray:
        matrix = self._matrix(compensation)
        if matrix is None:
            return self.scaled(name)
        if name in matrix.fluorochromes:
            place = matrix.fluorochromes.index(name)
        elif name in matrix.detectors and len(matrix.detectors) == len(matrix.fluorochromes):
            place = matrix.detectors.index(name)
        else:
            return self.scaled(name)
        key = (compensation, None)
        if key not in self._known:
            mixed = np.stack([self.scaled(detector) for detector in matrix.detectors], axis=1)
            with np.errstate(invalid="ignore", over="ignore"):
                self._known[key] = mixed @ matrix.unmix
        return self._known[key][:, place]

    def _matrix(self, compensation: str) -> Matrix | None:
        if compensation == UNCOMPENSATED:
            return None
        if compensation in self.matrices:
            return self.matrices[compensation]
        if compensation != BY_FILE:
            message = f"a gate asks for the compensation {compensation!r}, which is not declared"
            raise InstrumentFileError(message, code="damaged")
        if self.fcs.spillover is None:
            return None
        names = self.fcs.spillover_channels
        return Matrix(detectors=names, fluorochromes=names, unmix=inverted(self.fcs.spillover))


def _scale_values(fcs: FcsFile, channel: str) -> FloatArray:
    if channel not in fcs.channels:
        message = (
            f"a gate uses the channel {channel!r}, which the FCS file does not have; "
            "give the file that was gated"
        )
        raise InstrumentFileError(message, code="damaged")
    place = fcs.channels.index(channel)
    values = fcs.events[:, place]
    if channel.lower() == "time":
        step = _positive(fcs.keywords.get("$TIMESTEP"))
        return values if step is None else values * step
    gain = _positive(fcs.keywords.get(f"$P{place + 1}G"))
    return values if gain in {None, 1.0} else values / gain


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def evaluate(gates: Mapping[str, Gate], axes: EventAxes) -> dict[str, BoolArray]:
    """Apply every gate within its parents.

    Parameters
    ----------
    gates : mapping of str to Gate
        By identifier; the order of the answer is that of the mapping.
    axes : EventAxes
        The events.

    Returns
    -------
    dict of str to (n_events,) boolean array

    Raises
    ------
    InstrumentFileError
        ``damaged`` (a gate that is not there, or that needs itself) or ``unsupported_feature``.
    """
    for name, gate in gates.items():
        if isinstance(gate.region, Unsupported):
            message = f"the gate {name!r} is a {gate.region.kind}, a kind that is not evaluated"
            raise InstrumentFileError(message, code="unsupported_feature")
    found: dict[str, BoolArray] = {}
    for name in ordered(gates):
        gate = gates[name]
        inside = _inside(gate, axes, found)
        if gate.complement:
            inside = ~inside
        found[name] = inside if gate.parent is None else inside & found[gate.parent]
    return {name: found[name] for name in gates}


def ordered(gates: Mapping[str, Gate]) -> list[str]:
    """Order identifiers so that every gate comes after those it needs.

    Raises
    ------
    InstrumentFileError
        ``damaged``: a gate needs one that is not there, or itself.
    """
    done: dict[str, None] = {}
    for start in gates:
        waiting, open_ = [start], set[str]()
        while waiting:
            name = waiting[-1]
            missing = [need for need in _needs(gates, name) if need not in done]
            if name in done or not missing:
                done[waiting.pop()] = None
                open_.discard(name)
                continue
            if name in open_:
                message = f"the gate {name!r} needs itself, by its parents or operands"
                raise InstrumentFileError(message, code="damaged")
            open_.add(name)
            waiting.extend(missing)
    return list(done)


def _needs(gates: Mapping[str, Gate], name: str) -> tuple[str, ...]:
    if name not in gates:
        message = f"a gate refers to {name!r}, which is not declared"
        raise InstrumentFileError(message, code="damaged")
    return gates[name].needs


def _inside(gate: Gate, axes: EventAxes, found: Mapping[str, BoolArray]) -> BoolArray:
    region = gate.region
    if isinstance(region, Combination):
        operands = [
            ~found[operand] if complement else found[operand]
            for operand, complement in region.operands
        ]
        return _combined(region.operation, operands)
    return cast("Shape", region).contains(axes)


def _combined(operation: str, operands: Sequence[BoolArray]) -> BoolArray:
    if operation == "not":
        return ~operands[0]
    join: Callable[[BoolArray, BoolArray], BoolArray] = (
        np.logical_and if operation == "and" else np.logical_or
    )
    combined = operands[0]
    for operand in operands[1:]:
        combined = join(combined, operand)
    return combined
