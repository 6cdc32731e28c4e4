"""Plate exports and qPCR runs of the synthetic laboratories, with errors of the laboratory."""

from collections.abc import Mapping, Sequence

import numpy as np

from assayhouse.simulate.calibration import STUDY
from assayhouse.simulate.epigenetics import ASSAYS, COPY_FACTOR, CURVE
from assayhouse.simulate.instrument_record import (
    DILUTION,
    EDITED,
    READER,
    RUNS,
    SEX_FACTOR,
    SWAPPED,
    InstrumentFile,
    InstrumentValue,
    records,
)
from assayhouse.simulate.layouts import PLATES, RESULTS, WELLS, Row, render
from assayhouse.simulate.rdml_file import Reaction, Run, rdml_bytes
from assayhouse.simulate.streams import FloatArray, choose, normals
from assayhouse.simulate.vendor_layouts import EPIGENETIC

PLATE_AT, RUN_AT = 1, 1
PLATE, RUN = "BLYS-101", "FOXP3-101"
EDITED_BY, SIGNALS = 1.4, ("DE", "EP", "TP")
SPECIMENS, WELL_COUNT, CYCLES = 10, 3, 40
REFERENCE, REFERENCE_CURVE = "GAPDH", (37.2, -3.35)
STANDARDS = {f"S{place}": 10.0**place for place in range(1, 7)}
LEAST_RATIO = 1.5
"""Values of specimens that are exchanged differ by more than this factor."""


def plate_files(
    seed: int, number: int, results: Sequence[Row], wells: Sequence[Row], plates: Sequence[Row]
) -> list[InstrumentFile]:
    """Make the plate export of a transfer: one plate with all its wells.

    Parameters
    ----------
    seed : int
        Seed of the study.
    number : int
        Transfer.
    results, wells, plates : sequence of rows
        What the three layouts of the laboratory report of the transfer's visit.
    """
    if number != PLATE_AT:
        return []
    plate = next(row for row in records(PLATES, plates) if row["PLATEID"] == PLATE)
    own = [row for row in records(WELLS, wells) if row["PLATEID"] == PLATE]
    masked = {row["ACCNO"] for row in own if row["MASKED"]}
    reported = {
        row["ACCNO"]: float(row["ORRES"])
        for row in records(RESULTS, results)
        if row["PLATEID"] == PLATE and row["STATUS"] == "F" and row["BLQFL"] == "N"
    }
    sound = [name for name in reported if name not in masked]
    factor = float(next(r["DILUTION"] for r in records(RESULTS, results) if r["PLATEID"] == PLATE))
    errors = _errors(seed, "plate", {name: reported[name] for name in sound}, (DILUTION, EDITED))
    times = {DILUTION: factor, EDITED: 1.0 / EDITED_BY}
    partner = _partners(errors)
    name = f"{STUDY}_singulex-reader_{PLATE}.csv"
    lines = [_well(row, plate, errors, times, partner) for row in own]
    values = [
        InstrumentValue(
            layout=READER.full_name,
            file=name,
            refid=specimen,
            testcd=plate["PARAMCD"],
            reported=value,
            true=reported[partner.get(specimen, specimen)]
            * times.get(errors.get(specimen, ""), 1.0),
            error=errors.get(specimen, ""),
        )
        for specimen, value in reported.items()
    ]
    content = render(WELLS, lines, report=number)
    return [InstrumentFile(layout=READER, name=name, content=content, values=tuple(values))]


def _errors(
    seed: int, word: str, reported: Mapping[str, float], single: Sequence[str]
) -> dict[str, str]:
    """Choose the specimens with errors: one for each single error, and two that are exchanged."""
    names = sorted(reported)
    places = choose(
        seed, "instrument", word, candidates=list(range(len(names))), size=len(single) + 1
    )
    chosen = [names[place] for place in places]
    first = chosen[-1]
    for other in names:
        ratio = reported[other] / reported[first]
        if other not in chosen and max(ratio, 1.0 / ratio) > LEAST_RATIO:
            errors = dict(zip(chosen[:-1], single, strict=True))
            return errors | {first: SWAPPED, other: SWAPPED}
    return dict(zip(chosen[:-1], single, strict=True))


def _partners(errors: Mapping[str, str]) -> dict[str, str]:
    swapped = [name for name, error in errors.items() if error == SWAPPED]
    return dict(zip(swapped, swapped[::-1], strict=True))


