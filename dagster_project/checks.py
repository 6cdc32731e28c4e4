"""Checks as Dagster shows them: of each delivery by group of rules, of each table by rule.

Evaluates nothing itself. Counts, rule names and line numbers only; never a value of a row.
"""

import warnings
from collections.abc import Iterator, Sequence

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from assayhouse.intake.account import UNBALANCED
from assayhouse.intake.disposition import CHANGES, STOP_RULE, STOP_RULE_GROUP, VANISHED
from assayhouse.intake.receipt import DUPLICATE, HELD, REJECTED
from assayhouse.intake.rules import RULES
from assayhouse.pipeline.delivery import Check, Outcome
from assayhouse.validate.suites import RuleResult, check_table, suite_for
from assayhouse.warehouse.lake import Lake
from dagster_project.metadata import Metadata, asset_key
from dagster_project.partitions import deliveries, intake_key

CRITICAL = "critical"
MAX_LINES = 50
_WRONG_STATE = {"approval": HELD, "duplicates": DUPLICATE}
DELIVERY_CHECKS = {
    "contract": "The file can be read and is what its layout and manifest declare.",
    "lines_balance": "Every physical line is a row, quarantined, or something declared.",
    "row_rules": "Single rows obey the layout; those that do not are quarantined.",
    "duplicates": "No key comes twice with different values, and the bytes are new.",
    "delta": "Records changed or dropped since the last delivery stay within limits.",
    "plausibility": "Values are plausible by the rules in expectations/.",
    "approval": "No person has to decide before the delivery is published.",
}
_BY_RULE = {
    UNBALANCED: "lines_balance",
    "F29": "duplicates",
    CHANGES: "delta",
    VANISHED: "delta",
    STOP_RULE: "row_rules",
    STOP_RULE_GROUP: "row_rules",
}
# Rules on rows that, for the file as a whole, say whether it is the right one.
_OF_THE_FILE = ("F07",)


def delivery_specs(layout: str) -> list[dg.AssetCheckSpec]:
    """List the checks of a layout's deliveries; each delivery keeps its own results."""
    with warnings.catch_warnings():
        # The pins in requirements.lock hold the version in which this was tried.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name=name,
                asset=intake_key(layout),
                description=text,
                partitions_def=deliveries(layout),
            )
            for name, text in DELIVERY_CHECKS.items()
        ]


def group_of(rule: str, plausibility: frozenset[str]) -> str:
    """Name of the check that shows a rule of intake."""
    if rule in plausibility:
        return "plausibility"
    if rule in RULES and rule not in _OF_THE_FILE:
        return "row_rules"
    return _BY_RULE.get(rule, "contract")


def delivery_results(declarations: Declarations, outcome: Outcome) -> Iterator[dg.AssetCheckResult]:
    """Results of one delivery, one per check."""
    suite = suite_for(declarations, declarations.layouts[outcome.layout].relation)
    plausibility = frozenset(rule.rule_id for rule in (suite.rules if suite else ()))
    groups: dict[str, list[Check]] = {name: [] for name in DELIVERY_CHECKS}
    for check in outcome.checks:
        groups[group_of(check.rule_id, plausibility)].append(check)
    for name, listed in groups.items():
        open_rules = [check for check in listed if check.passed is not True]
        passed, words = not open_rules, _words(open_rules)
        if _WRONG_STATE.get(name) == outcome.state:
            passed, words = False, outcome.why
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=intake_key(outcome.layout),
            passed=passed,
            severity=_severity(open_rules, outcome),
            description=words,
            metadata=_counts(outcome, [check.rule_id for check in open_rules], asked=len(listed)),
        )


def _severity(open_rules: Sequence[Check], outcome: Outcome) -> dg.AssetCheckSeverity:
    broken = any(c.passed is False and c.severity == CRITICAL for c in open_rules)
    rejected = outcome.state == REJECTED
    return dg.AssetCheckSeverity.ERROR if broken and rejected else dg.AssetCheckSeverity.WARN


def _words(open_rules: Sequence[Check]) -> str:
    ordered = sorted(open_rules, key=lambda check: check.passed is None)
    return "; ".join(f"{check.rule_id}: {check.message}" for check in ordered[:5])


def _counts(outcome: Outcome, rules: Sequence[str], *, asked: int) -> Metadata:
    found = [finding for finding in outcome.findings if finding.rule in rules]
    rows = {check.rule_id: check.n for check in outcome.checks if check.rule_id in rules}
    lines = sorted({finding.source_line for finding in found if finding.source_line is not None})
    return {
        "rules_asked": str(asked),
        "rows_by_rule": ", ".join(f"{rule}: {n}" for rule, n in rows.items()) or "none",
        "lines": listed(lines),
    }


def listed(lines: Sequence[int]) -> str:
    """List line numbers, and how many more there are."""
    first = ", ".join(map(str, lines[:MAX_LINES])) or "none"
    more = len(lines) - MAX_LINES
    return f"{first} and {more} more" if more > 0 else first


def failure(outcome: Outcome) -> dg.Failure:
    """Failure of a rejected delivery; asking again would find the same."""
    return dg.Failure(
        description=f"Delivery {outcome.receipt} of {outcome.layout} was rejected: {outcome.why}",
        metadata={"state": REJECTED, "receipt": outcome.receipt},
        allow_retries=False,
    )


def check_name(rule_id: str) -> str:
    """Name of a rule as a check."""
    return rule_id.replace("-", "_")


def table_specs(declarations: Declarations, relation: str) -> list[dg.AssetCheckSpec]:
    """One check per plausibility rule of a relation; critical ones block what stands on it."""
    suite = suite_for(declarations, relation)
    return [
        dg.AssetCheckSpec(
            name=check_name(rule.rule_id),
            asset=asset_key(relation),
            description=rule.why,
            blocking=rule.severity == CRITICAL,
        )
        for rule in (suite.rules if suite else ())
    ]


def table_results(lake: Lake, relation: str) -> list[dg.AssetCheckResult]:
    """Ask the plausibility rules of a relation about its present content."""
    suite = suite_for(lake.declarations, relation)
    if suite is None:
        return []
    return [
        _table_result(relation, result)
        for result in check_table(lake.scan(relation).collect(), suite)
    ]


def _table_result(relation: str, result: RuleResult) -> dg.AssetCheckResult:
    unanswered = result.passed is None
    severe = result.severity == CRITICAL
    return dg.AssetCheckResult(
        check_name=check_name(result.rule_id),
        asset_key=asset_key(relation),
        passed=bool(result.passed),
        severity=dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
        description=f"could not be evaluated: {result.message}" if unanswered else result.message,
        metadata={"unexpected": int(result.n_unexpected), "looked_at": int(result.n)},
    )
