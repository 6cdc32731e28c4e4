"""Faults planted in the files of the other vendors and of the EDC, with the truth about each.

Works on the clean rows of a whole transfer. Faults of transfer 3 are right again in transfer 4,
but for what cannot be put right: specimens that were too old, requisitions, a baseline value.
"""

from collections.abc import Callable, Mapping

import numpy as np

from assayhouse.simulate.bench import PLANTED_VISIT, Bench
from assayhouse.simulate.calibration import STUDY, VISITS
from assayhouse.simulate.layouts import Layout, Row
from assayhouse.simulate.levels import round_reported, specimens_attended
from assayhouse.simulate.requisitions import requisition_rows
from assayhouse.simulate.specimens import PREFIXES, draw_specimens
from assayhouse.simulate.streams import choose
from assayhouse.simulate.texts import significant_texts
from assayhouse.simulate.vendor_layouts import (
    EPIGENETIC,
    EXPRESSION,
    FLOW,
    FLOW_QC,
    PC,
    REQUISITION,
    RESPONSE,
)
from assayhouse.simulate.world import World

THIRD, FOURTH = 3, 4
AGED, UNIT_ROWS, WRONG_FACTORS = 3, 10, 4
UNREQUESTED, ABSENT = 3, 5
LARGEST_RUN = 6
AGED_HOURS = (80, 86, 93)
MINUTES_AFTER_DOSE = 75
FUSED = {"RSAD2": "RSAD218"}


def _age_specimens(bench: Bench) -> None:
    run = _run_without_controls(bench)

    def is_stable(row: Row) -> bool:
        return bench.cell(row, "TUBETYPE") == "CYTO-CHEX" and bench.cell(row, "RUNNO") != run

    chosen = bench.choose("aged", bench.untouched("ACCNO", is_stable), AGED)
    struck = []
    for hours, accession in zip(AGED_HOURS, chosen, strict=True):
        for row in bench.take("ACCNO", accession):
            collected = np.datetime64(bench.cell(bench.rows[row], "COLDTM"), "m")
            bench.change(row, ACQDTM=str(collected + 60 * hours), AGE_H=f"{hours:.1f}")
            struck.append(row)
    note = "specimens older than a Cyto-Chex tube allows"
    bench.mark("F34", "W", struck, columns=("ACQDTM",), note=note)


def _run_without_controls(bench: Bench) -> str:
    """Choose a small run of the struck visit; the same in results and in controls."""
    specimens: dict[str, set[str]] = {}
    for row in bench.rows:
        if bench.is_new(row):
            run = bench.cell(row, "RUNNO")
            specimens.setdefault(run, set()).add(bench.cell(row, "ACCNO"))
    small = sorted(run for run, held in specimens.items() if 2 <= len(held) <= LARGEST_RUN)
    return bench.choose("run", small, 1)[0]


def _miss_controls(bench: Bench) -> None:
    struck = bench.take("RUNNO", _run_without_controls(bench))
    note = "run without any control; the controls follow with the next transfer"
    bench.mark("F34", "Q", struck, columns=("RUNNO",), note=note)


def _report_per_litre(bench: Bench) -> None:
    def fits(row: Row) -> bool:
        is_count = bench.cell(row, "TESTCD") == "CD3T" and bench.cell(row, "STATUS") == "F"
        return is_count and bench.is_new(row) and bench.cell(row, "BLQFL") == "N"

    struck = bench.pick("per-litre", UNIT_ROWS, fits)
    for place in struck:
        texts = {}
        for column in ("ORRES", "LLOQ", "REFLO", "REFHI"):
            number = float(bench.cell(bench.rows[place], column)) / 1000.0
            texts[column] = f"{number:.9f}".rstrip("0")
        bench.change(place, ORRESU="10^9/L", **texts)
    note = "rows in 10^9/L instead of cells/uL"
    bench.mark("F32", "Q", struck, columns=("ORRESU",), note=note)


def _has_sex(bench: Bench, sex: str) -> Callable[[Row], bool]:
    return lambda row: bench.cell(row, "SEX") == sex


def _swap_subjects(bench: Bench) -> None:
    """Exchange two subjects of different sex; sex and year of birth stay with the tube."""
    chosen = []
    for sex in ("F", "M"):
        tubes = bench.untouched("ACCNO", _has_sex(bench, sex))
        chosen.append(bench.take("ACCNO", bench.choose(f"swap {sex}", tubes, 1)[0]))
    names = [bench.cell(bench.rows[places[0]], "SUBJID") for places in chosen]
    for places, other in zip(chosen, reversed(names), strict=True):
        for place in places:
            bench.change(place, SUBJID=other, SITEID=other.partition("-")[0])
    note = "two subjects exchanged at one visit; put right with the next transfer"
    bench.mark("F24", "H", [*chosen[0], *chosen[1]], columns=("SUBJID",), note=note)


def _plant_flow(bench: Bench, number: int) -> None:
    _age_specimens(bench)
    if number == THIRD:
        _miss_controls(bench)
        _swap_subjects(bench)
        _report_per_litre(bench)


def _plant_copy_factor(bench: Bench, number: int) -> None:
    del number

    def fits(row: Row) -> bool:
        is_result = bench.cell(row, "STATUS") == "F" and bench.cell(row, "BLQFL") == "N"
        return bench.is_new(row) and is_result and bench.cell(row, "PARAMCD") == "TREG"

    struck = bench.pick("factor", WRONG_FACTORS, fits)
    for place in struck:
        row = bench.rows[place]
        copies = [float(bench.cell(row, column)) for column in ("COPTMEAN", "COPREFMEAN")]
        number_text = significant_texts(round_reported(np.array([100.0 * copies[0] / copies[1]])))
        bench.change(place, XFACT="1", ORRES=number_text[0])
    note = "copy factor 1 in place of 2: half of the cells"
    bench.mark("F34", "Q", struck, columns=("XFACT",), note=note)


