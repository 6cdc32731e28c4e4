"""Where the parts of an FCS file lie: HEADER, TEXT, data sets and the bytes of DATA.

Every offset is checked against the file's size before anything is read there. No event is decoded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from assayhouse.errors import InstrumentFileError

HEADER_BYTES = 58
VERSIONS = ("2.0", "3.0", "3.1", "3.2")
_MOST_DATA_SETS = 10_000
_LITERAL = "\ufdd0"  # a code point that Unicode gives to no text
_NUMBER = re.compile(r"^\s*(\d{1,20})")
_SAMPLE_BYTES = 1 << 17
_FEWEST_REPLACED, _BYTES_PER_REPLACED = 4, 150
_REPLACEMENT = b"\xef\xbf\xbd"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One data set of a file.

    Parameters
    ----------
    version : str
        ``2.0`` to ``3.2``.
    start : int
        Byte at which its HEADER begins; all its offsets count from there.
    text : tuple of int
        First byte of TEXT and the byte after it, counted from the file's begin.
    header_data : tuple of int
        Begin and end of DATA by the HEADER, as written.
    keywords : dict
        TEXT and supplemental TEXT, keys in capitals, values without blanks around them.
    flags : tuple of str
        What was noticed.
    size : int
        Size of the file in bytes.
    """

    version: str
    start: int
    text: tuple[int, int]
    header_data: tuple[int, int]
    keywords: dict[str, str]
    flags: tuple[str, ...]
    size: int


def read_data_sets(content: bytes) -> tuple[DataSet, ...]:
    """Read HEADER and TEXT of every data set in a file.

    Raises
    ------
    InstrumentFileError
        ``empty_file``, ``not_fcs``, ``unsupported_version``, ``truncated``, ``damaged`` or
        ``too_large``.
    """
    found: list[DataSet] = []
    start: int | None = 0
    while start is not None:
        data_set = _read_data_set(content, start)
        start, flags = _next_start(content, data_set)
        found.append(replace(data_set, flags=(*data_set.flags, *flags)))
        if len(found) > _MOST_DATA_SETS:
            message = f"the file declares more than {_MOST_DATA_SETS} data sets; split it"
            raise InstrumentFileError(message, code="too_large", offset=start)
    return tuple(found)


def _read_data_set(content: bytes, start: int) -> DataSet:
    size = len(content)
    version, offsets = _read_header(content, start)
    begin, end = start + offsets[0], start + offsets[1]
    if offsets[0] < HEADER_BYTES or end <= begin:
        message = (
            f"the HEADER puts TEXT at bytes {offsets[0]} to {offsets[1]}, which cannot be; "
            "ask for the file as the instrument wrote it"
        )
        raise InstrumentFileError(message, code="damaged", offset=start + 10)
    if size <= begin:
        message = "the file ends after its HEADER: it holds no TEXT and no DATA; ask for it anew"
        raise InstrumentFileError(message, code="empty_file", offset=size)
    if end >= size:
        message = f"the file ends inside TEXT ({size} bytes, TEXT to {end}); ask for it anew"
        raise InstrumentFileError(message, code="truncated", offset=size)
    keywords = _keywords(content[begin : end + 1], begin)
    more, flags = _supplement(content, keywords, start, (offsets[0], offsets[1]))
    if start + offsets[5] >= size:
        flags = (*flags, "truncated")
    return DataSet(
        version=version,
        start=start,
        text=(begin, end + 1),
        header_data=(offsets[2], offsets[3]),
        keywords={**more, **keywords},
        flags=flags,
        size=size,
    )


def _read_header(content: bytes, start: int) -> tuple[str, list[int]]:
    head = content[start : start + HEADER_BYTES]
    if not head:
        message = "the file is empty; ask for it anew"
        raise InstrumentFileError(message, code="empty_file", offset=0)
    if not re.match(rb"FCS\d\.\d", head):
        message = "the first bytes are not those of an FCS file; nothing was read"
        raise InstrumentFileError(message, code="not_fcs", offset=start)
    version = head[3:6].decode("ascii")
    if version not in VERSIONS:
        message = f"the file is FCS {version}; versions {', '.join(VERSIONS)} are read"
        raise InstrumentFileError(message, code="unsupported_version", offset=start)
    if len(head) < HEADER_BYTES:
        message = f"the file ends inside its HEADER ({len(content)} bytes); ask for it anew"
        raise InstrumentFileError(message, code="truncated", offset=len(content))
    return version, [number(head[at : at + 8].decode("latin-1")) or 0 for at in range(10, 58, 8)]


