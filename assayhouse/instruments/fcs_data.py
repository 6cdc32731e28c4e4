"""Bytes of DATA to an array of stored values, and stored values to decoded ones.

Integers of any whole number of bytes, floats and doubles, mixed by channel. No gain, no
compensation.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.fcs_layout import number

FloatArray: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
_NATIVE = {8: "u1", 16: "u2", 32: "u4", 64: "u8"}
_MOST_DIGITS = 15
_FLOATS = {"F": (32, "f4"), "D": (64, "f8")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How one event is stored: per channel its kind (``I``, ``F``, ``D``), bits and byte order.

    ``range_`` is ``$PnR`` (None where it is not a number), ``decades`` and ``offset`` are
    ``$PnE`` with an offset of 0 already read as 1.
    """

    kinds: tuple[str, ...]
    bits: tuple[int, ...]
    order: str
    ranges: tuple[float | None, ...]
    decades: tuple[float, ...]
    offsets: tuple[float, ...]
    flags: tuple[str, ...]

    @property
    def event_bytes(self) -> int:
        """Bytes of one event."""
        return sum(self.bits) // 8


def read_layout(keywords: Mapping[str, str], version: str) -> Layout:
    """Read from TEXT how an event is stored.

    Raises
    ------
    InstrumentFileError
        ``damaged`` or ``unsupported_feature``, which the message names.
    """
    n_channels = _n_channels(keywords)
    mode = keywords.get("$MODE", "L").upper()
    if mode != "L":
        raise _unsupported(what=f"$MODE {mode[:8]} (histograms)")
    kinds = tuple(_kind(keywords, place, version) for place in range(1, n_channels + 1))
    bits = tuple(_bits(keywords, place, kind) for place, kind in enumerate(kinds, start=1))
    ranges = tuple(_real(keywords.get(f"$P{n}R")) for n in range(1, n_channels + 1))
    scales = [_pne(keywords, n) for n in range(1, n_channels + 1)]
    for place, (kind, range_, scale) in enumerate(zip(kinds, ranges, scales, strict=True), start=1):
        if (range_ is None or range_ < 0) and (kind == "I" or scale[0] > 0):
            raise _damaged(what=f"$P{place}R is missing or no number")
    zero = any(decades > 0 and offset == 0 for decades, offset in scales)
    return Layout(
        kinds=kinds,
        bits=bits,
        order=_order(keywords, bits),
        ranges=ranges,
        decades=tuple(decades for decades, _offset in scales),
        offsets=tuple(offset or 1.0 for _decades, offset in scales),
        flags=("pne_zero_offset",) if zero else (),
    )


def _damaged(*, what: str) -> InstrumentFileError:
    return InstrumentFileError(
        f"{what}; ask for the file as the instrument wrote it", code="damaged"
    )


def _unsupported(*, what: str) -> InstrumentFileError:
    return InstrumentFileError(
        f"the file uses {what}, which is not read; export it as a list of integers of whole "
        "bytes or of floats",
        code="unsupported_feature",
    )


def read_count(keywords: Mapping[str, str], key: str) -> int | None:
    """Value of a keyword that counts something; None where the file does not have it.

    Raises
    ------
    InstrumentFileError
        ``damaged``: the value is no whole number.
    """
    if key not in keywords:
        return None
    value = keywords[key]
    if not value.isdecimal() or len(value) > _MOST_DIGITS:
        raise _damaged(what=f"{key} is no whole number")
    return int(value)


def _n_channels(keywords: Mapping[str, str]) -> int:
    count = read_count(keywords, "$PAR")
    if not count or count > len(keywords):
        raise _damaged(what="$PAR is no number of channels, or more than TEXT describes")
    return count


def _kind(keywords: Mapping[str, str], place: int, version: str) -> str:
    common = keywords["$DATATYPE"].upper()
    own = keywords.get(f"$P{place}DATATYPE", common).upper()
    if own != common and version != "3.2":
        raise _unsupported(what=f"$P{place}DATATYPE before FCS 3.2")
    if own not in {"I", "F", "D"}:
        raise _unsupported(what=f"$DATATYPE {own[:8]}")
    return own


def _bits(keywords: Mapping[str, str], place: int, kind: str) -> int:
    bits = number(keywords.get(f"$P{place}B"))
    if bits is None or bits == 0:
        raise _damaged(what=f"$P{place}B is missing or no number")
    if kind in _FLOATS and bits != _FLOATS[kind][0]:
        raise _damaged(what=f"$P{place}B is {bits}, and type {kind} has {_FLOATS[kind][0]} bits")
    if bits % 8 or bits > 64:
        raise _unsupported(what=f"$P{place}B of {bits} bits")
    return bits


def _order(keywords: Mapping[str, str], bits: tuple[int, ...]) -> str:
    text = keywords.get("$BYTEORD", "").replace(" ", "")
    order = [number(part) for part in text.split(",")]
    rising = list(range(1, len(order) + 1))
    if order == rising and (len(order) > 1 or set(bits) <= {8}):
        return "<"
    if order == rising[::-1]:
        return ">"
    if set(bits) <= {8}:
        return "<"
    if None in order:
        raise _damaged(what="$BYTEORD is missing or no order of bytes")
    raise _unsupported(what=f"$BYTEORD {text[:20]}")


