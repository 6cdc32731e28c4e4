"""Landing: complete transfers are taken, growing and unknown files stay."""

import pytest

from assayhouse.pipeline import delivery

from support.deliveries import (
    AT,
    WHO,
    Bench,
    content,
    layout,
    manifest_of,
    rows,
    rules,
    study_of,
)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "home", study_of(layout()))


def test_a_clean_delivery_is_published_with_all_its_rows(bench):
    outcome = bench.deliver(rows(5))
    assert (outcome.state, outcome.why) == ("PUBLISHED", "accepted")
    assert (outcome.accepted_rows, outcome.quarantined_rows) == (5, 0)
    assert str(outcome.account) == "5 accepted + 1 header = 6 lines"
    assert outcome.delta.by_class()["NEW"] == 5
    assert bench.states(1) == ["RECEIVED", "PUBLISHED"]
    found = bench.current()
    assert found["ID"].to_list() == ["S0001", "S0002", "S0003", "S0004", "S0005"]
    assert found["source_line"].to_list() == [2, 3, 4, 5, 6]
    assert found["VALUE_number"].to_list() == [1.5] * 5


def test_taken_files_leave_landing_and_stay_in_the_archive_with_their_manifest(bench):
    data = bench.send(rows(2))
    (receipt,) = bench.scan()
    assert bench.landing() == []
    kept = {path.name: path for path in bench.home.archive("open").glob("*/*/*")}
    assert sorted(kept) == ["results.csv", "results.csv.manifest.json"]
    assert kept["results.csv"].read_bytes() == data
    assert kept["results.csv"].parent.name == receipt.sha256


def test_a_file_waits_for_its_manifest_and_a_manifest_for_its_file(bench):
    data = content(rows(2))
    path = bench.drop("results.csv", data)
    assert bench.scan() == ()
    (left,) = delivery.left_in_landing(bench.home, bench.declarations, pause=bench.pauses.append)
    assert (left.file_name, left.known) == ("results.csv", True)
    assert "manifest" in left.why
    path.unlink()
    bench.drop("m.manifest.json", manifest_of({"results.csv": ("acme.results", data, 2)}))
    assert bench.scan() == ()
    bench.drop("results.csv", data)
    assert len(bench.scan()) == 1


def test_a_transfer_is_taken_when_all_its_files_are_there(tmp_path):
    other = layout(layout="acme.wells", file_pattern=r"^wells")
    bench = Bench(tmp_path / "home", study_of(layout(), other))
    one, two = content(rows(2)), content(rows(3))
    files = {"wells.csv": ("acme.wells", two, 3), "results.csv": ("acme.results", one, 2)}
    bench.drop("m.manifest.json", manifest_of(files))
    bench.drop("results.csv", one)
    assert bench.scan() == ()
    bench.drop("wells.csv", two)
    assert [item.layout for item in bench.scan()] == ["acme.results", "acme.wells"]


def test_a_file_that_grows_between_two_looks_waits(bench):
    bench.send(rows(2))
    path = bench.home.landing / "acme" / "results.csv"

    def grow(_seconds):
        with path.open("ab") as stream:
            stream.write(b"S0003,A,1.5,pg/mL,\n")

    assert delivery.scan(bench.home, bench.declarations, at=AT, who=WHO, pause=grow) == ()
    assert path.exists()
    assert len(bench.scan()) == 1


def test_an_empty_landing_is_not_waited_for(bench):
    assert bench.scan() == ()
    assert bench.pauses == []


def test_an_unknown_file_stays_and_is_reported(bench):
    bench.drop("notes.txt", b"hello")
    bench.drop(".hidden", b"")
    assert bench.scan() == ()
    found = delivery.left_in_landing(bench.home, bench.declarations, pause=bench.pauses.append)
    assert [(item.file_name, item.known) for item in found] == [("notes.txt", False)]
    assert bench.landing() == [".hidden", "notes.txt"]


def test_a_manifest_that_names_an_unknown_layout_or_a_folder_waits(bench):
    data = content(rows(1))
    bench.drop("results.csv", data)
    bench.drop("a.manifest.json", manifest_of({"results.csv": ("acme.other", data, 1)}))
    bench.drop("b.manifest.json", manifest_of({"../results.csv": ("acme.results", data, 1)}))
    assert bench.scan() == ()
    found = delivery.left_in_landing(bench.home, bench.declarations, pause=bench.pauses.append)
    whys = {item.file_name: item.why for item in found}
    assert "acme.other is not one" in whys["a.manifest.json"]
    assert "folder" in whys["b.manifest.json"]


def test_an_unreadable_manifest_waits_with_its_file(bench):
    bench.drop("results.csv", content(rows(1)))
    bench.drop("results.csv.manifest.json", b"{")
    assert bench.scan() == ()
    assert len(bench.landing()) == 2


def test_a_file_listed_by_two_manifests_is_taken_once(bench):
    data = bench.send(rows(1))
    bench.drop("z.manifest.json", manifest_of({"results.csv": ("acme.results", data, 1)}))
    assert len(bench.scan()) == 1
    assert bench.landing() == ["z.manifest.json"]


def test_without_manifest_the_layout_follows_from_the_name(tmp_path):
    bench = Bench(tmp_path / "home", study_of(layout(manifest="none")))
    bench.drop("results.csv", content(rows(2)))
    (receipt,) = bench.scan()
    outcome = bench.ingest(receipt.number)
    assert (outcome.state, outcome.findings) == ("PUBLISHED", ())
    assert receipt.transfer_no is None


def test_a_manifest_that_is_only_wished_for_is_missed_in_a_finding(tmp_path):
    bench = Bench(tmp_path / "home", study_of(layout(manifest="optional")))
    bench.drop("results.csv", content(rows(2)))
    bench.scan()
    assert rules(bench.ingest(1)) == [("MANIFEST-MISSING", "W", None)]


def test_a_scan_that_finds_nothing_says_so_when_asked(bench):
    bench.scan()
    assert [row.text("kind") for row in bench.audit_rows()] == ["study of the home"]
    bench.scan(note_idle=True)
    assert [entry.why for entry in bench.audit_rows()[1:]] == ["no new content"]
    delivery.note_no_news(bench.home, at=AT, who=WHO)
    assert len(bench.audit_rows()) == 3
