"""Header of a file against the declared columns: what stands where, what is missing or too much."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from assayhouse.contracts.vendor_file import ColumnSpec
from assayhouse.readers.reading import ReadFinding, Reading

_TREATMENT = re.compile(
    r"(^|[^a-z])((act)?arm(cd|code|desc|grp|n|s)?|(ex)?trt\w*|treatment\w*|(ex)?dose|drug"
    r"|kit(no|num|id)?|rand(no|om\w*))($|[^a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMap:
    """Names of the file's columns in file order; declared ones by their declared name."""

    names: tuple[str, ...]
    declared: tuple[str, ...]

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Bring a frame in file order into declared order; an absent optional column is null."""
        return frame.select(
            pl.col(name) if name in self.names else pl.lit(None, dtype=pl.String).alias(name)
            for name in self.declared
        )


def _known(columns: Sequence[ColumnSpec]) -> dict[str, str]:
    known = {alias: column.name for column in columns for alias in column.aliases}
    return known | {column.name: column.name for column in columns}


def match_header(found: Sequence[str], reading: Reading, *, line: int) -> HeaderMap:
    """Match the header of a file with its layout.

    Raises
    ------
    DeliveryRejectedError
        F10: a column is missing, renamed without a declared alias, or there twice. F35: a column
        that is not declared has a name that suggests treatment; the name is not repeated.
    """
    columns = reading.layout.columns
    known = _known(columns)
    names = tuple(known.get(name.strip(), name.strip()) for name in found)
    doubled = sorted({name for name in names if names.count(name) > 1 and name in known})
    if doubled:
        message = "this column is there twice; send the file with each column once"
        raise reading.reject(message, rule="F10", line=line, column=doubled[0])
    declared = tuple(column.name for column in columns)
    extra = [name for name in names if name not in declared]
    for column in columns:
        if column.name not in names and not column.optional_column:
            sayable = [name for name in extra if not _TREATMENT.search(name)]
            near = difflib.get_close_matches(column.name, sayable, n=1, cutoff=0.5)
            hint = (
                f"; the nearest is {near[0]}, declare it as an alias if it is meant" if near else ""
            )
            message = f"the column is missing{hint}"
            raise reading.reject(message, rule="F10", line=line, column=column.name)
    for name in extra:
        if _TREATMENT.search(name):
            message = "an undeclared column has a name that suggests treatment; nothing was read"
            raise reading.reject(message, rule="F35", line=line)
        message = f"the column {name} is not declared and was left out"
        reading.note(
            ReadFinding(rule="F11", disposition="W", message=message, line=line, column=name)
        )
    present = [name for name in declared if name in names]
    if [name for name in names if name in declared] != present:
        message = "the columns stand in another order than declared; they were read by name"
        reading.note(ReadFinding(rule="F09", disposition="W", message=message, line=line))
    return HeaderMap(names=_unique(names, declared), declared=declared)


def _unique(names: Sequence[str], declared: Sequence[str]) -> tuple[str, ...]:
    """Name undeclared columns by their place, so that a frame can hold them until they go."""
    return tuple(name if name in declared else f"\x1f{place}" for place, name in enumerate(names))
