"""Checks of a delivery that need several rows or another layout, as declared in expectations/.

Declares only: which rows are looked at together and beside what. They are asked in ``pipeline``.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from assayhouse.contracts.documents import Document
from assayhouse.errors import DeclarationError

DISPOSITIONS = ("W", "Q", "H")
TERMS = "terms"  # vendor part of a companion that is a code list: terms.<list>
OWN = "own.rows"  # companion that is the delivery's own accepted rows, grouped in another way
_RULE = re.compile(r"F\d\d|[A-Z][A-Z-]+")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = (
    *("id", "rule", "disposition", "columns", "why", "broken"),
    *("where", "uses", "absence_in", "over", "measures", "per"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """Rows of another layout, or of a code list, brought beside the rows that are checked.

    Parameters
    ----------
    name : str
        By which checks name it.
    source : str
        ``<vendor>.<layout>``, ``terms.<list>`` for a code list (parameters and units too), or
        ``own.rows`` for the checked rows themselves, grouped in another way.
    on : mapping of str to str
        SQL expression over the checked rows to one over the companion's; equal ones belong
        together. Empty: all of the companion's rows belong to every row.
    columns : mapping of str to str
        Name to SQL aggregate over the companion's rows that belong together; the names must be
        new. Where none belongs, every one of them is null.
    where : str or None
        SQL condition on the companion's rows.
    """

    name: str
    source: str
    on: dict[str, str]
    columns: dict[str, str]
    where: str | None = None

    @property
    def layout(self) -> str | None:
        """The layout it shows, or None where it shows a code list or the delivery itself."""
        other = self.source == OWN or self.source.startswith(f"{TERMS}.")
        return None if other else self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class AssayCheck:
    """One check on the accepted rows of a delivery taken together.

    Parameters
    ----------
    check_id, why : str
        Identifier within the project, and the reason in words a laboratory understands.
    rule : str
        Identifier of the catalogue that a finding carries.
    disposition : str
        W: the rows stay, with a finding. Q: they are quarantined. H: the delivery is held.
    columns : tuple of str
        Columns at fault; the first is named in findings.
    broken : str
        Boolean SQL expression over the rows' columns, text and typed, and the companions'
        columns; window functions are allowed. Null counts as not broken.
    where : str or None
        Rows that are looked at; also within windows. With ``over``, a condition on the rows' own
        columns.
    uses : tuple of str
        Companions it needs.
    absence_in : tuple of str
        Those of them in which something absent breaks the check: it is asked only once the
        companion's layout has come, and was accepted, as far as the delivery itself.
    over : tuple of str
        Columns whose combinations are judged in place of rows: ``broken`` sees one row per
        combination, with ``measures`` and the companions beside it, and every row looked at of a
        combination that breaks it is at fault. Empty: rows are judged.
    measures : mapping of str to str
        With ``over``: name to SQL aggregate over the rows looked at of a combination.
    per : tuple of str or None
        W and H: one finding per value of these columns, a single one where empty; None: one per
        row.
    """

    check_id: str
    rule: str
    disposition: str
    columns: tuple[str, ...]
    why: str
    broken: str
    where: str | None = None
    uses: tuple[str, ...] = ()
    absence_in: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    measures: dict[str, str] = field(default_factory=dict)
    per: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssayChecks:
    """Every assay check of one layout, and the companions they name."""

    companions: tuple[Companion, ...] = ()
    checks: tuple[AssayCheck, ...] = ()
    where: str = ""

    @property
    def layouts(self) -> tuple[str, ...]:
        """Layouts that the checks look at beside their own."""
        used = {name for check in self.checks for name in check.uses}
        found = {item.layout for item in self.companions if item.name in used and item.layout}
        return tuple(sorted(found))

    def companion(self, name: str) -> Companion:
        """Companion by its name, which is known to be declared."""
        return next(item for item in self.companions if item.name == name)


def read_assay_checks(path: Path) -> AssayChecks:
    """Read ``companions`` and ``assay_checks`` of one file of expectations/.

    Raises
    ------
    DeclarationError
        The file is not JSON, a key is unknown or missing, an id occurs twice, or a check names a
        companion that is not declared.
    """
    document = _document(path)
    checks = AssayChecks(
        companions=tuple(_companion(part) for part in document.parts("companions")),
        checks=tuple(_check(part) for part in document.parts("assay_checks")),
        where=str(path),
    )
    _require_unique((item.check_id for item in checks.checks), path, "the id")
    _require_unique((item.name for item in checks.companions), path, "the companion")
    columns = [name for item in checks.companions for name in item.columns]
    _require_unique(columns, path, "the column")
    for check in checks.checks:
        _require_companions(check, checks, path)
    return checks


def _require_companions(check: AssayCheck, checks: AssayChecks, path: Path) -> None:
    known = {item.name: item for item in checks.companions}
    stray = [name for name in check.uses if name not in known]
    idle = [n for n in check.absence_in if n not in check.uses or known[n].layout is None]
    problems = {
        f"no companion {', '.join(stray)} is declared.": stray,
        f"absence_in names layouts among those it uses, and {', '.join(idle)} is none.": idle,
    }
    for problem, names in problems.items():
        if names:
            message = f"{path} ({check.check_id}): {problem}"
            raise DeclarationError(message)


def _document(path: Path) -> Document:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path}: not readable as JSON. Correct the file."
        raise DeclarationError(message) from error
    if not isinstance(loaded, dict):
        message = f"{path}: an object is expected at the top of the file."
        raise DeclarationError(message)
    return Document(cast("dict[str, object]", loaded), str(path))


def _require_unique(names: Iterable[str], path: Path, what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            message = f"{path}: {what} {name} occurs twice. Give each its own."
            raise DeclarationError(message)
        seen.add(name)


def _companion(document: Document) -> Companion:
    document.only("name", "from", "on", "columns", "where")
    companion = Companion(
        name=document.text("name"),
        source=document.text("from"),
        on=document.mapping("on"),
        columns=document.mapping("columns"),
        where=document.optional_text("where"),
    )
    if not companion.columns:
        message = f"{document.where}: columns must name at least one column of {companion.name}."
        raise DeclarationError(message)
    wrong = [name for name in companion.columns if not _NAME.fullmatch(name)]
    if wrong or "." not in companion.source:
        message = (
            f"{document.where}: columns are named in lower case (wrong: {', '.join(wrong)}), and "
            "from is <vendor>.<layout> or terms.<list>."
        )
        raise DeclarationError(message)
    return companion


def _check(document: Document) -> AssayCheck:
    document.only(*_KEYS)
    check = AssayCheck(
        check_id=document.text("id"),
        rule=document.text("rule"),
        disposition=document.choice("disposition", DISPOSITIONS),
        columns=document.texts("columns"),
        why=document.text("why"),
        broken=document.text("broken"),
        where=document.optional_text("where"),
        uses=document.texts("uses"),
        absence_in=document.texts("absence_in"),
        over=document.texts("over"),
        measures=document.mapping("measures"),
        per=document.texts("per") if document.raw("per") is not None else None,
    )
    problems = {
        "columns must name at least one column.": not check.columns,
        "rule is an identifier of the catalogue, such as F34.": not _RULE.fullmatch(check.rule),
        "per goes with W and H only: quarantined rows are listed one by one.": (
            check.disposition == "Q" and check.per is not None
        ),
        "a finding that holds a delivery needs per: [] or columns.": (
            check.disposition == "H" and check.per is None
        ),
        "measures go with over, and are named in lower case.": (
            (bool(check.measures) and not check.over)
            or not all(_NAME.fullmatch(name) for name in check.measures)
        ),
    }
    for problem, present in problems.items():
        if present:
            message = f"{document.where} ({check.check_id}): {problem}"
            raise DeclarationError(message)
    return check
