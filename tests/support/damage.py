"""Damaged copies of a small sound file: what a disk, a mail gateway or a spreadsheet does to it."""

from hypothesis import strategies as st

TOKENS = (
    *(b"", b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\x01"),
    *(b",", b"\t", b'"', b"\r", b"\n", b";", b"-1", b"NaN", b"1e999", b"-", b"9" * 30),
    *(b"<", b">", b"&x;", b"[[", b"{", b"null", b"\xef\xbb\xbf", b"\xc3", b"***", b"OOR <"),
)


@st.composite
def damaged(draw, *bases):
    """Bytes of one of the sound files after one to four damages."""
    content = bytearray(draw(st.sampled_from(bases)))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["overwrite", "insert", "delete", "cut", "repeat"]))
        place = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(1, 64))
        token = draw(st.sampled_from(TOKENS))
        if kind == "overwrite":
            content[place : place + len(token)] = token
        elif kind == "insert":
            content[place:place] = token
        elif kind == "delete":
            del content[place : place + length]
        elif kind == "cut":
            del content[place:]
        else:
            content[place:place] = content[place : place + length]
    return bytes(content)
