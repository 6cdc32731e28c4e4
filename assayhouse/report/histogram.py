"""One panel of bars with a line at a cut. Knows nothing of the page."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assayhouse.report.bins import Bin
from assayhouse.report.theme import GRID, INK, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BELOW, ABOVE = "#b8c6d1", "#5d7688"


def draw_bars(
    axes: "Axes",
    bins: Sequence[Bin],
    *,
    cut: float,
    title: str,
    across: str,
    up: str,
    cut_label: str,
) -> None:
    """Draw bars, those above the cut darker, and the cut as a dashed line with its label.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        An empty panel.
    bins : sequence of Bin
        From `assayhouse.report.bins.count_in_bins`.
    cut : float
        Where the line stands.
    title, across, up : str
        Heading and names of the axes.
    cut_label : str
        Written beside the line.
    """
    for one in bins:
        axes.bar(
            one.low, one.count, width=one.high - one.low, align="edge",
            color=BELOW if one.middle <= cut else ABOVE, edgecolor="white", linewidth=0.4,
        )  # fmt: skip
    top = max((one.count for one in bins), default=1)
    axes.set_ylim(0, 1.2 * (top or 1))
    axes.axvline(cut, color=INK, linewidth=1.1, linestyle=(0, (4, 2.5)), zorder=3)
    left, right = axes.get_xlim()
    to_the_right = cut < left + 0.6 * (right - left)
    axes.annotate(
        cut_label, (cut, 1.2 * (top or 1)), xytext=(4 if to_the_right else -4, -2),
        textcoords="offset points", ha="left" if to_the_right else "right", va="top",
        size=7.0, color=INK, annotation_clip=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
    )  # fmt: skip
    axes.set_title(
        "\n".join(textwrap.wrap(title, 40)[:2]), loc="left", size=8.4, weight="bold", pad=5.0
    )
    axes.set_xlabel(across, size=7.2, labelpad=1.5)
    axes.set_ylabel(up, size=7.2)
    dress(axes)


def dress(axes: "Axes") -> None:
    """Give a panel the spines, ticks and grid of all figures.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2.5, width=0.8, color=RULE, pad=2.0)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
