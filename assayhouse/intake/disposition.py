"""What becomes of a delivery: reject, hold or publish; the strongest disposition wins.

Counts come in, a decision goes out; nothing is read or written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.intake.findings import DISPOSITIONS, FileFault
from assayhouse.intake.receipt import HELD, PUBLISHED, REJECTED

STOP_RULE = "STOP-RULE"
STOP_RULE_GROUP = "STOP-RULE-GROUP"
FALL = "F02"
CHANGES = "F30"
COSMETIC = "COSMETIC"
VANISHED = "F31"
_STATE = {"R": REJECTED, "H": HELD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Rows of one delivery, and per value of the layout's group column (rows, quarantined)."""

    rows: int
    quarantined: int
    groups: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaCounts:
    """Records by what the delivery did to them."""

    same: int = 0
    new: int = 0
    changed: int = 0
    cosmetic: int = 0
    vanished: int = 0

    def by_class(self) -> dict[str, int]:
        """Return the counts by the published name of the class."""
        return {name.upper(): getattr(self, name) for name in self.__slots__}

    @property
    def nothing_new(self) -> bool:
        """Whether the delivery brings nothing that the last one did not."""
        return not (self.new or self.changed or self.cosmetic or self.vanished)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """State a delivery goes to, and why in a line."""

    state: str
    why: str


def _pct(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0


def check_stop_rule(layout: LayoutSpec, tally: Tally) -> list[FileFault]:
    """Hold a delivery of which too many rows are quarantined, in all or of one group."""
    limits, faults = layout.limits, []
    if _pct(tally.quarantined, tally.rows) > limits.quarantined_pct:
        message = (
            f"{tally.quarantined} of {tally.rows} rows are quarantined, more than "
            f"{limits.quarantined_pct:g} %. Approve or refuse the delivery"
        )
        faults.append(
            FileFault(rule=STOP_RULE, disposition="H", message=message, n_rows=tally.quarantined)
        )
    groups = [
        (rows, quarantined)
        for _, (rows, quarantined) in sorted(tally.groups.items())
        if _pct(quarantined, rows) > limits.quarantined_pct_per_group
    ]
    if groups:
        message = (
            f"{len(groups)} of {len(tally.groups)} groups by {limits.group_column} have more than "
            f"{limits.quarantined_pct_per_group:g} % of their rows quarantined. "
            "Approve or refuse the delivery"
        )
        faults.append(
            FileFault(
                rule=STOP_RULE_GROUP,
                disposition="H",
                column=limits.group_column,
                message=message,
                n_rows=sum(quarantined for _, quarantined in groups),
            )
        )
    return faults


def check_delta(
    layout: LayoutSpec, delta: DeltaCounts, *, records: int, records_before: int | None
) -> list[FileFault]:
    """Judge what a delivery does to the records of the last published one.

    Parameters
    ----------
    layout : LayoutSpec
        Its limits decide.
    delta : DeltaCounts
        What the delivery does.
    records : int
        Records of the file, quarantined ones among them.
    records_before : int or None
        The same of the last published delivery; None for a first one.
    """
    limits, faults = layout.limits, []
    known = delta.same + delta.changed + delta.cosmetic
    if delta.changed:
        held = _pct(delta.changed, known) > limits.changed_pct
        message = f"{delta.changed} of {known} known records came with other values"
        if held:
            message += f", more than {limits.changed_pct:g} %. Approve or refuse the delivery"
        faults.append(
            FileFault(
                rule=CHANGES,
                disposition="H" if held else "W",
                message=message,
                n_rows=delta.changed,
            )
        )
    if delta.cosmetic:
        message = f"{delta.cosmetic} known records came written in another way, with equal values"
        faults.append(
            FileFault(rule=COSMETIC, disposition="W", message=message, n_rows=delta.cosmetic)
        )
    if layout.mode != "cumulative":
        return faults
    if delta.vanished:
        held = delta.vanished > limits.vanished
        message = f"{delta.vanished} records of the last delivery are not in this one"
        if held:
            message += ". Approve or refuse the delivery"
        faults.append(
            FileFault(
                rule=VANISHED,
                disposition="H" if held else "W",
                message=message,
                n_rows=delta.vanished,
            )
        )
    before = records_before or 0
    if _pct(before - records, before) > limits.fall_pct:
        message = (
            f"the file has {records} records, the last delivery had {before}. "
            "Approve or refuse the delivery"
        )
        faults.append(
            FileFault(rule=FALL, disposition="H", message=message, n_rows=before - records)
        )
    return faults


def decide(faults: Iterable[FileFault]) -> Decision:
    """Turn what is wrong with a delivery into its next state.

    Parameters
    ----------
    faults : iterable of FileFault
        Everything found, of rows and of the file; not empty where anything was found.
    """
    listed = sorted(
        faults,
        key=lambda fault: (DISPOSITIONS.index(fault.disposition), fault.source_line is None),
    )
    strongest = listed[0] if listed else None
    if strongest is None or strongest.disposition not in _STATE:
        quarantined = sum(fault.disposition == "Q" for fault in listed)
        why = "accepted" if not quarantined else "accepted, some rows quarantined"
        return Decision(state=PUBLISHED, why=why)
    where = "" if strongest.source_line is None else f" line {strongest.source_line}"
    where += "" if strongest.column is None else f" column {strongest.column}"
    rules = ", ".join(
        dict.fromkeys(item.rule for item in listed if item.disposition == strongest.disposition)
    )
    why = f"rule {rules}:{where} {strongest.message}"
    return Decision(state=_STATE[strongest.disposition], why=why)
