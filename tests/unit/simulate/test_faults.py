"""The fault catalogue: the faulty lines are the named ones, and the rest is untouched."""

import csv
from dataclasses import replace

import pytest

from assayhouse.simulate.errors import FaultNotApplicableError, SimulationError
from assayhouse.simulate.faults import FAULTS, inject
from assayhouse.simulate.sheet import SHAPES, take_apart

RESULTS, DM = SHAPES["singulex.results"], SHAPES["edc.dm"]
# Faults that leave the number and order of lines as they are.
CELL_FAULTS = ["F13", "F18", "F21", "F28", "F32-unit", "F32-missing", "F33", "F35-comment", "F41"]
HEADER_LINE = 3
FIRST_ROW = 4


@pytest.fixture(scope="module")
def clean():
    names = ["STUDYID", "SUBJID", "VISIT", "ACCNO", "COLDTM", "PARAMCD", "ORRES", "ORRESU"]
    names += ["COMMENT", "REPORTNO"]
    rows = []
    for number in range(100):
        code, subject = ("IL2", "IL10")[number % 2], f"101-{number // 2 + 1:04d}"
        row = ["DEMO-SLE-01", subject, "WEEK 4", f"SGX{10000 + number // 2}", "2018-05-03T08:10"]
        rows.append([*row, code, f"{0.5 + number / 100:.3f}", "pg/mL", "", "1"])
    lines = ['"Study","DEMO-SLE-01"', '"Report","1"']
    lines += [",".join(f'"{cell}"' for cell in row) for row in [names, *rows]]
    lines.append('"Rows","100"')
    return "".join(line + "\r\n" for line in lines).encode()


@pytest.fixture(scope="module")
def roster():
    lines = ["STUDYID,USUBJID,SUBJID,RACE,RFICDTC"]
    lines += [f"S,S-101-{number:04d},101-{number:04d},WHITE,2018-04-03" for number in range(1, 41)]
    return ("\n".join(lines) + "\n").encode()


def physical(content):
    return content.decode().split("\r\n")


def differing(clean, faulty):
    old, new = physical(clean), physical(faulty)
    assert len(old) == len(new)
    return tuple(
        number for number, pair in enumerate(zip(old, new, strict=True), 1) if pair[0] != pair[1]
    )


def cells(content, line):
    names = next(csv.reader([physical(content)[HEADER_LINE - 1]]))
    return dict(zip(names, next(csv.reader([physical(content)[line - 1]])), strict=True))


