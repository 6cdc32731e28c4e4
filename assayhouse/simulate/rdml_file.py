"""Writes RDML 1.3 files of one run: samples, targets, reacts with Cq and amplification points."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from assayhouse.simulate.streams import FloatArray

_MEMBER = "rdml_data.xml"
_ROWS, _COLUMNS = 16, 24
_DAY_ONE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One well: sample, target, Cq and the fluorescence of every cycle."""

    sample: str
    target: str
    cq: float
    curve: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: name, instrument, begin, standards with their copies, wells in plate order."""

    name: str
    instrument: str
    moment: str
    operator: str
    standards: dict[str, float]
    reactions: Sequence[Reaction]


def rdml_bytes(run: Run) -> bytes:
    """Write a run as an archive with one document.

    References
    ----------
    .. [1] Lefever S et al (2009), Nucleic Acids Research 37, 2065-2069: the RDML data standard.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed time, so that the same run has the same bytes.
        archive.writestr(
            zipfile.ZipInfo(_MEMBER, date_time=_DAY_ONE),
            "".join(_document(run)),
            compress_type=zipfile.ZIP_DEFLATED,
        )
    return packed.getvalue()


def _document(run: Run) -> list[str]:
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        '<rdml xmlns="http://www.rdml.org" version="1.3">\n',
        f'<experimenter id="{escape(run.operator)}"></experimenter>\n',
    ]
    samples = dict.fromkeys(item.sample for item in run.reactions)
    for sample in samples:
        copies = run.standards.get(sample)
        kind = "unkn" if copies is None else "std"
        amount = (
            ""
            if copies is None
            else f"<quantity><value>{copies:g}</value><unit>cop</unit></quantity>"
        )
        parts.append(f'<sample id="{escape(sample)}"><type>{kind}</type>{amount}</sample>\n')
    targets = dict.fromkeys(item.target for item in run.reactions)
    parts += [f'<target id="{escape(target)}"><type>toi</type></target>\n' for target in targets]
    parts += [
        f'<experiment id="{escape(run.name)}"><run id="{escape(run.name)}">\n',
        f"<instrument>{escape(run.instrument)}</instrument>",
        "<dataCollectionSoftware><name>CycleSoft</name><version>1.0</version>",
        "</dataCollectionSoftware>",
        f"<pcrFormat><rows>{_ROWS}</rows><columns>{_COLUMNS}</columns>",
        "<rowLabel>ABC</rowLabel><columnLabel>123</columnLabel></pcrFormat>",
        f"<runDate>{run.moment}:00</runDate>\n",
    ]
    parts += [_react(number, item) for number, item in enumerate(run.reactions, start=1)]
    return [*parts, "</run></experiment>\n</rdml>\n"]


def _react(number: int, item: Reaction) -> str:
    points = "".join(
        f"<adp><cyc>{cycle}</cyc><fluor>{value:.1f}</fluor></adp>"
        for cycle, value in enumerate(item.curve.tolist(), start=1)
    )
    return (
        f'<react id="{number}"><sample id="{escape(item.sample)}"/><data>'
        f'<tar id="{escape(item.target)}"/><cq>{item.cq:.4f}</cq>{points}</data></react>\n'
    )
