"""Writes ABIF files of fragment runs: a directory of tagged values. Knows no gene."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.streams import FloatArray, IntArray

_CODES = {"char": 2, "short": 4, "long": 5, "date": 10, "time": 11, "pstring": 18, "cstring": 19}
_LARGEST = 32_767
_HEAD = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One entry: name, number, kind of value, number of elements and its bytes."""

    name: str
    number: int
    kind: str
    count: int
    raw: bytes


def text_tag(name: str, number: int, text: str, *, kind: str = "pstring") -> Tag:
    """Entry that holds a text."""
    raw = text.encode()
    raw = bytes([len(raw)]) + raw if kind == "pstring" else raw + b"\0"
    return Tag(name=name, number=number, kind=kind, count=len(raw), raw=raw)


def short_tag(name: str, number: int, values: FloatArray | Sequence[int]) -> Tag:
    """Entry of whole numbers of two bytes."""
    raw = np.asarray(values).astype(">i2").tobytes()
    return Tag(name=name, number=number, kind="short", count=len(raw) // 2, raw=raw)


def long_tag(name: str, number: int, values: FloatArray | IntArray) -> Tag:
    """Entry of whole numbers of four bytes."""
    raw = np.asarray(values).astype(">i4").tobytes()
    return Tag(name=name, number=number, kind="long", count=len(raw) // 4, raw=raw)


def moment_tags(moment: str, number: int) -> list[Tag]:
    """Date and time of a run, from ``YYYY-MM-DDThh:mm``."""
    year, month, day = (int(part) for part in moment[:10].split("-"))
    hour, minute = (int(part) for part in moment[11:16].split(":"))
    date = struct.pack(">hBB", year, month, day)
    return [
        Tag(name="RUND", number=number, kind="date", count=1, raw=date),
        Tag(name="RUNT", number=number, kind="time", count=1, raw=bytes([hour, minute, 0, 0])),
    ]


def signal_tags(place: int, signal: FloatArray) -> list[Tag]:
    """Raw and analysed channel of a dye; scans beyond the range are stored apart.

    Parameters
    ----------
    place : int
        0 to 3 for the dyes, 4 for the size standard.
    signal : (scans,) array
        Relative fluorescence units.
    """
    raw_number, number = (105, 205) if place == 4 else (place + 1, place + 9)
    whole = np.rint(signal)
    high = np.flatnonzero(whole > _LARGEST)
    tags = [
        short_tag("DATA", raw_number, np.rint(np.minimum(signal / 4.0, _LARGEST))),
        short_tag("DATA", number, np.minimum(whole, _LARGEST)),
    ]
    if len(high):
        tags += [
            long_tag("OvrI", number, high.astype(np.int64)),
            long_tag("OvrV", number, whole[high]),
        ]
    return tags


def abif_bytes(tags: Sequence[Tag]) -> bytes:
    """Write a container.

    References
    ----------
    .. [1] Applied Biosystems Genetic Analysis Data File Format (2009).
    """
    data, directory = b"", []
    for tag in tags:
        place = struct.pack(">i", _HEAD + len(data))
        if len(tag.raw) <= 4:
            place = tag.raw.ljust(4, b"\0")
        else:
            data += tag.raw
        head = struct.pack(
            ">4sihhii",
            *(tag.name.encode(), tag.number, _CODES[tag.kind]),
            *(len(tag.raw) // max(1, tag.count), tag.count, len(tag.raw)),
        )
        directory.append(head + place + b"\0\0\0\0")
    root = struct.pack(
        ">4sihhiiii",
        *(b"tdir", 1, 1023, 28, len(directory), 28 * len(directory), _HEAD + len(data), 0),
    )
    return (
        (b"ABIF" + struct.pack(">h", 101) + root).ljust(_HEAD, b"\0") + data + b"".join(directory)
    )