def number(text: str | None) -> int | None:
    """Whole number at the begin of a text, or None: ``000002`` is 2, ``768I`` is 768."""
    match = _NUMBER.match(text or "")
    return int(match[1]) if match else None


def _keywords(raw: bytes, offset: int) -> dict[str, str]:
    """Keywords of a TEXT segment.

    A doubled delimiter stands for itself, but some instruments write empty values, which look
    the same: the reading that yields more of the standard's own keywords is the right one.
    """
    text = _decoded(raw)
    chosen = _pairs(text, escaped=True)
    if text[:1] * 2 in text[1:]:
        with_empty = _pairs(text, escaped=False)
        if _standard(with_empty) > _standard(chosen):
            chosen = with_empty
    if "$PAR" not in chosen or "$DATATYPE" not in chosen:
        message = "TEXT lacks $PAR or $DATATYPE; ask for the file as the instrument wrote it"
        raise InstrumentFileError(message, code="damaged", offset=offset)
    return chosen


def _standard(keywords: Mapping[str, str]) -> int:
    return sum(key.startswith("$") for key in keywords)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _pairs(text: str, *, escaped: bool) -> dict[str, str]:
    delimiter, rest = text[:1], text[1:]
    if escaped:
        rest = rest.replace(delimiter * 2, _LITERAL)
    parts = [part.strip() for part in rest.split(delimiter)]
    if escaped and _LITERAL in rest:
        parts = [part.replace(_LITERAL, delimiter) for part in parts]
    return {key.upper(): value for key, value in zip(parts[::2], parts[1::2], strict=False) if key}


def _supplement(
    content: bytes, keywords: Mapping[str, str], start: int, text: tuple[int, int]
) -> tuple[dict[str, str], tuple[str, ...]]:
    begin, end = number(keywords.get("$BEGINSTEXT")), number(keywords.get("$ENDSTEXT"))
    if not begin or not end or end <= begin or (begin, end) == text:
        return {}, ()
    if start + end >= len(content):
        return {}, ("truncated",)
    return _pairs(_decoded(content[start + begin : start + end + 1]), escaped=True), ()


def _next_start(content: bytes, data_set: DataSet) -> tuple[int | None, tuple[str, ...]]:
    """Begin of the data set after this one; a pointer to nowhere is told, not followed."""
    step = number(data_set.keywords.get("$NEXTDATA"))
    if not step:
        return None, ()
    start = data_set.start + step
    if start >= data_set.size:
        return None, ("truncated",)
    if start < data_set.text[1] or content[start : start + 3] != b"FCS":
        return None, ("damaged",)
    return start, ()


def locate_data(
    data_set: DataSet, event_bytes: int, n_events: int | None
) -> tuple[int, int, tuple[str, ...]]:
    """Find DATA by the offsets that fit the file's size and the number of events.

    Parameters
    ----------
    data_set : DataSet
        HEADER and TEXT.
    event_bytes : int
        Bytes of one event by ``$PnB``.
    n_events : int or None
        ``$TOT``; None where the file does not say (FCS 2.0).

    Returns
    -------
    tuple
        First byte of DATA from the file's begin, number of events, flags.

    Raises
    ------
    InstrumentFileError
        ``empty_file``, ``data_truncated``, ``tot_mismatch`` or ``offset_discrepancy``.
    """
    by_text = (
        number(data_set.keywords.get("$BEGINDATA")) or 0,
        number(data_set.keywords.get("$ENDDATA")) or 0,
    )
    pairs = [pair for pair in (data_set.header_data, by_text) if pair[0] > 0 and pair[1] > 0]
    pairs = list(dict.fromkeys(pairs))
    if n_events is None:
        pairs = pairs[:1]
        n_events = _events_of(pairs, event_bytes, data_set)
    length = n_events * event_bytes
    if length == 0 and all(end - begin in {-1, 0} for begin, end in pairs):
        return 0, 0, ("zero_events",)
    _refuse_no_data(data_set, pairs, n_events)
    fitting = [pair for pair in pairs if _fits(pair, length, data_set, off_by_one=False)]
    off = [] if fitting else [pair for pair in pairs if _fits(pair, length, data_set)]
    begins = {begin for begin, _end in fitting or off}
    if len(begins) != 1:
        raise _misfit(data_set, pairs, length)
    flags = ("offset_discrepancy",) if len(pairs) > 1 else ()
    found = (*flags, "offset_off_by_one") if off else flags
    return data_set.start + begins.pop(), n_events, found


