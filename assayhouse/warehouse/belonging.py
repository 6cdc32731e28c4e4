"""Which study a home holds: recorded when it first receives something, and asked ever after.

Without it the declarations of another study would make every table of this one empty.
"""

import json

import polars as pl

from assayhouse.errors import HomeError
from assayhouse.warehouse import delta, records
from assayhouse.warehouse.home import Home, atomic_write

STUDY = "ref.study"
_FORM = 1


def study_of(home: Home) -> str | None:
    """Give the study that a home holds, or None where it has received nothing yet.

    Raises
    ------
    HomeError
        The record cannot be read.
    """
    try:
        found = json.loads(home.study_file.read_text("utf-8"))
        return str(found["study"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = (
            f"{home.study_file}: which study this home holds cannot be read. Nothing was read or "
            f'written. Write {{"study": ID}} into it, with the `study` of its study.yaml as ID.'
        )
        raise HomeError(message) from error


def require_study(home: Home, study_id: str) -> None:
    """Raise where a home holds another study.

    Parameters
    ----------
    home : Home
        Any home; one without a record is free.
    study_id : str
        As declared by the study folder in use.

    Raises
    ------
    HomeError
        It is another study's home.
    """
    held = study_of(home)
    if held is not None and held != study_id:
        message = (
            f"{home.root}: this home holds study {held}, and the study folder in use declares "
            f"{study_id}. Nothing was read or written. Name a home of its own with --home or "
            f"ASSAYHOUSE_HOME, or the folder of {held} with --study or ASSAYHOUSE_STUDY."
        )
        raise HomeError(message)


def claim(home: Home, study_id: str) -> None:
    """Record the study of a home that has no record; call under the home's lock.

    Parameters
    ----------
    home : Home
        A home made by a version without such a record says by its tables whose it is.
    study_id : str
        As declared.

    Raises
    ------
    HomeError
        It is another study's home.
    """
    require_study(home, study_id)
    if study_of(home) is not None:
        return
    held = _by_tables(home)
    content = json.dumps({"form": _FORM, "study": held or study_id}) + "\n"
    atomic_write(home.study_file, content.encode())
    require_study(home, study_id)


def _by_tables(home: Home) -> str | None:
    root = home.lake(STUDY, "open")
    head = records.read_head(root)
    files = [] if head is None else delta.files_of(root, head.version)
    if not files:
        return None
    names = pl.read_parquet(files, columns=["STUDYID"])["STUDYID"]
    return str(names[0]) if len(names) == 1 else None
