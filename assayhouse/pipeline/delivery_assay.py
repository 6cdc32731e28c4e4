"""Assay checks of one delivery: finds the companions, asks, and lets the answers take effect.

A check whose companion is not there is reported as not asked, never as passed; so is one that
accuses rows for what is absent in a companion that has not come as far as the delivery.
"""

from collections.abc import Iterable, Mapping

import duckdb
import polars as pl

from assayhouse.contracts.assay_checks import OWN, TERMS, AssayCheck, AssayChecks, Companion
from assayhouse.contracts.declarations import Declarations
from assayhouse.intake.assay_checks import Answer, ask
from assayhouse.intake.assay_findings import grouped_faults, row_faults
from assayhouse.intake.delta import quoted
from assayhouse.intake.findings import FileFault
from assayhouse.intake.receipt import Receipt, Register
from assayhouse.pipeline.delivery_record import Check
from assayhouse.validate.rules import parameter_table

SKIPPED = "SKIPPED"
DRAFT = "draft"
MODULE_GENES = "module_genes"  # list of the study's own modules, from study.yaml
_SEVERITY = {"W": "warning", "Q": "warning", "H": "critical"}


def ask_assay_checks(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    register: Register,
    receipt: Receipt,
) -> tuple[Answer, ...]:
    """Ask every assay check of a layout about a delivery's draft.

    Parameters
    ----------
    connection : DuckDBPyConnection
        From ``open_draft``: what is served, and the draft.
    declarations : Declarations
        Checks, layouts and code lists of the study.
    register : Register
        Says which layouts have an accepted delivery, and up to which transfer.
    receipt : Receipt
        The delivery.
    """
    declared = declarations.assay_checks[receipt.layout]
    if not declared.checks:
        return ()
    sources: dict[str, str] = {}
    hindered: dict[str, tuple[str, bool]] = {}
    for companion in _used(declared):
        hindrance = _hindrance(declarations, register, companion)
        if hindrance is not None:
            hindered[companion.name] = hindrance
        else:
            sources[companion.name] = _shown(connection, declarations, companion)
    behind = {
        item.name: (why, True)
        for item in _used(declared)
        if (why := _behind(register, receipt, item)) is not None
    }
    whys = {check.check_id: _whys(check, hindered, behind) for check in declared.checks}
    able = [check for check in declared.checks if not whys[check.check_id]]
    answers = {
        answer.check.check_id: answer
        for answer in ask(connection, declared, able, sources=sources, draft=DRAFT)
    }
    return tuple(
        answers.get(check.check_id) or _not_asked(check, whys[check.check_id])
        for check in declared.checks
    )


def _used(declared: AssayChecks) -> list[Companion]:
    used = {name for check in declared.checks for name in check.uses}
    return [item for item in declared.companions if item.name in used]


def _hindrance(
    declarations: Declarations, register: Register, companion: Companion
) -> tuple[str, bool] | None:
    """Say why a companion cannot be shown, and whether that can change by a delivery."""
    layout = companion.layout
    if companion.source == OWN:
        return None
    if layout is None:
        return _no_list(declarations, companion.source.partition(".")[2])
    if layout not in declarations.layouts:
        return f"it needs {layout}, which is not a layout of this study", False
    if register.base(layout) is None:
        return f"there is no accepted delivery of {layout} to look at", True
    return None


def _no_list(declarations: Declarations, name: str) -> tuple[str, bool] | None:
    if name == MODULE_GENES and not declarations.study.plan.modules:
        return "study.yaml declares no modules", False
    known = {*declarations.term_tables, "parameters", "units", MODULE_GENES}
    return None if name in known else (f"there is no list terms/{name}.csv", False)


def _behind(register: Register, receipt: Receipt, companion: Companion) -> str | None:
    """Say that a companion has not come as far as the delivery; None where it cannot be told.

    Transfer numbers are the vendor's own, so those of another vendor say nothing.
    """
    layout, number = companion.layout, receipt.transfer_no
    if layout is None or number is None or layout.partition(".")[0] != receipt.vendor:
        return None
    served = register.transfers_served(layout)
    if not served or served[-1] is None:
        return None
    if any(other is not None and other >= number for other in served):
        return None
    return f"it needs {layout} of transfer {number}, of which no delivery is accepted"


_Whys = Mapping[str, tuple[str, bool]]