def _events_of(pairs: list[tuple[int, int]], event_bytes: int, data_set: DataSet) -> int:
    length = pairs[0][1] - pairs[0][0] + 1 if pairs else 0
    events, rest = divmod(length, event_bytes) if event_bytes else (0, length)
    if rest > 1:
        message = (
            f"the file does not say $TOT, and DATA of {length} bytes is no whole number of "
            f"events of {event_bytes} bytes"
        )
        raise InstrumentFileError(message, code="tot_mismatch", offset=data_set.start)
    return events


def _refuse_no_data(data_set: DataSet, pairs: list[tuple[int, int]], n_events: int) -> None:
    begins = [data_set.start + begin for begin, _end in pairs]
    if n_events and (not begins or min(begins) >= data_set.size):
        message = f"the file declares {n_events} events and holds no byte of DATA; ask for it anew"
        raise InstrumentFileError(message, code="empty_file", offset=data_set.size)


def _fits(
    pair: tuple[int, int], length: int, data_set: DataSet, *, off_by_one: bool = True
) -> bool:
    begin, end = pair
    at = data_set.start + begin
    lengths = {length - 1, length, length + 1} if off_by_one else {length}
    apart = at >= data_set.text[1] or at + length <= data_set.text[0]
    inside = at >= data_set.start + HEADER_BYTES and at + length <= data_set.size
    return end - begin + 1 in lengths and apart and inside


def _misfit(data_set: DataSet, pairs: list[tuple[int, int]], length: int) -> InstrumentFileError:
    where = " or ".join(f"{begin} to {end}" for begin, end in pairs)
    beyond = [pair for pair in pairs if data_set.start + pair[1] > data_set.size]
    whole = [pair for pair in beyond if abs(pair[1] - pair[0] + 1 - length) <= 1]
    code = "tot_mismatch"
    if whole or (len(pairs) == 1 and beyond):
        code = "data_truncated"
    elif len(pairs) > 1 or abs(pairs[0][1] - pairs[0][0] + 1 - length) <= 1:
        code = "offset_discrepancy"
    message = (
        f"$TOT and $PnB ask for {length} bytes of DATA; the file has {data_set.size} bytes and "
        f"puts DATA at bytes {where}. Nothing was read; ask for the file as the instrument wrote it"
    )
    return InstrumentFileError(message, code=code, offset=data_set.start + pairs[0][0])


def refuse_text_conversion(content: bytes, data_set: DataSet) -> None:
    """Refuse DATA in which a program has put U+FFFD for the bytes it did not understand.

    By chance the three bytes come once in 16 million; a conversion leaves them everywhere.

    Raises
    ------
    InstrumentFileError
        ``text_conversion_damage``.
    """
    begin = data_set.start + data_set.header_data[0]
    begin = max(begin, data_set.text[1])
    sample = content[begin : begin + _SAMPLE_BYTES]
    count = sample.count(_REPLACEMENT)
    if count >= _FEWEST_REPLACED and count * _BYTES_PER_REPLACED > len(sample):
        message = (
            f"DATA holds {count} times the bytes EF BF BD: the file went through a program that "
            "took it for text, and cannot be restored; ask for it as the instrument wrote it"
        )
        raise InstrumentFileError(
            message, code="text_conversion_damage", offset=begin + sample.find(_REPLACEMENT)
        )
