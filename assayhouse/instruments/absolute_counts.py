"""Cells per microlitre from gated events: with beads, with a blood count, or by volume."""

import math
from dataclasses import dataclass

from assayhouse.errors import ModelDataError


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsoluteCount:
    """A count and how sure it is.

    Parameters
    ----------
    cells_per_ul : float
        Cells per microlitre of blood.
    cv : float
        Counting error as a fraction (0.05 is 5 %); infinite where no event was counted.
    method : str
        ``SINGLE`` (beads), ``DUAL`` (blood count) or ``VOL`` (volumetric).
    """

    cells_per_ul: float
    cv: float
    method: str


def absolute_count(
    events: float,
    *,
    bead_events: float | None = None,
    beads_per_tube: float | None = None,
    sample_ul: float | None = None,
    dilution: float = 1.0,
    volume_nl: float | None = None,
    percent_of_parent: float | None = None,
    parent_cells_per_ul: float | None = None,
) -> AbsoluteCount:
    """Compute cells per microlitre by the one method whose numbers are given.

    Parameters
    ----------
    events : float
        Events in the gate.
    bead_events, beads_per_tube, sample_ul : float, optional
        Single platform: bead events, beads in the tube, sample volume in microlitres.
    dilution : float
        Factor by which the sample was diluted; not used on two platforms.
    volume_nl : float, optional
        Volumetric: volume acquired in nanolitres (``$VOL``).
    percent_of_parent, parent_cells_per_ul : float, optional
        Dual platform: percent of the parent population, and its count by a blood count.

    Raises
    ------
    ModelDataError
        No method, or more than one, has all its numbers; or a number cannot be.

    References
    ----------
    .. [1] Brando B et al (2000), Cytometry 42, 327-346: absolute counts by flow cytometry.

    Examples
    --------
    >>> absolute_count(500, bead_events=1000, beads_per_tube=50000, sample_ul=50).cells_per_ul
    500.0
    """
    beads = (bead_events, beads_per_tube, sample_ul)
    dual = (percent_of_parent, parent_cells_per_ul)
    complete = [None not in beads, volume_nl is not None, None not in dual]
    if sum(complete) != 1:
        message = (
            "give the numbers of one method: bead_events, beads_per_tube and sample_ul; or "
            "volume_nl; or percent_of_parent and parent_cells_per_ul"
        )
        raise ModelDataError(message)
    _require(holds=_usable(events) and _usable(dilution, above_zero=True))
    counted = 1 / events if events > 0 else math.inf
    if bead_events is not None and beads_per_tube is not None and sample_ul is not None:
        _require(holds=all(_usable(value, above_zero=True) for value in beads))
        cells = (events / bead_events) * (beads_per_tube / sample_ul) * dilution
        return AbsoluteCount(
            cells_per_ul=cells, cv=math.sqrt(counted + 1 / bead_events), method="SINGLE"
        )
    if volume_nl is not None:
        _require(holds=_usable(volume_nl, above_zero=True))
        cells = events / (volume_nl / 1000) * dilution
        return AbsoluteCount(cells_per_ul=cells, cv=math.sqrt(counted), method="VOL")
    percent, parent = percent_of_parent or 0.0, parent_cells_per_ul or 0.0
    _require(holds=_usable(percent) and percent <= 100 and _usable(parent))
    return AbsoluteCount(cells_per_ul=percent / 100 * parent, cv=math.sqrt(counted), method="DUAL")


def _usable(value: float | None, *, above_zero: bool = False) -> bool:
    if value is None or not math.isfinite(value):
        return False
    return value > 0 if above_zero else value >= 0


def _require(*, holds: bool) -> None:
    if not holds:
        message = (
            "a count, volume or dilution is negative, zero or no number, or a percent above 100; "
            "no count was computed"
        )
        raise ModelDataError(message)
