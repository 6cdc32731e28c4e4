"""Population fits on the assets' pages: status and counts always, pictures after unblinding."""

import base64

import dagster as dg

from assayhouse.warehouse.lake import Lake
from dagster_project.metadata import Metadata

FITS, PREDICTIONS, CHECK = (
    "ard.population_fits",
    "ard.population_predictions",
    "ard.predictive_check",
)
DIAGNOSTICS = (PREDICTIONS, CHECK)
"""Relations whose pages show a picture once the study is unblinded."""
_OF_FITS = ("run", "status", "codes", "reasons", "n_subjects", "n_obs", "n_blq", "n_excluded")


def population_metadata(lake: Lake, relation: str) -> Metadata:
    """Give what a relation of the population model says on its page; nothing for others.

    Status, codes of reasons and counts are shown on either side. Reasons in words and pictures
    of the diagnostics wait for the unblinding where the relation is sealed.
    """
    if relation not in {FITS, PREDICTIONS, CHECK}:
        return {}
    from assayhouse.pipeline.publication import serves_sealed  # noqa: PLC0415 - slow

    side = lake.declarations.side(relation)
    is_shown = side != "sealed" or serves_sealed(lake.home, lake.declarations)
    if relation == FITS:
        return _fits(lake, is_shown=is_shown)
    if not is_shown:
        note = "Drawn after unblinding; the fit's status and counts are on its own page."
        return {"diagnostic": dg.MetadataValue.text(note)}
    return _picture(lake, relation)


def _fits(lake: Lake, *, is_shown: bool) -> Metadata:
    rows = lake.scan(FITS).sort("row_order").select(_OF_FITS).collect()
    found: Metadata = {}
    for row in rows.iter_rows(named=True):
        name = str(row["run"]).replace(" ", "_")
        counts = {key: row[key] for key in ("n_subjects", "n_obs", "n_blq", "n_excluded")}
        found[f"{name}_status"] = f"{row['status']} {row['codes']}".strip()
        found[f"{name}_counts"] = dg.MetadataValue.json(counts)
        if is_shown and row["reasons"]:
            found[f"{name}_reasons"] = str(row["reasons"])
    return found


def _picture(lake: Lake, relation: str) -> Metadata:
    from assayhouse.report.goodness import goodness_sketch  # noqa: PLC0415 - slow
    from assayhouse.report.heading import Heading  # noqa: PLC0415 - with what it goes with
    from assayhouse.report.predictive_check import check_sketch  # noqa: PLC0415 - slow

    frame = lake.scan(relation).collect()
    if frame.is_empty():
        return {"diagnostic": dg.MetadataValue.text("No fit to show; see the fit's own page.")}
    title, draw = {
        PREDICTIONS: ("Goodness of fit", goodness_sketch),
        CHECK: ("Predictive check", check_sketch),
    }[relation]
    synthetic = lake.declarations.study.synthetic
    svg = draw(frame, Heading(figure_id=relation, title=title, synthetic=synthetic))
    encoded = base64.b64encode(svg).decode()
    return {"diagnostic": dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{encoded})")}
