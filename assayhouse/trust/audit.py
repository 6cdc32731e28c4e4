"""Append-only audit log: one JSON line per event, each holding the hash of the one before.

Says what happened, who did it, when and why. Decides nothing and knows no kind of event.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from assayhouse.errors import HomeError

FIRST = "0" * 64  # what the first row names as the hash before it
_BLOCK = 1 << 16
_FIELDS = ("seq", "at", "who", "why", "event", "prev", "hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the log. ``event`` holds plain JSON values."""

    seq: int
    at: str
    who: str
    why: str
    event: Mapping[str, object]
    prev: str
    hash: str

    def text(self, name: str) -> str:
        """Text of the event under a name; empty where it has none."""
        value = self.event.get(name)
        return "" if value is None else str(value)

    def integer(self, name: str) -> int:
        """Whole number of the event under a name."""
        return int(cast("int", self.event[name]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether the chain holds; if not, the first bad row (counted from 1) and why it is bad."""

    rows: int
    first_bad: int | None
    problem: str

    @property
    def intact(self) -> bool:
        """Whether every row is the one that was written."""
        return self.first_bad is None


class AuditLog:
    """The log in one file. One writer at a time: callers hold the home's lock.

    Parameters
    ----------
    path : Path
        The JSON-lines file; made, with its folder, by the first row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: Mapping[str, object], *, at: str, who: str, why: str = "") -> Entry:
        """Add one row and force it to disk.

        A last line without its end was cut off by a kill before anyone was told that it had been
        written; it is moved to a file beside the log first.

        Raises
        ------
        HomeError
            The last whole row cannot be read: the log was altered, nothing is added to it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            size = self._cut_torn_line(descriptor)
            last = self._last(descriptor, size)
            entry = _chain(last, event, at=at, who=who, why=why)
            os.lseek(descriptor, size, os.SEEK_SET)
            _write_all(descriptor, _line(entry))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if last is None:
            _sync_folder(self.path.parent)
        return entry

    def entries(self) -> Iterator[Entry]:
        """Whole rows in order; an incomplete last line is passed over.

        Raises
        ------
        HomeError
            A row cannot be read.
        """
        for number, line in enumerate(self._lines(), start=1):
            entry = _parse(line)
            if entry is None:
                message = (
                    f"{self.path} row {number} is not a row of the audit log: the file was altered "
                    "or damaged. Nothing was written. Restore it from a copy."
                )
                raise HomeError(message)
            yield entry

    def verify(self) -> Verification:
        """Recompute the chain from its first row."""
        before, count = FIRST, 0
        for number, line in enumerate(self._lines(), start=1):
            entry = _parse(line)
            problem = "not a row of the log" if entry is None else _problem(entry, number, before)
            if entry is None or problem:
                return Verification(rows=count, first_bad=number, problem=problem)
            before, count = entry.hash, number
        return Verification(rows=count, first_bad=None, problem="")

    def _lines(self) -> Iterator[bytes]:
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            for line in stream:
                if line.endswith(b"\n"):
                    yield line

    def _cut_torn_line(self, descriptor: int) -> int:
        size = os.fstat(descriptor).st_size
        start = _start_of_last_line(descriptor, size)
        if start == size:
            return size
        torn = os.pread(descriptor, size - start, start)
        aside = self.path.with_name(f"{self.path.name}.torn")
        with aside.open("ab") as stream:
            stream.write(torn + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.ftruncate(descriptor, start)
        os.fsync(descriptor)
        return start

    def _last(self, descriptor: int, size: int) -> Entry | None:
        if size == 0:
            return None
        start = _start_of_last_line(descriptor, size - 1)
        entry = _parse(os.pread(descriptor, size - start, start))
        if entry is None:
            message = (
                f"{self.path}: the last row is not a row of the audit log. Nothing was written. "
                "Run `assayhouse audit verify` and restore the file from a copy."
            )
            raise HomeError(message)
        return entry


def _start_of_last_line(descriptor: int, end: int) -> int:
    """Offset after the last line end before ``end``."""
    while end > 0:
        start = max(0, end - _BLOCK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _chain(
    last: Entry | None, event: Mapping[str, object], *, at: str, who: str, why: str
) -> Entry:
    seq, prev = (1, FIRST) if last is None else (last.seq + 1, last.hash)
    digest = _digest(seq=seq, at=at, who=who, why=why, event=event, prev=prev)
    return Entry(seq=seq, at=at, who=who, why=why, event=event, prev=prev, hash=digest)


def _digest(
    *, seq: int, at: str, who: str, why: str, event: Mapping[str, object], prev: str
) -> str:
    return hashlib.sha256(_canonical([seq, at, who, why, dict(event), prev])).hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _line(entry: Entry) -> bytes:
    values = {name: getattr(entry, name) for name in _FIELDS} | {"event": dict(entry.event)}
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def _parse(line: bytes) -> Entry | None:
    try:
        values = json.loads(line)
        return Entry(
            seq=int(values["seq"]),
            at=str(values["at"]),
            who=str(values["who"]),
            why=str(values["why"]),
            event=dict(values["event"]),
            prev=str(values["prev"]),
            hash=str(values["hash"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _problem(entry: Entry, number: int, before: str) -> str:
    if entry.seq != number:
        return f"its number is {entry.seq}: rows were added or taken out"
    if entry.prev != before:
        return "it does not follow the row before it"
    digest = _digest(
        seq=entry.seq, at=entry.at, who=entry.who, why=entry.why, event=entry.event, prev=entry.prev
    )
    return "" if digest == entry.hash else "its content is not what was written"


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