def _well(
    row: Mapping[str, str],
    plate: Mapping[str, str],
    errors: Mapping[str, str],
    times: Mapping[str, float],
    partner: Mapping[str, str],
) -> Row:
    """One line of the export: what the reader saw, without the laboratory's concentration."""
    cells = dict(row)
    specimen = row["ACCNO"]
    # Who stands beside a well that was exchanged is the other specimen.
    cells["ACCNO"] = partner.get(specimen, specimen)
    factor = times.get(errors.get(specimen, ""), 1.0)
    if factor != 1.0:
        seen = _signals(plate, factor * float(row["CONC"]))
        cells |= {name: str(value) for name, value in zip(SIGNALS, seen, strict=True)}
    cells["CONC"] = ""
    return [cells[name] for name in WELLS.columns]


def _signals(plate: Mapping[str, str], concentration: float) -> list[int]:
    """Count as the reader does at a concentration on the plate, by the plate's own curves."""
    found = []
    for name in SIGNALS:
        a, b, c, d = (float(plate[f"{name}_{letter}"]) for letter in "ABCD")
        found.append(round(d + (a - d) / (1.0 + (concentration / c) ** b)))
    return found


def run_files(seed: int, number: int, rows: Sequence[Row]) -> list[InstrumentFile]:
    """Make the qPCR run of a transfer: standards, and some of the run's specimens."""
    if number != RUN_AT:
        return []
    own = [
        row
        for row in records(EPIGENETIC, rows)
        if row["ASSAYRUN"] == RUN and row["STATUS"] == "F" and row["BLQFL"] == "N"
    ][:SPECIMENS]
    reported = {row["ACCNO"]: float(row["ORRES"]) for row in own}
    women = {row["ACCNO"]: float(row["ORRES"]) for row in own if row["SEXUSED"] == "F"}
    errors = _errors(seed, "run", women, (SEX_FACTOR,))
    partner = _partners(errors)
    testcd = own[0]["PARAMCD"]
    # The laboratory has applied the factor to the copies, and once more to their ratio.
    times = {SEX_FACTOR: 1.0 / COPY_FACTOR[testcd]}
    name = f"{STUDY}_epiontis-runs_{RUN}.rdml"
    reactions = _standards(seed, testcd)
    for row in own:
        specimen = partner.get(row["ACCNO"], row["ACCNO"])
        reactions += _specimen(specimen, row, times.get(errors.get(row["ACCNO"], ""), 1.0))
    values = [
        InstrumentValue(
            layout=RUNS.full_name,
            file=name,
            refid=specimen,
            testcd=testcd,
            reported=value,
            true=reported[partner.get(specimen, specimen)]
            * times.get(errors.get(specimen, ""), 1.0),
            error=errors.get(specimen, ""),
        )
        for specimen, value in reported.items()
    ]
    run = Run(
        name=RUN,
        instrument="CYCLER-01",
        moment=f"{own[0]['COLDTM'][:10]}T18:00",
        operator="SYNTHETIC",
        standards=STANDARDS,
        reactions=reactions,
    )
    content = rdml_bytes(run)
    return [InstrumentFile(layout=RUNS, name=name, content=content, values=tuple(values))]


def _cycle(curve: tuple[float, float], copies: float) -> float:
    return curve[0] + curve[1] * float(np.log10(copies))


def _amplification(cq: float) -> FloatArray:
    cycles = np.arange(1.0, CYCLES + 1.0)
    return np.asarray(120.0 + 9_000.0 / (1.0 + np.exp(-(cycles - cq - 3.0) / 1.3)))


def _reaction(sample: str, target: str, cq: float) -> Reaction:
    return Reaction(sample=sample, target=target, cq=cq, curve=_amplification(cq))


def _standards(seed: int, testcd: str) -> list[Reaction]:
    curves = {ASSAYS[testcd]: CURVE[testcd], REFERENCE: REFERENCE_CURVE}
    noise = normals(seed, "qpcr-standards", RUN, rows=len(STANDARDS), columns=2 * len(curves))
    made = []
    for place, (sample, copies) in enumerate(STANDARDS.items()):
        for column, (target, curve) in enumerate(curves.items()):
            for replicate in range(2):
                error = 0.01 * float(np.clip(noise[place, 2 * column + replicate], -2, 2))
                made.append(_reaction(sample, target, _cycle(curve, copies) + error))
    return made


def _specimen(specimen: str, row: Mapping[str, str], factor: float) -> list[Reaction]:
    testcd, made = row["PARAMCD"], []
    for well in range(1, WELL_COUNT + 1):
        target = factor * float(row[f"COPT{well}"])
        made.append(_reaction(specimen, ASSAYS[testcd], _cycle(CURVE[testcd], target)))
        reference = float(row[f"COPREF{well}"])
        made.append(_reaction(specimen, REFERENCE, _cycle(REFERENCE_CURVE, reference)))
    return made
