"""The only door to Great Expectations: rules and a frame in, which rows broke which rule out.

Imports the library when first asked (seconds of CPU), keeps one context in memory per process and
writes no file.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from assayhouse.validate.rules import Rule

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.expectations.expectation import Expectation

_INDEX = "__row"
_FORMAT = {"result_format": "COMPLETE", "include_unexpected_rows": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Answer to one rule; ``problem`` says why there is none."""

    rows: tuple[int, ...] = ()
    n: int = 0
    n_unexpected: int = 0
    passed: bool = True
    problem: str | None = None


def evaluate(frame: pl.DataFrame, rules: Sequence[Rule]) -> dict[str, Verdict]:
    """Evaluate rules on a frame.

    Parameters
    ----------
    frame : DataFrame, shape (rows, columns)
        Only the columns that a rule names leave polars.
    rules : sequence of Rule
        Their ``when`` has to be met by the rows already.

    Returns
    -------
    dict of str to Verdict
        By rule identifier. Row positions count from 0 in ``frame``, or follow its column
        ``__row`` where it has one.
    """
    verdicts = {rule.rule_id: _without_engine(frame, rule) for rule in rules}
    left = [rule for rule in rules if verdicts[rule.rule_id] is None]
    found = _with_engine(frame, left) if left else {}
    return {name: found[name] if given is None else given for name, given in verdicts.items()}


def _without_engine(frame: pl.DataFrame, rule: Rule) -> Verdict | None:
    absent = [name for name in rule.columns if name not in frame.columns]
    if absent:
        return Verdict(problem=f"column {', '.join(absent)} is not there")
    return Verdict() if frame.height == 0 else None


def _with_engine(frame: pl.DataFrame, rules: Sequence[Rule]) -> dict[str, Verdict]:
    built, verdicts = _built(rules)
    if built:
        columns = list(dict.fromkeys(name for rule in rules for name in rule.columns))
        data = frame.select(columns).to_pandas()
        if _INDEX in frame.columns:
            data.index = frame[_INDEX].to_numpy()  # unnamed: a named one comes back as mappings
        for result in _validate(data, built):
            verdicts[_rule_id(result)] = _verdict(result)
        del data
    unanswered = {
        rule.rule_id: Verdict(problem=_misfit(frame, rule))
        for rule in rules
        if rule.rule_id not in verdicts or verdicts[rule.rule_id].problem == ""
    }
    return verdicts | unanswered


def _misfit(frame: pl.DataFrame, rule: Rule) -> str:
    types = ", ".join(f"{name} is {frame.schema[name]}" for name in rule.columns)
    return f"{rule.type} with its arguments does not fit the columns ({types})"


def _built(rules: Iterable[Rule]) -> tuple[list["Expectation"], dict[str, Verdict]]:
    _batch_definition()
    from great_expectations.expectations.expectation_configuration import (  # noqa: PLC0415 - slow
        ExpectationConfiguration,
    )
    from great_expectations.expectations.metadata_types import (  # noqa: PLC0415 - slow
        FailureSeverity,
    )

    built: list[Expectation] = []
    verdicts: dict[str, Verdict] = {}
    for rule in rules:
        try:
            built.append(
                ExpectationConfiguration(
                    type=rule.type,
                    kwargs=_arguments(rule.kwargs),
                    meta={"id": rule.rule_id},
                    severity=FailureSeverity(rule.severity),
                ).to_domain_obj()
            )
        except Exception:  # noqa: BLE001 - whatever the library raises, the rule has no answer
            problem = f"{rule.type} is unknown or its arguments are wrong"
            verdicts[rule.rule_id] = Verdict(problem=problem)
    return built, verdicts


def _arguments(kwargs: Mapping[str, object]) -> dict[str, object]:
    arguments = dict(kwargs)
    if "column_A" in arguments:
        # A comparison with nothing is no comparison: such rows are not looked at.
        arguments.setdefault("ignore_row_if", "either_value_is_missing")
    elif "column_list" in arguments:
        arguments.setdefault("ignore_row_if", "any_value_is_missing")
    return arguments


def _validate(data: object, built: list["Expectation"]) -> list["ExpectationValidationResult"]:
    import great_expectations as gx  # noqa: PLC0415 - slow

    batch = _batch_definition().get_batch({"dataframe": data})
    suite = gx.ExpectationSuite(name="assayhouse", expectations=built)
    return list(batch.validate(suite, result_format=_FORMAT).results)


@cache
def _batch_definition() -> "BatchDefinition[Any]":
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx  # noqa: PLC0415 - slow
    from great_expectations.data_context.types.base import (  # noqa: PLC0415 - slow
        ProgressBarsConfig,
    )

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("memory").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


def _rule_id(result: "ExpectationValidationResult") -> str:
    configuration = result.expectation_config
    return "" if configuration is None else str((configuration.meta or {}).get("id"))


def _verdict(result: "ExpectationValidationResult") -> Verdict:
    if _raised(result.exception_info):
        return Verdict(problem="")
    counts = cast("dict[str, Any]", result.result)
    rows = tuple(sorted(int(row) for row in counts.get("unexpected_index_list") or ()))
    n = int(counts.get("element_count", 1)) - int(counts.get("missing_count") or 0)
    return Verdict(
        rows=rows,
        n=n,
        n_unexpected=int(counts.get("unexpected_count") or 0),
        passed=bool(result.success),
    )


def _raised(information: Mapping[str, object] | None) -> bool:
    """Whether an expectation raised; the library reports that as a failure of the data.

    One flat mapping when nothing raised, a mapping of metric to details when something did.
    """
    if not information:
        return False
    return information.get("raised_exception") is not False
