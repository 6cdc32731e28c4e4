"""Bytes of a delivered file as UTF-8 blocks: decompression, encoding, hints. Cuts no line."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from assayhouse.readers.reading import Reading

_UTF8 = {"utf-8", "utf8", "utf_8", "ascii"}
MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
MARKUP = (b"<!doctype", b"<html", b"<?xml")


def _opened(path: Path, compression: str) -> IO[bytes]:
    if compression == "gzip":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def _blocks(path: Path, reading: Reading, size: int) -> Iterator[bytes]:
    try:
        with _opened(path, reading.layout.dialect.compression) as stream:
            while block := stream.read(size):
                yield block
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        message = "the file is not whole gzip data, as declared; send it again"
        raise reading.reject(message, rule="F01") from error


def _refuse_other_kinds(head: bytes, reading: Reading) -> None:
    for mark, name in MARKS:
        if head.startswith(mark) and reading.layout.dialect.encoding.lower() in _UTF8:
            message = f"the file begins with a mark of {name}, not as declared; send UTF-8"
            raise reading.reject(message, rule="F12", line=1)
    if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:16].lower().startswith(MARKUP):
        message = "the file is a web page or XML, not delimited text; send the file itself"
        raise reading.reject(message, rule="F07", line=1)


def utf8_blocks(path: Path, reading: Reading, *, size: int) -> Iterator[bytes]:
    """Yield the file's text as UTF-8 bytes without a byte-order mark.

    Blocks may end inside a character; whoever cuts lines checks whole lines.

    Raises
    ------
    DeliveryRejectedError
        F03: nothing in the file. F07: a web page. F12: not the declared encoding.
    """
    encoding = reading.layout.dialect.encoding
    decoder = None if encoding.lower() in _UTF8 else codecs.getincrementaldecoder(encoding)()
    first = True
    try:
        for block in _blocks(path, reading, size):
            if first:
                _refuse_other_kinds(block, reading)
            text = block if decoder is None else decoder.decode(block).encode()
            if first and text.startswith(codecs.BOM_UTF8):
                text = text[len(codecs.BOM_UTF8) :]
            first = False
            yield text
        if decoder is not None:
            yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        message = f"the bytes are not {encoding}, as declared; ask the sender for {encoding}"
        raise reading.reject(message, rule="F12") from error
    if first:
        message = "the file is empty; send it again"
        raise reading.reject(message, rule="F03")


def check_utf8(data: bytes, reading: Reading, *, first_line: int) -> None:
    """Raise unless whole lines are UTF-8 text without NUL bytes; names the line."""
    position = data.find(b"\0")
    hint = "; a NUL byte is no text, perhaps the file is UTF-16"
    if position < 0 and not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            position, hint = error.start, "; perhaps it is Latin-1 or Windows-1252"
    if position >= 0:
        line = first_line + data.count(b"\n", 0, position)
        message = f"a byte is not UTF-8, as declared{hint}. Send the file as UTF-8"
        raise reading.reject(message, rule="F12", line=line)
