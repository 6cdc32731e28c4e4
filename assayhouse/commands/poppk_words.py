"""What a person can do about a fault of an event table, or about a fit that failed: by code."""

from collections.abc import Iterator, Sequence

from assayhouse.commands.own_file import OwnTable
from assayhouse.pk.notes import Issue, Reason

_TABLE = {
    "missing_column": "Add the column, or rename the one that holds it.",
    "bad_type": "Write numbers with a decimal point, and leave what is missing empty; of a sample "
    "below the limit write BLQ 1 and LLOQ, not <.",
    "bad_code": "Use only the codes named.",
    "id_not_contiguous": "Put all rows of a subject one below the other.",
    "time_order": "Sort the rows of each subject by TIME; at one time a sample above the dose is "
    "before it.",
    "dose_without_amt": "Write the amount given into AMT, or leave out the row of a dose that was "
    "not taken.",
    "obs_with_amt": "Leave AMT of a sample empty or 0; a dose at the same time is a row of its "
    "own.",
    "dv_missing": "Write the concentration; of a sample below the limit BLQ 1 and LLOQ; of one "
    "that is not there MDV 1, or leave the row out.",
    "blq_without_lloq": "Write the limit of quantification into LLOQ, in the unit of DV.",
    "addl_without_ii": "Write the dosing interval into II, or 0 into ADDL.",
    "ss_without_ii": "Write the dosing interval into II, or 0 into SS.",
    "infusion": "Leave infusions out; doses are taken by mouth or as a bolus.",
    "cmt_unsupported": "Write 1 into CMT of a dose, or leave CMT out.",
    "covariate_missing": "Fill the column, or write missing_covariates: impute into the model's "
    "file.",
    "covariate_varies": "Write the value at baseline into every row of the subject.",
    "no_subjects": "A subject needs a dose and a sample after it; subject_rule: observed in the "
    "model's file keeps those without any quantifiable sample.",
}
_FIT = {
    "too_few_data": "Add subjects or samples, or leave parameters out of iiv and the model.",
    "no_start_succeeded": "Give init values near what is known of the compound, and check units.",
    "inner_not_converged": "Give init values near what is known of the compound, and check units.",
    "nonfinite_ofv": "Give init values near what is known of the compound, and check units.",
    "gradient": "Raise options.max_iter, or give init values nearer to the estimates.",
    "hessian_not_pd": "Ask less of the data: fewer parameters in iiv or covariates, a structure "
    "with fewer compartments, or values held with fixed.",
    "runaway_parameter": "Hold the parameter with fixed, choose a structure without it, or check "
    "its init and the units.",
}
_ANY_FIT = "Ask less of the data: a model with fewer parameters, or values held with fixed."


def fault_lines(table: OwnTable, issues: Sequence[Issue]) -> Iterator[str]:
    """Say each fault of a table: code, lines, sentence, remedy."""
    for issue in issues:
        remedy = _TABLE.get(issue.code, "")
        yield f"{_at(table, issue)}: {issue.message} {remedy}".rstrip()


def note_lines(table: OwnTable, issues: Sequence[Issue]) -> Iterator[str]:
    """Say each thing that was put right or left out: code, lines, sentence."""
    for issue in issues:
        yield f"{table.path.name}: {_at(table, issue)}: {issue.message}"


def _at(table: OwnTable, issue: Issue) -> str:
    return f"{issue.code} in {table.where(issue.rows)}" if issue.rows else issue.code


def reason_lines(reasons: Sequence[Reason]) -> Iterator[str]:
    """Say each reason of a status; of a fit that failed with what can be done."""
    for reason in reasons:
        remedy = _FIT.get(reason.code, _ANY_FIT) if reason.severity == "FAILED" else ""
        yield f"{reason.severity} {reason.code}: {reason.message} {remedy}".rstrip()