def _plant_fused_gene(bench: Bench, number: int) -> None:
    del number
    accession = bench.choose("fused", bench.untouched("ACCNO", lambda _row: True), 1)[0]
    whole = bench.take("ACCNO", accession)
    fused = [place for place in whole if bench.cell(bench.rows[place], "GENE") in FUSED]
    for place in fused:
        bench.change(place, GENE=FUSED[bench.cell(bench.rows[place], "GENE")])
    note = "a reference number fused to the gene's symbol"
    bench.mark("F17", "Q", fused, columns=("GENE",), note=note)
    rest = [place for place in whole if place not in fused]
    note = "without that gene the specimen's panel is incomplete"
    bench.mark("F37", "Q", rest, columns=("GENE",), note=note)


def _plant_late_sample(bench: Bench, number: int) -> None:
    del number
    struck = bench.pick("late", 1, lambda row: bench.cell(row, "VISIT") == VISITS[-1])
    for place in struck:
        dose = np.datetime64(bench.cell(bench.rows[place], "PCRFTDTC"), "m")
        bench.change(place, PCDTC=str(dose + MINUTES_AFTER_DOSE))
    note = "predose sample taken after the dose"
    bench.mark("F27", "Q", struck, columns=("PCDTC",), note=note)


def _plant_requisitions(world: World, bench: Bench) -> None:
    # What a sealed laboratory received cannot be reconciled while the study is blind.
    vendors = [vendor for vendor in PREFIXES if vendor != PC.vendor]

    def is_sent(row: Row) -> bool:
        return bench.is_new(row) and bench.cell(row, "VENDOR") in vendors

    forgotten = bench.pick("forgotten", UNREQUESTED, is_sent)
    note = "specimens that arrived although nobody requested them: no line here"
    bench.mark("UNREQUESTED", "W", forgotten, columns=("ACCNO",), note=note)
    gone = {id(bench.rows[place]) for place in forgotten}
    attended = specimens_attended(world.subjects)[:, PLANTED_VISIT]
    lost: list[Row] = []
    for vendor in vendors:
        never = attended & ~world.present(vendor)[:, PLANTED_VISIT]
        specimens = draw_specimens(world.seed, world.subjects, vendor, PLANTED_VISIT, present=never)
        lost += requisition_rows([specimens])
    chosen = choose(
        world.seed, "vendor-plant", "absent", candidates=list(range(len(lost))), size=ABSENT
    )
    kept = [row for row in bench.rows if id(row) not in gone]
    bench.rows[:] = [*kept, *(lost[place] for place in chosen)]
    note = "specimens requested more than 14 days ago that never arrived"
    bench.mark("ABSENT", "W", range(len(kept), len(bench.rows)), columns=("ACCNO",), note=note)


def _plant_stratum(world: World, bench: Bench) -> None:
    """Let one subject's baseline SLEDAI contradict the stratum the IRT was told."""
    never = ~world.efficacy.responder.any(axis=1)
    known = world.disease.sledai == 10
    people = np.flatnonzero(never & known).tolist()
    person = choose(world.seed, "vendor-plant", "stratum", candidates=people, size=1)[0]
    name = f"{STUDY}-{world.subjects.subjid[person]}"
    struck = bench.places(
        lambda row: bench.cell(row, "USUBJID") == name and bench.cell(row, "VISIT") == VISITS[0]
    )
    for place in struck:
        bench.change(place, SLEDAI="9")
    note = "baseline SLEDAI 9, stratum of 10 and more: randomised stratum and EDC differ"
    bench.mark("STRATUM", "W", struck, columns=("SLEDAI",), note=note)


_PLANTS: Mapping[tuple[str, int], Callable[[Bench, int], None]] = {
    (FLOW.full_name, THIRD): _plant_flow,
    (FLOW.full_name, FOURTH): _plant_flow,
    (EPIGENETIC.full_name, THIRD): _plant_copy_factor,
    (EXPRESSION.full_name, THIRD): _plant_fused_gene,
    (PC.full_name, FOURTH): _plant_late_sample,
}


def drop_controls(seed: int, results: list[Row], controls: list[Row]) -> list[Row]:
    """Leave the controls of one run of the flow results out, as transfer 3 does."""
    run = _run_without_controls(Bench(seed=seed, layout=FLOW, rows=results))
    return [row for row in controls if row[FLOW_QC.columns.index("RUNNO")] != run]


def plant_rows(world: World, layout: Layout, number: int, rows: list[Row]) -> Bench:
    """Plant the faults of one file in its clean rows.

    Parameters
    ----------
    world : World
        The trial.
    layout : Layout
        Layout of the file.
    number : int
        Transfer, 1 to 4.
    rows : list of rows
        Clean cumulative rows; left as they are.

    Returns
    -------
    Bench
        Rows with the faults in them, and the marks.
    """
    bench = Bench(seed=world.seed, layout=layout, rows=list(rows))
    plant = _PLANTS.get((layout.full_name, number))
    if plant is not None:
        plant(bench, number)
    if layout is REQUISITION and number >= THIRD:
        _plant_requisitions(world, bench)
    if layout is RESPONSE:
        _plant_stratum(world, bench)
    return bench
