"""The lake: every relation as a Delta table on its side, and publications that bind their versions.

Decides what is written and what may be seen; the table format is `delta`, the SQL text `views`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.table_spec import TableSpec
from assayhouse.errors import BlindingError, WarehouseError
from assayhouse.warehouse import binding, delta, parts, publications, receipts, records, window
from assayhouse.warehouse.belonging import require_study
from assayhouse.warehouse.content import combine, content_hash, in_key_order
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.publications import Pin, Publication

__all__ = ["Commit", "Lake", "Pin", "Publication"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """State of a table after a write, which ``changed`` it or did not, or as found."""

    relation: str
    side: str
    version: int
    content_hash: str
    rows: int
    inputs: dict[str, str] = field(default_factory=dict)
    code_version: str = ""
    changed: bool = False


def _commit(relation: str, side: str, head: records.Head, *, changed: bool = False) -> Commit:
    return Commit(
        relation=relation,
        side=side,
        version=head.version,
        content_hash=head.record.content_hash,
        rows=head.record.rows,
        inputs=dict(head.record.inputs),
        code_version=head.record.code_version,
        changed=changed,
    )


class Lake:
    """Tables of one study in one home.

    Parameters
    ----------
    home : Home
        Where the tables are.
    declarations : Declarations
        What the tables are.

    Raises
    ------
    HomeError
        The home holds another study.
    """

    def __init__(self, home: Home, declarations: Declarations) -> None:
        require_study(home, declarations.study)
        self.home = home
        self.declarations = declarations

    def spec(self, relation: str) -> TableSpec:
        """Contract of an active relation.

        Raises
        ------
        WarehouseError
            The study does not have it.
        """
        window.sides_of(self.declarations, relation)
        return self.declarations.tables[relation]

    def sides(self, relation: str) -> tuple[str, ...]:
        """Sides on which a relation has a table: one, or both where it is split."""
        return window.sides_of(self.declarations, relation)

    def _one_side(self, relation: str, side: str | None) -> str:
        sides = self.sides(relation)
        if side is None and len(sides) == 1:
            return sides[0]
        if side is None:
            message = f"{relation} has a table on each side: say side='open' or side='sealed'."
            raise WarehouseError(message)
        if side not in sides:
            message = (
                f"{relation} stands on the {sides[0]} side, not on the side {side}. "
                "Nothing was read or written."
            )
            raise BlindingError(message)
        return side

    def _whole_table(self, relation: str, side: str | None) -> tuple[TableSpec, str]:
        """Contract and side of a table that is written as a whole."""
        spec = self.spec(relation)
        if spec.segment is not None:
            message = f"{relation} grows by receipts: use append_receipt. Nothing was written."
            raise WarehouseError(message)
        self.home.require()
        return spec, self._one_side(relation, side)

    def root(self, relation: str, side: str) -> Path:
        """Folder of a relation's table."""
        return self.home.lake(relation, side)

    def publish(
        self,
        relation: str,
        frame: pl.DataFrame,
        *,
        side: str | None = None,
        inputs: Mapping[str, str] | None = None,
        code_version: str = "",
    ) -> Commit:
        """Make a frame the whole content of a relation's table.

        Equal content makes no new version; inputs that differ are then noted beside the version.

        Parameters
        ----------
        relation : str
            A relation that is not a layout's.
        frame : DataFrame
            All rows, in any order.
        side : str or None
            Needed where the relation is split.
        inputs : mapping or None
            Parent to the content hash it was read with.
        code_version : str
            Identity of the code that made the rows.

        Raises
        ------
        WarehouseError
            The table cannot be written; the former version stays.
        DeclarationError
            The frame is not in the relation's contract.
        BlindingError
            The relation does not stand on that side.
        """
        spec, side = self._whole_table(relation, side)
        rows = in_key_order(spec.conform(frame), spec)
        record = records.Record(
            content_hash=content_hash(rows, spec),
            rows=rows.height,
            inputs=dict(inputs or {}),
            code_version=code_version,
        )
        root = self.root(relation, side)
        arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        head, changed = delta.replaced(
            root, record, lambda head: delta.overwrite(root, arrow, record, head)
        )
        return _commit(relation, side, head, changed=changed)

    def publish_parts(
        self,
        relation: str,
        frames: Iterable[pl.DataFrame],
        *,
        inputs: Mapping[str, str] | None = None,
        code_version: str = "",
    ) -> Commit:
        """Make frames behind each other the whole content of a relation's table.

        The same as `publish` of all of them together, in the memory of one.

        Parameters
        ----------
        relation : str
            A relation that is not a layout's and stands on one side.
        frames : iterable of DataFrame
            Every key of a frame is after every key of the frame before.
        inputs, code_version
            As in `publish`.

        Raises
        ------
        WarehouseError
            A frame does not follow the one before, or the table cannot be written; the former
            version stays.
        DeclarationError
            A frame is not in the relation's contract.
        """
        spec, side = self._whole_table(relation, None)
        root = self.root(relation, side)
        written = parts.write(root, frames, spec)
        head, changed = parts.take(
            root, written, spec=spec, inputs=inputs or {}, code_version=code_version
        )
        return _commit(relation, side, head, changed=changed)

    def append_receipt(
        self, relation: str, frames: Iterable[pl.DataFrame] | Path, *, receipt: int
    ) -> Commit:
        """Add the rows of one receipt to a layout's table, all or none.

        A receipt that is there already is not written again. Memory does not grow with the rows
        while they come in the order of their lines.

        Parameters
        ----------
        relation : str
            Relation of a layout.
        frames : iterable of DataFrame, or Path
            Batches in contract columns, or a folder of Parquet files with exactly these columns;
            the files stay where they are, and are read only where no `Draft` sealed them.
        receipt : int
            Arrival number; every row carries it.

        Raises
        ------
        WarehouseError
            The rows are not in the contract or of another receipt, or cannot be written.
        """
        spec = self.spec(relation)
        if spec.segment is None:
            message = f"{relation} does not grow by receipts: use publish. Nothing was written."
            raise WarehouseError(message)
        side = self._one_side(relation, None)
        root = self.home.require().lake(relation, side)
        head = records.read_head(root)
        if head is not None and receipt in head.record.segments:
            return _commit(relation, side, head)
        staged = receipts.stage(
            root, frames, spec=spec, receipt=receipt, scratch=self.home.scratch_name(side)
        )
        head, changed = receipts.append(root, staged, spec=spec, receipt=receipt)
        return _commit(relation, side, head, changed=changed)

    def head(self, relation: str, side: str | None = None) -> Commit | None:
        """Latest version of a relation's table, or None before the first."""
        side = self._one_side(relation, side)
        head = records.read_head(self.root(relation, side))
        return None if head is None else _commit(relation, side, head)

    def heads(self, relation: str) -> tuple[Commit, ...]:
        """Latest versions on every side that has a table."""
        found = (self.head(relation, side) for side in self.sides(relation))
        return tuple(commit for commit in found if commit is not None)

    def receipts_in(self, relation: str) -> frozenset[int]:
        """Receipts whose rows are in a layout's table, visible or not."""
        head = records.read_head(self.root(relation, self._one_side(relation, None)))
        return frozenset() if head is None else frozenset(head.record.segments)

    def visible_hash(self, relation: str, visible: frozenset[int]) -> str:
        """Content hash of a layout's table as far as receipts are visible."""
        head = records.read_head(self.root(relation, self._one_side(relation, None)))
        segments = {} if head is None else head.record.segments
        digests = {n: item.digest for n, item in segments.items() if n in visible}
        return combine(digests, self.spec(relation))

    def files(self, relation: str, version: int, *, side: str | None = None) -> tuple[Path, ...]:
        """Parquet files of a pinned version; see `delta.files_of`."""
        root = self.root(relation, self._one_side(relation, side))
        return tuple(delta.files_of(root, version))

    def scan(
        self, relation: str, *, version: int | None = None, side: str | None = None
    ) -> pl.LazyFrame:
        """Rows of a table, lazily, in contract columns; of a layout's table also invisible ones."""
        spec = self.spec(relation)
        side = self._one_side(relation, side)
        if version is None:
            head = records.read_head(self.root(relation, side))
            if head is None:
                return spec.empty().lazy()
            version = head.version
        files = self.files(relation, version, side=side)
        if not files:
            return spec.empty().lazy()
        return pl.scan_parquet(
            list(files),
            schema=spec.polars_schema,
            missing_columns="insert",
            extra_columns="ignore",
            glob=False,
        ).select(spec.columns)

    def connect(
        self,
        *,
        visible: frozenset[int],
        publication: Publication | None = None,
        sealed: bool = False,
        made: str | None = None,
        only: frozenset[str] | None = None,
    ) -> duckdb.DuckDBPyConnection:
        """Open an in-memory database with a view per relation over fixed versions.

        The views are: every relation under its name, ``raw.*`` being current records;
        ``history.*``; ``mapped.*``; and ``findings``. Later commits do not show.

        Parameters
        ----------
        visible : frozenset of int
            Receipts whose rows may be seen.
        publication : Publication or None
            Versions to show; the latest where None.
        sealed : bool
            Show the sealed side too. Without it sealed relations are not there at all.
        made : str or None
            Show only what this relation declares to be built from: quicker, and nothing else can
            be read by mistake.
        only : frozenset of str or None
            Show these relations and nothing else, no shapes and no findings.
        """
        return window.open_window(
            self.home,
            self.declarations,
            visible=visible,
            publication=publication,
            sealed=sealed,
            made=made,
            only=only,
        )

    def publication(self) -> Publication | None:
        """Return the publication that is served, or None before the first."""
        return publications.current(self.home)

    def publications(self) -> tuple[Publication, ...]:
        """All publications, the first one first."""
        return publications.every(self.home)

    def bind(self, *, visible: frozenset[int], reason: str, at: str) -> Publication:
        """Bind the latest versions into a publication; the present one where nothing differs.

        Parameters
        ----------
        visible : frozenset of int
            Receipts whose rows are served.
        reason : str
            Why, for the record.
        at : str
            Time, ISO 8601.

        Raises
        ------
        WarehouseError
            A relation was built from other content than its parents have now.
        """
        return binding.bind(self.home, self.declarations, visible=visible, reason=reason, at=at)
