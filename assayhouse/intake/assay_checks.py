"""Asks the assay checks of a layout about the accepted rows of a delivery taken together.

Set operations in DuckDB over the draft and its companions; only rows that break a check leave it.
Decides nothing and writes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from assayhouse.contracts.assay_checks import AssayCheck, AssayChecks, Companion
from assayhouse.intake.delta import quoted

LINE = "source_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one check says of a delivery.

    Attributes
    ----------
    check : AssayCheck
        The check.
    rows : DataFrame or None
        ``source_line`` and the columns of ``per`` of every row that breaks it, in the order of
        lines; None where the check could not be asked.
    hindrance : str or None
        Why it could not be asked.
    pending : bool
        Whether it could be asked once something is mended or delivered.
    """

    check: AssayCheck
    rows: pl.DataFrame | None = None
    hindrance: str | None = None
    pending: bool = False

    @property
    def count(self) -> int:
        """Rows that break the check."""
        return 0 if self.rows is None else self.rows.height

    @property
    def reason(self) -> str:
        """Why rows that break it do not count, with the check's identifier."""
        return f"{self.check.why} ({self.check.check_id})"


def _joined(companion: Companion, source: str) -> str:
    """Write the join that brings a companion's columns beside the rows."""
    keys = [f"{quoted(companion.name)}.key_{number}" for number in range(len(companion.on))]
    given = [f"({there}) as key_{n}" for n, there in enumerate(companion.on.values())]
    given += [f"({formula}) as {quoted(name)}" for name, formula in companion.columns.items()]
    grouped = ", ".join(str(number + 1) for number in range(len(companion.on)))
    same = " and ".join(f"({here}) = {key}" for here, key in zip(companion.on, keys, strict=True))
    return (
        f" left join (select {', '.join(given)} from {source}"  # noqa: S608 - declared
        + (f" where {companion.where}" if companion.where else "")
        + (f" group by {grouped}" if grouped else "")
        + f") as {quoted(companion.name)} on {same or 'true'}"
    )


def _query(
    declared: AssayChecks, group: Sequence[AssayCheck], sources: Mapping[str, str], draft: str
) -> str:
    """SELECT of every row that breaks a check of a group, with one flag per check."""
    first = group[0]
    joins = "".join(_joined(declared.companion(name), sources[name]) for name in first.uses)
    beside = "".join(
        f", {quoted(name)}.{quoted(column)}"
        for name in first.uses
        for column in declared.companion(name).columns
    )
    per = {name: None for check in group for name in check.per or ()}
    flags = [f"coalesce(({check.broken}), false) as flag_{n}" for n, check in enumerate(group)]
    broken = " or ".join(f"flag_{n}" for n in range(len(group)))
    if first.over:
        return _query_over(
            first, draft, joins=joins, beside=beside, per=per, flags=flags, broken=broken
        )
    listed = "".join(f", {quoted(name)}" for name in per)
    return (
        f"with rows as (select d.*{beside} from {draft} as d{joins}), "  # noqa: S608 - declared
        f"looked as (select * from rows where {first.where or 'true'}), "
        f"asked as (select {LINE}{listed}, {', '.join(flags)} from looked) "
        f"select * from asked where {broken} order by {LINE}"
    )


def _query_over(
    first: AssayCheck,
    draft: str,
    *,
    joins: str,
    beside: str,
    per: Iterable[str],
    flags: Sequence[str],
    broken: str,
) -> str:
    """Write the query where combinations are judged; their rows are fetched for broken ones."""
    names = [quoted(name) for name in first.over]
    given = names + [f"({formula}) as {quoted(name)}" for name, formula in first.measures.items()]
    listed = "".join(f", d.{quoted(name)}" for name in per)
    flagged = ", ".join(f"b.flag_{n}" for n in range(len(flags)))
    same = " and ".join(f"d.{name} is not distinct from b.{name}" for name in names)
    return (
        f"with looked as (select * from {draft} where {first.where or 'true'}), "  # noqa: S608 - declared
        f"groups as (select {', '.join(given)} from looked group by {', '.join(names)}), "
        f"rows as (select d.*{beside} from groups as d{joins}), "
        f"asked as (select {', '.join(names)}, {', '.join(flags)} from rows) "
        f"select d.{LINE}{listed}, {flagged} from looked as d "
        f"join (select * from asked where {broken}) as b on {same} order by d.{LINE}"
    )


def ask(
    connection: duckdb.DuckDBPyConnection,
    declared: AssayChecks,
    checks: Iterable[AssayCheck],
    *,
    sources: Mapping[str, str],
    draft: str,
) -> tuple[Answer, ...]:
    """Ask checks whose companions are all there.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the draft and the companions.
    declared : AssayChecks
        Gives the companions.
    checks : iterable of AssayCheck
        Those to ask.
    sources : mapping of str to str
        Companion to the relation that holds its rows.
    draft : str
        Relation with the accepted rows.

    Returns
    -------
    tuple of Answer
        In the order of ``checks``. A check that DuckDB cannot evaluate has no answer; the others
        have theirs.
    """
    groups: dict[tuple[object, ...], list[AssayCheck]] = {}
    asked = list(checks)
    for check in asked:
        together = (check.where, *sorted(check.uses)), check.over, tuple(check.measures.items())
        groups.setdefault(together, []).append(check)
    found = {
        answer.check.check_id: answer
        for group in groups.values()
        for answer in _ask_group(connection, declared, group, sources, draft)
    }
    return tuple(found[check.check_id] for check in asked)


def _ask_group(
    connection: duckdb.DuckDBPyConnection,
    declared: AssayChecks,
    group: Sequence[AssayCheck],
    sources: Mapping[str, str],
    draft: str,
) -> list[Answer]:
    try:
        table = connection.sql(_query(declared, group, sources, draft)).pl()
    except duckdb.Error as error:
        if len(group) > 1:
            return [
                answer
                for check in group
                for answer in _ask_group(connection, declared, [check], sources, draft)
            ]
        # The class of the error is told, not its text: that may quote a value.
        why = f"its expression could not be evaluated ({type(error).__name__})"
        return [Answer(check=group[0], hindrance=why, pending=True)]
    return [
        Answer(
            check=check,
            rows=table.filter(pl.col(f"flag_{n}")).select(LINE, *(check.per or ())),
        )
        for n, check in enumerate(group)
    ]
