"""Records into fields: checked bytes to a frame of text. Where records begin is known already."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from assayhouse.contracts.vendor_file import Dialect
from assayhouse.readers.lines import CR, Records

Rows: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whole records of a file, with the physical line the first one stands on."""

    data: bytes
    records: Records
    first_line: int

    def text(self, row: int) -> str:
        """Text of one record without its line end."""
        start, end = int(self.records.starts[row]), int(self.records.ends[row])
        return self.data[start:end].decode()

    def line(self, row: int) -> int:
        """Physical line of one record, counted from 1."""
        return self.first_line + int(self.records.lines[row])


class RawText:
    """Text of chosen rows as in the file, taken from the block only when asked for."""

    def __init__(self, block: Block, rows: Rows) -> None:
        self._block = block
        self._rows = rows

    def __call__(self, rows: Sequence[int]) -> list[str]:
        """Give the text of rows, by their place among the chosen ones."""
        return [self._block.text(int(self._rows[row])) for row in rows]


def cut_fields(
    block: Block, rows: Rows, *, names: Sequence[str], dialect: Dialect
) -> pl.DataFrame | None:
    """Let polars cut records whose widths and quotes are known to be right.

    Returns
    -------
    DataFrame or None
        One text column per name, declared null texts as null. None where polars sees other
        records than the line splitter does; nothing of it may be used then.
    """
    try:
        frame = pl.read_csv(
            _joined(block, rows),
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            separator=dialect.delimiter,
            quote_char=dialect.quote,
            infer_schema=False,
            empty_string_is_null=False,
            extra_columns="raise",
            missing_columns="raise",
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.height != len(rows):
        return None
    if len(dialect.null_texts) == 1:
        null = pl.all() == dialect.null_texts[0]
    else:
        null = pl.all().is_in(list(dialect.null_texts))
    return frame.with_columns(pl.when(~null).then(pl.all()))


def _joined(block: Block, rows: Rows) -> bytes:
    """Bytes of the given records, one slice where they follow each other, all with newlines."""
    records = block.records
    data = block.data
    returns = records.nexts[records.endings == CR] - 1
    if len(returns):
        changed = bytearray(data)
        for place in returns.tolist():
            changed[place] = 10
        data = bytes(changed)
    jumps = np.flatnonzero(np.diff(rows) > 1)
    firsts = rows[np.concatenate([[0], jumps + 1])]
    lasts = rows[np.append(jumps, len(rows) - 1)]
    if len(firsts) == 1 and firsts[0] == 0 and records.nexts[lasts[0]] == len(data):
        return data
    return b"".join(
        data[start:stop]
        for start, stop in zip(
            records.starts[firsts].tolist(), records.nexts[lasts].tolist(), strict=True
        )
    )
