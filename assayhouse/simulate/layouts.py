"""Column order and text dialect of the files the synthetic vendors write. No content."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assayhouse.simulate.calibration import STUDY, TRANSFER_DATES

Row = list[str]


def column_names(text: str) -> tuple[str, ...]:
    """Split the names of columns at blanks."""
    return tuple(text.split())


RESULTS_COLUMNS = column_names(
    "STUDYID SITEID SUBJID VISIT ACCNO COLDTM MATRIX PARAMCD ANALYTE KITLOT CALLOT PLATEID RUNDT "
    "ORRES ORRESU DILUTION DILAPPL NREP MEANCONC SDCONC CVPCT LLOQ ULOQ BLQFL EXTRAPFL FREEZETHAW "
    "HEMOL STATUS REASND COMMENT REPORTNO"
)
WELLS_COLUMNS = column_names(
    "PLATEID PARAMCD WELL TYPE LEVEL ACCNO REP DE EP TP EXPCONC CONC MASKED REASND"
)
PLATES_COLUMNS = column_names(
    "PLATEID PARAMCD RUNDTM INSTR MODEL WEIGHT DE_A DE_B DE_C DE_D EP_A EP_B EP_C EP_D "
    "TP_A TP_B TP_C TP_D LLOQ ULOQ SENSITIVITY PASSFL"
)
DM_COLUMNS = column_names(
    "STUDYID USUBJID SUBJID SITEID AGE SEX RACE ETHNIC COUNTRY RFICDTC RFSTDTC RFENDTC"
)
SITE_COLUMNS = column_names("STUDYID SITEID COUNTRY TZ OPENDTC CLOSEDTC")
RAND_COLUMNS = column_names(
    "STUDYID USUBJID SUBJID RANDNO RANDDTC ARMCD ARM STRATA1 STRATA2 PLANARM ACTARM"
)
STRATA_COLUMNS = column_names("STUDYID USUBJID SUBJID STRATA1 STRATA2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How lines are written.

    Attributes
    ----------
    delimiter, line_end : str
        Separator of fields, end of lines.
    quoting : int
        One of the constants of ``csv``.
    preamble : bool
        True: two lines above the header, which name study and report.
    trailer : str
        Last line, with ``{rows}`` in place of the row count; empty for none.
    extension : str
        End of the file's name.
    """

    delimiter: str
    line_end: str
    quoting: int
    preamble: bool = False
    trailer: str = ""
    extension: str = "csv"


LABORATORY = Dialect(
    delimiter=",",
    line_end="\r\n",
    quoting=csv.QUOTE_ALL,
    preamble=True,
    trailer='"Rows","{rows}"',
)
PLAIN = Dialect(delimiter=",", line_end="\n", quoting=csv.QUOTE_MINIMAL)
PIPE = Dialect(
    delimiter="|",
    line_end="\r\n",
    quoting=csv.QUOTE_NONE,
    trailer="#END|{rows}",
    extension="txt",
)
TAB = Dialect(delimiter="\t", line_end="\n", quoting=csv.QUOTE_NONE, extension="txt")


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
    dialect : Dialect or None
        How its lines are written; None for Dataset-JSON in lines of JSON.
    numbers : frozenset of str
        Columns that Dataset-JSON holds as numbers.
    """

    vendor: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    dialect: Dialect | None = PLAIN
    numbers: frozenset[str] = frozenset()

    @property
    def full_name(self) -> str:
        """Name as manifests and contracts print it."""
        return f"{self.vendor}.{self.name}"

    @property
    def first_data_line(self) -> int:
        """Physical line of the first row, counted from 1."""
        return 4 if self.dialect is LABORATORY else 2

    @property
    def extension(self) -> str:
        """End of the file's name."""
        return "ndjson" if self.dialect is None else self.dialect.extension


