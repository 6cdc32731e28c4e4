"""The line splitter: where records begin and end, which lines they span, how wide they are."""

import pytest

from assayhouse.contracts.vendor_file import Dialect
from assayhouse.readers.lines import split_records


def split(content, *, closed=True, **dialect):
    return split_records(content, Dialect(**dialect), closed=closed)


def texts(content, records):
    pairs = zip(records.starts.tolist(), records.ends.tolist(), strict=True)
    return [content[start:end] for start, end in pairs]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\nc,d\n", [b"a,b", b"c,d"]),
        (b"a,b\nc,d", [b"a,b", b"c,d"]),
        (b"a,b\r\nc,d\r\n", [b"a,b", b"c,d"]),
        (b"a\n\nb\n", [b"a", b"", b"b"]),
        (b"\n", [b""]),
        (b"a\r\n\r\n", [b"a", b""]),
        (b'"a\nb",c\nd,e\n', [b'"a\nb",c', b"d,e"]),
        (b'"a\r\nb",c\r\nd,e\r\n', [b'"a\r\nb",c', b"d,e"]),
        (b'"""\n""",c\nd,e\n', [b'"""\n""",c', b"d,e"]),
        (b'"",""\n', [b'"",""']),
    ],
)
def test_a_record_ends_at_a_newline_outside_quotes(content, expected):
    assert texts(content, split(content)) == expected


def test_lines_and_spans_count_physical_lines():
    content = b'h\n"a\nb\nc"\n\nd\n'
    records = split(content)
    assert records.lines.tolist() == [0, 1, 4, 5]
    assert records.spans.tolist() == [1, 3, 1, 1]
    assert records.spans.sum() == content.count(b"\n")


def test_a_last_line_without_newline_counts_as_one():
    records = split(b"a\nb")
    assert (records.lines.tolist(), records.spans.tolist()) == ([0, 1], [1, 1])


def test_widths_count_delimiters_outside_quotes():
    records = split(b'a,b,c\n"a,b",c\n\n,\n"a"",""b"\n')
    assert records.widths.tolist() == [3, 2, 1, 2, 1]


def test_another_delimiter_and_another_quote_are_obeyed():
    content = b"'a;\nb';c,d\n"
    records = split(content, delimiter=";", quote="'")
    assert texts(content, records) == [b"'a;\nb';c,d"]
    assert records.widths.tolist() == [2]


def test_without_a_quote_every_newline_ends_a_record():
    content = b'"a\nb"\n'
    records = split(content, quote=None, quoting="none")
    assert texts(content, records) == [b'"a', b'b"']


def test_more_quotes_than_a_byte_counts_do_not_confuse_the_parity():
    content = b'"' + b'""' * 400 + b'\n",x\ny,z\n'
    records = split(content)
    assert texts(content, records) == [content[:-5], b"y,z"]
    assert records.widths.tolist() == [2, 2]


def test_what_is_not_ended_waits_for_the_next_block():
    content = b'a,b\n"c\nd'
    records = split(content, closed=False)
    assert texts(content, records) == [b"a,b"]
    assert len(split(b"a,b", closed=False)) == 0


@pytest.mark.parametrize("quoting", ["minimal", "all"])
def test_a_block_in_which_all_is_quoted_is_cut_alike(quoting):
    content = b'"a","b"\r\n"c","d"\r\n'
    records = split(content, quoting=quoting)
    assert texts(content, records) == [b'"a","b"', b'"c","d"']
    assert records.widths.tolist() == [2, 2]
    assert records.lines.tolist() == [0, 1]


@pytest.mark.parametrize(
    "content",
    [b'"a","b"\n"c","d\ne"\n"f","g"\n', b'"a",""",""\n"b","c"\n', b'"",""\n"","b"\n',
     b'"a,","b"\n"c",",d"\n', b'"a"",""b","c"\n"d","e"\n', b'"\r","b"\r\n"c","d"\r\n',
     b'"a","\n","\n"\n"a","b","c"\n', b'","\n",","a"\n'],
)  # fmt: skip
def test_the_short_way_and_the_long_way_cut_the_same_records(content):
    long, short = split(content, quoting="minimal"), split(content, quoting="all")
    for name in ("starts", "ends", "lines", "spans", "widths"):
        assert getattr(long, name).tolist() == getattr(short, name).tolist()
