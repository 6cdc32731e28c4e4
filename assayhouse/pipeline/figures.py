"""Relations report.*: the declared figures drawn from results, as values and as files.

A figure's file is stored under its own SHA-256, so that drawing it again changes nothing.
"""

import hashlib
from collections.abc import Callable, Iterator

import polars as pl

from assayhouse.contracts.study import Figure, Study
from assayhouse.pipeline.context import BuildContext
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.time_course import plot_time_course
from assayhouse.warehouse.home import atomic_write


def draw(study: Study, figure: Figure, table: Callable[[str], pl.DataFrame]) -> DrawnFigure:
    """Draw one declared figure; ``table`` gives each relation it reads."""
    return plot_time_course(
        table("ard.effects"),
        arms=table("ref.arms"),
        parameters=table("ref.parameters"),
        visits=table("ref.visit_windows"),
        paramcds=figure.parameters,
        title=figure.title,
        synthetic=study.synthetic,
        figure_id=figure.figure_id,
    )


def _drawn(context: BuildContext) -> Iterator[DrawnFigure]:
    if context.table("ard.effects").is_empty():
        return
    for figure in context.declarations.study.figures:
        yield draw(context.declarations.study, figure, context.table)


def figure_values(context: BuildContext) -> pl.DataFrame:
    """Return every drawn value of every figure."""
    twins = [drawn.twin for drawn in _drawn(context)]
    if not twins:
        return context.spec.empty()
    return context.spec.conform(pl.concat(twins))


def figures(context: BuildContext) -> pl.DataFrame:
    """Draw the figures into files and return their register."""
    folder = context.home.figures(context.declarations.side(context.spec.relation))
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for drawn in _drawn(context):
        twin = drawn.twin.write_csv().encode()
        formats = {"svg": drawn.svg, "png": drawn.png, "pdf": drawn.pdf, "csv": twin}
        formats["thumbnail"] = drawn.thumbnail_svg
        for name, content in formats.items():
            digest = hashlib.sha256(content).hexdigest()
            suffix = "svg" if name == "thumbnail" else name
            path = folder / f"{digest}.{suffix}"
            if not path.is_file():
                atomic_write(path, content)
            rows.append(
                {
                    "figure_id": drawn.figure_id,
                    "format": name,
                    "title": drawn.title,
                    "file_name": f"{digest}.{suffix}",
                    "sha256": digest,
                    "n_values": drawn.twin.height,
                }
            )
    return pl.DataFrame(rows, schema=context.spec.polars_schema)
