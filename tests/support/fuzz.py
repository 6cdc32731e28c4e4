"""Mutated files for readers: a result with flags or a typed error, in bounded time and memory.

`make fuzz` raises the number of inputs by ASSAYHOUSE_FUZZ; hypothesis keeps what failed.
"""

import os
import re
import resource
import time

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import inspect

EXAMPLES = int(os.environ.get("ASSAYHOUSE_FUZZ", "2000"))
SLOWEST_S = 5.0
MOST_MEMORY_KIB = 1 << 20
"""What the peak of the process may grow by: the library's limits on what is unpacked, and the
memory of hypothesis itself."""


@pytest.fixture(scope="module", autouse=True)
def bounded_memory():
    """Fail where the inputs of a module have made the process larger than readers may."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MOST_MEMORY_KIB, f"{grown // 1024} MiB"


def fuzzed(share=1.0):
    """Settings of a test that takes this share of a reader's inputs."""
    return settings(
        max_examples=max(1, int(EXAMPLES * share)),
        deadline=None,
        derandomize="ASSAYHOUSE_FUZZ" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )


# What means something to a reader: numbers at the edge, delimiters, ends of elements.
PIECES = [
    b"", b"0", b"-1", b"9", b"99999999", b"1e999", b"nan", b"2147483648", b"A1", b"$PAR",
    b"/", b"//", b"\\", b"\0", b"\xff", b"\n", b"\t", b",", b";", b'"', b"<", b">", b"</a>",
    b"<a>", b"&amp;", b"&x;", b"]]>", b"<!DOCTYPE a>", b"<!--", b"\xef\xbf\xbd", b"\xd1\x82",
    b"PK\x03\x04", b"FCS3.2",
]  # fmt: skip
CHANGE = st.tuples(
    st.sampled_from(["put", "over", "cut", "drop", "double"]),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(PIECES) | st.binary(max_size=4),
    st.integers(1, 40),
)
CHANGES = st.lists(CHANGE, min_size=1, max_size=6)
_CODE = re.compile(r"^[a-z][a-z0-9_]*$")


def mutated(content, changes):
    """A file with each change made in turn."""
    for kind, place, piece, length in changes:
        at = int(place * (len(content) + 1))
        if kind == "put":
            content = content[:at] + piece + content[at:]
        elif kind == "over":
            content = content[:at] + piece + content[at + len(piece) :]
        elif kind == "cut":
            content = content[:at]
        elif kind == "drop":
            content = content[:at] + content[at + length :]
        else:
            content = content[: at + length] + content[at:]
    return content


def check(read, path, content):
    """Read a file; only a result or a typed error with a code may come of it."""
    path.write_bytes(content)
    begun = time.process_time()
    result, refused = None, None
    try:
        result = read(path)
    except InstrumentFileError as error:
        refused = error
    assert time.process_time() - begun < SLOWEST_S
    assert refused is None or (_CODE.match(refused.code) and str(refused)), refused
    return result


def check_inspection(path):
    """A file that a reader has seen is inspected without any error at all."""
    found = inspect(path)
    assert all(_CODE.match(flag) for flag in found.flags), found.flags
    return found
