"""A hundred times the study's result rows, from landing to ADBM and recomputed values.

Minutes, memory and growth. One laboratory's layout carries all rows, over the study's own subjects:
what grows is the number of results per subject. Each size runs in a process of its own, so that
the peak is its alone.
"""

import json
import os
import tempfile
import time
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from assayhouse.contracts.declarations import Declarations
from bench.intake import cpu_seconds, measured, peak_mib

STUDY_ROWS = 46_000
TARGETS = ("adam.adbm", "recon.recomputed")
CONSOLE = Console()


def _needed(declarations: Declarations, wanted: tuple[str, ...]) -> list[str]:
    """Relations that the wanted ones are built from and themselves, in build order."""
    from assayhouse.pipeline.relations import derived  # noqa: PLC0415 - only the measured process

    found, open_ends = set[str](), [*wanted]
    while open_ends:
        relation = open_ends.pop()
        if relation not in found:
            found.add(relation)
            open_ends += declarations.parents(relation)
    return [relation for relation in derived(declarations) if relation in found]


def carry(path: Path, rows: int) -> None:
    """Carry a file from landing to the targets and print the figures as JSON."""
    from assayhouse.pipeline import delivery, relations  # noqa: PLC0415 - start-up is not counted
    from assayhouse.warehouse.lake import Lake  # noqa: PLC0415
    from bench.study import bench_home  # noqa: PLC0415

    home, declarations = bench_home(path, rows)
    started, used, before = time.perf_counter(), cpu_seconds(), peak_mib()
    at = "2026-01-01T02:00:00+00:00"
    (receipt,) = delivery.scan(home, declarations, at=at, who="bench")
    outcome = delivery.ingest(home, declarations, receipt.number, at=at, who="bench")
    landed = time.perf_counter()
    spent = {}
    for relation in _needed(declarations, TARGETS):
        begun = time.perf_counter()
        relations.build_relation(home, declarations, relation)
        spent[relation] = time.perf_counter() - begun
    lake = Lake(home, declarations)
    slowest = max(spent, key=lambda name: spent[name])
    figures = {
        "intake": landed - started,
        "build": time.perf_counter() - landed,
        "cpu": cpu_seconds() - used,
        "before_mib": before,
        "peak_mib": peak_mib(),
        "accepted": outcome.accepted_rows,
        "reached": min(lake.scan(name).select(pl.len()).collect().item() for name in TARGETS),
        "slowest": slowest,
        "slowest_seconds": spent[slowest],
    }
    print(json.dumps(figures))  # noqa: T201 - the figure


def _measure(rows: int, folder: Path) -> dict[str, float]:
    from assayhouse.simulate.bulk import write_bulk_results  # noqa: PLC0415 - long import

    path = folder / f"hundred-{rows}.csv"
    write_bulk_results(path, rows=rows, seed=1)
    code = "import sys; from pathlib import Path; from bench import hundred; "
    figures = measured(code + "hundred.carry(Path(sys.argv[1]), int(sys.argv[2]))", path, rows)
    if not rows == figures["accepted"] == figures["reached"]:
        message = (
            f"{figures['reached']} of {rows} rows reached the targets: the figures mean nothing"
        )
        raise SystemExit(message)
    return figures


def run(multiples: list[int]) -> None:
    """Print one line per multiple of the study."""
    title = f"Landing to {' and '.join(TARGETS)}, synthetic result rows, {os.cpu_count()} cores"
    table = Table(title=title)
    for name in (
        *("x study", "rows", "intake s", "relations s", "minutes", "CPU s", "peak MiB"),
        *("time x", "peak x", "slowest relation", "s"),
    ):
        table.add_column(name, justify="right", overflow="fold")
    first: tuple[float, float] | None = None
    with tempfile.TemporaryDirectory(prefix="assayhouse-bench-") as folder:
        for multiple in multiples:
            with CONSOLE.status(f"{multiple} x the study"):
                figures = _measure(multiple * STUDY_ROWS, Path(folder))
            seconds = figures["intake"] + figures["build"]
            first = first or (seconds, figures["peak_mib"])
            table.add_row(
                f"{multiple}",
                f"{multiple * STUDY_ROWS:,}",
                f"{figures['intake']:.1f}",
                f"{figures['build']:.1f}",
                f"{seconds / 60:.2f}",
                f"{figures['cpu']:.1f}",
                f"{figures['peak_mib']:,.0f}",
                f"{seconds / first[0]:.1f}",
                f"{figures['peak_mib'] / first[1]:.1f}",
                f"{figures['slowest']}",
                f"{figures['slowest_seconds']:.1f}",
            )
    CONSOLE.print(table)
