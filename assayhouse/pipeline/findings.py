"""Relations of results (sdtm relations with a domain): reads the mapped rows, derives one shape."""

import polars as pl

from assayhouse.derive.findings import derive_findings
from assayhouse.pipeline.context import BuildContext


def findings(context: BuildContext) -> pl.DataFrame:
    """Build one relation of results from every layout that maps to it."""
    (shape,) = context.spec.mapped
    return derive_findings(
        context.mapped(shape),
        context.table("ref.parameters"),
        context.table("ref.units"),
        spec=context.spec,
    )
