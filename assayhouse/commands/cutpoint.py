"""A predictive cut point of anybody's table, without a home: threshold, worth, pictures, words."""

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from assayhouse.commands.cutpoint_input import read_input
from assayhouse.commands.cutpoint_tables import result_of, tables_of
from assayhouse.commands.output import Tell, print_table, progress, say
from assayhouse.commands.own_options import out_folder, read_options
from assayhouse.commands.own_table import told_by_line
from assayhouse.commands.session import Session
from assayhouse.report.words import p_text

if TYPE_CHECKING:
    from assayhouse.analysis.own_cut_points import MarkerSearch
    from assayhouse.report.figure import DrawnFigure

GIVEN = ("marker", "arm", "response", "control", "active", "event", "subject", "strata",
         "adjust", "endpoint", "test", "candidates", "direction", "min_cell", "min_share",
         "n_boot", "resample", "preset", "n_null", "null", "n_outer", "alpha", "seed")  # fmt: skip


def cutpoint(_session: Session, args: argparse.Namespace) -> int:
    """Search, and write result.json, tables as CSV, pictures and the verdict.

    Returns
    -------
    int
        1 when a marker has no cut at all; else 0, also where there is no evidence of one.
    """
    from assayhouse.analysis.cut_point_spec import CutPointSpec  # noqa: PLC0415 - slow
    from assayhouse.analysis.own_cut_points import search_table  # noqa: PLC0415 - slow

    out = out_folder(args.out)
    typed_in = {name: getattr(args, name) for name in GIVEN if getattr(args, name) is not None}
    in_file = read_options(Path(args.spec)) if args.spec else {}
    spec = CutPointSpec.from_dict({**in_file, **typed_in})
    path = Path(args.input)
    given = read_input(path, spec)
    with told_by_line(given.table), progress() as tell:
        searches = search_table(given.table.frame, spec, tell)
        drawn = _draw(searches, tell) if args.pictures else []
    about = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        **given.counts(),
    }
    tables = tables_of(searches)
    _write(out, result_of(searches, about=about, spec=spec.to_dict()), tables, drawn)
    print_table(_shown(tables["markers"]), title=path.name, whole="all are in the files written")
    for search in searches:
        say(f"{search.found.marker}: {search.words}")
    for line in given.words():
        say(line)
    say(f"{len(searches)} markers, {len(drawn)} pictures, in {out}")
    return int(any(search.found.n_failed == search.found.n_boot for search in searches))


def _shown(markers: pl.DataFrame) -> pl.DataFrame:
    """Return what fits a terminal; p values as words, so that none is broken over two lines."""
    low, high = (pl.col(name).round_sig_figs(4).cast(pl.String) for name in ("ci_low", "ci_high"))
    return markers.select(
        "marker",
        pl.col("threshold").round_sig_figs(4).alias("cut"),
        pl.col("direction").alias("group"),
        (low + " to " + high).alias("cuts from"),
        pl.col("p_adjusted").map_elements(p_text, pl.String).alias("p"),
        pl.col("p_naive").map_elements(p_text, pl.String).alias("p at cut"),
        pl.format("{} of {}", "n_failed", "n_boot").alias("no cut"),
    )


def _draw(searches: "Sequence[MarkerSearch]", tell: Tell) -> list["DrawnFigure"]:
    from assayhouse.commands.cutpoint_pictures import draw  # noqa: PLC0415 - slow

    drawn = []
    for place, search in enumerate(searches):
        tell(f"{search.found.marker}: pictures", place, len(searches))
        drawn += draw(search)
    return drawn


def _write(
    out: Path,
    result: Mapping[str, Any],
    tables: Mapping[str, pl.DataFrame],
    drawn: "Sequence[DrawnFigure]",
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False)
    (out / "result.json").write_text(text + "\n", encoding="utf-8")
    for name, table in tables.items():
        table.write_csv(out / f"{name}.csv")
    if "curve" not in tables:
        (out / "curve.csv").unlink(missing_ok=True)
    for figure in drawn:
        for name, content in figure.files().items():
            (out / name).write_bytes(content)
    words = [f"{found['marker']}: {found['verdict']}" for found in result["markers"]]
    (out / "verdict.txt").write_text("\n\n".join(words) + "\n", encoding="utf-8")
