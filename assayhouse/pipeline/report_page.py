"""The report of one publication as files: page, figures as drawn, twins, tables, results."""

from functools import cache

import polars as pl

import assayhouse
from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline.effects import describe, effect_spec
from assayhouse.pipeline.figures import registered
from assayhouse.pipeline.instrument_pictures import pictures_of
from assayhouse.pipeline.printed import printed
from assayhouse.report.page import ReportContext, render_report
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake, Publication

_VERDICTS = "layout, basis, verdict, reason, suspicion, instrument_file"
_INTAKE = ("receipts", "states", "line_accounts", "quarantine", "deltas")


def _hashes(publication: Publication) -> pl.DataFrame:
    rows = [
        {"relation": item.relation, "content_hash": item.content_hash}
        for item in publication.relations
    ]
    schema = {"relation": pl.String, "content_hash": pl.String}
    return pl.DataFrame(rows, schema=schema).sort("relation")


def _first(results: pl.DataFrame, column: str) -> str:
    return str(results[column][0]) if results.height else ""


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

        @cache
        def table(name: str) -> pl.DataFrame:
            frame: pl.DataFrame = connection.sql(f"select * from {name}").pl()  # noqa: S608 - declared
            return frame

        def declared(name: str) -> pl.DataFrame | None:
            return table(name) if name in declarations.tables else None

        def verdicts() -> pl.DataFrame | None:
            """Count recomputed values; a large study has millions, which are not needed here."""
            if "recon.recomputed" not in declarations.tables:
                return None
            query = f"select {_VERDICTS}, count(*) as n_values from recon.recomputed group by all"  # noqa: S608 - ours
            frame: pl.DataFrame = connection.sql(query).pl()
            return frame

        def mapped(shape: str) -> pl.DataFrame:
            return table(f"mapped.{shape}")

        drawn = registered(home, declarations.side("report.figures"), study, table)
        tables = printed(study.printed_tables, table)
        results = table("ard.effects")
        context = ReportContext(
            study_id=study.study_id,
            study_title=study.title,
            synthetic=study.synthetic,
            watermark=None,
            publication=str(publication.number),
            content_hashes=_hashes(publication),
            figures=tuple(figure for figure, _ in drawn),
            effects=results,
            arms=table("ref.arms"),
            parameters=table("ref.parameters"),
            visits=table("ref.visit_windows"),
            method_text=describe(effect_spec(study)),
            spec_hash=_first(results, "spec_hash"),
            code_version=assayhouse.__version__,
            inputs=_first(results, "inputs"),
            printed=tables,
            cut_points=declared("ard.cut_points"),
            validation=declared("ard.cut_point_validation"),
            module_cutoffs=declared("ard.module_cutoffs"),
            cut_off_rules=declared("ref.cut_off_rules"),
            findings=declared("intake.findings"),
            specimens=declared("recon.status"),
            recomputed=verdicts(),
            plate_quality=declared("recon.plate_quality"),
            instrument_pictures=pictures_of(home, declarations, mapped),
            **{name: table(f"intake.{name}") for name in _INTAKE},
        )
    files = {"index.html": render_report(context), "effects.csv": results.write_csv().encode()}
    files |= {f"{item.table_id}.csv": item.rows.write_csv().encode() for item in tables}
    for figure, twin in drawn:
        files |= {
            f"{figure.figure_id}.svg": figure.svg,
            f"{figure.figure_id}.png": figure.png,
            f"{figure.figure_id}.pdf": figure.pdf,
            f"{figure.figure_id}.csv": twin,
        }
    return files
