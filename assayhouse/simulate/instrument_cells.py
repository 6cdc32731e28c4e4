"""Events of synthetic stained tubes: as many in each gate as the laboratory's report says.

The laboratory of the synthetic study gates as its layout declares; values stay well inside gates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.streams import FloatArray, IntArray, normals, permutation

CHANNELS = ("FSC-A", "SSC-A", "FITC-A", "PE-A", "PE-Cy7-A", "APC-A", "BV421-A", "Time")
_SCATTER, _COLOURS = 2, 5
_DEBRIS, _GRANULOCYTES = 800, 1_500
# centre and spread of forward and side scatter
_PLACES = {
    "lymphocytes": (95_000.0, 12_000.0, 35_000.0, 8_000.0),
    "beads": (14_000.0, 2_500.0, 200_000.0, 15_000.0),
    "debris": (30_000.0, 2_000.0, 20_000.0, 5_000.0),
    "granulocytes": (152_000.0, 4_000.0, 120_000.0, 12_000.0),
}
_NEGATIVE, _POSITIVE, _DIM, _BRIGHT = (200.0, 0.2), (8e3, 0.25), (4e3, 0.2), (6e4, 0.12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stain:
    """What a tube's colours bind, and which of them each population shows.

    Attributes
    ----------
    markers : tuple of str
        Marker of each channel; empty for scatter and time.
    root : str
        Population in which the others are.
    shown : mapping of str to tuple of (int, level)
        Colours that a population shows, by the place of the channel.
    exclusive : tuple of str
        Populations of which a cell is at most one.
    root_dim : mapping
        Colours that cells of the root show where no population says otherwise.
    """

    markers: tuple[str, ...]
    root: str
    shown: Mapping[str, tuple[tuple[int, tuple[float, float]], ...]]
    exclusive: tuple[str, ...] = ()
    root_dim: tuple[tuple[int, tuple[float, float]], ...] = ()


STAINS = {
    "B": Stain(
        markers=("", "", "CD27", "CD268", "CD19", "CD20", "IgD", ""),
        root="CD19B",
        root_dim=((4, _POSITIVE), (5, _DIM), (6, _POSITIVE)),
        shown={
            "CD20B": ((5, _BRIGHT),),
            "CD268B": ((3, _POSITIVE),),
            "SWMEMB": ((2, _POSITIVE), (6, _NEGATIVE)),
        },
    ),
    "T-NK": Stain(
        markers=("", "", "CD4", "CD56", "CD8", "CD3", "CD45", ""),
        root="CD3T",
        root_dim=((5, _POSITIVE),),
        shown={"CD4T": ((2, _POSITIVE),), "CD8T": ((4, _POSITIVE),)},
        exclusive=("CD4T", "CD8T"),
    ),
}
BESIDE_ROOT = {"NK": ((3, _POSITIVE),)}
"""Populations of the lymphocytes outside the root."""


def tube_events(
    seed: int, words: Sequence[str], panel: str, counts: Mapping[str, int]
) -> FloatArray:
    """Draw the events of one tube, (n, channels), in the order of acquisition.

    Parameters
    ----------
    seed : int
        Seed of the study.
    words : sequence of str
        Address of the tube's stream.
    panel : str
        One of ``STAINS``.
    counts : mapping of str to int
        Events of ``beads``, ``lymphocytes`` and of every population of the panel.
    """
    stain = STAINS[panel]
    sizes = {
        "lymphocytes": counts["lymphocytes"],
        "beads": counts["beads"],
        "debris": _DEBRIS,
        "granulocytes": _GRANULOCYTES,
    }
    noise = np.clip(
        normals(seed, "tube", *words, rows=sum(sizes.values()), columns=_SCATTER + _COLOURS),
        *(-2.5, 2.5),
    )
    events = np.empty((len(noise), len(CHANNELS)))
    start = 0
    for kind, size in sizes.items():
        rows = slice(start, start + size)
        forward, forward_sd, side, side_sd = _PLACES[kind]
        events[rows, 0] = forward + forward_sd * noise[rows, 0]
        events[rows, 1] = side + side_sd * noise[rows, 1]
        start += size
    events[:, _SCATTER:-1] = _light(_NEGATIVE, noise[:, _SCATTER:])
    _stain(events, noise, _members(seed, words, stain, counts), stain)
    order = permutation(seed, "acquisition", *words, size=len(events))
    events = events[order]
    events[:, -1] = np.arange(len(events)) * 0.01
    return events


def _light(level: tuple[float, float], noise: FloatArray) -> FloatArray:
    return np.asarray(level[0] * 10.0 ** (level[1] * noise), dtype=np.float64)


def _members(
    seed: int, words: Sequence[str], stain: Stain, counts: Mapping[str, int]
) -> dict[str, IntArray]:
    """Rows of each population; lymphocytes are the first rows, the root the first of them."""
    root = counts[stain.root]
    members = {stain.root: np.arange(root)}
    taken = 0
    exclusive = permutation(seed, "exclusive", *words, size=root)
    for name in stain.shown:
        if name in stain.exclusive:
            members[name] = exclusive[taken : taken + counts[name]]
            taken += counts[name]
        else:
            members[name] = permutation(seed, name, *words, size=root)[: counts[name]]
    for name in BESIDE_ROOT:
        if name in counts:
            members[name] = np.arange(root, root + counts[name])
    return members


def _stain(
    events: FloatArray, noise: FloatArray, members: Mapping[str, IntArray], stain: Stain
) -> None:
    shown = {stain.root: stain.root_dim, **stain.shown, **BESIDE_ROOT}
    for name, rows in members.items():
        for channel, level in shown[name]:
            events[rows, channel] = _light(level, noise[rows, channel])
