"""Looks at landing: which transfers are complete, which files wait, which are not known.

Takes complete transfers into the archive and the register. Judges no content.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.errors import AssayhouseError
from assayhouse.intake.manifest import SUFFIX, ManifestEntry, read_manifest
from assayhouse.intake.receipt import Receipt, Register
from assayhouse.trust.archive import Look, archive_file, remove_taken
from assayhouse.warehouse.home import Home

SETTLE_SECONDS = 0.05
_MANIFEST = f"Put its manifest (<name>{SUFFIX}) beside it, which the vendor sends."
_COMPLETE = "Complete the transfer: what the manifest names must lie beside it as it says."
_ONE = "Leave one of the manifests."
_NAME = "Rename it as the layout's file_pattern says, send it with a manifest, or take it away."
_GROWING = "The next run takes it when it is complete."
Pause = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A file that stays in landing, and why."""

    vendor: str
    file_name: str
    why: str
    known: bool
    remedy: str = ""
    since: str = ""  # when it came to lie there, ISO 8601


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file of a complete transfer: its layout and what its manifest says of it."""

    path: Path
    layout: LayoutSpec
    entry: ManifestEntry | None
    manifest_path: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What lies in landing."""

    transfers: tuple[tuple[Candidate, ...], ...] = ()
    waiting: tuple[Waiting, ...] = ()


def clear_taken(home: Home, register: Register) -> int:
    """Remove from landing what the register holds already; a killed scan leaves such files."""
    marks = {mark for receipt in register.receipts() for mark in receipt.marks}
    removed = 0
    for path in _files(home.landing):
        look = Look.at(path)
        if look is not None and look.mark in marks:
            removed += remove_taken(path, look.mark)
    return removed


def survey(home: Home, declarations: Declarations, *, pause: Pause) -> Survey:
    """Look at every vendor's folder; a file that grows between two looks waits.

    Parameters
    ----------
    home : Home
        Where landing is.
    declarations : Declarations
        Layouts of the study.
    pause : callable
        Called with the seconds between the two looks.
    """
    first = {path: Look.at(path) for path in _files(home.landing)}
    if not first:
        return Survey()
    pause(SETTLE_SECONDS)
    steady = {path for path, look in first.items() if look is not None and Look.at(path) == look}
    transfers: list[tuple[Candidate, ...]] = []
    waiting: list[Waiting] = []
    folders = sorted({path.parent for path in first})
    for folder in folders:
        found = _Folder(
            vendor=folder.name,
            paths=tuple(path for path in first if path.parent == folder),
            steady=frozenset(steady),
            declarations=declarations,
        )
        more, left = found.sort()
        transfers += more
        waiting += left
    return Survey(transfers=tuple(transfers), waiting=tuple(waiting))


