"""Laws of the fault catalogue for any file of the synthetic study, any strength, any seed."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assayhouse.simulate import simulate_study
from assayhouse.simulate.errors import FaultNotApplicableError
from assayhouse.simulate.faults import FAULTS, inject
from assayhouse.simulate.sheet import SHAPES, take_apart

from support.simulated import path_of, paths_of

SMALL = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def files():
    """The first 120 rows of a file of each layout."""
    made, transfers = {}, simulate_study(faults=False).transfers
    for layout in SHAPES:
        # What comes once comes first; concentrations and the diary begin with the second transfer.
        transfer = transfers[1 if paths_of(transfers[1], layout) else 0]
        content = transfer.files[path_of(transfer, layout)]
        sheet = take_apart(content, SHAPES[layout])
        lines = sheet.all_lines()[: sheet.header_line + 120]
        rows = len(lines) - sheet.header_line
        if sheet.shape.trailer:
            rows = min(rows, len(sheet.rows))
            lines = [*lines[: sheet.header_line + rows], sheet.shape.trailer.format(rows=rows)]
        end = sheet.shape.line_end
        made[layout] = "".join(line + end for line in lines).encode()
    return made


@SMALL
@given(
    layout=st.sampled_from(sorted(SHAPES)),
    fault=st.sampled_from(FAULTS),
    strength=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_lines_exist_in_the_faulty_file_and_rows_match_lines(files, layout, fault, strength, seed):
    try:
        made = inject(fault, files[layout], SHAPES[layout], strength=strength, seed=seed)
    except FaultNotApplicableError:
        return
    expected = made.expected
    assert expected.disposition in {"R", "H", "Q", "W"}
    assert list(expected.lines) == sorted(set(expected.lines))
    physical = made.content.count(b"\n") + (not made.content.endswith(b"\n"))
    assert all(1 <= line <= physical for line in expected.lines)
    assert made.content != files[layout]


@SMALL
@given(
    layout=st.sampled_from(sorted(SHAPES)),
    fault=st.sampled_from(["F13", "F18", "F21", "F28", "F32-missing", "F33", "F35-comment"]),
    strength=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_lines_not_named_are_untouched(files, layout, fault, strength, seed):
    try:
        made = inject(fault, files[layout], SHAPES[layout], strength=strength, seed=seed)
    except FaultNotApplicableError:
        return
    pairs = zip(files[layout].splitlines(), made.content.splitlines(), strict=True)
    differ = {number for number, (old, new) in enumerate(pairs, start=1) if old != new}
    assert differ == set(made.expected.lines)


@pytest.mark.parametrize("layout", sorted(SHAPES))
def test_taking_apart_and_putting_together_gives_the_same_bytes(files, layout):
    assert take_apart(files[layout], SHAPES[layout]).content() == files[layout]
