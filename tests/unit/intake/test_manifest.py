"""Manifests: read strictly, and what they say is compared with what came."""

import json

import pytest

from assayhouse.intake import manifest as manifests

from support.deliveries import STUDY, layout, manifest_of

FILES = {"results.csv": ("acme.results", b"ID\n1\n", 1), "wells.csv": ("acme.wells", b"x", 0)}


def entry(**changes):
    content = manifest_of({"results.csv": FILES["results.csv"]}, transfer=7, **changes)
    return manifests.read_manifest(content, name="m").entries[0]


def rules(faults):
    return [(fault.rule, fault.disposition) for fault in faults]


def test_each_file_of_a_transfer_knows_its_transfer():
    manifest = manifests.read_manifest(manifest_of(FILES, transfer=7), name="m")
    assert manifest.transfer_no == 7
    assert [item.name for item in manifest.entries] == ["results.csv", "wells.csv"]
    assert {item.transfer_no for item in manifest.entries} == {7}
    assert manifest.entries[0].rows == 1


def test_an_entry_read_back_is_the_one_written():
    assert manifests.ManifestEntry.from_dict(json.loads(json.dumps(entry().to_dict()))) == entry()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"\xff\xfe",
        b"{}",
        manifest_of({}),
        manifest_of(FILES, manifest_version=2),
        manifest_of(FILES, transfer_no="seven"),
        manifest_of(FILES, files="results.csv"),
        manifest_of(FILES).replace(b'"wells.csv"', b'"results.csv"'),
        manifest_of(FILES).replace(b'"sha256"', b'"sha"'),
    ],
)
def test_what_is_no_manifest_says_so_and_its_files_wait(content):
    with pytest.raises(manifests.ManifestError, match="Its files wait"):
        manifests.read_manifest(content, name="m")


def test_rows_may_be_left_out():
    content = manifest_of(FILES).replace(b'"rows": 1, ', b"")
    item = manifests.read_manifest(content, name="m").entries[0]
    assert item.rows is None
    assert manifests.check_rows(item, rows=12345) == []


def test_a_manifest_in_order_has_no_faults():
    assert manifests.check_entry(entry(), layout(), study_id=STUDY) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"study": "OTHER-01"}, ("F07", "R")),
        ({"vendor": "other"}, ("F07", "R")),
        ({"environment": "test"}, ("MANIFEST-ENVIRONMENT", "R")),
        ({"mode": "incremental"}, ("MANIFEST-MODE", "R")),
    ],
)
def test_a_transfer_that_does_not_belong_here_is_rejected(change, fault):
    assert rules(manifests.check_entry(entry(**change), layout(), study_id=STUDY)) == [fault]


def test_another_version_of_the_layout_is_told():
    found = manifests.check_entry(entry(), layout(version="2.0"), study_id=STUDY)
    assert rules(found) == [("MANIFEST-LAYOUT-VERSION", "W")]


def test_values_of_a_wrong_manifest_are_not_repeated():
    (fault,) = manifests.check_entry(entry(study="SECRET-9"), layout(), study_id=STUDY)
    assert "SECRET" not in fault.message


def test_bytes_are_compared_by_size_and_by_hash():
    item = entry()
    assert manifests.check_bytes(item, sha256=item.sha256, size=item.bytes) == []
    (short,) = manifests.check_bytes(item, sha256="0" * 64, size=item.bytes - 1)
    assert (short.rule, short.disposition) == ("F02", "R")
    assert "bytes" in short.message
    (other,) = manifests.check_bytes(item, sha256="0" * 64, size=item.bytes)
    assert "SHA-256" in other.message


def test_a_hash_in_capitals_is_the_same_hash():
    content = manifest_of(FILES)
    sha256 = entry().sha256
    item = manifests.read_manifest(
        content.replace(sha256.encode(), sha256.upper().encode()), name="m"
    ).entries[0]
    assert item.sha256 == sha256


def test_rows_are_compared_with_those_that_were_read():
    assert manifests.check_rows(entry(), rows=1) == []
    assert rules(manifests.check_rows(entry(), rows=2)) == [("F02", "R")]


@pytest.mark.parametrize(
    ("number", "of_vendor", "of_layout", "held"),
    [
        (1, [], [], False),
        (6, [], [], False),
        (7, [6], [6], False),
        (8, [6], [6], True),
        (6, [6], [6], True),
        (5, [6], [6], True),
        (7, [6, 7], [6], False),
        (7, [6, 7], [6, 7], True),
        (8, [6, 7], [6], False),
    ],
)
def test_a_transfer_skipped_or_repeated_holds_a_delivery(number, of_vendor, of_layout, held):
    found = manifests.check_transfer_number(number, of_vendor=of_vendor, of_layout=of_layout)
    assert rules(found) == ([("TRANSFER-NUMBER", "H")] if held else [])
