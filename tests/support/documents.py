"""Documents that show commands: their fenced blocks, run as they are printed."""

import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import pairwise
from pathlib import Path

from assayhouse import cli

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HERE = re.compile(r"^cat > (\S+) <<'END'\n(.*?)^END\n", re.DOTALL | re.MULTILINE)
_CLOSE = 1e-3


def blocks(text):
    """Fenced blocks in order: (language, content)."""
    return _BLOCK.findall(text)


def examples(text):
    """Pairs of a shell block and the text block that follows it at once: what it prints."""
    found = blocks(text)
    return [
        (script, printed)
        for (language, script), (after, printed) in pairwise(found)
        if (language, after) == ("sh", "text")
    ]


def run(script):
    """Write the files of a block into the present folder, run its commands: codes and words.

    A block holds files (`cat > NAME <<'END'`) and commands of assayhouse, and nothing else.
    """
    for name, content in _HERE.findall(script):
        Path(name).write_text(content)
    commands = _HERE.sub("", script).replace("\\\n", " ").splitlines()
    codes, told = [], StringIO()
    with redirect_stdout(told), redirect_stderr(told):
        for command in filter(None, map(str.strip, commands)):
            program, *arguments = shlex.split(command)
            assert program == "assayhouse", command
            codes.append(cli.main(arguments))
    return codes, told.getvalue()


def assert_same_text(told, printed):
    """The same words in the same order; numbers may differ where machines differ."""
    ours, theirs = told.split(), printed.split()
    assert len(ours) == len(theirs), told
    for here, there in zip(ours, theirs, strict=True):
        assert here == there or _close(here, there), (here, there)


def _close(here, there):
    trimmed = [word.strip("().;,") for word in (here, there)]
    try:
        first, second = map(float, trimmed)
    except ValueError:
        return False
    return abs(first - second) <= _CLOSE * max(abs(first), abs(second))
