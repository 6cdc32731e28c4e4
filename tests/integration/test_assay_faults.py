"""Assay faults planted in every vendor's feed end in the declared disposition.

Prints one table, fault by layout. Clean feeds raise no R, H or Q.
"""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from assayhouse.contracts import declarations as shipped
from assayhouse.contracts.terminology import read_parameters
from assayhouse.contracts.vendor_file import read_layout
from assayhouse.pipeline import delivery
from assayhouse.simulate.assay_faults import ASSAY_FAULTS, JUDGED, plant
from assayhouse.simulate.errors import FaultNotApplicableError
from assayhouse.simulate.study import simulate_study
from assayhouse.warehouse.home import Home

from support.deliveries import Bench

ROOT = Path(__file__).resolve().parents[2]
SEED = 20190304
# The visits that a layout is judged with: drug concentrations and sites need several.
TRANSFER = {"pk_lab.pc": 4, "central_lab.lb": 2, "edc.ec": 4}
BEFORE = {
    "covance_flow.results": ("central_lab.lb", "covance_flow.qc"),
    "singulex.results": ("singulex.wells", "singulex.plates"),
    "dxterity.expression": ("dxterity.sampleqc",),
    "pk_lab.pc": ("edc.ec",),
}
VENDOR_FILES = ("covance_flow.qc", "singulex.wells", "singulex.plates", "dxterity.sampleqc")
SUPPORT = ("edc.site", "edc.dm", "central_lab.lb", "edc.ec", *VENDOR_FILES)
STATE = {"Q": "PUBLISHED", "W": "PUBLISHED", "H": "HELD", "R": "REJECTED"}


def study():
    """The shipped study with every layout, and no relation but intake's own."""
    base = shipped.load()
    files = sorted((ROOT / "schemas/vendors").glob("*.yaml"))
    layouts = {path.stem: replace(read_layout(path), maps_to=()) for path in files}
    parameters = read_parameters(ROOT / "schemas/terms/parameters.csv")
    own = replace(base.study, layouts=tuple(layouts), parameters=tuple(parameters))
    intake = {n: spec for n, spec in base.declared_tables.items() if spec.layer == "intake"}
    return replace(base, study=own, layouts=layouts, parameters=parameters, declared_tables=intake)


@pytest.fixture(scope="module")
def feed():
    """Layout to the clean file that is judged."""
    made = simulate_study(seed=SEED, faults=False)
    found = {}
    for layout in {*SUPPORT, *JUDGED}:
        files = made.transfers[TRANSFER.get(layout, 1) - 1].files
        name = layout.replace("_", "-").replace(".", "-")
        found[layout] = next(data for path, data in files.items() if f"_{name}_" in path)
    return found


class Laboratory(Bench):
    """A home of the whole study; files are dropped with a manifest."""

    def hand_in(self, layout, data):
        """Send one file in the layout's next transfer and carry it to its outcome."""
        known = delivery.receipts(self.home)
        transfer = 1 + sum(item.layout == layout for item in known)
        end = "ndjson" if layout == "central_lab.lb" else "dat"
        spec = self.declarations.layouts[layout]
        extra = 1 + len(spec.dialect.preamble) + (spec.dialect.trailer is not None)
        self.send(
            data,
            name=f"{layout}.{transfer}.{end}",
            layout=layout,
            transfer=transfer,
            rows=data.count(b"\n") - extra,
        )
        (receipt,) = self.scan()
        return self.ingest(receipt.number)

    def send(self, data, *, name, layout, transfer, rows):
        from support.deliveries import manifest_of

        vendor = layout.split(".")[0]
        self.drop(name, data, vendor=vendor)
        sidecar = manifest_of({name: (layout, data, rows)}, transfer=transfer, vendor=vendor)
        self.drop(f"{name}.manifest.json", sidecar, vendor=vendor)


@pytest.fixture(scope="module")
def bases(feed, tmp_path_factory):
    """Homes with what each judgement needs already published, and the outcomes of the clean files.

    The second has no file of a vendor: faults in such a file come as its first.
    """
    declared, outcomes = study(), {}
    homes = []
    for name, layouts in (("whole", SUPPORT), ("bare", SUPPORT[:4])):
        bench = Laboratory(tmp_path_factory.mktemp("assay") / name, declared)
        for layout in layouts:
            outcomes[layout] = bench.hand_in(layout, feed[layout])
        homes.append(bench.home.root)
    return declared, homes, outcomes


@pytest.fixture
def copy_of(bases, tmp_path):
    """A laboratory that starts from one of the bases."""
    declared, homes, _ = bases

    def made(*, bare):
        target = tmp_path / "home"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(homes[int(bare)], target)
        bench = Laboratory.__new__(Laboratory)
        bench.home, bench.declarations, bench.pauses = Home(target), declared, []
        return bench

    return made


def only(declared, layouts):
    """The same study with these layouts alone: fewer views to open per judgement."""
    own = replace(declared.study, layouts=layouts)
    return replace(declared, study=own, layouts={name: declared.layouts[name] for name in layouts})


