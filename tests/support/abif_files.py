"""Small ABIF containers, written entry by entry as the specification says."""

import struct

import numpy as np

CODES = {"byte": 1, "char": 2, "short": 4, "long": 5, "float": 7, "date": 10, "time": 11}
CODES |= {"pstring": 18, "cstring": 19}
FORMS = {"short": ">i2", "long": ">i4", "float": ">f4"}


def encoded(kind, value):
    """Number of elements and bytes of one value."""
    if kind in FORMS:
        values = np.atleast_1d(np.asarray(value)).astype(FORMS[kind])
        return len(values), values.tobytes()
    if kind == "date":
        return 1, struct.pack(">hBB", *value)
    if kind == "time":
        return 1, bytes([*value, 0])
    raw = value.encode()
    if kind == "pstring":
        raw = bytes([len(raw)]) + raw
    if kind == "cstring":
        raw += b"\0"
    return len(raw), raw


def abif(entries):
    """Bytes of a container; ``entries``: (name, number, kind, value)."""
    data, directory = b"", []
    for name, number, kind, value in entries:
        count, raw = encoded(kind, value)
        size = max(1, len(raw) // max(1, count))
        place = struct.pack(">i", 128 + len(data)) if len(raw) > 4 else raw.ljust(4, b"\0")
        data += raw if len(raw) > 4 else b""
        head = struct.pack(">4sihhii", name.encode(), number, CODES[kind], size, count, len(raw))
        directory.append(head + place + b"\0\0\0\0")
    start = 128 + len(data)
    root = struct.pack(
        ">4sihhiiii", b"tdir", 1, 1023, 28, len(directory), 28 * len(directory), start, 0
    )
    head = (b"ABIF" + struct.pack(">h", 101) + root).ljust(128, b"\0")
    return head + data + b"".join(directory)


def bell(n, *peaks):
    """A channel of n scans with peaks (scan, height), rounded."""
    x = np.arange(n)
    return sum(
        (height * np.exp(-0.5 * ((x - scan) / 3.0) ** 2) for scan, height in peaks),
        np.zeros(n),
    ).round()


def run(sizes, *, n=3000, pace=4.5, first=300.0, height=1500, extra=(), changes=None):
    """Bytes of a run of two dyes, the second with a ladder of these sizes."""
    scans = [first + pace * size + 2e-4 * size**2 for size in sizes]
    ladder = bell(n, *[(round(scan), height) for scan in scans], *extra)
    sample = bell(n, (800, 40_000), (1500, 900))
    entries = {
        ("Dye#", 1): ("short", 2),
        ("DyeN", 1): ("pstring", " FAM"),
        ("DyeN", 2): ("pstring", " LIZ"),
        ("DATA", 1): ("short", (sample / 4).round()),
        ("DATA", 2): ("short", (ladder / 4).round()),
        ("DATA", 9): ("short", np.minimum(sample, 32_767)),
        ("DATA", 10): ("short", ladder),
        ("OvrI", 9): ("long", np.flatnonzero(sample > 32_767)),
        ("OvrV", 9): ("long", sample[sample > 32_767]),
        ("OfSc", 1): ("long", [800, 801]),
        ("Satd", 1): ("long", [799, 800]),
        ("StdF", 1): ("pstring", "GS500LIZ"),
        ("SamQ", 1): ("cstring", "SQ=0.75,SQLevel=1"),
        ("RUND", 1): ("date", (2024, 5, 6)),
        ("RUNT", 1): ("time", (7, 8, 9)),
        ("SMED", 1): ("cstring", "2024-12-31 23:59:00.0"),
        ("MODL", 1): ("char", "3500"),
        ("Peak", 1): ("short", [1, 2]),
        ("Peak", 2): ("long", [800, 1500]),
        ("Peak", 7): ("short", [100, 200]),
        ("Peak", 10): ("long", [1000, 2000]),
        ("Peak", 12): ("float", [-1.0, 60.5]),
    }
    entries |= changes or {}
    return abif([(*key, *value) for key, value in entries.items() if value is not None])
