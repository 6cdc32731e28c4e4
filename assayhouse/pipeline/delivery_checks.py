"""Answers of the rules for one delivery, one per rule, for whoever shows checks."""

from collections.abc import Iterable, Mapping

from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.intake import manifest as manifests
from assayhouse.intake.account import UNBALANCED
from assayhouse.intake.disposition import CHANGES, STOP_RULE, STOP_RULE_GROUP, VANISHED
from assayhouse.intake.findings import DISPOSITIONS, FileFault
from assayhouse.intake.rules import RULES
from assayhouse.pipeline.delivery_record import Check

_FILE = {
    "F01": "the file is whole",
    "F02": "the file has the bytes and rows that manifest and trailer say",
    "F03": "the file holds rows",
    "F07": "the file belongs to this study and vendor",
    "F08": "every line is declared and as wide as the header",
    "F10": "every declared column is there under its name",
    "F12": "the file is in the declared encoding",
    UNBALANCED: "every line is accounted for",
}
_MANIFEST = {
    manifests.TRANSFER: "the transfer follows the one before",
    manifests.ENVIRONMENT: "the transfer is no test",
    manifests.MODE: "the transfer is of the agreed mode",
}
_TOGETHER = {
    "F29": "no record is there twice",
    CHANGES: "known records come with the same values",
    VANISHED: "no record has vanished",
    STOP_RULE: "few rows are quarantined",
    STOP_RULE_GROUP: "few rows of each group are quarantined",
}
_HARD = ("R", "H")


def checks_of(
    layout: LayoutSpec,
    faults: Iterable[FileFault],
    *,
    read: bool,
    with_manifest: bool,
    plausibility: Mapping[str, str],
    unanswered: Mapping[str, str],
) -> tuple[Check, ...]:
    """List what every rule says of one delivery.

    Parameters
    ----------
    layout : LayoutSpec
        Contract of the delivery; decides which comparisons are made.
    faults : iterable of FileFault
        Everything found.
    read : bool
        Whether the file could be read to its end; if not, rules on rows have no answer.
    with_manifest : bool
        Whether a manifest came with the file.
    plausibility : mapping
        Identifier of every plausibility rule asked, and why it is asked.
    unanswered : mapping
        Identifier of those that could not be evaluated, and what stood in the way.
    """
    by_rule: dict[str, list[FileFault]] = {}
    for fault in faults:
        by_rule.setdefault(fault.rule, []).append(fault)
    together = dict(_TOGETHER)
    if layout.mode != "cumulative":
        del together[VANISHED]
    asked: dict[str, tuple[str, bool]] = {rule: (text, True) for rule, text in _FILE.items()}
    asked |= {rule: (text, True) for rule, text in _MANIFEST.items() if with_manifest}
    rows = {rule: f"no row where {text}" for rule, text in RULES.items() if rule not in asked}
    asked |= {rule: (text, read) for rule, text in (rows | together | dict(plausibility)).items()}
    asked |= {
        rule: (items[0].message, True) for rule, items in by_rule.items() if rule not in asked
    }
    return tuple(
        _check(rule, text, by_rule.get(rule, []), answered=answered, hindrance=unanswered.get(rule))
        for rule, (text, answered) in asked.items()
    )


def _check(
    rule: str, text: str, faults: list[FileFault], *, answered: bool, hindrance: str | None
) -> Check:
    if not faults:
        passed = True if answered and hindrance is None else None
        message = text if passed else f"not asked: {hindrance or 'the file was not read'}"
        return Check(rule_id=rule, severity="warning", passed=passed, n=0, message=message)
    worst = min(faults, key=lambda fault: DISPOSITIONS.index(fault.disposition))
    place = "" if worst.source_line is None else f"line {worst.source_line}: "
    return Check(
        rule_id=rule,
        severity="critical" if worst.disposition in _HARD else "warning",
        passed=False,
        n=sum(fault.n_rows for fault in faults),
        message=place + worst.message,
    )
