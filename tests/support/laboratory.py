"""Files of the shipped study's layouts with as many rows as a story asks for."""

import csv
import io
from itertools import islice, product

from support.cytokine_study import cytokine_declarations
from support.deliveries import STUDY, Bench, manifest_of

SUBJECTS = [f"{101 + number % 40:03d}-{1000 + number:04d}" for number in range(288)]
VISITS = {"BASELINE": "2018-06-04", "WEEK 4": "2018-07-02", "WEEK 12": "2018-08-27"}
VISITS |= {"WEEK 24": "2018-11-19"}
LEVELS = {"IL2": 0.4, "IL10": 1.2, "IL17A": 0.8, "IL17F": 12.0, "IL21": 5.0, "BLYS": 900.0}
LIMITS = {"IL2": 0.05, "IL10": 0.1, "IL17A": 0.05, "IL17F": 0.3, "IL21": 0.5, "BLYS": 10}


def laboratory(folder):
    """Home with the cytokine part of the shipped study."""
    return Bench(folder, cytokine_declarations())


def render(layout, rows):
    """Bytes of a file: one mapping of column to text per row."""
    dialect, text = layout.dialect, io.StringIO()
    every = dialect.quoting == "all"
    end = "\r\n" if dialect.line_end == "crlf" else "\n"
    writer = csv.writer(
        text, quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL, lineterminator=end
    )
    if dialect.preamble:
        writer.writerows([("Study", STUDY), ("Report", "1")])
    names = [column.name for column in layout.columns]
    writer.writerow(names)
    writer.writerows([[row.get(name, "") for name in names] for row in rows])
    if dialect.trailer:
        writer.writerow(("Rows", len(rows)))
    return text.getvalue().encode()


def send(bench, layout, rows, *, transfer, date="20190304", cut=None):
    """Drop one file and its manifest, which speaks of the bytes as dropped.

    ``cut`` is the physical line inside which the file ends.
    """
    data = render(bench.declarations.layouts[layout], rows)
    if cut is not None:
        lines = data.splitlines(keepends=True)
        data = b"".join(lines[: cut - 1]) + lines[cut - 1][:12]
    vendor, _, kind = layout.partition(".")
    name = f"{STUDY}_{vendor}-{kind}_T{transfer:03d}_{date}.csv"
    bench.drop(name, data, vendor=vendor)
    sidecar = manifest_of({name: (layout, data, len(rows))}, transfer=transfer, vendor=vendor)
    bench.drop(name + ".manifest.json", sidecar, vendor=vendor)
    return data


def sites():
    """Rows of the sites."""
    return [
        {
            "STUDYID": STUDY,
            "SITEID": f"{101 + number:03d}",
            "COUNTRY": "USA",
            "TZ": "America/New_York",
        }
        for number in range(40)
    ]


def demographics():
    """Rows of the subjects."""
    return [
        {
            "STUDYID": STUDY,
            "USUBJID": f"{STUDY}-{subject}",
            "SUBJID": subject,
            "SITEID": subject[:3],
            "AGE": "44",
            "SEX": "FFFM"[number % 4],
            "RFICDTC": "2018-05-20",
            "RFSTDTC": "2018-06-04",
        }
        for number, subject in enumerate(SUBJECTS)
    ]


def _result(number, visit, subject, parameter):
    value = LEVELS[parameter] * (1 + number % 7 / 10)
    return {
        "STUDYID": STUDY,
        "SITEID": subject[:3],
        "SUBJID": subject,
        "VISIT": visit,
        "ACCNO": f"SGX{list(VISITS).index(visit)}{SUBJECTS.index(subject):06d}",
        "COLDTM": f"{VISITS[visit]}T09:10",
        "MATRIX": "PLASMA EDTA",
        "PARAMCD": parameter,
        "ANALYTE": parameter,
        "KITLOT": "K1",
        "CALLOT": "C1",
        "PLATEID": f"{parameter}-{list(VISITS).index(visit) + 1}01",
        "RUNDT": "2018-12-03",
        "ORRES": f"{value:.3f}",
        "ORRESU": "pg/mL",
        "DILUTION": "2",
        "DILAPPL": "Y",
        "NREP": "3",
        "MEANCONC": f"{value:.3f}",
        "SDCONC": "0.01",
        "CVPCT": f"{3 + number % 11 / 10:.1f}",
        "LLOQ": str(LIMITS[parameter]),
        "ULOQ": "20000",
        "BLQFL": "N",
        "EXTRAPFL": "N",
        "FREEZETHAW": "1",
        "HEMOL": "0",
        "STATUS": "F",
        "REPORTNO": "1",
    }


def results(count=6912):
    """Rows of results: 288 subjects, 4 visits, 6 analytes."""
    places = product(VISITS, SUBJECTS, LEVELS)
    return [_result(number, *place) for number, place in enumerate(islice(places, count))]


def _controls():
    """Two control wells on every plate of :func:`results`."""
    plates = [(code, f"{code}-{visit + 1}01") for code in LEVELS for visit in range(len(VISITS))]
    return [
        {
            "PLATEID": plate,
            "PARAMCD": code,
            "WELL": f"A0{place}",
            "TYPE": "CTRL",
            "LEVEL": level,
            "REP": "1",
            "DE": "100",
            "EP": "2000",
            "TP": "30000",
            "EXPCONC": "2.0",
            "CONC": "2.1",
            "MASKED": "N",
        }
        for code, plate in plates
        for place, level in ((1, "LOW"), (2, "HIGH"))
    ]


def wells(count):
    """Rows of wells: the controls of the results' plates, then 96 specimens to a plate."""
    return [*_controls(), *_specimen_wells(count)][:count]


def _specimen_wells(count):
    letters = [f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13)]
    return [
        {
            "PLATEID": f"IL2-{number // 96:03d}",
            "PARAMCD": "IL2",
            "WELL": letters[number % 96],
            "TYPE": "UNK",
            "ACCNO": f"SGX{number:07d}",
            "REP": "1",
            "DE": str(100 + number % 50),
            "EP": "2000",
            "TP": "30000",
            "CONC": f"{0.1 + number % 9 / 10:.2f}",
            "MASKED": "N",
        }
        for number in range(count)
    ]


def in_nanograms(row):
    """Give the same row with its concentrations in ng/mL."""
    columns = ("ORRES", "MEANCONC", "SDCONC", "LLOQ", "ULOQ")
    return row | {name: f"{float(row[name]) / 1000:.6f}" for name in columns} | {"ORRESU": "ng/mL"}
