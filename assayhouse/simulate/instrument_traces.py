"""Electropherograms of the synthetic expression laboratory, for a few of its specimens."""

from collections.abc import Mapping, Sequence

import numpy as np

from assayhouse.simulate.abif_file import (
    Tag,
    abif_bytes,
    long_tag,
    moment_tags,
    short_tag,
    signal_tags,
    text_tag,
)
from assayhouse.simulate.calibration import STUDY
from assayhouse.simulate.instrument_record import (
    FSA,
    SWAPPED,
    InstrumentFile,
    InstrumentValue,
    by_specimen,
    records,
)
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.streams import FloatArray, choose, normals
from assayhouse.simulate.vendor_layouts import EXPRESSION

SWAPPED_AT, SOUND_AT = 1, 2
DYES = ("6-FAM", "VIC", "NED", "PET", "LIZ")
LADDER = (
    *(60, 80, 100, 114, 120, 140, 160, 180, 200, 214, 220, 240, 250, 260, 280, 300, 314, 320),
    *(340, 360, 380, 400, 414, 420, 440, 460, 480, 500, 514, 520, 540, 560, 580, 600),
)
"""Fragments of the size standard GS600LIZ."""
SCANS, WIDTH, LADDER_HEIGHT, NOISE = 4_600, 3.5, 1_500.0, 1.2
RFU_PER_AREA = 0.4
CEILING = 32_767


def trace_files(seed: int, number: int, rows: Sequence[Row]) -> list[InstrumentFile]:
    """Make the traces of a transfer: two whose capillaries were exchanged, then a sound one."""
    if number not in (SWAPPED_AT, SOUND_AT):
        return []
    specimens = by_specimen(list(records(EXPRESSION, rows)))
    size = 2 if number == SWAPPED_AT else 1
    places = choose(
        seed, "instrument", "trace", str(number), candidates=list(range(len(specimens))), size=size
    )
    chosen = [list(specimens)[place] for place in places]
    measured = chosen[::-1]
    return [
        _file(seed, name, specimens[name], specimens[other], error=SWAPPED if size > 1 else "")
        for name, other in zip(chosen, measured, strict=True)
    ]


def _scan(size_bp: float) -> float:
    """Scan at which a fragment passes; long ones are slower."""
    return 500.0 + 5.4 * size_bp + 1.2e-3 * size_bp**2


def _trace(
    seed: int, accession: str, peaks: Sequence[tuple[int, float, float]]
) -> list[FloatArray]:
    """Channels of a run; ``peaks``: place of the dye, size in bp, height."""
    x = np.arange(SCANS, dtype=np.float64)
    noise = NOISE * normals(seed, "baseline", accession, rows=SCANS, columns=len(DYES))
    channels = [np.abs(noise[:, place]) for place in range(len(DYES))]
    for dye, size, height in peaks:
        centre = _scan(size)
        near = slice(int(centre) - 40, int(centre) + 41)
        channels[dye][near] += height * np.exp(-0.5 * ((x[near] - centre) / WIDTH) ** 2)
    return channels


def _file(
    seed: int,
    accession: str,
    reported: Sequence[Mapping[str, str]],
    measured: Sequence[Mapping[str, str]],
    *,
    error: str,
) -> InstrumentFile:
    first = reported[0]
    name = f"{STUDY}_{accession}_{first['WELL']}.fsa"
    peaks = [
        ("BGYR".index(row["DYE"]), float(row["SIZEBP"]), RFU_PER_AREA * float(row["AREA"]))
        for row in measured
    ]
    peaks += [(len(DYES) - 1, float(size), LADDER_HEIGHT) for size in LADDER]
    channels = _trace(seed, accession, peaks)
    truth = {row["GENE"]: row for row in measured}
    values = [
        InstrumentValue(
            layout=FSA.full_name,
            file=name,
            refid=accession,
            testcd=row["GENE"],
            reported=float(row["NORMVAL"]),
            true=float(truth[row["GENE"]]["NORMVAL"]),
            scale=row["SCALE"],
            error=error,
        )
        for row in reported
        if row["NORMVAL"]
    ]
    return InstrumentFile(
        layout=FSA,
        name=name,
        content=abif_bytes(_tags(accession, first, channels)),
        values=tuple(values),
    )


def _tags(accession: str, first: Mapping[str, str], channels: Sequence[FloatArray]) -> list[Tag]:
    run = f"{first['RECDTM'][:10]}T20:00"
    saturated = np.flatnonzero(np.max(channels[:-1], axis=0) > CEILING).astype(np.int64)
    tags = [
        short_tag("Dye#", 1, [len(DYES)]),
        *(text_tag("DyeN", place, dye) for place, dye in enumerate(DYES, start=1)),
        *(tag for place, channel in enumerate(channels) for tag in signal_tags(place, channel)),
        text_tag("SpNm", 1, accession),
        text_tag("TUBE", 1, first["WELL"]),
        text_tag("CTNM", 1, first["PLATEID"], kind="cstring"),
        text_tag("RunN", 1, first["BATCHID"], kind="cstring"),
        text_tag("MODL", 1, "3500", kind="cstring"),
        text_tag("HCFG", 3, first["INSTR"], kind="cstring"),
        text_tag("CMNT", 1, "SYNTHETIC"),
        text_tag("StdF", 1, "GS600LIZ"),
        text_tag("SamQ", 1, "SQ=0.98,SQLevel=1", kind="cstring"),
        *moment_tags(run, 1),
    ]
    return tags if not len(saturated) else [*tags, long_tag("OfSc", 1, saturated)]
