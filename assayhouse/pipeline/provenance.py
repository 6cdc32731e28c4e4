"""What every result row says about itself: method, inputs and code version."""

import hashlib
import json
from collections.abc import Mapping

import polars as pl

import assayhouse
from assayhouse.pipeline.context import BuildContext


def spec_hash(options: Mapping[str, object]) -> str:
    """SHA-256 of a method's options in canonical form."""
    text = json.dumps(dict(options), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def stamped(frame: pl.DataFrame, context: BuildContext, *, method: str) -> pl.DataFrame:
    """Add method, inputs and code version, and bring the rows into their contract."""
    told = frame.with_columns(
        pl.lit(method).alias("method"),
        pl.lit(json.dumps(dict(sorted(context.inputs.items())))).alias("inputs"),
        pl.lit(assayhouse.__version__).alias("code_version"),
    )
    return context.spec.conform(told).sort(context.spec.key)
