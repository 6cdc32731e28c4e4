"""What must be found in a faulty file, and how rows are chosen to be struck."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeAlias

from assayhouse.simulate.errors import FaultNotApplicableError
from assayhouse.simulate.sheet import STOP_SHARE, STOP_SHARE_OF_GROUP, Sheet
from assayhouse.simulate.streams import choose


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFault:
    """What must be found.

    Attributes
    ----------
    fault : str
        Name of the fault.
    disposition : str
        R, H, Q or W: the strongest that applies to the delivery, the stop rule included.
    rule : str
        Identifier in the catalogue.
    n_rows : int
        Rows struck.
    lines : tuple of int
        Physical lines of the faulty file, counted from 1.
    columns : tuple of str
        Columns struck.
    """

    fault: str
    disposition: str
    rule: str
    n_rows: int
    lines: tuple[int, ...]
    columns: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Give the record as plain values, for expected.json."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyFile:
    """A faulty file and what must be found in it."""

    content: bytes
    expected: ExpectedFault


FaultFunction: TypeAlias = Callable[[str, Sheet, float, int], FaultyFile]


def expect(
    fault: str,
    disposition: str,
    *,
    lines: tuple[int, ...] = (),
    columns: tuple[str, ...] = (),
    n_rows: int | None = None,
) -> ExpectedFault:
    """Say what must be found; as many rows as lines unless said otherwise."""
    return ExpectedFault(
        fault=fault,
        disposition=disposition,
        rule=fault.partition("-")[0],
        n_rows=len(lines) if n_rows is None else n_rows,
        lines=lines,
        columns=columns,
    )


def strike(
    fault: str, sheet: Sheet, strength: float, seed: int, *, candidates: list[int] | None = None
) -> list[int]:
    """Choose the rows to strike.

    Raises
    ------
    FaultNotApplicableError
        No row can be struck by this fault.
    """
    struck = list(range(len(sheet.rows))) if candidates is None else candidates
    if not struck:
        raise FaultNotApplicableError(fault=fault, reason="no row holds what it strikes")
    size = min(max(1, round(strength * len(sheet.rows))), len(struck))
    return choose(seed, "fault", fault, candidates=struck, size=size)


def quarantine_or_hold(sheet: Sheet, struck: list[int]) -> str:
    """Apply the stop rule: too many quarantined rows, in all or of one group, hold a delivery."""
    if len(struck) > STOP_SHARE * len(sheet.rows):
        return "H"
    group = sheet.shape.roles.get("group")
    if group is None:
        return "Q"
    column = sheet.header.index(group)
    total = Counter(row[column] for row in sheet.rows)
    lost = Counter(sheet.rows[place][column] for place in struck)
    over = any(count > STOP_SHARE_OF_GROUP * total[name] for name, count in lost.items())
    return "H" if over else "Q"
