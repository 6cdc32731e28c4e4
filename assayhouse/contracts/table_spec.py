"""Contract of one relation, and what follows from it: polars schema, Arrow schema, DDL, comments.

Columns are declared once in ``schemas/fields.yaml``; a relation names them. Holds no data.
"""

from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import polars as pl
import pyarrow as pa

from assayhouse.contracts.documents import Document
from assayhouse.contracts.vendor_file import ColumnSpec, LayoutSpec
from assayhouse.errors import DeclarationError

LAYERS = ("intake", "raw", "ref", "recon", "sdtm", "adam", "ard", "report")
_POLARS: dict[str, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
    "numbers": pl.List(pl.Float64()),
}
_ARROW: dict[str, pa.DataType] = {
    "text": pa.large_string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "numbers": pa.large_list(pa.float64()),
}
DUCKDB_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "numbers": "DOUBLE[]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column, wherever it occurs: label, type and unit."""

    name: str
    label: str
    type: str
    unit: str | None = None
    note: str | None = None

    @property
    def comment(self) -> str:
        """Label and unit as one line, for SQL comments and tool tips."""
        return self.label if self.unit is None else f"{self.label} [{self.unit}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """Views that people find in the warehouse: one per declared figure or printed table.

    Parameters
    ----------
    of : {"figures", "tables"}
        Section of study.yaml whose items have a view, and the schema of the views.
    by : str
        Column that holds the item's id.
    columns : dict
        Kind of item to the columns shown.
    """

    of: str
    by: str
    columns: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """Contract of one relation.

    ``in_findings`` is False for results that are analysed apart from the others (concentrations of
    the drug). ``requires`` names sections of the study's plan, relations and mapped shapes without
    which the relation does not exist. ``slices`` names a column: rows of one value
    are made from that value's rows in every source that has it, so that a large relation may be
    built part by part. ``in_parts`` names a function that yields a large relation in key order
    where its parts are not so simple. ``reads`` names the function that says which options of the
    analysis of effects the writer reads; no other writer reads any of them.
    """

    relation: str
    label: str
    grain: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    parents: tuple[str, ...] = ()
    mapped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    side: str = "inherit"
    writer: str | None = None
    reads: str | None = None
    domain: str | None = None
    in_findings: bool = True
    requires: tuple[str, ...] = ()
    unhashed: tuple[str, ...] = ()
    segment: str | None = None
    slices: str | None = None
    in_parts: str | None = None
    views: Views | None = None
    code_version: str = "1"
    where: str = ""

    @property
    def layer(self) -> str:
        """Layer of the relation, for example ``adam``."""
        return self.relation.split(".", 1)[0]

    @property
    def name(self) -> str:
        """Name within the layer."""
        return self.relation.split(".", 1)[1]

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in contract order."""
        return tuple(item.name for item in self.fields)

    @property
    def hashed_columns(self) -> tuple[str, ...]:
        """Columns that enter the content hash: all but clock and person."""
        return tuple(name for name in self.columns if name not in self.unhashed)

    @property
    def polars_schema(self) -> pl.Schema:
        """Schema of the relation in polars."""
        return pl.Schema({item.name: _POLARS[item.type] for item in self.fields})

    @property
    def arrow_schema(self) -> pa.Schema:
        """Schema of the relation in Arrow."""
        return pa.schema([pa.field(item.name, _ARROW[item.type]) for item in self.fields])

    def ddl(self, *, table: str | None = None) -> str:
        """DuckDB ``create table`` statement of the relation."""
        columns = ",\n".join(f'    "{item.name}" {DUCKDB_TYPES[item.type]}' for item in self.fields)
        return f"create table {table or self.relation} (\n{columns}\n)"

    def comments(self, *, table: str | None = None) -> tuple[str, ...]:
        """DuckDB ``comment on`` statements for the relation and each column."""
        name = table or self.relation
        lines = [f"comment on table {name} is {_quoted(f'{self.label}: {self.grain}')}"]
        lines += [
            f'comment on column {name}."{item.name}" is {_quoted(item.comment)}'
            for item in self.fields
        ]
        return tuple(lines)

    def empty(self) -> pl.DataFrame:
        """Return a frame of the relation without rows."""
        return pl.DataFrame(schema=self.polars_schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Bring a frame into contract order and types.

        Raises
        ------
        DeclarationError
            A declared column is absent, or a type cannot be brought over without loss.
        """
        absent = [name for name in self.columns if name not in frame.columns]
        if absent:
            message = f"{self.relation}: the result lacks the declared column {', '.join(absent)}."
            raise DeclarationError(message)
        try:
            return frame.select(
                pl.col(name).cast(kind, strict=True) for name, kind in self.polars_schema.items()
            )
        except pl.exceptions.PolarsError as error:
            message = f"{self.relation}: a column is not of its declared type."
            raise DeclarationError(message) from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def read_fields(path: Path) -> dict[str, Field]:
    """Read ``schemas/fields.yaml``: every column once."""
    document = Document.read(path)
    fields = {}
    for name in document:
        part = document.part(name).only("label", "type", "unit", "note")
        fields[name] = Field(
            name=name,
            label=part.text("label"),
            type=part.choice("type", tuple(_POLARS), "text"),
            unit=part.optional_text("unit"),
            note=part.optional_text("note"),
        )
    return fields


def read_table(path: Path, fields: dict[str, Field]) -> TableSpec:
    """Read one relation from ``schemas/tables/<layer>/<relation>.yaml``."""
    document = Document.read(path).only(
        *[
            "relation",
            "label",
            "grain",
            "columns",
            "key",
            "parents",
            "mapped",
            "side",
            "writer",
            "reads",
            "domain",
            "findings",
            "requires",
            "unhashed",
            "slices",
            "in_parts",
            "views",
        ],
        "code_version",
    )
    relation = document.text("relation")
    if relation != f"{path.parent.name}.{path.stem}" or path.parent.name not in LAYERS:
        message = f"{path}: relation {relation} does not fit its file's place."
        raise DeclarationError(message)
    names = document.texts("columns")
    unknown = [name for name in names if name not in fields]
    if unknown:
        message = f"{path}: {', '.join(unknown)} is not declared in schemas/fields.yaml. Add it."
        raise DeclarationError(message)
    mapped = document.part("mapped")
    spec = TableSpec(
        relation=relation,
        label=document.text("label"),
        grain=document.text("grain"),
        fields=tuple(fields[name] for name in names),
        key=document.texts("key"),
        parents=document.texts("parents"),
        mapped={name: mapped.texts(name) for name in mapped},
        side=document.choice("side", ("inherit", "open", "split"), "inherit"),
        writer=document.optional_text("writer"),
        reads=document.optional_text("reads"),
        domain=document.optional_text("domain"),
        in_findings=document.flag("findings", default=True),
        requires=document.texts("requires"),
        unhashed=document.texts("unhashed"),
        slices=document.optional_text("slices"),
        in_parts=document.optional_text("in_parts"),
        views=_views(document.part("views")) if "views" in document else None,
        code_version=document.text("code_version", "1"),
        where=str(path),
    )
    loose = [name for name in (*spec.key, *spec.unhashed) if name not in names]
    if loose or not spec.key:
        message = (
            f"{path}: key and unhashed must name columns of the relation, the key at least one."
        )
        raise DeclarationError(message)
    shown = spec.views
    if shown is not None and {shown.by, *chain(*shown.columns.values())} - set(names):
        message = f"{path}: views must name columns of the relation."
        raise DeclarationError(message)
    if spec.slices not in (None, spec.key[0]):
        message = f"{path}: slices must be the first column of the key, so that parts are in order."
        raise DeclarationError(message)
    return spec


def _views(document: Document) -> Views:
    document.only("of", "by", "columns")
    columns = document.part("columns")
    return Views(
        of=document.choice("of", ("figures", "tables"), "figures"),
        by=document.text("by"),
        columns={kind: columns.texts(kind) for kind in columns},
    )


_RAW_SOURCE = (
    Field(name="source_file", label="Name of the delivered file", type="text"),
    Field(name="source_line", label="Physical line of the record in that file", type="integer"),
    Field(name="sha256", label="SHA-256 of the delivered file", type="text"),
    Field(name="receipt", label="Arrival number of the delivery", type="integer"),
    Field(name="record_action", label="What the delivery did to the record", type="text"),
)
_TYPED = {
    "_integer": "integer",
    "_number": "number",
    "_date": "date",
    "_datetime": "datetime",
    "_term": "text",
    "_operator": "text",
    "_reason": "text",
}


def _typed_fields(column: ColumnSpec) -> list[Field]:
    return [
        Field(
            name=name,
            label=f"{column.label}, {name.rsplit('_', 1)[1]} read from the text",
            type=_TYPED["_" + name.rsplit("_", 1)[1]],
            unit=column.unit,
        )
        for name in column.typed_columns
    ]


def raw_table(layout: LayoutSpec) -> TableSpec:
    """Relation of a layout: text as sent, typed columns beside, and where each row came from.

    The Delta table is the chain of versions: rows are appended by receipt and never changed.
    """
    texts = [Field(name=c.name, label=c.label, type="text") for c in layout.columns]
    typed = [item for column in layout.columns for item in _typed_fields(column)]
    return TableSpec(
        relation=layout.relation,
        label=layout.label,
        grain="one row per version of a record of the file",
        fields=(*texts, *typed, *_RAW_SOURCE),
        key=("receipt", "source_line", *layout.key),
        segment="receipt",
        writer="assayhouse.pipeline.delivery:ingest",
        where=layout.where,
    )