@pytest.mark.parametrize("fault", CELL_FAULTS)
@pytest.mark.parametrize("strength", [0.0, 0.01, 0.05, 0.3])
def test_exactly_the_named_lines_and_columns_differ(clean, fault, strength):
    made = inject(fault, clean, RESULTS, strength=strength, seed=1)
    expected = made.expected
    assert differing(clean, made.content) == expected.lines
    assert expected.n_rows == len(expected.lines) == max(1, round(strength * 100))
    for line in expected.lines:
        old, new = cells(clean, line), cells(made.content, line)
        changed = {name for name in old if old[name] != new[name]}
        assert set(expected.columns) <= changed <= set(expected.columns) | {"ORRES"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_pure_and_always_a_change(clean, fault):
    first, again = (inject(fault, clean, RESULTS, strength=0.05, seed=4) for _ in range(2))
    assert first == again
    assert first.content != clean
    assert first.expected.fault == fault
    assert first.expected.rule == fault[:3]
    assert first.expected.to_dict()["disposition"] == first.expected.disposition


@pytest.mark.parametrize("fault", CELL_FAULTS)
def test_the_seed_chooses_the_rows(clean, fault):
    lines = {inject(fault, clean, RESULTS, seed=seed).expected.lines for seed in range(12)}
    assert len(lines) > 3


@pytest.mark.parametrize("fault", ["F13", "F18", "F21", "F28", "F32-unit", "F32-missing", "F33"])
def test_the_stop_rule_turns_quarantine_into_hold(clean, fault):
    few, many = (inject(fault, clean, RESULTS, strength=each, seed=1) for each in (0.05, 0.06))
    assert (few.expected.disposition, many.expected.disposition) == ("Q", "H")


def test_a_fifth_of_one_analyte_holds_even_where_the_file_is_large(clean):
    sheet = take_apart(clean, RESULTS)
    rare = [
        [*row[:5], "IL17A" if place < 3 else row[5], *row[6:]]
        for place, row in enumerate(sheet.rows)
    ]
    content = replace(sheet, rows=tuple(rare)).content()
    dispositions = {}
    for seed in range(200):
        made = inject("F33", content, RESULTS, seed=seed)
        struck = cells(content, made.expected.lines[0])["PARAMCD"]
        dispositions.setdefault(struck, set()).add(made.expected.disposition)
    assert dispositions == {"IL17A": {"H"}, "IL2": {"Q"}, "IL10": {"Q"}}


def test_f01_ends_inside_the_named_row(clean):
    made = inject("F01", clean, RESULTS, seed=1)
    (line,) = made.expected.lines
    lines = physical(made.content)
    assert len(lines) == line > FIRST_ROW
    assert clean.startswith(made.content)
    assert 0 < len(lines[-1]) < len(physical(clean)[line - 1])
    assert made.expected.disposition == "R"


def test_f02_ends_at_a_row_and_the_trailer_decides_between_reject_and_hold(clean, roster):
    made = inject("F02", clean, RESULTS, seed=1)
    assert clean.startswith(made.content)
    assert made.content.endswith(b'"1"\r\n')
    assert (made.expected.disposition, made.expected.n_rows) == ("R", 40)
    assert inject("F02", roster, DM, seed=1).expected.disposition == "H"


def test_f03_leaves_nothing_or_a_header(clean):
    assert inject("F03-empty", clean, RESULTS, seed=1).content == b""
    lines = physical(inject("F03-header", clean, RESULTS, seed=1).content)
    assert lines == [*physical(clean)[:3], '"Rows","0"', ""]


def test_f07_names_another_study_everywhere(clean):
    content = inject("F07", clean, RESULTS, seed=1).content
    assert b"DEMO-SLE-01" not in content
    assert content.count(b"OTHER-RA-02") == 101


def test_f07_needs_a_file_that_names_its_study():
    shape = replace(DM, roles={})
    with pytest.raises(FaultNotApplicableError, match="does not name its study"):
        inject("F07", b"A,USUBJID\n1,2\n3,4\n", shape, seed=1)


def test_f07_finds_the_study_in_the_preamble_alone():
    shape = replace(RESULTS, roles={}, key=("A",))
    content = b'"Study","X-1"\r\n"Report","1"\r\n"A"\r\n"1"\r\n"2"\r\n"Rows","2"\r\n'
    made = inject("F07", content, shape, seed=1)
    assert made.content.startswith(b'"Study","OTHER-RA-02"')
    assert made.expected.lines == (1,)


def test_f08_puts_one_line_in_the_middle(clean):
    made = inject("F08", clean, RESULTS, seed=1)
    (line,) = made.expected.lines
    lines = physical(made.content)
    assert lines.pop(line - 1).startswith("Total records")
    assert lines == physical(clean)


def test_f09_moves_a_column_and_loses_nothing(clean):
    made = inject("F09", clean, RESULTS, seed=1)
    assert made.expected.columns == ("REPORTNO",)
    for line in (FIRST_ROW, 50):
        assert cells(made.content, line) == cells(clean, line)
        assert next(iter(cells(made.content, line))) == "REPORTNO"


def test_f10_renames_a_key_column_in_the_header_only(clean):
    made = inject("F10", clean, RESULTS, seed=1)
    assert differing(clean, made.content) == made.expected.lines == (HEADER_LINE,)
    assert "Result_Value" in physical(made.content)[HEADER_LINE - 1]
    assert made.expected.columns == ("REPORTNO",)


@pytest.mark.parametrize(("fault", "disposition"), [("F11", "W"), ("F35-column", "R")])
def test_an_extra_column_is_harmless_unless_its_name_speaks_of_treatment(clean, fault, disposition):
    made = inject(fault, clean, RESULTS, seed=1)
    (name,) = made.expected.columns
    row = cells(made.content, FIRST_ROW)
    assert row.pop(name)
    assert row == cells(clean, FIRST_ROW)
    assert made.expected.disposition == disposition


def test_f12_latin_1_is_no_utf_8_at_the_named_lines(clean):
    made = inject("F12-latin1", clean, RESULTS, strength=0.05, seed=1)
    bad = []
    for number, line in enumerate(made.content.split(b"\r\n"), start=1):
        try:
            line.decode()
        except UnicodeDecodeError:
            bad.append(number)
    assert tuple(bad) == made.expected.lines


def test_f12_utf_16_is_the_same_text_in_another_encoding(clean):
    made = inject("F12-utf16", clean, RESULTS, seed=1)
    assert made.content.decode("utf-16") == clean.decode()


def test_f13_over_the_whole_column_rejects_the_file(clean):
    made = inject("F13", clean, RESULTS, strength=1.0, seed=1)
    assert made.expected.disposition == "R"
    assert made.expected.n_rows == 100
    assert "," in cells(made.content, FIRST_ROW)["ORRES"]


def test_f14_takes_the_zeros_from_every_subject(clean):
    made = inject("F14", clean, RESULTS, seed=1)
    assert cells(made.content, FIRST_ROW)["SUBJID"] == "101-1"
    assert differing(clean, made.content) == made.expected.lines
    assert made.expected.disposition == "R"


def test_f14_needs_a_zero_to_lose():
    shape = replace(DM, roles={"subject": "USUBJID"})
    with pytest.raises(FaultNotApplicableError, match="begins with zero"):
        inject("F14", b"USUBJID\n1-1\n2-2\n", shape, seed=1)


def test_f18_exchanges_day_and_month(clean):
    made = inject("F18", clean, RESULTS, seed=1)
    assert cells(made.content, made.expected.lines[0])["COLDTM"] == "03/05/2018 08:10"


def test_f21_changes_the_subject_wherever_it_is_part_of_an_identifier():
    shape = replace(DM, is_roster=False)
    content = b"USUBJID,SUBJID\nS-101-0001,101-0001\nS-101-0002,101-0002\n"
    made = inject("F21", content, shape, seed=1)
    line = made.content.decode().splitlines()[made.expected.lines[0] - 1]
    assert line == "S-101-9000,101-9000"


def test_f21_does_not_apply_to_the_roster(roster):
    with pytest.raises(FaultNotApplicableError, match="roster itself"):
        inject("F21", roster, DM, seed=1)


def test_f28_lies_in_the_future(clean):
    made = inject("F28", clean, RESULTS, seed=1)
    assert cells(made.content, made.expected.lines[0])["COLDTM"] == "2058-05-03T08:10"


@pytest.mark.parametrize(("fault", "disposition"), [("F29-same", "W"), ("F29-other", "Q")])
def test_f29_names_both_lines_of_each_pair_and_the_trailer_counts_them(clean, fault, disposition):
    made = inject(fault, clean, RESULTS, strength=0.02, seed=1)
    lines = made.expected.lines
    assert len(lines) == 4
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        assert second == first + 1
        old, new = cells(made.content, first), cells(made.content, second)
        assert (old["ACCNO"], old["PARAMCD"]) == (new["ACCNO"], new["PARAMCD"])
        assert (old == new) == (fault == "F29-same")
    assert physical(made.content)[-2] == '"Rows","102"'
    assert made.expected.disposition == disposition


def test_f32_changes_number_and_label_together(clean):
    made = inject("F32-unit", clean, RESULTS, seed=1)
    (line,) = made.expected.lines
    old, new = cells(clean, line), cells(made.content, line)
    assert new["ORRESU"] == "ng/mL"
    assert float(new["ORRES"]) * 1000 == pytest.approx(float(old["ORRES"]))


def test_f32_needs_a_unit_it_knows(clean):
    content = clean.replace(b"pg/mL", b"furlong")
    with pytest.raises(FaultNotApplicableError, match="no row holds"):
        inject("F32-unit", content, RESULTS, seed=1)


def test_f33_uses_several_sentinels_and_never_a_number_that_could_be_one(clean):
    made = inject("F33", clean, RESULTS, strength=0.05, seed=1)
    found = {cells(made.content, line)["ORRES"] for line in made.expected.lines}
    assert found == {"-999", ".", "n/a"}


@pytest.mark.parametrize(("shape", "fixture"), [(RESULTS, "clean"), (DM, "roster")])
def test_f40_changes_line_ends_and_nothing_else(shape, fixture, request):
    content = request.getfixturevalue(fixture)
    made = inject("F40", content, shape, strength=0.1, seed=1)
    assert made.content.splitlines() == content.splitlines()
    other = b"\n" if shape.line_end == "\r\n" else b"\r\n"
    odd = [
        number
        for number, line in enumerate(made.content.splitlines(keepends=True), start=1)
        if line.endswith(b"\r\n") == (other == b"\r\n")
    ]
    assert tuple(odd) == made.expected.lines


def test_f41_adds_blanks_that_trimming_removes(clean):
    made = inject("F41", clean, RESULTS, strength=0.05, seed=1)
    for line in made.expected.lines:
        new = cells(made.content, line)
        assert new["SUBJID"] != new["SUBJID"].strip()
        assert new["VISIT"] == " WEEK 4 "
        assert {name: text.strip() for name, text in new.items()} == cells(clean, line)


def test_what_has_no_place_in_a_file_is_refused_with_a_reason(roster):
    for fault, part in {"F13": "value", "F32-unit": "unit", "F33": "value"}.items():
        with pytest.raises(FaultNotApplicableError, match=f"no {part} column"):
            inject(fault, roster, DM, seed=1)


@pytest.mark.parametrize(
    ("fault", "strength", "words"),
    [("F99", 0.0, "no fault F99"), ("F13", 1.5, "share from 0 to 1"), ("F13", -0.1, "share")],
)
def test_impossible_wishes_are_refused(clean, fault, strength, words):
    with pytest.raises(SimulationError, match=words):
        inject(fault, clean, RESULTS, strength=strength, seed=1)


def test_a_file_of_another_shape_is_refused_before_any_fault(clean):
    with pytest.raises(SimulationError, match="No fault was planted"):
        inject(
            "F13",
            clean.replace(b"\r\n", b"\n"),
            replace(RESULTS, line_end="\n", quote_all=False),
            seed=1,
        )


def test_a_file_of_one_row_is_too_small():
    with pytest.raises(SimulationError, match="at least two rows"):
        inject("F01", b"USUBJID\n1\n", DM, seed=1)
