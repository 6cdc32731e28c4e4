"""Kept compiled code is never that of former forms."""

import hashlib
from pathlib import Path

import pytest

pytest.importorskip("numba")
from assayhouse.stats import batting_numba_forms
from assayhouse.stats.batting_numba import FORMS_STAMP


def test_the_stamp_is_that_of_the_forms():
    content = Path(batting_numba_forms.__file__).read_bytes()
    assert hashlib.sha256(content).hexdigest()[:16] == FORMS_STAMP, (
        "batting_numba_forms.py has changed: write its SHA-256 (16 digits) into FORMS_STAMP of "
        "batting_numba.py, so that code compiled from the former one is not used"
    )
