"""Finds the declarations (schemas/, expectations/, sql/) in a checkout or in an installed wheel.

Knows nothing of a study's content; overlaying one folder by another happens here and only here.
"""

from pathlib import Path

from assayhouse.errors import DeclarationError

_PACKAGE = Path(__file__).resolve().parent
KINDS = ("schemas", "expectations", "sql")


def shipped_root() -> Path:
    """Folder that holds the shipped schemas/, expectations/ and sql/."""
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        if all((root / kind).is_dir() for kind in KINDS):
            return root
    message = (
        "schemas/, expectations/ and sql/ are not beside the package: install assayhouse anew."
    )
    raise DeclarationError(message)


def overlay(kind: str, pattern: str, *, study_folder: Path | None) -> dict[str, Path]:
    """Files of one kind by relative path; the study's file wins over the shipped one.

    Parameters
    ----------
    kind : str
        ``schemas``, ``expectations`` or ``sql``.
    pattern : str
        Glob below that folder, for example ``tables/*/*.yaml``.
    study_folder : Path or None
        Folder of a study; None for the shipped reference study alone.

    Returns
    -------
    dict of str to Path
        Relative POSIX path to file, sorted by path.
    """
    found: dict[str, Path] = {}
    for root in (shipped_root(), study_folder):
        if root is None:
            continue
        folder = root / kind
        for path in sorted(folder.glob(pattern)):
            found[path.relative_to(folder).as_posix()] = path
    return dict(sorted(found.items()))
