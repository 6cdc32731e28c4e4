"""SQL text of what a connection shows: rows of pinned files, current records, mapped and findings.

Makes text only; opens nothing and runs nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.table_spec import DUCKDB_TYPES, Field, TableSpec
from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.contracts.vendor_file import Mapping as LayoutMapping
from assayhouse.errors import DeclarationError

_SOURCE = {
    "layout": "text",
    "source_file": "text",
    "source_line": "integer",
    "sha256": "text",
    "receipt": "integer",
}
ALIVE = "record_action is distinct from 'VANISHED'"
_MAPPED_NUMBERS = frozenset({"number", "LLOQ", "ULOQ", "STRESN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Files and columns of one relation as pinned; ``receipts`` only where it is segmented."""

    relation: str
    files: tuple[Path, ...]
    columns: Mapping[str, str]
    record_key: tuple[str, ...] = ()
    receipts: tuple[int, ...] | None = None


def quoted(text: str) -> str:
    """Text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def named(column: str) -> str:
    """Name as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def qualified(relation: str) -> str:
    """Relation as schema and table, each quoted."""
    return ".".join(named(part) for part in relation.split(".", 1))


def empty(columns: Mapping[str, str]) -> str:
    """Select no row with the given columns and types."""
    listed = ", ".join(
        f"cast(null as {DUCKDB_TYPES[kind]}) as {named(name)}" for name, kind in columns.items()
    )
    return f"select {listed} where false"


def types_of(fields: Iterable[Field]) -> dict[str, str]:
    """Columns with their types, of a contract's fields."""
    return {item.name: item.type for item in fields}


def rows(source: Source) -> str:
    """Every stored row that may be seen, columns in contract order; absent ones hold nothing."""
    if not source.files or source.receipts == ():
        return empty(source.columns)
    files = ", ".join(quoted(str(path)) for path in source.files)
    listed = ", ".join(named(name) for name in source.columns)
    seen = ""
    if source.receipts is not None:
        seen = f" where receipt in ({', '.join(map(str, source.receipts))})"
    return (
        f"select {listed} from (select * from read_parquet([{files}], union_by_name=true) "  # noqa: S608 - as above
        f"union all by name {empty(source.columns)}){seen}"
    )


def _later(source: Source, found: str) -> tuple[str, str]:
    """Subqueries for rows and for what came after the first receipt, and how they are joined.

    Receipts after the first are few beside it, so the first is joined with them, not sorted.
    """
    key = [named(name) for name in source.record_key]
    same = " and ".join(f"kept.{name} is not distinct from later.{name}" for name in key)
    subqueries = (
        f"with kept as ({rows(source)}), later as (select {', '.join(key)}, {found} from kept "  # noqa: S608 - as above
        f"where receipt > {min(source.receipts or (0,))} group by all)"
    )
    return subqueries, f"kept left join later on {same}"


def current(source: Source) -> str:
    """Rows as they are now: of each record the latest visible version, vanished ones left out."""
    if source.receipts is None:
        return rows(source)
    if len(source.receipts) < 2:
        return f"select * from ({rows(source)}) where {ALIVE}"  # noqa: S608 - as above
    subqueries, joined = _later(source, "max(receipt) as latest_receipt")
    return (
        f"{subqueries} select kept.* from {joined} "  # noqa: S608 - as above
        f"where (later.latest_receipt is null or kept.receipt = later.latest_receipt) and {ALIVE}"
    )


def history(source: Source) -> str:
    """Every visible version of every record, with the receipt that replaced it."""
    if len(source.receipts or ()) < 2:
        return f"select *, cast(null as BIGINT) as replaced_by from ({rows(source)})"  # noqa: S608 - as above
    subqueries, joined = _later(source, "list(receipt) as later_receipts")
    newer = "list_filter(later.later_receipts, lambda number : number > kept.receipt)"
    return f"{subqueries} select kept.*, list_min({newer}) as replaced_by from {joined}"  # noqa: S608 - as above


def current_of_history(source: Source, history_table: str) -> str:
    """Select the same rows as `current`, from a table that holds the history."""
    listed = ", ".join(named(name) for name in source.columns)
    return f"select {listed} from {history_table} where replaced_by is null and {ALIVE}"  # noqa: S608 - as above


def _mapped_types(spec: TableSpec, names: Iterable[str], declared: Declarations) -> dict[str, str]:
    """Types of a shape's columns: those of the contract, with or without the domain's letters."""
    found = {}
    for name in names:
        item = declared.fields.get((spec.domain or "") + name) or declared.fields.get(name)
        kind = "number" if name in _MAPPED_NUMBERS else "text"
        found[name] = kind if item is None else item.type
    return found


def shapes(declarations: Declarations) -> dict[str, dict[str, str]]:
    """Shapes that layouts can map to, each with its columns and types."""
    found: dict[str, dict[str, str]] = {}
    for spec in declarations.declared_tables.values():
        for shape, names in spec.mapped.items():
            known = found.setdefault(shape, {})
            for name, kind in _mapped_types(spec, names, declarations).items():
                known.setdefault(name, kind)
    return {shape: columns | _SOURCE for shape, columns in found.items()}


def _one_mapping(layout: LayoutSpec, mapping: LayoutMapping, columns: Mapping[str, str]) -> str:
    stray = sorted(set(mapping.columns) - set(columns))
    if stray:
        message = (
            f"{layout.where}: maps_to {mapping.relation} gives {', '.join(stray)}, which that "
            "shape does not have. Correct the layout, or add the column to the relation's `mapped`."
        )
        raise DeclarationError(message)
    given = [f"({expression}) as {named(name)}" for name, expression in mapping.columns.items()]
    given.append(f"{quoted(layout.layout)} as layout")
    given += [name for name in _SOURCE if name != "layout" and name not in mapping.columns]
    where = f" where {mapping.where}" if mapping.where else ""
    return f"select {', '.join(given)} from {qualified(layout.relation)}{where}"  # noqa: S608 - declared


def mapped(declarations: Declarations, shape: str, *, present: frozenset[str]) -> str:
    """Rows of every present layout that maps to a shape, under the shape's names."""
    columns = shapes(declarations)[shape]
    parts = [empty(columns)] + [
        _one_mapping(layout, mapping, columns)
        for layout, mapping in declarations.mappings(shape)
        if layout.relation in present
    ]
    return " union all by name ".join(parts)


def _unprefixed(name: str, domain: str) -> str:
    return name[len(domain) :] if name.startswith(domain) and len(name) > len(domain) else name


def findings(declarations: Declarations, *, present: frozenset[str]) -> str:
    """Results of all domains under names without the domain's letters.

    ``LBSTRESN`` of LB and ``VSSTRESN`` of VS are both ``STRESN``; ``domain`` says which it was.
    """
    columns: dict[str, str] = {"domain": "text"}
    parts = []
    for relation, spec in declarations.declared_tables.items():
        if spec.domain is None or not spec.in_findings:
            continue
        own = [item for item in spec.fields if item.name.lower() != "domain"]
        for item in own:
            columns.setdefault(_unprefixed(item.name, spec.domain), item.type)
        if relation in present:
            listed = ", ".join(
                f"{named(item.name)} as {named(_unprefixed(item.name, spec.domain))}"
                for item in own
            )
            parts.append(
                f"select {quoted(spec.domain)} as domain, {listed} from {qualified(relation)}"  # noqa: S608 - declared
            )
    return " union all by name ".join([empty(columns), *parts])
