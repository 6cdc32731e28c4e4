"""Door to instrument files: what a binary file says of itself, as one row of text.

The row holds who measured what and when; events, traces and wells stay in the archived file and
are read from there when they are reduced.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assayhouse.contracts.instrument_file import FLOW, FRAGMENTS, IMMUNOASSAY, InstrumentSpec
from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.errors import DeclarationError, InstrumentFileError
from assayhouse.instruments import identify
from assayhouse.instruments.electrophoresis import read_abif
from assayhouse.instruments.fcs import read_fcs
from assayhouse.instruments.plates import read_plate
from assayhouse.instruments.qpcr import read_qpcr
from assayhouse.readers.reading import ReadFinding, Reading, TextBatch

COLUMNS = (
    *("FILE", "FORMAT", "SPECIMEN", "PANEL", "INSTRUMENT", "SOFTWARE", "RUNID", "RUNDTM"),
    *("OPERATOR", "CONTENT", "FLAGS"),
)
_FORMAT = "INSTRUMENT-FORMAT"
_SPECIMEN = "INSTRUMENT-SPECIMEN"
_SEPARATOR = "; "
_CYTOMETER = {
    "instrument": ("$CYT",),
    "software": ("$SYS", "CREATOR", "SOFTWARE"),
    "run_id": ("EXPERIMENT NAME", "$EXP", "$PROJ", "$FIL"),
    "operator": ("$OP",),
}
_DATES = ("%d-%b-%Y", "%Y-%b-%d", "%d-%b-%y", "%Y-%m-%d")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What the reader of a format found: description, size, quirks."""

    metadata: Mapping[str, object]
    size: int
    flags: tuple[str, ...]
    specimen: str | None = None
    panel: str | None = None


class InstrumentReading(Reading):
    """An instrument file; it counts as one record on one line."""

    def __init__(self, path: Path, layout: LayoutSpec, *, file: str) -> None:
        super().__init__(file=file, layout=layout)
        self._path = path
        if layout.instrument is None:
            message = f"{layout.where}: the layout declares no instrument."
            raise DeclarationError(message)
        self._spec = layout.instrument

    def batches(self) -> Iterator[TextBatch]:
        """Read the file once; see `Reading.batches`."""
        try:
            kind = self._agreed_format()
            content = _read(self._path, self._spec)
        except InstrumentFileError as error:
            message = f"{error} ({error.code}); send the file again"
            raise self.reject(message, rule=_rule(error.code)) from error
        self._note(content)
        texts = _row(self.file, kind, content)
        row = {column.name: texts.get(column.name) for column in self.layout.columns}
        frame = pl.DataFrame(
            {name: [value] for name, value in row.items()},
            schema=dict.fromkeys(row, pl.String),
        ).with_columns(
            pl.lit(1, dtype=pl.Int64).alias("source_line"),
            pl.lit(1, dtype=pl.Int64).alias("line_span"),
        )
        account = self.account
        account.data_lines = account.data_rows = account.physical_lines = 1
        yield TextBatch(frame=frame, raw_text=_Raw("\t".join(text or "" for text in row.values())))

    def _agreed_format(self) -> str:
        kind = identify(self._path)
        if kind in self._spec.formats:
            return kind
        agreed = ", ".join(self._spec.formats)
        if not self._path.stat().st_size:
            message = "the file is empty; send it again"
            raise self.reject(message, rule=_rule("empty_file"))
        message = f"the content is {kind}, agreed is {agreed}; send the instrument's own file"
        raise self.reject(message, rule=_FORMAT)

    def _note(self, content: _Content) -> None:
        for flag in content.flags:
            message = f"the file was read with the quirk {flag}"
            self.note(ReadFinding(rule=_rule(flag), disposition="W", message=message))
        if self._spec.specimen is not None and not content.specimen:
            message = (
                f"{self._spec.specimen} does not name a specimen, so that the file can be "
                "compared with no result; send it with its accession number"
            )
            raise self.reject(message, rule=_SPECIMEN)


def _rule(code: str) -> str:
    """Name a quirk or typed error as a rule: ``truncated`` is INSTRUMENT-TRUNCATED."""
    return "INSTRUMENT-" + code.upper().replace("_", "-")


class _Raw:
    """The one row as text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, rows: Sequence[int]) -> list[str]:
        return [self._text for _ in rows]


def _row(file: str, kind: str, content: _Content) -> dict[str, str | None]:
    def text(name: str) -> str | None:
        value = content.metadata.get(name)
        return None if value is None else str(value).strip() or None

    moment = content.metadata.get("run_datetime")
    return {
        "FILE": file,
        "FORMAT": kind,
        "SPECIMEN": content.specimen,
        "PANEL": content.panel,
        "INSTRUMENT": text("instrument"),
        "SOFTWARE": text("software"),
        "RUNID": text("run_id"),
        "RUNDTM": f"{moment:%Y-%m-%dT%H:%M}" if isinstance(moment, dt.datetime) else None,
        "OPERATOR": text("operator"),
        "CONTENT": str(content.size),
        "FLAGS": _SEPARATOR.join(content.flags) or None,
    }


def _read(path: Path, spec: InstrumentSpec) -> _Content:
    if spec.technology == FLOW:
        return _flow(path, spec)
    if spec.technology == FRAGMENTS:
        trace = read_abif(path)
        named = trace.metadata.get(spec.specimen or "")
        return _Content(
            metadata=trace.metadata,
            size=len(trace.signal),
            flags=trace.flags,
            specimen=None if named is None else str(named).strip(),
        )
    if spec.technology == IMMUNOASSAY:
        plate = read_plate(path)
        return _Content(metadata=plate.metadata, size=plate.wells.height, flags=plate.flags)
    run = read_qpcr(path)
    return _Content(metadata=run.metadata, size=run.wells.height, flags=run.flags)


def _flow(path: Path, spec: InstrumentSpec) -> _Content:
    fcs = read_fcs(path)
    words = fcs.keywords
    metadata: dict[str, object] = {
        name: next((words[key] for key in keys if words.get(key)), None)
        for name, keys in _CYTOMETER.items()
    }
    metadata["run_datetime"] = _moment(words.get("$DATE"), words.get("$BTIM", ""))
    return _Content(
        metadata=metadata,
        size=fcs.n_events,
        flags=fcs.flags,
        specimen=words.get((spec.specimen or "").upper()),
        panel=words.get(spec.flow.panel.upper()) if spec.flow else None,
    )


def _moment(day: str | None, clock: str) -> dt.datetime | None:
    for form in _DATES if day else ():
        try:
            text = f"{day} {clock[:8] or '00:00:00'}"
            return dt.datetime.strptime(text, f"{form} %H:%M:%S")  # noqa: DTZ007 - local time
        except ValueError:
            continue
    return None
