"""Relations report.*: the declared figures drawn from results, as values and as files.

A figure is drawn when something it shows has changed. Its files are stored under their own
SHA-256; the report of a publication shows the files that are registered.
"""

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from assayhouse.contracts.study import Figure, Study
from assayhouse.errors import WarehouseError
from assayhouse.pipeline import cut_figures, pk_figures
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.drawings import THUMBNAIL, Drawings, key_of
from assayhouse.report import forest_rows
from assayhouse.report.distributions import distributions_twin, plot_distributions
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.forest import plot_forest
from assayhouse.report.frames import column_or_null
from assayhouse.report.heading import Heading
from assayhouse.report.inline import tooltips
from assayhouse.report.subgroup_medians import (
    plot_subgroup_medians,
    subgroup_tooltips,
    subgroup_twin,
)
from assayhouse.report.theme import arm_styles
from assayhouse.report.time_course import plot_time_course
from assayhouse.report.twin import time_course_twin
from assayhouse.warehouse.content import content_hash
from assayhouse.warehouse.home import Home

Tables = Callable[[str], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Kind:
    """How figures of one kind are made.

    Parameters
    ----------
    reads : tuple of str
        Relations it is drawn from; without rows of the first there is nothing to draw.
    twin : callable
        The figure's numbers, without drawing it.
    tooltips : callable
        What a point says, from the twin.
    draw : callable
        The figure.
    """

    reads: tuple[str, ...]
    twin: Callable[[Figure, Tables], pl.DataFrame]
    tooltips: Callable[[pl.DataFrame], dict[str, str]]
    draw: Callable[[Figure, Tables, Heading], DrawnFigure]


def _time_course_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    return time_course_twin(
        table("ard.effects"),
        styles=arm_styles(table("ref.arms")),
        parameters=table("ref.parameters"),
        visits=table("ref.visit_windows"),
        paramcds=figure.parameters,
        figure_id=figure.figure_id,
    )


def _time_course(figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    return plot_time_course(
        table("ard.effects"),
        arms=table("ref.arms"),
        parameters=table("ref.parameters"),
        visits=table("ref.visit_windows"),
        paramcds=figure.parameters,
        heading=heading,
    )


def _forest_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    return forest_rows.forest_twin(
        table("ard.subsets"),
        arms=table("ref.arms"),
        arm=str(figure.options["arm"]),
        visit=int(str(figure.options["visit"])),
        figure_id=figure.figure_id,
    )


def _forest(figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    return plot_forest(
        table("ard.subsets"),
        arms=table("ref.arms"),
        arm=str(figure.options["arm"]),
        visit=int(str(figure.options["visit"])),
        heading=heading,
    )


def _distributions_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    return distributions_twin(
        table("adam.subset_flags"), table("ref.cut_offs"), figure_id=figure.figure_id
    )


def _distributions(_figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    return plot_distributions(
        table("adam.subset_flags"),
        table("ref.cut_offs"),
        heading=heading,
    )


def _no_tooltips(twin: pl.DataFrame) -> dict[str, str]:
    del twin
    return {}


def _subgroup_medians_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    return subgroup_twin(
        table("ard.median_changes"),
        table("ard.effects"),
        cut_offs=table("ref.cut_offs"),
        styles=arm_styles(table("ref.arms")),
        parameters=table("ref.parameters"),
        visits=table("ref.visit_windows"),
        paramcds=figure.parameters,
        subgroup=str(figure.options["subgroup"]),
        figure_id=figure.figure_id,
    )


def _subgroup_medians(figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    return plot_subgroup_medians(
        table("ard.median_changes"),
        table("ard.effects"),
        cut_offs=table("ref.cut_offs"),
        arms=table("ref.arms"),
        parameters=table("ref.parameters"),
        visits=table("ref.visit_windows"),
        paramcds=figure.parameters,
        subgroup=str(figure.options["subgroup"]),
        heading=heading,
    )


_COURSE = ("ard.effects", "ref.arms", "ref.parameters", "ref.visit_windows")
_MEDIANS = ("ard.median_changes", "ref.cut_offs", *_COURSE)


KINDS = {
    "time_course": Kind(_COURSE, _time_course_twin, tooltips, _time_course),
    "distributions": Kind(
        ("adam.subset_flags", "ref.cut_offs"), _distributions_twin, _no_tooltips, _distributions
    ),
    "forest": Kind(("ard.subsets", "ref.arms"), _forest_twin, forest_rows.forest_tooltips, _forest),
    "cut_point": Kind(
        cut_figures.OF_CUTS, cut_figures.cuts_twin, _no_tooltips, cut_figures.draw_cuts
    ),
    "subgroup_medians": Kind(
        _MEDIANS, _subgroup_medians_twin, subgroup_tooltips, _subgroup_medians
    ),
    "response_bars": Kind(
        cut_figures.OF_BARS,
        cut_figures.bars_twin,
        cut_figures.BARS_TOOLTIPS,
        cut_figures.draw_bars,
    ),
    "response_curve": Kind(
        cut_figures.OF_CURVES,
        cut_figures.curve_twin,
        cut_figures.CURVE_TOOLTIPS,
        cut_figures.draw_curve,
    ),
    "exposure_boxes": Kind(
        pk_figures.OF_BOXES,
        pk_figures.exposure_twin,
        _no_tooltips,
        pk_figures.draw_exposure,
    ),
    "covariate_forest": Kind(
        pk_figures.OF_FOREST,
        pk_figures.forest_twin,
        pk_figures.TOOLTIPS,
        pk_figures.draw_forest,
    ),
    "goodness_of_fit": Kind(
        pk_figures.OF_PREDICTIONS,
        pk_figures.predictions_twin,
        _no_tooltips,
        pk_figures.draw_goodness,
    ),
    "predictive_check": Kind(
        pk_figures.OF_CHECK, pk_figures.check_twin, _no_tooltips, pk_figures.draw_check
    ),
}


def shown(study: Study, table: Tables) -> Iterator[tuple[Figure, Kind]]:
    """Give the declared figures that have results, with their kind."""
    for figure in study.figures:
        kind = KINDS[figure.kind]
        if not table(kind.reads[0]).is_empty():
            yield figure, kind


def figure_values(context: BuildContext) -> pl.DataFrame:
    """Return every drawn value of every figure."""
    study, schema = context.declarations.study, context.spec.polars_schema
    parts, table = [], functools.cache(context.table)
    for figure, kind in shown(study, table):
        twin = kind.twin(figure, table)
        twin = twin.with_columns(row_order=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        for name, dtype in schema.items():
            twin = column_or_null(twin, name, dtype)
        parts.append(twin.select(*schema))
    return pl.concat(parts) if parts else context.spec.empty()


def figures(context: BuildContext) -> pl.DataFrame:
    """Draw the figures into files and return their register."""
    study = context.declarations.study
    drawings = Drawings(context.home.figures(context.declarations.side(context.spec.relation)))
    rows, table = [], functools.cache(context.table)
    for figure, kind in shown(study, table):
        frames = {name: narrowed(figure, table(name)) for name in kind.reads}
        hashes = {
            name: content_hash(frame, context.declarations.tables[name])
            for name, frame in frames.items()
        }
        heading = Heading(
            figure_id=figure.figure_id,
            title=figure.title,
            synthetic=study.synthetic,
            watermark=context.watermark,
        )
        key = key_of(figure, heading, context.spec.code_version, frames=hashes)
        draw = functools.partial(kind.draw, figure, frames.__getitem__, heading)
        rows += drawings.rows(key, draw)
    return pl.DataFrame(rows, schema=context.spec.polars_schema)


def narrowed(figure: Figure, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows a figure can show: of the parameters that it declares, where it declares any.

    What the rows were made from is no part of a picture: equal numbers are not drawn again.
    """
    if "inputs" in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("inputs"))
    if "paramcd" not in frame.columns or not figure.parameters:
        return frame
    return frame.filter(pl.col("paramcd").is_in(figure.parameters))


def registered(
    home: Home, side: str, study: Study, table: Tables
) -> tuple[tuple[DrawnFigure, bytes], ...]:
    """Figures of a register as they were drawn, in declared order, each with its twin's CSV.

    Raises
    ------
    WarehouseError
        A registered file is gone or has other bytes than when it was drawn.
    """
    register = table("report.figures")
    found = []
    for figure, kind in shown(study, table):
        own = register.filter(pl.col("figure_id") == figure.figure_id)
        files = {
            name: _read(home, side, file_name, digest)
            for name, file_name, digest in own.select("format", "file_name", "sha256").iter_rows()
        }
        twin = kind.twin(figure, table)
        drawn = DrawnFigure(
            figure_id=figure.figure_id,
            title=figure.title,
            svg=files["svg"],
            png=files["png"],
            pdf=files["pdf"],
            twin=twin,
            tooltips=kind.tooltips(twin),
            thumbnail_svg=files[THUMBNAIL],
        )
        found.append((drawn, files["csv"]))
    return tuple(found)


def _read(home: Home, side: str, file_name: str, digest: str) -> bytes:
    path = home.figures(side) / file_name
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != digest:
        message = (
            f"The figure file {file_name} is gone or was changed. No report was written. "
            f"Build report.figures again."
        )
        raise WarehouseError(message)
    return content
