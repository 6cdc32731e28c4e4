"""A results file of any length, for measuring intake. Valid by contract, faultless, synthetic."""

from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.simulate.calibration import CALIBRATIONS, STUDY, SUBJECTS_PER_ARM
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.layouts import RESULTS_COLUMNS, preamble, trailer
from assayhouse.simulate.streams import stream
from assayhouse.simulate.subjects import draw_subjects, visit_dates

CHUNK_ROWS = 120_000
FIRST_ACCESSION = 10_000_001
SPECIMENS_PER_PLATE = 25


def _decimal_text(values: pl.Expr) -> pl.Expr:
    # Two decimals keep every number in the grammar and out of exponents.
    return values.round(2).cast(pl.Decimal(18, 2)).cast(pl.String)


def _analytes() -> pl.DataFrame:
    rows = [
        {
            "PARAMCD": calibration.assay.paramcd,
            "ANALYTE": calibration.assay.label,
            "DILUTION": str(calibration.assay.dilution),
            "ULOQ": f"{calibration.assay.uloq:g}",
            "LLOQ": f"{calibration.lloq[1]:g}",
            "limit": float(calibration.lloq[1]),
            "median": float(max(calibration.means[0, 1], 4.0 * calibration.lloq[1])),
        }
        for calibration in CALIBRATIONS
    ]
    return pl.DataFrame(rows).with_row_index("analyte")


def _roster(seed: int) -> pl.DataFrame:
    subjects = draw_subjects(seed, SUBJECTS_PER_ARM)
    days = visit_dates(seed, subjects)[:, 1].astype(str)
    return pl.DataFrame({"SUBJID": subjects.subjid, "day": days}).with_row_index("subject")


def _chunk(
    analytes: pl.DataFrame,
    roster: pl.DataFrame,
    generator: np.random.Philox,
    *,
    first: int,
    rows: int,
) -> pl.DataFrame:
    draws = np.random.Generator(generator).standard_normal(rows)
    number = np.arange(first, first + rows)
    specimen = number // len(analytes)
    frame = pl.DataFrame({"specimen": specimen, "z": draws}).with_columns(
        pl.Series("analyte", number % len(analytes), dtype=pl.UInt32),
        pl.Series("subject", specimen % len(roster), dtype=pl.UInt32),
    )
    frame = frame.join(analytes, on="analyte", how="left", maintain_order="left")
    frame = frame.join(roster, on="subject", how="left", maintain_order="left")
    level = (pl.col("median") * (0.6 * pl.col("z").clip(-4, 4)).exp()).clip(0.01)
    frame = frame.with_columns(level.round(2).alias("level"))
    return frame.with_columns(low=pl.col("level") < pl.col("limit"))


def _columns() -> list[pl.Expr]:
    number, low = _decimal_text(pl.col("level")), pl.col("low")
    absent = pl.lit("")
    made = {
        "STUDYID": pl.lit(STUDY),
        "SITEID": pl.col("SUBJID").str.slice(0, 3),
        "VISIT": pl.lit("WEEK 4"),
        "ACCNO": pl.format("SGX{}", pl.col("specimen") + FIRST_ACCESSION),
        "COLDTM": pl.format("{}T08:30", pl.col("day")),
        "MATRIX": pl.lit("PLASMA EDTA"),
        "KITLOT": pl.format("{}-K2", pl.col("PARAMCD")),
        "CALLOT": pl.format("{}-C2", pl.col("PARAMCD")),
        "PLATEID": pl.format(
            "{}-B{}", pl.col("PARAMCD"), pl.col("specimen") // SPECIMENS_PER_PLATE + 1
        ),
        "RUNDT": pl.lit("2018-10-01"),
        "ORRES": pl.when(low).then(pl.format("<{}", pl.col("LLOQ"))).otherwise(number),
        "ORRESU": pl.lit("pg/mL"),
        "DILAPPL": pl.lit("Y"),
        "NREP": pl.lit("3"),
        "MEANCONC": pl.when(low).then(absent).otherwise(number),
        "SDCONC": pl.when(low).then(absent).otherwise(_decimal_text(pl.col("level") * 0.05)),
        "CVPCT": pl.when(low).then(absent).otherwise(pl.lit("5.00")),
        "BLQFL": pl.when(low).then(pl.lit("Y")).otherwise(pl.lit("N")),
        "EXTRAPFL": pl.lit("N"),
        "FREEZETHAW": pl.lit("1"),
        "HEMOL": pl.lit("0"),
        "STATUS": pl.lit("F"),
        "REASND": absent,
        "COMMENT": absent,
        "REPORTNO": pl.lit("2"),
    }
    return [made.get(name, pl.col(name)).alias(name) for name in RESULTS_COLUMNS]


def write_bulk_results(path: Path, *, rows: int, seed: int) -> Path:
    """Write a results file of ``rows`` rows, chunk by chunk: memory does not grow with it.

    Parameters
    ----------
    path : Path
        File to write; its folder must exist.
    rows : int
        Data rows, at least one.
    seed : int
        Also the seed of the study whose subjects the rows name, so that they are in its roster.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SimulationError
        Fewer than one row.
    """
    if rows < 1:
        message = f"A results file needs at least one row, asked for {rows}. Nothing was written."
        raise SimulationError(message)
    analytes, roster = _analytes(), _roster(seed)
    generator, columns = stream(seed, "bulk"), _columns()
    with path.open("wb") as file:
        file.write(preamble(2).encode())
        for first in range(0, rows, CHUNK_ROWS):
            size = min(CHUNK_ROWS, rows - first)
            chunk = _chunk(analytes, roster, generator, first=first, rows=size).select(columns)
            chunk.write_csv(
                file,
                include_header=first == 0,
                quote_style="always",
                line_terminator="\r\n",
            )
        file.write(trailer(rows).encode())
    return path
