"""Which study a home holds: recorded when it first receives something, and asked ever after.

Without it the declarations of another study would make every table of this one empty.
"""

import json
from collections.abc import Collection

import polars as pl

from assayhouse.contracts.study import Study
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
        if found.get("form", _FORM) != _FORM:
            raise ValueError  # noqa: TRY301 - told below, as everything that cannot be read
        return str(found["study"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = (
            f"{home.study_file}: which study this home holds cannot be read. Nothing was read or "
            f'written. Write {{"study": ID}} into it, with the `study` of its study.yaml as ID.'
        )
        raise HomeError(message) from error


def record(home: Home, study_id: str) -> None:
    """Write down whose the home is, whole or not at all; call under the home's lock."""
    content = json.dumps({"form": _FORM, "study": study_id}, ensure_ascii=False) + "\n"
    atomic_write(home.study_file, content.encode())


def require_study(home: Home, study: Study) -> None:
    """Raise where a home's record names another study than the declared one.

    Raises
    ------
    HomeError
        It does, or cannot be read; a home without a record is free.
    """
    held = study_of(home)
    if held is not None:
        require_among(home, {held}, study)


def require_among(home: Home, held: Collection[str], study: Study) -> None:
    """Raise unless the declared study is among those that the home holds, if it holds any.

    Raises
    ------
    HomeError
        It is another study's home.
    """
    if held and study.study_id not in held:
        folder = "the shipped reference study" if study.folder is None else str(study.folder)
        message = (
            f"{home.root}: this home holds study {', '.join(sorted(held))}, and the study folder "
            f"in use ({folder}) declares {study.study_id}. Nothing was read or written. Name a "
            "home of its own with --home or ASSAYHOUSE_HOME, or the folder of this home's study "
            "with --study or ASSAYHOUSE_STUDY."
        )
        raise HomeError(message)


def by_tables(home: Home) -> str | None:
    """Give the study that the tables of a home without a record were built for, if any were."""
    root = home.lake(STUDY, "open")
    head = records.read_head(root)
    files = [] if head is None else delta.files_of(root, head.version)
    if not files:
        return None
    names = pl.read_parquet(files, columns=["STUDYID"])["STUDYID"]
    return str(names[0]) if len(names) == 1 else None
