"""Tubes and gates of the flow cytometry panels. Counts nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tube:
    """One stained tube: its panel, its sample and how many beads are acquired."""

    panel: str
    sample_ul: int
    beads: int


TUBES = {
    "B": Tube(panel="B", sample_ul=50, beads=12_000),
    "T-NK": Tube(panel="T-NK", sample_ul=50, beads=12_000),
    "DC": Tube(panel="DC", sample_ul=100, beads=45_000),
    "PC": Tube(panel="PC", sample_ul=100, beads=45_000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """How a population is defined: tube, markers, parent, reference range, parent's level."""

    tube: str
    markers: str
    parent: str
    low: float
    high: float


GATES = {
    "CD19B": Gate(tube="B", markers="CD45+CD19+", parent="LYMPH", low=80, high=500),
    "CD20B": Gate(tube="B", markers="CD45+CD19+CD20bright", parent="CD19B", low=5, high=120),
    "CD268B": Gate(tube="B", markers="CD45+CD19+CD268+", parent="CD19B", low=70, high=480),
    "SWMEMB": Gate(tube="B", markers="CD45+CD19+CD27+IgD-", parent="CD19B", low=5, high=70),
    "PLASMABL": Gate(tube="PC", markers="CD19+CD27++CD38++", parent="LEUK", low=0.1, high=6),
    "CD3T": Gate(tube="T-NK", markers="CD45+CD3+", parent="LYMPH", low=700, high=2100),
    "CD4T": Gate(tube="T-NK", markers="CD45+CD3+CD4+", parent="CD3T", low=300, high=1400),
    "CD8T": Gate(tube="T-NK", markers="CD45+CD3+CD8+", parent="CD3T", low=200, high=900),
    "NK": Gate(tube="T-NK", markers="CD45+CD3-CD56+", parent="LYMPH", low=90, high=600),
    "PLASMAC": Gate(tube="PC", markers="CD19loCD138+", parent="LEUK", low=0.1, high=20),
    "PDC": Gate(tube="DC", markers="Lin-HLADR+CD303+", parent="LEUK", low=2, high=20),
    "MDC1": Gate(tube="DC", markers="Lin-HLADR+CD1c+", parent="LEUK", low=3, high=30),
}
"""Every population in the order it is reported."""
