"""Column order and text dialect of the files the synthetic vendors write. No content."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assayhouse.simulate.calibration import STUDY

Row = list[str]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


RESULTS_COLUMNS = _names(
    "STUDYID SITEID SUBJID VISIT ACCNO COLDTM MATRIX PARAMCD ANALYTE KITLOT CALLOT PLATEID RUNDT "
    "ORRES ORRESU DILUTION DILAPPL NREP MEANCONC SDCONC CVPCT LLOQ ULOQ BLQFL EXTRAPFL FREEZETHAW "
    "HEMOL STATUS REASND COMMENT REPORTNO"
)
WELLS_COLUMNS = _names(
    "PLATEID PARAMCD WELL TYPE LEVEL ACCNO REP DE EP TP EXPCONC CONC MASKED REASND"
)
PLATES_COLUMNS = _names(
    "PLATEID PARAMCD RUNDTM INSTR MODEL WEIGHT DE_A DE_B DE_C DE_D EP_A EP_B EP_C EP_D "
    "TP_A TP_B TP_C TP_D LLOQ ULOQ SENSITIVITY PASSFL"
)
DM_COLUMNS = _names(
    "STUDYID USUBJID SUBJID SITEID AGE SEX RACE ETHNIC COUNTRY RFICDTC RFSTDTC RFENDTC"
)
SITE_COLUMNS = _names("STUDYID SITEID COUNTRY TZ OPENDTC CLOSEDTC")
RAND_COLUMNS = _names(
    "STUDYID USUBJID SUBJID RANDNO RANDDTC ARMCD ARM STRATA1 STRATA2 PLANARM ACTARM"
)
STRATA_COLUMNS = _names("STUDYID USUBJID SUBJID STRATA1 STRATA2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How one kind of file of one vendor is written.

    Attributes
    ----------
    vendor, name : str
        Folder of the vendor and name of the layout within it.
    columns : tuple of str
        Header, in the order written.
    key : tuple of str
        Columns that identify a record.
    laboratory_dialect : bool
        True: every field quoted, CRLF, two preamble lines and a trailer with the row count.
        False: quotes only where needed, LF, nothing but header and rows.
    """

    vendor: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    laboratory_dialect: bool

    @property
    def full_name(self) -> str:
        """Name as manifests and contracts print it."""
        return f"{self.vendor}.{self.name}"

    @property
    def first_data_line(self) -> int:
        """Physical line of the first row, counted from 1."""
        return 4 if self.laboratory_dialect else 2


RESULTS = Layout(
    vendor="singulex",
    name="results",
    columns=RESULTS_COLUMNS,
    key=("ACCNO", "PARAMCD", "REPORTNO"),
    laboratory_dialect=True,
)
WELLS = Layout(
    vendor="singulex",
    name="wells",
    columns=WELLS_COLUMNS,
    key=("PLATEID", "PARAMCD", "WELL"),
    laboratory_dialect=True,
)
PLATES = Layout(
    vendor="singulex",
    name="plates",
    columns=PLATES_COLUMNS,
    key=("PLATEID", "PARAMCD"),
    laboratory_dialect=True,
)
DM = Layout(vendor="edc", name="dm", columns=DM_COLUMNS, key=("USUBJID",), laboratory_dialect=False)
SITE = Layout(
    vendor="edc", name="site", columns=SITE_COLUMNS, key=("SITEID",), laboratory_dialect=False
)
RAND = Layout(
    vendor="irt", name="rand", columns=RAND_COLUMNS, key=("USUBJID",), laboratory_dialect=False
)
STRATA = Layout(
    vendor="irt", name="strata", columns=STRATA_COLUMNS, key=("USUBJID",), laboratory_dialect=False
)


def preamble(report: int) -> str:
    """Two lines above the header of a laboratory file."""
    return f'"Study","{STUDY}"\r\n"Report","{report}"\r\n'


def trailer(rows: int) -> str:
    """Last line of a laboratory file."""
    return f'"Rows","{rows}"\r\n'


def render(layout: Layout, rows: Sequence[Row], *, report: int) -> bytes:
    """Write rows in the layout's dialect, UTF-8."""
    text = io.StringIO()
    if layout.laboratory_dialect:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    else:
        writer = csv.writer(text, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writerow(layout.columns)
    writer.writerows(rows)
    body = text.getvalue()
    if layout.laboratory_dialect:
        body = preamble(report) + body + trailer(len(rows))
    return body.encode()


def file_name(layout: Layout, *, transfer: int, date: str, resend: bool = False) -> str:
    """Name of a delivered file.

    Examples
    --------
    >>> file_name(WELLS, transfer=2, date="2018-10-08")
    'DEMO-SLE-01_singulex-wells_T002_20181008.csv'
    """
    words = [STUDY, f"{layout.vendor}-{layout.name}"]
    if resend:
        words.append("resend")
    words += [f"T{transfer:03d}", date.replace("-", "")]
    return "_".join(words) + ".csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredFile:
    """One file of a transfer, with what its sender believes about it."""

    layout: Layout
    name: str
    content: bytes
    rows: int


def manifest(
    files: Iterable[DeliveredFile], *, transfer: int, date: str, supersedes: str | None = None
) -> bytes:
    """Write the manifest of one vendor's part of a transfer."""
    members = list(files)
    entries: list[Mapping[str, str | int]] = [
        {
            "name": file.name,
            "sha256": hashlib.sha256(file.content).hexdigest(),
            "bytes": len(file.content),
            "rows": file.rows,
            "layout": file.layout.full_name,
            "layout_version": "1.0",
        }
        for file in members
    ]
    document = {
        "manifest_version": 1,
        "study": STUDY,
        "vendor": members[0].layout.vendor,
        "transfer_no": transfer,
        "transfer_date": date,
        "mode": "cumulative",
        "environment": "production",
        "supersedes": supersedes,
        "files": entries,
    }
    return (json.dumps(document, indent=2) + "\n").encode()
