"""Every sample whose format is known and which is not refused has its one picture."""

import pytest

from assayhouse.instruments import inspect
from assayhouse.report.instrument_picture import draw_picture

from support.shared import SHARED

SAMPLES = SHARED / "samples"


@pytest.fixture(scope="module")
def inspected():
    if not SAMPLES.is_dir():
        pytest.skip("../shared/samples is not here")
    return {path: inspect(path) for path in sorted(SAMPLES.rglob("*")) if path.is_file()}


def test_what_is_read_has_a_picture(inspected):
    bare = {
        path.name: found.format
        for path, found in inspected.items()
        if found.picture is None and found.format != "unknown" and "refusal" not in found.metadata
    }
    known = [found for found in inspected.values() if found.format != "unknown"]
    print(f"{len(known)} files of {len({found.format for found in known})} formats")
    # The one has wells without any number, the other a matrix that is no ellipsoid's.
    assert set(bare) <= {
        "luminex_xPONENT_NaN_and_not_reported_values.csv",
        "gml_ellipsoid3d_gate.xml",
    }


def test_pictures_of_every_format_are_drawn_without_a_warning(inspected):
    for kind in sorted({found.format for found in inspected.values() if found.picture}):
        found = next(f for f in inspected.values() if f.format == kind and f.picture)
        assert draw_picture(found.picture).svg.lstrip().startswith(b"<"), kind
