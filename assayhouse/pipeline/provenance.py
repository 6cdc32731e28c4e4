"""What every result row says about itself: method, inputs and code version."""

import hashlib
import json
from collections.abc import Mapping

import polars as pl

import assayhouse
from assayhouse.contracts.table_spec import TableSpec
from assayhouse.pipeline.context import BuildContext


def spec_hash(options: Mapping[str, object]) -> str:
    """SHA-256 of a method's options in canonical form."""
    text = json.dumps(dict(options), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


STAMPS = ("method", "inputs", "code_version")
"""Columns that `stamped` adds."""


def unstamped(spec: TableSpec, *others: str) -> dict[str, pl.DataType]:
    """Columns and types of a result before it is stamped; ``others`` come later too."""
    later = {*STAMPS, *others}
    return {name: kind for name, kind in spec.polars_schema.items() if name not in later}


def stamped(frame: pl.DataFrame, context: BuildContext, *, method: str | pl.Expr) -> pl.DataFrame:
    """Add method, inputs and code version, and bring the rows into their contract."""
    told = frame.with_columns(
        (pl.lit(method) if isinstance(method, str) else method).alias("method"),
        pl.lit(json.dumps(dict(sorted(context.inputs.items())))).alias("inputs"),
        pl.lit(assayhouse.__version__).alias("code_version"),
    )
    return context.spec.conform(told).sort(context.spec.key)
