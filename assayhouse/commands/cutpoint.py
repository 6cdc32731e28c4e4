"""A predictive cut point of anybody's table, without a home: threshold, worth, pictures, words."""

import argparse
import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import yaml

from assayhouse.commands.cutpoint_tables import result_of, tables_of
from assayhouse.commands.output import Tell, print_table, progress, say
from assayhouse.commands.own_table import flags, numbers, read_text, typed
from assayhouse.commands.session import Session
from assayhouse.errors import DeclarationError, ModelDataError
from assayhouse.report.words import p_text

if TYPE_CHECKING:
    from assayhouse.analysis.cut_point_spec import CutPointSpec
    from assayhouse.analysis.own_cut_points import MarkerSearch
    from assayhouse.report.figure import DrawnFigure

GIVEN = ("marker", "arm", "response", "control", "active", "event", "strata", "adjust", "endpoint",
         "test", "candidates", "direction", "min_cell", "min_share", "n_boot", "resample",
         "preset", "n_null", "null", "n_outer", "alpha", "seed")  # fmt: skip
_TOLD = "One row per subject, with a header line that names marker, arm and response."


def cutpoint(_session: Session, args: argparse.Namespace) -> int:
    """Search, and write result.json, tables as CSV, pictures and the verdict.

    Returns
    -------
    int
        1 when a marker has no cut at all; else 0, also where there is no evidence of one.
    """
    from assayhouse.analysis.cut_point_spec import CutPointSpec  # noqa: PLC0415 - slow
    from assayhouse.analysis.own_cut_points import search_table  # noqa: PLC0415 - slow

    typed_in = {name: getattr(args, name) for name in GIVEN if getattr(args, name) is not None}
    spec = CutPointSpec.from_dict({**_file(args.spec), **typed_in})
    path, out = Path(args.input), Path(args.out)
    table, left_out = _table(path, spec)
    with progress() as tell:
        searches = search_table(table, spec, tell)
        drawn = _draw(searches, tell) if args.pictures else []
    about = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rows": table.height + left_out,
        "rows_of_other_arms": left_out,
    }
    tables = tables_of(searches)
    _write(out, result_of(searches, about=about, spec=spec.to_dict()), tables, drawn)
    print_table(_shown(tables["markers"]), title=path.name)
    for search in searches:
        say(f"{search.found.marker}: {search.words}")
    say(f"{table.height} rows, {len(searches)} markers, {len(drawn)} pictures, in {out}")
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


def _file(name: str | None) -> Mapping[str, object]:
    if name is None:
        return {}
    try:
        loaded = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        message = f"{name}: not readable as YAML. Nothing was written. Name another --spec."
        raise DeclarationError(message) from error
    if not isinstance(loaded, dict):
        message = f"{name}: a mapping of options is expected. Nothing was written."
        raise DeclarationError(message)
    return cast("Mapping[str, object]", loaded)


def _table(path: Path, spec: "CutPointSpec") -> tuple[pl.DataFrame, int]:
    """Read the columns of the search, typed, and count the rows of arms that are not searched."""
    frame = read_text(path, told=_TOLD)
    _require_columns(path, frame, spec.columns)
    chosen = frame.select(spec.columns).with_columns(pl.all().cast(pl.String))
    lines = pl.Series(range(2, frame.height + 2), dtype=pl.Int64)
    if spec.control:
        chosen, lines = _of_two_arms(path, chosen, lines, spec)
    binary = {spec.arm: "0 or 1; name the arms with --control and --active", spec.event: "0 or 1"}
    if spec.endpoint == "binary":
        binary[spec.response] = "0 or 1"
    for name in (name for name in spec.columns if name not in spec.strata):
        told = flags(name).cast(pl.Float64) if name in binary else numbers(name)
        chosen = typed(path, chosen, name, told, wanted=binary.get(name, "a number"), lines=lines)
    _require_both(path, chosen, spec)
    return chosen, frame.height - chosen.height


def _require_columns(path: Path, frame: pl.DataFrame, wanted: Sequence[str]) -> None:
    for name in (name for name in wanted if name not in frame.columns):
        near = difflib.get_close_matches(name, frame.columns, n=1)
        hint = f"Is it {near[0]}?" if near else f"The header names {frame.width} others."
        message = f"{path}: no column {name}. {hint} Nothing was written."
        raise ModelDataError(message)


def _of_two_arms(
    path: Path, frame: pl.DataFrame, lines: pl.Series, spec: "CutPointSpec"
) -> tuple[pl.DataFrame, pl.Series]:
    """Keep the rows of the two arms, as 0 and 1, with their lines."""
    found = frame.with_columns(pl.col(spec.arm).str.strip_chars())
    labels = {spec.control: "0", spec.active: "1"}
    for label in labels:
        if not (found[spec.arm] == label).any():
            message = f"{path}: no row of column {spec.arm} is {label}. Nothing was written."
            raise ModelDataError(message)
    searched = found[spec.arm].is_in(list(labels)).fill_null(value=False)
    found = found.filter(searched)
    return found.with_columns(pl.col(spec.arm).replace_strict(labels)), lines.filter(searched)


def _require_both(path: Path, frame: pl.DataFrame, spec: "CutPointSpec") -> None:
    for value, arm in ((0, "control"), (1, "active")):
        if not (frame[spec.arm] == value).any():
            message = (
                f"{path}: no row of the {arm} arm: column {spec.arm} holds no {value}. Nothing "
                "was written."
            )
            raise ModelDataError(message)


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
    for figure in drawn:
        for suffix, content in (("svg", figure.svg), ("png", figure.png), ("pdf", figure.pdf)):
            (out / f"{figure.figure_id}.{suffix}").write_bytes(content)
    words = [f"{found['marker']}: {found['verdict']}" for found in result["markers"]]
    (out / "verdict.txt").write_text("\n\n".join(words) + "\n", encoding="utf-8")
