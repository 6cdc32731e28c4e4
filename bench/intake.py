"""Result rows through intake with every line checked, beside DuckDB's bare read_csv to Parquet.

Each side runs in a process of its own, on the same file in the same run, so that the peak memory
is that side's alone. Both are told the same number of threads.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

LAYOUT = "singulex.results"
CONSOLE = Console()


def measured(code: str, *arguments: object) -> dict[str, float]:
    """Run Python code in a process of its own; it prints one JSON line with its figures."""
    told = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(told, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own interpreter and code
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def peak_mib() -> float:
    """Peak resident memory of this process, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu_seconds() -> float:
    """CPU time of this process so far, user and system, s."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def bare_read(path: Path) -> None:
    """Let DuckDB read and write the file with nothing checked."""
    import duckdb  # noqa: PLC0415 - only this process needs it

    started, used = time.perf_counter(), cpu_seconds()
    target = path.with_suffix(".bare.parquet")
    duckdb.sql(
        f"copy (select * from read_csv('{path}', skip=2, header=true, null_padding=true)) "  # noqa: S608
        f"to '{target}' (format parquet)"
    )
    figures = {
        "seconds": time.perf_counter() - started,
        "cpu": cpu_seconds() - used,
        "peak_mib": peak_mib(),
    }
    target.unlink()
    print(json.dumps(figures))  # noqa: T201 - the figure


def checked_read(path: Path, rows: int) -> None:
    """Carry the file from landing to published, every line checked."""
    from bench.study import bench_home  # noqa: PLC0415 - only this process needs it

    home, declarations = bench_home(path, rows)
    from assayhouse.pipeline import delivery  # noqa: PLC0415 - start-up is counted

    started, used = time.perf_counter(), cpu_seconds()
    at = "2026-01-01T02:00:00+00:00"
    (receipt,) = delivery.scan(home, declarations, at=at, who="bench")
    outcome = delivery.ingest(home, declarations, receipt.number, at=at, who="bench")
    figures = {
        "seconds": time.perf_counter() - started,
        "cpu": cpu_seconds() - used,
        "peak_mib": peak_mib(),
        "accepted": outcome.accepted_rows,
        "published": float(outcome.state == "PUBLISHED"),
    }
    print(json.dumps(figures))  # noqa: T201 - the figure


def _row(rows: int, folder: Path) -> tuple[str, ...]:
    from assayhouse.simulate.bulk import write_bulk_results  # noqa: PLC0415 - long import

    path = folder / f"bulk-{rows}.csv"
    write_bulk_results(path, rows=rows, seed=1)
    megabytes = path.stat().st_size / 1e6
    start = "import sys; from pathlib import Path; from bench import intake; "
    call = start + "intake.{0}(Path(sys.argv[1]){1})"
    bare = measured(call.format("bare_read", ""), str(path))
    ours = measured(call.format("checked_read", ", int(sys.argv[2])"), str(path), str(rows))
    if not ours["published"] or ours["accepted"] != rows:
        message = f"intake accepted {ours['accepted']} of {rows} rows: the figures mean nothing"
        raise SystemExit(message)
    path.unlink(missing_ok=True)
    return (
        f"{rows:,}",
        f"{megabytes:,.0f}",
        f"{bare['seconds']:.1f}",
        f"{ours['seconds']:.1f}",
        f"{ours['seconds'] / bare['seconds']:.2f}",
        f"{bare['cpu']:.1f}",
        f"{ours['cpu']:.1f}",
        f"{ours['cpu'] / bare['cpu']:.2f}",
        f"{rows / ours['seconds']:,.0f}",
        f"{bare['peak_mib']:,.0f}",
        f"{ours['peak_mib']:,.0f}",
    )


def run(sizes: list[int]) -> None:
    """Print one line per size."""
    table = Table(title=f"Intake of {LAYOUT}, synthetic rows, {os.cpu_count()} cores")
    for name in (
        "rows",
        "MB",
        "DuckDB s",
        "intake s",
        "ratio",
        "DuckDB CPU s",
        "intake CPU s",
        "CPU ratio",
        "rows/s",
        "DuckDB MiB",
        "intake MiB",
    ):
        table.add_column(name, justify="right", overflow="fold")
    with tempfile.TemporaryDirectory(prefix="assayhouse-bench-") as folder:
        for rows in sizes:
            with CONSOLE.status(f"{rows:,} rows"):
                table.add_row(*_row(rows, Path(folder)))
    CONSOLE.print(table)
