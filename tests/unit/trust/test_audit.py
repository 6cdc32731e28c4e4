"""The audit log: a chain that shows every alteration and survives a kill in the middle of a row."""

import json

import pytest

from assayhouse.errors import HomeError
from assayhouse.trust.audit import FIRST, AuditLog

AT = "2019-03-05T02:00:00Z"


@pytest.fixture
def log(tmp_path):
    log = AuditLog(tmp_path / "audit" / "chain.jsonl")
    for number in range(1, 5):
        log.append({"kind": "test", "number": number}, at=AT, who="anna", why="because")
    return log


def rewrite(log, change):
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(change(lines)))


def altered(line, **values):
    return json.dumps(json.loads(line) | values).encode() + b"\n"


def test_a_row_says_what_who_when_and_why(log):
    first = next(log.entries())
    assert (first.seq, first.at, first.who, first.why) == (1, AT, "anna", "because")
    assert first.text("kind") == "test"
    assert first.integer("number") == 1
    assert first.text("nothing of the kind") == ""


def test_each_row_holds_the_hash_of_the_one_before(log):
    entries = list(log.entries())
    assert entries[0].prev == FIRST
    assert [entry.prev for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]


def test_an_untouched_log_is_intact(log):
    verified = log.verify()
    assert verified.intact
    assert (verified.rows, verified.first_bad, verified.problem) == (4, None, "")


def test_a_log_that_does_not_exist_yet_is_empty_and_intact(tmp_path):
    log = AuditLog(tmp_path / "none.jsonl")
    assert list(log.entries()) == []
    assert log.verify().intact


@pytest.mark.parametrize("field", ["at", "who", "why"])
def test_a_changed_field_is_found_at_its_row(log, field):
    rewrite(log, lambda lines: [*lines[:2], altered(lines[2], **{field: "other"}), lines[3]])
    verified = log.verify()
    assert verified.first_bad == 3
    assert "content" in verified.problem
    assert verified.rows == 2


def test_a_changed_event_is_found(log):
    rewrite(log, lambda lines: [altered(lines[0], event={"kind": "other"}), *lines[1:]])
    assert log.verify().first_bad == 1


def test_a_row_taken_out_is_found(log):
    rewrite(log, lambda lines: [lines[0], *lines[2:]])
    verified = log.verify()
    assert verified.first_bad == 2
    assert "taken out" in verified.problem


def test_exchanged_rows_are_found(log):
    rewrite(log, lambda lines: [lines[0], lines[2], lines[1], lines[3]])
    assert log.verify().first_bad == 2


def test_a_row_rehashed_after_a_change_no_longer_fits_the_next_one(log, tmp_path):
    other = AuditLog(tmp_path / "other.jsonl")
    for number in (1, 99):
        other.append({"kind": "test", "number": number}, at=AT, who="anna", why="because")
    forged = other.path.read_bytes().splitlines(keepends=True)[1]
    rewrite(log, lambda lines: [lines[0], forged, *lines[2:]])
    verified = log.verify()
    assert verified.first_bad == 3
    assert "does not follow" in verified.problem


def test_a_line_that_is_no_row_is_named_and_not_read_over(log):
    rewrite(log, lambda lines: [lines[0], b"no row\n", *lines[1:]])
    assert log.verify().first_bad == 2
    with pytest.raises(HomeError, match="row 2"):
        list(log.entries())


def test_a_row_cut_off_by_a_kill_is_put_aside_before_the_next_is_added(log):
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + b'{"seq":5,"at":"2019')
    assert [entry.seq for entry in log.entries()] == [1, 2, 3, 4]
    log.append({"kind": "after"}, at=AT, who="anna")
    assert [entry.seq for entry in log.entries()] == [1, 2, 3, 4, 5]
    assert log.verify().intact
    assert log.path.read_bytes().startswith(whole)
    aside = log.path.with_name("chain.jsonl.torn")
    assert aside.read_bytes() == b'{"seq":5,"at":"2019\n'


def test_every_length_of_a_torn_row_leaves_a_log_that_can_be_continued(log):
    whole = log.path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    for length in range(1, len(last), 37):
        log.path.write_bytes(whole + last[:length])
        log.append({"kind": "after"}, at=AT, who="anna")
        assert log.verify().rows == 5
        log.path.write_bytes(whole)


def test_a_log_of_nothing_but_a_torn_row_begins_anew(tmp_path):
    log = AuditLog(tmp_path / "chain.jsonl")
    log.path.write_bytes(b'{"seq":1')
    assert log.append({"kind": "first"}, at=AT, who="anna").seq == 1
    assert log.verify().intact


def test_nothing_is_added_to_a_log_whose_last_whole_row_is_damaged(log):
    rewrite(log, lambda lines: [*lines[:3], b"damaged\n"])
    before = log.path.read_bytes()
    with pytest.raises(HomeError, match="Nothing was written"):
        log.append({"kind": "after"}, at=AT, who="anna")
    assert log.path.read_bytes() == before


def test_a_row_longer_than_a_block_is_found_from_the_end(log):
    log.append({"kind": "long", "text": "x" * 200_000}, at=AT, who="anna")
    log.append({"kind": "after"}, at=AT, who="anna")
    assert log.verify().rows == 6


def test_letters_beyond_ascii_are_kept(log):
    log.append({"kind": "µg"}, at=AT, who="Zoë", why="größer")
    assert list(log.entries())[-1].who == "Zoë"
    assert log.verify().intact