def _real(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _pne(keywords: Mapping[str, str], place: int) -> tuple[float, float]:
    text = keywords.get(f"$P{place}E") or "0,0"
    parts = [_real(part) for part in text.split(",")]
    if len(parts) != 2 or parts[0] is None or parts[1] is None:
        raise _damaged(what=f"$P{place}E is not two numbers")
    return parts[0], parts[1]


def read_values(
    content: bytes, layout: Layout, begin: int, n_events: int
) -> tuple[FloatArray, tuple[str, ...]]:
    """Read stored values and apply the ``$PnR`` mask.

    Parameters
    ----------
    content : bytes
        The file.
    layout : Layout
        How an event is stored.
    begin : int
        First byte of DATA.
    n_events : int
        Number of events, known to be inside the file.

    Returns
    -------
    values : (n_events, n_channels) array
    flags : tuple of str
        ``masked_bits`` where integers held bits above ``$PnR``.
    """
    width = layout.event_bytes
    raw = np.frombuffer(content, dtype=np.uint8, count=n_events * width, offset=begin)
    alike = len(set(zip(layout.kinds, layout.bits, strict=True))) == 1
    if alike and (layout.kinds[0] != "I" or layout.bits[0] in _NATIVE):
        code = _dtype(layout.kinds[0], layout.bits[0], layout.order)
        stored = raw.view(code).reshape(n_events, -1)
        if layout.kinds[0] != "I":
            return stored.astype(np.float64), ()
        return _masked(stored, layout)
    return _by_channel(raw.reshape(n_events, width), layout)


def _dtype(kind: str, bits: int, order: str) -> str:
    return order + (_FLOATS[kind][1] if kind in _FLOATS else _NATIVE[bits])


def _mask(range_: float | None, bits: int) -> int | None:
    """Bits that ``$PnR`` allows: the next power of two less one; None where all are allowed."""
    if not range_ or range_ > 2.0**63:
        return None
    mask = (1 << (math.ceil(range_) - 1).bit_length()) - 1
    return mask if mask < (1 << bits) - 1 else None


def _masked(
    stored: np.ndarray[tuple[int, ...], np.dtype[np.uint64]], layout: Layout
) -> tuple[FloatArray, tuple[str, ...]]:
    full = (1 << layout.bits[0]) - 1
    masks = [
        full if mask is None else mask
        for mask in (_mask(range_, layout.bits[0]) for range_ in layout.ranges)
    ]
    if all(mask == full for mask in masks) or not stored.size:
        return stored.astype(np.float64), ()
    highest = [int(value) for value in stored.max(axis=0)]
    if all(value <= mask for value, mask in zip(highest, masks, strict=True)):
        return stored.astype(np.float64), ()
    kept = stored & np.array(masks, dtype=stored.dtype)
    return kept.astype(np.float64), ("masked_bits",)


def _by_channel(
    raw: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], layout: Layout
) -> tuple[FloatArray, tuple[str, ...]]:
    values = np.empty((raw.shape[0], len(layout.bits)), dtype=np.float64)
    flags: tuple[str, ...] = ()
    at = 0
    for place, (kind, bits) in enumerate(zip(layout.kinds, layout.bits, strict=True)):
        part = np.ascontiguousarray(raw[:, at : at + bits // 8])
        at += bits // 8
        if kind in _FLOATS:
            values[:, place] = part.view(_dtype(kind, bits, layout.order))[:, 0]
            continue
        column = _whole_numbers(part, layout.order)
        mask = _mask(layout.ranges[place], bits)
        if mask is not None and column.size and int(column.max()) > mask:
            column &= np.uint64(mask)
            flags = ("masked_bits",)
        values[:, place] = column
    return values, flags


def _whole_numbers(
    part: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], order: str
) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Numbers of 1 to 8 bytes, widened to 8."""
    n_events, width = part.shape
    wide = np.zeros((n_events, 8), dtype=np.uint8)
    if order == "<":
        wide[:, :width] = part
    else:
        wide[:, 8 - width :] = part
    return wide.view(f"{order}u8")[:, 0].astype(np.uint64)


def decode_values(values: FloatArray, layout: Layout) -> FloatArray:
    """Undo the logarithmic amplifier: ``10^(decades x / range) * offset`` [1]_.

    Parameters
    ----------
    values : (n_events, n_channels) array
        Stored values; changed in place, because the caller has no further use for them.
    layout : Layout
        With ``$PnE`` and ``$PnR`` of each channel.

    References
    ----------
    .. [1] Spidlen J et al (2010), Cytometry A 77A, 97-100: Data File Standard FCS 3.1, $PnE.
    """
    for place, decades in enumerate(layout.decades):
        range_ = layout.ranges[place]
        if decades > 0 and range_:
            with np.errstate(over="ignore", invalid="ignore"):
                exponent = values[:, place] * (decades / range_)
                values[:, place] = np.power(10.0, exponent) * layout.offsets[place]
    return values
