"""Relations of the cut-point search: bootstrap, cut points, validation, response curves."""

from collections.abc import Callable, Iterable

import polars as pl

from assayhouse.analysis.cut_point_looks import curves, validate_cut
from assayhouse.analysis.cut_points import (
    options_of,
    search_data,
    summarise_cuts,
)
from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.cut_point_chunks import (
    RELATION,
    chunks_of,
    declared_search,
    forget_others,
    subjects_of,
)
from assayhouse.pipeline.provenance import spec_hash, stamped, unstamped
from assayhouse.pipeline.relations import reading
from assayhouse.warehouse.home import Home

SEARCH = (
    "BATTing: in each bootstrap sample the cut with the largest arm x group interaction statistic "
    "of a logistic model; the median of the cuts is the threshold. ci: percentiles of the cuts. "
    "p_naive is the p at the chosen cut and no valid inference, nor are the differences there "
    "(Newcombe limits); p_adjusted repeats the whole search on data without an interaction"
)
VALIDATION = (
    "interaction test at the cut found before, dose against control, fixed sequence of doses; "
    "Newcombe intervals; the control subjects also made the cut"
)
CURVES = (
    "response rate of subjects above each threshold; Wilson pointwise limits and simultaneous "
    "bootstrap bands"
)
Tell = Callable[[str], None]


def _silent(_what: str) -> None:
    return


def _search_hash(context: BuildContext) -> str:
    search = declared_search(context.declarations)
    return spec_hash(
        {**options_of(search), "chunks": search.chunks, "markers": list(search.markers)}
    )


def run_chunks(
    home: Home, declarations: Declarations, keys: Iterable[str], *, tell: Tell = _silent
) -> tuple[str, ...]:
    """Make the named chunks that are not there yet; returns those that were made.

    May run in several processes at once: a chunk that two of them make is the same chunk.

    Raises
    ------
    DeclarationError
        The study declares no search.
    """
    known = declared_search(declarations).parts
    wanted = [known[key] for key in keys]
    made = []
    with reading(home, declarations, RELATION) as context:
        of_marker = {marker: chunks_of(context, marker) for marker in {m for m, _ in wanted}}
    for key, (marker, chunk) in zip(keys, wanted, strict=True):
        tell(key)
        if of_marker[marker].make(chunk):
            made.append(key)
    return tuple(made)


def cut_point_bootstrap(context: BuildContext) -> pl.DataFrame:
    """Collect the cuts of all bootstrap samples; chunks that are missing are made."""
    search = declared_search(context.declarations)
    parts = []
    for marker in search.markers:
        chunks = chunks_of(context, marker)
        if chunks.data.n == 0:
            continue
        parts.append(chunks.read())
        forget_others(chunks)
    if not parts:
        return context.spec.empty()
    told = pl.concat(parts).with_columns(pl.lit(_search_hash(context)).alias("spec_hash"))
    return context.spec.conform(told).sort(context.spec.key)


def cut_points(context: BuildContext) -> pl.DataFrame:
    """Sum up the bootstrap of every marker."""
    study = context.declarations.study
    search = declared_search(context.declarations)
    samples = context.table(RELATION)
    rows: list[dict[str, object]] = []
    for marker in search.markers:
        own = samples.filter(pl.col("marker") == marker)
        if own.is_empty():
            continue
        subjects = subjects_of(context, marker, arms=(search.active, search.control))
        found = summarise_cuts(own, search_data(subjects, search), search, seed=study.seed)
        identity = {"marker": marker, "endpoint": search.endpoint, "avisitn": search.visit}
        arms = {"active_arm": search.active, "control_arm": search.control}
        rows.append({**identity, **arms, "seed": study.seed, **found})
    return _result(context, rows, SEARCH)


def cut_point_validation(context: BuildContext) -> pl.DataFrame:
    """Look at every threshold in the doses that had no part in it."""
    search = declared_search(context.declarations)
    parts = []
    for row in context.table("ard.cut_points").iter_rows(named=True):
        if row["threshold"] is None or not search.validation:
            continue
        subjects = subjects_of(context, row["marker"], arms=(*search.validation, search.control))
        found = validate_cut(
            subjects, search, threshold=row["threshold"], direction=row["direction"]
        )
        parts.append(found.with_columns(pl.lit(row["marker"]).alias("marker")))
    rows = [row for part in parts for row in part.iter_rows(named=True)]
    return _result(context, rows, VALIDATION)


def response_curves(context: BuildContext) -> pl.DataFrame:
    """Draw up the response rate against the threshold, for every marker."""
    study = context.declarations.study
    search = declared_search(context.declarations)
    rows: list[dict[str, object]] = []
    for marker in search.markers:
        subjects = subjects_of(context, marker, arms=(search.active, search.control))
        data = search_data(subjects, search)
        if data.n == 0:
            continue
        identity = {"marker": marker, "endpoint": search.endpoint, "avisitn": search.visit}
        found = curves(data, search, seed=study.seed)
        rows += [{**identity, "seed": study.seed, **row} for row in found.iter_rows(named=True)]
    return _result(context, rows, CURVES)


def _result(context: BuildContext, rows: list[dict[str, object]], method: str) -> pl.DataFrame:
    if not rows:
        return context.spec.empty()
    schema = unstamped(context.spec, "spec_hash")
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
    if "spec_hash" in context.spec.columns:
        frame = frame.with_columns(pl.lit(_search_hash(context)).alias("spec_hash"))
    return stamped(frame, context, method=method)
