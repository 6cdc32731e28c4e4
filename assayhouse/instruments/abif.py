"""ABIF containers (.fsa, .hid, .ab1): the directory and its typed values. No channel, no dye.

Every declared length is checked against the file before a value is read.
"""

import datetime as dt
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from assayhouse.errors import InstrumentFileError

FloatArray: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Key: TypeAlias = tuple[str, int]

MAGIC = b"ABIF"
LARGEST_FILE = 1 << 28
LARGEST_DIRECTORY = 100_000
_ENTRY = struct.Struct(">4sihhiii")
_NUMBERS = {1: "u1", 3: ">u2", 4: ">i2", 5: ">i4", 7: ">f4", 8: ">f8", 13: "u1"}
_TEXTS = frozenset({2, 18, 19})
_DATE, _TIME = 10, 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value of the directory: its type, how many elements, and where its bytes are."""

    kind: int
    count: int
    start: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Abif:
    """Bytes of a container and its directory by name and number."""

    content: bytes
    entries: Mapping[Key, Entry]

    def has(self, name: str) -> bool:
        """Whether any entry has this name."""
        return any(known == name for known, _ in self.entries)

    def numbers(self, name: str, number: int) -> FloatArray | None:
        """Numbers of an entry, (count,), single ones too; None where there is no such entry.

        Raises
        ------
        InstrumentFileError
            ``damaged``: the entry holds no numbers, or not as many bytes as they need.
        """
        entry = self.entries.get((name, number))
        if entry is None:
            return None
        code = _NUMBERS.get(entry.kind)
        if code is None or entry.size != entry.count * np.dtype(code).itemsize:
            message = f"entry {name}{number} holds no numbers of the declared length"
            raise InstrumentFileError(message, code="damaged", offset=entry.start)
        end = entry.start + entry.size
        return np.frombuffer(self.content[entry.start : end], dtype=code).astype(np.float64)

    def text(self, name: str, number: int = 1) -> str | None:
        """Text of an entry without padding; None where there is none or it is empty."""
        entry = self.entries.get((name, number))
        if entry is None or entry.kind not in _TEXTS:
            return None
        raw = self.content[entry.start : entry.start + entry.size]
        if entry.kind == 18:
            raw = raw[1 : 1 + raw[0]] if raw else b""
        text = raw.split(b"\0", 1)[0]
        try:
            return text.decode("utf-8").strip() or None
        except UnicodeDecodeError:
            return text.decode("latin-1").strip() or None

    def number(self, name: str, number: int = 1) -> float | None:
        """First number of an entry, or None."""
        values = self.numbers(name, number)
        return None if values is None or not len(values) else float(values[0])

    def moment(self, number: int) -> dt.datetime | None:
        """Date and time of the event RUND/RUNT: 1 run started, 2 run stopped."""
        day, clock = (self.entries.get((name, number)) for name in ("RUND", "RUNT"))
        if day is None or day.kind != _DATE or day.size != 4:
            return None
        year, month, date = struct.unpack_from(">hBB", self.content, day.start)
        hour = minute = second = 0
        if clock is not None and clock.kind == _TIME and clock.size == 4:
            hour, minute, second, _ = self.content[clock.start : clock.start + 4]
        try:
            return dt.datetime(year, month, date, hour, minute, second)  # noqa: DTZ001 - local
        except ValueError:
            return None


def read_directory(path: str | os.PathLike[str]) -> Abif:
    """Read the directory of an ABIF container.

    Parameters
    ----------
    path : path
        The file.

    Raises
    ------
    InstrumentFileError
        ``not_abif``, ``truncated``, ``damaged`` or ``too_large``.

    References
    ----------
    .. [1] Applied Biosystems Genetic Analysis Data File Format (2009), "ABIF file structure".
    """
    file = Path(path)
    if file.stat().st_size > LARGEST_FILE:
        message = f"the file is larger than {LARGEST_FILE} bytes; no run of a capillary is"
        raise InstrumentFileError(message, code="too_large")
    content = file.read_bytes()
    if not content.startswith(MAGIC):
        message = "the file does not begin with ABIF; give a .fsa or .hid file"
        raise InstrumentFileError(message, code="not_abif", offset=0)
    if len(content) < 34:
        message = "the file ends inside its header; copy it again"
        raise InstrumentFileError(message, code="truncated", offset=len(content))
    name, _, _, entry_size, count, _, start = _ENTRY.unpack_from(content, 6)[:7]
    if name != b"tdir" or entry_size != 28 or not 0 <= count <= LARGEST_DIRECTORY or start < 0:
        message = "the header does not describe a directory of 28-byte entries; copy it again"
        raise InstrumentFileError(message, code="damaged", offset=6)
    if start + 28 * count > len(content):
        message = f"the directory of {count} entries lies beyond the end; copy the file again"
        raise InstrumentFileError(message, code="truncated", offset=len(content))
    entries: dict[Key, Entry] = {}
    for place in range(count):
        key, entry = _entry(content, start + 28 * place)
        entries.setdefault(key, entry)
    return Abif(content=content, entries=entries)


def _entry(content: bytes, at: int) -> tuple[Key, Entry]:
    name, number, kind, _, count, size, place = _ENTRY.unpack_from(content, at)
    if count < 0 or size < 0 or (size > 4 and place < 0):
        message = "an entry of the directory has a negative length or place; copy the file again"
        raise InstrumentFileError(message, code="damaged", offset=at)
    # Values of up to four bytes stand in the entry itself.
    start = at + 20 if size <= 4 else place
    if start + size > len(content):
        message = "the data of an entry lie beyond the end of the file; copy the file again"
        raise InstrumentFileError(message, code="truncated", offset=len(content))
    return (name.decode("latin-1"), number), Entry(kind=kind, count=count, start=start, size=size)
