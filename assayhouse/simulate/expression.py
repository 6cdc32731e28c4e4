"""The synthetic capillary-electrophoresis laboratory: genes, peaks, specimen quality, scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assayhouse.simulate.calibration import STUDY, VISITS
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.plates import well_name
from assayhouse.simulate.scores import PARAMCDS
from assayhouse.simulate.specimens import Specimens, lot_numbers
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import Subjects, subject_normals, subject_uniforms
from assayhouse.simulate.texts import fixed_texts, interleave, table_rows, time_texts, where_texts
from assayhouse.simulate.vendor_layouts import EXPRESSION, SAMPLE_QC, SCORES

MODULES = {
    "BMOD": ("CD19", "BACH2", "CD22"),
    "IFNMOD": ("IFI27", "IFI44", "IFI44L", "RSAD2"),
    "EQTLMOD": ("HERC5", "IFI6", "IFIT1", "MX1", "TNFRSF21"),
    "TEXMOD": ("CTLA4", "IL7R", "LAG3", "PDCD1", "ABCE1"),
    "IKZF1": ("IKZF1",),
    "IKZF3": ("IKZF3",),
}
REFERENCE_GENES = ("ACTB", "GAPDH", "HPRT1")
GENES = (*(gene for genes in MODULES.values() for gene in genes), *REFERENCE_GENES)
GENE_OFFSET = 0.5
"""Genes of one module lie this far apart on log2, evenly about the module's score."""
GENE_SD = 0.25
REFERENCE_AREA = 6_000.0
REFERENCE_OFFSETS = (0.15, 0.0, -0.15)
FLOOR, CEILING = 20.0, 32_000.0
"""Area below which nothing is detected; height above which the detector is saturated."""
SPECIMENS_PER_BATCH = 72
ALGORITHM = "AIP-2.0"
INSTRUMENT = "3500XL-04"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressed:
    """Peaks of every gene, subject and visit, as printed.

    Attributes
    ----------
    area, normal : mapping of str to (n, visits) array
        Area of each gene's peak; log2 of it over the geometric mean of the reference genes.
    reference : (n, visits) array
        That geometric mean.
    scores : mapping of str to (n, visits) array
        Mean of the log2 values of a module's genes.
    """

    area: Mapping[str, FloatArray]
    normal: Mapping[str, FloatArray]
    reference: FloatArray
    scores: Mapping[str, FloatArray]


def _gene_values(
    seed: int, subjects: Subjects, genes: Sequence[str], score: FloatArray
) -> dict[str, FloatArray]:
    """Spread a score over its genes so that their mean is the score exactly."""
    noise = np.stack(
        [
            np.clip(subject_normals(seed, subjects, "gene", gene, columns=len(VISITS)), -3, 3)
            for gene in genes
        ]
    )
    noise = GENE_SD * (noise - noise.mean(axis=0))
    offsets = GENE_OFFSET * (np.arange(len(genes)) - (len(genes) - 1) / 2.0)
    return {gene: score + offsets[place] + noise[place] for place, gene in enumerate(genes)}


def express_genes(seed: int, subjects: Subjects, scores: Mapping[str, FloatArray]) -> Expressed:
    """Run everybody's blood at every visit through the analyser."""
    area = {}
    loading = subject_normals(seed, subjects, "loading", columns=len(VISITS))
    amount = REFERENCE_AREA * np.exp(0.2 * np.clip(loading, -2.5, 2.5))
    for gene, offset in zip(REFERENCE_GENES, REFERENCE_OFFSETS, strict=True):
        noise = subject_normals(seed, subjects, "gene", gene, columns=len(VISITS))
        area[gene] = np.round(amount * 2.0 ** (offset + 0.1 * np.clip(noise, -2.5, 2.5)), 1)
    reference = np.exp(np.mean([np.log(area[gene]) for gene in REFERENCE_GENES], axis=0))
    normal, printed = {}, {}
    for paramcd in PARAMCDS:
        genes = MODULES[paramcd]
        for gene, value in _gene_values(seed, subjects, genes, scores[paramcd]).items():
            area[gene] = np.round(reference * 2.0**value, 1)
            normal[gene] = np.round(np.log2(area[gene] / reference), 4)
        printed[paramcd] = np.mean([normal[gene] for gene in genes], axis=0)
    return Expressed(area=area, normal=normal, reference=reference, scores=printed)


