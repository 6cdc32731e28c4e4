"""Fragment runs and plate exports read per second, the peers' readers beside them.

Files are generated here; nothing third-party is needed. Biopython reads the same runs and openpyxl
the same workbook, cell by cell, in the same process.
"""

import io
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
from Bio import SeqIO

from assayhouse.instruments.electrophoresis import read_abif
from assayhouse.instruments.plates import read_plate

SCANS, DYES, ANALYTES, WELLS = 6600, (1, 2, 3, 4, 105), 15, 96
SECONDS = 1.0


def _run() -> bytes:
    """Write a run of five dyes, raw and analysed, with the directory at its end."""
    rng = np.random.default_rng(1)
    data, entries = b"", b""
    numbers = [*DYES, 9, 10, 11, 12, 205]
    for number in numbers:
        raw = rng.integers(0, 500, SCANS).astype(">i2").tobytes()
        place = 128 + len(data)
        entries += struct.pack(">4sihhiiii", b"DATA", number, 4, 2, SCANS, len(raw), place, 0)
        data += raw
    root = struct.pack(
        ">4sihhiiii", b"tdir", 1, 1023, 28, len(numbers), len(entries), 128 + len(data), 0
    )
    return (b"ABIF" + struct.pack(">h", 101) + root).ljust(128, b"\0") + data + entries


def _workbook() -> bytes:
    """Write a Bio-Plex workbook: one sheet per analyte, one row per well."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    header = "Analyte,Type,Well,Description,FI,FI - Bkgd,Obs Conc,Exp Conc,Dilution,Bead Count"
    for number in range(ANALYTES):
        sheet = book.create_sheet(f"A{number} ({number})")
        sheet.append(["Plate ID: P"])
        sheet.append(header.split(","))
        for well in range(WELLS):
            place = f"{'ABCDEFGH'[well % 8]}{well // 8 + 1}"
            sheet.append([sheet.title, f"X{well}", place, "s", 50.5, 40.5, 3.25, None, 1, 100])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _per_second(read: Callable[[], object]) -> float:
    """Count reads per second of processor time, after one to warm up."""
    read()
    count, start = 0, time.process_time()
    while time.process_time() - start < SECONDS:
        read()
        count += 1
    return count / (time.process_time() - start)


def _biopython(path: Path) -> object:
    with path.open("rb") as file:
        return SeqIO.read(file, "abi")


def _openpyxl(path: Path) -> object:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    return [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]


def run() -> None:
    """Print files per second of processor time."""
    with tempfile.TemporaryDirectory() as folder:
        trace, plate = Path(folder) / "run.fsa", Path(folder) / "plate.xlsx"
        trace.write_bytes(_run())
        plate.write_bytes(_workbook())
        rows = {
            ".fsa files, assayhouse": lambda: read_abif(trace),
            ".fsa files, Biopython": lambda: _biopython(trace),
            f"plates of {ANALYTES} analytes, assayhouse": lambda: read_plate(plate),
            f"plates of {ANALYTES} analytes, openpyxl's cells": lambda: _openpyxl(plate),
        }
        for name, read in rows.items():
            print(f"{name:45s} {_per_second(read):8.1f} /s")  # noqa: T201 - the result


if __name__ == "__main__":
    run()
