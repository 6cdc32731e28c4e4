"""What a command is told beside a table: options in a file of YAML, the folder for results."""

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
    blocked = next(
        (at for at in (folder, *folder.parents) if at.exists() and not at.is_dir()), None
    )
    if blocked is not None:
        message = (
            f"{blocked}: a file, where --out needs a folder. Nothing was written. Name another."
        )
        raise DeclarationError(message)
    return folder


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
