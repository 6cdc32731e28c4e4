"""Publications: only what belongs together, whole, without gaps, found by number and time."""

import pytest

from assayhouse.errors import WarehouseError
from assayhouse.warehouse import publications
from assayhouse.warehouse.home import atomic_write

from support.small_study import LB, RAW, arms, findings, results, small_lake

AT = "2026-01-0{}T12:00:00+00:00"


@pytest.fixture
def lake(tmp_path):
    return small_lake(tmp_path)


def bind(lake, *visible, day=1):
    return lake.bind(visible=frozenset(visible), reason="r", at=AT.format(day))


def filled(lake, receipt=1):
    lake.append_receipt(RAW, [results(receipt, {(str(receipt), "T"): 1.0})], receipt=receipt)


def build_lb(lake, *visible, value=1.0):
    inputs = {RAW: lake.visible_hash(RAW, frozenset(visible))}
    return lake.publish(LB, findings({("S", 1): value}), inputs=inputs)


def test_there_is_no_publication_before_the_first(lake):
    assert lake.publication() is None
    assert lake.publications() == ()


def test_a_publication_names_every_table_with_version_content_and_rows(lake):
    filled(lake)
    commit = build_lb(lake, 1)
    found = bind(lake, 1)
    assert [(p.relation, p.side) for p in found.relations] == [(RAW, "open"), (LB, "open")]
    (pin,) = found.pins(LB)
    assert (pin.version, pin.content_hash, pin.rows) == (0, commit.content_hash, 1)
    assert dict(pin.inputs) == commit.inputs
    assert found.pins(RAW)[0].record_key == ("SUBJID", "TEST")
    assert lake.publication() == found


def test_nothing_new_makes_no_publication(lake):
    filled(lake)
    first = bind(lake, 1)
    before = lake.home.publication_file.stat().st_mtime_ns
    assert bind(lake, 1, day=2) == first
    assert lake.home.publication_file.stat().st_mtime_ns == before
    assert len(lake.publications()) == 1


def test_newly_visible_rows_make_a_publication_without_a_new_version(lake):
    filled(lake, 1)
    filled(lake, 2)
    first, second = bind(lake, 1), bind(lake, 1, 2)
    assert (first.number, second.number) == (1, 2)
    assert [p.pins(RAW)[0].version for p in (first, second)] == [1, 1]
    assert [p.pins(RAW)[0].rows for p in (first, second)] == [1, 2]
    assert first.content_hash != second.content_hash


def test_an_invisible_receipt_changes_no_content(lake):
    filled(lake, 1)
    first = bind(lake, 1)
    filled(lake, 2)
    assert bind(lake, 1) == first


def test_a_relation_built_from_former_content_is_not_published(lake):
    filled(lake, 1)
    build_lb(lake, 1)
    first = bind(lake, 1)
    filled(lake, 2)
    with pytest.raises(WarehouseError, match=r"sdtm\.lb was built from other content of raw\.lab"):
        bind(lake, 1, 2)
    assert lake.publication() == first
    build_lb(lake, 1, 2)
    assert bind(lake, 1, 2).number == 2


def test_a_relation_built_before_its_parent_was_there_is_not_published(lake):
    lake.publish("adam.counts", lake.spec("adam.counts").empty(), inputs={LB: ""})
    bind(lake)
    lake.publish(LB, findings({("S", 1): 1.0}), inputs={RAW: lake.visible_hash(RAW, frozenset())})
    with pytest.raises(WarehouseError, match=r"adam\.counts was built from other content"):
        bind(lake)


def test_a_relation_built_without_rows_to_build_from_is_published(lake):
    build_lb(lake)
    assert bind(lake).pins(LB)


def test_the_content_of_a_publication_knows_no_numbers_and_times(tmp_path):
    hashes = []
    for name, versions in (("one", ["A x", "A one"]), ("two", ["A one"])):
        lake = small_lake(tmp_path / name)
        for version in versions:
            lake.publish("ref.arms", arms(version))
        hashes.append(bind(lake, day=len(versions)).content_hash)
    assert hashes[0] == hashes[1]


def test_a_kill_between_history_and_head_leaves_the_former_publication(lake, monkeypatch):
    lake.publish("ref.arms", arms("A one"))
    first = bind(lake)
    lake.publish("ref.arms", arms("A two"))

    def killed(path, content):
        if path == lake.home.publication_file:
            raise KeyboardInterrupt
        atomic_write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(publications, "atomic_write", killed)
        with pytest.raises(KeyboardInterrupt):
            bind(lake, day=2)
    assert lake.publication() == first
    assert lake.publications() == (first,)
    lake.publish("ref.arms", arms("A three"))
    second = bind(lake, day=3)
    assert (second.number, len(lake.publications())) == (2, 2)
    assert publications.as_of(lake.home, 2) == second


@pytest.fixture
def three(lake):
    for day in (1, 2, 4):
        lake.publish("ref.arms", arms(f"A {day}"))
        bind(lake, day=day)
    return lake.home


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (1, 1),
        ("3", 3),
        ("2026-01-01T12:00:00+00:00", 1),
        ("2026-01-02T11:59:59+00:00", 1),
        ("2026-01-02T14:00:00+02:00", 2),
        ("2026-01-02", 2),
        ("2026-01-03", 2),
        ("2026-01-04T12:00:00", 3),
        ("2030-01-01", 3),
    ],
)
def test_a_publication_is_found_by_number_or_time(three, wanted, number):
    assert publications.as_of(three, wanted).number == number


@pytest.mark.parametrize("wanted", [0, 4, "9", "2025-12-31", "2026-01-01T12:00:00+01:00"])
def test_there_is_no_publication_before_the_first_or_after_the_last_number(three, wanted):
    with pytest.raises(WarehouseError, match="no publication as of"):
        publications.as_of(three, wanted)


@pytest.mark.parametrize("wanted", ["yesterday", "", "2026-13-01"])
def test_what_is_neither_number_nor_time_is_told(three, wanted):
    with pytest.raises(WarehouseError, match="neither the number"):
        publications.as_of(three, wanted)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"number": 1}'])
def test_a_damaged_publication_is_told_by_its_path(three, content):
    three.publication_file.write_bytes(content)
    with pytest.raises(WarehouseError, match=r"publication\.json: not readable"):
        publications.current(three)


def test_a_publication_reads_back_equal_from_its_history(lake):
    filled(lake)
    build_lb(lake, 1)
    found = bind(lake, 1)
    (path,) = lake.home.publications.glob("*.json")
    assert path.name == "000001.json"
    assert publications._read(path) == found
