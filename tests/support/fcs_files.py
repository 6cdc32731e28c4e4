"""FCS files written on purpose, right or wrong in one place."""

import struct

import numpy as np

DELIMITER = "/"


def text_segment(keywords, delimiter=DELIMITER):
    """TEXT with doubled delimiters where a value holds one."""
    parts = [
        str(part).replace(delimiter, delimiter * 2) for pair in keywords.items() for part in pair
    ]
    return (delimiter + delimiter.join(parts) + delimiter).encode()


def keywords_of(n_events, channels, *, datatype="F", bits=32, order="1,2,3,4", **more):
    """Smallest TEXT of a list of channels; an entry of None leaves the keyword out."""
    keywords = {
        "$TOT": n_events,
        "$PAR": len(channels),
        "$DATATYPE": datatype,
        "$MODE": "L",
        "$BYTEORD": order,
        "$NEXTDATA": 0,
    }
    for place, name in enumerate(channels, start=1):
        keywords |= {
            f"$P{place}N": name,
            f"$P{place}B": bits,
            f"$P{place}E": "0,0",
            f"$P{place}R": 1024,
        }
    keywords |= {f"${key}": value for key, value in more.items()}
    return {key: value for key, value in keywords.items() if value is not None}


def header(version, *offsets):
    """HEADER of 58 bytes; offsets of TEXT, DATA and ANALYSIS."""
    padded = [*offsets, *([0] * (6 - len(offsets)))]
    return f"FCS{version}    ".encode() + b"".join(f"{value:>8}".encode() for value in padded)


def fcs_bytes(
    events=None,
    channels=("FSC-A", "SSC-A"),
    *,
    version="3.1",
    data=None,
    keywords=None,
    header_pair=None,
    text_pair=None,
    text=None,
    tail=b"",
    **more,
):
    """One data set: HEADER, TEXT, DATA.

    ``header_pair`` and ``text_pair`` are functions of the true begin and end of DATA; None writes
    the true ones, and for version 2.0 TEXT has none.
    """
    if events is None:
        events = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    if data is None:
        data = np.asarray(events, dtype="<f4").tobytes()
    words = keywords or keywords_of(len(events), channels, **more)
    begin = 1024 + 64 * len(channels)
    end = begin + len(data) - 1
    pair = (begin, end)
    of_text = text_pair(begin, end) if text_pair else pair
    if version != "2.0" or text_pair:
        words = {**words, "$BEGINDATA": of_text[0], "$ENDDATA": of_text[1]}
    segment = text if text is not None else text_segment(words)
    assert 58 + len(segment) <= begin
    of_header = header_pair(begin, end) if header_pair else pair
    head = header(version, 58, 58 + len(segment) - 1, *of_header)
    return (head + segment).ljust(begin, b" ") + data + tail


def packed(values, formats, order="<"):
    """Events whose channels are stored differently: a ``struct`` letter or ``3`` (24 bits) each."""
    out = b""
    for row in values:
        for value, letter in zip(row, formats, strict=True):
            if letter == "3":
                out += int(value).to_bytes(3, "little" if order == "<" else "big")
            else:
                out += struct.pack(order + letter, value)
    return out
