"""A home with the roster in it and one large results file in landing, ready to be measured."""

import hashlib
import json
from pathlib import Path

from assayhouse.contracts import declarations
from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline import delivery
from assayhouse.simulate.study import simulate_study
from assayhouse.warehouse.home import Home

AT = "2026-01-01T01:00:00+00:00"
SEED = 1
LAYOUTS = ("edc.dm", "edc.site")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _manifest(path: Path, rows: int) -> bytes:
    entry = {
        "name": path.name,
        "sha256": _digest(path),
        "bytes": path.stat().st_size,
        "rows": rows,
        "layout": "singulex.results",
        "layout_version": "1.0",
    }
    document = {
        "manifest_version": 1,
        "study": "DEMO-SLE-01",
        "vendor": "singulex",
        "transfer_no": 1,
        "transfer_date": "2026-01-01",
        "mode": "cumulative",
        "environment": "production",
        "supersedes": None,
        "files": [entry],
    }
    return json.dumps(document).encode()


def bench_home(path: Path, rows: int) -> tuple[Home, Declarations]:
    """Make a home beside the file, with sites and demographics published and the file landed."""
    loaded = declarations.load()
    home = Home(path.with_suffix(".home"))
    home.create()
    last = simulate_study(seed=SEED, faults=False, layouts=LAYOUTS).transfers[-1]
    for name, content in last.files.items():
        if name.startswith("edc/"):
            target = home.landing / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    delivery.scan(home, loaded, at=AT, who="bench")
    for receipt in delivery.pending(home, loaded):
        delivery.ingest(home, loaded, receipt.number, at=AT, who="bench")
    landed = home.landing / "singulex" / "DEMO-SLE-01_singulex-results_T001_20260101.csv"
    landed.parent.mkdir(parents=True, exist_ok=True)
    path.rename(landed)
    landed.with_name(landed.name + ".manifest.json").write_bytes(_manifest(landed, rows))
    return home, loaded
