"""The report of one publication as files: page, figures in every format, numeric twins, results."""

from collections.abc import Callable

import polars as pl

import assayhouse
from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline.effects import describe, effect_spec
from assayhouse.pipeline.figures import draw
from assayhouse.report.page import ReportContext, render_report
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake, Publication

_INTAKE = ("receipts", "states", "line_accounts", "quarantine", "deltas")
Table = Callable[[str], pl.DataFrame]


def _hashes(publication: Publication) -> pl.DataFrame:
    rows = [
        {"relation": item.relation, "content_hash": item.content_hash}
        for item in publication.relations
    ]
    schema = {"relation": pl.String, "content_hash": pl.String}
    return pl.DataFrame(rows, schema=schema).sort("relation")


def report_page(
    home: Home, declarations: Declarations, publication: Publication
) -> dict[str, bytes]:
    """Render everything of one publication's report, by file name.

    Every number comes from the publication's pinned versions, none from a later one.
    """
    study = declarations.study
    lake = Lake(home, declarations)
    with lake.connect(
        visible=frozenset(publication.visible), publication=publication, sealed=True
    ) as connection:
        tables = {
            name: connection.sql(f"select * from {name}").pl()  # noqa: S608 - declared names
            for name in (
                "ard.effects",
                "ref.arms",
                "ref.parameters",
                "ref.visit_windows",
                *(f"intake.{name}" for name in _INTAKE),
            )
        }
    spec = effect_spec(study)
    results = tables["ard.effects"]
    drawn = tuple(
        draw(study, figure, tables.__getitem__) for figure in study.figures if results.height
    )
    context = ReportContext(
        study_id=study.study_id,
        study_title=study.title,
        synthetic=study.synthetic,
        watermark=None,
        publication=str(publication.number),
        content_hashes=_hashes(publication),
        figures=drawn,
        effects=results,
        arms=tables["ref.arms"],
        parameters=tables["ref.parameters"],
        visits=tables["ref.visit_windows"],
        method_text=describe(spec),
        spec_hash=results["spec_hash"].first() if results.height else "",
        code_version=assayhouse.__version__,
        inputs=results["inputs"].first() if results.height else "",
        **{name: tables[f"intake.{name}"] for name in _INTAKE},
    )
    files = {"index.html": render_report(context), "effects.csv": results.write_csv().encode()}
    for figure in drawn:
        files |= {
            f"{figure.figure_id}.svg": figure.svg,
            f"{figure.figure_id}.png": figure.png,
            f"{figure.figure_id}.pdf": figure.pdf,
            f"{figure.figure_id}.csv": figure.twin.write_csv().encode(),
        }
    return files