def _whys(check: AssayCheck, hindered: _Whys, behind: _Whys) -> list[tuple[str, bool]]:
    """Why a check cannot be asked; nothing where it can."""
    found = [hindered[name] for name in check.uses if name in hindered]
    return found + [behind[name] for name in check.absence_in if name in behind]


def _not_asked(check: AssayCheck, whys: Iterable[tuple[str, bool]]) -> Answer:
    listed = list(whys)
    return Answer(
        check=check,
        hindrance="; ".join(dict.fromkeys(why for why, _ in listed)),
        pending=all(pending for _, pending in listed),
    )


def _shown(
    connection: duckdb.DuckDBPyConnection, declarations: Declarations, companion: Companion
) -> str:
    """Name of the relation that holds a companion's rows."""
    if companion.source == OWN:
        return DRAFT
    if companion.layout is not None:
        return declarations.layouts[companion.layout].relation
    return _show_terms(connection, declarations, companion)


def _show_terms(
    connection: duckdb.DuckDBPyConnection, declarations: Declarations, companion: Companion
) -> str:
    """Make a code list a table of text (numbers for parameters and units): terms_<list>."""
    name = companion.source.removeprefix(f"{TERMS}.")
    frame = _listed(declarations, name)
    table = quoted(f"terms_{name}")
    connection.register("terms_frame", frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
    connection.execute(f"create or replace temporary table {table} as select * from terms_frame")  # noqa: S608 - declared
    connection.unregister("terms_frame")
    return table


def _listed(declarations: Declarations, name: str) -> pl.DataFrame:
    """Rows of a code list: a file of terms/, or one made of other declarations."""
    if name == "parameters":
        return parameter_table(declarations.parameters)
    if name == MODULE_GENES:
        return _module_genes(declarations)
    if name == "units":
        return pl.DataFrame(
            [
                {"from_unit": item.from_unit, "to_unit": item.to_unit, "factor": item.factor}
                for item in declarations.unit_factors
            ],
            schema={"from_unit": pl.String, "to_unit": pl.String, "factor": pl.Float64},
        )
    return pl.DataFrame(declarations.term_tables[name])


def _module_genes(declarations: Declarations) -> pl.DataFrame:
    """Genes that the study's modules need, and their references; each once per part."""
    plan = declarations.study.plan
    references = () if plan.expression is None else plan.expression.references
    parts = {(gene, "TARGET") for module in plan.modules for gene in module.genes}
    parts |= {(gene, "REF") for gene in references}
    return pl.DataFrame(sorted(parts), schema=["GENE", "GENEROLE"], orient="row")


def kept_out_by(answers: Iterable[Answer]) -> pl.DataFrame:
    """Faults of the rows that may not enter, one per row and check; empty where all may."""
    return row_faults(answer for answer in answers if answer.check.disposition == "Q")


def warned_by(answers: Iterable[Answer]) -> pl.DataFrame:
    """Faults of rows that enter with a finding each."""
    return row_faults(answer for answer in answers if answer.check.disposition != "Q")


def findings_of(answers: Iterable[Answer]) -> list[FileFault]:
    """Make findings on groups of rows, and on checks that could be asked but were not."""
    faults: list[FileFault] = []
    waiting: dict[str, list[str]] = {}
    for answer in answers:
        faults += grouped_faults(answer)
        if answer.hindrance is not None and answer.pending:
            waiting.setdefault(answer.hindrance, []).append(answer.check.check_id)
    return faults + [
        FileFault(
            rule=SKIPPED,
            disposition="W",
            message=f"{', '.join(names)} not asked: {why}. Deliver or mend it, then look again",
        )
        for why, names in sorted(waiting.items())
    ]


def checks_of_answers(answers: Iterable[Answer]) -> tuple[Check, ...]:
    """Answers of the assay checks for whoever shows checks; None is neither passed nor failed."""
    return tuple(_check(answer) for answer in answers)


def _check(answer: Answer) -> Check:
    check, passed = answer.check, None if answer.rows is None else not answer.count
    message = check.why
    if passed is None:
        message = f"skipped: {answer.hindrance}"
    elif not passed and answer.rows is not None:
        first = int(answer.rows["source_line"][0])
        message = f"line {first}: {check.why}"
    return Check(
        rule_id=check.check_id,
        severity="warning" if passed is not False else _SEVERITY[check.disposition],
        passed=passed,
        n=answer.count,
        message=message,
    )
