"""Options of a command in a file of YAML, and errors that name this file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assayhouse.contracts.documents import read_mapping
from assayhouse.errors import AssayhouseError, DeclarationError


def read_options(path: Path) -> dict[str, object]:
    """Read a mapping of options.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    DeclarationError
        No file, no YAML, or no mapping.
    """
    try:
        return read_mapping(path)
    except DeclarationError as error:
        message = f"{error} Nothing was written."
        raise DeclarationError(message) from error


@contextmanager
def told_by_file(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with the options in it.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    DeclarationError
        In place of any error raised on purpose.
    """
    try:
        yield
    except AssayhouseError as error:
        told = str(error).removesuffix(" Nothing was written.")
        message = f"{path}: {told} Nothing was written."
        raise DeclarationError(message) from error
