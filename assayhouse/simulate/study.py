"""The synthetic reference study as a sequence of transfers, and its truth beside them.

Nothing of the truth is in any delivered file; ``record.py`` writes it to a folder of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from assayhouse.simulate.calibration import (
    SUBJECTS_PER_ARM,
    VISITS,
)
from assayhouse.simulate.clinic import dm_rows, rand_rows, site_rows, strata_rows
from assayhouse.simulate.laboratory import TRANSFER_DATES, LabReport, make_report
from assayhouse.simulate.layouts import (
    DM,
    PLATES,
    RAND,
    RESULTS,
    SITE,
    STRATA,
    WELLS,
    DeliveredFile,
    Layout,
    Row,
    file_name,
    manifest,
    render,
)
from assayhouse.simulate.plants import (
    PlantedFault,
    PlantedResults,
    plant_fourth,
    plant_third,
)
from assayhouse.simulate.subjects import Subjects, draw_subjects

RESEND_DATE = "2018-10-10"
MANIFEST_SUFFIX = ".manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Files that arrive together.

    Attributes
    ----------
    number : int
        Transfer number, as the manifests say.
    label : str
        ``T002``, or ``T002 resend``.
    date : str
        Day of the transfer.
    files : mapping of str to bytes
        Path below the landing folder, with forward slashes, and content.
    """

    number: int
    label: str
    date: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedStudy:
    """A synthetic study: what arrives, and what is true.

    Attributes
    ----------
    seed : int
        Seed it was made from.
    transfers : tuple of Transfer
        In the order of arrival.
    faults : tuple of PlantedFault
        What was planted, in the same order.
    subjects : Subjects
        Who is in which arm.
    """

    seed: int
    transfers: tuple[Transfer, ...]
    faults: tuple[PlantedFault, ...]
    subjects: Subjects


def _lab_files(
    reports: list[LabReport], results: PlantedResults, *, number: int
) -> list[DeliveredFile]:
    tables: list[tuple[Layout, list[Row]]] = [
        (RESULTS, results.rows),
        (WELLS, [row for report in reports for row in report.wells]),
        (PLATES, [row for report in reports for row in report.plates]),
    ]
    return [_file(layout, rows, number) for layout, rows in tables]


def _file(layout: Layout, rows: list[Row], number: int) -> DeliveredFile:
    name = file_name(layout, transfer=number, date=TRANSFER_DATES[number - 1])
    content = render(layout, rows, report=number)
    return DeliveredFile(layout=layout, name=name, content=content, rows=len(rows))


def _edc_files(seed: int, subjects: Subjects, *, number: int, faults: bool) -> list[DeliveredFile]:
    demographics = dm_rows(seed, subjects, cut_date=TRANSFER_DATES[number - 1])
    # Planted: transfer 3 brings the very bytes of transfer 2.
    sites = site_rows(2 if faults and number == 3 else number)
    return [_file(DM, demographics, number), _file(SITE, sites, number)]


def _irt_files(seed: int, subjects: Subjects) -> list[DeliveredFile]:
    return [_file(RAND, rand_rows(seed, subjects), 1), _file(STRATA, strata_rows(subjects), 1)]


def _drop(files: list[DeliveredFile], *, number: int, date: str) -> dict[str, bytes]:
    folder = files[0].layout.vendor
    dropped = {f"{folder}/{file.name}": file.content for file in files}
    sidecar = f"{folder}/{files[0].name}{MANIFEST_SUFFIX}"
    dropped[sidecar] = manifest(files, transfer=number, date=date)
    return dropped


def _transfer(number: int, parts: list[list[DeliveredFile]]) -> Transfer:
    date, files = TRANSFER_DATES[number - 1], dict[str, bytes]()
    for part in parts:
        files |= _drop(part, number=number, date=date)
    return Transfer(number=number, label=f"T{number:03d}", date=date, files=files)


