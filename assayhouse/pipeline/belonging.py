"""A home and its study: learned from what stands in it, recorded once, refused to any other.

A home made before the record existed is asked: its audit log first, then its tables.
"""

from assayhouse.contracts.declarations import Declarations
from assayhouse.intake.receipt import Register
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse import belonging
from assayhouse.warehouse.home import Home

KIND = "study of the home"


def studies_of(home: Home) -> frozenset[str]:
    """Studies that a home holds: one, none yet, or several where a former version let them in.

    The record decides; without it the line of the audit log, then the manifests of what was
    published, then the tables. Writes nothing.

    Raises
    ------
    HomeError
        The record or the audit log cannot be read.
    """
    told = belonging.study_of(home)
    if told is not None:
        return frozenset({told})
    log = AuditLog(home.audit_file)
    tables = belonging.by_tables(home)
    return (
        _noted(log)
        or _in_manifests(Register(log))
        or frozenset(() if tables is None else (tables,))
    )


def _noted(log: AuditLog) -> frozenset[str]:
    return frozenset(entry.text("study") for entry in log.entries() if entry.text("kind") == KIND)


def _in_manifests(register: Register) -> frozenset[str]:
    """Studies that manifests of published deliveries name: any other study's was rejected."""
    visible = register.visible()
    return frozenset(
        item.manifest.study
        for item in register.receipts()
        if item.manifest is not None and item.number in visible
    )


def require_study(home: Home, declarations: Declarations) -> None:
    """Raise where the home holds another study than the one declared. Writes nothing.

    Raises
    ------
    HomeError
        It does, or what it holds cannot be told.
    """
    belonging.require_among(home, studies_of(home), declarations.study)


def claim(home: Home, declarations: Declarations, *, at: str, who: str) -> None:
    """Record that the home holds the declared study, unless it is recorded already.

    The caller holds the home's lock. The audit log gets its line first: a kill before the record
    is written leaves a home that is completed by the next scan, without a second line.

    Raises
    ------
    HomeError
        The home holds another study.
    """
    held = studies_of(home)
    belonging.require_among(home, held, declarations.study)
    if belonging.study_of(home) is not None:
        return
    study_id = declarations.study.study_id
    log = AuditLog(home.audit_file)
    if study_id not in _noted(log):
        told = "told by what was published before" if held else "first scan"
        log.append({"kind": KIND, "study": study_id}, at=at, who=who, why=told)
    belonging.record(home, study_id)
