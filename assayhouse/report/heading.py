"""What stands over and across a figure, whatever it shows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Name and marks of a figure.

    Parameters
    ----------
    figure_id : str
        Names files and links; seeds the identifiers in the SVG.
    title : str
        Heading of the figure.
    synthetic : bool
        Whether the data are simulated; the figure then says so.
    watermark : str or None
        Text across every panel, for example for scrambled arms.
    """

    figure_id: str
    title: str
    synthetic: bool
    watermark: str | None = None
