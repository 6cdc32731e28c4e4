"""Baseline distributions of the parameters that have a cut-off, with the cut-off as a line.

Counts subjects in bins; estimates no density.
"""

from collections.abc import Mapping

import polars as pl

from assayhouse.report.bins import Bin, count_in_bins, outline
from assayhouse.report.canvas import canvas
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.frames import require_columns, require_unique
from assayhouse.report.heading import Heading
from assayhouse.report.histogram import ABOVE, draw_bars
from assayhouse.report.sheet import Sheet
from assayhouse.report.sketch import SketchPanel, Stroke, sketch
from assayhouse.report.theme import INK
from assayhouse.report.words import number

CUT = "cut_off"
TWIN = {
    "figure_id": pl.String, "panel": pl.String, "parameter": pl.String, "scale": pl.String,
    "series": pl.String, "x": pl.Float64, "bin_low": pl.Float64, "bin_high": pl.Float64,
    "estimate": pl.Float64, "n": pl.Int64, "n_missing": pl.Int64, "label": pl.String,
    "status": pl.String,
}  # fmt: skip


def distributions_twin(
    flags: pl.DataFrame, cut_offs: pl.DataFrame, *, figure_id: str
) -> pl.DataFrame:
    """Count subjects in bins of the baseline value, by cut-off.

    A value on another scale than the cut-off's counts as missing, as it has no level.

    Parameters
    ----------
    flags, cut_offs : polars.DataFrame
        ``adam.subset_flags``, ``ref.cut_offs``.
    figure_id : str
        Name of the figure.

    Returns
    -------
    polars.DataFrame
        One row per bin, and one of series ``cut_off`` per panel for the line.
    """
    require_columns(flags, ("USUBJID", "cut_off", "BASE", "level"), name="adam.subset_flags")
    require_columns(cut_offs, ("cut_off", "label", "scale", "cut_off_value"), name="ref.cut_offs")
    require_unique(cut_offs, ("cut_off",), name="ref.cut_offs")
    rows: list[dict[str, object]] = []
    for cut in cut_offs.iter_rows(named=True):
        own = flags.filter(pl.col("cut_off") == cut["cut_off"])
        values = own.filter(pl.col("level").is_not_null())["BASE"].sort().to_list()
        rows += _panel(cut, values, n_missing=own.height - len(values))
    frame = pl.DataFrame(rows, schema={k: v for k, v in TWIN.items() if k != "figure_id"})
    return frame.select(pl.lit(figure_id).alias("figure_id"), pl.all())


def _panel(
    cut: Mapping[str, object], values: list[float], *, n_missing: int
) -> list[dict[str, object]]:
    value = float(str(cut["cut_off_value"]))
    low = sum(one <= value for one in values)
    common = {
        "panel": cut["cut_off"], "parameter": cut["label"], "scale": cut["scale"],
        "n": len(values), "n_missing": n_missing, "status": "ok" if values else "no_values",
    }  # fmt: skip
    label = f"{number(value, 2)}\nlow {low}, high {len(values) - low}"
    bins = [
        {
            **common, "series": "low" if one.middle <= value else "high", "x": one.middle,
            "bin_low": one.low, "bin_high": one.high, "estimate": float(one.count), "label": None,
        }
        for one in count_in_bins(values, anchor=value)
    ]  # fmt: skip
    line = {**common, "series": CUT, "x": value, "bin_low": None, "bin_high": None,
            "estimate": None, "label": label}  # fmt: skip
    return [*bins, line]


def _bins(rows: pl.DataFrame) -> list[Bin]:
    return [
        Bin(low=row["bin_low"], high=row["bin_high"], count=int(row["estimate"]))
        for row in rows.filter(pl.col("series") != CUT).iter_rows(named=True)
    ]


def plot_distributions(
    flags: pl.DataFrame,
    cut_offs: pl.DataFrame,
    *,
    heading: Heading,
) -> DrawnFigure:
    """Draw the baseline distribution behind every cut-off.

    Parameters
    ----------
    flags, cut_offs : polars.DataFrame
        ``adam.subset_flags``, ``ref.cut_offs``.
    heading : Heading
        Name and marks.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.

    Raises
    ------
    ReportInputError
        A frame lacks a column, or a cut-off repeats.
    """
    twin = distributions_twin(flags, cut_offs, figure_id=heading.figure_id)
    panels = [own for _, own in twin.group_by("panel", maintain_order=True)]
    columns = len(panels) if len(panels) <= 2 else 3
    sheet = Sheet(
        columns=columns, rows=-(-len(panels) // columns), panel_width=2.75, panel_height=1.9,
        top=0.95,
    )  # fmt: skip
    with canvas(heading, sheet) as page:
        for index, own in enumerate(panels):
            axes = page.panel(index)
            line = own.filter(pl.col("series") == CUT).row(0, named=True)
            draw_bars(
                axes, _bins(own), cut=line["x"], title=f"{line['parameter']} (n = {line['n']})",
                across=f"Baseline value ({line['scale']})", up="Subjects",
                cut_label=line["label"],
            )  # fmt: skip
        return page.finish(
            twin,
            notes=_notes(twin),
            thumbnail_svg=sketch(
                [_small(own) for own in panels],
                heading,
            ),
        )


def _small(rows: pl.DataFrame) -> SketchPanel:
    bins = _bins(rows)
    line = rows.filter(pl.col("series") == CUT).row(0, named=True)
    top = max((float(one.count) for one in bins), default=1.0)
    cut = Stroke(colour=INK, points=((line["x"], 0.0), (line["x"], top)), width=1.0)
    bars = [Stroke(colour=ABOVE, points=outline(bins))] if bins else []
    return SketchPanel(name=line["parameter"], strokes=(*bars, cut))


def _notes(twin: pl.DataFrame) -> tuple[str, ...]:
    lines = twin.filter(pl.col("series") == CUT)
    missing = sorted({(row["n_missing"], row["parameter"]) for row in lines.iter_rows(named=True)})
    absent = [f"{name} {count}" for count, name in missing if count]
    told = (
        "Bars: treated subjects, all arms, by baseline value; dashed line: the cut-off set before "
        "the trial. Low is at or below it, high (darker) is above it; a bar ends at the line."
    )
    if not absent:
        return (told,)
    return (told, f"Subjects without a value on the cut-off's scale: {', '.join(absent)}.")
