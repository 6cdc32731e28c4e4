"""One line of text to a person: whole where a program reads it, between words on a terminal."""

import shutil
import textwrap
from typing import TextIO


def write_line(stream: TextIO, text: str, *, indent: str = "") -> None:
    """Write one line; a terminal gets it broken between words, what follows indented.

    Parameters
    ----------
    stream : text file
        Where to.
    text : str
        The line, without its end.
    indent : str
        Put before it; further lines on a terminal have two blanks more.
    """
    told = f"{indent}{text}"
    if stream.isatty():
        told = textwrap.fill(
            told,
            width=shutil.get_terminal_size().columns,
            subsequent_indent=f"{indent}  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    stream.write(f"{told}\n")
