"""Plates of the synthetic immunoassay: curves, controls and wells. Knows no subjects."""

from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import Calibration
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.streams import FloatArray, uniforms

SPECIMENS_PER_PLATE = 25
REPLICATES = 3
STANDARDS = 7
CONTROL_WELLS = 2 * STANDARDS + 2 + 4
INSTRUMENT = "ERENNA-02"
# bottom, slope, inflection over the lower limit, top: counts of the three signals of the reader
_SHAPES = np.array(
    [[60.0, 0.97, 200.0, 9.0e3], [2.5e3, 1.0, 1.0e3, 2.0e6], [3.0e5, 1.02, 5.0e3, 6.0e8]]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """One plate of one analyte.

    Attributes
    ----------
    plate_id, paramcd, run_date : str
        Identity and day of the run.
    curves : (3, 4) array
        Bottom a, slope b, inflection c and top d per signal.
    lloq, uloq : float
        Limits of the plate, pg/mL.
    dilution : int
        Factor by which specimens were diluted before the plate.
    noise : (wells,) array
        Relative error of the control wells.
    """

    plate_id: str
    paramcd: str
    run_date: str
    curves: FloatArray
    lloq: float
    uloq: float
    dilution: int
    noise: FloatArray


def make_plate(
    seed: int, calibration: Calibration, *, report: int, place: int, run_date: str
) -> Plate:
    """Draw the curves of one plate: parameters move by up to five percent between plates."""
    assay = calibration.assay
    plate_id = f"{assay.paramcd}-{report}{place + 1:02d}"
    draws = uniforms(seed, "plate", plate_id, rows=1, columns=12 + CONTROL_WELLS)[0]
    lloq = float(calibration.lloq[report - 1])
    curves = _SHAPES * (1.0 + 0.05 * (2.0 * draws[:12].reshape(3, 4) - 1.0))
    # Curves are in what the plate sees, after dilution.
    curves[:, 2] *= lloq / assay.dilution
    return Plate(
        plate_id=plate_id,
        paramcd=assay.paramcd,
        run_date=run_date,
        curves=np.array([[float(f"{cell:.6g}") for cell in row] for row in curves]),
        lloq=lloq,
        uloq=assay.uloq,
        dilution=assay.dilution,
        noise=0.08 * (2.0 * draws[12:] - 1.0),
    )


def signals(plate: Plate, concentration: FloatArray) -> FloatArray:
    """Compute the counts the reader would see, (3, n), whole numbers.

    The four-parameter curve ``y = d + (a - d) / (1 + (x / c)^b)``.
    """
    a, b, c, d = (column[:, None] for column in plate.curves.T)
    return np.asarray(np.rint(d + (a - d) / (1.0 + (concentration / c) ** b)), dtype=np.float64)


def well_name(place: int) -> str:
    """Name of a well of a 96-well plate, row by row.

    Examples
    --------
    >>> well_name(0), well_name(13)
    ('A01', 'B02')
    """
    return f"{'ABCDEFGH'[place // 12]}{place % 12 + 1:02d}"


def concentration_text(value: float) -> str:
    """Print a concentration with six significant digits and no exponent."""
    return np.format_float_positional(value, precision=6, unique=False, fractional=False, trim="-")


def plate_row(plate: Plate) -> Row:
    """One line of the plate file."""
    curves = [cell for curve in plate.curves for cell in map(concentration_text, curve)]
    limits = [concentration_text(plate.lloq), concentration_text(plate.uloq)]
    return [
        plate.plate_id,
        plate.paramcd,
        f"{plate.run_date}T09:30",
        INSTRUMENT,
        "4PL",
        "1/y^2",
        *curves,
        *limits,
        concentration_text(plate.lloq / 2.0),
        "Y",
    ]


def control_rows(plate: Plate) -> list[Row]:
    """Lines of the standards, blanks and controls of a plate, twice each."""
    low, high = plate.lloq / plate.dilution, plate.uloq / plate.dilution
    standards = np.geomspace(low, high, STANDARDS)
    kinds = [("STD", f"S{step + 1}", value) for step, value in enumerate(standards.tolist())]
    kinds += [("BLANK", "", 0.0), ("CTRL", "LOW", 4.0 * low), ("CTRL", "HIGH", high / 20.0)]
    names = [(*kind, replicate) for kind in kinds for replicate in (1, 2)]
    expected = np.array([name[2] for name in names])
    seen = expected * (1.0 + plate.noise)
    counts = signals(plate, seen).astype(np.int64).astype(str).T.tolist()
    rows = []
    for place, (kind, level, value, replicate) in enumerate(names):
        texts = (
            ["", ""] if kind == "BLANK" else [concentration_text(x) for x in (value, seen[place])]
        )
        identity = [
            plate.plate_id,
            plate.paramcd,
            well_name(place),
            kind,
            level,
            "",
            str(replicate),
        ]
        rows.append([*identity, *counts[place], *texts, "", ""])
    return rows


def specimen_rows(
    plate: Plate, *, place: int, accession: str, concentrations: FloatArray, masked: int | None
) -> list[Row]:
    """Lines of the three wells of one specimen; concentrations as the plate sees them, pg/mL."""
    counts = signals(plate, concentrations).astype(np.int64).astype(str).T.tolist()
    rows = []
    for replicate in range(REPLICATES):
        well = well_name(CONTROL_WELLS + place * REPLICATES + replicate)
        hidden = ["Y", "BUBBLE"] if replicate == masked else ["", ""]
        identity = [plate.plate_id, plate.paramcd, well, "UNK", "", accession, str(replicate + 1)]
        conc = concentration_text(float(concentrations[replicate]))
        rows.append([*identity, *counts[replicate], "", conc, *hidden])
    return rows
