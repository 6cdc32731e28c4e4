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
_WIDEST = 48
_NARROWEST = 3

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
    frame: pl.DataFrame, *, title: str = "", whole: str = "", console: Console | None = None
) -> None:
    """Print the first rows, and as many columns as fit; the rest is named, never cut in silence.

    ``whole`` says where all rows are.
    """
    out = console or Console(highlight=False, markup=False)
    rows = [[clean(value) for value in row] for row in frame.head(ROWS_SHOWN).rows()]
    shown = _fitting(frame.columns, rows, width=out.width)
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for name in frame.columns[:shown]:
        right = frame.schema[name].is_numeric()
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row[:shown]))
    out.print(table)
    for line in _left_out(frame, shown, whole):
        out.print(Text(line))


def _fitting(names: Sequence[str], rows: Sequence[Sequence[str]], *, width: int) -> int:
    used, shown = 0, 0
    for position, name in enumerate(names):
        cells = [len(row[position]) for row in rows]
        used += min(_WIDEST, max([len(name), _NARROWEST, *cells])) + 2
        if shown and used > width:
            break
        shown += 1
    return shown


def _left_out(frame: pl.DataFrame, shown: int, whole: str) -> list[str]:
    lines = []
    if frame.width > shown:
        lines.append(f"{frame.width - shown} more columns: {', '.join(frame.columns[shown:])}")
    if frame.height > ROWS_SHOWN:
        lines.append(
            f"{frame.height} rows, the first {ROWS_SHOWN} shown{f'; {whole}' if whole else ''}"
        )
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
