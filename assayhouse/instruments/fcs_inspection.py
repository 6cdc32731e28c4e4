"""FCS files for the registry: who measured what, when, and what the events look like."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.fcs import FcsFile, read_fcs
from assayhouse.instruments.fcs_layout import DataSet, read_data_sets
from assayhouse.instruments.registry import FloatArray, Inspection, Picture, Series

_FORMATS = {b"FCS2.0": "fcs2.0", b"FCS3.0": "fcs3.0", b"FCS3.1": "fcs3.1", b"FCS3.2": "fcs3.2"}
_DRAWN_EVENTS = 20_000
_DATES = ("%d-%b-%Y", "%Y-%b-%d", "%d-%b-%y", "%Y-%m-%d")
_KEYS = {
    "instrument": ("$CYT",),
    "serial_number": ("$CYTSN", "CYTNUM"),
    "software": ("$SYS", "CREATOR", "SOFTWARE"),
    "run_id": ("EXPERIMENT NAME", "$EXP", "$PROJ", "$FIL"),
    "operator": ("$OP",),
}


def recognise(head: bytes, path: Path) -> str | None:  # noqa: ARG001 - the registry's signature
    """Name the version of an FCS file from its first six bytes."""
    return _FORMATS.get(head[:6])


def inspect(path: Path) -> Inspection:
    """Say what is in an FCS file; one that is refused is described by its keywords."""
    with path.open("rb") as file:
        kind = _FORMATS[file.read(6)]
    try:
        data_sets = read_data_sets(path.read_bytes())
    except InstrumentFileError as error:
        return Inspection(format=kind, flags=(error.code,), metadata={"refusal": str(error)})
    metadata = _metadata(data_sets[0])
    try:
        fcs = read_fcs(path, data_set=1)
    except InstrumentFileError as error:
        several = ("multiple_data_sets",) if len(data_sets) > 1 else ()
        flags = tuple(dict.fromkeys((*several, *data_sets[0].flags, error.code)))
        return Inspection(format=kind, flags=flags, metadata=metadata | {"refusal": str(error)})
    return Inspection(
        format=kind,
        flags=fcs.flags,
        metadata=metadata | {"n_events": fcs.n_events, "n_data_sets": fcs.n_data_sets},
        tables={"channels": _channels(fcs)},
        picture=_picture(fcs),
    )


def _metadata(data_set: DataSet) -> dict[str, object]:
    found: dict[str, object] = {
        name: next((data_set.keywords[key] for key in keys if data_set.keywords.get(key)), None)
        for name, keys in _KEYS.items()
    }
    found["run_datetime"] = _moment(data_set.keywords)
    found["version"] = data_set.version
    return found


def _moment(keywords: dict[str, str]) -> dt.datetime | str | None:
    """Begin of the run; as text where the date is not one of the usual forms."""
    day, time = keywords.get("$DATE"), keywords.get("$BTIM", "")
    if not day:
        return None
    for form in _DATES:
        try:
            clock = time[:8] or "00:00:00"
            return dt.datetime.strptime(f"{day} {clock}", f"{form} %H:%M:%S")  # noqa: DTZ007 - local
        except ValueError:
            continue
    return f"{day} {time}".strip()


def _channels(fcs: FcsFile) -> pl.DataFrame:
    some = fcs.n_events > 0
    middle = np.median(fcs.events, axis=0) if some else np.full(len(fcs.channels), np.nan)
    return pl.DataFrame(
        {
            "channel": fcs.channels,
            "marker": fcs.markers,
            "lowest": fcs.events.min(axis=0) if some else middle,
            "median": middle,
            "highest": fcs.events.max(axis=0) if some else middle,
        },
        schema={
            "channel": pl.String,
            "marker": pl.String,
            "lowest": pl.Float64,
            "median": pl.Float64,
            "highest": pl.Float64,
        },
    )


def _picture(fcs: FcsFile) -> Picture | None:
    places = _drawn_channels(fcs.channels)
    if len(places) < 2 or not fcs.n_events:
        return None
    step = max(1, -(-fcs.n_events // _DRAWN_EVENTS))
    x, y = (np.ascontiguousarray(fcs.events[::step, place]) for place in places)
    finite = np.isfinite(x) & np.isfinite(y)
    names = [fcs.channels[place] for place in places]
    return Picture(
        kind="density",
        title=f"{names[1]} against {names[0]}",
        x_label=f"{names[0]} (channel value)",
        y_label=f"{names[1]} (channel value)",
        series=(Series(label="events", x=_kept(x, finite), y=_kept(y, finite)),),
        note=f"{int(finite.sum())} of {fcs.n_events} events" if step > 1 else "all events",
    )


def _kept(values: FloatArray, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    return values[mask]


def _drawn_channels(channels: tuple[str, ...]) -> list[int]:
    """Forward and side scatter where they are, else the first two channels that are not time."""
    words = [("FSC", "FS ", "FORSC"), ("SSC", "SS ", "ORTHSC")]
    found = [
        next((n for n, name in enumerate(channels) if name.upper().startswith(word)), None)
        for word in words
    ]
    if None not in found:
        return [place for place in found if place is not None]
    return [n for n, name in enumerate(channels) if name.upper() != "TIME"][:2]
