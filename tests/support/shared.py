"""Third-party files beside the checkout: where they are, or why a test is skipped."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared(*parts):
    """Path below the folder ``shared`` beside the checkout; skips the test where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"third-party material ../shared/{'/'.join(parts)} is not here")
    return path
