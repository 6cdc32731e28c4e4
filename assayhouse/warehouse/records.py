"""What is recorded with each version of a table, and reading it back: content, rows, inputs.

Custom metadata of the commit hold the record, so rows and record appear together or not at all.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from deltalake.exceptions import DeltaError

from assayhouse.errors import WarehouseError
from assayhouse.warehouse.home import atomic_write

RECORD = "assayhouse"
_COMMIT = re.compile(r"\d{20}\.json")
_PROVENANCE = "_provenance.json"
_WITHOUT_ROWS = frozenset({"VACUUM START", "VACUUM END", "SET TBLPROPERTIES"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Rows that one receipt brought."""

    digest: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is written beside the rows at every commit."""

    content_hash: str
    rows: int
    inputs: dict[str, str] = field(default_factory=dict)
    code_version: str = ""
    segments: dict[int, Segment] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the record as the commit's metadata hold it."""
        return {
            "content_hash": self.content_hash,
            "rows": self.rows,
            "inputs": dict(sorted(self.inputs.items())),
            "code_version": self.code_version,
            "segments": [[n, item.digest, item.rows] for n, item in sorted(self.segments.items())],
        }


def _record(values: Mapping[str, object]) -> Record:
    inputs, segments = values["inputs"], values["segments"]
    if not isinstance(inputs, Mapping) or not isinstance(segments, list):
        raise TypeError
    return Record(
        content_hash=str(values["content_hash"]),
        rows=int(str(values["rows"])),
        inputs={str(name): str(value) for name, value in inputs.items()},
        code_version=str(values["code_version"]),
        segments={int(n): Segment(digest=str(d), rows=int(rows)) for n, d, rows in segments},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Latest version of a table and what is recorded with it."""

    version: int
    record: Record


@contextmanager
def translated(root: Path, doing: str) -> Iterator[None]:
    """Turn errors of the table format and the volume into `WarehouseError`."""
    try:
        yield
    except (DeltaError, OSError, pa.ArrowException) as error:
        message = f"{root}: {doing} failed ({type(error).__name__}: {error})."
        raise WarehouseError(message) from error


def _latest(root: Path) -> int | None:
    """Highest version in the table's log, or None where there is no table.

    The log is kept whole, so the names in it are enough; opening the table reads all of it.
    """
    log = root / "_delta_log"
    names = (path.name for path in log.iterdir()) if log.is_dir() else ()
    return max((int(name[:20]) for name in names if _COMMIT.fullmatch(name)), default=None)


def _commit_info(root: Path, version: int) -> dict[str, object]:
    path = root / "_delta_log" / f"{version:020d}.json"
    for line in path.read_text("utf-8").splitlines():
        info = json.loads(line).get("commitInfo") if "commitInfo" in line else None
        if isinstance(info, dict):
            return info
    return {}


def read_head(root: Path, *, version: int | None = None) -> Head | None:
    """Read the latest version, or a given one, with its record; None where there is no table.

    Raises
    ------
    WarehouseError
        The version does not exist, or something else than assayhouse wrote rows into the table.
    """
    with translated(root, "reading the table's log"):
        latest = _latest(root) if version is None else version
        if latest is None:
            return None
        recorded = latest
        info = _commit_info(root, recorded)
        while RECORD not in info and info.get("operation") in _WITHOUT_ROWS and recorded:
            recorded -= 1
            info = _commit_info(root, recorded)
    try:
        values = info[RECORD]
        record = _record(values if isinstance(values, Mapping) else {})
    except (KeyError, TypeError, ValueError) as error:
        message = (
            f"{root}: version {latest} was not written by assayhouse, so its content is not known. "
            "Restore an earlier version of the table, or build the relation anew in a new home."
        )
        raise WarehouseError(message) from error
    return Head(version=latest, record=_with_provenance(root, latest, record))


def _with_provenance(root: Path, version: int, record: Record) -> Record:
    """Take the inputs noted since, where the same content was built again from newer inputs.

    A note that cannot be read counts as none: the relation is then out of date, and built again.
    """
    try:
        noted = json.loads((root / _PROVENANCE).read_text("utf-8"))
        if noted["version"] != version:
            return record
        later = _record(noted)
    except (OSError, KeyError, TypeError, ValueError):
        return record
    return later if later.content_hash == record.content_hash else record


def note_provenance(root: Path, head: Head, record: Record) -> Head:
    """Note that a version's content was built again from other inputs, without a new version."""
    noted = {"version": head.version, **record.as_json()}
    with translated(root, "noting the inputs"):
        atomic_write(root / _PROVENANCE, json.dumps(noted, sort_keys=True).encode())
    return Head(version=head.version, record=record)