def _files(landing: Path) -> list[Path]:
    return [
        path
        for path in sorted(landing.glob("*/*"))
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """One vendor's folder at one moment."""

    vendor: str
    paths: tuple[Path, ...]
    steady: frozenset[Path]
    declarations: Declarations

    def sort(self) -> tuple[list[tuple[Candidate, ...]], list[Waiting]]:
        """Split into complete transfers and what stays."""
        transfers: list[tuple[Candidate, ...]] = []
        waiting: list[Waiting] = []
        claimed: set[str] = set()
        for path in (item for item in self.paths if item.name.endswith(SUFFIX)):
            found = self._listed(path)
            if isinstance(found, str):
                waiting.append(self._wait(path, found, remedy=_COMPLETE))
                claimed.update(self._names(path))
                continue
            names = {candidate.path.name for candidate in found}
            if names & claimed:
                waiting.append(
                    self._wait(path, "another manifest lists one of its files", remedy=_ONE)
                )
                continue
            claimed |= names
            transfers.append(found)
        for path in self.paths:
            if path.name in claimed or path.name.endswith(SUFFIX):
                continue
            alone = self._alone(path)
            if isinstance(alone, Waiting):
                waiting.append(alone)
            else:
                transfers.append((alone,))
        return transfers, waiting

    def _names(self, path: Path) -> set[str]:
        try:
            manifest = read_manifest(path.read_bytes(), name=path.name)
        except (AssayhouseError, OSError):
            return set()
        return {entry.name for entry in manifest.entries}

    def _listed(self, path: Path) -> tuple[Candidate, ...] | str:
        """Files of a manifest, or why they wait."""
        if path not in self.steady:
            return "the manifest is still being written"
        try:
            manifest = read_manifest(path.read_bytes(), name=path.name)
        except AssayhouseError as error:
            return str(error)
        found = [self._entry(entry, path) for entry in manifest.entries]
        problems = [item for item in found if isinstance(item, str)]
        if problems:
            return "; ".join(problems)
        return tuple(item for item in found if isinstance(item, Candidate))

    def _entry(self, entry: ManifestEntry, manifest_path: Path) -> Candidate | str:
        layout = self.declarations.layouts.get(entry.layout)
        path = manifest_path.parent / entry.name
        if Path(entry.name).name != entry.name:
            return "a file name in the manifest holds a folder"
        if layout is None or layout.vendor != self.vendor:
            return f"layout {entry.layout} is not one of this vendor's in this study"
        if path not in self.paths:
            return f"{entry.name} has not come yet"
        if path not in self.steady:
            return f"{entry.name} is still growing"
        return Candidate(path=path, layout=layout, entry=entry, manifest_path=manifest_path)

    def _alone(self, path: Path) -> Candidate | Waiting:
        """Judge a file that no manifest lists."""
        fitting = [
            layout
            for name, layout in sorted(self.declarations.layouts.items())
            if layout.vendor == self.vendor
            and layout.file_pattern
            and re.search(layout.file_pattern, path.name)
        ]
        if len(fitting) != 1:
            why = "its name fits several layouts" if fitting else "its name fits no layout"
            return self._wait(path, why, known=False, remedy=_NAME)
        if fitting[0].manifest == "required":
            return self._wait(path, "its manifest has not come yet", remedy=_MANIFEST)
        if path not in self.steady:
            return self._wait(path, "it is still growing", remedy=_GROWING)
        return Candidate(path=path, layout=fitting[0], entry=None, manifest_path=None)

    def _wait(self, path: Path, why: str, *, known: bool = True, remedy: str) -> Waiting:
        return Waiting(
            vendor=self.vendor,
            file_name=path.name,
            why=why,
            known=known,
            remedy=remedy,
            since=_since(path),
        )


def strays(landing: Path) -> tuple[Waiting, ...]:
    """Files that no scan looks at: outside every vendor's folder, or in a folder below one."""
    found = [*landing.glob("*"), *(path for path in landing.glob("*/*/**/*"))]
    return tuple(
        Waiting(
            vendor=path.parent.relative_to(landing).as_posix(),
            file_name=path.name,
            why="only files directly in a vendor's folder are taken in",
            known=False,
            remedy="Move it into landing/<vendor>/.",
            since=_since(path),
        )
        for path in sorted(found)
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    )


def _since(path: Path) -> str:
    """Last change of the folder's entry: a copy or a move into the folder makes one."""
    try:
        changed = path.stat().st_ctime
    except OSError:
        return ""
    return datetime.fromtimestamp(changed, tz=UTC).isoformat(timespec="minutes")


def take(
    home: Home,
    declarations: Declarations,
    register: Register,
    found: Survey,
    *,
    at: str,
    who: str,
) -> tuple[Receipt, ...]:
    """Archive and register the files of complete transfers, then remove them from landing.

    Order of receipts: the layouts' order, then transfer number, then name. They are registered
    together, so that a kill never parts the files of a transfer.
    """
    taken = [
        item for transfer in found.transfers for item in _archive(home, declarations, transfer)
    ]
    order = {name: place for place, name in enumerate(declarations.layout_order())}
    taken.sort(key=lambda item: (order[item.layout], item.transfer_no or 0, item.file_name))
    arrived = register.arrive(taken, at=at, who=who)
    clear_taken(home, register)
    return arrived


def _archive(
    home: Home, declarations: Declarations, transfer: tuple[Candidate, ...]
) -> list[Receipt]:
    """Archive one transfer; nothing of it is taken where a file changes meanwhile."""
    sides = [declarations.layout_side(item.layout.layout) for item in transfer]
    # A manifest goes with the strictest of the files that it names.
    strictest = "sealed" if "sealed" in sides else "open"
    sources = [(item.path, home.archive(side)) for item, side in zip(transfer, sides, strict=True)]
    if transfer[0].manifest_path is not None:
        sources.append((transfer[0].manifest_path, home.archive(strictest)))
    copies = [copy for path, root in sources if (copy := archive_file(path, root)) is not None]
    if len(copies) < len(sources):
        return []
    manifest_marks = tuple(copy.mark for copy in copies[len(transfer) :])
    return [
        Receipt(
            number=0,
            vendor=candidate.layout.vendor,
            layout=candidate.layout.layout,
            file_name=candidate.path.name,
            sha256=copy.sha256,
            bytes=copy.size,
            side=side,
            received_at="",
            manifest=candidate.entry,
            marks=(copy.mark, *manifest_marks),
        )
        for candidate, side, copy in zip(transfer, sides, copies, strict=False)
    ]
