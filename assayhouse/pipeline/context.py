"""What a writer of one relation is given: declarations, its contract and its parents."""

from dataclasses import dataclass

import duckdb
import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.table_spec import TableSpec
from assayhouse.errors import DeclarationError
from assayhouse.warehouse.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """Everything from which one relation is built."""

    home: Home
    declarations: Declarations
    spec: TableSpec
    connection: duckdb.DuckDBPyConnection
    inputs: dict[str, str]
    watermark: str | None = None

    def table(self, relation: str, *, where: str | None = None) -> pl.DataFrame:
        """Read one parent, in contract order.

        Parameters
        ----------
        relation : str
            A declared parent.
        where : str or None
            Condition in SQL; the other rows of a large relation never come into memory.

        Raises
        ------
        DeclarationError
            The relation is not declared as a parent: what is not declared is not read.
        """
        parents = self.declarations.parents(self.spec.relation)
        if relation not in parents and relation in self.declarations.tables:
            message = f"{self.spec.relation} reads {relation}, which it does not declare as parent."
            raise DeclarationError(message)
        chosen = "" if where is None else f" where {where}"
        frame: pl.DataFrame = self.connection.sql(f"select * from {relation}{chosen}").pl()  # noqa: S608 - declared
        return frame

    def mapped(self, shape: str) -> pl.DataFrame:
        """Read the rows of every layout that maps to one shape."""
        frame: pl.DataFrame = self.connection.sql(f"select * from mapped.{shape}").pl()  # noqa: S608 - declared
        return frame