def _batches(specimens: Specimens) -> list[str]:
    size = len(specimens)
    numbers = [place // SPECIMENS_PER_BATCH + 1 for place in range(size)]
    return [f"DX{specimens.visit + 1}{number:02d}" for number in numbers]


def _gene_cells(
    expressed: Expressed, specimens: Specimens, gene: str, jitter: FloatArray
) -> dict[str, Sequence[str] | str]:
    rows, visit, place = specimens.subject, specimens.visit, GENES.index(gene)
    area = expressed.area[gene][rows, visit]
    height = np.round(area / (7.5 + 0.5 * jitter), 0)
    is_target = gene not in REFERENCE_GENES
    normal = fixed_texts(expressed.normal[gene][rows, visit], 4) if is_target else ""
    return {
        "GENE": gene,
        "GENEROLE": "TARGET" if is_target else "REF",
        "SIZEBP": fixed_texts(102.0 + 12.0 * place + 0.15 * (jitter - 0.5), 2),
        "DYE": "BGYR"[place % 4],
        "HEIGHT": fixed_texts(height, 0),
        "AREA": fixed_texts(area, 1),
        "NORMVAL": normal,
        "SCALE": "log2" if is_target else "",
        "OFFSCALE": where_texts(height > CEILING, "Y", "N"),
        "BELOWFL": where_texts(area < FLOOR, "Y", "N"),
    }


def expression_rows(
    seed: int, subjects: Subjects, expressed: Expressed, specimens: Specimens
) -> list[Row]:
    """Lines of ``dxterity.expression`` that one visit adds."""
    visit, size = specimens.visit, len(specimens)
    draws = subject_uniforms(
        seed, subjects, "expression-run", VISITS[visit], columns=2 + len(GENES)
    )
    draws = draws[specimens.subject]
    received = specimens.collected + (1440.0 * (1.0 + 8.0 * draws[:, 0])).astype(np.int64)
    batches = _batches(specimens)
    common = specimens.identity | {
        "RECDTM": time_texts(received),
        "KITLOT": lot_numbers("DXK", received),
        "BATCHID": batches,
        "PLATEID": [f"P-{batch}" for batch in batches],
        "WELL": [well_name(12 + place % SPECIMENS_PER_BATCH) for place in range(size)],
        "INJNO": "1",
        "INSTR": INSTRUMENT,
        "QCFL": "PASS",
        "STATUS": "F",
    }
    blocks = [
        table_rows(
            EXPRESSION.columns,
            common | _gene_cells(expressed, specimens, gene, draws[:, 2 + place]),
            size=size,
        )
        for place, gene in enumerate(GENES)
    ]
    return interleave(blocks)


def sample_rows(
    seed: int, subjects: Subjects, expressed: Expressed, specimens: Specimens
) -> list[Row]:
    """Lines of ``dxterity.sampleqc`` that one visit adds."""
    rows, visit = specimens.subject, specimens.visit
    draws = subject_uniforms(seed, subjects, "sizing", VISITS[visit], columns=1)[rows, 0]
    batches = _batches(specimens)
    signal = {
        batch: f"{15.0 + 30.0 * (sum(map(ord, batch)) % 97) / 97.0:.1f}" for batch in set(batches)
    }
    areas = np.stack([expressed.area[gene][rows, visit] for gene in GENES])
    references = np.stack([expressed.area[gene][rows, visit] for gene in REFERENCE_GENES])
    spread = 100.0 * references.std(axis=0, ddof=1) / references.mean(axis=0)
    cells: dict[str, Sequence[str] | str] = {
        "STUDYID": STUDY,
        "ACCNO": specimens.accession,
        "BATCHID": batches,
        "TOTALSIG": fixed_texts(areas.sum(axis=0), 1),
        "REFGEOM": fixed_texts(expressed.reference[rows, visit], 2),
        "REFCV": fixed_texts(spread, 2),
        "SIZEQ": fixed_texts(0.93 + 0.07 * draws, 3),
        "NTCSIG": [signal[batch] for batch in batches],
        "POSCTRL": "PASS",
        "PASSFL": "Y",
    }
    return table_rows(SAMPLE_QC.columns, cells, size=len(specimens))


def score_rows(expressed: Expressed, specimens: Specimens) -> list[Row]:
    """Lines of ``dxterity.scores`` that one visit adds: the six log2 scores."""
    rows, visit = specimens.subject, specimens.visit
    common: dict[str, Sequence[str] | str] = {
        "STUDYID": STUDY,
        "ACCNO": specimens.accession,
        "SCALE": "log2",
        "ALGVER": ALGORITHM,
    }
    blocks = [
        table_rows(
            SCORES.columns,
            common
            | {
                "PARAMCD": f"{paramcd}L",
                "SCORE": fixed_texts(expressed.scores[paramcd][rows, visit], 4),
            },
            size=len(specimens),
        )
        for paramcd in PARAMCDS
    ]
    return interleave(blocks)