def _cut_wells(transfer: Transfer) -> tuple[Transfer, Transfer, PlantedFault]:
    """Cut the wells of a transfer inside a row, and send the whole file again."""
    path = next(path for path in transfer.files if "-wells_" in path and path.endswith(".csv"))
    whole, name = transfer.files[path], path.rpartition("/")[2]
    # Two thirds in, ten bytes after the start of a row: inside its second field.
    cut = whole.index(b"\r\n", 2 * len(whole) // 3) + 12
    lines = whole[:cut].count(b"\r\n") + 1
    broken = Transfer(
        number=transfer.number,
        label=transfer.label,
        date=transfer.date,
        files={**transfer.files, path: whole[:cut]},
    )
    again = file_name(WELLS, transfer=transfer.number, date=RESEND_DATE, resend=True)
    rows = whole.count(b"\r\n") - WELLS.first_data_line
    file = DeliveredFile(layout=WELLS, name=again, content=whole, rows=rows)
    sidecar = manifest([file], transfer=transfer.number, date=RESEND_DATE, supersedes=name)
    resend = Transfer(
        number=transfer.number,
        label=f"{transfer.label} resend",
        date=RESEND_DATE,
        files={
            f"{WELLS.vendor}/{again}": whole,
            f"{WELLS.vendor}/{again}{MANIFEST_SUFFIX}": sidecar,
        },
    )
    fault = PlantedFault(
        fault="F01",
        rule="F01",
        disposition="R",
        transfer=transfer.label,
        layout=WELLS.full_name,
        file=name,
        n_rows=1,
        lines=(lines,),
        columns=(),
        note="cut off inside this row; the whole file follows under another name",
    )
    return broken, resend, fault


def _duplicate_fault(transfer: Transfer) -> PlantedFault:
    path = next(path for path in transfer.files if "-site_" in path)
    return PlantedFault(
        fault="F06",
        rule="F06",
        disposition="ignore",
        transfer=transfer.label,
        layout=SITE.full_name,
        file=path.rpartition("/")[2],
        n_rows=0,
        lines=(),
        columns=(),
        note="the bytes of transfer 2 again",
    )


def _plant(seed: int, reports: list[LabReport]) -> dict[int, PlantedResults]:
    below_limit = {key: text for report in reports for key, text in report.below_limit.items()}
    third = [row for report in reports[:3] for row in report.results]
    fourth = [*third, *reports[3].results]
    return {
        3: plant_third(seed, third, below_limit),
        4: plant_fourth(seed, fourth, below_limit, n_third=len(third)),
    }


def simulate_study(*, seed: int = 20190304, faults: bool = True) -> SimulatedStudy:
    """Make the synthetic reference study, DEMO-SLE-01.

    Parameters
    ----------
    seed : int
        The same seed gives the same bytes.
    faults : bool
        Plant the few faults listed in ``SimulatedStudy.faults``; False gives clean deliveries.

    Returns
    -------
    SimulatedStudy
        Four cumulative transfers (through baseline, weeks 4, 12 and 24); with faults a fifth
        drop, the second sending of a file of transfer 2.
    """
    subjects = draw_subjects(seed, SUBJECTS_PER_ARM)
    reports = [make_report(seed, subjects, number) for number in range(1, len(VISITS) + 1)]
    planted = _plant(seed, reports) if faults else {}
    transfers: list[Transfer] = []
    found: list[PlantedFault] = []
    for number in range(1, len(reports) + 1):
        clean = [row for report in reports[:number] for row in report.results]
        results = planted.get(number, PlantedResults(rows=clean))
        laboratory = _lab_files(reports[:number], results, number=number)
        parts = [laboratory, _edc_files(seed, subjects, number=number, faults=faults)]
        parts += [_irt_files(seed, subjects)] if number == 1 else []
        transfer = _transfer(number, parts)
        found += [
            mark.locate(results.rows, transfer=transfer.label, file=laboratory[0].name)
            for mark in results.marks
        ]
        if faults and number == 2:
            transfer, resend, cut = _cut_wells(transfer)
            transfers += [transfer, resend]
            found.append(cut)
            continue
        transfers.append(transfer)
        found += [_duplicate_fault(transfer)] if faults and number == 3 else []
    return SimulatedStudy(
        seed=seed, transfers=tuple(transfers), faults=tuple(found), subjects=subjects
    )
