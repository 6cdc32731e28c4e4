"""Laws of readers and row rules on the fault catalogue: each fault is found, and nothing else is.

What only shows against another delivery or another row (F02 without a trailer, F29) is tested
with the deliveries.
"""

import datetime as dt
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from assayhouse.contracts import declarations
from assayhouse.errors import DeliveryRejectedError
from assayhouse.intake.rules import RuleContext, compile_rules, escalate
from assayhouse.readers import open_delivery
from assayhouse.simulate.errors import FaultNotApplicableError
from assayhouse.simulate.faults import FAULTS, inject
from assayhouse.simulate.sheet import SHAPES, take_apart
from assayhouse.simulate.study import simulate_study

from support.simulated import paths_of

STUDY, TODAY = "DEMO-SLE-01", dt.date(2020, 1, 1)
STRENGTHS = (0.0, 0.05, 0.3, 1.0)
ROWS = 240
ELSEWHERE = {"F29-same", "F29-other"}
LAYOUTS = [name for name in SHAPES if name in declarations.load(None).layouts]
# An identifier written otherwise is in no roster; a number in a larger unit is below its limit, and
# a sentinel below the range.
CONSEQUENCES = {
    "F07": frozenset({"F21"}),
    "F14": frozenset({"F21"}),
    "F32": frozenset({"F33"}),
    "F33": frozenset({"RANGE"}),
}
HELD_OR_QUARANTINED = {"Q", "H"}  # the stop rule is not asked here


@dataclass(frozen=True)
class Judged:
    """What a file came to: strongest disposition, rules, lines kept out or warned about."""

    disposition: str
    rules: frozenset[str]
    lines: frozenset[int]
    message: str = ""


class Judge:
    """Reads files of the reference study and asks the row rules."""

    def __init__(self, folder):
        self._declared = declarations.load(None)
        self._path = Path(folder) / "file"
        study = simulate_study(faults=False, layouts=LAYOUTS)
        self.clean, whole = {}, {}
        for layout in LAYOUTS:
            # Some files begin later, and some come once: take the first transfer that has one.
            whole[layout] = next(
                transfer.files[path]
                for transfer in study.transfers
                for path in paths_of(transfer, layout)
            )
            sheet = take_apart(whole[layout], SHAPES[layout])
            self.clean[layout] = replace(sheet, rows=sheet.rows[:ROWS]).content()
        references = {
            column.references
            for spec in self._declared.layouts.values()
            for column in spec.columns
            if column.references
        }
        self._rosters = {name: self._roster(name, whole) for name in references}

    def _roster(self, name, files):
        layout, column = name.rsplit(".", 1)
        batches = self._open(layout, files[layout]).batches()
        return frozenset(value for batch in batches for value in batch.frame[column])

    def _open(self, layout, content):
        self._path.write_bytes(content)
        return open_delivery(self._path, self._declared.layouts[layout], study_id=STUDY)

    def _rules(self, layout):
        spec = self._declared.layouts[layout]
        sealed = "codes" in spec.sealed_under
        context = RuleContext(
            study_id=STUDY,
            terms=self._declared.terms,
            parameter_units={code: item.unit for code, item in self._declared.parameters.items()},
            rosters=self._rosters,
            treatment_words=() if sealed else self._declared.study.treatment_words,
            today=TODAY,
        )
        return compile_rules(spec, context)

    def judge(self, layout, content):
        reading, rules = self._open(layout, content), self._rules(layout)
        faults, chances, n_rows = [], Counter(), 0
        try:
            for batch in reading.batches():
                checked = rules.check(batch.frame)
                faults += checked.faults.select(
                    "source_line", "column", "rule", "disposition"
                ).rows()
                chances.update(checked.chances)
                n_rows += batch.frame.height
        except DeliveryRejectedError as error:
            return Judged("R", frozenset({error.rule}), frozenset({error.line}), str(error))
        faults += [
            (item.line, item.column, item.rule, item.disposition) for item in reading.findings
        ]
        counts = Counter((column, rule) for _, column, rule, kind in faults if kind != "W")
        whole = escalate(counts, rows=n_rows, chances=chances)
        strongest = min((kind for *_, kind in faults), key="RHQW".index, default="")
        lines = {line for line, _, _, kind in faults if kind == strongest}
        return Judged(
            "R" if whole else strongest,
            frozenset(rule.partition("-")[0] for _, _, rule, kind in faults),
            frozenset(lines),
        )


@pytest.fixture(scope="module")
def judge():
    with tempfile.TemporaryDirectory() as folder:
        yield Judge(folder)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_clean_file_raises_no_alarm(judge, layout):
    assert judge.judge(layout, judge.clean[layout]) == Judged("", frozenset(), frozenset())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in ELSEWHERE])
def test_a_planted_fault_gets_its_disposition_rule_and_rows(judge, layout, fault):
    tried = 0
    for strength in STRENGTHS:
        try:
            faulty = inject(fault, judge.clean[layout], SHAPES[layout], strength=strength, seed=7)
        except FaultNotApplicableError as error:
            pytest.skip(str(error))
        wanted = faulty.expected
        if wanted.rule == "F02" and wanted.disposition == "H":
            pytest.skip("shows only against the earlier delivery")
        found, tried = judge.judge(layout, faulty.content), tried + 1
        same = {found.disposition, wanted.disposition} <= HELD_OR_QUARANTINED
        assert same or found.disposition == wanted.disposition, (strength, found, wanted)
        assert wanted.rule in found.rules, (strength, found, wanted)
        others = CONSEQUENCES.get(wanted.rule, frozenset())
        assert found.rules <= {wanted.rule} | others, (strength, found, wanted)
        if wanted.disposition in HELD_OR_QUARANTINED:
            assert found.lines == set(wanted.lines), (strength, found, wanted)
    assert tried == len(STRENGTHS)


@pytest.mark.parametrize(
    ("first", "second"),
    [("F32-unit", "F33"), ("F41", "F21"), ("F18", "F33"), ("F32-missing", "F13")],
)
def test_one_fault_does_not_mask_another(judge, first, second):
    layout = "singulex.results"
    once = inject(first, judge.clean[layout], SHAPES[layout], strength=0.05, seed=7)
    twice = inject(second, once.content, SHAPES[layout], strength=0.05, seed=8)
    found = judge.judge(layout, twice.content)
    assert {once.expected.rule, twice.expected.rule} <= found.rules
    assert set(twice.expected.lines) <= found.lines


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_cut_does_not_mask_an_undeclared_line(judge, layout):
    lines = judge.clean[layout].splitlines(keepends=True)
    content = b"".join(
        [*lines[:9], b"Total records: 6" + lines[0][-1:], *lines[9:20], lines[20][:9]]
    )
    found = judge.judge(layout, content)
    assert (found.rules, found.lines) in [({"F08"}, {10}), ({"F40"}, {10})]
    assert "rule F01" in found.message
    assert "also line 22" in found.message
