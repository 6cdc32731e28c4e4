"""The synthetic reference study as a sequence of transfers, and its truth beside them.

Nothing of the truth is in any delivered file; ``record.py`` writes it to a folder of its own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from assayhouse.simulate.calibration import SUBJECTS_PER_ARM, TRANSFER_DATES, VISITS
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.instrument_record import INSTRUMENT_LAYOUTS, InstrumentValue
from assayhouse.simulate.layouts import (
    RAND,
    SITE,
    WELLS,
    DeliveredFile,
    Layout,
    file_name,
    manifest,
    render,
)
from assayhouse.simulate.plants import PlantedFault
from assayhouse.simulate.subjects import Subjects, draw_subjects
from assayhouse.simulate.tables import DUPLICATE_TRANSFER, StudyTables
from assayhouse.simulate.vendor_layouts import ALL_LAYOUTS, LAYOUT_NAMES, POOL
from assayhouse.simulate.world import World

RESEND_DATE = "2018-10-10"
CUT_TRANSFER = 2
MANIFEST_SUFFIX = ".manifest.json"
ONCE = (RAND.vendor, POOL.vendor)


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
    instrument_values : tuple of InstrumentValue
        What the instrument files give, beside what was reported, with the planted errors.
    """

    seed: int
    transfers: tuple[Transfer, ...]
    faults: tuple[PlantedFault, ...]
    subjects: Subjects
    instrument_values: tuple[InstrumentValue, ...] = ()


def _drop(
    files: list[DeliveredFile], *, number: int, date: str, mode: str = "cumulative"
) -> dict[str, bytes]:
    folder = files[0].layout.vendor
    dropped = {f"{folder}/{file.name}": file.content for file in files}
    sidecar = f"{folder}/{files[0].name}{MANIFEST_SUFFIX}"
    dropped[sidecar] = manifest(files, transfer=number, date=date, mode=mode)
    return dropped


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


def _require_layouts(wanted: Collection[str] | None) -> tuple[Layout, ...]:
    if wanted is None:
        return (*ALL_LAYOUTS, *INSTRUMENT_LAYOUTS)
    known = (*LAYOUT_NAMES, *(layout.full_name for layout in INSTRUMENT_LAYOUTS))
    unknown = sorted(set(wanted) - set(known))
    if unknown or not wanted:
        message = (
            f"The synthetic study has no layout {', '.join(unknown) or 'to make'}. "
            f"Choose from: {', '.join(known)}."
        )
        raise SimulationError(message)
    every = (*ALL_LAYOUTS, *INSTRUMENT_LAYOUTS)
    return tuple(layout for layout in every if layout.full_name in wanted)


def _deliver(
    tables: StudyTables, layouts: tuple[Layout, ...], number: int
) -> tuple[Transfer, list[PlantedFault]]:
    """Write all files of a transfer, a manifest for each vendor, and locate what is planted."""
    date, parts = TRANSFER_DATES[number - 1], dict[str, list[DeliveredFile]]()
    label = f"T{number:03d}"
    found = []
    for layout in (each for each in layouts if each not in INSTRUMENT_LAYOUTS):
        # Randomisation is over when the first transfer is made; earlier studies are done long ago.
        if layout.vendor in ONCE and number > 1:
            continue
        table = tables.table(layout, number)
        # A file without rows is not sent: before week 4 there is no drug concentration.
        if not table.rows:
            continue
        name = file_name(layout, transfer=number, date=date)
        content = render(layout, table.rows, report=number)
        file = DeliveredFile(layout=layout, name=name, content=content, rows=len(table.rows))
        parts.setdefault(layout.vendor, []).append(file)
        found += [mark.locate(table.rows, transfer=label, file=name) for mark in table.marks]
    files = dict[str, bytes]()
    for part in parts.values():
        files |= _drop(part, number=number, date=date)
    return Transfer(number=number, label=label, date=date, files=files), found


def _with_instrument_files(
    transfer: Transfer, tables: StudyTables, layouts: tuple[Layout, ...]
) -> tuple[Transfer, list[InstrumentValue]]:
    """Add a vendor's instrument files, under a manifest of their own."""
    files, truth = dict(transfer.files), list[InstrumentValue]()
    for layout in (each for each in layouts if each in INSTRUMENT_LAYOUTS):
        made = tables.instrument_files(layout, transfer.number)
        if not made:
            continue
        truth += [value for file in made for value in file.values]
        sent = [
            DeliveredFile(layout=layout, name=file.name, content=file.content, rows=1)
            for file in made
        ]
        files |= _drop(sent, number=transfer.number, date=transfer.date, mode="incremental")
    whole = Transfer(number=transfer.number, label=transfer.label, date=transfer.date, files=files)
    return whole, truth


def simulate_study(
    *, seed: int = 20190304, faults: bool = True, layouts: Collection[str] | None = None
) -> SimulatedStudy:
    """Make the synthetic reference study, DEMO-SLE-01.

    Parameters
    ----------
    seed : int
        The same seed gives the same bytes.
    faults : bool
        Plant the few faults listed in ``SimulatedStudy.faults``; False gives clean deliveries.
        Errors of the laboratory behind the instrument files are there in either case.
    layouts : collection of str or None
        Full names of the layouts to make, as ``covance_flow.results``; None for all. A file's
        bytes do not depend on the others; a manifest names the files made.

    Returns
    -------
    SimulatedStudy
        Four cumulative transfers (through baseline, weeks 4, 12 and 24); with faults a fifth
        drop, the second sending of a file of transfer 2.

    Raises
    ------
    SimulationError
        A layout the study does not have.
    """
    wanted = _require_layouts(layouts)
    subjects = draw_subjects(seed, SUBJECTS_PER_ARM)
    tables = StudyTables(World(seed, subjects), wanted, faults=faults)
    transfers: list[Transfer] = []
    found: list[PlantedFault] = []
    measured: list[InstrumentValue] = []
    for number in range(1, len(VISITS) + 1):
        transfer, marked = _deliver(tables, wanted, number)
        found += marked
        transfer, values = _with_instrument_files(transfer, tables, wanted)
        measured += values
        if faults and number == CUT_TRANSFER and WELLS in wanted:
            transfer, resend, cut = _cut_wells(transfer)
            transfers += [transfer, resend]
            found.append(cut)
            continue
        transfers.append(transfer)
        if faults and number == DUPLICATE_TRANSFER and SITE in wanted:
            found.append(_duplicate_fault(transfer))
    return SimulatedStudy(
        seed=seed,
        transfers=tuple(transfers),
        faults=tuple(found),
        subjects=subjects,
        instrument_values=tuple(measured),
    )
