"""Writes FCS 3.1 files: HEADER, TEXT, DATA of floats. Knows no specimen and no gate."""

from collections.abc import Mapping, Sequence

import numpy as np

from assayhouse.simulate.streams import FloatArray

DELIMITER = "|"
_HEADER = 58
_LARGEST = 262_144


def fcs_bytes(
    events: FloatArray,
    channels: Sequence[str],
    markers: Sequence[str],
    keywords: Mapping[str, str],
) -> bytes:
    """Write one data set.

    Parameters
    ----------
    events : (n, channels) array
        Linear values.
    channels, markers : sequence of str
        ``$PnN`` and ``$PnS``; an empty marker is left out.
    keywords : mapping
        Further keywords and values.

    References
    ----------
    .. [1] Spidlen J et al (2010), Cytometry A 77A, 97-100: Data File Standard FCS 3.1.
    """
    data = np.ascontiguousarray(events, dtype="<f4").tobytes()
    words: dict[str, str] = {
        "$BEGINANALYSIS": "0",
        "$ENDANALYSIS": "0",
        "$BEGINSTEXT": "0",
        "$ENDSTEXT": "0",
        "$BYTEORD": "1,2,3,4",
        "$DATATYPE": "F",
        "$MODE": "L",
        "$NEXTDATA": "0",
        "$PAR": str(len(channels)),
        "$TOT": str(len(events)),
        **keywords,
    }
    for place, (name, marker) in enumerate(zip(channels, markers, strict=True), start=1):
        words |= {
            f"$P{place}N": name,
            f"$P{place}B": "32",
            f"$P{place}E": "0,0",
            f"$P{place}R": str(_LARGEST),
        }
        if marker:
            words[f"$P{place}S"] = marker
    size = len(_text(words, "0" * 8, "0" * 8))
    begin = _HEADER + size
    end = begin + len(data) - 1
    text = _text(words, f"{begin:08d}", f"{end:08d}")
    places = (_HEADER, begin - 1, begin, end, 0, 0)
    header = "FCS3.1    " + "".join(f"{place:>8}" for place in places)
    return header.encode() + text + data


def _text(words: Mapping[str, str], begin: str, end: str) -> bytes:
    every = {**words, "$BEGINDATA": begin, "$ENDDATA": end}
    pairs = (part.replace(DELIMITER, DELIMITER * 2) for pair in every.items() for part in pair)
    return (DELIMITER + DELIMITER.join(pairs) + DELIMITER).encode()