def judge(copy_of, feed, judged, changed):
    """Deliver a feed with some of its files changed, and judge it."""
    own = [layout for layout in VENDOR_FILES if layout in changed and layout != judged]
    again = judged in SUPPORT
    bench = copy_of(bare=bool(own) or again)
    bench.declarations = only(
        bench.declarations, ("edc.site", "edc.dm", judged, *BEFORE.get(judged, ()))
    )
    for layout in BEFORE.get(judged, ()):
        if own and layout in VENDOR_FILES:
            bench.hand_in(layout, changed.get(layout, feed[layout]))
    return bench, bench.hand_in(judged, changed.get(judged, feed[judged]))


def strong(outcome):
    return [item for item in outcome.findings if item.disposition in "RHQ"]


def told_lines(finding):
    """Physical lines that a finding names: its own, or the ranges of a group."""
    ranges = re.search(r"rows?, lines? ([\d, -]+)", finding.message)
    if ranges is None:
        return {finding.source_line} - {None}
    pairs = [part.strip().split("-") for part in ranges.group(1).split(",")]
    return {line for pair in pairs for line in range(int(pair[0]), int(pair[-1]) + 1)}


def right_rows(bench, outcome, planted):
    """Whether exactly the rows struck were found, under the rule and on the column expected."""
    expected = planted.expected
    lines = set(expected.lines)
    if expected.disposition in "RHQ" and planted.expected.rule not in ("F24", "F16"):
        kept = bench.table("intake.quarantine", side="open")
        if kept.is_empty():
            kept = bench.table("intake.quarantine", side="sealed")
        mine = kept.filter(pl.col("receipt") == outcome.receipt)
        struck = mine.filter(pl.col("rule") == expected.rule)["source_line"].to_list()
        follows = {line for more in planted.follows.values() for line in more}
        return set(struck) == lines and set(mine["source_line"]) == lines | follows
    found = [
        item
        for item in outcome.findings
        if item.rule == expected.rule and item.column in expected.columns
    ]
    told = set().union(*(told_lines(item) for item in found))
    return bool(found) and sum(item.n_rows for item in found) == len(lines) and told <= lines


def test_clean_feeds_raise_no_reject_hold_or_quarantine(bases, feed, copy_of):
    _, _, outcomes = bases
    for layout in JUDGED:
        if layout not in outcomes:
            outcomes[layout] = judge(copy_of, feed, layout, {})[1]
    alarms = {layout: strong(outcome) for layout, outcome in outcomes.items() if strong(outcome)}
    assert alarms == {}
    assert {outcome.state for outcome in outcomes.values()} == {"PUBLISHED"}
    asked = {
        check.rule_id: check.passed
        for layout in ("covance_flow.results", "singulex.results", "pk_lab.pc")
        for check in outcomes[layout].checks
        if "-A" in check.rule_id
    }
    assert len(asked) > 20
    assert None not in asked.values(), "every check had its companion"


CELLS: dict[tuple[str, str], str] = {}


@pytest.mark.parametrize("judged", JUDGED)
def test_every_fault_gets_its_disposition_and_its_rows(judged, feed, copy_of):
    own = {name: feed[name] for name in (judged, *BEFORE.get(judged, ())) if name != "edc.ec"}
    wrong = []
    for fault in ASSAY_FAULTS:
        try:
            planted = plant(fault, judged, own, seed=SEED)
        except FaultNotApplicableError as error:
            CELLS[fault, judged] = "- " + str(error).partition(": ")[2].partition(". ")[0]
            continue
        bench, outcome = judge(copy_of, feed, judged, planted.changed)
        found = {
            item.disposition for item in outcome.findings if item.rule == planted.expected.rule
        }
        strongest = next(
            (d for d in "RHQW" if d in {f.disposition for f in outcome.findings}), "none"
        )
        right = (
            strongest == planted.expected.disposition
            and outcome.state == STATE[planted.expected.disposition]
            and bool(found)
            and right_rows(bench, outcome, planted)
        )
        CELLS[fault, judged] = f"{strongest} {planted.expected.rule}" + ("" if right else " WRONG")
        if not right:
            seen = sorted({(f.rule, f.disposition, f.column) for f in outcome.findings}, key=str)
            wrong.append((fault, planted.expected.disposition, planted.expected.rule, seen))
    assert wrong == []


def test_the_table_of_faults_and_layouts_is_whole(capsys):
    if not CELLS:
        pytest.skip("the cells were not judged in this process")
    short = {layout: layout.replace("_", " ")[:22] for layout in JUDGED}
    lines = ["", f"{'fault':26s}" + "".join(f"{short[layout]:24s}" for layout in JUDGED)]
    for fault in ASSAY_FAULTS:
        cells = [CELLS[fault, layout] for layout in JUDGED]
        shown = [cell if not cell.startswith("-") else "not applicable" for cell in cells]
        lines.append(f"{fault:26s}" + "".join(f"{cell:24s}" for cell in shown))
    reasons = {(f, c) for (f, _), c in CELLS.items() if c.startswith("-")}
    lines += [f"not applicable, {fault}: {cell[2:]}" for fault, cell in sorted(reasons)]
    with capsys.disabled():
        print("\n".join(lines))
    applicable = [cell for cell in CELLS.values() if not cell.startswith("-")]
    assert not [cell for cell in applicable if "WRONG" in cell]
    assert all(any(not CELLS[f, lay].startswith("-") for lay in JUDGED) for f in ASSAY_FAULTS)
