"""What a command is told beside a table: options in a file of YAML, the folder for results."""

import os
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


def out_folder(name: str) -> Path:
    """Return the folder for results, not made yet; better told before the work than after it.

    Parameters
    ----------
    name : str
        As it was given.

    Raises
    ------
    DeclarationError
        A file is where the folder or one above it must be.
    """
    folder = Path(name)
    _require_way(folder)
    return folder


def out_file(name: str) -> Path:
    """Return the file to write, anew where it is there already; told before the work as well.

    Parameters
    ----------
    name : str
        As it was given.

    Raises
    ------
    DeclarationError
        A folder is where the file must be, or a file where a folder above it must be.
    """
    path = Path(name)
    if path.is_dir():
        message = f"{path}: a folder, where a file is written. Nothing was written. Name a file."
        raise DeclarationError(message)
    _require_way(path.parent)
    return path


def _require_way(folder: Path) -> None:
    blocked = next(
        (at for at in (folder, *folder.parents) if os.path.lexists(at) and not at.is_dir()), None
    )
    if blocked is not None:
        message = (
            f"{blocked}: a file, where --out needs a folder. Nothing was written. Name another."
        )
        raise DeclarationError(message)


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
