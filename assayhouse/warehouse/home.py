"""Places of everything that is kept, the lock on them, and writing a file whole or not at all.

Knows folders; what a table or a publication is, its neighbours know.
"""

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assayhouse.errors import HomeError

SIDES = ("open", "sealed")
_UNSAFE = "%*?[]{}"
_PRIVATE = 0o700


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a kill at any moment, meets the old or the new content."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.new")
    try:
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def exclusive(path: Path, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold an exclusive lock on a file; it ends with the process, killed or not.

    Raises
    ------
    HomeError
        Another process, or another part of this one, still holds it after the wait.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(descriptor, path, wait_seconds)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                message = (
                    f"{path.parent}: another process is changing it ({path.name} is held). "
                    "Nothing was written. Wait until it has ended, then run again."
                )
                raise HomeError(message) from error
            time.sleep(0.05)
        else:
            return


@dataclass(frozen=True, slots=True)
class Home:
    """Folder in which one study's data live.

    Everything of the sealed side lies below ``sealed/``, which only its owner may enter.

    Parameters
    ----------
    root : Path
        The folder; made by `create`.
    """

    root: Path

    def create(self) -> "Home":
        """Make the folders that are not there yet; running it again is harmless.

        Raises
        ------
        HomeError
            The folder's name holds a character that table formats read as a pattern.
        """
        unsafe = sorted(set(str(self.root.resolve())) & set(_UNSAFE))
        if unsafe:
            message = (
                f"{self.root}: the path of a home must not hold {' '.join(unsafe)}. "
                "Nothing was made. Choose another folder."
            )
            raise HomeError(message)
        self.root.mkdir(parents=True, exist_ok=True)
        sealed = self._side("sealed")
        sealed.mkdir(mode=_PRIVATE, exist_ok=True)
        sealed.chmod(_PRIVATE)
        for side in SIDES:
            for name in ("archive", "lake", "reports", "draft"):
                (self._side(side) / name).mkdir(exist_ok=True)
        for folder in (self.landing, self.audit, self.dagster, self.publications):
            folder.mkdir(exist_ok=True)
        return self

    def require(self) -> "Home":
        """Raise unless the home has been made; returns itself.

        Raises
        ------
        HomeError
            The folders are not there.
        """
        if not (self.root / "lake").is_dir() or not self.publications.is_dir():
            message = f"{self.root}: there is no home here. Name the right folder, or make one."
            raise HomeError(message)
        return self

    def _side(self, side: str) -> Path:
        if side not in SIDES:
            message = f"{side} is not a side of a home; open and sealed are."
            raise HomeError(message)
        return self.root / "sealed" if side == "sealed" else self.root

    @property
    def landing(self) -> Path:
        """Drop zone, one folder per vendor."""
        return self.root / "landing"

    @property
    def audit(self) -> Path:
        """Append-only records."""
        return self.root / "audit"

    @property
    def audit_file(self) -> Path:
        """The audit chain."""
        return self.audit / "chain.jsonl"

    @property
    def dagster(self) -> Path:
        """The orchestrator's own folder."""
        return self.root / "dagster"

    @property
    def publications(self) -> Path:
        """Every publication there was, one file each."""
        return self.root / "publications"

    @property
    def publication_file(self) -> Path:
        """The publication that is served."""
        return self.root / "publication.json"

    @property
    def study_file(self) -> Path:
        """Which study the home holds."""
        return self.root / "study.json"

    def archive(self, side: str) -> Path:
        """Delivered bytes by SHA-256."""
        return self._side(side) / "archive"

    def lake(self, relation: str, side: str) -> Path:
        """Delta table of a relation."""
        layer, name = relation.split(".", 1)
        return self._side(side) / "lake" / layer / name

    def reports(self, side: str) -> Path:
        """Folder of the reports of publications and nights."""
        return self._side(side) / "reports"

    def figures(self, side: str) -> Path:
        """Drawn figures, each file named by its SHA-256."""
        return self.reports(side) / "figures"

    def warehouse_file(self, side: str) -> Path:
        """DuckDB file that people query."""
        return self._side(side) / "warehouse.duckdb"

    def work(self, side: str) -> Path:
        """Parts of a long run that a later one goes on from; safe to remove."""
        return self._side(side) / "work"

    def scratch_name(self, side: str) -> Path:
        """Name a scratch folder that is not there yet, on the volume of the tables."""
        return self._side(side) / "draft" / uuid.uuid4().hex

    def draft(self, side: str) -> Path:
        """Make a unique scratch folder on the volume of the tables; whoever asked removes it."""
        folder = self.scratch_name(side)
        folder.mkdir(parents=True)
        return folder

    @contextmanager
    def lock(self, *, wait_seconds: float = 0.0) -> Iterator[None]:
        """Be the only one who changes the home.

        Parameters
        ----------
        wait_seconds : float
            How long to wait for another process, in seconds.

        Raises
        ------
        HomeError
            Another process holds the lock, or there is no home.
        """
        self.require()
        with exclusive(self.root / ".lock", wait_seconds=wait_seconds):
            yield
