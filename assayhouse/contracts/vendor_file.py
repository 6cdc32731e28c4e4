"""Contract of one layout: dialect, columns, value grammar, key, side and limits of a vendor's file.

Declares; reads no delivered byte (readers do) and decides nothing (intake does).
"""

from dataclasses import dataclass
from pathlib import Path

from assayhouse.contracts.documents import Document
from assayhouse.contracts.instrument_file import InstrumentSpec, read_instrument
from assayhouse.errors import DeclarationError

INSTRUMENT = "instrument"
READERS = ("delimited", "xpt", "dataset_json", INSTRUMENT)
COLUMN_TYPES = ("text", "integer", "number", "date", "datetime", "flag", "code", "result")
QUOTINGS = ("none", "minimal", "all")
LINE_ENDS = {"lf": b"\n", "crlf": b"\r\n"}
TYPED_SUFFIXES: dict[str, tuple[str, ...]] = {
    "text": (),
    "flag": (),
    "integer": ("_integer",),
    "number": ("_number",),
    "date": ("_date",),
    "datetime": ("_datetime",),
    "code": ("_term",),
    "result": ("_operator", "_number", "_reason"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the bytes of a delimited file are cut into fields. Nothing of it is ever guessed."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str | None = '"'
    quoting: str = "minimal"
    line_end: str = "lf"
    decimal: str = "."
    compression: str = "none"
    preamble: tuple[str, ...] = ()
    trailer: str | None = None
    comment: str | None = None
    null_texts: tuple[str, ...] = ("",)

    @property
    def line_end_bytes(self) -> bytes:
        """The declared end of a line."""
        return LINE_ENDS[self.line_end]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """One column of a layout: name, type, grammar and the rules a single value must obey."""

    name: str
    label: str
    type: str = "text"
    required: bool = False
    aliases: tuple[str, ...] = ()
    optional_column: bool = False
    pattern: str | None = None
    date_format: str | None = None
    codes: tuple[str, ...] = ()
    terms: str | None = None
    symbols: bool = False
    unit: str | None = None
    unit_of: str | None = None
    reasons: tuple[str, ...] = ()
    references: str | None = None
    equals_study: bool = False
    minimum: float | None = None
    maximum: float | None = None
    limit_column: str | None = None
    flag_column: str | None = None
    not_before: str | None = None
    cosmetic: bool = False

    @property
    def typed_columns(self) -> tuple[str, ...]:
        """Names of the typed columns that stand beside the text column."""
        return tuple(self.name + suffix for suffix in TYPED_SUFFIXES[self.type])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Shares (percent) and counts above which a person must decide."""

    quarantined_pct: float = 5.0
    quarantined_pct_per_group: float = 20.0
    group_column: str | None = None
    changed_pct: float = 5.0
    vanished: int = 0
    fall_pct: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """How rows of this layout become rows of an SDTM-shaped relation (SQL scalar expressions)."""

    relation: str
    columns: dict[str, str]
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutSpec:
    """Contract of one kind of file of a vendor."""

    layout: str
    version: str
    label: str
    reader: str
    dialect: Dialect
    columns: tuple[ColumnSpec, ...]
    key: tuple[str, ...]
    mode: str
    manifest: str
    file_pattern: str | None
    sealed_under: tuple[str, ...]
    limits: Limits
    maps_to: tuple[Mapping, ...]
    where: str
    instrument: InstrumentSpec | None = None

    @property
    def vendor(self) -> str:
        """Vendor part of the layout's name."""
        return self.layout.split(".", 1)[0]

    @property
    def relation(self) -> str:
        """Relation that holds the file's rows as sent, for example ``raw.<vendor>_<layout>``."""
        return "raw." + self.layout.replace(".", "_")

    @property
    def references(self) -> tuple[str, ...]:
        """Layouts whose accepted rows this one's values are checked against."""
        found = {c.references.rsplit(".", 1)[0] for c in self.columns if c.references}
        return tuple(sorted(found - {self.layout}))

    def column(self, name: str) -> ColumnSpec:
        """Column by its declared name."""
        for column in self.columns:
            if column.name == name:
                return column
        message = f"{self.where}: no column {name} is declared."
        raise DeclarationError(message)


_COLUMN_KEYS = [
    "name",
    "label",
    "type",
    "required",
    "aliases",
    "optional_column",
    "pattern",
    "date_format",
    "codes",
    "terms",
    "symbols",
    "unit",
    "unit_of",
    "reasons",
    "references",
    "equals_study",
    "minimum",
    "maximum",
    "limit_column",
    "flag_column",
    "not_before",
    "cosmetic",
]


def _read_column(document: Document) -> ColumnSpec:
    document.only(*_COLUMN_KEYS)
    return ColumnSpec(
        name=document.text("name"),
        label=document.text("label", document.text("name")),
        type=document.choice("type", COLUMN_TYPES, "text"),
        required=document.flag("required", default=False),
        aliases=document.texts("aliases"),
        optional_column=document.flag("optional_column", default=False),
        pattern=document.optional_text("pattern"),
        date_format=document.optional_text("date_format"),
        codes=document.texts("codes"),
        terms=document.optional_text("terms"),
        symbols=document.flag("symbols", default=False),
        unit=document.optional_text("unit"),
        unit_of=document.optional_text("unit_of"),
        reasons=document.texts("reasons"),
        references=document.optional_text("references"),
        equals_study=document.flag("equals_study", default=False),
        minimum=document.number("minimum"),
        maximum=document.number("maximum"),
        limit_column=document.optional_text("limit_column"),
        flag_column=document.optional_text("flag_column"),
        not_before=document.optional_text("not_before"),
        cosmetic=document.flag("cosmetic", default=False),
    )


def _read_dialect(document: Document) -> Dialect:
    document.only(
        *[
            "encoding",
            "delimiter",
            "quote",
            "quoting",
            "line_end",
            "decimal",
            "compression",
            "preamble",
            "trailer",
        ],
        "comment",
        "null_texts",
    )
    quoting = document.choice("quoting", QUOTINGS, "minimal")
    return Dialect(
        encoding=document.text("encoding", "utf-8"),
        delimiter=document.text("delimiter", ","),
        quote=None if quoting == "none" else document.text("quote", '"'),
        quoting=quoting,
        line_end=document.choice("line_end", tuple(LINE_ENDS), "lf"),
        decimal=document.choice("decimal", (".", ","), "."),
        compression=document.choice("compression", ("none", "gzip"), "none"),
        preamble=document.texts("preamble"),
        trailer=document.optional_text("trailer"),
        comment=document.optional_text("comment"),
        null_texts=document.texts("null_texts") if "null_texts" in document else ("",),
    )


def _read_limits(document: Document) -> Limits:
    fields = ("quarantined_pct", "quarantined_pct_per_group", "changed_pct", "fall_pct")
    document.only(*fields, "group_column", "vanished")
    given = {name: document.number(name) for name in fields}
    return Limits(
        group_column=document.optional_text("group_column"),
        vanished=document.integer("vanished", 0),
        **{name: value for name, value in given.items() if value is not None},
    )


def _read_mapping(document: Document) -> Mapping:
    document.only("relation", "columns", "where")
    return Mapping(
        relation=document.text("relation"),
        columns=document.mapping("columns"),
        where=document.optional_text("where"),
    )


def _check(layout: LayoutSpec) -> None:
    names = [column.name for column in layout.columns]
    if len(set(names)) != len(names):
        message = f"{layout.where}: a column is declared twice."
        raise DeclarationError(message)
    wanted = [*layout.key]
    for column in layout.columns:
        wanted += [
            name
            for name in (column.unit_of, column.limit_column, column.flag_column, column.not_before)
            if name
        ]
    for name in wanted:
        layout.column(name)


def _read_instrument(document: Document, path: Path) -> InstrumentSpec | None:
    is_read = document.text("reader", "delimited") == INSTRUMENT
    if is_read != (INSTRUMENT in document):
        message = f"{path}: the reader {INSTRUMENT} and the part {INSTRUMENT} belong together."
        raise DeclarationError(message)
    return read_instrument(document.part(INSTRUMENT), folder=path.parent) if is_read else None


def read_layout(path: Path) -> LayoutSpec:
    """Read one layout from ``schemas/vendors/<vendor>.<layout>.yaml``.

    Raises
    ------
    DeclarationError
        A key is unknown, missing or of the wrong kind, or names a column that is not declared.
    """
    document = Document.read(path).only(
        *[
            "layout",
            "version",
            "label",
            "reader",
            "dialect",
            "columns",
            "key",
            "mode",
            "manifest",
            "file_pattern",
        ],
        "sealed_under",
        "limits",
        "maps_to",
        INSTRUMENT,
    )
    layout = LayoutSpec(
        layout=document.text("layout"),
        version=document.text("version"),
        label=document.text("label"),
        reader=document.choice("reader", READERS, "delimited"),
        dialect=_read_dialect(document.part("dialect")),
        columns=tuple(_read_column(part) for part in document.parts("columns")),
        key=document.texts("key"),
        mode=document.choice("mode", ("cumulative", "incremental"), "cumulative"),
        manifest=document.choice("manifest", ("required", "optional", "none"), "required"),
        file_pattern=document.optional_text("file_pattern"),
        sealed_under=document.texts("sealed_under"),
        limits=_read_limits(document.part("limits")),
        maps_to=tuple(_read_mapping(part) for part in document.parts("maps_to")),
        where=str(path),
        instrument=_read_instrument(document, path),
    )
    if path.name != f"{layout.layout}.yaml":
        message = f"{path}: the file must be named {layout.layout}.yaml, like its layout."
        raise DeclarationError(message)
    _check(layout)
    return layout