RESULTS = Layout(
    vendor="singulex",
    name="results",
    columns=RESULTS_COLUMNS,
    key=("ACCNO", "PARAMCD", "REPORTNO"),
    dialect=LABORATORY,
)
WELLS = Layout(
    vendor="singulex",
    name="wells",
    columns=WELLS_COLUMNS,
    key=("PLATEID", "PARAMCD", "WELL"),
    dialect=LABORATORY,
)
PLATES = Layout(
    vendor="singulex",
    name="plates",
    columns=PLATES_COLUMNS,
    key=("PLATEID", "PARAMCD"),
    dialect=LABORATORY,
)
DM = Layout(vendor="edc", name="dm", columns=DM_COLUMNS, key=("USUBJID",))
SITE = Layout(vendor="edc", name="site", columns=SITE_COLUMNS, key=("SITEID",))
RAND = Layout(vendor="irt", name="rand", columns=RAND_COLUMNS, key=("USUBJID",))
STRATA = Layout(vendor="irt", name="strata", columns=STRATA_COLUMNS, key=("USUBJID",))


def preamble(report: int) -> str:
    """Two lines above the header of a laboratory file."""
    return f'"Study","{STUDY}"\r\n"Report","{report}"\r\n'


def trailer(rows: int) -> str:
    """Last line of a laboratory file."""
    return f'"Rows","{rows}"\r\n'


def render(layout: Layout, rows: Sequence[Row], *, report: int) -> bytes:
    """Write rows in the layout's dialect, UTF-8."""
    dialect = layout.dialect
    if dialect is None:
        return _dataset_json(layout, rows, report=report)
    text = io.StringIO()
    writer = csv.writer(
        text,
        delimiter=dialect.delimiter,
        quoting=dialect.quoting,  # type: ignore[arg-type]
        lineterminator=dialect.line_end,
    )
    writer.writerow(layout.columns)
    writer.writerows(rows)
    body = text.getvalue()
    if dialect.preamble:
        body = preamble(report) + body
    if dialect.trailer:
        body += dialect.trailer.format(rows=len(rows)) + dialect.line_end
    return body.encode()


def _json_cell(text: str, *, is_number: bool) -> str | float | int | None:
    if text == "":
        return None
    if not is_number:
        return text
    return int(text) if text.isdigit() else float(text)


def _dataset_json(layout: Layout, rows: Sequence[Row], *, report: int) -> bytes:
    """Write Dataset-JSON 1.1 in lines: the metadata, then one array per record."""
    name = layout.name.upper()
    numeric = [column in layout.numbers for column in layout.columns]
    columns = [
        {
            "itemOID": f"IT.{name}.{column}",
            "name": column,
            "label": column,
            "dataType": "float" if is_number else "string",
        }
        for column, is_number in zip(layout.columns, numeric, strict=True)
    ]
    metadata = {
        "datasetJSONCreationDateTime": f"{TRANSFER_DATES[report - 1]}T00:00:00",
        "datasetJSONVersion": "1.1.0",
        "studyOID": STUDY,
        "itemGroupOID": f"IG.{name}",
        "records": len(rows),
        "name": name,
        "label": layout.full_name,
        "columns": columns,
    }
    lines = [json.dumps(metadata)]
    for row in rows:
        cells = zip(row, numeric, strict=True)
        lines.append(json.dumps([_json_cell(cell, is_number=number) for cell, number in cells]))
    return ("\n".join(lines) + "\n").encode()


def file_name(layout: Layout, *, transfer: int, date: str, resend: bool = False) -> str:
    """Name of a delivered file.

    Examples
    --------
    >>> file_name(WELLS, transfer=2, date="2018-10-08")
    'DEMO-SLE-01_singulex-wells_T002_20181008.csv'
    """
    words = [STUDY, f"{layout.vendor}-{layout.name}".replace("_", "-")]
    if resend:
        words.append("resend")
    words += [f"T{transfer:03d}", date.replace("-", "")]
    return "_".join(words) + f".{layout.extension}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredFile:
    """One file of a transfer, with what its sender believes about it."""

    layout: Layout
    name: str
    content: bytes
    rows: int


def manifest(
    files: Iterable[DeliveredFile],
    *,
    transfer: int,
    date: str,
    supersedes: str | None = None,
    mode: str = "cumulative",
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
        "mode": mode,
        "environment": "production",
        "supersedes": supersedes,
        "files": entries,
    }
    return (json.dumps(document, indent=2) + "\n").encode()
