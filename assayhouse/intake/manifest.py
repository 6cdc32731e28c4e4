"""The sidecar that a vendor sends with a transfer: what it says of the files, and what follows.

Reads no delivered data. Whether a file is as its manifest says is judged once the file was read.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from assayhouse.contracts.documents import Document
from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.errors import AssayhouseError
from assayhouse.intake.findings import FileFault

SUFFIX = ".manifest.json"
PRODUCTION = "production"
MANIFEST_DIFFERS = "F02"
WRONG_STUDY = "F07"
ENVIRONMENT = "MANIFEST-ENVIRONMENT"
MODE = "MANIFEST-MODE"
LAYOUT_VERSION = "MANIFEST-LAYOUT-VERSION"
MISSING = "MANIFEST-MISSING"
TRANSFER = "TRANSFER-NUMBER"


class ManifestError(AssayhouseError):
    """A manifest cannot be read as one; its files wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """What a manifest says of one file, and of the transfer it belongs to."""

    name: str
    sha256: str
    bytes: int
    rows: int | None
    layout: str
    layout_version: str | None
    study: str
    vendor: str
    transfer_no: int
    mode: str | None
    environment: str
    supersedes: str | None

    def to_dict(self) -> dict[str, object]:
        """Plain values, for the audit log."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "ManifestEntry":
        """Read back what :meth:`to_dict` gave."""
        document = Document(values, "audit log, manifest")
        return cls(
            name=document.text("name"),
            sha256=document.text("sha256"),
            bytes=document.integer("bytes"),
            rows=_optional(document, "rows"),
            layout=document.text("layout"),
            layout_version=document.optional_text("layout_version"),
            study=document.text("study"),
            vendor=document.text("vendor"),
            transfer_no=document.integer("transfer_no"),
            mode=document.optional_text("mode"),
            environment=document.text("environment", PRODUCTION),
            supersedes=document.optional_text("supersedes"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One transfer: its number, and an entry per file in the order listed."""

    transfer_no: int
    entries: tuple[ManifestEntry, ...]


def _optional(document: Document, key: str) -> int | None:
    return document.integer(key) if key in document else None


def read_manifest(content: bytes, *, name: str) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    content : bytes
        The sidecar as delivered.
    name : str
        Its file name, for messages.

    Raises
    ------
    ManifestError
        It is not JSON, not of a known version, lists no file, or lacks something.
    """
    try:
        values = json.loads(content)
    except ValueError as error:
        message = f"{name}: not readable as JSON. Its files wait; ask the vendor to send it again."
        raise ManifestError(message) from error
    if not isinstance(values, dict):
        message = f"{name}: a JSON object is expected. Its files wait; ask the vendor."
        raise ManifestError(message)
    try:
        return _manifest(Document(cast("dict[str, object]", values), name))
    except AssayhouseError as error:
        message = f"{error} Its files wait; ask the vendor to send the manifest again."
        raise ManifestError(message) from error


def _manifest(document: Document) -> Manifest:
    if document.integer("manifest_version") != 1:
        message = f"{document.where}: manifest_version must be 1."
        raise ManifestError(message)
    transfer_no = document.integer("transfer_no")
    entries = tuple(
        ManifestEntry(
            name=part.text("name"),
            sha256=part.text("sha256").lower(),
            bytes=part.integer("bytes"),
            rows=_optional(part, "rows"),
            layout=part.text("layout"),
            layout_version=part.optional_text("layout_version"),
            study=document.text("study"),
            vendor=document.text("vendor"),
            transfer_no=transfer_no,
            mode=document.optional_text("mode"),
            environment=document.text("environment", PRODUCTION),
            supersedes=document.optional_text("supersedes"),
        )
        for part in document.parts("files")
    )
    names = [entry.name for entry in entries]
    if not entries or len(set(names)) != len(names):
        message = f"{document.where}: files must list at least one file, each once."
        raise ManifestError(message)
    return Manifest(transfer_no=transfer_no, entries=entries)


def check_entry(entry: ManifestEntry, layout: LayoutSpec, *, study_id: str) -> list[FileFault]:
    """Judge what a manifest says before a byte of its file is read."""
    faults = []
    if entry.study != study_id:
        faults.append(
            FileFault(
                rule=WRONG_STUDY,
                disposition="R",
                message="the manifest names another study. Send the file to its own study",
            )
        )
    if entry.vendor != layout.vendor:
        faults.append(
            FileFault(
                rule=WRONG_STUDY,
                disposition="R",
                message="the manifest names another vendor than the folder the file came in",
            )
        )
    if entry.environment != PRODUCTION:
        faults.append(
            FileFault(
                rule=ENVIRONMENT,
                disposition="R",
                message="the manifest marks the transfer as a test; tests are never served",
            )
        )
    if entry.mode is not None and entry.mode != layout.mode:
        faults.append(
            FileFault(
                rule=MODE,
                disposition="R",
                message=f"the manifest says another mode than {layout.mode}, which is agreed",
            )
        )
    if entry.layout_version is not None and entry.layout_version != layout.version:
        faults.append(
            FileFault(
                rule=LAYOUT_VERSION,
                disposition="W",
                message=f"the manifest names another version of the layout than {layout.version}",
            )
        )
    return faults


def check_bytes(entry: ManifestEntry, *, sha256: str, size: int) -> list[FileFault]:
    """Compare the bytes that came with what the manifest says (F01, F02)."""
    if entry.bytes != size:
        message = f"the file has {size} bytes, its manifest says {entry.bytes}. Send it again"
        return [FileFault(rule=MANIFEST_DIFFERS, disposition="R", message=message)]
    if entry.sha256 != sha256:
        message = "the SHA-256 of the file is not the one in its manifest. Send both again"
        return [FileFault(rule=MANIFEST_DIFFERS, disposition="R", message=message)]
    return []


def check_rows(entry: ManifestEntry, *, rows: int) -> list[FileFault]:
    """Compare the rows that were read with what the manifest says."""
    if entry.rows is None or entry.rows == rows:
        return []
    message = f"the file has {rows} rows, its manifest says {entry.rows}. Send both again"
    return [FileFault(rule=MANIFEST_DIFFERS, disposition="R", message=message)]


def check_transfer_number(
    number: int, *, of_vendor: Iterable[int], of_layout: Iterable[int]
) -> list[FileFault]:
    """Judge a transfer number against those that came before.

    Parameters
    ----------
    number : int
        Transfer number of the delivery.
    of_vendor : iterable of int
        Numbers of the vendor's earlier transfers, whatever became of them.
    of_layout : iterable of int
        Numbers of the layout's earlier deliveries that were neither rejected nor refused: the
        file of a rejected one may come again under its number.
    """
    before, used = set(of_vendor), set(of_layout)
    message = ""
    if used and number <= max(used):
        message = f"transfer {number} came after transfer {max(used)}: repeated or out of order"
    elif before and number > max(before) + 1:
        message = f"transfer {number} follows transfer {max(before)}: one or more are missing"
    if not message:
        return []
    return [FileFault(rule=TRANSFER, disposition="H", message=f"{message}. Ask the vendor")]
