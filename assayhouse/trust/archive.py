"""Archive of delivered bytes: ``ab/abcdef.../name``, read-only, named by their SHA-256.

Keeps every byte that was taken in. Knows no delivery, no layout and no home.
"""

import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from assayhouse.errors import HomeError

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at a file in landing says without reading it."""

    size: int
    mtime_ns: int
    mark: str

    @classmethod
    def at(cls, path: Path) -> "Look | None":
        """Look at a file; None where there is no regular file any more."""
        try:
            found = path.stat(follow_symlinks=False)
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        # The change time cannot be set by whoever drops the file, unlike the time of writing.
        mark = f"{found.st_dev}:{found.st_ino}:{found.st_ctime_ns}:{found.st_size}"
        return cls(size=found.st_size, mtime_ns=found.st_mtime_ns, mark=mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """One file in the archive, and the mark of the file in landing that it was copied from."""

    path: Path
    sha256: str
    size: int
    mark: str


def archived_path(root: Path, sha256: str, name: str) -> Path:
    """Place of a file in an archive."""
    return root / sha256[:2] / sha256 / name


def archive_file(source: Path, root: Path) -> Archived | None:
    """Copy a file into the archive and force it to disk; None where it changed meanwhile.

    The file in landing stays. Bytes that the archive holds under this name are not written again.
    """
    before = Look.at(source)
    if before is None:
        return None
    root.mkdir(parents=True, exist_ok=True)
    temporary = root / f".incoming-{before.mark.replace(':', '-')}"
    temporary.unlink(missing_ok=True)
    digest = _copy(source, temporary)
    if digest is None or Look.at(source) != before or temporary.stat().st_size != before.size:
        temporary.unlink(missing_ok=True)
        return None
    target = archived_path(root, digest, source.name)
    _place(temporary, target)
    return Archived(path=target, sha256=digest, size=before.size, mark=before.mark)


def move_file(sha256: str, name: str, *, source: Path, target: Path) -> Path:
    """Move a file from one archive to another; harmless when it was moved already."""
    old, new = archived_path(source, sha256, name), archived_path(target, sha256, name)
    if old.exists() and not new.exists():
        new.parent.mkdir(parents=True, exist_ok=True)
        temporary = target / f".incoming-{sha256}"
        temporary.unlink(missing_ok=True)
        shutil.copyfile(old, temporary)
        _sync(temporary)
        _place(temporary, new)
    if old.exists():
        old.unlink()
        _sync(old.parent)
    return new


def require_archived(root: Path, sha256: str, name: str) -> Path:
    """Find a file in the archive.

    Raises
    ------
    HomeError
        It is not there, although a receipt says so.
    """
    path = archived_path(root, sha256, name)
    if not path.is_file():
        message = f"{path} is missing from the archive. Restore the home from a copy."
        raise HomeError(message)
    return path


def remove_taken(path: Path, mark: str) -> bool:
    """Remove a file from landing if it is still the one that was archived."""
    look = Look.at(path)
    if look is None or look.mark != mark:
        return False
    path.unlink()
    return True


def _copy(source: Path, target: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with source.open("rb") as incoming, target.open("xb") as outgoing:
            while chunk := incoming.read(_CHUNK):
                digest.update(chunk)
                outgoing.write(chunk)
            outgoing.flush()
            os.fsync(outgoing.fileno())
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def _place(temporary: Path, target: Path) -> None:
    if target.exists():
        temporary.unlink()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary.chmod(0o444)
    temporary.replace(target)
    for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
