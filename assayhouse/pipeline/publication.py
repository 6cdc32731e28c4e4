"""What people see: one publication binds the tables; warehouse files and reports follow from it.

Recording the unblinding is here too, because it decides on which side results are served.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from assayhouse.contracts.declarations import Declarations
from assayhouse.errors import DeliveryStateError
from assayhouse.pipeline.belonging import require_study
from assayhouse.pipeline.delivery import visible_receipts
from assayhouse.pipeline.report_page import report_page
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.catalogue import build_warehouse, published_in
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake, Publication

UNBLINDED = "UNBLINDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Outcome of a call of `publish`."""

    publication: Publication
    is_new: bool
    warehouse_files: tuple[Path, ...]
    report_folder: Path


def is_unblinded(home: Home) -> bool:
    """Whether the audit chain holds the unblinding of this study."""
    return any(entry.text("kind") == UNBLINDED for entry in AuditLog(home.audit_file).entries())


def unblind(
    home: Home, declarations: Declarations, *, planned: str, reason: str, at: str, who: str
) -> None:
    """Record the unblinding: person, time, reason, and whether it was planned.

    Raises
    ------
    DeliveryStateError
        The study is not blinded, or its unblinding is already on record.
    """
    if declarations.study.blinding == "none":
        message = "This study is declared open (blinding: none): there is nothing to unblind."
        raise DeliveryStateError(message)
    if planned not in {"planned", "unplanned"} or not reason.strip():
        message = "Say planned or unplanned and give a reason. Nothing was recorded."
        raise DeliveryStateError(message)
    require_study(home, declarations)
    with home.lock():
        if is_unblinded(home):
            message = (
                "The unblinding is already on record; it is recorded once. Nothing was changed."
            )
            raise DeliveryStateError(message)
        AuditLog(home.audit_file).append(
            {"kind": UNBLINDED, "planned": planned}, at=at, who=who, why=reason
        )


def serves_sealed(home: Home, declarations: Declarations) -> bool:
    """Whether the open warehouse file may hold what stands on the sealed side."""
    return declarations.study.blinding == "none" or is_unblinded(home)


def report_folder(home: Home, declarations: Declarations, number: int) -> Path:
    """Folder of one publication's report, on the side its figures stand on."""
    sealed = declarations.side("report.figures") == "sealed"
    side = "sealed" if sealed and not is_unblinded(home) else "open"
    return home.reports(side) / f"{number:06d}"


def _write_report(home: Home, declarations: Declarations, publication: Publication) -> Path:
    folder = report_folder(home, declarations, publication.number)
    if folder.is_dir():
        return folder
    draft = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, content in report_page(home, declarations, publication).items():
        (draft / name).write_bytes(content)
    os.replace(draft, folder)  # noqa: PTH105 - one call, atomic
    return folder


def is_served(home: Home, declarations: Declarations, publication: Publication) -> bool:
    """Whether both warehouse files are whole and hold this publication, as far as they may."""
    wanted = {"open": serves_sealed(home, declarations), "sealed": True}
    return all(
        published_in(home, side) == (publication.number, holds) for side, holds in wanted.items()
    )


def publish(home: Home, declarations: Declarations, *, at: str, who: str, reason: str) -> Published:
    """Bind the present tables into a publication and serve it; nothing new, nothing written.

    A kill between the steps leaves the former warehouse file served; calling again completes.

    Raises
    ------
    WarehouseError
        A relation is out of date with its parents: build it first.
    """
    lake = Lake(home, declarations)
    before = lake.publication()
    with home.lock():
        publication = lake.bind(visible=visible_receipts(home), reason=reason, at=at)
        open_sealed = serves_sealed(home, declarations)
        is_new = before is None or before.number != publication.number
        files: tuple[Path, ...] = ()
        if not is_served(home, declarations, publication):
            files = build_warehouse(lake, publication, serve_sealed=open_sealed)
        folder = _write_report(home, declarations, publication)
        if is_new:
            AuditLog(home.audit_file).append(
                {"event": "PUBLICATION", "number": publication.number, "why": reason},
                at=at,
                who=who,
            )
    return Published(
        publication=publication, is_new=is_new, warehouse_files=files, report_folder=folder
    )
