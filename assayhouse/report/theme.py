"""How an arm looks, everywhere: colour, marker and order. Holds no drawing and no data."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl

from assayhouse.report.errors import ReportInputError
from assayhouse.report.frames import require_columns, require_unique

INK = "#222222"
MUTED = "#666666"
RULE = "#b5b5b5"
GRID = "#ececec"
WARNING = "#9c2a00"

REFERENCE_COLOUR = "#4a4a4a"
REFERENCE_MARKER = "o"

# Okabe and Ito's hues, darkened until small text of the colour stands at 4.5:1 on white.
ACTIVE_COLOURS = ("#0067a8", "#c24a00", "#007a57", "#9a3f74", "#7d5a00", "#00707f")
# Seven markers against six colours: 42 arms before a pair repeats.
ACTIVE_MARKERS = ("s", "^", "D", "v", "P", "X", "p")

FONT_FAMILY = ("DejaVu Sans", "Verdana", "Arial", "sans-serif")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmStyle:
    """One arm as it is drawn.

    Parameters
    ----------
    armcd : str
        Code of the arm.
    label : str
        Name in legends and tables.
    order : int
        Rank in dose order, counted from 0.
    colour : str
        Hexadecimal colour of lines, markers and labels.
    marker : str
        matplotlib's code of the marker.
    is_reference : bool
        Whether the others are compared with this arm.
    """

    armcd: str
    label: str
    order: int
    colour: str
    marker: str
    is_reference: bool


def arm_styles(arms: pl.DataFrame) -> tuple[ArmStyle, ...]:
    """Give every arm its look, in dose order.

    The look follows the rank among the active arms of the whole study, so a figure that shows
    two arms of four keeps the colours of the figure that shows all.

    Parameters
    ----------
    arms : polars.DataFrame
        ``ref.arms``: ARMCD, ARM, arm_order, is_reference.

    Returns
    -------
    tuple of ArmStyle
        Sorted by ``arm_order``.

    Raises
    ------
    ReportInputError
        A column is missing, a code or an order repeats, or the reference is not exactly one arm.
    """
    require_columns(arms, ("ARMCD", "ARM", "arm_order", "is_reference"), name="ref.arms")
    require_unique(arms, ("ARMCD",), name="ref.arms")
    require_unique(arms, ("arm_order",), name="ref.arms")
    references = int(arms["is_reference"].sum())
    if references != 1:
        message = (
            f"ref.arms declares {references} reference arms; a comparison needs exactly one. "
            f"Nothing was drawn. Set is_reference for one arm."
        )
        raise ReportInputError(message)
    styles: list[ArmStyle] = []
    active = 0
    for order, row in enumerate(arms.sort("arm_order").iter_rows(named=True)):
        reference = bool(row["is_reference"])
        styles.append(
            ArmStyle(
                armcd=str(row["ARMCD"]),
                label=str(row["ARM"] or row["ARMCD"]),
                order=order,
                colour=_pick(ACTIVE_COLOURS, active) if not reference else REFERENCE_COLOUR,
                marker=_pick(ACTIVE_MARKERS, active) if not reference else REFERENCE_MARKER,
                is_reference=reference,
            )
        )
        active += not reference
    return tuple(styles)


def _pick(values: Sequence[str], rank: int) -> str:
    return values[rank % len(values)]


@contextmanager
def drawing_settings(salt: str) -> Iterator[None]:
    """Hold matplotlib to this module's settings for the length of a ``with`` block.

    A reader's own matplotlibrc has no effect inside, and none of ours stays behind.

    Parameters
    ----------
    salt : str
        Seed of the identifiers inside an SVG; the same salt gives the same bytes.

    Yields
    ------
    None
        The settings hold until the block ends.
    """
    import matplotlib as mpl  # noqa: PLC0415 - late: only a drawing needs matplotlib

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.family": list(FONT_FAMILY[:1]),
                "font.size": 7.5,
                "text.color": INK,
                "axes.edgecolor": RULE,
                "axes.labelcolor": INK,
                "axes.linewidth": 0.8,
                "axes.unicode_minus": True,
                "xtick.color": MUTED,
                "ytick.color": MUTED,
                "xtick.labelcolor": INK,
                "ytick.labelcolor": INK,
                "xtick.labelsize": 7.0,
                "ytick.labelsize": 7.0,
                "pdf.fonttype": 42,
                "svg.fonttype": "none",
                "svg.hashsalt": salt,
            }
        )
        yield
