"""Flow Cytometry Standard files, versions 2.0 to 3.2: events, channels, keywords, spillover.

Sizes and offsets are checked before a byte of DATA is read; a file that is not whole is refused.
No compensation, no gain, no transformation.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.fcs_data import (
    FloatArray,
    decode_values,
    read_count,
    read_layout,
    read_values,
)
from assayhouse.instruments.fcs_layout import (
    DataSet,
    locate_data,
    number,
    read_data_sets,
    refuse_text_conversion,
)
from assayhouse.instruments.registry import PathLike

_SPILLOVER_KEYS = ("$SPILLOVER", "SPILL", "SPILLOVER", "$SPILL", "$COMP", "COMP")


@dataclass(frozen=True, slots=True, kw_only=True)
class FcsFile:
    """One data set of an FCS file.

    Parameters
    ----------
    version : str
        ``2.0``, ``3.0``, ``3.1`` or ``3.2``.
    channels : tuple of str
        ``$PnN``, made unique by the suffixes ``_2``, ``_3``.
    markers : tuple of str or None
        ``$PnS``, None where the file has none.
    keywords : dict
        TEXT, keys in capitals, values without blanks around them.
    n_events : int
        Number of events.
    events : (n_events, n_channels) array
        Decoded: ``$PnR`` mask and ``$PnE`` applied, no gain; stored values where asked.
    spillover : (k, k) array or None
        Spillover matrix of the file, rows and columns in the order of ``spillover_channels``.
    spillover_channels : tuple of str
        Its channels as the file names them.
    volume_nl : float or None
        ``$VOL``, nanolitres.
    flags : tuple of str
        Quirks in order of discovery.
    n_data_sets : int
        Data sets in the file; this is one of them.
    """

    version: str
    channels: tuple[str, ...]
    markers: tuple[str | None, ...]
    keywords: dict[str, str]
    n_events: int
    events: FloatArray
    spillover: FloatArray | None = None
    spillover_channels: tuple[str, ...] = ()
    volume_nl: float | None = None
    flags: tuple[str, ...] = ()
    n_data_sets: int = 1


def read_fcs(path: PathLike, *, data_set: int | None = None, decode: bool = True) -> FcsFile:
    """Read one data set of an FCS file.

    Parameters
    ----------
    path : path
        The file; its name is not looked at.
    data_set : int, optional
        Which data set, counted from 1; must be given where the file holds several.
    decode : bool
        Undo the logarithmic amplifier (``$PnE``); False gives the stored values after the
        ``$PnR`` mask.

    Raises
    ------
    InstrumentFileError
        The file is not whole, contradicts itself or uses what is not read; ``code`` says which.

    References
    ----------
    .. [1] Spidlen J et al (2010), Cytometry A 77A, 97-100: Data File Standard FCS 3.1.
    .. [2] Spidlen J et al (2021), Cytometry A 99A, 100-102: Data File Standard FCS 3.2.
    """
    content = Path(path).read_bytes()
    data_sets = read_data_sets(content)
    chosen = _chosen(data_sets, data_set)
    refuse_text_conversion(content, chosen)
    layout = read_layout(chosen.keywords, chosen.version)
    n_events = read_count(chosen.keywords, "$TOT")
    begin, n_events, found = locate_data(chosen, layout.event_bytes, n_events)
    values, masked = read_values(content, layout, begin, n_events) if n_events else (None, ())
    if values is None:
        values = np.empty((0, len(layout.bits)), dtype=np.float64)
    channels, duplicated = _channels(chosen.keywords, len(layout.bits))
    spillover, spillover_channels, odd = _spillover(chosen.keywords)
    flags = (
        *(("multiple_data_sets",) if len(data_sets) > 1 else ()),
        *chosen.flags,
        *found,
        *layout.flags,
        *masked,
        *duplicated,
        *odd,
    )
    return FcsFile(
        version=chosen.version,
        channels=channels,
        markers=tuple(
            chosen.keywords.get(f"$P{place}S") or None for place in range(1, len(channels) + 1)
        ),
        keywords=chosen.keywords,
        n_events=n_events,
        events=decode_values(values, layout) if decode else values,
        spillover=spillover,
        spillover_channels=spillover_channels,
        volume_nl=_volume(chosen.keywords.get("$VOL")),
        flags=tuple(dict.fromkeys(flags)),
        n_data_sets=len(data_sets),
    )


def _chosen(data_sets: tuple[DataSet, ...], place: int | None) -> DataSet:
    if place is None and len(data_sets) == 1:
        return data_sets[0]
    if place is None or not 1 <= place <= len(data_sets):
        message = (
            f"the file holds {len(data_sets)} data set(s); say which with "
            f"data_set=1 to {len(data_sets)}"
        )
        raise InstrumentFileError(message, code="multiple_data_sets")
    return data_sets[place - 1]


def _channels(keywords: dict[str, str], n_channels: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the channels; a repeated one gets the next free suffix."""
    given = [keywords.get(f"$P{place}N") or f"P{place}" for place in range(1, n_channels + 1)]
    taken = set(given)
    seen: dict[str, int] = {}
    names: list[str] = []
    for name in given:
        seen[name] = seen.get(name, 0) + 1
        unique = name
        while seen[name] > 1 and (unique := f"{name}_{seen[name]}") in taken:
            seen[name] += 1
        taken.add(unique)
        names.append(unique)
    return tuple(names), ("duplicate_channel_names",) if names != given else ()


def _spillover(
    keywords: dict[str, str],
) -> tuple[FloatArray | None, tuple[str, ...], tuple[str, ...]]:
    for key in _SPILLOVER_KEYS:
        if keywords.get(key):
            parts = [part.strip() for part in keywords[key].split(",")]
            size = number(parts[0]) or 0
            if not size:
                continue
            names = tuple(_channel_name(keywords, name) for name in parts[1 : 1 + size])
            if len(parts) == 1 + size:  # some instruments name channels and give no matrix
                return None, names, ()
            matrix = _square(parts[1 + size :], size)
            return (matrix, names, ()) if matrix is not None else (None, (), ("damaged",))
    return None, (), ()


def _channel_name(keywords: dict[str, str], name: str) -> str:
    """Name of a channel; some files number their channels here instead."""
    return keywords.get(f"$P{name}N", name) if name.isdecimal() else name


def _square(parts: list[str], size: int) -> FloatArray | None:
    try:
        values = [float(part) for part in parts]
    except ValueError:
        return None
    if len(values) != size * size or not all(map(math.isfinite, values)):
        return None
    return np.array(values, dtype=np.float64).reshape(size, size)


def _volume(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None
