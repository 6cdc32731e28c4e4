"""The report of a publication: one self-contained page of figures, tables, quality, provenance.

Shows no value of a subject and no raw text of a file; takes results as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from assayhouse.report.cut_point_section import cut_point_section
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.footnotes import multiplicity_note
from assayhouse.report.frames import require_columns
from assayhouse.report.html import Column, Content, Markup, document, facts, join, table, tag
from assayhouse.report.inline import inline_svg
from assayhouse.report.instrument_section import QcPicture, instrument_section
from assayhouse.report.printed import PrintedTable
from assayhouse.report.quality import quality_section
from assayhouse.report.reconciliation import quality_extras
from assayhouse.report.tables import index_results, result_table
from assayhouse.report.theme import ArmStyle, arm_styles
from assayhouse.report.words import STAR_WORDS, slug


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContext:
    """Everything the report of one publication says.

    Parameters
    ----------
    study_id, study_title : str
        Identity of the study.
    synthetic : bool
        Whether the data are simulated; the page then says so at its head.
    watermark : str or None
        As on the figures, for example for scrambled arms; repeated at the head.
    publication : str
        Number of the publication.
    content_hashes : polars.DataFrame
        relation, content_hash: what the publication holds.
    figures : tuple of DrawnFigure
        In reading order.
    effects, arms, parameters, visits : polars.DataFrame
        ``ard.effects``, ``ref.arms``, ``ref.parameters``, ``ref.visit_windows``.
    receipts, states, line_accounts, quarantine, deltas : polars.DataFrame
        The ``intake`` relations of these names.
    method_text : str
        The statistical method, in words.
    spec_hash, code_version, inputs : str
        Identity of the analysis specification, of the code and of the relations it read.
    printed : tuple of PrintedTable
        In reading order.
    cut_points, validation, module_cutoffs, cut_off_rules : polars.DataFrame or None
        ``ard.cut_points``, ``ard.cut_point_validation``, ``ard.module_cutoffs``,
        ``ref.cut_off_rules``, where declared.
    findings, specimens, recomputed : polars.DataFrame or None
        ``intake.findings``, ``recon.status``, counts of ``recon.recomputed`` (n_values by layout,
        basis, verdict, reason, suspicion and instrument_file), where declared.
    plate_quality : polars.DataFrame or None
        ``recon.plate_quality``, where declared.
    instrument_pictures : tuple of QcPicture
        Pictures of the instrument files that came last.
    """

    study_id: str
    study_title: str
    synthetic: bool
    watermark: str | None
    publication: str
    content_hashes: pl.DataFrame
    figures: tuple[DrawnFigure, ...]
    effects: pl.DataFrame
    arms: pl.DataFrame
    parameters: pl.DataFrame
    visits: pl.DataFrame
    receipts: pl.DataFrame
    states: pl.DataFrame
    line_accounts: pl.DataFrame
    quarantine: pl.DataFrame
    deltas: pl.DataFrame
    method_text: str
    spec_hash: str
    code_version: str
    inputs: str
    printed: tuple[PrintedTable, ...] = ()
    cut_points: pl.DataFrame | None = None
    validation: pl.DataFrame | None = None
    module_cutoffs: pl.DataFrame | None = None
    cut_off_rules: pl.DataFrame | None = None
    findings: pl.DataFrame | None = None
    specimens: pl.DataFrame | None = None
    recomputed: pl.DataFrame | None = None
    plate_quality: pl.DataFrame | None = None
    instrument_pictures: tuple[QcPicture, ...] = ()


def render_report(context: ReportContext) -> bytes:
    """Write the page of a publication. Equal contexts give equal bytes.

    Parameters
    ----------
    context : ReportContext
        What the page says.

    Returns
    -------
    bytes
        UTF-8 HTML that needs no other file.

    Raises
    ------
    ReportInputError
        A frame lacks a column the page shows.
    """
    require_columns(context.content_hashes, ("relation", "content_hash"), name="content_hashes")
    styles = arm_styles(context.arms)
    codes = _tabulated(context)
    names = dict(context.parameters.select("PARAMCD", "PARAM").iter_rows())
    cuts = cut_point_section(
        context.cut_points, context.validation, context.module_cutoffs, context.cut_off_rules
    )
    instruments = instrument_section(
        context.recomputed, context.plate_quality, context.instrument_pictures
    )
    further = [("cut-points", "Cut points")] if cuts is not None else []
    further += [("instruments", "Instrument files")] if instruments is not None else []
    return document(
        title=f"{context.study_id}: publication {context.publication}",
        body=(
            _banner(context),
            _contents(context, {code: str(names[code]) for code in codes}, further=further),
            *map(_figure, context.figures),
            *map(_printed, context.printed),
            cuts,
            *_results(context, codes, styles),
            instruments,
            quality_section(
                receipts=context.receipts,
                states=context.states,
                line_accounts=context.line_accounts,
                quarantine=context.quarantine,
                deltas=context.deltas,
                extras=quality_extras(context.findings, context.specimens, context.recomputed),
            ),
            _provenance(context),
        ),
    )


def _tabulated(context: ReportContext) -> list[str]:
    courses = [
        figure
        for figure in context.figures
        if "visit" in figure.twin.columns and "subgroup" not in figure.twin.columns
    ]
    drawn = [code for figure in courses for code in figure.twin["panel"].to_list()]
    return list(dict.fromkeys(drawn))


def _banner(context: ReportContext) -> Markup:
    badges: list[Content] = []
    if context.synthetic:
        badges.append(tag("span", "SYNTHETIC DATA", attributes={"class": "badge"}))
    if context.watermark:
        badges.append(tag("span", context.watermark, attributes={"class": "badge"}))
    return tag(
        "header",
        join(badges, ""),
        tag("h1", f"{context.study_id}: {context.study_title}"),
        facts(
            (
                ("Publication", context.publication),
                ("Analysis specification", tag("code", context.spec_hash)),
                ("Code", tag("code", context.code_version)),
                ("Figures", len(context.figures)),
                ("Deliveries", context.receipts.height),
            )
        ),
    )


def _contents(
    context: ReportContext, names: dict[str, str], *, further: list[tuple[str, str]]
) -> Markup:
    figures = [(f"figure-{slug(figure.figure_id)}", figure.title) for figure in context.figures]
    printed = [(f"printed-{slug(item.table_id)}", item.title) for item in context.printed]
    others = [*further, ("quality", "Data quality"), ("provenance", "Method and provenance")]
    groups = (
        ("Figures", figures),
        ("Tables", printed),
        ("Results by parameter", [(f"table-{slug(code)}", name) for code, name in names.items()]),
        ("Further", others),
    )
    return tag(
        "nav",
        *(join((tag("b", name), _links(entries))) for name, entries in groups if entries),
        attributes={"aria-label": "Contents"},
    )


def _links(entries: list[tuple[str, str]]) -> Markup:
    links = (tag("li", tag("a", name, attributes={"href": f"#{key}"})) for key, name in entries)
    return tag("ul", join(links))


def _printed(item: PrintedTable) -> Markup:
    return tag(
        "section",
        tag("h2", item.title),
        item.markup,
        tag(
            "p",
            f"Table {item.table_id}; its unrounded numbers: {item.table_id}.csv.",
            attributes={"class": "muted"},
        ),
        attributes={"id": f"printed-{slug(item.table_id)}"},
    )


def _figure(figure: DrawnFigure) -> Markup:
    detail = "Point at a marker, or move to it with the tab key, for its numbers and the query "
    detail += "that leads to its rows. A click holds them for copying."
    return tag(
        "section",
        tag("h2", figure.title),
        tag(
            "figure",
            tag("div", inline_svg(figure), attributes={"class": "plate"}),
            *(
                [tag("div", detail, attributes={"class": "detail", "aria-live": "polite"})]
                if figure.tooltips
                else []
            ),
            tag("figcaption", f"Figure {figure.figure_id}. {_values(figure)}"),
        ),
        attributes={"id": f"figure-{slug(figure.figure_id)}"},
    )


def _values(figure: DrawnFigure) -> str:
    drawn = figure.twin["estimate"].drop_nulls().len()
    gaps = figure.twin.filter(pl.col("estimate").is_null() & (pl.col("status") != "ok")).height
    return f"{drawn} drawn points, {gaps} gaps; its numeric twin holds them all."


def _results(
    context: ReportContext, codes: list[str], styles: tuple[ArmStyle, ...]
) -> Iterator[Markup]:
    results = index_results(context.effects, styles)
    visits = {int(number): str(name) for number, name in _visit_names(context.visits)}
    reference = next(style.label for style in styles if style.is_reference)
    yield tag("h2", "Results by parameter")
    yield tag(
        "p",
        f"Adjusted means of the change from baseline with standard error (SE), and differences "
        f"from {reference}.",
        attributes={"class": "muted"},
    )
    yield tag(
        "p",
        f"{STAR_WORDS}. {multiplicity_note(context.effects, styles)}",
        attributes={"class": "muted"},
    )
    rows = {row["PARAMCD"]: row for row in context.parameters.iter_rows(named=True)}
    for code in codes:
        yield tag(
            "section",
            tag("h3", str(rows[code]["PARAM"])),
            result_table(results, parameter=rows[code], visits=visits, styles=styles),
            attributes={"id": f"table-{slug(code)}"},
        )


def _visit_names(visits: pl.DataFrame) -> Iterator[tuple[int, str]]:
    yield from visits.select("AVISITN", "AVISIT").unique().sort("AVISITN").iter_rows()


def _provenance(context: ReportContext) -> Markup:
    hashes = context.content_hashes.sort("relation").select("relation", "content_hash")
    return tag(
        "section",
        tag("h2", "Method and provenance"),
        *(tag("p", paragraph) for paragraph in context.method_text.split("\n\n")),
        facts(
            (
                ("Specification hash", tag("code", context.spec_hash)),
                ("Code version", tag("code", context.code_version)),
                ("Inputs", tag("code", context.inputs)),
            )
        ),
        table(
            (Column(title="Relation"), Column(title="Content hash (SHA-256)")),
            ([relation, tag("code", digest)] for relation, digest in hashes.iter_rows()),
            caption=f"Relations of publication {context.publication}",
        ),
        attributes={"id": "provenance"},
    )
