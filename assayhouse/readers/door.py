"""Opens a delivery with the reader its layout declares. Decides nothing else."""

from pathlib import Path

from assayhouse.contracts.vendor_file import INSTRUMENT, LayoutSpec
from assayhouse.readers.clinical import ClinicalReading
from assayhouse.readers.delimited import DelimitedReading
from assayhouse.readers.reading import Reading

BLOCK_BYTES = 16 * 1024 * 1024


def open_delivery(
    path: Path,
    layout: LayoutSpec,
    *,
    study_id: str,
    block_bytes: int = BLOCK_BYTES,
    file: str | None = None,
) -> Reading:
    """Open one delivered file.

    Parameters
    ----------
    path : Path
        The archived bytes.
    layout : LayoutSpec
        The file's contract: reader, dialect, columns.
    study_id : str
        Study whose name a declared preamble must hold.
    block_bytes : int
        Bytes read at once, a bound of memory.
    file : str or None
        Name of the delivered file for messages; the path's name if None.

    Returns
    -------
    Reading
        Nothing is read before its `batches` are asked for.
    """
    name = file or path.name
    if layout.reader == "delimited":
        return DelimitedReading(path, layout, study_id=study_id, block_bytes=block_bytes, file=name)
    if layout.reader == INSTRUMENT:
        from assayhouse.readers.instrument import InstrumentReading  # noqa: PLC0415 - slow

        return InstrumentReading(path, layout, file=name)
    return ClinicalReading(path, layout, file=name)
