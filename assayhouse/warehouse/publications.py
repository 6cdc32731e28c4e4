"""Publications: which version of every table belongs together, written whole, kept for ever."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time
from pathlib import Path

from assayhouse.errors import WarehouseError
from assayhouse.warehouse.home import Home, atomic_write

_DATE_ONLY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One table of a publication; content and rows are those of visible receipts."""

    relation: str
    side: str
    version: int
    content_hash: str
    rows: int
    record_key: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    code_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Tables that belong together, at one moment."""

    number: int
    at: str
    reason: str
    visible: tuple[int, ...]
    relations: tuple[Pin, ...]
    content_hash: str

    def pins(self, relation: str) -> tuple[Pin, ...]:
        """Tables of one relation, one per side that has one."""
        return tuple(pin for pin in self.relations if pin.relation == relation)


def content_of(pins: tuple[Pin, ...]) -> str:
    """Hash over the content of all tables; versions, times and numbers do not enter."""
    total = hashlib.sha256()
    for pin in sorted(pins, key=lambda pin: (pin.relation, pin.side)):
        total.update(f"{pin.relation}/{pin.side}:{pin.content_hash}\n".encode())
    return total.hexdigest()


def _pin(values: Mapping[str, object]) -> Pin:
    inputs, key = values["inputs"], values["record_key"]
    if not isinstance(inputs, list) or not isinstance(key, list):
        raise TypeError
    return Pin(
        relation=str(values["relation"]),
        side=str(values["side"]),
        version=int(str(values["version"])),
        content_hash=str(values["content_hash"]),
        rows=int(str(values["rows"])),
        record_key=tuple(map(str, key)),
        inputs=tuple((str(name), str(digest)) for name, digest in inputs),
        code_version=str(values["code_version"]),
    )


def _read(path: Path) -> Publication:
    try:
        values = json.loads(path.read_bytes())
        return Publication(
            number=int(values["number"]),
            at=str(values["at"]),
            reason=str(values["reason"]),
            visible=tuple(int(number) for number in values["visible"]),
            relations=tuple(_pin(item) for item in values["relations"]),
            content_hash=str(values["content_hash"]),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        message = f"{path}: not readable as a publication. Restore the file from a copy."
        raise WarehouseError(message) from error


def _history_file(home: Home, number: int) -> Path:
    return home.publications / f"{number:06d}.json"


def current(home: Home) -> Publication | None:
    """Return the publication that is served, or None before the first."""
    path = home.publication_file
    return _read(path) if path.is_file() else None


def every(home: Home) -> tuple[Publication, ...]:
    """All publications, the first one first; one that was never served is not among them."""
    latest = current(home)
    if latest is None:
        return ()
    numbers = range(1, latest.number)
    return (*(_read(_history_file(home, number)) for number in numbers), latest)


def write(home: Home, publication: Publication) -> None:
    """Keep the publication, then serve it: the second write is the moment it exists.

    A kill between the two leaves a file under a number that the next publication takes again.
    """
    content = (json.dumps(asdict(publication), indent=1, sort_keys=True) + "\n").encode()
    atomic_write(_history_file(home, publication.number), content)
    atomic_write(home.publication_file, content)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if len(text) == _DATE_ONLY:
        moment = datetime.combine(moment.date(), time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_of(home: Home, wanted: int | str) -> Publication:
    """Find a publication by number, or the last one at or before an ISO time.

    A date alone means its end; a time without zone is taken as UTC.

    Raises
    ------
    WarehouseError
        There is none, or the text is no time.
    """
    found = every(home)
    if isinstance(wanted, int) or (wanted.isdigit() and len(wanted) < _DATE_ONLY - 2):
        chosen = [item for item in found if item.number == int(wanted)]
    else:
        try:
            limit = _moment(wanted)
        except ValueError as error:
            message = f"{wanted} is neither the number of a publication nor an ISO 8601 time."
            raise WarehouseError(message) from error
        chosen = [item for item in found if _moment(item.at) <= limit]
    if not chosen:
        message = f"There is no publication as of {wanted}; there are {len(found)} publications."
        raise WarehouseError(message)
    return chosen[-1]
