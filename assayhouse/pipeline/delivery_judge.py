"""Judges one delivery from its archived bytes: reads, checks, compares, decides, records.

Writes only into the delivery's own folder. What it decides takes effect in ``delivery``.
"""

import datetime as dt
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.errors import DeliveryRejectedError
from assayhouse.intake import manifest as manifests
from assayhouse.intake.account import LineAccount, check_balance
from assayhouse.intake.assay_checks import Answer
from assayhouse.intake.delta import quoted
from assayhouse.intake.disposition import check_delta, check_stop_rule, decide
from assayhouse.intake.findings import FaultLog, FileFault, number_findings
from assayhouse.intake.receipt import Receipt, Register
from assayhouse.intake.rules import RuleContext, compile_rules, escalate
from assayhouse.pipeline.delivery_assay import (
    ask_assay_checks,
    checks_of_answers,
    findings_of,
    kept_out_by,
    warned_by,
)
from assayhouse.pipeline.delivery_checks import checks_of
from assayhouse.pipeline.delivery_compare import (
    Comparison,
    compare,
    find_duplicates,
    leave_out,
    open_draft,
    show_kept_out,
)
from assayhouse.pipeline.delivery_counts import Counts
from assayhouse.pipeline.delivery_read import DraftReader, note_faults
from assayhouse.pipeline.delivery_record import (
    QUARANTINE,
    Judgement,
    fresh_folder,
    read_judgement,
)
from assayhouse.readers import Reading, open_delivery
from assayhouse.trust.archive import require_archived
from assayhouse.validate.suites import suite_for
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

