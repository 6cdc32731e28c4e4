"""Writes a synthetic study to disk: deliveries to a landing folder, the truth to another."""

import json
from dataclasses import fields
from pathlib import Path

import polars as pl

from assayhouse.simulate.calibration import CALIBRATIONS, STUDY
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.individuals import (
    level_table,
    response_table,
    score_table,
    subject_table,
)
from assayhouse.simulate.instrument_record import InstrumentValue
from assayhouse.simulate.pooled import planted_kinetics, pooled_subject_table
from assayhouse.simulate.study import MANIFEST_SUFFIX, SimulatedStudy, Transfer
from assayhouse.simulate.truth import planted_means
from assayhouse.simulate.world import World

_README = f"""Planted truth of the synthetic study {STUDY}.

Everything here and in the deliveries is simulated; no row describes a person. Published values
that the simulation is calibrated to: Lipsky PE et al. (2022), Ann Rheum Dis, tables S1 to S5.

planted_means.csv    mean, log SD and lower limit per analyte, arm and visit
subjects.csv         arm, strata, disease, response, clearance and exposure of every subject
scores.csv           six log2 scores of every subject and visit, and who is high at baseline
levels.csv           every analyte of every subject and visit, as it was and as it was reported
response.csv         planted response rate by arm and subset, and how many responded
kinetics.csv         population parameters of the drug, shared by trial and earlier studies
pooled_subjects.csv  clearance and exposure of every subject of the earlier studies
calibrator_lots.csv  calibrator lots and how much higher the first reads
instrument_values.csv  what each instrument file gives beside what was reported, with planted errors
planted_faults.csv   every planted fault; expected.json holds the same records with their lines
"""


def write_transfer(transfer: Transfer, landing: Path) -> tuple[Path, ...]:
    """Drop the files of a transfer into a landing folder; the manifests come last.

    Returns
    -------
    tuple of Path
        The files written, in the order they were written.
    """
    written = []
    for name in sorted(transfer.files, key=lambda path: (path.endswith(MANIFEST_SUFFIX), path)):
        path = landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(transfer.files[name])
        written.append(path)
    return tuple(written)


def _calibrator_lots() -> pl.DataFrame:
    rows = [
        {
            "paramcd": calibration.assay.paramcd,
            "lot": f"{calibration.assay.paramcd}-C{lot}",
            "reports": reports,
            "reads_higher_by_factor": calibration.lot_factor if lot == 1 else 1.0,
        }
        for calibration in CALIBRATIONS
        for lot, reports in ((1, "1"), (2, "2 3 4"))
    ]
    return pl.DataFrame(rows)


def _faults(study: SimulatedStudy) -> pl.DataFrame:
    rows = []
    for fault in study.faults:
        record = fault.to_dict()
        record["lines"] = " ".join(map(str, fault.lines))
        record["columns"] = " ".join(fault.columns)
        record["keys"] = "; ".join(fault.keys)
        rows.append(record)
    schema = ["fault", "rule", "disposition", "transfer", "layout", "file", "n_rows"]
    schema += ["lines", "columns", "note", "keys"]
    return pl.DataFrame(rows) if rows else pl.DataFrame(schema=dict.fromkeys(schema, pl.String))


def _instrument_values(study: SimulatedStudy) -> pl.DataFrame:
    names = [field.name for field in fields(InstrumentValue)]
    rows = [{name: getattr(item, name) for name in names} for item in study.instrument_values]
    return pl.DataFrame(rows) if rows else pl.DataFrame(schema=dict.fromkeys(names, pl.String))


def write_truth(study: SimulatedStudy, folder: Path) -> tuple[Path, ...]:
    """Write what is true of a synthetic study, as CSV and one JSON of expected findings.

    Parameters
    ----------
    study : SimulatedStudy
        The study.
    folder : Path
        A folder of its own; made when absent.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    SimulationError
        ``folder`` lies in a landing folder, where the pipeline would read the truth.
    """
    if "landing" in folder.resolve().parts:
        message = (
            f"The truth of a synthetic study must not lie under a landing folder: {folder}. "
            f"Nothing was written. Choose a folder beside it."
        )
        raise SimulationError(message)
    folder.mkdir(parents=True, exist_ok=True)
    world = World(study.seed, study.subjects)
    tables = {
        "planted_means.csv": planted_means(),
        "subjects.csv": subject_table(world),
        "scores.csv": score_table(world),
        "levels.csv": level_table(world),
        "response.csv": response_table(world),
        "kinetics.csv": planted_kinetics(),
        "pooled_subjects.csv": pooled_subject_table(study.seed),
        "calibrator_lots.csv": _calibrator_lots(),
        "instrument_values.csv": _instrument_values(study),
        "planted_faults.csv": _faults(study),
    }
    for name, table in tables.items():
        table.write_csv(folder / name)
    expected = [fault.to_dict() for fault in study.faults]
    (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", encoding="utf-8")
    (folder / "README.txt").write_text(_README, encoding="utf-8")
    return tuple(folder / name for name in (*tables, "expected.json", "README.txt"))
