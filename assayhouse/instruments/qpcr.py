"""qPCR: RDML, CFX, QuantStudio and LightCycler 480 files, standard curves, replicates, percent.

The door of the package's qPCR; file formats and computations live in modules of their own.
"""

from pathlib import Path

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.archives import MAGIC, first_member, open_archive
from assayhouse.instruments.qpcr_curves import (
    Replicates,
    StandardCurve,
    combine_replicates,
    percent_demethylated,
    standard_curve,
)
from assayhouse.instruments.qpcr_records import QpcrRun
from assayhouse.instruments.qpcr_tables import is_cfx, is_lc480, read_cfx, read_lc480
from assayhouse.instruments.quantstudio import (
    is_quantstudio,
    read_quantstudio_text,
    read_quantstudio_workbook,
)
from assayhouse.instruments.rdml import USUAL_MEMBER, member_of, read_rdml
from assayhouse.instruments.registry import PathLike
from assayhouse.instruments.text_rows import decode
from assayhouse.instruments.xlsx import WORKBOOK, open_workbook
from assayhouse.instruments.xml_tree import root_name

__all__ = [
    "QpcrRun",
    "Replicates",
    "StandardCurve",
    "combine_replicates",
    "percent_demethylated",
    "read_qpcr",
    "recognise_qpcr",
    "standard_curve",
]

_LARGEST = 1 << 28
_QUANTSTUDIO_SHEETS = {"Results", "Sample Setup"}
_CONTENT_TYPES = "[Content_Types].xml"


def recognise_qpcr(content: bytes) -> str | None:
    """Name the format of a file's bytes, or None.

    Parameters
    ----------
    content : bytes
        The file; of a text or an XML its begin is enough, of an archive all is needed.
    """
    if content.startswith(MAGIC):
        try:
            return _archive_kind(content)
        except InstrumentFileError:
            return "rdml" if first_member(content) == USUAL_MEMBER else None
    if root_name(content[: 1 << 16]) == "rdml":
        return "rdml"
    try:
        text = decode(content, kind="qpcr")
    except InstrumentFileError:
        return None
    tests = (("quantstudio_txt", is_quantstudio), ("lc480_txt", is_lc480), ("cfx_csv", is_cfx))
    return next((kind for kind, holds in tests if holds(text)), None)


def _archive_kind(content: bytes) -> str | None:
    names = set(open_archive(content).namelist())
    if WORKBOOK in names:
        sheets = set(open_workbook(content).sheets)
        return (
            "quantstudio_xlsx"
            if sheets >= _QUANTSTUDIO_SHEETS
            or ("Results" in sheets and "Amplification Data" in sheets)
            else None
        )
    if _CONTENT_TYPES in names:
        return None
    return "rdml" if member_of(content) is not None else None


def read_qpcr(path: PathLike) -> QpcrRun:
    """Read a qPCR file of any known format.

    Parameters
    ----------
    path : path
        The file; its name is not looked at.

    Raises
    ------
    InstrumentFileError
        ``not_qpcr``, ``unsupported_version``, ``truncated``, ``damaged``, ``too_large`` or
        ``unsafe_xml``.
    """
    file = Path(path)
    if file.stat().st_size > _LARGEST:
        message = f"the file is larger than {_LARGEST} bytes; export fewer runs at once"
        raise InstrumentFileError(message, code="too_large")
    content = file.read_bytes()
    kind = recognise_qpcr(content)
    if kind == "rdml":
        return read_rdml(content)
    if kind == "quantstudio_xlsx":
        return read_quantstudio_workbook(content)
    if kind is None:
        raise _unknown(content)
    text = decode(content, kind="qpcr")
    readers = {
        "quantstudio_txt": read_quantstudio_text,
        "lc480_txt": read_lc480,
        "cfx_csv": read_cfx,
    }
    return readers[kind](text)


def _unknown(content: bytes) -> InstrumentFileError:
    """Error for what is none of the formats; an archive may say itself what is wrong with it."""
    if content.startswith(MAGIC):
        try:
            _archive_kind(content)
        except InstrumentFileError as error:
            return error
    message = "the file is no RDML, CFX, QuantStudio or LightCycler 480 file; nothing was read"
    return InstrumentFileError(message, code="not_qpcr")
