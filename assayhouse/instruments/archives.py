"""Zip archives of instruments, bounded: what is unpacked, how many members, no encryption.

Limits grow with the file, so that a small file can never cost much and a large one can be read.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator

from assayhouse.errors import InstrumentFileError

MAGIC = b"PK"
MOST_MEMBERS = 20_000
_SMALL_FILE = 1 << 21
_UNPACKED_OF_SMALL = 1 << 26
_CHUNK = 1 << 16
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError)


def scaled(limit: int, content: bytes) -> int:
    """Grow a limit that suits a file of 2 MB to one that suits this file."""
    return int(limit * max(1.0, len(content) / _SMALL_FILE))


def open_archive(content: bytes) -> zipfile.ZipFile:
    """Open an archive and check its directory.

    Parameters
    ----------
    content : bytes
        The file.

    Raises
    ------
    InstrumentFileError
        ``truncated`` (no directory at its end), ``damaged`` or ``too_large``.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        message = "the archive has no directory at its end: it is cut off; ask for it anew"
        raise InstrumentFileError(message, code="truncated", offset=len(content)) from error
    except (*_BROKEN, NotImplementedError) as error:
        raise _damaged() from error
    if len(archive.infolist()) > MOST_MEMBERS:
        message = f"the archive has more than {MOST_MEMBERS} members"
        raise InstrumentFileError(message, code="too_large")
    return archive


def _damaged() -> InstrumentFileError:
    return InstrumentFileError("the archive is damaged; ask for it anew", code="damaged")


def unpacked(archive: zipfile.ZipFile, name: str, content: bytes) -> Iterator[bytes]:
    """Yield the bytes of a member, piece by piece, up to the limit.

    Parameters
    ----------
    archive : ZipFile
        From `open_archive`.
    name : str
        The member.
    content : bytes
        The whole file, by whose size the limit grows.

    Raises
    ------
    InstrumentFileError
        ``damaged``, ``too_large`` or ``unsupported_feature`` (encrypted, unknown compression).
    """
    limit, read = scaled(_UNPACKED_OF_SMALL, content), 0
    try:
        with archive.open(name) as member:
            while piece := member.read(_CHUNK):
                read += len(piece)
                if read > limit:
                    message = f"a member of the archive unpacks to more than {limit} bytes"
                    raise InstrumentFileError(message, code="too_large")
                yield piece
    except (NotImplementedError, RuntimeError) as error:
        message = "the archive is encrypted or packed in a way that is not read; pack it as usual"
        raise InstrumentFileError(message, code="unsupported_feature") from error
    except _BROKEN as error:
        raise _damaged() from error


def first_member(head: bytes) -> str | None:
    """Name of the first member by its local header, which a cut archive still has."""
    if not head.startswith(MAGIC) or len(head) < 30:
        return None
    length = int.from_bytes(head[26:28], "little")
    return head[30 : 30 + length].decode("utf-8", errors="replace")
