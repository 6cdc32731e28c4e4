"""Capillary electrophoresis: traces of fragment runs, their peaks, ladders, sizes and tables.

Holds the reader of traces and is the door to its siblings: `peaks`, `ladders`, `peak_tables`. It
holds no panel of genes and no expression value.
"""

import datetime as dt
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.abif import Abif, FloatArray, read_directory
from assayhouse.instruments.ladders import LADDERS, Ladder, match_ladder, size_fragments
from assayhouse.instruments.peak_tables import read_peak_table
from assayhouse.instruments.peaks import IntArray, Peaks, find_peaks

__all__ = [
    "LADDERS",
    "Ladder",
    "Peaks",
    "Trace",
    "find_peaks",
    "match_ladder",
    "read_abif",
    "read_peak_table",
    "size_fragments",
]

_RAW = (1, 2, 3, 4, 105, 106)
_ANALYSED = (9, 10, 11, 12, 205, 206)
_BASE_CALLS = ("PBAS", "PLOC", "PCON", "SPAC")
_PEAKS = {"dye": 1, "scan": 2, "height": 7, "area": 10, "size_bp": 12}
_REAGENTS = {"polymer": "SM", "anode_buffer": "AB", "cathode_buffer": "CB", "capillaries": "CA"}
_EXPIRY_FORMS = ("%Y-%m-%d", "%b %d, %Y", "%m/%d/%Y", "%d-%b-%Y")
_FAILED_QUALITY = 0.25
_TEXTS = {
    "instrument": ("MODL", "HCFG"),
    "software": ("SVER",),
    "run_id": ("RunN",),
    "operator": ("User",),
    "sample": ("SpNm",),
    "well": ("TUBE",),
    "plate": ("CTNM",),
    "dye_set": ("DySN",),
    "run_module": ("RMdN", "MODF"),
    "polymer_name": ("GTyp",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One capillary's run.

    Parameters
    ----------
    dyes : tuple of str
        Names in the instrument's order, without blanks; the ladder's dye is the last.
    signal : (n_scans, n_dyes) array
        Analysed channels with their off-scale scans restored; raw ones where there are no others.
    raw : (n_scans, n_dyes) array
        Channels as recorded.
    ladder_name : str or None
        Size standard that the file names.
    sizing_quality : float or None
        0 to 1, by the instrument's software.
    off_scale_scans : (k,) array of int
        Rows in which the camera was saturated, sorted.
    embedded_peaks : polars.DataFrame or None
        Peaks that the file holds: dye (name), scan, height, area (scans), size_bp (null unsized).
    metadata : dict
        Instrument, software, run, operator, sample, reagents.
    flags : tuple of str
        off_scale, no_ladder, sizing_failed, expired_reagent.
    """

    dyes: tuple[str, ...]
    signal: FloatArray
    raw: FloatArray
    ladder_name: str | None = None
    sizing_quality: float | None = None
    off_scale_scans: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    embedded_peaks: pl.DataFrame | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


def read_abif(path: str | os.PathLike[str]) -> Trace:
    """Read the trace of a fragment run.

    Parameters
    ----------
    path : path
        A .fsa or .hid file.

    Returns
    -------
    Trace
        Scans are rows, counted from 0.

    Raises
    ------
    InstrumentFileError
        ``not_abif``, ``truncated``, ``damaged``, ``too_large``, or ``not_a_fragment_run`` for a
        sequencing trace.

    References
    ----------
    .. [1] Applied Biosystems Genetic Analysis Data File Format (2009), tables of ABIF tags.
    """
    abif = read_directory(path)
    if any(abif.has(name) for name in _BASE_CALLS):
        message = "the file holds base calls: it is a sequencing run, give the fragment run"
        raise InstrumentFileError(message, code="not_a_fragment_run")
    dyes = _dyes(abif)
    raw = _channels(abif, _RAW[: len(dyes)])
    if raw is None:
        message = "a raw channel of a dye is missing, so that the run cannot be judged"
        raise InstrumentFileError(message, code="damaged")
    analysed = _channels(abif, _ANALYSED[: len(dyes)])
    signal = raw.copy() if analysed is None else analysed
    if analysed is not None:
        _restore(abif, signal)
    metadata = describe_run(abif)
    trace = Trace(
        dyes=dyes,
        signal=signal,
        raw=raw,
        ladder_name=abif.text("StdF"),
        sizing_quality=_quality(abif),
        off_scale_scans=_off_scale(abif, len(raw)),
        embedded_peaks=_embedded(abif, dyes),
        metadata=metadata,
    )
    return _flagged(trace)


def _flagged(trace: Trace) -> Trace:
    run = trace.metadata["run_datetime"]
    expired = isinstance(run, dt.datetime) and any(
        isinstance(value, dt.date) and value < run.date()
        for name, value in trace.metadata.items()
        if name.endswith("_expiry")
    )
    quality = trace.sizing_quality
    found = {
        "off_scale": len(trace.off_scale_scans) > 0,
        "no_ladder": trace.ladder_name is None,
        "sizing_failed": quality is not None and quality < _FAILED_QUALITY,
        "expired_reagent": expired,
    }
    flags = tuple(name for name, there in found.items() if there)
    values = {name: getattr(trace, name) for name in Trace.__dataclass_fields__}
    return Trace(**{**values, "flags": flags})


def _dyes(abif: Abif) -> tuple[str, ...]:
    declared = abif.number("Dye#")
    present = sum(("DATA", number) in abif.entries for number in _RAW)
    count = present if declared is None else int(declared)
    if not 1 <= count <= len(_RAW):
        message = f"the file declares {count} dyes; runs have 1 to {len(_RAW)}"
        raise InstrumentFileError(message, code="damaged")
    names = [abif.text("DyeN", place) or f"dye {place}" for place in range(1, count + 1)]
    return tuple(names)


def _channels(abif: Abif, numbers: tuple[int, ...]) -> FloatArray | None:
    """Channels side by side; None where one is missing or empty."""
    columns = [abif.numbers("DATA", number) for number in numbers]
    known = [column for column in columns if column is not None and len(column)]
    if len(known) < len(columns):
        return None
    if len({len(column) for column in known}) > 1:
        message = "the channels have different numbers of scans; copy the file again"
        raise InstrumentFileError(message, code="damaged")
    return np.stack(known, axis=1)


def _restore(abif: Abif, signal: FloatArray) -> None:
    """Put back what 16 bits could not hold: rows OvrI have the values OvrV."""
    for place, number in enumerate(_ANALYSED[: signal.shape[1]]):
        rows, values = abif.numbers("OvrI", number), abif.numbers("OvrV", number)
        if rows is None and values is None:
            continue
        if rows is None or values is None or len(rows) != len(values):
            message = f"off-scale rows and values of channel {number} do not belong together"
            raise InstrumentFileError(message, code="damaged")
        if np.any((rows < 0) | (rows >= len(signal))):
            message = f"an off-scale row of channel {number} lies outside the run"
            raise InstrumentFileError(message, code="damaged")
        signal[rows.astype(np.int64), place] = values


def _off_scale(abif: Abif, n_scans: int) -> IntArray:
    parts = [abif.numbers(name, 1) for name in ("OfSc", "Satd")]
    scans = np.concatenate([part for part in parts if part is not None] or [np.empty(0)])
    if np.any((scans < 0) | (scans >= n_scans)):
        message = "a saturated scan lies outside the run"
        raise InstrumentFileError(message, code="damaged")
    return np.unique(scans).astype(np.int64)


def _quality(abif: Abif) -> float | None:
    found = re.match(r"SQ=([0-9]*\.?[0-9]+)", abif.text("SamQ") or "")
    return float(found[1]) if found else None


def _embedded(abif: Abif, dyes: tuple[str, ...]) -> pl.DataFrame | None:
    columns = {name: abif.numbers("Peak", number) for name, number in _PEAKS.items()}
    known = {name: values for name, values in columns.items() if values is not None}
    if len(known) < len(columns):
        return None
    if len({len(values) for values in known.values()}) > 1:
        message = "the columns of the embedded peak table have different lengths"
        raise InstrumentFileError(message, code="damaged")
    names = dict(enumerate(dyes, start=1))
    sizes = known["size_bp"]
    return pl.DataFrame(
        {
            "dye": [names.get(int(number)) for number in known["dye"]],
            "scan": known["scan"].astype(np.int64),
            "height": known["height"],
            "area": known["area"],
            "size_bp": [None if not size >= 0 else float(size) for size in sizes],
        },
        schema={
            "dye": pl.String,
            "scan": pl.Int64,
            "height": pl.Float64,
            "area": pl.Float64,
            "size_bp": pl.Float64,
        },
    )


def describe_run(abif: Abif) -> dict[str, object]:
    """Say who ran what, when, with which reagents.

    Parameters
    ----------
    abif : Abif
        Directory of the file.

    Returns
    -------
    dict
        Texts, dates or None by name.
    """
    found: dict[str, object] = {
        name: next((text for tag in tags if (text := abif.text(tag))), None)
        for name, tags in _TEXTS.items()
    }
    serial = re.search(r"SerialNumber=([^;]+)", abif.text("HCFG", 4) or "")
    found["serial_number"] = serial[1].strip() if serial else None
    found["run_datetime"] = abif.moment(1)
    for name, tag in _REAGENTS.items():
        found[f"{name}_lot"] = abif.text(f"{tag}Lt")
        found[f"{name}_expiry"] = _day(abif.text(f"{tag}ED") or "")
    return found


def _day(text: str) -> dt.date | None:
    for form in _EXPIRY_FORMS:
        for part in (text, text.split(" ", 1)[0]):
            try:
                return dt.datetime.strptime(part, form).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
    return None
