"""The catalogue of vendor-file faults: clean bytes in, faulty bytes and what must be found out.

Pure: no clock, no file, no global seed. The faults themselves are in ``file_faults`` (whole file)
and ``row_faults`` (rows); faults between deliveries that need no file of their own (F05, F06,
F30, F31) are made by the caller from two deliveries.
"""

from assayhouse.simulate import file_faults, row_faults
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.expected import FaultFunction, FaultyFile
from assayhouse.simulate.sheet import FileShape, take_apart

_CATALOGUE: dict[str, FaultFunction] = {
    "F01": file_faults.cut_inside_a_row,
    "F02": file_faults.cut_at_a_row_end,
    "F03-empty": file_faults.empty_file,
    "F03-header": file_faults.header_only,
    "F07": file_faults.wrong_study,
    "F08": file_faults.undeclared_line,
    "F09": file_faults.column_order_changed,
    "F10": file_faults.column_renamed,
    "F11": file_faults.extra_column,
    "F12-latin1": file_faults.latin_1,
    "F12-utf16": file_faults.utf_16,
    "F13": row_faults.decimal_comma,
    "F14": row_faults.lost_leading_zeros,
    "F18": row_faults.day_and_month_exchanged,
    "F21": row_faults.unknown_subject,
    "F28": row_faults.future_date,
    "F29-same": row_faults.exact_duplicate,
    "F29-other": row_faults.conflicting_duplicate,
    "F32-unit": row_faults.unit_drift,
    "F32-missing": row_faults.unit_missing,
    "F33": row_faults.sentinel,
    "F35-column": file_faults.treatment_column,
    "F35-comment": row_faults.treatment_in_text,
    "F40": file_faults.mixed_line_ends,
    "F41": row_faults.blanks_around_ids,
}

FAULTS = tuple(_CATALOGUE)
"""Names of all faults; a name's part before the dash is the catalogue's identifier."""


def inject(
    fault: str, clean: bytes, shape: FileShape, *, strength: float = 0.0, seed: int
) -> FaultyFile:
    """Plant one fault in a clean file.

    Parameters
    ----------
    fault : str
        One of ``FAULTS``.
    clean : bytes
        A file without faults.
    shape : FileShape
        Its dialect and the parts its columns play; ``SHAPES`` has those of the synthetic study.
    strength : float
        Share of the rows struck, 0 to 1; 0 strikes one. Without meaning for whole-file faults.
    seed : int
        Chooses the rows.

    Returns
    -------
    FaultyFile
        The faulty bytes, and what must be found in them.

    Raises
    ------
    FaultNotApplicableError
        The fault has no place in such a file; the message says why.
    SimulationError
        Unknown fault, impossible strength, or a file that does not have the declared shape.
    """
    if fault not in _CATALOGUE:
        message = f"There is no fault {fault}. Choose one of: {', '.join(FAULTS)}."
        raise SimulationError(message)
    if not 0.0 <= strength <= 1.0:
        message = f"The strength of a fault is a share from 0 to 1, not {strength}."
        raise SimulationError(message)
    sheet = take_apart(clean, shape)
    if len(sheet.rows) < 2:
        message = "A clean file needs at least two rows to plant a fault in. Nothing was planted."
        raise SimulationError(message)
    return _CATALOGUE[fault](fault, sheet, strength, seed)
