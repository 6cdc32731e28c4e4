"""Rows of every file of the study, with the planted faults in them. Renders and writes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assayhouse.simulate.calibration import VISITS
from assayhouse.simulate.deliveries import CLINIC_ROWS, LABORATORY_ROWS, laboratory_visits
from assayhouse.simulate.instrument_record import FCS, FSA, READER, RUNS, InstrumentFile
from assayhouse.simulate.instrument_traces import trace_files
from assayhouse.simulate.instrument_tubes import tube_files
from assayhouse.simulate.instrument_wells import plate_files, run_files
from assayhouse.simulate.laboratory import LabReport, make_report
from assayhouse.simulate.layouts import PLATES, RESULTS, SITE, WELLS, Layout, Row
from assayhouse.simulate.plants import Mark, PlantedResults, plant_fourth, plant_third
from assayhouse.simulate.vendor_layouts import EPIGENETIC, EXPRESSION, FLOW, FLOW_QC
from assayhouse.simulate.vendor_plants import THIRD, drop_controls, plant_rows
from assayhouse.simulate.world import World

DUPLICATE_TRANSFER = 3
_BEHIND = {
    FCS.full_name: FLOW.full_name,
    RUNS.full_name: EPIGENETIC.full_name,
    FSA.full_name: EXPRESSION.full_name,
}
_MAKERS: dict[str, Callable[[int, int, Sequence[Row]], list[InstrumentFile]]] = {
    FCS.full_name: tube_files,
    RUNS.full_name: run_files,
    FSA.full_name: trace_files,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one file, and what is planted in them."""

    rows: list[Row]
    marks: list[Mark]


def _plant_cytokines(seed: int, reports: list[LabReport]) -> dict[int, PlantedResults]:
    below_limit = {key: text for report in reports for key, text in report.below_limit.items()}
    third = [row for report in reports[:3] for row in report.results]
    fourth = [*third, *reports[3].results]
    return {
        3: plant_third(seed, third, below_limit),
        4: plant_fourth(seed, fourth, below_limit, n_third=len(third)),
    }


class StudyTables:
    """Makes the rows of the wanted files; keeps those of a visit, which later files repeat.

    Parameters
    ----------
    world : World
        The trial.
    layouts : tuple of Layout
        Files that will be asked for.
    faults : bool
        Whether faults are planted.
    """

    def __init__(self, world: World, layouts: tuple[Layout, ...], *, faults: bool) -> None:
        self._world = world
        self._faults = faults
        names = {layout.full_name for layout in layouts} & set(LABORATORY_ROWS)
        if faults and FLOW_QC.full_name in names:
            # Which run lacks its controls is chosen among the results.
            names.add(FLOW.full_name)
        wanted = {layout.full_name for layout in layouts}
        names |= {_BEHIND[name] for name in wanted & set(_BEHIND)}
        self._visits = {name: laboratory_visits(world, name) for name in sorted(names)}
        self._reports: list[LabReport] = []
        if any(layout.vendor == RESULTS.vendor for layout in layouts):
            numbers = range(1, len(VISITS) + 1)
            self._reports = [make_report(world.seed, world.subjects, each) for each in numbers]
        planted = faults and bool(self._reports)
        self._cytokines = _plant_cytokines(world.seed, self._reports) if planted else {}

    def table(self, layout: Layout, number: int) -> Table:
        """Make the rows of one layout's file in a transfer."""
        if layout is RESULTS and number in self._cytokines:
            results = self._cytokines[number]
            return Table(rows=results.rows, marks=results.marks)
        rows = self._clean(layout, number)
        if not self._faults:
            return Table(rows=rows, marks=[])
        if layout is FLOW_QC and number == THIRD:
            rows = drop_controls(self._world.seed, self._clean(FLOW, number), rows)
        bench = plant_rows(self._world, layout, number, rows)
        return Table(rows=bench.rows, marks=bench.marks)

    def instrument_files(self, layout: Layout, number: int) -> list[InstrumentFile]:
        """Make the instrument files of one layout in a transfer."""
        seed = self._world.seed
        if layout is READER:
            report = self._reports[number - 1]
            return plate_files(seed, number, report.results, report.wells, report.plates)
        rows = self._visits[_BEHIND[layout.full_name]][number - 1]
        return _MAKERS[layout.full_name](seed, number, rows)

    def _clean(self, layout: Layout, number: int) -> list[Row]:
        if layout.full_name in self._visits:
            visits = self._visits[layout.full_name][:number]
        elif layout.vendor == RESULTS.vendor:
            visits = self._immunoassays(layout)[:number]
        else:
            # Planted: transfer 3 brings the very bytes of transfer 2.
            again = self._faults and layout is SITE and number == DUPLICATE_TRANSFER
            return CLINIC_ROWS[layout.full_name](self._world, number - 1 if again else number)
        return [row for rows in visits for row in rows]

    def _immunoassays(self, layout: Layout) -> list[list[Row]]:
        made = {
            RESULTS.full_name: [report.results for report in self._reports],
            WELLS.full_name: [report.wells for report in self._reports],
            PLATES.full_name: [report.plates for report in self._reports],
        }
        return made[layout.full_name]
