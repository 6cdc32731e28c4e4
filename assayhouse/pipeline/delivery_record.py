"""Durable record of what intake found in one delivery, from which the intake tables are made.

One folder per receipt on the side of its layout; the record itself, without a value of a subject,
stands beside the audit log. It is written last and whole: what has no record was not judged.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assayhouse.contracts.documents import Document
from assayhouse.intake.account import LineAccount
from assayhouse.intake.disposition import DeltaCounts
from assayhouse.intake.findings import Finding
from assayhouse.intake.receipt import Receipt
from assayhouse.warehouse.home import Home, atomic_write

QUARANTINE = "quarantine.parquet"
DELTA_RECORDS = "delta_records.parquet"
ROWS = "rows"
SEVERITIES = ("critical", "warning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Answer of one rule for one delivery; ``passed`` is None where it could not be asked."""

    rule_id: str
    severity: str
    passed: bool | None
    n: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What intake found in one delivery, and the state it proposes.

    Attributes
    ----------
    base : int or None
        Receipt of the published delivery that it was compared with.
    records : int
        Different records of the file, quarantined ones among them.
    n_rows : int
        Rows that the delivery adds to its relation once accepted.
    sealed : bool
        Whether it was rejected for content that must stay on the sealed side.
    """

    receipt: int
    state: str
    why: str
    base: int | None = None
    account: LineAccount | None = None
    delta: DeltaCounts | None = None
    records: int = 0
    n_rows: int = 0
    sealed: bool = False
    findings: tuple[Finding, ...] = ()
    checks: tuple[Check, ...] = ()

    def to_json(self) -> bytes:
        """Serialise, keys in a fixed order."""
        values = {
            "receipt": self.receipt,
            "state": self.state,
            "why": self.why,
            "base": self.base,
            "account": None if self.account is None else self.account.to_dict(),
            "delta": None if self.delta is None else self.delta.by_class(),
            "records": self.records,
            "n_rows": self.n_rows,
            "sealed": self.sealed,
            "findings": [item.to_dict() for item in self.findings],
            "checks": [
                {name: getattr(item, name) for name in Check.__slots__} for item in self.checks
            ],
        }
        return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Judgement":
        """Read back what :meth:`to_json` gave."""
        document = Document(json.loads(content), "record of a delivery")
        return cls(
            receipt=document.integer("receipt"),
            state=document.text("state"),
            why=document.text("why"),
            base=document.integer("base") if "base" in document else None,
            account=LineAccount.from_dict(_values(document.part("account")))
            if "account" in document
            else None,
            delta=_delta(document.part("delta")) if "delta" in document else None,
            records=document.integer("records"),
            n_rows=document.integer("n_rows"),
            sealed=document.flag("sealed", default=False),
            findings=tuple(Finding.from_dict(_values(part)) for part in document.parts("findings")),
            checks=tuple(_check(part) for part in document.parts("checks")),
        )


def _values(document: Document) -> Mapping[str, object]:
    return {name: document.raw(name) for name in document}


def _delta(document: Document) -> DeltaCounts:
    return DeltaCounts(**{name.lower(): document.integer(name) for name in document})


def _check(document: Document) -> Check:
    passed = document.flag("passed", default=False) if "passed" in document else None
    return Check(
        rule_id=document.text("rule_id"),
        severity=document.choice("severity", SEVERITIES),
        passed=passed,
        n=document.integer("n"),
        message=document.text("message", ""),
    )


def record_path(home: Home, receipt: Receipt) -> Path:
    """File of the record of one receipt."""
    return home.audit / "deliveries" / f"{receipt.partition_key}.json"


def folder(home: Home, receipt: Receipt) -> Path:
    """Folder of one receipt's own tables, on the side of its receipt."""
    return home.archive(receipt.side).parent / "deliveries" / receipt.partition_key


def fresh_folder(home: Home, receipt: Receipt) -> Path:
    """Empty folder for a receipt that is judged; what a killed run left there goes."""
    path = folder(home, receipt)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def write_judgement(home: Home, receipt: Receipt, judgement: Judgement) -> None:
    """Write the record whole; from here on the delivery is judged."""
    path = record_path(home, receipt)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, judgement.to_json())


def read_judgement(home: Home, receipt: Receipt) -> Judgement | None:
    """Read the record of a receipt; None where it was not judged."""
    path = record_path(home, receipt)
    return Judgement.from_json(path.read_bytes()) if path.is_file() else None


def drop_rows(home: Home, receipt: Receipt) -> None:
    """Remove the draft rows of a receipt that is settled."""
    shutil.rmtree(folder(home, receipt) / ROWS, ignore_errors=True)
