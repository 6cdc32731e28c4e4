"""Fonts in a PDF: outlines only, without the tables that lay out text.

A PDF states where each glyph stands, so no viewer reads kerning or ligatures; cutting those tables
down to the used glyphs takes two thirds of the time of embedding a face.
"""

from collections.abc import Iterator
from contextlib import contextmanager

LAYOUT_TABLES = ("GDEF", "GPOS", "GSUB", "kern")


@contextmanager
def outlines_only() -> Iterator[None]:
    """Leave layout tables out of the fonts that matplotlib embeds until the block ends."""
    # late: only a drawing needs it
    from fontTools.subset import Options  # type: ignore[import-untyped]  # noqa: PLC0415

    # matplotlib makes its own options, of which only the defaults can be reached.
    before = Options._drop_tables_default  # noqa: SLF001
    Options._drop_tables_default = [*before, *LAYOUT_TABLES]  # noqa: SLF001
    try:
        yield
    finally:
        Options._drop_tables_default = before  # noqa: SLF001
