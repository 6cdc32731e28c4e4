"""The whole analysis with dummy arms: same code, nothing sealed is read, everything is marked.

So that nothing runs for the first time after unblinding. Only the open side is opened; what stands
on the sealed side is built anew in memory from dummy arms and written to a folder of its own.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline.belonging import require_study
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.delivery import visible_receipts
from assayhouse.pipeline.relations import derived, made
from assayhouse.trust.blinding import WATERMARK, dummy_assignment
from assayhouse.warehouse import views
from assayhouse.warehouse.flat import without_lists
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

FOLDER = "dummy"
SHAPE = "assignment"
_NAMED = {"thumbnail": "thumbnail.svg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a dry run made.

    Attributes
    ----------
    folder : Path
        Figures, their numbers and the result tables, each marked as dummy.
    relations : dict of str to int
        Rows of every relation that was built from dummy arms.
    """

    folder: Path
    relations: dict[str, int]


def _show(connection: duckdb.DuckDBPyConnection, relation: str, frame: pl.DataFrame) -> None:
    """Make a frame the content of a relation in this connection."""
    name = relation.replace(".", "__") + "__dummy"
    connection.register(name, frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
    connection.execute(
        f"create or replace view {views.qualified(relation)} as select * from {views.named(name)}"  # noqa: S608 - declared
    )


def _treated(connection: duckdb.DuckDBPyConnection, strata: tuple[str, ...]) -> pl.DataFrame:
    listed = "".join(f", strata.{views.named(name)}" for name in strata)
    frame: pl.DataFrame = connection.sql(
        f"select dm.USUBJID{listed} from sdtm.dm as dm "  # noqa: S608 - declared names
        "left join mapped.strata as strata on dm.USUBJID = strata.USUBJID "
        "where dm.RFXSTDT is not null"
    ).pl()
    return frame.unique("USUBJID", maintain_order=True)


def _assign(connection: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    """Put dummy arms in the place of the sealed assignment."""
    study = declarations.study
    subjects = _treated(connection, study.strata)
    dummy = dummy_assignment(subjects, study.arms, seed=study.seed)
    columns = views.shapes(declarations)[SHAPE]
    rows = dummy.with_columns(
        pl.lit(None, dtype=pl.String).alias(name) for name in columns if name not in dummy.columns
    ).select(list(columns))
    _show(connection, f"mapped.{SHAPE}", rows)


def dry_run(home: Home, declarations: Declarations) -> DryRun:
    """Build every sealed relation from dummy arms and write what a report would show.

    The sealed side is neither read nor written. A second run replaces the first.

    Raises
    ------
    AssayhouseError
        A relation cannot be built: the same would happen after unblinding.
    """
    require_study(home, declarations)
    target = home.root / FOLDER
    draft = Home(home.draft("open")).create()
    lake, counts = Lake(home, declarations), dict[str, int]()
    kept: dict[str, pl.DataFrame] = {}
    with lake.connect(visible=visible_receipts(home), sealed=False) as connection:
        _assign(connection, declarations)
        for relation in derived(declarations):
            if declarations.side(relation) != "sealed":
                continue
            context = BuildContext(
                home=draft,
                declarations=declarations,
                spec=declarations.tables[relation],
                connection=connection,
                inputs={},
                watermark=WATERMARK,
            )
            frame = context.spec.conform(made(context))
            _show(connection, relation, frame)
            counts[relation] = frame.height
            kept[relation] = frame
    _write(draft, kept, declarations)
    shutil.rmtree(target, ignore_errors=True)
    (draft.root / "result").rename(target)
    shutil.rmtree(draft.root, ignore_errors=True)
    return DryRun(folder=target, relations=counts)


def _write(draft: Home, kept: dict[str, pl.DataFrame], declarations: Declarations) -> None:
    """Write results and figures into the draft's result folder."""
    result = draft.root / "result"
    result.mkdir()
    for relation, frame in kept.items():
        if relation.startswith("ard."):
            marked = frame.with_columns(pl.lit(WATERMARK).alias("treatment"))
            without_lists(marked).write_csv(result / f"{relation}.csv")
    figures = kept.get("report.figures")
    if figures is None:
        return
    folder = draft.figures(declarations.side("report.figures"))
    for row in figures.iter_rows(named=True):
        suffix = _NAMED.get(row["format"], row["format"])
        shutil.copyfile(folder / row["file_name"], result / f"{row['figure_id']}.{suffix}")
