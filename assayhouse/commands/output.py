"""How commands speak: tables that fit a terminal, progress on stderr, no control characters."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import polars as pl
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from assayhouse.commands.lines import write_line

ROWS_SHOWN = 50
_NARROWEST = 3
_WORD = 24  # longer words are broken before a column is left out
_BETWEEN, _EDGES = 3, 2  # blanks of the table that are no column's

Tell = Callable[[str, int, int], None]


def clean(value: object) -> str:
    """Text of a value without anything that could steer a terminal."""
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def say(text: str) -> None:
    """Print one line; on a terminal it is broken between words."""
    write_line(sys.stdout, clean(text))


def print_table(
    frame: pl.DataFrame,
    *,
    title: str = "",
    rows: int = ROWS_SHOWN,
    whole: str = "",
    console: Console | None = None,
) -> None:
    """Print the first rows, and as many columns as fit; the rest is named, never cut in silence.

    Text is broken over lines before a column is left out; ``whole`` says where all is.
    """
    out = console or Console(highlight=False, markup=False)
    cells = [[clean(value) for value in row] for row in frame.head(rows).rows()]
    widths = _widths(frame, cells, width=out.width)
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for name, wide in zip(frame.columns, widths, strict=False):
        right = frame.schema[name].is_numeric()
        table.add_column(
            Text(name), justify="right" if right else "left", overflow="fold", width=wide
        )
    for row in cells:
        table.add_row(*(Text(cell) for cell in row[: len(widths)]))
    out.print(table)
    for line in _left_out(frame, len(widths), rows=rows, whole=whole):
        out.print(Text(line))


def _widths(frame: pl.DataFrame, cells: Sequence[Sequence[str]], *, width: int) -> list[int]:
    """Width of every column that fits: its longest word at least, more where there is room."""
    listed = [[name, *(row[place] for row in cells)] for place, name in enumerate(frame.columns)]
    full = [max(map(len, texts)) for texts in listed]
    least = [
        wide if kind.is_numeric() else min(wide, _longest_word(texts))
        for kind, wide, texts in zip(frame.dtypes, full, listed, strict=True)
    ]
    shown = 1
    while shown < len(least) and _taken(least[: shown + 1]) <= width:
        shown += 1
    found = least[:shown]
    if shown == 1:
        return [min(full[0], max(_NARROWEST, width - _EDGES))]
    for _ in range(width - _taken(found)):
        # The next character goes to the column whose text is broken over most lines.
        place = max(range(shown), key=lambda at: full[at] / found[at])
        if found[place] >= full[place]:
            break
        found[place] += 1
    return found


def _longest_word(texts: Sequence[str]) -> int:
    words = (len(word) for text in texts for word in text.split())
    return max(_NARROWEST, min(_WORD, max(words, default=0)))


def _taken(widths: Sequence[int]) -> int:
    return sum(widths) + _BETWEEN * (len(widths) - 1) + _EDGES


def _left_out(frame: pl.DataFrame, shown: int, *, rows: int, whole: str) -> list[str]:
    lines = []
    if frame.width > shown:
        names = ", ".join(frame.columns[shown:])
        where = whole or "a wider terminal shows them"
        lines.append(f"{frame.width - shown} more columns: {names} ({where})")
    if frame.height > rows:
        lines.append(f"{frame.height} rows, the first {rows} shown{f'; {whole}' if whole else ''}")
    return lines


@contextmanager
def progress() -> Iterator[Tell]:
    """Show a bar on stderr where somebody watches, and nothing where nobody does."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("starting", total=None)

        def tell(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total)

        yield tell
