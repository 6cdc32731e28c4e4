"""Contract of instrument files: which formats, and how a file is reduced to reported quantities.

Declares; reads no delivered byte and computes nothing. A layout has one of four technologies:
flow cytometry, fragment analysis, immunoassay or quantitative PCR.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from assayhouse.contracts.documents import Document
from assayhouse.errors import DeclarationError

FLOW, FRAGMENTS, IMMUNOASSAY, QPCR = "flow", "fragments", "immunoassay", "qpcr"
TECHNOLOGIES = (FLOW, FRAGMENTS, IMMUNOASSAY, QPCR)
REFERENCE, TARGET = "REF", "TARGET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """A population that is counted: test, gate and the gate of which it is a percentage."""

    testcd: str
    gate: str
    parent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPanel:
    """One stained tube: its document of gates, the gate of the beads, its populations.

    ``digest`` stands for the document's content, so that a changed gate is a changed declaration
    wherever the file lies.
    """

    panel: str
    beads: str | None
    populations: tuple[Population, ...]
    digest: str
    gates: Path = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPlan:
    """Keywords of an FCS file that say panel, beads per tube, sample and dilution; panels."""

    panel: str
    beads_per_tube: str | None
    sample_ul: str | None
    dilution: str | None
    panels: tuple[FlowPanel, ...]

    def of(self, panel: str) -> FlowPanel | None:
        """Panel by its name in the file."""
        return next((item for item in self.panels if item.panel == panel), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelPeak:
    """Where the fragment of a gene is expected: its dye and size."""

    gene: str
    role: str
    dye: str
    size_bp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentPlan:
    """How a trace becomes signals of genes: size standard, least height, window, panel."""

    ladder: str
    min_height: float
    window_bp: float
    signal: str
    peaks: tuple[PanelPeak, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatePlan:
    """How a plate becomes concentrations, and the limits its quality is held to.

    ``analytes`` gives the test of an analyte whose name in the file is another. Recoveries and
    CVs in percent; the wider limits hold at the lowest standard.
    """

    model: str
    weights: str
    signals: tuple[str, ...]
    analytes: dict[str, str]
    dilutions: dict[str, float]
    recovery_pct: tuple[float, float]
    recovery_at_lloq_pct: tuple[float, float]
    cv_pct: float
    cv_at_lloq_pct: float
    control_sd: float
    fewest_plates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QpcrPlan:
    """How a run becomes percentages: target of each test, reference, replicates, copy factors."""

    targets: dict[str, str]
    reference: str
    denominator: str
    max_spread: float
    min_reference_copies: float
    factors: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentSpec:
    """Contract of the instrument files of one layout.

    Attributes
    ----------
    technology : str
        One of ``TECHNOLOGIES``.
    formats : tuple of str
        Formats that are agreed, as ``instruments.identify`` names them.
    specimen : str or None
        Where a file of one specimen says which: an FCS keyword or a name of the trace's metadata.
    tolerance_pct : float
        A reported value farther than this from the recomputed one differs.
    """

    technology: str
    formats: tuple[str, ...]
    specimen: str | None
    tolerance_pct: float
    flow: FlowPlan | None = None
    fragments: FragmentPlan | None = None
    plate: PlatePlan | None = None
    qpcr: QpcrPlan | None = None


def read_instrument(document: Document, *, folder: Path) -> InstrumentSpec:
    """Read the ``instrument`` part of a layout.

    Parameters
    ----------
    document : Document
        The part.
    folder : Path
        Folder of the layout's file; gating documents are named relative to it.

    Raises
    ------
    DeclarationError
        A key is unknown, missing or of the wrong kind, or a gating document is absent.
    """
    document.only("technology", "formats", "specimen", "tolerance_pct", *TECHNOLOGIES)
    technology = document.choice("technology", TECHNOLOGIES)
    others = [name for name in TECHNOLOGIES if name in document and name != technology]
    if others or technology not in document:
        message = f"{document.where}: declare {technology}, and no other technology."
        raise DeclarationError(message)
    part = document.part(technology)
    tolerance = document.number("tolerance_pct")
    return InstrumentSpec(
        technology=technology,
        formats=document.texts("formats"),
        specimen=document.optional_text("specimen"),
        tolerance_pct=2.0 if tolerance is None else tolerance,
        flow=_flow(part, folder) if technology == FLOW else None,
        fragments=_fragments(part) if technology == FRAGMENTS else None,
        plate=_plate(part) if technology == IMMUNOASSAY else None,
        qpcr=_qpcr(part) if technology == QPCR else None,
    )


def _flow(document: Document, folder: Path) -> FlowPlan:
    document.only("panel", "beads_per_tube", "sample_ul", "dilution", "panels")
    return FlowPlan(
        panel=document.text("panel"),
        beads_per_tube=document.optional_text("beads_per_tube"),
        sample_ul=document.optional_text("sample_ul"),
        dilution=document.optional_text("dilution"),
        panels=tuple(_panel(part, folder) for part in document.parts("panels")),
    )


def _panel(document: Document, folder: Path) -> FlowPanel:
    document.only("panel", "gates", "beads", "populations")
    path = folder / document.text("gates")
    if not path.is_file():
        message = f"{document.where}: {path} is not there. Name a Gating-ML document or workspace."
        raise DeclarationError(message)
    populations = []
    for part in document.parts("populations"):
        part.only("TESTCD", "gate", "parent")
        populations.append(
            Population(
                testcd=part.text("TESTCD"), gate=part.text("gate"), parent=part.text("parent")
            )
        )
    return FlowPanel(
        panel=document.text("panel"),
        beads=document.optional_text("beads"),
        populations=tuple(populations),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        gates=path,
    )


def _fragments(document: Document) -> FragmentPlan:
    document.only("ladder", "min_height", "window_bp", "signal", "peaks")
    peaks = []
    for part in document.parts("peaks"):
        part.only("gene", "role", "dye", "size_bp")
        peaks.append(
            PanelPeak(
                gene=part.text("gene"),
                role=part.choice("role", (TARGET, REFERENCE), TARGET),
                dye=part.text("dye"),
                size_bp=_required(part, "size_bp"),
            )
        )
    return FragmentPlan(
        ladder=document.text("ladder"),
        min_height=_number(document, "min_height", 50.0),
        window_bp=_number(document, "window_bp", 1.0),
        signal=document.choice("signal", ("area", "height"), "area"),
        peaks=tuple(peaks),
    )


def _plate(document: Document) -> PlatePlan:
    limits = ("recovery_pct", "recovery_at_lloq_pct")
    document.only(
        *("model", "weights", "signals", "analytes", "dilutions", *limits, "cv_pct"),
        *("cv_at_lloq_pct", "control_sd", "fewest_plates"),
    )
    return PlatePlan(
        model=document.choice("model", ("4pl", "5pl"), "4pl"),
        weights=document.choice("weights", ("1/y2", "1/y", "none"), "1/y2"),
        signals=document.texts("signals"),
        analytes=document.mapping("analytes"),
        dilutions={
            name: _required(document.part("dilutions"), name) for name in document.part("dilutions")
        },
        recovery_pct=_pair(document, "recovery_pct", (80.0, 120.0)),
        recovery_at_lloq_pct=_pair(document, "recovery_at_lloq_pct", (75.0, 125.0)),
        cv_pct=_number(document, "cv_pct", 20.0),
        cv_at_lloq_pct=_number(document, "cv_at_lloq_pct", 25.0),
        control_sd=_number(document, "control_sd", 3.0),
        fewest_plates=document.integer("fewest_plates", 5),
    )


def _qpcr(document: Document) -> QpcrPlan:
    document.only(
        *("targets", "reference", "denominator", "max_spread", "min_reference_copies", "factors")
    )
    return QpcrPlan(
        targets=document.mapping("targets"),
        reference=document.text("reference"),
        denominator=document.text("denominator"),
        max_spread=_number(document, "max_spread", 0.5),
        min_reference_copies=_number(document, "min_reference_copies", 0.0),
        factors=document.optional_text("factors"),
    )


def _number(document: Document, key: str, default: float) -> float:
    value = document.number(key)
    return default if value is None else value


def _required(document: Document, key: str) -> float:
    value = document.number(key)
    if value is None:
        message = f"{document.where}: {key} is required. Add it."
        raise DeclarationError(message)
    return value


def _pair(document: Document, key: str, default: tuple[float, float]) -> tuple[float, float]:
    if key not in document:
        return default
    texts = document.texts(key)
    try:
        low, high = (float(text) for text in texts)
    except ValueError as error:
        message = f"{document.where}: {key} must be two numbers, the lower first."
        raise DeclarationError(message) from error
    return low, high
