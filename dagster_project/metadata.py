"""What Dagster's pages say of a relation: columns with units, where they come from, counts, hashes.

Counts and hashes only: no value of a row ever becomes metadata.
"""

import re
from collections.abc import Iterator, Mapping

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.table_spec import Field, TableSpec
from assayhouse.warehouse.lake import Commit

Value = dg.MetadataValue | dg.TableSchema | dg.TableColumnLineage | str | int | bool | None
Metadata = dict[str, Value]


def asset_key(relation: str) -> dg.AssetKey:
    """Asset of a relation: layer and name."""
    return dg.AssetKey(relation.split(".", 1))


def _column(field: Field, spec: TableSpec) -> dg.TableColumn:
    tags = {"unit": field.unit} if field.unit else {}
    if field.name in spec.key:
        tags["key"] = ""
    note = f" {field.note}" if field.note else ""
    return dg.TableColumn(
        name=field.name, type=field.type, description=f"{field.comment}{note}", tags=tags
    )


def column_schema(spec: TableSpec) -> dg.TableSchema:
    """Columns of a relation as declared; units are column tags."""
    return dg.TableSchema(columns=[_column(field, spec) for field in spec.fields])


def _mapped_columns(
    declarations: Declarations, relation: str
) -> Iterator[tuple[str, dg.TableColumnDep]]:
    spec = declarations.tables[relation]
    names = {name: name for name in spec.columns}
    names |= {n.removeprefix(spec.domain or ""): n for n in spec.columns if spec.domain}
    for shape in spec.mapped:
        for layout, mapping in declarations.mappings(shape):
            known = declarations.tables[layout.relation].columns
            for target, expression in mapping.columns.items():
                words = set(re.findall(r"\w+", expression))
                for source in (name for name in known if target in names and name in words):
                    dep = dg.TableColumnDep(asset_key(layout.relation), source)
                    yield names[target], dep


def column_lineage(declarations: Declarations, relation: str) -> dg.TableColumnLineage | None:
    """Columns of the layouts that the declared mapping names for each column, if any."""
    found: dict[str, list[dg.TableColumnDep]] = {}
    # A layout may map to a relation more than once: one result per column of its row.
    for column, dep in dict.fromkeys(_mapped_columns(declarations, relation)):
        found.setdefault(column, []).append(dep)
    return dg.TableColumnLineage(deps_by_column=found) if found else None


def declared(declarations: Declarations, relation: str) -> Metadata:
    """Metadata of a relation that is known before its first run."""
    spec = declarations.tables[relation]
    entries: Metadata = {
        "dagster/column_schema": column_schema(spec),
        "dagster/relation_identifier": relation,
        "grain": spec.grain,
        "key": ", ".join(spec.key),
        "side": declarations.side(relation),
    }
    lineage = column_lineage(declarations, relation)
    return entries if lineage is None else {**entries, "dagster/column_lineage": lineage}


def committed(commit: Commit) -> Metadata:
    """Metadata of a relation after a run."""
    return {
        "dagster/row_count": commit.rows,
        "content_hash": commit.content_hash,
        "table_version": commit.version,
        "changed": commit.changed,
        "inputs": dg.MetadataValue.json(dict(commit.inputs)),
    }


def described(spec: TableSpec, *, study: str, synthetic: bool) -> str:
    """Describe a relation for its asset page."""
    label = f"{spec.label}: {spec.grain}. Study {study}."
    return f"{label} SYNTHETIC data." if synthetic else label


def kinds(declarations: Declarations, relation: str) -> set[str]:
    """How a relation is made, as icons."""
    made = {"duckdb", "sql"} if declarations.sql_path(relation) else {"python"}
    return made | {"deltalake"}


def counted(counts: Mapping[str, int]) -> dg.JsonMetadataValue:
    """Show counts as metadata, in the order of their names."""
    return dg.MetadataValue.json(dict(sorted(counts.items())))
