"""Instrument files read beside the libraries that others use: events, files and wells a second.

Every reader of instruments may add its measurement to `MEASUREMENTS`.
"""

import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from assayhouse.instruments.fcs import read_fcs

CONSOLE = Console()
REPEATS = 7
EVENTS, CHANNELS = 200_000, 16


def run() -> None:
    """Measure every reader and print one row each."""
    table = Table("file", "rows", "assayhouse /s", "peer /s", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        for measurement in MEASUREMENTS:
            for row in measurement(Path(folder)):
                table.add_row(*row)
    CONSOLE.print(table)


def seconds(function: Callable[[], object]) -> float:
    """Shortest of several calls: what the machine can do when nothing else disturbs it."""
    best = float("inf")
    for _repeat in range(REPEATS):
        started = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - started)
    return best


def _fcs_file(path: Path, *, kind: str) -> int:
    """Write a file of random events and give back how many."""
    rng = np.random.default_rng(20190304)
    if kind == "F":
        data, bits = rng.normal(5e4, 1e4, (EVENTS, CHANNELS)).astype("<f4"), 32
    else:
        data, bits = rng.integers(0, 1024, (EVENTS, CHANNELS)).astype("<u2"), 16
    words = {
        "$TOT": EVENTS,
        "$PAR": CHANNELS,
        "$DATATYPE": kind,
        "$MODE": "L",
        "$BYTEORD": "1,2,3,4",
        "$NEXTDATA": 0,
        "$BEGINDATA": 4096,
        "$ENDDATA": 4095 + data.nbytes,
    }
    for place in range(1, CHANNELS + 1):
        words |= {f"$P{place}N": f"FL{place}-A", f"$P{place}B": bits}
        words |= {f"$P{place}E": "0,0", f"$P{place}R": 1024}
    text = "/" + "/".join(f"{key}/{value}" for key, value in words.items()) + "/"
    offsets = (58, 57 + len(text), 4096, 4095 + data.nbytes, 0, 0)
    head = "FCS3.1    " + "".join(f"{offset:>8}" for offset in offsets)
    path.write_bytes((head + text).encode().ljust(4096) + data.tobytes())
    return EVENTS


def fcs(folder: Path) -> list[tuple[str, ...]]:
    """FCS events a second, beside flowio's array of the same events."""
    import flowio  # noqa: PLC0415 - only here

    rows = []
    for kind, name in (("F", "FCS 3.1, 16 floats"), ("I", "FCS 3.1, 16 integers of 16 bits")):
        path = folder / f"{kind}.fcs"
        events = _fcs_file(path, kind=kind)

        def peer(path: Path = path) -> object:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return flowio.FlowData(str(path)).as_array()

        def ours(path: Path = path) -> object:
            return read_fcs(path)

        mine = seconds(ours)
        peers = {"flowio": peer} | _flowkit(path)
        for library, other in peers.items():
            theirs = seconds(other)
            rows.append(
                (f"{name}, {library}", f"{events:,}", f"{events / mine:,.0f}",
                 f"{events / theirs:,.0f}", f"{theirs / mine:.2f}")
            )  # fmt: skip
    return rows


def _flowkit(path: Path) -> dict[str, Callable[[], object]]:
    """FlowKit's reader, where that library is installed; it reads through flowio."""
    try:
        import flowkit  # noqa: PLC0415 - only here, and not among the pins
    except ImportError:
        return {}

    def peer() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return flowkit.Sample(str(path)).get_events(source="raw")

    return {"FlowKit": peer}


MEASUREMENTS: list[Callable[[Path], list[tuple[str, ...]]]] = [fcs]
