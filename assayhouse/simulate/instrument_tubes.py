"""FCS files of the synthetic flow cytometry laboratory, for a few of its tubes."""

from collections.abc import Mapping, Sequence

from assayhouse.simulate.calibration import STUDY
from assayhouse.simulate.cytometry import DUAL
from assayhouse.simulate.fcs_file import fcs_bytes
from assayhouse.simulate.instrument_cells import BESIDE_ROOT, CHANNELS, STAINS, tube_events
from assayhouse.simulate.instrument_record import (
    DILUTION,
    FCS,
    InstrumentFile,
    InstrumentValue,
    by_specimen,
    records,
)
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.streams import choose
from assayhouse.simulate.vendor_layouts import FLOW

TUBES = {1: (("B", ""), ("T-NK", DILUTION)), 2: (("B", ""),)}
"""Tubes by transfer: panel and planted error."""
FORGOTTEN = 2.0
"""Dilution that the laboratory did not enter."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tube_files(seed: int, number: int, rows: Sequence[Row]) -> list[InstrumentFile]:
    """Make the FCS files of a transfer.

    Parameters
    ----------
    seed : int
        Seed of the study.
    number : int
        Transfer.
    rows : sequence of rows
        What ``covance_flow.results`` reports of the transfer's visit.
    """
    found = []
    for panel, error in TUBES.get(number, ()):
        reported = [row for row in records(FLOW, rows) if row["PANEL"] == panel]
        tubes = {name: each for name, each in by_specimen(reported).items() if _fits(each)}
        places = choose(
            seed, "instrument", panel, str(number), candidates=list(range(len(tubes))), size=1
        )
        accession = list(tubes)[places[0]]
        found.append(_file(seed, panel, error, accession, tubes[accession]))
    return found


def _counts(tube: Sequence[Mapping[str, str]]) -> dict[str, int]:
    counts = {row["TESTCD"]: int(row["EVT"]) for row in tube}
    whole = next(row for row in tube if row["PARENT"] == "LYMPH")
    beads = next(row for row in tube if row["BEADEVT"])
    return counts | {"lymphocytes": int(whole["EVTPAR"]), "beads": int(beads["BEADEVT"])}


def _fits(tube: Sequence[Mapping[str, str]]) -> bool:
    """Whether every population has a number, and all find room among the lymphocytes."""
    if any(row["STATUS"] != "F" or row["BLQFL"] == "Y" for row in tube):
        return False
    parents = {row["EVTPAR"] for row in tube if row["PARENT"] == "LYMPH"}
    counts, stain = _counts(tube), STAINS[tube[0]["PANEL"]]
    beside = sum(counts.get(name, 0) for name in BESIDE_ROOT)
    inside = sum(counts.get(name, 0) for name in stain.exclusive)
    room = counts[stain.root] + beside <= counts["lymphocytes"] and inside <= counts[stain.root]
    return len(parents) == 1 and room


def _file(
    seed: int, panel: str, error: str, accession: str, tube: Sequence[Mapping[str, str]]
) -> InstrumentFile:
    first = next(row for row in tube if row["BEADEVT"])
    dilution = FORGOTTEN if error == DILUTION else float(first["DIL"])
    name = f"{STUDY}_{accession}_{panel}.fcs"
    year, month, day = first["ACQDTM"][:10].split("-")
    keywords = {
        "$CYT": first["INSTR"],
        "$OP": first["OPER"],
        "$DATE": f"{day}-{MONTHS[int(month) - 1].upper()}-{year}",
        "$BTIM": f"{first['ACQDTM'][11:16]}:00",
        "$ETIM": f"{first['ACQDTM'][11:16]}:59",
        "$SMNO": accession,
        "$FIL": name,
        "$TIMESTEP": "0.01",
        "$COM": "SYNTHETIC",
        "EXPERIMENT NAME": first["RUNNO"],
        "TUBE NAME": panel,
        "BEAD LOT": first["BEADLOT"],
        "BEADS PER TUBE": first["BEADCNT"],
        "SAMPLE VOLUME": first["SAMPVOL"],
        "DILUTION": f"{dilution:g}",
    }
    events = tube_events(seed, (accession, panel), panel, _counts(tube))
    values = [
        InstrumentValue(
            layout=FCS.full_name,
            file=name,
            refid=accession,
            testcd=row["TESTCD"],
            reported=float(row["ORRES"]),
            # A count on two platforms is a share of the blood count: no dilution is in it.
            true=float(row["ORRES"]) * (1.0 if row["TESTCD"] == DUAL else dilution),
            error="" if row["TESTCD"] == DUAL else error,
        )
        for row in tube
    ]
    return InstrumentFile(
        layout=FCS,
        name=name,
        content=fcs_bytes(events, CHANNELS, STAINS[panel].markers, keywords),
        values=tuple(values),
    )
