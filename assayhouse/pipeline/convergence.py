"""How well imputations and fits went, in a few numbers and a small picture, for an asset's page.

Counts say nothing of the results; numbers and pictures of a sealed relation are for after the
unblinding, which the caller decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.report.heading import Heading
from assayhouse.report.sketch import SketchPanel, Stroke, sketch
from assayhouse.report.theme import INK

_BINS = 20
_STATUS, _DRAWS, _POOLED = {"status", "reasons"}, {"draws", "no_draws"}, {"fmi", "mc_error", "se"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """What is told of a stage of the effects.

    Attributes
    ----------
    counts : mapping of str to int
        Rows by status, imputations, values drawn.
    numbers : mapping of str to float
        Ranges of the fraction of missing information and of the Monte-Carlo error.
    picture : bytes or None
        How these are distributed, as SVG.
    """

    counts: Mapping[str, int]
    numbers: Mapping[str, float] = field(default_factory=dict)
    picture: bytes | None = None


def tells_convergence(spec: TableSpec) -> bool:
    """Whether a relation is a stage of the effects."""
    columns = set(spec.columns)
    return columns >= _DRAWS or (columns >= _STATUS and bool({"fmi", "estimates"} & columns))


def convergence(frame: pl.DataFrame, *, synthetic: bool, counts_only: bool) -> Convergence:
    """Sum a stage of the effects up.

    Parameters
    ----------
    frame : DataFrame
        Rows of a relation that `tells_convergence`.
    synthetic : bool
        Whether the picture is marked as synthetic.
    counts_only : bool
        Leave numbers and picture out.
    """
    if set(frame.columns) >= _DRAWS:
        return Convergence(counts=_drawn(frame))
    counts = {f"rows_{name}": number for name, number in sorted(_statuses(frame).items())}
    counts["imputations"] = int(str(frame["m"].max() or 0))
    if "converged_share" in frame.columns:
        counts["rows_with_an_unsettled_fit"] = int((frame["converged_share"] < 1).sum())
    pooled = frame.filter(pl.col("fmi").is_not_null()) if set(frame.columns) >= _POOLED else None
    if counts_only or pooled is None or pooled.is_empty():
        return Convergence(counts=counts)
    error = 100 * (pooled["mc_error"] / pooled["se"])
    shares = {"fmi": pooled["fmi"], "mc_error_pct_of_se": error}
    numbers = {
        f"{name}_{what}": float(getattr(values, what)())
        for name, values in shares.items()
        for what in ("min", "median", "max")
    }
    title = "Fraction of missing information; Monte-Carlo error in % of the SE"
    panels = [SketchPanel(name=name, strokes=[_outline(item)]) for name, item in shares.items()]
    heading = Heading(figure_id="convergence", title=title, synthetic=synthetic)
    picture = sketch(panels, heading)
    return Convergence(counts=counts, numbers=numbers, picture=picture)


def _drawn(frame: pl.DataFrame) -> dict[str, int]:
    lengths = frame["draws"].list.len().drop_nulls()
    return {
        "imputations": int(str(lengths.max() or 0)),
        "values_drawn": len(lengths),
        "values_without_draws": len(frame) - len(lengths),
    }


def _statuses(frame: pl.DataFrame) -> dict[str, int]:
    return {str(name): int(count) for name, count in frame["status"].value_counts().rows()}


def _outline(values: pl.Series) -> Stroke:
    """Histogram as one line."""
    heights, edges = np.histogram(values.to_numpy(), bins=_BINS)
    x = np.repeat(edges, 2)
    y = np.concatenate([[0], np.repeat(heights, 2), [0]])
    return Stroke(colour=INK, points=[(float(a), float(b)) for a, b in zip(x, y, strict=True)])
