"""recon.recomputed of a large study: made in parts, put in key order on disk, written in parts.

A part holds whole plates and whole specimens. What needs more than a part (suspicions, specimens
without a reported value) is found from the few rows it takes, after all parts were judged.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from assayhouse.derive.suspicions import count_agreeing, name_suspicions, suspects
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.instrument_comparison import (
    MEASURED,
    read_instrument_parts,
    reported_tests,
)
from assayhouse.pipeline.recomputed import (
    CURVES,
    judged_unreported,
    judged_values,
    read_blood_counts,
    read_reported,
)
from assayhouse.warehouse import slices
from assayhouse.warehouse.session import asked

UNIT = "unit of recomputation"
_ROW = ("basis", "layout", "receipt", "source_line")
_PLATE, _SPECIMEN = "PLATE::varchar", "REFID::varchar"  # what no layout maps has no type
_UNITS = {
    "recomputation": f"if(method = '{CURVES}', coalesce({_PLATE}, {_SPECIMEN}), {_SPECIMEN})",
    "wells": _PLATE,
    "curves": _PLATE,
}


@dataclass(slots=True)
class _Found:
    """What is kept of the parts that were judged."""

    folder: Path
    suspects: list[pl.DataFrame] = field(default_factory=list)
    agreeing: dict[object, int] = field(default_factory=dict)
    files: int = 0

    def keep(self, judged: pl.DataFrame, columns: list[str]) -> None:
        """Put judged rows on disk, and keep what names are found from."""
        self.files += 1
        judged.select(columns).write_parquet(
            self.folder / f"judged-{self.files:05d}.parquet", compression="lz4"
        )
        self.suspects.append(suspects(judged))
        for receipt, count in count_agreeing(judged).items():
            self.agreeing[receipt] = self.agreeing.get(receipt, 0) + count


def recomputed_in_parts(context: BuildContext, *, rows: int) -> Iterator[pl.DataFrame]:
    """Make the relation as `recomputed` does, in key order, in the memory of a part.

    Parameters
    ----------
    context : BuildContext
        Its connection is good for nothing else afterwards.
    rows : int
        Rows of the sources, and of the relation, in a part.

    Yields
    ------
    DataFrame
        Rows of the relation, each frame after the one before in key order.
    """
    side = context.declarations.side(context.spec.relation)
    folder = context.home.draft(side)
    try:
        found = _Found(folder=folder)
        _judge(context, found, scratch=context.home.scratch_name(side), rows=rows)
        if not found.files:
            return
        _name(found)
        with asked(context.spec.relation):
            reader = context.connection.sql(_ordered(context, folder)).to_arrow_reader(rows)
            for batch in reader:
                frame = pl.DataFrame(pl.from_arrow(batch))
                yield context.spec.conform(frame)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judge(context: BuildContext, found: _Found, *, scratch: Path, rows: int) -> None:
    """Judge every part; at the end, the specimens of which no part had a value."""
    columns = [name for name in context.spec.columns if name != "suspicion"]
    blood_counts, files = read_blood_counts(context), read_instrument_parts(context)
    seen = [] if files is None else [files.rows.select(MEASURED).clear()]
    _show_units(context)
    spec = replace(context.spec, slices=UNIT)
    connection, declarations = context.connection, context.declarations
    with slices.sliced(connection, declarations, spec, scratch=scratch, rows=rows) as shown:
        for _ in shown:
            reported = read_reported(context, blood_counts)
            found.keep(judged_values(reported, files), columns)
            if files is not None:
                tests = reported_tests(reported.rows)
                seen.append(tests.join(files.rows, on=MEASURED, how="semi"))
    if files is not None:
        found.keep(judged_unreported(files, pl.concat(seen)), columns)


def _show_units(context: BuildContext) -> None:
    """Give the shapes a column that tells what must stay together."""
    with asked(context.spec.relation):
        for shape, unit in _UNITS.items():
            context.connection.execute(f'alter view mapped.{shape} rename to "{shape} as mapped"')
            context.connection.execute(
                f'create view mapped.{shape} as select *, {unit} as "{UNIT}" '  # noqa: S608 - ours
                f'from mapped."{shape} as mapped"'
            )


def _name(found: _Found) -> None:
    """Put the suspicions on disk beside the rows they are of."""
    rows = pl.concat(found.suspects)
    names = name_suspicions(rows, agreeing=found.agreeing)
    named = rows.select(_ROW).with_columns(names).drop_nulls("suspicion")
    named.write_parquet(found.folder / "suspicions.parquet")


def _ordered(context: BuildContext, folder: Path) -> str:
    columns = ", ".join(f'"{name}"' for name in context.spec.columns)
    order = ", ".join(f'"{name}" nulls first' for name in context.spec.key)
    return (
        f"select {columns} from read_parquet('{folder}/judged-*.parquet') as judged "  # noqa: S608 - declared
        f"left join read_parquet('{folder}/suspicions.parquet') as named using ({', '.join(_ROW)}) "
        f"order by {order}"
    )
