"""The synthetic reference study as a sequence of transfers, and its truth beside them.

Nothing of the truth is in any delivered file; ``record.py`` writes it to a folder of its own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from assayhouse.simulate.calibration import SUBJECTS_PER_ARM, TRANSFER_DATES, VISITS
from assayhouse.simulate.deliveries import CLINIC_ROWS, LABORATORY_ROWS, laboratory_visits
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.laboratory import LabReport, make_report
from assayhouse.simulate.layouts import (
    PLATES,
    RAND,
    RESULTS,
    SITE,
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
from assayhouse.simulate.vendor_layouts import ALL_LAYOUTS, LAYOUT_NAMES
from assayhouse.simulate.world import World

RESEND_DATE = "2018-10-10"
CUT_TRANSFER, DUPLICATE_TRANSFER = 2, 3
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


def _file(layout: Layout, rows: list[Row], number: int) -> DeliveredFile:
    name = file_name(layout, transfer=number, date=TRANSFER_DATES[number - 1])
    content = render(layout, rows, report=number)
    return DeliveredFile(layout=layout, name=name, content=content, rows=len(rows))


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


def _require_layouts(wanted: Collection[str] | None) -> tuple[Layout, ...]:
    if wanted is None:
        return ALL_LAYOUTS
    unknown = sorted(set(wanted) - set(LAYOUT_NAMES))
    if unknown or not wanted:
        message = (
            f"The synthetic study has no layout {', '.join(unknown) or 'to make'}. "
            f"Choose from: {', '.join(LAYOUT_NAMES)}."
        )
        raise SimulationError(message)
    return tuple(layout for layout in ALL_LAYOUTS if layout.full_name in wanted)


class _Maker:
    """Makes the files of one study; keeps the rows of visits, which every later file repeats."""

    def __init__(self, world: World, layouts: tuple[Layout, ...], *, faults: bool) -> None:
        self.world = world
        self.layouts = layouts
        self.faults = faults
        self.visits = {
            layout.full_name: laboratory_visits(world, layout.full_name)
            for layout in layouts
            if layout.full_name in LABORATORY_ROWS
        }
        self.reports: list[LabReport] = []
        if any(layout.vendor == RESULTS.vendor for layout in layouts):
            numbers = range(1, len(VISITS) + 1)
            self.reports = [make_report(world.seed, world.subjects, each) for each in numbers]
        self.planted = _plant(world.seed, self.reports) if faults and self.reports else {}

    def _immunoassays(self, layout: Layout, number: int) -> list[Row]:
        if layout is RESULTS and number in self.planted:
            return self.planted[number].rows
        made = {
            RESULTS.full_name: [report.results for report in self.reports],
            WELLS.full_name: [report.wells for report in self.reports],
            PLATES.full_name: [report.plates for report in self.reports],
        }
        return [row for rows in made[layout.full_name][:number] for row in rows]

    def rows(self, layout: Layout, number: int) -> list[Row]:
        """All rows of a layout's file in a transfer."""
        if layout.full_name in self.visits:
            return [row for rows in self.visits[layout.full_name][:number] for row in rows]
        if layout.vendor == RESULTS.vendor:
            return self._immunoassays(layout, number)
        # Planted: transfer 3 brings the very bytes of transfer 2.
        again = self.faults and layout is SITE and number == DUPLICATE_TRANSFER
        return CLINIC_ROWS[layout.full_name](self.world, number - 1 if again else number)

    def transfer(self, number: int) -> Transfer:
        """All files of a transfer, with a manifest for each vendor."""
        parts: dict[str, list[DeliveredFile]] = {}
        for layout in self.layouts:
            # Randomisation is over when the first transfer is made.
            if layout.vendor == RAND.vendor and number > 1:
                continue
            file = _file(layout, self.rows(layout, number), number)
            parts.setdefault(layout.vendor, []).append(file)
        return _transfer(number, list(parts.values()))

    def found(self, transfer: Transfer) -> list[PlantedFault]:
        """List what is planted in the results of a transfer, with its lines."""
        results = self.planted.get(transfer.number)
        if results is None or RESULTS not in self.layouts:
            return []
        name = file_name(RESULTS, transfer=transfer.number, date=transfer.date)
        return [
            mark.locate(results.rows, transfer=transfer.label, file=name) for mark in results.marks
        ]


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
    maker = _Maker(World(seed, subjects), wanted, faults=faults)
    transfers: list[Transfer] = []
    found: list[PlantedFault] = []
    for number in range(1, len(VISITS) + 1):
        transfer = maker.transfer(number)
        found += maker.found(transfer)
        if faults and number == CUT_TRANSFER and WELLS in wanted:
            transfer, resend, cut = _cut_wells(transfer)
            transfers += [transfer, resend]
            found.append(cut)
            continue
        transfers.append(transfer)
        if faults and number == DUPLICATE_TRANSFER and SITE in wanted:
            found.append(_duplicate_fault(transfer))
    return SimulatedStudy(
        seed=seed, transfers=tuple(transfers), faults=tuple(found), subjects=subjects
    )
