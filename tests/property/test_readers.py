"""Laws of the readers for any file: a table or a refusal, the same rows as Python's csv module."""

import csv
import dataclasses
import io
import json
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from assayhouse.contracts.vendor_file import ColumnSpec, Dialect
from assayhouse.errors import DeliveryRejectedError
from assayhouse.readers import open_delivery

from support.small_study import layout

COLUMNS = tuple(ColumnSpec(name=name, label=name) for name in ("A", "B", "C"))
BLOCKS = st.sampled_from([7, 64, 1 << 16])
FEW = settings(max_examples=80, deadline=None)
# Bytes that mean something to a reader come often; the rest of all bytes now and then.
MEANINGFUL = st.sampled_from(
    [b",", b'"', b"\n", b"\r\n", b"\r", b"#", b"A,B,C\n", b"1,2,3\n", b'"x",', b"\0", b"\xff",
     b"\xc3\xa9", b"\xef\xbb\xbf", b"Rows,1\n", b"a", b" "]
)  # fmt: skip
BYTES = st.lists(MEANINGFUL | st.binary(max_size=3), max_size=25).map(b"".join)
CELL = st.text(alphabet=st.sampled_from(list('ab,;"\n# é')), max_size=6)
QUOTED = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL}


def opened(folder, content, *, block_bytes, reader="delimited", **dialect):
    path = Path(folder) / "file.bin"
    path.write_bytes(content)
    spec = layout("lab.res", COLUMNS, "A")
    spec = dataclasses.replace(spec, reader=reader, dialect=Dialect(**dialect))
    return open_delivery(path, spec, study_id="DEMO", block_bytes=block_bytes)


def outcome(content, **more):
    """Rows with lines and raw text, or the refusal; the account must balance in the first case."""
    with tempfile.TemporaryDirectory() as folder:
        reading = opened(folder, content, **more)
        try:
            batches = list(reading.batches())
        except DeliveryRejectedError as error:
            return None, error
        rows = [row for batch in batches for row in batch.frame.rows()]
        raw = [text for batch in batches for text in batch.raw_text(range(batch.frame.height))]
        assert reading.account.balanced
        assert reading.account.data_rows == len(rows) == len(raw) > 0
        if more.get("reader", "delimited") == "delimited":
            assert reading.account.data_lines == sum(row[-1] for row in rows)
        return rows, raw


@FEW
@given(
    content=BYTES, headed=st.booleans(), block_bytes=BLOCKS, comment=st.sampled_from([None, "#"])
)
@example(content=b'1,a"b,\n2,"c\nd,d,\ne,5",\n6,e"f,\n', headed=True, block_bytes=64, comment=None)
@example(content=b'# "\n1,2,3\n# "\n4,5,6\n', headed=True, block_bytes=7, comment="#")
def test_any_bytes_end_in_a_table_or_a_refusal(content, headed, block_bytes, comment):
    content = b"A,B,C\n" * headed + content
    rows, raw = outcome(content, block_bytes=block_bytes, comment=comment)
    if rows is None:
        assert raw.rule.startswith("F")
        return
    for row, text in zip(rows, raw, strict=True):
        cells = next(csv.reader(io.StringIO(text, newline="")))
        assert [cell or None for cell in cells] == list(row[:3])


@settings(max_examples=40, deadline=None)
@given(content=BYTES, quoting=st.sampled_from(["all", "none"]), block_bytes=BLOCKS)
def test_any_bytes_of_another_dialect_end_in_a_table_or_a_refusal(content, quoting, block_bytes):
    quote = None if quoting == "none" else '"'
    trailer = r"Rows,(?P<rows>\d+)"
    outcome(
        b"A,B,C\n" + content, block_bytes=block_bytes, quote=quote, quoting=quoting, trailer=trailer
    )


@settings(max_examples=40, deadline=None)
@given(
    content=BYTES | st.binary(max_size=60), start=st.sampled_from([b"", b"{", b"\x1f\x8b", b"x"])
)
def test_any_bytes_end_in_a_refusal_of_the_clinical_formats(content, start):
    for reader in ("xpt", "dataset_json"):
        rows, error = outcome(start + content, block_bytes=64, reader=reader)
        assert rows is None
        assert error.rule in {"F01", "F03", "F07", "F10", "F12"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(JSON, min_size=3, max_size=3) | JSON, max_size=3), lines=st.booleans()
)
def test_any_json_ends_in_a_table_or_a_refusal(rows, lines):
    meta = {"columns": [{"name": name} for name in "ABC"]}
    if lines:
        content = "\n".join(json.dumps(item) for item in [meta, *rows])
    else:
        content = json.dumps(meta | {"rows": rows})
    found, _ = outcome(content.encode(), block_bytes=64, reader="dataset_json")
    assert found is None or len(found) == len(rows)


@FEW
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=12),
    quoting=st.sampled_from(["minimal", "all"]),
    line_end=st.sampled_from(["lf", "crlf"]),
    delimiter=st.sampled_from([",", ";"]),
    block_bytes=BLOCKS,
    ended=st.booleans(),
)
def test_rows_are_those_of_the_csv_module(  # noqa: PLR0917 - drawn by hypothesis, by name
    rows, quoting, line_end, delimiter, block_bytes, ended
):
    end = {"lf": "\n", "crlf": "\r\n"}[line_end]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=QUOTED[quoting])
    writer.writerow("ABC")
    starts = []
    for row in rows:
        starts.append(out.getvalue().count("\n") + 1)
        writer.writerow(row)
    text = out.getvalue()
    text = text if ended else text.removesuffix(end)
    expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:]
    found, _ = outcome(
        text.encode(),
        block_bytes=block_bytes,
        quoting=quoting,
        line_end=line_end,
        delimiter=delimiter,
    )
    assert [list(row[:3]) for row in found] == [[cell or None for cell in row] for row in expected]
    assert [row[3] for row in found] == starts


@FEW
@given(content=BYTES, trailer=st.sampled_from([None, r"Rows,(?P<rows>\d+)"]))
def test_the_size_of_blocks_decides_nothing(content, trailer):
    content = b"A,B,C\n1,2,3\n" + content
    whole, told = outcome(content, block_bytes=1 << 16, trailer=trailer)
    parts, also_told = outcome(content, block_bytes=7, trailer=trailer)
    assert parts == whole
    if whole is not None:
        assert also_told == told