TREATMENT = "F35"
DUPLICATE_ROW = "F29"
UNKNOWN = "F21"
_FOLDERS = ("accepted", "quarantine", "kept_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One delivery to judge, and all that is needed for it."""

    home: Home
    declarations: Declarations
    register: Register
    receipt: Receipt
    lake: Lake

    @property
    def layout(self) -> LayoutSpec:
        return self.declarations.layouts[self.receipt.layout]

    @property
    def base(self) -> Receipt | None:
        """Return the published delivery it is compared with."""
        return self.register.base(self.receipt.layout)

    @property
    def words(self) -> tuple[str, ...]:
        """Words that must not occur in a file of the open side."""
        study = self.declarations.study
        open_side = self.declarations.layout_side(self.receipt.layout) == "open"
        return study.treatment_words if open_side and study.blinding != "none" else ()

    def open(self) -> Reading:
        """Open the archived bytes."""
        root = self.home.archive(self.receipt.side)
        path = require_archived(root, self.receipt.sha256, self.receipt.file_name)
        return open_delivery(path, self.layout, study_id=self.declarations.study.study_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Findings:
    """What was found of one delivery so far."""

    log: FaultLog
    counts: Counts
    account: LineAccount | None = None
    comparison: Comparison | None = None
    records: int = 0
    answers: tuple[Answer, ...] = ()


def judge(
    home: Home, declarations: Declarations, register: Register, receipt: Receipt
) -> Judgement:
    """Judge one delivery; the same bytes against the same records give the same judgement."""
    case = _Case(
        home=home,
        declarations=declarations,
        register=register,
        receipt=receipt,
        lake=Lake(home, declarations),
    )
    folder = fresh_folder(home, receipt)
    faults = _before_reading(case)
    found = _Findings(log=FaultLog(), counts=Counts())
    if not any(fault.rule != manifests.MANIFEST_DIFFERS and _fatal(fault) for fault in faults):
        try:
            found = _read(case, folder)
        except DeliveryRejectedError as error:
            faults.insert(0, _as_fault(error))
    found.log.add(faults)
    judgement = _judgement(case, found)
    if judgement.state == "REJECTED":
        shutil.rmtree(folder, ignore_errors=True)
    for name in _FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    return judgement


def _fatal(fault: FileFault) -> bool:
    return fault.disposition == "R"


def _as_fault(error: DeliveryRejectedError) -> FileFault:
    return FileFault(
        rule=error.rule,
        disposition="R",
        message=error.reason,
        column=error.column,
        source_line=error.line,
        n_rows=0,
    )


def _before_reading(case: _Case) -> list[FileFault]:
    """Judge manifest, transfer number and name: what needs no byte of the file."""
    receipt, layout = case.receipt, case.layout
    faults: list[FileFault] = []
    if _names_treatment(receipt.file_name, case.words):
        message = "the name of the file holds a word of the treatment vocabulary"
        faults.append(FileFault(rule=TREATMENT, disposition="R", message=message))
    if receipt.manifest is None:
        if layout.manifest != "none":
            message = "no manifest came with the file; its bytes cannot be compared with any"
            faults.append(FileFault(rule=manifests.MISSING, disposition="W", message=message))
        return faults
    entry = receipt.manifest
    faults += manifests.check_entry(entry, layout, study_id=case.declarations.study.study_id)
    faults += manifests.check_bytes(entry, sha256=receipt.sha256, size=receipt.bytes)
    vendor, of_layout = case.register.transfers_before(receipt)
    # Instrument files come by the dozen under one number; each stands by itself.
    several = layout.instrument is not None
    faults += manifests.check_transfer_number(
        entry.transfer_no, of_vendor=vendor, of_layout=() if several else of_layout
    )
    return faults


def _names_treatment(name: str, words: tuple[str, ...]) -> bool:
    spellings = {re.escape(form) for word in words for form in (word, word.replace(" ", ""))}
    if not spellings:
        return False
    pattern = rf"(?i)(^|[^A-Za-z0-9.])({'|'.join(sorted(spellings))})($|[^A-Za-z0-9])"
    return re.search(pattern, name) is not None


def _rosters(case: _Case) -> tuple[dict[str, frozenset[str]], list[FileFault]]:
    """Look up the accepted values of every column that this layout refers to."""
    rosters: dict[str, frozenset[str]] = {}
    faults: list[FileFault] = []
    wanted = [column for column in case.layout.columns if column.references]
    if not wanted:
        return rosters, faults
    layouts = case.declarations.layouts
    near = (case.layout.layout, *case.layout.references)
    only = frozenset(layouts[name].relation for name in near if name in layouts)
    with case.lake.connect(visible=case.register.visible(), sealed=True, only=only) as connection:
        for column in wanted:
            name = column.references or ""
            layout, _, other = name.rpartition(".")
            if layout not in case.declarations.layouts:
                continue
            if case.register.base(layout) is None:
                message = (
                    f"there is no accepted delivery of {layout} to compare with, so unknown "
                    "values could not be found. Approve or refuse the delivery"
                )
                faults.append(
                    FileFault(rule=UNKNOWN, disposition="H", column=column.name, message=message)
                )
                continue
            relation = case.declarations.layouts[layout].relation
            rows = connection.execute(
                f"select distinct trim({quoted(other)}) from {relation} "  # noqa: S608 - declared
                f"where {quoted(other)} is not null"
            ).fetchall()
            rosters[name] = frozenset(str(value) for (value,) in rows)
    return rosters, faults


def _reader(case: _Case, rosters: Mapping[str, frozenset[str]], folder: Path) -> DraftReader:
    declarations, layout = case.declarations, case.layout
    context = RuleContext(
        study_id=declarations.study.study_id,
        terms=declarations.terms,
        parameter_units={code: item.unit for code, item in declarations.parameters.items()},
        rosters=rosters,
        treatment_words=case.words,
        today=dt.date.fromisoformat(case.receipt.received_at[:10]),
    )
    group = layout.limits.group_column
    terms = None if group is None else layout.column(group).terms
    return DraftReader(
        receipt=case.receipt,
        layout=layout,
        spec=declarations.tables[layout.relation],
        rules=compile_rules(layout, context),
        suite=suite_for(declarations, layout.relation),
        terms=declarations.terms.get(terms or "", {}),
        folder=folder,
        hashed=case.base is None,
    )


def _read(case: _Case, folder: Path) -> _Findings:
    """Read the file, and compare it unless it cannot enter anyway."""
    rosters, faults = _rosters(case)
    reader = _reader(case, rosters, folder)
    account = reader.read(case.open())
    log, counts = reader.log, reader.counts
    log.add(faults)
    log.add(check_balance(account))
    if case.receipt.manifest is not None:
        log.add(manifests.check_rows(case.receipt.manifest, rows=account.rows))
    escalation = escalate(counts.by_rule, rows=counts.rows, chances=counts.chances)
    if escalation is not None:
        message = (
            f"nearly every row ({escalation.n_rows} of {counts.rows}) breaks this rule: "
            "the column as a whole is not as declared. Send the file again"
        )
        log.add(
            [
                FileFault(
                    rule=escalation.rule,
                    disposition="R",
                    column=escalation.column,
                    message=message,
                    n_rows=escalation.n_rows,
                )
            ]
        )
    if "R" in log.dispositions():
        return _Findings(log=log, counts=counts, account=account)
    return _compared(case, reader, folder, account)


def _compared(case: _Case, reader: DraftReader, folder: Path, account: LineAccount) -> _Findings:
    """Ask the assay checks, settle duplicates, compare with what is served, ask on the whole."""
    layout, log, counts = case.layout, reader.log, reader.counts
    visible = case.register.visible()
    with open_draft(case.lake, layout, folder, visible=visible) as connection:
        answers = _assay_checked(case, reader, folder, connection)
        thinned = bool(kept_out_by(answers).height)
        account = counts.moved(account)
        duplicates = find_duplicates(connection, layout)
        if duplicates.copies:
            message = "the same record came more than once and was kept once"
            log.add(
                [
                    FileFault(
                        rule=DUPLICATE_ROW,
                        disposition="W",
                        source_line=duplicates.copies[0],
                        message=message,
                        n_rows=len(duplicates.copies),
                    )
                ]
            )
        if duplicates.conflicts:
            fault = FileFault(
                rule=DUPLICATE_ROW,
                disposition="Q",
                message="records with the same key hold different values; none of them is taken",
            )
            reader.quarantine_lines(case.open(), duplicates.conflicts, fault)
            account = counts.moved(account)
            show_kept_out(connection, layout, folder)
        comparison = compare(
            connection,
            case.declarations,
            receipt=case.receipt,
            folder=folder,
            join=case.base is not None
            or thinned
            or bool(duplicates.copies or duplicates.conflicts),
        )
    records = counts.rows - len(duplicates.copies)
    log.add(check_stop_rule(layout, counts.tally()))
    log.add(
        check_delta(
            layout, comparison.counts, records=records, records_before=_records_before(case)
        )
    )
    _join_parts(folder / "quarantine", folder / QUARANTINE)
    return _Findings(
        log=log,
        counts=counts,
        account=account,
        comparison=comparison,
        records=records,
        answers=answers,
    )


def _assay_checked(
    case: _Case, reader: DraftReader, folder: Path, connection: duckdb.DuckDBPyConnection
) -> tuple[Answer, ...]:
    """Ask the assay checks; rows that break one that says so leave the draft."""
    answers = ask_assay_checks(connection, case.declarations, case.register, case.receipt)
    reader.log.add(findings_of(answers))
    warned, kept_out = warned_by(answers), kept_out_by(answers)
    if warned.height:
        note_faults(reader.log, warned)
    if kept_out.height:
        reader.quarantine_faults(case.open(), kept_out)
        leave_out(connection, folder, kept_out)
        show_kept_out(connection, case.layout, folder)
    return answers


def _records_before(case: _Case) -> int | None:
    base = case.base
    before = None if base is None else read_judgement(case.home, base)
    return None if before is None else before.records


def _join_parts(parts: Path, target: Path) -> None:
    if any(parts.iterdir()):
        pl.scan_parquet(parts / "*.parquet").sort("source_line", "column", "rule").sink_parquet(
            target
        )


def _judgement(case: _Case, found: _Findings) -> Judgement:
    receipt, faults = case.receipt, found.log.faults()
    decision = decide(faults)
    rejected = decision.state == "REJECTED"
    if rejected:
        faults = tuple(fault for fault in faults if _fatal(fault))
    account = None if rejected else found.account
    comparison = None if rejected else found.comparison
    why = decision.why
    if comparison is not None and comparison.counts.nothing_new and decision.state == "PUBLISHED":
        why = f"{why}; nothing new"
    base = case.base
    return Judgement(
        receipt=receipt.number,
        state=decision.state,
        why=why,
        base=None if base is None else base.number,
        account=account,
        delta=comparison.counts if comparison is not None else None,
        records=found.records,
        n_rows=comparison.n_rows if comparison is not None else 0,
        sealed=rejected and any(fault.rule == TREATMENT for fault in faults),
        findings=number_findings(
            faults, receipt=receipt.number, vendor=receipt.vendor, layout=receipt.layout
        ),
        checks=checks_of(
            case.layout,
            faults,
            read=found.account is not None,
            with_manifest=receipt.manifest is not None,
            plausibility=found.counts.plausibility,
            unanswered=found.counts.unanswered,
        )
        + checks_of_answers(found.answers),
    )
