"""Writes a new study's folder from the shipped template, with comments that explain each key."""

import shutil
from pathlib import Path

from assayhouse import paths
from assayhouse.errors import DeclarationError


def new_study(folder: Path) -> tuple[Path, ...]:
    """Write a commented study that loads as it is.

    Parameters
    ----------
    folder : Path
        Absent or empty.

    Returns
    -------
    tuple of Path
        Files written, sorted.

    Raises
    ------
    DeclarationError
        The folder holds something already, or is a file: nothing is written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        message = f"{folder} is not an empty folder. Nothing was written. Choose another place."
        raise DeclarationError(message)
    source = paths.shipped_root() / "schemas" / "template"
    shutil.copytree(source, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file()))
