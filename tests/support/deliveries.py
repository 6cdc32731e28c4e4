"""A small study of two layouts, files of them, and what a test does with deliveries."""

import csv
import functools
import hashlib
import io
import json
from dataclasses import replace

import polars as pl

from assayhouse.contracts import declarations as shipped
from assayhouse.contracts.vendor_file import ColumnSpec, Dialect, LayoutSpec, Limits
from assayhouse.pipeline import delivery
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

AT = "2026-03-05T02:00:00Z"
WHO = "night"
STUDY = "DEMO-SLE-01"
COLUMNS = ("ID", "CODE", "VALUE", "UNIT", "NOTE")


def layout(**changes):
    """Contract of results: key ID and CODE, one number, one unit, one note."""
    base = LayoutSpec(
        layout="acme.results",
        version="1.0",
        label="Results",
        reader="delimited",
        dialect=Dialect(),
        columns=(
            ColumnSpec(name="ID", label="Identifier", required=True),
            ColumnSpec(name="CODE", label="Code", required=True),
            ColumnSpec(name="VALUE", label="Value", type="number"),
            ColumnSpec(name="UNIT", label="Unit", type="code", terms="units", unit="pg/mL"),
            ColumnSpec(name="NOTE", label="Note", cosmetic=True),
        ),
        key=("ID", "CODE"),
        mode="cumulative",
        manifest="required",
        file_pattern=r"^results.*\.csv$",
        sealed_under=(),
        limits=Limits(),
        maps_to=(),
        where="schemas/vendors/acme.results.yaml",
    )
    return replace(base, **changes)


@functools.cache
def _shipped():
    return shipped.load()


def study_of(*layouts):
    """Declarations of the shipped study with these layouts in place of its own."""
    whole = _shipped()
    intake = {name: spec for name, spec in whole.declared_tables.items() if spec.layer == "intake"}
    named = {item.layout: item for item in layouts}
    study = replace(whole.study, layouts=tuple(named))
    return replace(whole, study=study, layouts=named, declared_tables=intake)


def row(number, *, code="A", value="1.5", unit="pg/mL", note=""):
    """One row of the layout above."""
    return (f"S{number:04d}", code, value, unit, note)


def rows(count, **cells):
    """Rows 1 to count."""
    return [row(number, **cells) for number in range(1, count + 1)]


def content(lines, columns=COLUMNS):
    """Bytes of a file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue().encode()


def manifest_of(files, /, *, transfer=1, vendor="acme", **changes):
    """Bytes of a manifest for files: name to (layout, content, rows)."""
    entries = [
        {
            "name": name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "rows": n_rows,
            "layout": layout_name,
            "layout_version": "1.0",
        }
        for name, (layout_name, data, n_rows) in files.items()
    ]
    document = {
        "manifest_version": 1,
        "study": STUDY,
        "vendor": vendor,
        "transfer_no": transfer,
        "transfer_date": "2026-03-04",
        "mode": "cumulative",
        "environment": "production",
        "supersedes": None,
        "files": entries,
    }
    return json.dumps(document | changes).encode()


def rules(outcome):
    """Rule, disposition and line of every finding."""
    return [(item.rule, item.disposition, item.source_line) for item in outcome.findings]


class Bench:
    """A home and a study; drops files and ingests them."""

    def __init__(self, folder, declarations):
        self.home = Home(folder).create()
        self.declarations = declarations
        self.pauses = []

    def drop(self, name, data, *, vendor="acme"):
        """Put one file into landing."""
        path = self.home.landing / vendor / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    def send(self, lines, *, name="results.csv", transfer=1, layout="acme.results", **changes):
        """Put a file and its manifest into landing."""
        data = lines if isinstance(lines, bytes) else content(lines)
        n_rows = data.count(b"\n") - 1 if isinstance(lines, bytes) else len(lines)
        vendor = layout.split(".")[0]
        self.drop(name, data, vendor=vendor)
        files = {name: (layout, data, n_rows)}
        sidecar = manifest_of(files, transfer=transfer, vendor=vendor, **changes)
        self.drop(name + ".manifest.json", sidecar, vendor=vendor)
        return data

    def scan(self, **options):
        """Look at landing without waiting."""
        return delivery.scan(
            self.home, self.declarations, at=AT, who=WHO, pause=self.pauses.append, **options
        )

    def ingest(self, number):
        """Carry one delivery to its outcome."""
        return delivery.ingest(self.home, self.declarations, number, at=AT, who=WHO)

    def ingest_all(self):
        """Carry everything that waits to its outcome."""
        waiting = delivery.pending(self.home, self.declarations)
        return [self.ingest(receipt.number) for receipt in waiting]

    def deliver(self, lines, **options):
        """Send one file, scan, and ingest it."""
        self.send(lines, **options)
        (receipt,) = self.scan()
        return self.ingest(receipt.number)

    def approve(self, number, reason="checked with the vendor"):
        """Let a held delivery in."""
        return delivery.approve(
            self.home, self.declarations, number, reason=reason, at=AT, who="anna"
        )

    def refuse(self, number, reason="wrong file"):
        """Keep a held delivery out."""
        return delivery.refuse(
            self.home, self.declarations, number, reason=reason, at=AT, who="anna"
        )

    def lake(self):
        """Tables of the home."""
        return Lake(self.home, self.declarations)

    def table(self, relation, side=None):
        """Every row of a relation."""
        return self.lake().scan(relation, side=side).collect()

    def current(self, relation="raw.acme_results"):
        """Rows that are served of a layout."""
        visible = delivery.visible_receipts(self.home)
        with self.lake().connect(visible=visible, sealed=True) as connection:
            return connection.sql(f"select * from {relation} order by all").pl()

    def version(self, relation="raw.acme_results"):
        """Version and content hash of a table; None where there is none."""
        head = self.lake().head(relation)
        return None if head is None else (head.version, head.content_hash)

    def states(self, number):
        """States of a delivery in order."""
        frame = self.table("intake.states").sort("seq")
        return frame.filter(pl.col("receipt") == number)["state"].to_list()

    def audit_rows(self):
        """Rows of the audit log."""
        return list(AuditLog(self.home.audit_file).entries())

    def landing(self):
        """Names of what lies in landing."""
        return sorted(path.name for path in self.home.landing.glob("*/*"))
